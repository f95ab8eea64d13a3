use std::future::{Future, ready};
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::Arc;

use jsip::{Request, Response};
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use crate::host::{World, host_service_task, shared};
use crate::{Cx, Incoming, LegId, Outcome, Peer, TimerId};

/// What all tasks of a service share. It is made once, when the service is first enabled, and kept for the process.
pub trait Service: Send + Sync + Sized + 'static {
    /// The service is being loaded: read settings, start service tasks.
    ///
    /// # Errors
    /// The service is not enabled; the error is shown to the operator.
    fn load(load: &Load) -> Result<Self, LoadError>;
}

/// For services that share nothing.
impl Service for () {
    fn load(_: &Load) -> Result<Self, LoadError> {
        Ok(())
    }
}

/// An actor of a service, for what belongs to no peer: rooms and their expiry, deliveries later. It has legs and timers as a
/// task has, and takes mail from tasks and APIs. It lives as long as the process: an error or a panic ends the handler alone and
/// is logged, and the next event finds the value as the handler left it. Requests that it did not answer run into their timers.
pub trait ServiceTask: Send + Sized + 'static {
    /// The plugin's own tag of a leg.
    type Leg: Clone + Default + Send + Sync + 'static;

    /// What tasks and APIs say to it.
    type Mail: Send + 'static;

    /// Called once, before all else.
    fn on_start(&mut self, cx: &mut Cx<Self::Leg>) -> impl Future<Output = Outcome> + Send {
        let _ = cx;
        ready(Ok(()))
    }

    /// A mail came in.
    fn on_mail(&mut self, cx: &mut Cx<Self::Leg>, mail: Self::Mail) -> impl Future<Output = Outcome> + Send;

    /// A request came in, in a dialog of this task.
    fn on_request(
        &mut self,
        cx: &mut Cx<Self::Leg>,
        request: Incoming<Request, Self::Leg>,
    ) -> impl Future<Output = Outcome> + Send {
        let _ = (cx, request);
        ready(Ok(()))
    }

    /// A response to a request of this task came in.
    fn on_response(
        &mut self,
        cx: &mut Cx<Self::Leg>,
        response: Incoming<Response, Self::Leg>,
    ) -> impl Future<Output = Outcome> + Send {
        let _ = (cx, response);
        ready(Ok(()))
    }

    /// A timer is due.
    fn on_timer(&mut self, cx: &mut Cx<Self::Leg>, timer: TimerId) -> impl Future<Output = Outcome> + Send {
        let _ = (cx, timer);
        ready(Ok(()))
    }

    /// A leg's dialog has ended.
    fn on_end(
        &mut self,
        cx: &mut Cx<Self::Leg>,
        leg: LegId,
        tag: Self::Leg,
    ) -> impl Future<Output = Outcome> + Send {
        let _ = (cx, leg, tag);
        ready(Ok(()))
    }
}

/// What a service is given when it is loaded.
pub struct Load {
    pub(crate) world: Arc<dyn World>,
    pub(crate) implementation: &'static str,
    settings: Settings,
}

/// The text of a plugin's settings file.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it came from, for errors.
    pub file: String,
    /// YAML, empty for none; or why it cannot be read.
    pub text: Result<String, String>,
}

impl Settings {
    /// The values in the text.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, LoadError> {
        let text = self.text.as_ref().map_err(|problem| LoadError::Settings {
            file: self.file.clone(),
            line: None,
            problem: format!("cannot be read: {problem}"),
        })?;
        let blank = text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
        let text = if blank { "{}" } else { text };
        serde_yaml::from_str(text).map_err(|error| {
            let text = error.to_string();
            LoadError::Settings {
                file: self.file.clone(),
                line: error.location().map(|location| location.line()),
                // The line is told apart.
                problem: text.split(" at line ").next().unwrap_or_default().to_owned(),
            }
        })
    }
}

impl Load {
    #[doc(hidden)]
    pub fn new(world: Arc<dyn World>, implementation: &'static str, settings: Settings) -> Self {
        Self { world, implementation, settings }
    }

    /// The service's settings, from `conf/NAME.yaml`. Use `#[serde(deny_unknown_fields, default)]`.
    ///
    /// # Errors
    /// If the file does not fit the type; the error names the file, the field and the line.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, LoadError> {
        self.settings.read()
    }

    /// Settings that several plugins share, from `conf/NAME.yaml`.
    ///
    /// # Errors
    /// As [`settings`](Self::settings).
    pub fn settings_of<T: DeserializeOwned>(&self, name: &str) -> Result<T, LoadError> {
        self.world.settings(name).read()
    }

    /// The value of this type that all plugins of the process share, whichever asks first. So one that knows the crate of another
    /// meets it, in whatever order they are loaded.
    pub fn shared<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        shared(&*self.world)
    }

    /// The folder for what must survive a restart; `None` where nothing does, as in tests by the harness and in `rtcd check`.
    pub fn state_dir(&self) -> Option<PathBuf> {
        self.world.state_dir()
    }

    /// From now on calls this for each peer that the server forgets: it has had no socket for `jsip.away_grace`, and nothing is up with
    /// it. It is called in the peer's own task before the peer can come again, so it must be as quick as a mail to somebody.
    pub fn on_peer_gone(&self, listener: impl Fn(&Peer) + Send + Sync + 'static) {
        self.world.on_peer_gone(Arc::new(listener));
    }

    /// What is to be finished when the server stops gracefully: called once, when all connections are closed, and waited for, for
    /// a second at most. It is not called in `rtcd check`, in tests by the harness, and at a second signal.
    pub fn at_stop<F: Future<Output = ()> + Send + 'static>(
        &self,
        last: impl FnOnce() -> F + Send + 'static,
    ) {
        self.world.at_stop(Box::new(|| Box::pin(last())));
    }

    /// Starts a service task.
    pub fn spawn<T: ServiceTask>(&self, task: T) -> Mailbox<T::Mail> {
        let hosted = host_service_task(task, self.world.clone(), self.implementation);
        Mailbox { raw: self.world.spawn(self.implementation, hosted), mail: PhantomData }
    }
}

impl std::fmt::Debug for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Load").field("implementation", &self.implementation).finish_non_exhaustive()
    }
}

/// A service or an API cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The settings file does not fit.
    #[error("{file}{}: {problem}", line.map(|line| format!(":{line}")).unwrap_or_default())]
    Settings {
        /// The file.
        file: String,
        /// The line, from 1, if it is known.
        line: Option<usize>,
        /// What is wrong, with field and line.
        problem: String,
    },
    /// The plugin says no, and why.
    #[error("{0}")]
    Refused(String),
}

/// Takes mail of any type for a service task.
pub type RawMailbox = Arc<dyn Fn(Box<dyn std::any::Any + Send>) -> Result<(), Busy> + Send + Sync>;

/// Where tasks and APIs leave mail for a service task.
pub struct Mailbox<M> {
    raw: RawMailbox,
    mail: PhantomData<fn(M)>,
}

impl<M> Clone for Mailbox<M> {
    fn clone(&self) -> Self {
        Self { raw: self.raw.clone(), mail: PhantomData }
    }
}

impl<M> std::fmt::Debug for Mailbox<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}

/// The other end of [`Mailbox::ask`].
pub type Reply<R> = oneshot::Sender<R>;

/// The mailbox is full: answer 503.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the service is busy")]
pub struct Busy;

/// No answer came to an [`ask`](Mailbox::ask).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoAnswer {
    /// The mailbox is full.
    #[error("the service is busy")]
    Busy,
    /// The service task dropped the question.
    #[error("the service gave no answer")]
    Dropped,
}

impl<M: Send + 'static> Mailbox<M> {
    /// Leaves a mail.
    ///
    /// # Errors
    /// If the mailbox is full.
    pub fn send(&self, mail: M) -> Result<(), Busy> {
        (self.raw)(Box::new(mail))
    }

    /// Leaves a mail that carries a way to answer, and waits for the answer.
    ///
    /// # Errors
    /// If the mailbox is full, or the service task dropped the question.
    pub async fn ask<R>(&self, mail: impl FnOnce(Reply<R>) -> M) -> Result<R, NoAnswer> {
        let (reply, answer) = oneshot::channel();
        self.send(mail(reply)).map_err(|Busy| NoAnswer::Busy)?;
        answer.await.map_err(|_| NoAnswer::Dropped)
    }
}
