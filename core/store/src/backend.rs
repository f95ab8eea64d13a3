use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;

use crate::{Appended, Conversation, ConversationSummary, Failure, NewMessage, Page, StoredMessage};

/// What a database was asked for, and will answer.
pub type Asked<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// Where messages can be kept. SQLite is one such place; a database server is made another by this trait.
pub trait Backend: Debug + Send + Sync + 'static {
    /// Connects, and brings the tables up to date. Called at start, and again after a [`Failure::Dead`], until it succeeds.
    fn open(&self) -> Asked<'_, Arc<dyn Database>>;
}

/// A database that is open.
///
/// Only one `write`, `forget` or `check` is under way at a time; the reads come from anywhere, at any time.
pub trait Database: Debug + Send + Sync + 'static {
    /// Carries out all of it or nothing, in order, and answers after the commit, with an answer for each.
    fn write<'a>(&'a self, batch: &'a [Write]) -> Asked<'a, Vec<Written>>;

    /// Deletes messages that are older than `date` (ms since 1970), at most `limit`, and says how many it deleted.
    fn forget(&self, date: u64, limit: usize) -> Asked<'_, u64>;

    /// Whether what was opened is still what is there.
    fn check(&self) -> Asked<'_, ()>;

    /// Closes it. It is not used afterwards, but for reads that came in before.
    fn close(&self) -> Asked<'_, ()>;

    /// Messages and receipts that wait for `receiver`, in order, after a place.
    fn pending<'a>(&'a self, receiver: &'a str, after: u64, limit: usize) -> Asked<'a, Vec<StoredMessage>>;

    /// How many wait.
    fn pending_count<'a>(&'a self, receiver: &'a str) -> Asked<'a, u64>;

    /// A part of a conversation, in order, without receipts.
    fn history<'a>(&'a self, conversation: &'a Conversation, page: Page) -> Asked<'a, Vec<StoredMessage>>;

    /// The conversations of a user with others whose newest message is before a place, newest first.
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
    /// What waits for this receiver in these places is delivered.
    Delivered {
        /// The receiver.
        receiver: String,
        /// The places.
        seqs: Vec<u64>,
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
            Self::Append(message) => message.size(),
            Self::Delivered { receiver, seqs } => receiver.len() + size_of_val(seqs.as_slice()),
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
    /// Of [`Write::Append`].
    Appended(Appended),
    /// Of [`Write::Delivered`].
    Delivered,
    /// Of [`Write::Read`]: the ids of those that were not read before.
    Read(Vec<String>),
}
