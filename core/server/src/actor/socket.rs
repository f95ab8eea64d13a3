//! The socket of a peer: never awaited, only polled.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use jsip::ByteString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::WebSocket;
use crate::front::Pass;

/// Bytes that wait in the WebSocket itself; more wait in front of it.
const HIGH: usize = 64 * 1024;

/// Who has so many bytes before it is not read: what the server sends stays below, but pongs answer whatever was read.
const CLOGGED: usize = 4 * HIGH;

/// So many times the limit may wait for a reader that does read: a burst.
const BURST: usize = 8;

/// A reader that takes nothing for so long does not read.
const MOMENT: Duration = Duration::from_secs(1);

/// The close code of a socket whose userid has connected again.
const REPLACED: u16 = 4001;

/// Why the server closes a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closing {
    GoingAway,
    Binary,
    NotUtf8,
    TooBig,
    BadFrames,
    Slow,
    Silent,
    Replaced,
    Protocol,
    /// The client closed, or the connection broke.
    Answer,
}

impl Closing {
    /// All, by their names in metrics.
    pub(crate) const ALL: [(Self, &'static str); 10] = [
        (Self::GoingAway, "going_away"),
        (Self::Binary, "binary"),
        (Self::NotUtf8, "not_utf8"),
        (Self::TooBig, "too_big"),
        (Self::BadFrames, "bad_frames"),
        (Self::Slow, "slow"),
        (Self::Silent, "silent"),
        (Self::Replaced, "replaced"),
        (Self::Protocol, "protocol"),
        (Self::Answer, "answer"),
    ];

    fn frame(self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::GoingAway => (CloseCode::Away, "server going away"),
            Self::Binary => (CloseCode::Unsupported, "binary frame"),
            Self::NotUtf8 => (CloseCode::Invalid, "not UTF-8"),
            Self::TooBig => (CloseCode::Size, "message too big"),
            Self::BadFrames => (CloseCode::Policy, "too many bad frames"),
            Self::Slow => (CloseCode::Policy, "reads too slowly"),
            Self::Silent => (CloseCode::Policy, "no sign of life"),
            Self::Replaced => (CloseCode::from(REPLACED), "replaced by a new connection"),
            Self::Protocol => (CloseCode::Protocol, "not WebSocket"),
            Self::Answer => return None,
        };
        Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) })
    }
}

/// What came from a socket.
pub(crate) enum Read {
    Text(Utf8Bytes),
    /// The payload of a pong, if it is a number.
    Pong(Option<u64>),
    Ping,
    /// The client closed it; cleanly, if it said so with code 1000, 1001 or none.
    Closed {
        clean: bool,
    },
    /// The other side has a newer connection of this one (4001).
    Replaced,
    /// The server has to close it.
    Bad(Closing),
    Broken,
}

/// A peer's socket.
pub(crate) struct Socket {
    ws: WebSocket,
    pub(crate) remote: SocketAddr,
    /// Counts the client at its address, until the socket has closed.
    pub(super) pass: Option<Arc<Pass>>,
    /// Something was given to the WebSocket since its last complete flush.
    dirty: bool,
    /// Bytes in the WebSocket that are not known to be written.
    unwritten: usize,
    /// Frames that wait in front of it.
    backlog: VecDeque<Message>,
    backlog_bytes: usize,
    /// How much may wait for a reader that does not read.
    limit: usize,
    /// What came all at once when the socket was attached: until it is written, so much more may wait.
    allowed: usize,
    written: u64,
    /// Was not read for that.
    clogged: bool,
    /// Bytes of messages that were read since somebody asked.
    read: usize,
    /// Since when nothing could be written.
    pub(crate) stalled: Option<Instant>,
}

impl Socket {
    /// At most so many bytes wait for a reader that does not keep up.
    pub(crate) fn new(ws: WebSocket, remote: SocketAddr, pass: Option<Arc<Pass>>, limit: usize) -> Self {
        Self {
            ws,
            remote,
            pass,
            dirty: false,
            unwritten: 0,
            backlog: VecDeque::new(),
            backlog_bytes: 0,
            limit,
            allowed: 0,
            written: 0,
            clogged: false,
            read: 0,
            stalled: None,
        }
    }

    /// What waits now came all at once, from the queue of an absent peer: it does not count against the reader.
    pub(crate) fn allow_backlog(&mut self) {
        self.allowed = self.backlog_bytes;
    }

    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Read> {
        loop {
            if self.ws.io().leaving() >= CLOGGED {
                // The flush that cannot write all wakes the actor.
                (self.dirty, self.clogged) = (true, true);
                return Poll::Pending;
            }
            let Poll::Ready(read) = self.ws.poll_read(cx) else { return Poll::Pending };
            if let Ok(message) = &read {
                self.read += message.len();
            }
            return Poll::Ready(match read {
                Ok(Message::Text(text)) => Read::Text(text),
                Ok(Message::Binary(_)) => Read::Bad(Closing::Binary),
                Ok(Message::Ping(_)) => {
                    // The pong that answers it waits for a flush.
                    self.dirty = true;
                    Read::Ping
                }
                Ok(Message::Pong(payload)) => {
                    Read::Pong(std::str::from_utf8(&payload).ok().and_then(|text| text.parse().ok()))
                }
                Ok(Message::Close(Some(frame))) if u16::from(frame.code) == REPLACED => Read::Replaced,
                Ok(Message::Close(frame)) => Read::Closed { clean: is_clean(frame.as_ref()) },
                Ok(Message::Frame(_)) => continue,
                Err(Error::Capacity(CapacityError::MessageTooLong { .. })) => Read::Bad(Closing::TooBig),
                Err(Error::Utf8(_)) => Read::Bad(Closing::NotUtf8),
                Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => Read::Broken,
                Err(Error::Protocol(_)) => Read::Bad(Closing::Protocol),
                Err(_) => Read::Broken,
            });
        }
    }

    /// Whether it can be read again, and could not before.
    pub(crate) fn is_free_again(&mut self) -> bool {
        let free = self.clogged && self.ws.io().leaving() < CLOGGED;
        self.clogged &= !free;
        free
    }

    /// How many bytes of messages were read since the last time.
    pub(crate) fn take_read(&mut self) -> usize {
        std::mem::take(&mut self.read)
    }

    /// About how many bytes have come and were not read yet.
    pub(crate) fn unread(&self) -> usize {
        self.ws.io().unread()
    }

    /// Adds a text frame to what is written at the end of the turn.
    pub(crate) fn text(&mut self, text: ByteString) -> Result<(), Closing> {
        // A frame, as a text would be looked through for UTF-8 again.
        self.send(Message::Frame(Frame::message(text.into_bytes(), OpCode::Data(Data::Text), true)))
    }

    /// Adds a ping. It counts the frames before it, so it waits behind them.
    pub(crate) fn ping(&mut self, count: u64) -> Result<(), Closing> {
        self.send(Message::Ping(Bytes::from(count.to_string())))
    }

    fn send(&mut self, message: Message) -> Result<(), Closing> {
        if self.unwritten < HIGH && self.backlog.is_empty() {
            return self.write(message);
        }
        self.backlog_bytes += message.len();
        self.backlog.push_back(message);
        let most = self.limit.saturating_mul(BURST).saturating_add(self.allowed);
        if self.backlog_bytes > most { Err(Closing::Slow) } else { Ok(()) }
    }

    fn write(&mut self, message: Message) -> Result<(), Closing> {
        self.dirty = true;
        self.unwritten += message.len();
        self.ws.add(message).map_err(|_| Closing::Answer)
    }

    /// Writes what can be written; remembers since when nothing could.
    pub(crate) fn flush(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<(), Closing> {
        while self.dirty {
            let flushed = self.ws.poll_flush(cx);
            let written = self.ws.io().written();
            let progress = written - std::mem::replace(&mut self.written, written);
            match flushed {
                Poll::Ready(Ok(())) => {
                    self.dirty = false;
                    self.unwritten = 0;
                    self.stalled = None;
                }
                Poll::Ready(Err(_)) => return Err(Closing::Answer),
                Poll::Pending => {
                    self.unwritten = self.unwritten.saturating_sub(progress as usize);
                    if progress > 0 || self.stalled.is_none() {
                        self.stalled = Some(now);
                    }
                    let idle = self.stalled.is_some_and(|since| now >= since + MOMENT);
                    let most = self.limit.saturating_add(self.allowed);
                    return if idle && self.backlog_bytes > most { Err(Closing::Slow) } else { Ok(()) };
                }
            }
            while self.unwritten < HIGH
                && let Some(message) = self.backlog.pop_front()
            {
                self.backlog_bytes -= message.len();
                self.write(message)?;
            }
            if self.backlog.is_empty() {
                self.allowed = 0;
            }
        }
        Ok(())
    }

    /// Closes the socket, best beside the actor: writes the close frame, waits for the other side a little, and lets go.
    pub(crate) async fn close(self, closing: Closing) {
        close(self.ws, closing).await;
    }
}

async fn close(mut ws: WebSocket, closing: Closing) {
    /// How long the other side may take to say goodbye.
    const GOODBYE: Duration = Duration::from_secs(2);
    /// How much of what it still sends is read, so that the close frame is not lost to a reset.
    const REST: usize = 1024 * 1024;
    let _ = timeout(GOODBYE, async {
        // If the other side closed first, the answer to that is still to be written; or the connection is broken.
        let _ = ws.add_close(closing.frame());
        let _ = poll_fn(|cx| ws.poll_flush(cx)).await;
        let mut io = ws.into_io();
        let _ = io.shutdown().await;
        let mut buffer = [0; 1024];
        let mut rest = REST;
        while let Ok(read @ 1..) = io.read(&mut buffer).await {
            if read > rest {
                break;
            }
            rest -= read;
        }
    })
    .await;
}

fn is_clean(frame: Option<&CloseFrame>) -> bool {
    frame.is_none_or(|frame| matches!(frame.code, CloseCode::Normal | CloseCode::Away | CloseCode::Status))
}

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex, sink, split};
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::super::io::Io;
    use super::*;

    impl Io for DuplexStream {}

    /// Who pings without end and takes no pong is not read any more, until there is room again.
    #[tokio::test]
    async fn a_flood_of_pings_fills_no_memory() {
        const PINGS: usize = 10_000;
        let (mine, theirs) = duplex(1024);
        let (mut answers, mut pings) = split(theirs);
        tokio::spawn(async move {
            let mut frame = vec![0x89, 0x80 | 125, 0, 0, 0, 0];
            frame.resize(6 + 125, b'x');
            for _ in 0..PINGS {
                pings.write_all(&frame).await.unwrap();
            }
        });
        let ws = WebSocket::new(mine, Vec::new(), Role::Server, 1024);
        let mut socket = Socket::new(ws, ([127, 0, 0, 1], 1).into(), None, 1024);
        let now = Instant::now();
        let mut read = 0;
        poll_fn(|cx| {
            while let Poll::Ready(Read::Ping) = socket.poll_read(cx) {
                read += 1;
            }
            socket.flush(cx, now).unwrap();
            if socket.clogged { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        assert!((CLOGGED..CLOGGED + 256).contains(&socket.ws.io().leaving()));
        assert!(!socket.is_free_again());
        tokio::spawn(async move { tokio::io::copy(&mut answers, &mut sink()).await });
        poll_fn(|cx| {
            while let Poll::Ready(Read::Ping) = socket.poll_read(cx) {
                read += 1;
            }
            socket.flush(cx, now).unwrap();
            if socket.is_free_again() {
                cx.waker().wake_by_ref();
            }
            if read == PINGS { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}
