//! The frames of a WebSocket, over a connection that is polled.
//!
//! tungstenite's own state machine, without the stream around it: that is made for a socket whose halves are held by two tasks, and
//! keeps a waker for each. Of its two buffers, for a frame under way and for one that leaves, each keeps the size of the largest frame that
//! the connection has seen.

use std::io::{self, Read, Write};
use std::task::{Context, Poll, Waker, ready};

use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::{Error, Result};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig, WebSocketContext};

use super::io::{Buffered, Io};

/// See the module.
pub(crate) struct WebSocket {
    io: Buffered,
    frames: WebSocketContext,
}

impl WebSocket {
    /// After the handshake. What was `read` with that comes first.
    pub(crate) fn new(io: impl Io, read: Vec<u8>, role: Role, max_message: usize) -> Self {
        /// Room for a frame under way; it grows with the frame. Each idle connection has it.
        const FRAME: usize = 512;
        let config = WebSocketConfig::default()
            .read_buffer_size(FRAME)
            .write_buffer_size(0)
            .max_message_size(Some(max_message))
            .max_frame_size(Some(max_message));
        Self {
            io: Buffered::new(io),
            frames: WebSocketContext::from_partially_read(read, role, Some(config)),
        }
    }

    /// The next message.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message>> {
        match self.frames.read(&mut Pipe { io: &mut self.io, cx }) {
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            read => Poll::Ready(read),
        }
    }

    /// Adds a message to what the next flush writes.
    pub(crate) fn add(&mut self, message: Message) -> Result<()> {
        // Nothing is written here, so nobody is woken.
        self.frames
            .write(&mut Pipe { io: &mut self.io, cx: &mut Context::from_waker(Waker::noop()) }, message)
    }

    /// Adds the goodbye.
    pub(crate) fn add_close(&mut self, frame: Option<CloseFrame>) -> Result<()> {
        self.frames.close(&mut Pipe { io: &mut self.io, cx: &mut Context::from_waker(Waker::noop()) }, frame)
    }

    /// Writes what was added, and what answers pings and goodbyes.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let added = self.frames.flush(&mut Pipe { io: &mut self.io, cx });
        ready!(self.io.poll_flush(cx))?;
        Poll::Ready(added)
    }

    /// The connection.
    pub(crate) fn io(&self) -> &Buffered {
        &self.io
    }

    /// The connection, to end it.
    pub(crate) fn into_io(self) -> Box<dyn Io> {
        self.io.into_inner()
    }
}

/// The connection as the state machine sees it: one that never waits.
struct Pipe<'p, 'c> {
    io: &'p mut Buffered,
    cx: &'p mut Context<'c>,
}

impl Read for Pipe<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.io.poll_read(self.cx, buf) {
            Poll::Ready(read) => read,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for Pipe<'_, '_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.io.add(buf);
        Ok(buf.len())
    }

    /// What was added leaves at the end of the turn.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
