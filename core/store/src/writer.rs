//! The one task that writes: it takes what waits, commits it together, and answers.

use std::fmt;
use std::future::{pending, ready};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout_at};

use crate::backend::{Asked, Backend, Database, Write, Written};
use crate::sweep::{Clock, Sweep};
use crate::trouble::{Trouble, Warning};
use crate::{Failure, Settings, StoreError};

/// So many messages are deleted at once, so that what is to be written does not wait for long.
const CHUNK: usize = 500;

/// For so long room is made for a batch that found none. It waits for nothing else.
const MAKING_ROOM: Duration = Duration::from_secs(1);

/// No setting makes it wait for longer; with much more, sums would overflow.
pub(crate) const LONGEST: Duration = Duration::from_hours(24);

/// What a write came to.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Result<Written, StoreError>> + Send>>;

/// A handle of the writer's queue, and of the database that it opened. The writer ends, after what is queued, when the last handle
/// is gone.
#[derive(Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Job>,
    /// The bytes that the queue has left, of so many.
    room: Arc<Semaphore>,
    bytes: u32,
    health: watch::Receiver<Health>,
    timeout: Duration,
}

/// A database, and until when its answer is waited for.
pub(crate) struct Reading {
    pub(crate) database: Arc<dyn Database>,
    deadline: Option<Instant>,
}

/// How the database is.
#[derive(Debug, Clone)]
enum Health {
    /// The first try is under way.
    Opening,
    Up(Arc<dyn Database>),
    Down(String),
}

struct Job {
    write: Write,
    asker: oneshot::Sender<Result<Written, StoreError>>,
    /// Its part of the bytes, given back when it is answered.
    room: OwnedSemaphorePermit,
}

impl Writer {
    pub(crate) fn start(backend: Arc<dyn Backend>, settings: &Settings, clock: Clock) -> Self {
        let (queue, jobs) = mpsc::channel(settings.queue.get().min(Semaphore::MAX_PERMITS));
        let (health, seen) = watch::channel(Health::Opening);
        let task = Task {
            backend,
            jobs,
            health,
            batch: settings.batch.get(),
            retry: settings.retry.clamp(Duration::from_millis(1), LONGEST),
            sweep: Sweep::new(settings.retention, clock),
            is_making_room: false,
            forgets: Warning::default(),
            refuses: Warning::default(),
            trouble: Trouble::default(),
        };
        tokio::spawn(task.keep_running());
        let bytes = u32::try_from(settings.queue_bytes.get()).unwrap_or(u32::MAX);
        Self {
            queue,
            room: Arc::new(Semaphore::new(bytes as usize)),
            bytes,
            health: seen,
            timeout: settings.timeout.min(LONGEST),
        }
    }

    /// Puts a write into the queue, now or not at all.
    pub(crate) fn write(&self, write: Write) -> Answer {
        let answer = match self.queue(write) {
            Ok(answer) => answer,
            Err(error) => return Box::pin(ready(Err(error))),
        };
        let deadline = Instant::now() + self.timeout;
        Box::pin(async move {
            match timeout_at(deadline, answer).await {
                Ok(Ok(answer)) => answer,
                // The writer panicked, or the runtime ends.
                Ok(Err(_)) => Err(StoreError::Unavailable("the write was given up".to_owned())),
                Err(_) => Err(late()),
            }
        })
    }

    fn queue(&self, write: Write) -> Result<oneshot::Receiver<Result<Written, StoreError>>, StoreError> {
        let bytes = u32::try_from(write.size()).map_err(|_| StoreError::Busy)?;
        let room = self.room.clone().try_acquire_many_owned(bytes).map_err(|_| StoreError::Busy)?;
        let (asker, answer) = oneshot::channel();
        self.queue.try_send(Job { write, asker, room }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => {
                StoreError::Unavailable("the writer has ended".to_owned())
            }
        })?;
        Ok(answer)
    }

    /// Ready when all that was queued is answered: then no byte of the queue is taken. What comes meanwhile is refused.
    pub(crate) async fn finish(&self) {
        let _all = self.room.acquire_many(self.bytes).await;
    }

    /// The database, once it was tried to open it.
    pub(crate) async fn reading(&self) -> Result<Reading, StoreError> {
        let deadline = Instant::now() + self.timeout;
        let mut health = self.health.clone();
        let tried = health.wait_for(|health| !matches!(health, Health::Opening));
        let health = match timeout_at(deadline, tried).await {
            Ok(Ok(health)) => health.clone(),
            Ok(Err(_)) => Health::Down("the writer has ended".to_owned()),
            Err(_) => return Err(late()),
        };
        match health {
            Health::Up(database) => Ok(Reading { database, deadline: Some(deadline) }),
            Health::Down(reason) => Err(StoreError::Unavailable(reason)),
            Health::Opening => Err(late()),
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("health", &*self.health.borrow())
            .field("room", &self.queue.capacity())
            .finish_non_exhaustive()
    }
}

impl Reading {
    /// Without a deadline.
    pub(crate) const fn direct(database: Arc<dyn Database>) -> Self {
        Self { database, deadline: None }
    }

    pub(crate) async fn answer<T>(&self, asked: Asked<'_, T>) -> Result<T, StoreError> {
        let answer = match self.deadline {
            Some(deadline) => timeout_at(deadline, asked).await.map_err(|_| late())?,
            None => asked.await,
        };
        Ok(answer?)
    }
}

fn late() -> StoreError {
    StoreError::Unavailable("no answer in time".to_owned())
}

/// The writer.
struct Task {
    backend: Arc<dyn Backend>,
    jobs: mpsc::Receiver<Job>,
    health: watch::Sender<Health>,
    batch: usize,
    retry: Duration,
    sweep: Sweep,
    /// The database has nearly all that it may take, as far as is known.
    is_making_room: bool,
    /// History is deleted to make room.
    forgets: Warning,
    /// What has to wait is refused.
    refuses: Warning,
    trouble: Trouble,
}

/// Why a database is not served any more.
enum End {
    Dead(String),
    /// All handles are gone.
    Closed,
}

/// All handles are gone.
struct Closed;

impl Task {
    /// A panic, of a driver for one, ends what is under way and not the store.
    async fn keep_running(mut self) {
        while AssertUnwindSafe(self.run()).catch_unwind().await.is_err() {
            let reason = "the writer panicked";
            self.trouble.failed(reason);
            self.health.send_replace(Health::Down(reason.to_owned()));
            let next = Instant::now() + self.retry;
            if let Err(Closed) = self.refuse_until(next, reason).await {
                return;
            }
        }
    }

    async fn run(&mut self) {
        loop {
            let opened_at = Instant::now();
            // Only the first try keeps writes waiting. A backend has its own deadlines.
            let opened = self.backend.open().await;
            let reason = match opened {
                Ok(database) => {
                    tracing::info!("the message store is open");
                    self.trouble.is_over();
                    self.health.send_replace(Health::Up(database.clone()));
                    match self.serve(&*database).await {
                        End::Closed => {
                            self.close(&*database).await;
                            return;
                        }
                        End::Dead(reason) => {
                            self.health.send_replace(Health::Down(reason.clone()));
                            // Before another is opened, as SQLite deletes its log by name.
                            self.close(&*database).await;
                            reason
                        }
                    }
                }
                Err(failure) => failure.to_string(),
            };
            self.trouble.failed(&reason);
            self.health.send_replace(Health::Down(reason.clone()));
            let next = opened_at + self.retry;
            if let Err(Closed) = self.refuse_until(next, &reason).await {
                return;
            }
        }
    }

    async fn serve(&mut self, database: &dyn Database) -> End {
        let mut look = interval(self.retry);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut jobs = Vec::new();
        loop {
            let done = tokio::select! {
                count = self.jobs.recv_many(&mut jobs, self.batch) => {
                    if count == 0 {
                        return End::Closed;
                    }
                    self.commit(database, &mut jobs).await
                }
                () = until(self.sweep.due()) => self.sweep(database).await,
                () = ready(()), if self.is_making_room => self.make_room(database, 0).await.map(drop),
                _ = look.tick() => {
                    self.is_making_room = true;
                    database.check().await
                }
            };
            match done {
                Ok(()) => {}
                Err(Failure::Passing(reason) | Failure::Full(reason)) => self.trouble.failed(&reason),
                Err(Failure::Dead(reason)) => return End::Dead(reason),
            }
        }
    }

    async fn commit(&mut self, database: &dyn Database, jobs: &mut Vec<Job>) -> Result<(), Failure> {
        let begin = Instant::now();
        let (batch, askers): (Vec<_>, Vec<_>) =
            jobs.drain(..).map(|job| (job.write, (job.asker, job.room))).unzip();
        let mut written = database.write(&batch).await;
        if matches!(written, Err(Failure::Full(_))) && self.make_room_for(database, &batch).await {
            written = database.write(&batch).await;
        }
        tracing::debug!(
            writes = batch.len(),
            waiting = self.jobs.len(),
            micros = begin.elapsed().as_micros(),
            is_committed = written.is_ok(),
            "a batch of the message store"
        );
        // An asker that is gone has its write done all the same.
        match written {
            Ok(written) => {
                if written.contains(&Written::NoRoom) && self.refuses.is_due() {
                    tracing::warn!(
                        "half of max_size waits in the message store: no more is taken that has to wait"
                    );
                }
                for ((asker, _), written) in askers.into_iter().zip(written) {
                    let _ = asker.send(Ok(written));
                }
                self.trouble.went();
                Ok(())
            }
            Err(failure) => {
                for (asker, _) in askers {
                    let _ = asker.send(Err(failure.clone().into()));
                }
                Err(failure)
            }
        }
    }

    /// Deletes what is too old, a part of it.
    async fn sweep(&mut self, database: &dyn Database) -> Result<(), Failure> {
        let Some(oldest) = self.sweep.oldest() else { return Ok(()) };
        let forgotten = database.forget(oldest, CHUNK).await;
        if !matches!(forgotten, Ok(count) if count == CHUNK as u64) {
            self.sweep.rest();
        }
        let count = forgotten?;
        if count > 0 {
            tracing::info!(count, "old messages were deleted");
        }
        Ok(())
    }

    /// Makes room for a batch that found none, as far as there is history that can go. Whether it is worth another try.
    async fn make_room_for(&mut self, database: &dyn Database, batch: &[Write]) -> bool {
        let bytes = batch.iter().map(Write::size).sum::<usize>() as u64;
        let begin = Instant::now();
        let mut is_made = false;
        while begin.elapsed() < MAKING_ROOM && matches!(self.make_room(database, bytes).await, Ok(1..)) {
            is_made = true;
        }
        is_made
    }

    /// Deletes some of the oldest history, if the database has nearly all that it may take or would have it with so many bytes more.
    async fn make_room(&mut self, database: &dyn Database, bytes: u64) -> Result<u64, Failure> {
        let forgotten = database.make_room(bytes, CHUNK).await;
        self.is_making_room = matches!(forgotten, Ok(1..));
        let count = forgotten?;
        if count > 0 {
            tracing::debug!(count, "messages were deleted to make room");
            if self.forgets.is_due() {
                tracing::warn!(
                    "the message store has nearly max_size: the oldest messages that wait for nobody are deleted"
                );
            }
        }
        Ok(count)
    }

    /// Answers what comes until then, and what waits.
    async fn refuse_until(&mut self, then: Instant, reason: &str) -> Result<(), Closed> {
        loop {
            tokio::select! {
                () = sleep_until(then) => return Ok(()),
                job = self.jobs.recv() => {
                    let job = job.ok_or(Closed)?;
                    let _ = job.asker.send(Err(StoreError::Unavailable(reason.to_owned())));
                }
            }
        }
    }

    async fn close(&self, database: &dyn Database) {
        if let Err(error) = database.close().await {
            tracing::warn!("the message store did not close: {error}");
        }
    }
}

/// Then; never if there is no such time.
async fn until(then: Option<Instant>) {
    match then {
        Some(then) => sleep_until(then).await,
        None => pending().await,
    }
}
