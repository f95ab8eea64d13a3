//! What the server needs to run plugins whose types it does not know. Not for authors of plugins.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use jsip::{CSeq, DialogId, Message, Request, Response};

pub use crate::api::{Place, document};
pub use crate::leg::LegMap;
pub use crate::service::{RawMailbox, Settings};
use crate::{Cx, Incoming, LegId, Outcome, Peer, Service, ServiceTask, Slp, TimerId, Token};

/// What a plugin asks of the server.
#[derive(Debug)]
pub enum Effect {
    /// Send a message in a leg's dialog.
    Send {
        /// The leg.
        leg: LegId,
        /// The message.
        message: Message,
    },
    /// Open a dialog.
    Open {
        /// The new leg.
        leg: LegId,
        /// The first request.
        request: Request,
    },
    /// Bring dialogs with this `relid` here.
    Relate {
        /// The id.
        id: String,
        /// What the task knows it by.
        key: RelatedKey,
    },
    /// Set a timer.
    Timer {
        /// The timer.
        timer: TimerId,
        /// When it is due, from now.
        after: Duration,
    },
    /// Take a timer back.
    CancelTimer {
        /// The timer.
        timer: TimerId,
    },
    /// End the task.
    Finish,
}

/// What happens to a task.
#[derive(Debug)]
pub enum Event {
    /// A service task begins.
    Start,
    /// A request came in on a leg.
    Request {
        /// The leg.
        leg: LegId,
        /// How the leg came to be, if this is its first message and the task did not open it by its first dialog.
        related: Option<RelatedKey>,
        /// The user's peer that sent it; `None` if another server did.
        peer: Option<Peer>,
        /// The request.
        request: Request,
    },
    /// A response came in on a leg.
    Response {
        /// The leg.
        leg: LegId,
        /// The response.
        response: Response,
    },
    /// A leg's dialog ended.
    Ended {
        /// The leg.
        leg: LegId,
    },
    /// A timer is due.
    Timer {
        /// The timer.
        timer: TimerId,
    },
    /// A mail to a service task.
    Mail(Box<dyn Any + Send>),
}

/// A related id, as its task knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RelatedKey(pub(crate) u64);

/// Why a handler did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum TaskFault {
    /// A handler panicked, with this text.
    #[error("panicked: {0}")]
    Panicked(String),
    /// A handler gave back an error.
    #[error("failed: {0}")]
    Failed(String),
    /// A handler took longer than `handler_timeout`.
    #[error("took longer than handler_timeout")]
    TimedOut,
}

/// Effects of the handler that runs. The server looks after each poll, so that a 180 leaves before the await that follows it.
#[derive(Debug, Clone, Default)]
pub struct Outbox(Arc<Effects>);

#[derive(Debug, Default)]
struct Effects {
    effects: Mutex<Vec<Effect>>,
    aborted: AtomicBool,
}

impl Outbox {
    /// Ends the handler that runs, at its next poll, with [`TaskFault::TimedOut`].
    pub fn abort(&self) {
        self.0.aborted.store(true, Relaxed);
    }

    pub(crate) fn push(&self, effect: Effect) {
        self.0.effects.lock().unwrap_or_else(PoisonError::into_inner).push(effect);
    }

    /// Moves what is there to the end of `to`.
    pub fn take_into(&self, to: &mut impl Extend<Effect>) {
        to.extend(self.0.effects.lock().unwrap_or_else(PoisonError::into_inner).drain(..));
    }

    /// Gives the room back that is not used now.
    pub fn shrink(&self) {
        let mut effects = self.0.effects.lock().unwrap_or_else(PoisonError::into_inner);
        if effects.is_empty() {
            *effects = Vec::new();
        }
    }

    /// Whether nothing is there.
    pub fn is_empty(&self) -> bool {
        self.0.effects.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

/// What runs beside the tasks.
pub type Beside = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a plugin does when the server stops: called once, when nothing more comes in.
pub type LastWork = Box<dyn FnOnce() -> Beside + Send>;

/// Is told of a peer that is not here any more.
pub type PeerListener = Arc<dyn Fn(&Peer) + Send + Sync>;

/// A value that plugins share.
pub type Shared = Arc<dyn Any + Send + Sync>;

/// The world around plugins, as the server makes it.
pub trait World: Send + Sync {
    /// The realm of the server.
    fn realm(&self) -> &str;
    /// The time.
    fn now(&self) -> Instant;
    /// The date.
    fn date(&self) -> SystemTime;
    /// An id that nobody has had, and nobody can guess.
    fn unique_id(&self) -> String;
    /// A new `DialogueID`.
    fn dialog_id(&self) -> DialogId;
    /// A new related id. Nobody can guess it.
    fn related_id(&self) -> String;
    /// A random CSeq.
    fn cseq(&self) -> CSeq;
    /// A token of a user.
    fn token(&self, user: &str) -> Token;
    /// The HTTP client that all share.
    fn http(&self) -> reqwest::Client;
    /// Runs a service task.
    fn spawn(&self, name: &'static str, task: Box<dyn Hosted>) -> RawMailbox;
    /// Runs a future beside all tasks.
    fn run(&self, future: Beside);
    /// Calls this for each peer that is forgotten.
    fn on_peer_gone(&self, listener: PeerListener);
    /// Keeps this until the server stops.
    fn at_stop(&self, last: LastWork);
    /// The context of the loaded service whose context is of this type.
    fn service(&self, context: std::any::TypeId) -> Option<Arc<dyn Any + Send + Sync>>;
    /// The value of this type that all plugins share; `make` is called if there is none yet.
    fn shared(&self, value: std::any::TypeId, make: fn() -> Shared) -> Shared;
    /// Where the server keeps its state; `None` if it keeps none.
    fn state_dir(&self) -> Option<PathBuf>;
    /// `rtc.max_message_size`.
    fn max_message_size(&self) -> usize;
    /// The text of `conf/NAME.yaml`.
    fn settings(&self, name: &str) -> Settings;
}

/// What the tasks of one implementation share.
pub struct Env<S> {
    pub(crate) service: Arc<S>,
    pub(crate) world: Arc<dyn World>,
    pub(crate) implementation: &'static str,
}

impl<S> std::fmt::Debug for Env<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Env").field("implementation", &self.implementation).finish_non_exhaustive()
    }
}

/// A task of any service.
pub trait Hosted: Send {
    /// Begins to handle an event. The one before must be done.
    fn start(&mut self, event: Event, out: Outbox);
    /// Goes on with it.
    ///
    /// Ready with an error: the handler failed, and the task can still handle events, unless [`Hosted::is_lost`].
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TaskFault>>;
    /// Whether the task's value went with a panic.
    fn is_lost(&self) -> bool;
}

/// A loaded service: makes its tasks.
pub trait Loaded: Send + Sync {
    /// A task for a new dialog.
    fn task(&self) -> Box<dyn Hosted>;
    /// What its tasks share.
    fn context(&self) -> Arc<dyn Any + Send + Sync>;
}

pub(crate) struct LoadedSlp<P: Slp>(pub(crate) Arc<Env<P::Service>>);

impl<P: Slp> Loaded for LoadedSlp<P> {
    fn task(&self) -> Box<dyn Hosted> {
        let running = Running { logic: P::new(&self.0.service), cx: Cx::new(self.0.clone()) };
        Host::boxed(running, |mut running: Running<P, P::Leg, P::Service>, event| async move {
            let outcome =
                caught(running.cx.out.clone(), handle_slp(&mut running.logic, &mut running.cx, event)).await;
            (running, outcome)
        })
    }

    fn context(&self) -> Arc<dyn Any + Send + Sync> {
        self.0.service.clone()
    }
}

/// A service task, ready to run.
pub(crate) fn host_service_task<T: ServiceTask>(
    task: T,
    world: Arc<dyn World>,
    implementation: &'static str,
) -> Box<dyn Hosted> {
    let env = Arc::new(Env { service: Arc::new(()), world, implementation });
    let running = Running { logic: task, cx: Cx::new(env) };
    Host::boxed(running, |mut running: Running<T, T::Leg, ()>, event| async move {
        let outcome =
            caught(running.cx.out.clone(), handle_service_task(&mut running.logic, &mut running.cx, event))
                .await;
        (running, outcome)
    })
}

/// The plugin's value and its context; they travel together.
struct Running<P, L, S> {
    logic: P,
    cx: Cx<L, S>,
}

/// A panic in a handler ends the handler alone: a service task keeps what it knows.
async fn caught(out: Outbox, handler: impl Future<Output = Outcome>) -> Result<(), TaskFault> {
    let mut handler = pin!(handler);
    // The text of an error and its drop are the plugin's code as well.
    let mut poll = |cx: &mut Context<'_>| {
        handler.as_mut().poll(cx).map(|outcome| outcome.map_err(|fault| TaskFault::Failed(fault.to_string())))
    };
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| poll(cx))) {
        Ok(Poll::Pending) if out.0.aborted.load(Relaxed) => Poll::Ready(Err(TaskFault::TimedOut)),
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(outcome)) => Poll::Ready(outcome),
        Err(panic) => Poll::Ready(Err(TaskFault::Panicked(panic_text(panic)))),
    })
    .await
}

trait HasOutbox {
    fn outbox(&mut self) -> &mut Outbox;
}

impl<P, L, S> HasOutbox for Running<P, L, S> {
    fn outbox(&mut self) -> &mut Outbox {
        &mut self.cx.out
    }
}

async fn handle_slp<P: Slp>(slp: &mut P, cx: &mut Cx<P::Leg, P::Service>, event: Event) -> Outcome {
    match event {
        Event::Request { leg, related, peer, request } => {
            let tag = tag_of_request(cx, leg, related);
            slp.on_request(cx, Incoming { leg, tag, peer, message: request }).await
        }
        Event::Response { leg, response } => match cx.legs.find(leg).cloned() {
            Some(tag) => slp.on_response(cx, Incoming { leg, tag, peer: None, message: response }).await,
            None => Ok(()),
        },
        Event::Ended { leg } => match cx.legs.remove(leg) {
            Some(tag) => slp.on_end(cx, leg, tag).await,
            None => Ok(()),
        },
        Event::Timer { timer } => slp.on_timer(cx, timer).await,
        Event::Start | Event::Mail(_) => Ok(()), // only service tasks get these
    }
}

async fn handle_service_task<T: ServiceTask>(task: &mut T, cx: &mut Cx<T::Leg, ()>, event: Event) -> Outcome {
    match event {
        Event::Start => task.on_start(cx).await,
        Event::Request { leg, related, peer, request } => {
            let tag = tag_of_request(cx, leg, related);
            task.on_request(cx, Incoming { leg, tag, peer, message: request }).await
        }
        Event::Response { leg, response } => match cx.legs.find(leg).cloned() {
            Some(tag) => task.on_response(cx, Incoming { leg, tag, peer: None, message: response }).await,
            None => Ok(()),
        },
        Event::Ended { leg } => match cx.legs.remove(leg) {
            Some(tag) => task.on_end(cx, leg, tag).await,
            None => Ok(()),
        },
        Event::Timer { timer } => task.on_timer(cx, timer).await,
        Event::Mail(mail) => match mail.downcast::<T::Mail>() {
            Ok(mail) => task.on_mail(cx, *mail).await,
            Err(_) => Ok(()), // a typed mailbox takes no other mail
        },
    }
}

fn tag_of_request<L: Clone + Default, S>(cx: &mut Cx<L, S>, leg: LegId, related: Option<RelatedKey>) -> L {
    if let Some(tag) = cx.legs.find(leg) {
        return tag.clone();
    }
    let tag = related
        .and_then(|key| cx.related.iter().find(|(known, _)| *known == key))
        .map(|(_, tag)| tag.clone())
        .unwrap_or_default();
    cx.legs.insert(leg, tag.clone());
    tag
}

/// Owns a task between events, and the future of the one that is being handled. The future's box is made once.
struct Host<R, M, F> {
    idle: Option<R>,
    make: M,
    run: Pin<Box<Option<F>>>,
}

impl<R, M, F> Host<R, M, F>
where
    R: HasOutbox + Send + 'static,
    M: Fn(R, Event) -> F + Send + 'static,
    F: Future<Output = (R, Result<(), TaskFault>)> + Send + 'static,
{
    fn boxed(idle: R, make: M) -> Box<dyn Hosted> {
        Box::new(Self { idle: Some(idle), make, run: Box::pin(None) })
    }
}

impl<R, M, F> Hosted for Host<R, M, F>
where
    R: HasOutbox + Send,
    M: Fn(R, Event) -> F + Send,
    F: Future<Output = (R, Result<(), TaskFault>)> + Send,
{
    fn start(&mut self, event: Event, out: Outbox) {
        if let Some(mut idle) = self.idle.take() {
            *idle.outbox() = out;
            self.run.set(Some((self.make)(idle, event)));
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TaskFault>> {
        let Some(run) = self.run.as_mut().as_pin_mut() else {
            return Poll::Ready(Err(TaskFault::Panicked("polled without an event".to_owned())));
        };
        match catch_unwind(AssertUnwindSafe(|| run.poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready((idle, outcome))) => {
                self.run.set(None);
                self.idle = Some(idle);
                Poll::Ready(outcome)
            }
            Err(panic) => {
                // What a handler holds may panic in its drop; that is the plugin's fault too, and ends the task for good.
                let _ = catch_unwind(AssertUnwindSafe(|| self.run.set(None)));
                Poll::Ready(Err(TaskFault::Panicked(panic_text(panic))))
            }
        }
    }

    fn is_lost(&self) -> bool {
        self.idle.is_none() && self.run.is_none()
    }
}

impl<R, M, F> Drop for Host<R, M, F> {
    fn drop(&mut self) {
        let _ = catch_unwind(AssertUnwindSafe(|| {
            self.run.set(None);
            drop(mem::take(&mut self.idle));
        }));
    }
}

fn panic_text(panic: Box<dyn Any + Send>) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panicked".to_owned());
    drop_caught(panic);
    text
}

/// Drops a value of a plugin: its `Drop` may panic, which is the plugin's fault alone.
pub fn drop_caught<V>(value: V) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        // A payload that panics as well is not given a third chance.
        mem::forget(panic);
    }
}

/// Makes the shared context of a service. For the registry.
#[expect(clippy::needless_pass_by_value, reason = "the registry holds it as a plain fn pointer")]
pub(crate) fn load_slp<P: Slp>(load: crate::Load) -> Result<Box<dyn Loaded>, crate::LoadError> {
    let service = Arc::new(P::Service::load(&load)?);
    Ok(Box::new(LoadedSlp::<P>(Arc::new(Env {
        service,
        world: load.world.clone(),
        implementation: load.implementation,
    }))))
}

/// The value of this type that all plugins of the process share.
pub(crate) fn shared<T: Default + Send + Sync + 'static>(world: &dyn World) -> Arc<T> {
    let shared = world.shared(std::any::TypeId::of::<T>(), || Arc::<T>::default());
    // The world keeps them by type.
    shared.downcast().unwrap_or_default()
}
