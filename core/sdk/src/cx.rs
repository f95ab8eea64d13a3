use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use jsip::{ByteString, CSeq, DialogId, Headers, Message, Method, Request, Response, StatusCode};

use crate::host::{Effect, Env, Outbox, RelatedKey};
use crate::leg::LegMap;
use crate::{Incoming, LegId, Token};

/// What a task can do. What it sends leaves as soon as its handler awaits or returns, in order.
pub struct Cx<L = (), S = ()> {
    pub(crate) env: Arc<Env<S>>,
    pub(crate) out: Outbox,
    pub(crate) legs: LegMap<L>,
    pub(crate) related: Vec<(RelatedKey, L)>,
    next: u64,
}

/// A timer of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimerId(u64);

/// A message cannot be sent, by what the message itself shows. All else comes back as an answer: a request that the session's
/// state does not allow is answered 491 or 481, one to a peer that is not there 480.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// A request without this field.
    #[error("a request needs {0}")]
    Missing(&'static str),
    /// The leg's dialog has ended.
    #[error("the leg's dialog has ended")]
    LegEnded,
    /// ACK, BYE or CANCEL as the first request of a dialog.
    #[error("{0} without a session")]
    NoSession(Method),
}

impl<L: Clone, S> Cx<L, S> {
    pub(crate) fn new(env: Arc<Env<S>>) -> Self {
        Self { env, out: Outbox::default(), legs: LegMap::default(), related: Vec::new(), next: 0 }
    }

    /// What all tasks of the service share.
    pub fn service(&self) -> &Arc<S> {
        &self.env.service
    }

    /// Answers a request with a code and nothing else.
    ///
    /// # Errors
    /// See [`SendError`].
    pub fn reply(&mut self, request: &Incoming<Request, L>, code: StatusCode) -> Result<(), SendError> {
        self.send(request.leg, request.response(code))
    }

    /// Answers a request with a code and a `Reason`.
    ///
    /// # Errors
    /// See [`SendError`].
    pub fn refuse(
        &mut self,
        request: &Incoming<Request, L>,
        code: StatusCode,
        reason: &str,
    ) -> Result<(), SendError> {
        self.send(request.leg, request.response(code).with_reason(reason))
    }

    /// Sends a message in the dialog of a leg.
    ///
    /// # Errors
    /// See [`SendError`].
    pub fn send(&mut self, leg: LegId, message: impl Into<Message>) -> Result<(), SendError> {
        let message = message.into();
        if let Message::Request(request) = &message {
            complete(request)?;
        }
        if self.legs.find(leg).is_none() {
            return Err(SendError::LegEnded);
        }
        self.out.push(Effect::Send { leg, message });
        Ok(())
    }

    /// Opens a dialog with the peer that the first URI of `Router` names, or `Request-URI` if there is no `Router`. One that needs a
    /// session (INFO, PRACK, UPDATE) is answered 481.
    ///
    /// # Errors
    /// See [`SendError`].
    pub fn open(&mut self, tag: L, request: Request) -> Result<LegId, SendError> {
        complete(&request)?;
        if matches!(request.method, Method::Ack | Method::Bye | Method::Cancel) {
            return Err(SendError::NoSession(request.method));
        }
        let leg = LegId::opened(self.count());
        self.legs.insert(leg, tag);
        self.out.push(Effect::Open { leg, request });
        Ok(leg)
    }

    /// A request for a dialog of its own: `uri` is also its `To`.
    pub fn request(
        &self,
        method: Method,
        from: impl Into<ByteString>,
        uri: impl Into<ByteString>,
    ) -> Request {
        let uri = uri.into();
        Request {
            method,
            from: from.into(),
            to: uri.clone(),
            uri,
            dialog: self.dialog_id(),
            cseq: self.cseq(),
            related: None,
            router: None,
            headers: Headers::default(),
        }
    }

    /// A request of the same dialog as `first`, with its Request-URI, From and To: a BYE, CANCEL, UPDATE for an INVITE.
    pub fn follow_up(&self, first: &Request, method: Method) -> Request {
        first.follow_up(method, self.cseq())
    }

    /// The ACK for a final response to an INVITE.
    pub fn ack(&self, response: &Response) -> Request {
        response.ack(self.cseq())
    }

    /// A new `DialogueID`.
    pub fn dialog_id(&self) -> DialogId {
        self.env.world.dialog_id()
    }

    /// A random CSeq.
    pub fn cseq(&self) -> CSeq {
        self.env.world.cseq()
    }

    /// Makes a token by which a user may call the APIs for users ([`Audience::User`](crate::Audience::User)). Give it to nobody but
    /// that user: put it into an answer to a request whose socket is the user's.
    pub fn token(&self, user: &str) -> Token {
        self.env.world.token(user)
    }

    /// Makes an id that brings other peers' new dialogs to this task, as legs with this tag: those whose first `Router` URI
    /// has the parameter `relid` of this value.
    pub fn related_id(&mut self, tag: L) -> String {
        let id = self.env.world.related_id();
        let key = RelatedKey(self.count());
        self.related.push((key, tag));
        self.out.push(Effect::Relate { id: id.clone(), key });
        id
    }

    /// Sets a timer; [`Slp::on_timer`](crate::Slp::on_timer) is called when it is due.
    pub fn timer(&mut self, after: Duration) -> TimerId {
        let timer = TimerId(self.count());
        self.out.push(Effect::Timer { timer, after });
        timer
    }

    /// Takes a timer back. One that is due already is not called any more.
    pub fn cancel_timer(&mut self, timer: TimerId) {
        self.out.push(Effect::CancelTimer { timer });
    }

    /// Waits until what was sent so far has left the task. For what must come after it by another way: a mail to a service task that
    /// will send as well.
    pub async fn flush(&mut self) {
        let mut polled = false;
        // The server looks for what was sent whenever a handler waits.
        poll_fn(|context| {
            if polled {
                return Poll::Ready(());
            }
            polled = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Ends the task after what it has sent. Its answered sessions get a BYE, its own INVITEs without a final response a CANCEL;
    /// requests that it did not answer are left to their timers (408).
    pub fn finish(&mut self) {
        self.out.push(Effect::Finish);
    }

    /// The time. Use this, not the system's: tests run on a clock of their own.
    pub fn now(&self) -> Instant {
        self.env.world.now()
    }

    /// The date, for what people or other programs read. Use this, not the system's.
    pub fn date(&self) -> SystemTime {
        self.env.world.date()
    }

    /// An id that nothing else has had, and nobody can guess.
    pub fn unique_id(&self) -> String {
        self.env.world.unique_id()
    }

    /// The realm of this server: unique to a node.
    pub fn realm(&self) -> &str {
        self.env.world.realm()
    }

    /// Whether a copy of the request may be longer than what a client takes (`rtc.max_message_size`): there is less than 1 KiB left for
    /// what a copy has of its own, such as its DialogueID. Such a copy is answered 513 at once instead of being sent; a service that keeps
    /// requests, or sends many copies of one, had better refuse it with 513 itself.
    pub fn is_too_long_to_copy(&self, request: &Request) -> bool {
        const ADDED: usize = 1024;
        request.is_longer_than(self.env.world.max_message_size().saturating_sub(ADDED))
    }

    /// Runs a future beside the task, which does not wait for it: for what takes long and whose result comes back as mail. It is not
    /// ended with the task. Whatever it waits for must have an end.
    pub fn run(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.env.world.run(Box::pin(future));
    }

    /// A client for other HTTP servers, with pooled connections and time limits. It follows no redirects.
    pub fn http(&self) -> reqwest::Client {
        self.env.world.http()
    }

    /// A span that names the service, for logs of a handler: `.instrument(cx.span())` or `cx.span().in_scope(…)`.
    pub fn span(&self) -> tracing::Span {
        tracing::info_span!("slp", service = self.env.implementation)
    }

    /// How many legs have not ended.
    pub fn legs(&self) -> usize {
        self.legs.len()
    }

    fn count(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl<L, S> std::fmt::Debug for Cx<L, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cx")
            .field("service", &self.env.implementation)
            .field("legs", &self.legs.len())
            .finish()
    }
}

fn complete(request: &Request) -> Result<(), SendError> {
    match request {
        Request { uri, .. } if uri.is_empty() => Err(SendError::Missing("Request-URI")),
        Request { from, .. } if from.is_empty() => Err(SendError::Missing("From")),
        Request { to, .. } if to.is_empty() => Err(SendError::Missing("To")),
        _ => Ok(()),
    }
}
