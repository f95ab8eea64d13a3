//! What was said in a room, as the store keeps it.

use std::time::UNIX_EPOCH;

use rtcd_sdk::prelude::*;
use rtcd_sdk::tracing::warn;
use rtcd_sdk::user_in;
use rtcd_store::{
    Conversation, Kind, NewMessage, Packed, Page, Store, StoreError, StoredMessage, Unpacked, date_text,
    is_full_page,
};

use crate::held::{Held, Verdict};
use crate::mail::{Accepted, Post, Refusal};

/// The longest `Message-ID` of a client, in characters; a longer one is replaced.
const LONGEST_ID: usize = 64;

/// Puts a message into the queue of the store, in the order of these calls. The sender is answered after the commit; if there is none,
/// nobody hears the message.
pub(crate) fn keep(
    store: &Store,
    message: NewMessage,
    mut held: Held,
    reply: Reply<Result<Accepted, Refusal>>,
) -> impl Future<Output = ()> + Send + 'static {
    let commit = store.append(message);
    async move {
        let answer = match commit.await {
            Ok(kept) => {
                held.decide(Verdict::Heard { first_date: kept.is_repeat.then_some(kept.date) });
                Ok(Accepted { held, kept: Some(kept) })
            }
            Err(problem) => {
                // Before the answer: who has it says to the room that it may look.
                drop(held);
                Err(problem.into())
            }
        };
        // Who asked may be gone: then nothing holds it back any more.
        let _ = reply.send(answer);
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
        sender: user_in(user).into_owned(),
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
    match last(store, &Conversation::room(room), limit).await {
        Ok(messages) => messages.into_iter().rev().map(Post::from).collect(),
        Err(error) => {
            warn!(room, %error, "a new member is not told what was said before");
            Vec::new()
        }
    }
}

/// The last messages, newest first. Large ones take several pages.
async fn last(store: &Store, room: &Conversation, limit: usize) -> Result<Vec<StoredMessage>, StoreError> {
    let mut found: Vec<StoredMessage> = Vec::new();
    loop {
        let page = Page {
            before: found.last().map(|oldest| oldest.seq),
            after: None,
            limit: limit.saturating_sub(found.len()),
        };
        let messages = store.history(room, page).await?;
        let is_full = is_full_page(&messages, page.limit);
        found.extend(messages.into_iter().rev());
        if !is_full || found.len() >= limit {
            return Ok(found);
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
