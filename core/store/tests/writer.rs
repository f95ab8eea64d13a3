//! The writer and its queue, before a database that does what the test says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use common::{message, newest};
use rtcd_store::{
    Asked, Backend, Conversation, ConversationSummary, Database, Failure, Memory, NewMessage, Page, Settings,
    Store, StoreError, StoredMessage, Write, Written,
};
use tokio::sync::{Notify, Semaphore};

const ALICE: &str = "alice@t.com";
const BOB: &str = "bob@t.com";

/// A database in memory that commits when it is let.
#[derive(Debug)]
struct Gate {
    memory: Memory,
    /// One permit for each write.
    commits: Semaphore,
    /// A write has begun.
    begun: Notify,
    batches: Mutex<Vec<usize>>,
    /// What the next writes come to, if not to a commit.
    failures: Mutex<Vec<Failure>>,
    /// Is there a database to open?
    opens: Mutex<Vec<Result<(), Failure>>>,
    opened: AtomicUsize,
    closed: AtomicUsize,
    /// The next write panics.
    panics: AtomicBool,
    swept: Notify,
    /// What making room comes to.
    rooms: Mutex<Vec<u64>>,
    /// For how many bytes it was to be made.
    asked_for: Mutex<Vec<u64>>,
}

#[derive(Debug, Clone)]
struct Shared(Arc<Gate>);

impl Gate {
    fn new(commits: usize) -> Arc<Self> {
        Arc::new(Self {
            memory: Memory::default(),
            commits: Semaphore::new(commits),
            begun: Notify::new(),
            batches: Mutex::default(),
            failures: Mutex::default(),
            opens: Mutex::default(),
            opened: AtomicUsize::new(0),
            closed: AtomicUsize::new(0),
            panics: AtomicBool::new(false),
            swept: Notify::new(),
            rooms: Mutex::default(),
            asked_for: Mutex::default(),
        })
    }

    fn store(self: &Arc<Self>, settings: &Settings) -> Store {
        Store::with_backend(Arc::new(Shared(self.clone())), settings)
    }

    fn let_commit(&self, count: usize) {
        self.commits.add_permits(count);
    }
}

impl Backend for Shared {
    fn open(&self) -> Asked<'_, Arc<dyn Database>> {
        Box::pin(async {
            self.0.opened.fetch_add(1, Ordering::SeqCst);
            if let Some(failed) = self.0.opens.lock().unwrap().pop() {
                failed?;
            }
            let database: Arc<dyn Database> = Arc::new(self.clone());
            Ok(database)
        })
    }
}

impl Database for Shared {
    fn write<'a>(&'a self, batch: &'a [Write]) -> Asked<'a, Vec<Written>> {
        Box::pin(async {
            self.0.batches.lock().unwrap().push(batch.len());
            self.0.begun.notify_one();
            self.0.commits.acquire().await.unwrap().forget();
            assert!(!self.0.panics.swap(false, Ordering::SeqCst), "as the test wants it");
            let failure = self.0.failures.lock().unwrap().pop();
            match failure {
                Some(failure) => Err(failure),
                None => self.0.memory.write(batch).await,
            }
        })
    }

    fn forget(&self, date: u64, limit: usize) -> Asked<'_, u64> {
        self.0.swept.notify_one();
        self.0.memory.forget(date, limit)
    }

    fn make_room(&self, bytes: u64, limit: usize) -> Asked<'_, u64> {
        assert!(limit > 0);
        self.0.asked_for.lock().unwrap().push(bytes);
        let made = self.0.rooms.lock().unwrap().pop().unwrap_or_default();
        Box::pin(async move { Ok(made) })
    }

    fn check(&self) -> Asked<'_, ()> {
        self.0.memory.check()
    }

    fn close(&self) -> Asked<'_, ()> {
        self.0.closed.fetch_add(1, Ordering::SeqCst);
        self.0.memory.close()
    }

    fn pending<'a>(&'a self, receiver: &'a str, after: u64, limit: usize) -> Asked<'a, Vec<StoredMessage>> {
        self.0.memory.pending(receiver, after, limit)
    }

    fn pending_counts<'a>(&'a self, receiver: &'a str) -> Asked<'a, BTreeMap<String, u64>> {
        self.0.memory.pending_counts(receiver)
    }

    fn history<'a>(&'a self, conversation: &'a Conversation, page: Page) -> Asked<'a, Vec<StoredMessage>> {
        self.0.memory.history(conversation, page)
    }

    fn conversations<'a>(
        &'a self,
        user: &'a str,
        before: Option<u64>,
        limit: usize,
    ) -> Asked<'a, Vec<ConversationSummary>> {
        self.0.memory.conversations(user, before, limit)
    }
}

fn settings(yaml: &str) -> Settings {
    serde_yaml::from_str(yaml).unwrap()
}

fn numbered(n: usize) -> NewMessage {
    message(&format!("m{n}"), ALICE, BOB)
}

#[tokio::test(start_paused = true)]
async fn an_answer_comes_after_the_commit_and_what_waits_meanwhile_is_one_batch() {
    let gate = Gate::new(0);
    let store = gate.store(&settings("batch: 3"));
    let first = tokio::spawn(store.append(numbered(0)));
    gate.begun.notified().await;
    let waiting: Vec<_> = (1..6).map(|n| tokio::spawn(store.append(numbered(n)))).collect();
    assert!(!first.is_finished());
    gate.let_commit(1);
    assert_eq!(first.await.unwrap().unwrap().seq, 1);
    gate.begun.notified().await;
    assert!(waiting.iter().all(|answer| !answer.is_finished()));
    gate.let_commit(2);
    for (index, answer) in waiting.into_iter().enumerate() {
        assert_eq!(answer.await.unwrap().unwrap().seq, index as u64 + 2);
    }
    assert_eq!(*gate.batches.lock().unwrap(), [1, 3, 2]);
}

#[tokio::test(start_paused = true)]
async fn more_than_the_queue_takes_is_busy_at_once_and_nothing_else_is_lost() {
    let gate = Gate::new(0);
    let store = gate.store(&settings("queue: 2"));
    let mut answers = vec![tokio::spawn(store.append(numbered(0)))];
    gate.begun.notified().await;
    answers.extend((1..3).map(|n| tokio::spawn(store.append(numbered(n)))));
    assert_eq!(store.append(numbered(3)).await, Err(StoreError::Busy));
    assert_eq!(store.mark_delivered(BOB, vec![numbered(0).name()]).await, Err(StoreError::Busy));
    assert_eq!(store.mark_read(BOB, ALICE, vec![]).await, Err(StoreError::Busy));
    // Who reads does not wait behind who writes.
    assert_eq!(store.pending_count(BOB).await, Ok(0));
    gate.let_commit(10);
    for answer in answers {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(store.append(numbered(3)).await.unwrap().seq, 4);
}

#[tokio::test(start_paused = true)]
async fn what_waits_and_what_is_under_way_holds_no_more_bytes_than_it_may() {
    let gate = Gate::new(0);
    let store = gate.store(&settings("queue_bytes: 10000"));
    let large = |n| NewMessage { body: "x".repeat(4000), ..numbered(n) };
    let answers: Vec<_> = (0..2).map(|n| tokio::spawn(store.append(large(n)))).collect();
    gate.begun.notified().await;
    assert_eq!(store.append(large(2)).await, Err(StoreError::Busy));
    gate.let_commit(10);
    for answer in answers {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(store.append(large(2)).await.unwrap().seq, 3);
    // It would never fit.
    let huge = NewMessage { body: "x".repeat(10_001), ..numbered(3) };
    assert_eq!(store.append(huge).await, Err(StoreError::Busy));
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_future_is_dropped_is_carried_out_in_its_turn() {
    let gate = Gate::new(10);
    let store = gate.store(&Settings::default());
    drop(store.append(numbered(0)));
    drop(store.mark_delivered(BOB, vec![numbered(0).name()]));
    assert_eq!(store.append(numbered(1)).await.unwrap().seq, 2);
    let history = store.history(&Conversation::between(ALICE, BOB), newest(9)).await.unwrap();
    assert_eq!(history.len(), 2);
    assert_eq!(store.pending_count(BOB).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_waits_for_is_written_before_it_is_finished() {
    let gate = Gate::new(0);
    let store = gate.store(&Settings::default());
    for n in 0..3 {
        drop(store.append(numbered(n)));
    }
    let last = store.clone();
    let finished = tokio::spawn(async move { last.finish().await });
    gate.begun.notified().await;
    assert!(!finished.is_finished());
    assert_eq!(store.append(numbered(3)).await, Err(StoreError::Busy));
    gate.let_commit(10);
    finished.await.unwrap();
    assert_eq!(store.pending_count(BOB).await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn a_database_that_hangs_keeps_nobody_waiting_for_longer_than_timeout() {
    let gate = Gate::new(0);
    let store = gate.store(&settings("timeout: 3s"));
    let begin = tokio::time::Instant::now();
    let answer = store.append(numbered(0)).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    assert_eq!(begin.elapsed().as_secs(), 3);
    gate.let_commit(2);
    // The repeat finds what was kept in the end.
    assert!(store.append(numbered(0)).await.unwrap().is_repeat);
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_fails_its_batch_alone_and_the_database_stays_open() {
    let gate = Gate::new(10);
    gate.failures.lock().unwrap().push(Failure::Passing("full".to_owned()));
    let store = gate.store(&Settings::default());
    assert_eq!(store.append(numbered(0)).await, Err(StoreError::Unavailable("full".to_owned())));
    assert!(!store.append(numbered(0)).await.unwrap().is_repeat);
    assert_eq!(gate.opened.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dead_database_is_closed_and_opened_again_after_a_while() {
    let gate = Gate::new(10);
    gate.failures.lock().unwrap().push(Failure::Dead("gone".to_owned()));
    gate.opens.lock().unwrap().extend([Err(Failure::Dead("still gone".to_owned())), Ok(())]);
    let store = gate.store(&settings("retry: 2s"));
    assert_eq!(store.append(numbered(0)).await, Err(StoreError::Unavailable("gone".to_owned())));
    assert_eq!(store.append(numbered(0)).await, Err(StoreError::Unavailable("gone".to_owned())));
    assert_eq!(store.pending_count(BOB).await, Err(StoreError::Unavailable("gone".to_owned())));
    assert_eq!(gate.closed.load(Ordering::SeqCst), 1);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(store.append(numbered(0)).await, Err(StoreError::Unavailable("still gone".to_owned())));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!store.append(numbered(0)).await.unwrap().is_repeat);
    assert_eq!(store.pending_count(BOB).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_database_is_not_the_end_of_the_store() {
    let gate = Gate::new(10);
    gate.panics.store(true, Ordering::SeqCst);
    let store = gate.store(&settings("retry: 2s"));
    let begin = tokio::time::Instant::now();
    for _ in 0..2 {
        let answer = store.append(numbered(0)).await;
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    }
    assert_eq!(begin.elapsed().as_secs(), 0);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!store.append(numbered(0)).await.unwrap().is_repeat);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_finds_no_room_has_it_made_as_far_as_that_goes() {
    let gate = Gate::new(10);
    let full = || Failure::Full("full".to_owned());
    let store = gate.store(&Settings::default());
    // The first look has been.
    tokio::time::sleep(Duration::from_millis(1)).await;
    gate.failures.lock().unwrap().push(full());
    // One chunk, another one, and it is enough.
    gate.rooms.lock().unwrap().extend([0, 500, 500]);
    let large = NewMessage { body: "x".repeat(4000), ..numbered(0) };
    assert!(!store.append(large).await.unwrap().is_repeat);
    assert_eq!(gate.batches.lock().unwrap().len(), 2);
    let asked = gate.asked_for.lock().unwrap().clone();
    let for_batch = asked.iter().filter(|bytes| (4000..5000).contains(*bytes)).count();
    assert_eq!(for_batch, 3, "{asked:?}");

    // Nothing can go.
    gate.failures.lock().unwrap().push(full());
    assert_eq!(store.append(numbered(1)).await, Err(StoreError::Unavailable("full".to_owned())));
    assert_eq!(gate.batches.lock().unwrap().len(), 3);
    // It was not enough: that is all.
    gate.failures.lock().unwrap().extend([full(), full()]);
    gate.rooms.lock().unwrap().extend([0, 500]);
    assert_eq!(store.append(numbered(1)).await, Err(StoreError::Unavailable("full".to_owned())));
    assert_eq!((gate.batches.lock().unwrap().len(), gate.opened.load(Ordering::SeqCst)), (5, 1));
}

#[tokio::test(start_paused = true)]
async fn room_is_made_beside_the_writes_before_it_is_needed() {
    let gate = Gate::new(10);
    let store = gate.store(&settings("retry: 2s"));
    gate.rooms.lock().unwrap().extend([0, 1, 500, 500]);
    store.append(numbered(0)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(gate.rooms.lock().unwrap().is_empty(), "until none is left to make");
    assert!(gate.asked_for.lock().unwrap().iter().all(|bytes| *bytes == 0));
    let looks = gate.asked_for.lock().unwrap().len();
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(gate.asked_for.lock().unwrap().len(), looks + 10);
}

/// Of 2026, and as much later as time goes on, and as it is set.
#[derive(Debug, Clone)]
struct Clock {
    begin: tokio::time::Instant,
    set: Arc<Mutex<Duration>>,
}

impl Clock {
    const BEGIN: Duration = Duration::from_secs(1_767_225_600);

    fn new(ahead: Duration) -> Self {
        Self { begin: tokio::time::Instant::now(), set: Arc::new(Mutex::new(ahead)) }
    }

    fn is_set(&self, ahead: Duration) {
        *self.set.lock().unwrap() = ahead;
    }

    fn store(&self, gate: &Arc<Gate>, settings: &Settings) -> Store {
        let clock = self.clone();
        Store::with_clock(Arc::new(Shared(gate.clone())), settings, move || {
            SystemTime::UNIX_EPOCH + Self::BEGIN + clock.begin.elapsed() + *clock.set.lock().unwrap()
        })
    }
}

/// A message of so long before 2026.
fn dated(n: usize, age: Duration) -> NewMessage {
    let date = u64::try_from((Clock::BEGIN - age).as_millis()).unwrap();
    NewMessage { date, ..numbered(n) }
}

const DAY: Duration = Duration::from_hours(24);

#[tokio::test(start_paused = true)]
async fn old_messages_are_deleted_from_time_to_time() {
    let gate = Gate::new(10);
    let store = Clock::new(Duration::ZERO).store(&gate, &settings("retention: 30d"));
    // More than what is deleted at once; the writes go on meanwhile.
    let answers: Vec<_> = (0..1200).map(|n| store.append(dated(n, 31 * DAY))).collect();
    for answer in answers {
        answer.await.unwrap();
    }
    store.append(dated(1200, 29 * DAY)).await.unwrap();
    for _ in 0..3 {
        gate.swept.notified().await;
    }
    assert_eq!(store.pending_count(BOB).await, Ok(1));

    let gate = Gate::new(10);
    let store = Clock::new(Duration::ZERO).store(&gate, &settings("retention: 0s"));
    store.append(dated(0, 31 * DAY)).await.unwrap();
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(store.pending_count(BOB).await, Ok(1));
}

/// It is 40 days ahead when the server starts, and then put right: what was acknowledged yesterday is still there.
#[tokio::test(start_paused = true)]
async fn a_clock_that_is_wrong_at_start_deletes_nothing() {
    let gate = Gate::new(10);
    let clock = Clock::new(40 * DAY);
    let store = clock.store(&gate, &settings("retention: 30d"));
    store.append(dated(0, DAY)).await.unwrap();
    store.append(dated(1, 31 * DAY)).await.unwrap();
    tokio::time::sleep(Duration::from_mins(9)).await;
    clock.is_set(Duration::ZERO);
    tokio::time::sleep(Duration::from_mins(10)).await;
    // This look sees that the clock was set, and the next one that it goes on.
    assert_eq!(store.pending_count(BOB).await, Ok(2));
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert_eq!(store.pending_count(BOB).await, Ok(1));
    // Nor does one that jumps later, and back.
    clock.is_set(40 * DAY);
    tokio::time::sleep(Duration::from_mins(10)).await;
    clock.is_set(Duration::ZERO);
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!(store.pending_count(BOB).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn when_the_last_handle_is_gone_what_is_queued_is_written_and_the_database_closed() {
    let gate = Gate::new(10);
    let store = gate.store(&Settings::default());
    (0..10).for_each(|n| drop(store.append(numbered(n))));
    drop(store.clone());
    drop(store);
    while gate.closed.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(gate.memory.pending_counts(BOB).await.unwrap()[ALICE], 10);
}

#[test]
fn the_settings_file_holds_the_defaults() {
    let file = settings(include_str!("../../../conf/store.yaml"));
    assert_eq!(format!("{file:?}"), format!("{:?}", Settings::default()));
    for wrong in ["queue: 0", "batch: 0", "readers: 0", "queue_bytes: 0", "retention: 3", "fil: x"] {
        assert!(serde_yaml::from_str::<Settings>(wrong).is_err(), "{wrong}");
    }
}
