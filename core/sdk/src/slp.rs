use std::future::{Future, ready};
use std::sync::Arc;

use jsip::{Request, Response};

use crate::{Cx, Incoming, LegId, Outcome, Service, TimerId};

/// A service: what happens to the dialogs that are routed to it. One value of it, a *task*, serves one new dialog and all legs
/// that it opens from there; its methods are called one after the other.
///
/// | method | when it is called |
/// |---|---|
/// | [`new`](Slp::new) | a new dialog is routed to the service |
/// | [`on_request`](Slp::on_request) | a request came in, on any leg; the first one right after `new` |
/// | [`on_response`](Slp::on_response) | a response to a request of this task came in, or the stack made one (408, 480, 481, 503) |
/// | [`on_timer`](Slp::on_timer) | a timer of this task is due |
/// | [`on_end`](Slp::on_end) | a leg's dialog has ended (TERM) |
///
/// The task ends when it calls [`Cx::finish`], or when its last dialog ended and it holds no timer and no related id. A panic or
/// an error ends it too: then its open requests get 500 and its live sessions a BYE.
///
/// A handler may await; messages for the task wait meanwhile (64 of them, more get 503), and after `handler_timeout` (30 s) it
/// counts as failed. What computes for long belongs into `tokio::task::spawn_blocking`: it would hold up its peer.
///
/// The value moves between polls: keep large state in a `Box`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a service",
    note = "implement `rtcd_sdk::Slp` for it; only `new` and `on_request` are required"
)]
pub trait Slp: Send + Sized + 'static {
    /// The plugin's own tag of a leg, such as `enum Side { Caller, Callee }`; `()` if there is but one. The leg of the dialog that
    /// made the task has the default tag.
    type Leg: Clone + Default + Send + Sync + 'static;

    /// What all tasks of the service share; `()` if nothing.
    type Service: Service;

    /// Makes the value that serves a new dialog.
    fn new(service: &Arc<Self::Service>) -> Self;

    /// A request came in.
    fn on_request(
        &mut self,
        cx: &mut Cx<Self::Leg, Self::Service>,
        request: Incoming<Request, Self::Leg>,
    ) -> impl Future<Output = Outcome> + Send;

    /// A response to a request of this task came in. Requests get any number of provisional ones and one final one; BYE and
    /// CANCEL get none.
    fn on_response(
        &mut self,
        cx: &mut Cx<Self::Leg, Self::Service>,
        response: Incoming<Response, Self::Leg>,
    ) -> impl Future<Output = Outcome> + Send {
        let _ = (cx, response);
        ready(Ok(()))
    }

    /// A timer that [`Cx::timer`] set is due.
    fn on_timer(
        &mut self,
        cx: &mut Cx<Self::Leg, Self::Service>,
        timer: TimerId,
    ) -> impl Future<Output = Outcome> + Send {
        let _ = (cx, timer);
        ready(Ok(()))
    }

    /// A leg's dialog has ended: its session and all its transactions are over.
    fn on_end(
        &mut self,
        cx: &mut Cx<Self::Leg, Self::Service>,
        leg: LegId,
        tag: Self::Leg,
    ) -> impl Future<Output = Outcome> + Send {
        let _ = (cx, leg, tag);
        ready(Ok(()))
    }
}
