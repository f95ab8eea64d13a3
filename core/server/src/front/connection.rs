//! One connection: HTTP/1 until it is closed, or upgraded.

use std::convert::Infallible;
use std::future::{Future as _, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::http::Request;
use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, sleep_until};

use super::accept::Door;
use super::pace::Pace;
use super::{Handler, Stream, Visitor};

/// Serves it to its end.
pub(super) async fn connection<H: Handler>(door: Arc<Door<H>>, stream: Stream, remote: SocketAddr) {
    let number = door.node.next_connection();
    let pace = {
        let live = door.node.live();
        Arc::new(Pace::new(door.side.header_timeout(&live.settings), door.side.idle_timeout(&live.settings)))
    };
    let service = service_fn(|request: Request<Incoming>| {
        let under_way = UnderWay::begin(pace.clone());
        let door = door.clone();
        async move {
            let response = door.handler.handle(Visitor { client: remote, number }, request).await;
            Ok::<_, Infallible>(response.map(|body| Answer { body, _under_way: under_way }))
        }
    });
    let served = http1::Builder::new()
        // Pace does this, and tells a head that comes slowly from one that has not begun.
        .header_read_timeout(None)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream.paced(pace.clone())), service)
        .with_upgrades();
    match in_time(served, &pace).await {
        Some(Ok(())) => {}
        Some(Err(error)) => tracing::debug!(%remote, %error, "connection ended"),
        None => tracing::debug!(%remote, "connection ended: no request came in time"),
    }
}

/// Polls to the end, or until the client takes too long.
async fn in_time<F: Future>(served: F, pace: &Pace) -> Option<F::Output> {
    let mut served = pin!(served);
    let mut sleep = pin!(sleep_until(Instant::now()));
    poll_fn(|cx| {
        if let Poll::Ready(output) = served.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        // Phases change while the connection is polled, so the deadline is always that of the present one.
        let Some(deadline) = pace.deadline() else { return Poll::Pending };
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(cx).map(|()| None)
    })
    .await
}

/// A request whose answer has not gone.
struct UnderWay {
    pace: Arc<Pace>,
}

impl UnderWay {
    fn begin(pace: Arc<Pace>) -> Self {
        pace.begin();
        Self { pace }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.pace.end();
    }
}

/// An answer on its way: when the connection lets it go, it has gone.
struct Answer {
    body: Body,
    _under_way: UnderWay,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
