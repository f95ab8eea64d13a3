//! One connection of the load maker: reads all that is at hand, begins what is due, flushes once.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use futures_util::{Sink, Stream, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};

use super::pacer::Schedule;
use super::wire::Incoming;
use super::work::{Shared, Turn, Work};

/// How long goodbyes may take.
const GOODBYE: Duration = Duration::from_secs(3);

/// How far the run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Connections are being opened.
    Opening,
    /// Units begin.
    Running,
    /// No more begin.
    Draining,
    /// Connections are being closed.
    Closing,
}

/// When a connection begins units.
#[derive(Debug)]
pub(super) enum Pace {
    /// Never.
    Passive,
    /// Whenever fewer than that are in flight.
    Closed(usize),
    /// At fixed moments.
    Open(Schedule),
}

pub(super) struct Connection {
    pub(super) socket: WebSocketStream<TcpStream>,
    pub(super) work: Box<dyn Work>,
    pub(super) pace: Pace,
    /// Woken from outside when a unit may begin.
    pub(super) waker: Arc<AtomicWaker>,
    pub(super) shared: Arc<Shared>,
    /// What the work wants to send.
    pub(super) out: Vec<String>,
    /// The server does not read: nothing begins until it does.
    pub(super) blocked: bool,
    /// Told once when the work is ready.
    pub(super) ready: Option<oneshot::Sender<()>>,
}

impl Connection {
    /// Works until `phase` is `Closing`, then closes.
    pub(super) async fn run(mut self, mut phase: watch::Receiver<Phase>) {
        self.with_turn(|work, turn| work.open(turn));
        let mut tick = interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        // A quiet connection would wake up for nothing.
        let ticks = !matches!(self.pace, Pace::Passive);
        loop {
            let now = *phase.borrow_and_update();
            if now == Phase::Closing {
                break;
            }
            tokio::select! {
                biased;
                reason = std::future::poll_fn(|cx| self.poll_turn(cx, now)) => return self.lost(&reason),
                _ = phase.changed() => {}
                _ = tick.tick(), if ticks => self.with_turn(|work, turn| work.expire(turn)),
            }
        }
        self.leave().await;
    }

    /// The connection has ended before its time.
    fn lost(&mut self, reason: &str) {
        let stats = &self.shared.stats;
        stats.error(1, &format!("connection lost: {reason}"));
        stats.fail(self.work.abandon(), "lost with its connection");
    }

    async fn leave(mut self) {
        self.with_turn(|work, turn| work.leave(turn));
        let goodbyes = std::future::poll_fn(|cx| match self.poll_turn(cx, Phase::Closing) {
            Poll::Ready(reason) => Poll::Ready(Err(reason)),
            Poll::Pending if self.work.has_left() => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        });
        match timeout(GOODBYE, goodbyes).await {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => return self.lost(&reason),
            Err(_elapsed) => self.shared.stats.error(1, "no answer to the goodbye"),
        }
        let close = async {
            let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
            if self.socket.close(Some(frame)).await.is_ok() {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        if timeout(GOODBYE, close).await.is_err() {
            self.shared.stats.error(1, "no answer to the close");
        }
    }

    /// Does what can be done now. Ready, with the reason, when the connection has ended.
    fn poll_turn(&mut self, cx: &mut Context<'_>, phase: Phase) -> Poll<String> {
        loop {
            match Pin::new(&mut self.socket).poll_next(cx) {
                Poll::Ready(Some(Ok(Message::Text(text)))) => match Incoming::parse(text.as_str()) {
                    Ok(message) => self.with_turn(|work, turn| work.on_message(&message, turn)),
                    Err(error) => self.shared.stats.error(1, &format!("unreadable message: {error}")),
                },
                Poll::Ready(Some(Ok(Message::Close(frame)))) => {
                    return Poll::Ready(frame.map_or_else(
                        || "closed without a code".to_owned(),
                        |frame| format!("closed with {} {}", u16::from(frame.code), frame.reason),
                    ));
                }
                // The pong goes out with the flush.
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(error))) => return Poll::Ready(error.to_string()),
                Poll::Ready(None) => return Poll::Ready("it has ended".to_owned()),
                Poll::Pending => break,
            }
        }
        if phase == Phase::Opening
            && self.work.is_ready()
            && let Some(ready) = self.ready.take()
        {
            // Nobody waits any longer if it took too long.
            let _ = ready.send(());
        }
        if phase == Phase::Running && !self.blocked {
            self.begin(cx);
        }
        match self.poll_write(cx) {
            Ok(()) => Poll::Pending,
            Err(error) => Poll::Ready(error.to_string()),
        }
    }

    /// Begins the units that are due.
    fn begin(&mut self, cx: &Context<'_>) {
        self.waker.register(cx.waker());
        match self.pace {
            Pace::Passive => {}
            Pace::Closed(limit) => {
                for _ in self.work.in_flight()..limit {
                    self.with_turn(|work, turn| work.begin(turn.now, turn));
                }
            }
            Pace::Open(ref mut schedule) => {
                let mut due = Vec::new();
                let now = Instant::now();
                while let Some(moment) = schedule.due(now) {
                    due.push(moment);
                }
                for moment in due {
                    self.with_turn(|work, turn| work.begin(moment, turn));
                }
            }
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<(), tungstenite::Error> {
        let mut socket = Pin::new(&mut self.socket);
        for text in self.out.drain(..) {
            socket.as_mut().start_send(Message::text(text))?;
        }
        match socket.poll_flush(cx) {
            Poll::Ready(result) => {
                self.blocked = false;
                result
            }
            Poll::Pending => {
                self.blocked = true;
                Ok(())
            }
        }
    }

    fn with_turn(&mut self, step: impl FnOnce(&mut dyn Work, &mut Turn<'_>)) {
        let mut turn = Turn { now: Instant::now(), out: &mut self.out, shared: &self.shared };
        step(&mut *self.work, &mut turn);
    }
}
