/// What messages that belong together have in common: two users, or a room.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Conversation(String);

impl Conversation {
    /// The conversation of two users, whichever is named first.
    pub fn between(a: &str, b: &str) -> Self {
        let (first, second) = if a <= b { (a, b) } else { (b, a) };
        // The length keeps apart what the names alone would not, whatever signs are in them.
        Self(format!("{}:{first} {second}", first.len()))
    }

    /// The conversation in a room.
    pub fn room(room: &str) -> Self {
        // No key of two users begins with this sign.
        Self(format!("#{room}"))
    }

    /// A key as the database has it.
    pub(crate) const fn from_key(key: String) -> Self {
        Self(key)
    }

    /// The key under which a database keeps it.
    pub fn key(&self) -> &str {
        &self.0
    }
}

/// What a stored message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// From user to user.
    Message,
    /// Says that messages were delivered or read. It waits for its receiver as a message does, but is no part of a conversation.
    Receipt,
    /// To a room. It waits for nobody.
    Room,
}

/// How far a message from user to user, or a receipt, has come. It never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// It waits for its receiver.
    Sent,
    /// A device of the receiver has it.
    Delivered,
    /// The receiver has read it.
    Read,
}

/// What tells a message from all others for its receiver, in whatever file it is. Places do not: a file that takes the place of another has
/// other messages there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// The user who sent it.
    pub sender: String,
    /// Its `Message-ID`.
    pub id: String,
    /// What it is.
    pub kind: Kind,
}

/// A message that is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// What it belongs to.
    pub conversation: Conversation,
    /// Its `Message-ID`. One sender uses it once for one receiver and [`Kind`].
    pub id: String,
    /// The user who sent it.
    pub sender: String,
    /// The user it is for, or the room.
    pub receiver: String,
    /// What it is.
    pub kind: Kind,
    /// When the server took it, in ms since 1970 (UTC).
    pub date: u64,
    /// Its `Content-Type`, if it has one.
    pub content_type: Option<String>,
    /// Its other headers, as the text of a JSON object.
    pub headers: String,
    /// Its body, as JSON text.
    pub body: String,
    /// Whether a device of the receiver has it already.
    pub delivered: bool,
}

impl NewMessage {
    /// How far it has come.
    pub const fn state(&self) -> State {
        if self.delivered { State::Delivered } else { State::Sent }
    }

    /// What tells it from all others for its receiver.
    pub fn name(&self) -> Name {
        Name { sender: self.sender.clone(), id: self.id.clone(), kind: self.kind }
    }

    /// Whether it has to wait for its receiver.
    pub(crate) fn waits(&self) -> bool {
        !self.delivered && self.kind != Kind::Room
    }

    /// About how many bytes of the database it takes as long as it waits. The tables count the same.
    pub(crate) fn waiting_bytes(&self) -> u64 {
        let names = self.id.len() + self.sender.len() + self.receiver.len();
        let content_type = self.content_type.as_ref().map_or(0, String::len);
        (256 + 4 * names + content_type + self.headers.len() + self.body.len()) as u64
    }

    /// About how many bytes it takes in the queue.
    pub(crate) fn size(&self) -> usize {
        let texts = [&self.conversation.0, &self.id, &self.sender, &self.receiver, &self.headers, &self.body];
        size_of::<Self>()
            + texts.iter().map(|text| text.len()).sum::<usize>()
            + self.content_type.as_ref().map_or(0, String::len)
    }
}

/// A message that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its place in the order in which messages were kept: a later one has a higher number. From 1, with gaps, never used twice.
    pub seq: u64,
    /// What it belongs to.
    pub conversation: Conversation,
    /// Its `Message-ID`.
    pub id: String,
    /// The user who sent it.
    pub sender: String,
    /// The user it is for, or the room.
    pub receiver: String,
    /// What it is.
    pub kind: Kind,
    /// When the server took it, in ms since 1970 (UTC).
    pub date: u64,
    /// Its `Content-Type`, if it has one.
    pub content_type: Option<String>,
    /// Its other headers, as the text of a JSON object.
    pub headers: String,
    /// Its body, as JSON text.
    pub body: String,
    /// How far it has come.
    pub state: State,
}

impl StoredMessage {
    /// What tells it from all others for its receiver.
    pub fn name(&self) -> Name {
        Name { sender: self.sender.clone(), id: self.id.clone(), kind: self.kind }
    }

    /// About how many bytes of a page it takes.
    pub(crate) fn size(&self) -> usize {
        self.content_type.as_ref().map_or(0, String::len) + self.headers.len() + self.body.len()
    }

    /// Whether it waits for its receiver.
    pub(crate) fn waits(&self) -> bool {
        self.kind != Kind::Room && self.state == State::Sent
    }

    /// As [`NewMessage::waiting_bytes`].
    pub(crate) fn waiting_bytes(&self) -> u64 {
        let names = self.id.len() + self.sender.len() + self.receiver.len();
        (256 + 4 * names + self.size()) as u64
    }

    /// A message that took its place.
    pub(crate) fn new(seq: u64, message: NewMessage) -> Self {
        Self {
            seq,
            state: message.state(),
            conversation: message.conversation,
            id: message.id,
            sender: message.sender,
            receiver: message.receiver,
            kind: message.kind,
            date: message.date,
            content_type: message.content_type,
            headers: message.headers,
            body: message.body,
        }
    }
}

/// A message was kept, now or earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Its place.
    pub seq: u64,
    /// Its date: of a repeat, the date of the first one.
    pub date: u64,
    /// Whether one with this id, sender and receiver was there already. Then that one stands.
    pub is_repeat: bool,
}

/// Which part of a history is asked for. The answer is in the order of the messages, oldest first, whatever part it is; it holds at most
/// [`MAX_PAGE_BYTES`], and the message that goes beyond. [`is_full_page`] tells whether there may be more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Only messages before this place.
    pub before: Option<u64>,
    /// Only messages after this place. With it the oldest that fit are given, without it the newest.
    pub after: Option<u64>,
    /// At most so many, and never more than [`MAX_PAGE`].
    pub limit: usize,
}

/// More than so many messages or conversations are not given at once.
pub const MAX_PAGE: usize = 1000;

/// A page of a history, or of conversations, ends with the message by which it reaches so many bytes.
pub const MAX_PAGE_BYTES: usize = 256 * 1024;

/// Whether a page of a history, or of conversations with their last messages, ends where it does because it is full. If it is not, nothing
/// comes behind it.
pub fn is_full_page<'a>(page: impl IntoIterator<Item = &'a StoredMessage>, limit: usize) -> bool {
    let (mut count, mut bytes) = (0, 0);
    for message in page {
        count += 1;
        bytes += message.size();
    }
    count >= limit.min(MAX_PAGE) || bytes >= MAX_PAGE_BYTES
}

/// What goes onto a page.
pub(crate) fn page_of<T>(all: impl Iterator<Item = T>, limit: usize, size: impl Fn(&T) -> usize) -> Vec<T> {
    let mut bytes = 0;
    let mut page = Vec::new();
    for one in all.take(limit.min(MAX_PAGE)) {
        bytes += size(&one);
        page.push(one);
        if bytes >= MAX_PAGE_BYTES {
            break;
        }
    }
    page
}

/// The newest of a conversation between two users, as one of them sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationSummary {
    /// The other user.
    pub with: String,
    /// The newest message.
    pub last: StoredMessage,
    /// How many messages of the other are not marked as read.
    pub unread: u64,
}
