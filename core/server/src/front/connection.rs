//! One connection: HTTP/1 until it is closed, or upgraded.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::http::{Request, Response};
use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, sleep_until};

use super::accept::{Admission, Arrival, Door};
use super::access::Line;
use super::client::{forwarded, is_trusted};
use super::pace::Pace;
use super::{Handler, Refusal, Side, Stream, Visitor};
use crate::spawn::Doing;

/// Serves it to its end.
pub(super) async fn connection<H: Handler>(
    door: Arc<Door<H>>,
    stream: Stream,
    arrival: Arrival,
    doing: Doing,
) {
    let live = door.node.live().clone();
    let (idle, stall) = (door.side.idle_timeout(&live.settings), door.side.write_stall(&live.settings));
    drop(live);
    let pace = Arc::new(Pace::new(door.header_timeout(&arrival.admission), idle, stall));
    let peer = arrival.peer;
    let arrival = Arc::new(arrival);
    let service = service_fn(|request: Request<Incoming>| {
        let (door, arrival, doing) = (door.clone(), arrival.clone(), doing.clone());
        let mut under_way = UnderWay { pace: pace.clone(), line: None };
        pace.begin();
        async move {
            let response = door.answer(&arrival, request, &mut under_way, doing).await;
            under_way.pace.answer();
            if let Some(line) = &mut under_way.line {
                line.answered(response.status().as_u16());
            }
            Ok::<_, Infallible>(response.map(|body| Answer { body, under_way }))
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
        Some(Err(error)) => tracing::debug!(%peer, %error, "connection ended"),
        None => {
            door.node.gauges.slow_requests.fetch_add(u64::from(pace.is_head()), Relaxed);
            door.node.gauges.slow_readers.fetch_add(u64::from(pace.is_sending()), Relaxed);
            tracing::debug!(%peer, "connection ended: no request came in time, or an answer was not taken");
        }
    }
}

impl<H: Handler> Door<H> {
    async fn answer(
        &self,
        arrival: &Arrival,
        request: Request<Incoming>,
        under_way: &mut UnderWay,
        doing: Doing,
    ) -> Response<Body> {
        let live = self.node.live().clone();
        let proxies = self.side.trusted_proxies(&live.settings);
        let peer = arrival.peer;
        let trusted = is_trusted(peer.ip(), proxies);
        let client = if trusted { forwarded(peer, request.headers(), proxies) } else { peer };
        under_way.line = self.access.clone().map(|log| Line::begin(log, client, &request));
        let pass = match &arrival.admission {
            Admission::Refused(refusal, _) => return self.refuse(*refusal),
            Admission::Known(pass) => Some(pass.clone()),
            Admission::Unknown if self.side == Side::Api => None,
            Admission::Unknown => match self.node.visitors.enter(client.ip(), &live.settings.limits) {
                Ok(pass) => Some(Arc::new(pass)),
                Err(refusal) => return self.refuse(refusal),
            },
        };
        drop(live);
        self.handler.handle(Visitor { client, number: arrival.number, pass, doing }, request).await
    }

    /// What the client wants is not looked at: most want a WebSocket.
    fn refuse(&self, refusal: Refusal) -> Response<Body> {
        let response = refusal.answer(&self.node.gauges);
        match self.side {
            Side::Rtc => self.node.events.upgrade(response.status()),
            Side::Api => self.node.events.call("-", response.status()),
        }
        response
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
    line: Option<Line>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.pace.end();
    }
}

/// An answer on its way: when the connection lets it go, it has gone.
struct Answer {
    body: Body,
    under_way: UnderWay,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let (Poll::Ready(Some(Ok(frame))), Some(line)) = (&polled, &mut self.under_way.line) {
            line.sent(frame.data_ref().map_or(0, Bytes::len));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
