use rtcd_sdk::jsip::{ByteString, Headers, Method, Request};
use rtcd_sdk::serde::Deserialize;
use rtcd_sdk::serde_json::value::RawValue;
use rtcd_sdk::{Cx, Peer, serde_json, user_in};
use rtcd_store::{Conversation, Kind, Name, NewMessage, Packed, StoredMessage, date_text};

use crate::mail::Refusal;

/// A message on its way.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    /// `From` and `To`, as sent.
    pub(crate) from: ByteString,
    pub(crate) to: ByteString,
    /// The users that they name.
    pub(crate) sender: ByteString,
    pub(crate) receiver: ByteString,
    pub(crate) kind: Kind,
    /// `Message-ID`.
    pub(crate) id: String,
    /// When it came, in ms since 1970.
    pub(crate) date: u64,
    /// As the receiver gets them, with `Message-ID` and `Date`.
    pub(crate) headers: Headers,
    /// Ids of messages of the receiver that the sender has read.
    pub(crate) read: Vec<String>,
    /// Ids of messages of the receiver that the sender has got, as the server says in its name.
    pub(crate) told: Vec<String>,
}

/// The longest `Message-ID`, in characters.
const LONGEST_ID: usize = 64;

/// The longest name of a user, in bytes.
const LONGEST_NAME: usize = 256;

/// The most ids in a receipt.
const MOST_IDS: usize = 1000;

/// The `Content-Type` of receipts.
const RECEIPT: &str = "receipt";

impl Post {
    /// What a user sends. `id` is used if the message has no `Message-ID`.
    pub(crate) fn of(
        request: &Request,
        peer: Option<&Peer>,
        date: u64,
        id: impl FnOnce() -> String,
    ) -> Result<Self, Refusal> {
        if request.method != Method::Message {
            return Err(Refusal::Method);
        }
        let sender = sender(&request.from, peer)?;
        let receiver = user(&request.to).ok_or(Refusal::NoReceiver)?;
        let id = message_id(&request.headers, id)?;
        let is_receipt = request.headers.text("Content-Type").as_deref() == Some(RECEIPT);
        let read = if is_receipt { read(&request.headers)? } else { Vec::new() };
        let mut headers = request.headers.clone();
        // It says who speaks in a room. Between users that is `From`, which is looked at here; clients take no other word for it.
        headers.remove("P-Asserted-Identity");
        headers.set_text("Message-ID", &id).set_text("Date", &date_text(date));
        let kind = if is_receipt { Kind::Receipt } else { Kind::Message };
        let (from, to) = (request.from.clone(), request.to.clone());
        Ok(Self { from, to, sender, receiver, kind, id, date, headers, read, told: Vec::new() })
    }

    /// Tells `to` that messages which are stored for `from` have been delivered.
    pub(crate) fn delivered(from: &str, to: &str, told: Vec<String>, id: String, date: u64) -> Self {
        let (from, to) = (ByteString::from(from), ByteString::from(to));
        let mut headers = Headers::default();
        headers.set_text("Content-Type", RECEIPT);
        // A list of texts can always be written.
        let _ = headers.set_json("Body", &serde_json::json!({ "delivered": told }));
        headers.set_text("Message-ID", &id).set_text("Date", &date_text(date));
        let (sender, receiver) = (from.clone(), to.clone());
        Self { from, to, sender, receiver, kind: Kind::Receipt, id, date, headers, read: Vec::new(), told }
    }

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        let names = [&self.from, &self.to, &self.sender, &self.receiver];
        size_of::<Self>()
            + names.iter().map(|name| name.len()).sum::<usize>()
            + self.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
            + self.read.iter().map(|id| size_of::<String>() + id.len()).sum::<usize>()
    }

    /// What tells it from all others for its receiver.
    pub(crate) fn name(&self) -> Name {
        Name { sender: self.sender.to_string(), id: self.id.clone(), kind: self.kind }
    }

    /// As the store keeps it.
    pub(crate) fn to_store(&self, delivered: bool) -> NewMessage {
        let Packed { content_type, headers, body } = Packed::new(&self.headers, None, None);
        NewMessage {
            conversation: Conversation::between(&self.sender, &self.receiver),
            id: self.id.clone(),
            sender: self.sender.to_string(),
            receiver: self.receiver.to_string(),
            kind: self.kind,
            date: self.date,
            content_type,
            headers,
            body,
            delivered,
        }
    }

    /// A copy of it for a device.
    pub(crate) fn copy<L: Clone>(&self, cx: &Cx<L>, to: &Peer) -> Request {
        copy(cx, to, self.from.clone(), self.to.clone(), self.headers.clone())
    }
}

/// A copy of a stored message for a device.
pub(crate) fn stored_copy<L: Clone>(cx: &Cx<L>, to: &Peer, message: &StoredMessage) -> Request {
    let (from, receiver) = (ByteString::from(&*message.sender), ByteString::from(&*message.receiver));
    copy(cx, to, from, receiver, message.unpack().headers)
}

/// `Router` does not go along: it would lead the copy to somebody else than the receiver.
fn copy<L: Clone>(cx: &Cx<L>, peer: &Peer, from: ByteString, to: ByteString, headers: Headers) -> Request {
    Request {
        method: Method::Message,
        uri: peer.uri(),
        from,
        to,
        dialog: cx.dialog_id(),
        cseq: cx.cseq(),
        related: None,
        router: None,
        headers,
    }
}

/// The user whom a `From` or `To` names.
pub(crate) fn user(text: &str) -> Option<ByteString> {
    let name = user_in(text);
    (!name.is_empty() && name.len() <= LONGEST_NAME).then(|| ByteString::from(&*name))
}

/// Who sends: the user of the connection; another server may speak for its users.
fn sender(from: &str, peer: Option<&Peer>) -> Result<ByteString, Refusal> {
    if peer.is_some_and(|peer| !peer.is_named_by(from)) {
        return Err(Refusal::NotYou);
    }
    // A message of such a user would be shown as one that was said in a room.
    user(from).filter(|user| !user.starts_with("room:")).ok_or(Refusal::NotYou)
}

fn message_id(headers: &Headers, make: impl FnOnce() -> String) -> Result<String, Refusal> {
    if !headers.contains("Message-ID") {
        return Ok(make());
    }
    let id = headers.text("Message-ID").ok_or(Refusal::BadId)?;
    match id.chars().take(LONGEST_ID + 1).count() {
        1..=LONGEST_ID => Ok(id.into_owned()),
        _ => Err(Refusal::BadId),
    }
}

#[derive(Deserialize)]
#[serde(crate = "rtcd_sdk::serde", deny_unknown_fields)]
struct Read {
    read: Vec<String>,
}

/// What a receipt of a user says.
fn read(headers: &Headers) -> Result<Vec<String>, Refusal> {
    let Read { read } = headers.json("Body").ok_or(Refusal::BadReceipt)?;
    let is_good = (1..=MOST_IDS).contains(&read.len())
        && read.iter().all(|id| (1..=LONGEST_ID).contains(&id.chars().count()));
    if is_good { Ok(read) } else { Err(Refusal::BadReceipt) }
}

/// The body of a stored message, as it was sent.
pub(crate) fn body(message: &StoredMessage) -> Box<RawValue> {
    RawValue::from_string(message.body.clone()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
