//! What all actors of this server share.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Instant, SystemTime};

use arc_swap::{ArcSwap, Guard};
use jsip::{CSeq, DialogId, Request, StackConfig, Uri};
use rtcd_sdk::host::{Beside, Hosted, LastWork, PeerListener, RawMailbox, Shared, World};
use rtcd_sdk::{Busy, Peer, Token};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::actor::{Actor, Address, Hop, HostLimits, Mail, Name, Room, Undelivered};
use crate::config::{ServiceSettings, Settings, Source};
use crate::directory::{Added, Directory};
use crate::front::Visitors;
use crate::gauges::Gauges;
use crate::metrics::{Events, Tally};
use crate::overload::Overload;
use crate::related::RelatedIds;
use crate::routes::RouteTable;
use crate::rtc::Attachment;
use crate::services::Services;
use crate::spawn::Spawned;
use crate::tokens::Tokens;

/// When who is refused because the server goes down may try again, in seconds.
pub(crate) const RETRY_AFTER: u64 = 5;

/// This server.
pub(crate) struct Node {
    me: Weak<Self>,
    live: ArcSwap<Live>,
    pub(crate) realm: String,
    /// The server goes down: nothing new is let in.
    draining: AtomicBool,
    pub(crate) directory: Directory,
    pub(crate) related: RelatedIds,
    pub(crate) gauges: Gauges,
    pub(crate) visitors: Visitors,
    pub(crate) overload: Overload,
    pub(crate) tally: Tally,
    pub(crate) events: Events,
    pub(crate) spawned: Spawned,
    pub(crate) tokens: Tokens,
    pub(crate) started: SystemTime,
    connections: AtomicU64,
    routes: OnceLock<ArcSwap<RouteTable>>,
    services: OnceLock<Services>,
    http: OnceLock<reqwest::Client>,
    service_tasks: AtomicU32,
    /// What plugins share, by type.
    shared: Mutex<HashMap<TypeId, Shared>>,
    state_dir: OnceLock<PathBuf>,
    /// Are told of peers that are gone.
    peer_listeners: Mutex<Vec<PeerListener>>,
    /// What plugins finish when it stops.
    last: Mutex<Vec<LastWork>>,
}

/// Settings in force, and what follows from them.
pub(crate) struct Live {
    pub(crate) settings: Settings,
    stack: Arc<StackConfig>,
    hop_stack: Arc<StackConfig>,
    pub(crate) host: HostLimits,
}

impl Live {
    fn new(settings: Settings) -> Self {
        Self {
            stack: Arc::new(stack_config(&settings, false)),
            hop_stack: Arc::new(stack_config(&settings, true)),
            host: HostLimits {
                handler_timeout: settings.limits.handler_timeout,
                away_queue: settings.limits.away_queue,
                service_queue: settings.limits.service_mailbox,
            },
            settings,
        }
    }

    pub(crate) fn stack_of(&self, name: &Name) -> Arc<StackConfig> {
        match name {
            Name::Hop(_) => self.hop_stack.clone(),
            Name::User(_) | Name::Service(..) => self.stack.clone(),
        }
    }
}

impl Node {
    pub(crate) fn new(settings: Settings, source: Arc<dyn Source>) -> Arc<Self> {
        #[expect(clippy::disallowed_methods, reason = "shown to people; no decision depends on it")]
        let started = SystemTime::now();
        let node = Arc::new_cyclic(|me| Self {
            me: me.clone(),
            realm: match settings.jsip.realm.as_str() {
                "" => format!("rtcd-{:08x}", rand::random::<u32>()),
                realm => realm.to_owned(),
            },
            live: ArcSwap::from_pointee(Live::new(settings)),
            draining: AtomicBool::new(false),
            directory: Directory::new(),
            related: RelatedIds::new(),
            gauges: Gauges::default(),
            visitors: Visitors::new(),
            overload: Overload::new(),
            tally: Tally::new(),
            events: Events::default(),
            spawned: Spawned::default(),
            tokens: Tokens::new(tokio::time::Instant::now()),
            started,
            connections: AtomicU64::new(0),
            routes: OnceLock::new(),
            services: OnceLock::new(),
            http: OnceLock::new(),
            service_tasks: AtomicU32::new(1),
            shared: Mutex::default(),
            state_dir: OnceLock::new(),
            peer_listeners: Mutex::default(),
            last: Mutex::default(),
        });
        let services = Services::new(source, node.clone());
        // Set once, here.
        let _ = node.services.set(services);
        node
    }

    /// The services that are loaded.
    #[expect(clippy::expect_used, reason = "`new` sets it before it gives the node away")]
    pub(crate) fn services(&self) -> &Services {
        self.services.get().expect("set in new")
    }

    /// The routing table in force.
    #[expect(clippy::expect_used, reason = "the server sets a table before it binds a port")]
    pub(crate) fn routes(&self) -> &ArcSwap<RouteTable> {
        self.routes.get().expect("set before the first port is bound")
    }

    /// Puts the first table in force.
    pub(crate) fn start_routes(&self, table: RouteTable) {
        let _ = self.routes.set(ArcSwap::from_pointee(table));
    }

    /// Plugins may keep state here. To be said before the first one is loaded.
    pub(crate) fn keep_state(&self, folder: &Path) {
        let _ = self.state_dir.set(folder.to_owned());
    }

    /// The settings in force.
    pub(crate) fn live(&self) -> Guard<Arc<Live>> {
        self.live.load()
    }

    /// Puts other settings in force. Each actor follows at its next turn; timers that run keep their time.
    pub(crate) fn set_settings(&self, settings: Settings) {
        self.live.store(Arc::new(Live::new(settings)));
    }

    /// Whether nothing new is let in.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Relaxed)
    }

    /// Lets nothing new in from here on: new dialogs get 503.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Relaxed);
    }

    /// The number of a new connection, from 1.
    pub(crate) fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Relaxed) + 1
    }

    /// A peer's socket is about to come: from here on it is a peer that is away, until `away_grace` is over.
    pub(crate) fn expect(self: &Arc<Self>, peer: &Peer) {
        self.actor(&Name::User(peer.clone()));
    }

    /// Hands a new socket to its peer, which is made if it is not there.
    pub(crate) fn attach(self: &Arc<Self>, peer: &Peer, attachment: Attachment) {
        let name = Name::User(peer.clone());
        let mut mail = Mail::Attach(Box::new(attachment));
        // An actor that has just ended has taken its name out before it refuses mail, so the second try makes a new one.
        for _ in 0..8 {
            match self.actor(&name).send(mail) {
                Ok(()) => return,
                Err(Undelivered::Gone(back) | Undelivered::Full(back)) => mail = back,
            }
        }
    }

    /// Where the first request of a dialog goes: a user who is here, or else a hop that may be dialled.
    pub(crate) fn peer_for(self: &Arc<Self>, request: &Request) -> Option<Address> {
        let target = request.first_route().unwrap_or(&request.uri);
        let Ok(uri) = Uri::parse(target) else {
            // Any non-empty text is a name.
            return self.directory.user(target.trim(), None);
        };
        if let Some(peer) = self.directory.user(&uri.address(), uri.param("device")) {
            return Some(peer);
        }
        /// The port of a hop whose URI has none.
        const PORT: u16 = 80;
        let port = uri.port().unwrap_or(PORT);
        if !self.routes().load().allows_hop(uri.host(), port) {
            return None;
        }
        Some(self.actor(&Name::Hop(Arc::new(Hop { host: uri.host().to_owned(), port }))))
    }

    /// The actor of this name, made if it is not there.
    fn actor(self: &Arc<Self>, name: &Name) -> Address {
        let mut made = None;
        let room =
            Room { most: self.live().settings.limits.mailbox, refused: self.gauges.mailbox_refused.clone() };
        let (address, added) = {
            let slot = std::cell::RefCell::new(&mut made);
            self.directory.find_or_add(name, |number| {
                let (address, mailbox) = Address::new(name.clone(), number, room.clone());
                **slot.borrow_mut() = Some(mailbox);
                address
            })
        };
        if let (Added::Yes, Some(mailbox)) = (added, made) {
            tokio::spawn(Actor::new(self.clone(), mailbox).run());
        }
        address
    }

    /// Ends what is still up: sessions get a BYE, open requests 503. Waits until each actor has done it.
    pub(crate) async fn hang_up(&self) {
        let (done, mut all_done) = mpsc::channel::<()>(1);
        for address in self.directory.all() {
            let _ = address.send(Mail::HangUp(done.clone()));
        }
        drop(done);
        // Nothing is sent: it ends when the last actor has dropped its end.
        let _ = all_done.recv().await;
    }

    /// Ends all actors: sockets are closed with 1001.
    pub(crate) async fn stop(&self) {
        let mut ends = JoinSet::new();
        for address in self.directory.all() {
            let _ = address.send(Mail::Stop);
            ends.spawn(async move { address.ended().await });
        }
        while ends.join_next().await.is_some() {}
    }

    /// Tells plugins that a peer is gone. One that panics does no harm.
    pub(crate) fn tell_gone(&self, peer: &Peer) {
        let listeners = self.peer_listeners.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for listener in listeners {
            if catch_unwind(AssertUnwindSafe(|| listener(peer))).is_err() {
                tracing::error!(%peer, "a plugin panicked when it was told that a peer is gone");
            }
        }
    }

    /// Lets plugins finish what they have begun. One that panics ends alone.
    pub(crate) async fn finish(&self) {
        let last = mem::take(&mut *self.last.lock().unwrap_or_else(PoisonError::into_inner));
        let mut ends = JoinSet::new();
        for last in last {
            ends.spawn(async move { last().await });
        }
        while let Some(end) = ends.join_next().await {
            if let Err(error) = end {
                tracing::error!(%error, "a plugin failed at the stop");
            }
        }
    }

    fn uuid() -> u128 {
        rand::random()
    }
}

impl World for Node {
    fn realm(&self) -> &str {
        &self.realm
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    #[expect(clippy::disallowed_methods, reason = "this is where plugins get the date from")]
    fn date(&self) -> SystemTime {
        SystemTime::now()
    }

    fn unique_id(&self) -> String {
        format!("{:032x}", Self::uuid())
    }

    fn shared(&self, value: TypeId, make: fn() -> Shared) -> Shared {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.entry(value).or_insert_with(make).clone()
    }

    fn state_dir(&self) -> Option<PathBuf> {
        self.state_dir.get().cloned()
    }

    fn max_message_size(&self) -> usize {
        self.live().settings.rtc.max_message_size
    }

    fn settings(&self, name: &str) -> ServiceSettings {
        self.services().settings(name)
    }

    #[expect(clippy::expect_used, reason = "the text begins with dlg_")]
    fn dialog_id(&self) -> DialogId {
        DialogId::new(format!("dlg_{}_{:032x}", self.realm, Self::uuid())).expect("is not empty")
    }

    fn related_id(&self) -> String {
        format!("rel{}+{:032x}", self.realm, Self::uuid())
    }

    fn cseq(&self) -> CSeq {
        CSeq::from_random(rand::random())
    }

    fn token(&self, user: &str) -> Token {
        let lifetime = self.live().settings.rtc.token_lifetime;
        Token { text: self.tokens.make(user, tokio::time::Instant::now(), lifetime), lifetime }
    }

    fn http(&self) -> reqwest::Client {
        let make = || {
            http_client(reqwest::redirect::Policy::none()).unwrap_or_else(|error| {
                tracing::error!(%error, "no HTTP client with time limits can be made");
                // If not even this one can be made, it is the asking plugin that fails.
                reqwest::Client::new()
            })
        };
        self.http.get_or_init(make).clone()
    }

    fn spawn(&self, name: &'static str, task: Box<dyn Hosted>) -> RawMailbox {
        // A service may have several tasks.
        let number = self.service_tasks.fetch_add(1, Relaxed);
        let name_of_task = Name::Service(name, number);
        let room = Room {
            most: self.live().settings.limits.service_mailbox,
            refused: self.gauges.service_mailbox_refused.clone(),
        };
        let (address, mailbox) = Address::new(name_of_task, self.directory.next_number(), room);
        if let Some(node) = self.me.upgrade() {
            let _ = node.directory.find_or_add(address.name(), |_| address.clone());
            tokio::spawn(Actor::of_service(node, mailbox, name, task).run());
        }
        Arc::new(move |mail| address.send(Mail::Service(mail)).map_err(|_| Busy))
    }

    fn run(&self, future: Beside) {
        tokio::spawn(future);
    }

    fn on_peer_gone(&self, listener: PeerListener) {
        self.peer_listeners.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    fn at_stop(&self, last: LastWork) {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).push(last);
    }

    fn service(&self, context: TypeId) -> Option<Arc<dyn Any + Send + Sync>> {
        self.services().context(context)
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("realm", &self.realm).finish_non_exhaustive()
    }
}

/// A client for other HTTP servers.
pub(crate) fn http_client(redirects: reqwest::redirect::Policy) -> Result<reqwest::Client, reqwest::Error> {
    use std::time::Duration;
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(3))
        .timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(16)
        .redirect(redirects)
        .build()
}

fn stack_config(settings: &Settings, hop: bool) -> StackConfig {
    let Settings { jsip, limits, rtc, .. } = settings;
    let mut config = StackConfig::default();
    config.transtimer = jsip.transtimer;
    config.prtimer = jsip.prtimer;
    config.sessiontimer = jsip.sessiontimer;
    config.acktimer = jsip.acktimer;
    config.linger = jsip.linger;
    config.qsize = jsip.qsize;
    config.min_expire = jsip.min_expire;
    config.max_expire = jsip.max_expire;
    config.keepalive = jsip.keepalive;
    config.dead_after = jsip.keepalive * 2;
    config.max_bad_frames = jsip.max_bad_frames;
    config.max_transactions = limits.transactions;
    config.max_dialogs = limits.dialogs;
    config.max_message_size = rtc.max_message_size;
    config.hop = hop;
    config
}
