use std::collections::BTreeMap;
use std::fmt;
use std::future::ready;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use rtcd_sdk::{Load, LoadError};

use crate::backend::{Backend, Database, Write, Written};
use crate::sweep::system_clock;
use crate::writer::{Answer, Reading, Writer};
use crate::{
    Appended, Conversation, ConversationSummary, Memory, Name, NewMessage, Page, Settings, Sqlite,
    StoreError, StoredMessage,
};

/// Where messages are kept: a handle, cheap to clone.
///
/// What changes something is put into the queue of the one writer at the call, in order and without waiting for room. From then on
/// it is carried out, also if its future is dropped: `drop(store.append(message))` keeps a message without waiting for it, and the
/// log tells of a failure. The future resolves after the commit, so what it says is on the disk.
#[derive(Clone)]
pub struct Store {
    way: Way,
}

/// How to the database.
#[derive(Clone)]
enum Way {
    /// Through a writer that batches.
    Queued(Writer),
    /// At once.
    Direct(Arc<dyn Database>),
}

/// The store of the process, once a service asked for it.
#[derive(Debug, Default)]
struct Shared {
    store: Mutex<Option<Store>>,
}

impl Store {
    /// The one store of the process, opened by the service that asks first, as `conf/store.yaml` says. Where no state is kept, it is
    /// in memory.
    ///
    /// # Errors
    /// If the settings do not fit. A database that cannot be opened is no error here.
    ///
    /// # Panics
    /// Where state is kept, outside of a tokio runtime.
    pub fn shared(load: &Load) -> Result<Self, LoadError> {
        let settings: Settings = load.settings_of("store")?;
        let shared = load.shared::<Shared>();
        // Nothing but what follows is done under it.
        let mut store = shared.store.lock().unwrap_or_else(PoisonError::into_inner);
        let open = || match load.state_dir() {
            Some(folder) => {
                let store = Self::open(&folder.join(&settings.file), &settings);
                let last = store.clone();
                load.at_stop(move || async move { last.finish().await });
                store
            }
            None => Self::in_memory(),
        };
        Ok(store.get_or_insert_with(open).clone())
    }

    /// A store in a SQLite file. It is opened in the background, and tried again until it is there; what is asked meanwhile waits
    /// for the first try, and afterwards gets [`StoreError::Unavailable`].
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn open(path: &Path, settings: &Settings) -> Self {
        Self::with_backend(Arc::new(Sqlite::new(path, settings)), settings)
    }

    /// A store in plain memory, without queue and tasks: its futures are ready at the first poll.
    pub fn in_memory() -> Self {
        Self::over(Arc::new(Memory::default()))
    }

    /// A store with a writer and its queue before any backend.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn with_backend(backend: Arc<dyn Backend>, settings: &Settings) -> Self {
        Self { way: Way::Queued(Writer::start(backend, settings, system_clock())) }
    }

    /// The same by another clock than the system's. By it is seen which messages are older than `retention`, no more.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn with_clock(
        backend: Arc<dyn Backend>,
        settings: &Settings,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Self {
        Self { way: Way::Queued(Writer::start(backend, settings, Arc::new(clock))) }
    }

    /// A store straight over a database, without queue, tasks and deadlines: a write is begun at the call. It needs no runtime if the
    /// database needs none.
    pub fn over(database: Arc<dyn Database>) -> Self {
        Self { way: Way::Direct(database) }
    }

    /// Keeps a message. One that is there already, by id, sender, receiver and kind, stays as it was first kept; but if this one is
    /// delivered, that one is too.
    ///
    /// # Errors
    /// If it cannot be kept now.
    pub fn append(
        &self,
        message: NewMessage,
    ) -> impl Future<Output = Result<Appended, StoreError>> + Send + 'static {
        let answer = self.write(Write::Append(message));
        async {
            match answer.await? {
                Written::Appended(appended) => Ok(appended),
                Written::TooMuch | Written::NoRoom | Written::Delivered | Written::Read(_) => {
                    Err(wrong_answer())
                }
            }
        }
    }

    /// Keeps a message as [`append`](Self::append) does, if its sender has then no more than `max_waiting` bytes of its kind waiting, for
    /// whomever. What waits is counted as about what it takes of the file.
    ///
    /// # Errors
    /// [`StoreError::TooMuch`] if it would be more, and others if it cannot be kept now.
    pub fn append_within(
        &self,
        message: NewMessage,
        max_waiting: u64,
    ) -> impl Future<Output = Result<Appended, StoreError>> + Send + 'static {
        let answer = self.write(Write::AppendWithin(message, max_waiting));
        async {
            match answer.await? {
                Written::Appended(appended) => Ok(appended),
                Written::TooMuch => Err(StoreError::TooMuch),
                Written::NoRoom => Err(StoreError::Unavailable("too much waits".to_owned())),
                Written::Delivered | Written::Read(_) => Err(wrong_answer()),
            }
        }
    }

    /// Marks messages and receipts for a receiver as delivered. One that is not there is passed over.
    ///
    /// # Errors
    /// If it cannot be kept now.
    pub fn mark_delivered(
        &self,
        receiver: &str,
        names: Vec<Name>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        let answer = self.write(Write::Delivered { receiver: receiver.to_owned(), names });
        async {
            match answer.await? {
                Written::Delivered => Ok(()),
                Written::Appended(_) | Written::TooMuch | Written::NoRoom | Written::Read(_) => {
                    Err(wrong_answer())
                }
            }
        }
    }

    /// Marks messages of a sender as read by the receiver, and gives the ids of those that were not read before.
    ///
    /// # Errors
    /// If it cannot be kept now.
    pub fn mark_read(
        &self,
        receiver: &str,
        sender: &str,
        ids: Vec<String>,
    ) -> impl Future<Output = Result<Vec<String>, StoreError>> + Send + use<> {
        let answer =
            self.write(Write::Read { receiver: receiver.to_owned(), sender: sender.to_owned(), ids });
        async {
            match answer.await? {
                Written::Read(ids) => Ok(ids),
                Written::Appended(_) | Written::TooMuch | Written::NoRoom | Written::Delivered => {
                    Err(wrong_answer())
                }
            }
        }
    }

    /// Messages and receipts that wait for a receiver, in order, after a place; at most [`MAX_PAGE`](crate::MAX_PAGE).
    ///
    /// # Errors
    /// If the database cannot be read now.
    pub async fn pending(
        &self,
        receiver: &str,
        after_seq: u64,
        limit: usize,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let reading = self.reading().await?;
        reading.answer(reading.database.pending(receiver, after_seq, limit)).await
    }

    /// How many messages and receipts wait for a receiver.
    ///
    /// # Errors
    /// If the database cannot be read now.
    pub async fn pending_count(&self, receiver: &str) -> Result<u64, StoreError> {
        Ok(self.pending_counts(receiver).await?.values().sum())
    }

    /// How many messages and receipts of each sender wait for a receiver.
    ///
    /// # Errors
    /// If the database cannot be read now.
    pub async fn pending_counts(&self, receiver: &str) -> Result<BTreeMap<String, u64>, StoreError> {
        let reading = self.reading().await?;
        reading.answer(reading.database.pending_counts(receiver)).await
    }

    /// A part of a conversation, oldest first, without receipts; at most [`MAX_PAGE`](crate::MAX_PAGE), and about
    /// [`MAX_PAGE_BYTES`](crate::MAX_PAGE_BYTES).
    ///
    /// # Errors
    /// If the database cannot be read now.
    pub async fn history(
        &self,
        conversation: &Conversation,
        page: Page,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let reading = self.reading().await?;
        reading.answer(reading.database.history(conversation, page)).await
    }

    /// The conversations of a user with other users (no rooms), newest first; at most [`MAX_PAGE`](crate::MAX_PAGE), and about
    /// [`MAX_PAGE_BYTES`](crate::MAX_PAGE_BYTES). The next page is `before` the `last.seq` of this one's last.
    ///
    /// # Errors
    /// If the database cannot be read now.
    pub async fn conversations(
        &self,
        user: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<ConversationSummary>, StoreError> {
        let reading = self.reading().await?;
        reading.answer(reading.database.conversations(user, before, limit)).await
    }

    /// Waits until all that was queued is carried out, or has failed; what comes meanwhile is refused with [`StoreError::Busy`]. The
    /// store of the process does so when the server stops.
    pub async fn finish(&self) {
        if let Way::Queued(writer) = &self.way {
            writer.finish().await;
        }
    }

    fn write(&self, write: Write) -> Answer {
        match &self.way {
            Way::Queued(writer) => writer.write(write),
            Way::Direct(database) => {
                let database = database.clone();
                let mut answer: Answer = Box::pin(async move {
                    let written = database.write(&[write]).await?;
                    written.into_iter().next().ok_or_else(wrong_answer)
                });
                // Begun here, so that here too it is carried out if the future is dropped.
                match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(done) => Box::pin(ready(done)),
                    Poll::Pending => answer,
                }
            }
        }
    }

    async fn reading(&self) -> Result<Reading, StoreError> {
        match &self.way {
            Way::Queued(writer) => writer.reading().await,
            Way::Direct(database) => Ok(Reading::direct(database.clone())),
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("Store");
        match &self.way {
            Way::Queued(writer) => f.field("writer", writer),
            Way::Direct(database) => f.field("database", database),
        };
        f.finish()
    }
}

fn wrong_answer() -> StoreError {
    StoreError::Unavailable("the database answered another question".to_owned())
}
