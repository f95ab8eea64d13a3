//! A WebSocket by hand: nothing is answered, completed or hidden.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{PATIENCE, TestServer};

/// The first byte of a text frame.
pub(crate) const TEXT: u8 = 0x81;
/// Of a ping.
pub(crate) const PING: u8 = 0x89;
/// Of a pong.
pub(crate) const PONG: u8 = 0x8a;

/// A socket after its upgrade.
#[derive(Debug)]
pub(crate) struct RawSocket(pub(crate) TcpStream);

impl RawSocket {
    pub(crate) async fn connect(server: &TestServer, user: &str) -> Self {
        let mut tcp = TcpStream::connect(server.rtc).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let head = format!(
            "GET /rtc?userid={user} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        tcp.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = async {
            while !answer.ends_with(b"\r\n\r\n") {
                answer.push(tcp.read_u8().await.unwrap());
            }
        };
        timeout(PATIENCE, read).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer));
        Self(tcp)
    }

    pub(crate) async fn send(&mut self, first: u8, payload: &str) {
        self.0.write_all(&masked(first, payload)).await.unwrap();
    }

    /// The next frame: its first byte and its payload.
    pub(crate) async fn frame(&mut self) -> (u8, String) {
        timeout(PATIENCE, self.read()).await.unwrap()
    }

    async fn read(&mut self) -> (u8, String) {
        let first = self.0.read_u8().await.unwrap();
        let len = match self.0.read_u8().await.unwrap() {
            126 => usize::from(self.0.read_u16().await.unwrap()),
            127 => self.0.read_u64().await.unwrap() as usize,
            len => usize::from(len),
        };
        let mut payload = vec![0; len];
        self.0.read_exact(&mut payload).await.unwrap();
        (first, String::from_utf8(payload).unwrap())
    }
}

/// A frame as a client writes it (RFC 6455, 5.2), with a mask of zeros.
pub(crate) fn masked(first: u8, payload: &str) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ ..126 => frame.push(0x80 | len as u8),
        len => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload.as_bytes());
    frame
}
