//! What was said in a room, as the store keeps it.

use std::fmt;
use std::pin::Pin;
use std::time::UNIX_EPOCH;

use rtcd_sdk::prelude::*;
use rtcd_sdk::tracing::warn;
use rtcd_store::{
    Appended, Conversation, Kind, NewMessage, Packed, Page, Store, StoreError, StoredMessage, Unpacked,
    date_text,
};

use crate::mail::Post;

/// The longest `Message-ID` of a client, in characters; a longer one is replaced.
const LONGEST_ID: usize = 64;

/// A message on its way to the disk: the answer comes after the commit.
pub(crate) struct Commit(Pin<Box<dyn Future<Output = Result<Appended, StoreError>> + Send>>);

impl Commit {
    /// Puts a message into the queue of the store, in the order of these calls.
    pub(crate) fn begin(store: &Store, message: NewMessage) -> Self {
        Self(Box::pin(store.append(message)))
    }

    pub(crate) async fn done(self) -> Result<Appended, StoreError> {
        self.0.await
    }
}

impl fmt::Debug for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Commit")
    }
}

/// Gives a message its `Message-ID` and `Date`, and makes of it what is kept.
pub(crate) fn to_keep<S>(cx: &Cx<(), S>, user: &str, post: &mut Post) -> NewMessage {
    let id = post.headers.text("Message-ID").filter(|id| is_good(id)).map(|id| id.into_owned());
    let id = id.unwrap_or_else(|| cx.unique_id());
    let since = cx.date().duration_since(UNIX_EPOCH).unwrap_or_default();
    let date = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    post.headers.set_text("Message-ID", &id).set_text("Date", &date_text(date));
    let Packed { content_type, headers, body } =
        Packed::new(&post.headers, Some(&post.from), post.router.as_deref());
    NewMessage {
        conversation: Conversation::room(&post.to),
        id,
        // Of whatever device.
        sender: Uri::parse(user).map_or_else(|_| user.to_owned(), |uri| uri.address()),
        receiver: post.to.to_string(),
        kind: Kind::Room,
        date,
        content_type,
        headers,
        body,
        delivered: false,
    }
}

/// What was said last in a room, oldest first. If the store cannot tell, nothing was.
pub(crate) async fn recall(store: &Store, room: &str, limit: usize) -> Vec<Post> {
    let page = Page { before: None, after: None, limit };
    match store.history(&Conversation::room(room), page).await {
        Ok(messages) => messages.into_iter().map(Post::from).collect(),
        Err(error) => {
            warn!(room, %error, "a new member is not told what was said before");
            Vec::new()
        }
    }
}

impl From<StoredMessage> for Post {
    fn from(message: StoredMessage) -> Self {
        let Unpacked { from, router, headers } = message.unpack();
        Self {
            from: from.unwrap_or(message.sender).into(),
            to: message.receiver.into(),
            router: router.map(ByteString::from),
            headers,
        }
    }
}

fn is_good(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.chars().take(LONGEST_ID + 1).count())
}
