use std::any::{Any, TypeId};
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant, SystemTime};

use jsip::{CSeq, DialogId};

use crate::host::{Beside, Hosted, LastWork, PeerListener, RawMailbox, Settings, Shared, World};
use crate::{Busy, Token};

/// The server's part: a clock that stands still, and ids that count.
pub(super) struct TestWorld {
    begin: Instant,
    past: Mutex<Duration>,
    dialogs: AtomicU64,
    cseqs: AtomicU64,
    tokens: AtomicU64,
    related: AtomicU64,
    ids: AtomicU64,
    shared: Mutex<HashMap<TypeId, Shared>>,
    pub(super) peer_listeners: Mutex<Vec<PeerListener>>,
    pub(super) mailbox_limit: Arc<AtomicUsize>,
    pub(super) spawned: Mutex<Vec<Spawned>>,
    pub(super) runs: Mutex<Vec<Run>>,
    pub(super) service: OnceLock<(TypeId, Arc<dyn Any + Send + Sync>)>,
}

/// A service task that the plugin has started, and its mailbox.
pub(super) struct Spawned {
    pub(super) hosted: Box<dyn Hosted>,
    pub(super) inbox: Inbox,
}

/// A future beside the tasks.
pub(super) struct Run {
    future: Beside,
    woken: Arc<Woken>,
    waker: Waker,
}

impl Run {
    fn new(future: Beside) -> Self {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        waker.wake_by_ref(); // it has not begun
        Self { future, woken, waker }
    }

    /// Goes on with it if it wants to; whether it did, and whether it is over.
    pub(super) fn turn(&mut self) -> (bool, bool) {
        let goes_on = self.woken.take();
        let is_over = goes_on && self.future.as_mut().poll(&mut Context::from_waker(&self.waker)).is_ready();
        (goes_on, is_over)
    }
}

pub(super) type Inbox = Arc<Mutex<VecDeque<Box<dyn Any + Send>>>>;

impl TestWorld {
    pub(super) fn new() -> Arc<Self> {
        #[expect(clippy::disallowed_methods, reason = "where the harness's own clock begins does not matter")]
        let begin = Instant::now();
        Arc::new(Self {
            begin,
            past: Mutex::new(Duration::ZERO),
            dialogs: AtomicU64::new(1),
            cseqs: AtomicU64::new(1001),
            tokens: AtomicU64::new(1),
            related: AtomicU64::new(1),
            ids: AtomicU64::new(1),
            shared: Mutex::default(),
            peer_listeners: Mutex::default(),
            mailbox_limit: Arc::new(AtomicUsize::new(usize::MAX)),
            spawned: Mutex::new(Vec::new()),
            runs: Mutex::new(Vec::new()),
            service: OnceLock::new(),
        })
    }

    pub(super) fn set_now(&self, now: Instant) {
        *lock(&self.past) = now.saturating_duration_since(self.begin);
    }
}

impl World for TestWorld {
    fn realm(&self) -> &str {
        "test.local"
    }

    fn now(&self) -> Instant {
        self.begin + *lock(&self.past)
    }

    #[expect(clippy::expect_used, reason = "the text is not empty")]
    fn dialog_id(&self) -> DialogId {
        DialogId::new(format!("dlg_{}", self.dialogs.fetch_add(1, Ordering::Relaxed))).expect("an id")
    }

    /// The harness begins with the year 2026.
    fn date(&self) -> SystemTime {
        const BEGIN: Duration = Duration::from_secs(1_767_225_600);
        SystemTime::UNIX_EPOCH + BEGIN + *lock(&self.past)
    }

    fn unique_id(&self) -> String {
        format!("id_{}", self.ids.fetch_add(1, Ordering::Relaxed))
    }

    fn shared(&self, value: TypeId, make: fn() -> Shared) -> Shared {
        lock(&self.shared).entry(value).or_insert_with(make).clone()
    }

    fn state_dir(&self) -> Option<PathBuf> {
        None
    }

    fn max_message_size(&self) -> usize {
        64 * 1024
    }

    fn settings(&self, name: &str) -> Settings {
        Settings { file: format!("conf/{name}.yaml"), text: Ok(String::new()) }
    }

    fn related_id(&self) -> String {
        format!("rel_{}", self.related.fetch_add(1, Ordering::Relaxed))
    }

    #[expect(clippy::expect_used, reason = "nobody counts to 2^53")]
    fn cseq(&self) -> CSeq {
        CSeq::new(self.cseqs.fetch_add(1, Ordering::Relaxed)).expect("a CSeq")
    }

    fn token(&self, _: &str) -> Token {
        let text = format!("tok_{}", self.tokens.fetch_add(1, Ordering::Relaxed));
        Token { text, lifetime: Duration::from_secs(600) }
    }

    fn http(&self) -> reqwest::Client {
        let client =
            reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
        client.unwrap_or_default()
    }

    fn spawn(&self, _: &'static str, hosted: Box<dyn Hosted>) -> RawMailbox {
        let inbox = Inbox::default();
        lock(&self.spawned).push(Spawned { hosted, inbox: inbox.clone() });
        let limit = self.mailbox_limit.clone();
        Arc::new(move |mail| {
            let mut inbox = lock(&inbox);
            if inbox.len() >= limit.load(Ordering::Relaxed) {
                return Err(Busy);
            }
            inbox.push_back(mail);
            Ok(())
        })
    }

    fn run(&self, future: Beside) {
        lock(&self.runs).push(Run::new(future));
    }

    fn on_peer_gone(&self, listener: PeerListener) {
        lock(&self.peer_listeners).push(listener);
    }

    fn at_stop(&self, _: LastWork) {}

    fn service(&self, context: TypeId) -> Option<Arc<dyn Any + Send + Sync>> {
        self.service.get().filter(|(known, _)| *known == context).map(|(_, service)| service.clone())
    }
}

pub(super) fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a waiting future wants to be polled.
#[derive(Default)]
pub(super) struct Woken(AtomicBool);

impl Woken {
    pub(super) fn take(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}
