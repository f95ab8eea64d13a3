//! Connections to other servers that this one opens.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use jsip::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::actor::{Address, Hop, Mail, WebSocket};
use crate::node::Node;
use crate::rtc::Attachment;
use crate::spawn::{Doing, WaitsFor};

/// Dials a hop until it answers or the tries are used up, and tells the hop's actor. So many tries count as made.
pub(crate) async fn dial(node: Arc<Node>, hop: Arc<Hop>, actor: Address, made: u32, doing: Doing) {
    let jsip = node.live().settings.jsip.clone();
    let mut code = StatusCode::SERVICE_UNAVAILABLE;
    for attempt in made.min(jsip.retry)..jsip.retry.max(1) {
        if attempt > 0 {
            doing.waits_for(WaitsFor::Pause);
            sleep(pause(attempt)).await;
            doing.waits_for(WaitsFor::Hop);
        }
        match timeout(jsip.conntimeout, connect(&node, &hop)).await {
            Ok(Ok((ws, remote))) => {
                let _ = actor.send(Mail::Attach(Box::new(Attachment {
                    ws,
                    remote,
                    number: node.next_connection(),
                    pass: None,
                })));
                return;
            }
            Ok(Err(error)) => {
                code = StatusCode::SERVICE_UNAVAILABLE;
                tracing::debug!(hop = %actor.name(), attempt, %error, "cannot connect");
            }
            Err(_) => {
                code = StatusCode::REQUEST_TIMEOUT;
                tracing::debug!(hop = %actor.name(), attempt, "no answer in conntimeout");
            }
        }
    }
    tracing::warn!(hop = %actor.name(), tries = jsip.retry, "given up; what waited for it is dropped");
    let _ = actor.send(Mail::Unreachable(code));
}

async fn connect(node: &Node, hop: &Hop) -> Result<(WebSocket, SocketAddr), HopError> {
    let stream = TcpStream::connect((hop.host.trim_matches(['[', ']']), hop.port)).await?;
    stream.set_nodelay(true)?;
    let remote = stream.peer_addr()?;
    let live = node.live().clone();
    let location = live.settings.jsip.location.as_str();
    let url = format!("ws://{}:{}{}?userid={}", hop.host, hop.port, location, node.realm);
    let (upgraded, _) = client_async(url, Head::new(stream)).await.map_err(Box::new)?;
    let stream = upgraded.into_inner().tcp;
    Ok((WebSocket::new(stream, Vec::new(), Role::Client, live.settings.rtc.max_message_size), remote))
}

/// Reads no more than the head of an HTTP response: a frame that comes right behind it stays in the socket.
struct Head {
    tcp: TcpStream,
    /// How much of the empty line at its end has come.
    matched: usize,
}

/// How the head of an HTTP message ends (RFC 9112, 2.1).
const END: &[u8] = b"\r\n\r\n";

impl Head {
    fn new(tcp: TcpStream) -> Self {
        Self { tcp, matched: 0 }
    }

    /// How many of these bytes, which come next, belong to the head, and how much of its end has come with them.
    fn part(&self, bytes: &[u8]) -> (usize, usize) {
        let mut matched = self.matched;
        for (at, byte) in bytes.iter().enumerate() {
            if matched == END.len() {
                return (at, matched);
            }
            matched = match END.get(matched) {
                Some(expected) if expected == byte => matched + 1,
                _ => usize::from(*byte == b'\r'),
            };
        }
        (bytes.len(), matched)
    }
}

impl AsyncRead for Head {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut bytes = [0; 1024];
        let mut seen = ReadBuf::new(bytes.get_mut(..buf.remaining().min(1024)).unwrap_or_default());
        ready!(self.tcp.poll_peek(cx, &mut seen))?;
        let (count, _) = self.part(seen.filled());
        // So many are there.
        let mut taken = ReadBuf::new(bytes.get_mut(..count).unwrap_or_default());
        ready!(Pin::new(&mut self.tcp).poll_read(cx, &mut taken))?;
        (_, self.matched) = self.part(taken.filled());
        buf.put_slice(taken.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Head {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// A hop cannot be reached.
#[derive(Debug, thiserror::Error)]
enum HopError {
    #[error(transparent)]
    Connect(#[from] io::Error),
    #[error(transparent)]
    Upgrade(#[from] Box<tokio_tungstenite::tungstenite::Error>),
}

/// Twice as long each time, and never the same for two servers.
fn pause(attempt: u32) -> Duration {
    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(5);
    let longest = FIRST.saturating_mul(1 << attempt.min(16)).min(LONGEST);
    longest.mul_f64(rand::random_range(0.5..1.0))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_head_ends_where_it_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut other, _) = listener.accept().await.unwrap();
        let mut head = Head::new(stream);
        let mut text = [0; 64];
        // The end of the head comes in two parts, the second with what follows it.
        other.write_all(b"HTTP/1.1 101\r\r\n\r").await.unwrap();
        let first = head.read(&mut text).await.unwrap();
        assert_eq!(text[..first], *b"HTTP/1.1 101\r\r\n\r");
        other.write_all(b"\nframe\r\n\r\n").await.unwrap();
        let second = head.read(&mut text).await.unwrap();
        assert_eq!(text[..second], *b"\n");
        let mut rest = head.tcp;
        drop(other);
        let mut left = String::new();
        rest.read_to_string(&mut left).await.unwrap();
        assert_eq!(left, "frame\r\n\r\n");
    }
}
