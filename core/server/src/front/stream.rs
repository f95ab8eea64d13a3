//! What carries a connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::pace::Pace;
use super::visitors::Seat;

/// A connection of either kind.
#[derive(Debug)]
pub(crate) struct Stream {
    transport: Transport,
    /// Is told of what comes and goes, as long as this is HTTP.
    pace: Option<Arc<Pace>>,
    /// Counts it as long as it is open.
    _seat: Option<Seat>,
}

#[derive(Debug)]
enum Transport {
    Plain(TcpStream),
    /// In a box: most connections may be plain, and would pay for it.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    pub(super) fn plain(tcp: TcpStream) -> Self {
        Self { transport: Transport::Plain(tcp), pace: None, _seat: None }
    }

    pub(super) fn tls(tls: TlsStream<TcpStream>) -> Self {
        Self { transport: Transport::Tls(Box::new(tls)), pace: None, _seat: None }
    }

    pub(super) fn seated(self, seat: Option<Seat>) -> Self {
        Self { _seat: seat, ..self }
    }

    pub(super) fn paced(self, pace: Arc<Pace>) -> Self {
        Self { pace: Some(pace), ..self }
    }

    /// What carries it, under TLS too.
    pub(crate) fn tcp(&self) -> &TcpStream {
        match &self.transport {
            Transport::Plain(tcp) => tcp,
            Transport::Tls(tls) => tls.get_ref().0,
        }
    }

    /// The stream, when it is no longer HTTP.
    pub(crate) fn upgraded(self) -> Self {
        Self { pace: None, ..self }
    }

    fn note(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let (Some(pace), Poll::Ready(Ok(_))) = (&self.pace, &written) {
            pace.took();
        }
        written
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = buf.filled().len();
        let read = match &mut self.transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Transport::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        };
        if let Some(pace) = &self.pace
            && buf.filled().len() > filled
        {
            pace.heard();
        }
        read
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = match &mut self.transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Transport::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        };
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, bufs),
            Transport::Tls(tls) => Pin::new(tls).poll_write_vectored(cx, bufs),
        };
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Plain(tcp) => tcp.is_write_vectored(),
            Transport::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = match &mut self.transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Transport::Tls(tls) => Pin::new(tls).poll_flush(cx),
        };
        if let (Some(pace), Poll::Ready(Ok(()))) = (&self.pace, &flushed) {
            pace.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Transport::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
