use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;

use crate::{Appended, Conversation, ConversationSummary, Failure, Name, NewMessage, Page, StoredMessage};

/// What a database was asked for, and will answer.
pub type Asked<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// Where messages can be kept. SQLite is one such place; a database server is made another by this trait.
pub trait Backend: Debug + Send + Sync + 'static {
    /// Connects, and brings the tables up to date. Called at start, and again after a [`Failure::Dead`], until it succeeds.
    fn open(&self) -> Asked<'_, Arc<dyn Database>>;
}

/// A database that is open.
///
/// Only one `write`, `forget`, `make_room` or `check` is under way at a time; the reads come from anywhere, at any time.
pub trait Database: Debug + Send + Sync + 'static {
    /// Carries out all of it or nothing, in order, and answers after the commit, with an answer for each.
    fn write<'a>(&'a self, batch: &'a [Write]) -> Asked<'a, Vec<Written>>;

    /// Deletes messages that are older than `date` (ms since 1970), at most `limit`, and says how many it deleted.
    fn forget(&self, date: u64, limit: usize) -> Asked<'_, u64>;

    /// If the database has nearly all that it may take, or would have it with so many bytes more, deletes messages that wait for nobody,
    /// the oldest first, at most `limit`; and says how many it deleted. One that has no bounds deletes none.
    fn make_room(&self, bytes: u64, limit: usize) -> Asked<'_, u64> {
        let _ = (bytes, limit);
        Box::pin(ready(Ok(0)))
    }

    /// Whether what was opened is still what is there.
    fn check(&self) -> Asked<'_, ()>;

    /// Closes it. It is not used afterwards, but for reads that came in before.
    fn close(&self) -> Asked<'_, ()>;

    /// Messages and receipts that wait for `receiver`, in order, after a place.
    fn pending<'a>(&'a self, receiver: &'a str, after: u64, limit: usize) -> Asked<'a, Vec<StoredMessage>>;

    /// How many wait for `receiver` of each sender.
    fn pending_counts<'a>(&'a self, receiver: &'a str) -> Asked<'a, BTreeMap<String, u64>>;

    /// A part of a conversation, in order, without receipts: as much as fits on a page.
    fn history<'a>(&'a self, conversation: &'a Conversation, page: Page) -> Asked<'a, Vec<StoredMessage>>;

    /// The conversations of a user with others whose newest message is before a place, newest first: as many as fit on a page.
    fn conversations<'a>(
        &'a self,
        user: &'a str,
        before: Option<u64>,
        limit: usize,
    ) -> Asked<'a, Vec<ConversationSummary>>;
}

/// A change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Write {
    /// Keep a message, unless one with its id, sender and receiver is there. If it is, and this one is delivered, so is that.
    Append(NewMessage),
    /// The same, unless it has to wait and its sender would then have more than so many bytes of its kind waiting, for whomever; or all senders
    /// more than the database gives to what waits. Within one batch what is there already may count too.
    AppendWithin(NewMessage, u64),
    /// These messages and receipts for this receiver are delivered.
    Delivered {
        /// The receiver.
        receiver: String,
        /// Which they are.
        names: Vec<Name>,
    },
    /// The receiver has read the messages of the sender that have these ids.
    Read {
        /// The receiver.
        receiver: String,
        /// The sender.
        sender: String,
        /// Their ids.
        ids: Vec<String>,
    },
}

impl Write {
    /// About how many bytes it takes in the queue.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Append(message) | Self::AppendWithin(message, _) => message.size(),
            Self::Delivered { receiver, names } => {
                receiver.len()
                    + names.iter().map(|n| size_of::<Name>() + n.sender.len() + n.id.len()).sum::<usize>()
            }
            Self::Read { receiver, sender, ids } => {
                receiver.len()
                    + sender.len()
                    + ids.iter().map(|id| size_of::<String>() + id.len()).sum::<usize>()
            }
        }
    }
}

/// A change was made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Written {
    /// Of [`Write::Append`] and [`Write::AppendWithin`].
    Appended(Appended),
    /// Of [`Write::AppendWithin`]: too much of its sender waits.
    TooMuch,
    /// Of [`Write::AppendWithin`]: too much of all senders waits.
    NoRoom,
    /// Of [`Write::Delivered`].
    Delivered,
    /// Of [`Write::Read`]: the ids of those that were not read before.
    Read(Vec<String>),
}
