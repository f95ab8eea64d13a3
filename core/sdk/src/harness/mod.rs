//! Drives a service in a test: no server, no socket, no sleep. The clock is the test's own, and ids count (`dlg_1`, CSeq 1001).
//!
//! The harness stands where the protocol stack stands: the test feeds what the stack would pass on to the service, and reads what
//! the service asks of the stack. It does none of the stack's own work (no 408 comes by itself, no state forbids a message), so a
//! test says exactly what happens to the service, in which order.
//!
//! ```
//! use rtcd_sdk::harness::Harness;
//! use rtcd_sdk::prelude::*;
//!
//! /// Answers after a second.
//! struct Slow(Option<Incoming<Request>>);
//!
//! impl Slp for Slow {
//!     type Leg = ();
//!     type Service = ();
//!
//!     fn new(_: &Arc<()>) -> Self {
//!         Self(None)
//!     }
//!
//!     async fn on_request(&mut self, cx: &mut Cx, request: Incoming<Request>) -> Outcome {
//!         self.0 = Some(request);
//!         cx.timer(Duration::from_secs(1));
//!         Ok(())
//!     }
//!
//!     async fn on_timer(&mut self, cx: &mut Cx, _: TimerId) -> Outcome {
//!         if let Some(request) = self.0.take() {
//!             cx.reply(&request, StatusCode::OK)?;
//!         }
//!         Ok(())
//!     }
//! }
//!
//! let mut harness = Harness::<Slow>::new();
//! let message = harness.first(Method::Message, "alice@test.com", "slow@test.com");
//! let dialog = harness.dial(message);
//! assert!(harness.sent(dialog).is_empty());
//! harness.advance(Duration::from_secs(1));
//! harness.ended(dialog);
//! assert_eq!(
//!     harness.log(), // in a real test: insta::assert_snapshot!(harness.log())
//!     "\
//! >+ in_1 MESSAGE 1 slow@test.com from alice@test.com
//! -- 1s
//! < in_1 200 OK 1
//! > in_1 ended
//! == task 1 ends
//! "
//! );
//! ```

mod actor;
mod api;
mod run;
mod text;
mod world;

use std::any::TypeId;
use std::marker::PhantomData;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use jsip::{CSeq, DialogId, Headers, Message, Method, Request, Response, StatusCode, Uri};

pub use self::api::{ApiAnswer, ApiHarness, call_api, signed_in};

use self::actor::Actor;
use self::world::{Inbox, TestWorld, Woken, lock};
use crate::host::{Event, Loaded, RelatedKey, Settings, World, load_slp};
use crate::{ApiContext, LegId, Load, LoadError, Peer, Slp};

/// A service under test, its tasks and service tasks.
pub struct Harness<P: Slp> {
    world: Arc<TestWorld>,
    settings: Settings,
    loaded: Box<dyn Loaded>,
    actors: Vec<Actor>,
    dialogs: Vec<DialogState>,
    related: Vec<(String, usize, RelatedKey)>,
    log: String,
    held: bool,
    slp: PhantomData<fn() -> P>,
}

/// A dialog between a peer and the service under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Dialog(usize);

struct DialogState {
    actor: usize,
    leg: LegId,
    first: Request,
    next_cseq: u64,
    by_peer: bool,
    /// Who sends in it.
    peer: Option<Peer>,
    sent: Vec<Message>,
}

impl<P: Slp> Harness<P> {
    /// Loads the service without settings.
    ///
    /// # Panics
    /// If the service refuses to be loaded.
    pub fn new() -> Self {
        Self::with_settings("")
    }

    /// Loads the service with the text of a settings file.
    ///
    /// # Panics
    /// If the service refuses to be loaded.
    #[expect(clippy::panic, reason = "for tests: nothing can go on")]
    pub fn with_settings(yaml: &str) -> Self {
        match Self::try_with_settings(yaml) {
            Ok(harness) => harness,
            Err(error) => panic!("the service is not loaded: {error}"),
        }
    }

    /// Loads the service with the text of a settings file.
    ///
    /// # Errors
    /// If the service refuses to be loaded.
    pub fn try_with_settings(yaml: &str) -> Result<Self, LoadError> {
        let world = TestWorld::new();
        let settings = api::settings(yaml);
        let loaded = load_slp::<P>(Load::new(world.clone(), "test", settings.clone()))?;
        let _ = world.service.set((TypeId::of::<P::Service>(), loaded.context()));
        let mut harness = Self {
            world,
            settings,
            loaded,
            actors: Vec::new(),
            dialogs: Vec::new(),
            related: Vec::new(),
            log: String::new(),
            held: false,
            slp: PhantomData,
        };
        harness.run();
        Ok(harness)
    }

    /// A first request of a peer, with `uri` as its `To`, a new `DialogueID` (`in_1`, `in_2`, …) and CSeq 1. Feed it to
    /// [`dial`](Self::dial), changed as you like.
    pub fn first(&self, method: Method, from: &str, uri: &str) -> Request {
        let received = self.dialogs.iter().filter(|dialog| dialog.by_peer).count();
        Request {
            method,
            uri: uri.into(),
            from: from.into(),
            to: uri.into(),
            dialog: dialog_id(&format!("in_{}", received + 1)),
            cseq: cseq(1),
            related: None,
            router: None,
            headers: Headers::default(),
        }
    }

    /// The peer's next request in a dialog, with Request-URI, From and To of the dialog's first one. An ACK or CANCEL is for that
    /// first one, unless you change `related`. Feed it to [`request`](Self::request).
    pub fn next(&mut self, dialog: Dialog, method: Method) -> Request {
        let state = self.state_mut(dialog);
        let request = state.first.follow_up(method, cseq(state.next_cseq));
        state.next_cseq += 1;
        request
    }

    /// The peer's response to the service's last request of this method in a dialog. Feed it to [`response`](Self::response).
    ///
    /// # Panics
    /// If the service has sent no such request.
    #[expect(clippy::panic, reason = "for tests: the test is wrong")]
    pub fn response_to(&self, dialog: Dialog, method: Method, code: StatusCode) -> Response {
        let sent = self.sent(dialog).iter().rev().find_map(|message| match message {
            Message::Request(request) if request.method == method => Some(request.response(code)),
            Message::Request(_) | Message::Response(_) => None,
        });
        sent.unwrap_or_else(|| panic!("no {method} was sent in {}\n{}", self.id(dialog), self.log))
    }

    /// A peer opens a dialog: a new task, or the one whose related id stands in the first `Router` URI. The peer is the user that
    /// stands in From, without a device.
    pub fn dial(&mut self, request: Request) -> Dialog {
        self.dial_from(&Peer::new(&request.from, None), request)
    }

    /// [`dial`](Self::dial), by this peer.
    pub fn dial_from(&mut self, peer: &Peer, request: Request) -> Dialog {
        let related = request
            .first_route()
            .and_then(|route| Uri::parse(route).ok().and_then(|uri| uri.param("relid").map(str::to_owned)))
            .and_then(|id| self.related.iter().find(|(known, ..)| *known == id))
            .map(|(_, actor, key)| (*actor, *key));
        let (index, related) = match related {
            Some((index, key)) => (index, Some(key)),
            None => {
                let number = self.actors.iter().filter(|actor| !actor.is_service).count() + 1;
                let name = format!("task {number}");
                self.actors.push(Actor::new(name, false, self.loaded.task(), Inbox::default()));
                (self.actors.len() - 1, None)
            }
        };
        let dialog = Dialog(self.dialogs.len());
        let actor = self.actor_mut(index);
        let leg = LegId::received(actor.received);
        actor.received += 1;
        actor.legs.insert(leg, dialog);
        let sender = Some(peer.clone());
        actor.feed(Event::Request { leg, related, peer: sender, request: request.clone() });
        self.write(&format!(">+ {} {}", request.dialog, text::line(&request.clone().into())));
        self.dialogs.push(DialogState {
            actor: index,
            leg,
            next_cseq: request.cseq.as_u64() + 1,
            first: request,
            by_peer: true,
            peer: Some(peer.clone()),
            sent: Vec::new(),
        });
        self.run_unless_held();
        dialog
    }

    /// A later request of the peer.
    pub fn request(&mut self, dialog: Dialog, request: Request) {
        let DialogState { leg, ref peer, .. } = *self.state(dialog);
        let peer = peer.clone();
        let line = format!("> {} {}", self.id(dialog), text::line(&request.clone().into()));
        self.write(&line);
        self.feed(dialog, Event::Request { leg, related: None, peer, request });
    }

    /// A response of the peer, or one that the stack made.
    pub fn response(&mut self, dialog: Dialog, response: Response) {
        let leg = self.state(dialog).leg;
        let line = format!("> {} {}", self.id(dialog), text::line(&response.clone().into()));
        self.write(&line);
        self.feed(dialog, Event::Response { leg, response });
    }

    /// [`next`](Self::next), fed at once.
    pub fn send(&mut self, dialog: Dialog, method: Method) {
        let request = self.next(dialog, method);
        self.request(dialog, request);
    }

    /// [`response_to`](Self::response_to), fed at once.
    pub fn answer(&mut self, dialog: Dialog, method: Method, code: StatusCode) {
        let response = self.response_to(dialog, method, code);
        self.response(dialog, response);
    }

    /// A dialog has ended.
    pub fn ended(&mut self, dialog: Dialog) {
        let DialogState { actor, leg, .. } = *self.state(dialog);
        self.actor_mut(actor).legs.remove(&leg);
        let line = format!("> {} ended", self.id(dialog));
        self.write(&line);
        self.feed(dialog, Event::Ended { leg });
    }

    /// Lets time pass; timers come due one after the other.
    pub fn advance(&mut self, time: Duration) {
        self.write(&format!("-- {time:?}"));
        let until = self.world.now() + time;
        while let Some(due) = self.next_due().filter(|due| *due <= until) {
            self.world.set_now(due);
            self.run();
        }
        self.world.set_now(until);
        self.run();
    }

    /// The server forgets a peer; see [`Load::on_peer_gone`](crate::Load::on_peer_gone).
    pub fn forget(&mut self, peer: &Peer) {
        let listeners = lock(&self.world.peer_listeners).clone();
        for listener in listeners {
            listener(peer);
        }
        self.run_unless_held();
    }

    /// From here on, what is fed waits, until [`release`](Self::release): so things can happen at once, or
    /// [`step`](Self::step) by step.
    pub fn hold(&mut self) {
        self.held = true;
    }

    /// Lets happen what was fed since [`hold`](Self::hold).
    pub fn release(&mut self) {
        self.held = false;
        self.run();
    }

    /// While held: each task handles one event, or goes on once with the one at hand; so does what runs beside. `false` if there was nothing to do.
    pub fn step(&mut self) -> bool {
        let spawned = mem::take(&mut *lock(&self.world.spawned));
        for task in spawned {
            let mut actor = Actor::new("service task".to_owned(), true, task.hosted, task.inbox);
            actor.feed(Event::Start);
            self.actors.push(actor);
        }
        let mut busy = false;
        for index in 0..self.actors.len() {
            busy |= self.turn(index);
        }
        // What runs beside may begin more of its kind.
        let runs = mem::take(&mut *lock(&self.world.runs));
        for mut run in runs {
            let (went_on, is_over) = run.turn();
            busy |= went_on;
            if !is_over {
                lock(&self.world.runs).push(run);
            }
        }
        busy
    }

    /// Waits for a future while the service goes on: what an API's handler gives back, an [`ask`](crate::Mailbox::ask).
    ///
    /// # Panics
    /// If the future waits for something that the service does not do.
    #[expect(clippy::panic, reason = "for tests: nothing can go on")]
    pub fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                self.run();
                return output;
            }
            self.run();
            if !woken.take() {
                panic!("the future waits for ever\n{}", self.log);
            }
        }
    }

    /// How many mails may wait in the mailbox of a service task; 0 makes it busy. The default is no limit.
    pub fn limit_mailboxes(&self, limit: usize) {
        self.world.mailbox_limit.store(limit, Ordering::Relaxed);
    }

    /// What has happened since the begin, or since [`take_log`](Self::take_log). `>` is what came to the service, `<` what it sent;
    /// `+` marks the first message of a dialog; `--` is time; `==` is the end of a task, `!!` a fault that a service task survives.
    pub fn log(&self) -> &str {
        &self.log
    }

    /// [`log`](Self::log), and begins it anew.
    pub fn take_log(&mut self) -> String {
        mem::take(&mut self.log)
    }

    /// The dialogs that the service has opened, in order.
    pub fn opened(&self) -> Vec<Dialog> {
        let opened = self.dialogs.iter().enumerate().filter(|(_, dialog)| !dialog.by_peer);
        opened.map(|(index, _)| Dialog(index)).collect()
    }

    /// The first request of a dialog.
    pub fn first_request(&self, dialog: Dialog) -> &Request {
        &self.state(dialog).first
    }

    /// What the service has sent in a dialog.
    pub fn sent(&self, dialog: Dialog) -> &[Message] {
        &self.state(dialog).sent
    }

    /// How many tasks have not ended.
    pub fn tasks(&self) -> usize {
        self.actors.iter().filter(|actor| !actor.is_service && !actor.is_over()).count()
    }

    /// What an API that belongs to the service is given; its settings are those of the service.
    pub fn api(&self) -> ApiContext {
        ApiContext::new(self.world.clone(), self.settings.clone())
    }
}

impl<P: Slp> Default for Harness<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Slp> std::fmt::Debug for Harness<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Harness").field("tasks", &self.tasks()).finish_non_exhaustive()
    }
}

#[expect(clippy::expect_used, reason = "the callers give what is none of the bad values")]
fn cseq(number: u64) -> CSeq {
    CSeq::new(number).expect("a CSeq")
}

#[expect(clippy::expect_used, reason = "the callers give what is none of the bad values")]
fn dialog_id(id: &str) -> DialogId {
    DialogId::new(id).expect("an id")
}
