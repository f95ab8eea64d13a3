//! What carries a WebSocket: read and written in large pieces, through room that belongs to the thread and not to the connection.
//!
//! Most connections are silent most of the time. What one of them keeps while it is silent is what the server's memory is made of,
//! so a buffer that is used up is given back at once, and taken warm by whoever comes next.

use std::cell::{Cell, RefCell};
use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use rustix::io::ioctl_fionread;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::front::Stream;

/// What carries a WebSocket: TCP, TLS, a pipe in tests.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// Bytes that have come and were not read yet, as far as that is known.
    fn unread(&self) -> usize {
        0
    }
}

impl Io for TcpStream {
    fn unread(&self) -> usize {
        ioctl_fionread(self).ok().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0)
    }
}

impl Io for Stream {
    fn unread(&self) -> usize {
        self.tcp().unread()
    }
}

impl Io for TokioIo<Upgraded> {}

/// Bytes that are read from a connection at once.
const READ: usize = 16 * 1024;

/// Room for what is written that a thread keeps for the next connection.
const SPARE: usize = 64 * 1024;

thread_local! {
    /// Room for what a connection reads, while none reads.
    static ARRIVING: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
    /// Room for what a connection writes, while none writes.
    static LEAVING: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Buffers a connection, and counts what is written: a reader that takes little at a time is not one that takes nothing.
pub(crate) struct Buffered {
    io: Box<dyn Io>,
    /// What was read and found no room in the WebSocket yet.
    ahead: Option<Ahead>,
    /// What is to be written, from `gone` on.
    leaving: Vec<u8>,
    gone: usize,
    written: u64,
}

/// Bytes in a room of [`READ`] that came from the thread and goes back to it.
struct Ahead {
    room: Box<[u8]>,
    from: usize,
    to: usize,
}

impl Buffered {
    pub(super) fn new(io: impl Io) -> Self {
        Self { io: Box::new(io), ahead: None, leaving: Vec::new(), gone: 0, written: 0 }
    }

    /// The connection without what is buffered.
    pub(super) fn into_inner(self) -> Box<dyn Io> {
        self.io
    }

    /// Bytes that the other side's kernel, or this one's, has taken.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// About how many bytes have come and are not with the WebSocket yet.
    pub(crate) fn unread(&self) -> usize {
        self.ahead.as_ref().map_or(0, |ahead| ahead.to - ahead.from) + self.io.unread()
    }

    /// Reads into `buf`; 0 bytes are the end.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut ahead = match self.ahead.take() {
            Some(ahead) => ahead,
            None => {
                let mut room = ARRIVING.take().unwrap_or_else(|| vec![0; READ].into());
                let mut arrived = ReadBuf::new(&mut room);
                let read = Pin::new(&mut self.io).poll_read(cx, &mut arrived);
                let to = arrived.filled().len();
                match read {
                    Poll::Ready(Ok(())) => Ahead { room, from: 0, to },
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => {
                        ARRIVING.set(Some(room));
                        return Poll::Pending;
                    }
                }
            }
        };
        let count = fill(buf, ahead.room.get(ahead.from..ahead.to).unwrap_or_default());
        ahead.from += count;
        if ahead.from < ahead.to {
            self.ahead = Some(ahead);
        } else {
            ARRIVING.set(Some(ahead.room));
        }
        Poll::Ready(Ok(count))
    }

    /// Bytes that are to be written.
    pub(super) fn leaving(&self) -> usize {
        self.leaving.len() - self.gone
    }

    /// Adds to what is to be written. The socket bounds it.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        if self.leaving.capacity() == 0 {
            self.leaving = LEAVING.take();
        }
        if self.gone > self.leaving.len() / 2 {
            let gone = mem::take(&mut self.gone);
            self.leaving.drain(..gone);
        }
        self.leaving.extend_from_slice(bytes);
    }

    /// Writes what was added.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let rest @ [_, ..] = self.leaving.get(self.gone..).unwrap_or_default() {
            let count = ready!(Pin::new(&mut self.io).poll_write(cx, rest))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.gone += count;
            self.written += count as u64;
        }
        self.gone = 0;
        self.leaving.clear();
        let room = mem::take(&mut self.leaving);
        LEAVING.with_borrow_mut(|spare| {
            if room.capacity() > spare.capacity() && room.capacity() <= SPARE {
                *spare = room;
            }
        });
        Pin::new(&mut self.io).poll_flush(cx)
    }
}

/// Copies as much as fits; says how much.
fn fill(to: &mut [u8], from: &[u8]) -> usize {
    let count = to.len().min(from.len());
    if let (Some(to), Some(from)) = (to.get_mut(..count), from.get(..count)) {
        to.copy_from_slice(from);
    }
    count
}
