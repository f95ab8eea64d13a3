//! The one task that writes: it takes what waits, commits it together, and answers.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout_at};

use crate::backend::{Asked, Backend, Database, Write, Written};
use crate::{Failure, Settings, StoreError};

/// Old messages are looked for so often.
const SWEEP: Duration = Duration::from_mins(10);

/// So many of them are deleted at once, so that what is to be written does not wait for long.
const SWEEP_LIMIT: usize = 500;

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
    pub(crate) fn start(backend: Arc<dyn Backend>, settings: &Settings) -> Self {
        let (queue, jobs) = mpsc::channel(settings.queue.get().min(Semaphore::MAX_PERMITS));
        let (health, seen) = watch::channel(Health::Opening);
        let task = Task {
            backend,
            jobs,
            health,
            batch: settings.batch.get(),
            retry: settings.retry.clamp(Duration::from_millis(1), LONGEST),
            retention: settings.retention,
            is_in_trouble: false,
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
            Err(error) => return Box::pin(std::future::ready(Err(error))),
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
    retention: Duration,
    /// The last thing it tried failed: the log has it, and need not have it again.
    is_in_trouble: bool,
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
            self.trouble(reason);
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
                    self.is_in_trouble = false;
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
            self.trouble(&reason);
            self.health.send_replace(Health::Down(reason.clone()));
            let next = opened_at + self.retry;
            if let Err(Closed) = self.refuse_until(next, &reason).await {
                return;
            }
        }
    }

    async fn serve(&mut self, database: &dyn Database) -> End {
        let mut sweep = Instant::now();
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
                () = sleep_until(sweep), if !self.retention.is_zero() => {
                    let swept = self.sweep(database).await;
                    let is_more = swept.as_ref().is_ok_and(|count| *count == SWEEP_LIMIT as u64);
                    sweep = if is_more { Instant::now() } else { Instant::now() + SWEEP };
                    swept.map(drop)
                }
                _ = look.tick() => database.check().await,
            };
            match done {
                Ok(()) => {}
                Err(Failure::Passing(reason)) => self.trouble(&reason),
                Err(Failure::Dead(reason)) => return End::Dead(reason),
            }
        }
    }

    async fn commit(&mut self, database: &dyn Database, jobs: &mut Vec<Job>) -> Result<(), Failure> {
        let begin = Instant::now();
        let (batch, askers): (Vec<_>, Vec<_>) =
            jobs.drain(..).map(|job| (job.write, (job.asker, job.room))).unzip();
        let written = database.write(&batch).await;
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
                for ((asker, _), written) in askers.into_iter().zip(written) {
                    let _ = asker.send(Ok(written));
                }
                self.recovered();
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
    async fn sweep(&self, database: &dyn Database) -> Result<u64, Failure> {
        let oldest = now().saturating_sub(self.retention);
        let oldest = u64::try_from(oldest.as_millis()).unwrap_or(u64::MAX);
        let count = database.forget(oldest, SWEEP_LIMIT).await?;
        if count > 0 {
            tracing::info!(count, "old messages were deleted");
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

    fn trouble(&mut self, reason: &str) {
        if !self.is_in_trouble {
            tracing::error!("the message store cannot: {reason}");
        }
        self.is_in_trouble = true;
    }

    fn recovered(&mut self) {
        if self.is_in_trouble {
            tracing::info!("the message store can again");
        }
        self.is_in_trouble = false;
    }
}

/// The time since 1970.
#[expect(clippy::disallowed_methods, reason = "old is what was dated long ago, by the server's clock")]
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
