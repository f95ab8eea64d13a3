//! A WebSocket that costs its client little: there are thousands of them.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::common::{PING, PONG, TEXT, masked};

const CLOSE: u8 = 0x88;

/// How a client's end of the connection goes when the client lets go of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// At once: what is under way in either direction is lost. It leaves no port in use.
    Reset,
    /// What was sent still arrives.
    Finish,
}

#[derive(Debug)]
pub(crate) struct Line {
    tcp: TcpStream,
    came: Vec<u8>,
}

/// A frame of the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Text(String),
    Ping(String),
    Pong(String),
    Close,
}

impl Line {
    /// Connects from one of many addresses, so that ports do not run out.
    pub(crate) async fn connect(rtc: SocketAddr, user: &str, number: usize, cut: Cut) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        let last = u8::try_from(number % 32).unwrap() + 1;
        socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into())?;
        if cut == Cut::Reset {
            socket.set_zero_linger()?;
        }
        let mut tcp = socket.connect(rtc).await?;
        tcp.set_nodelay(true)?;
        let head = format!(
            "GET /rtc?userid={user} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        tcp.write_all(head.as_bytes()).await?;
        let mut line = Self { tcp, came: Vec::new() };
        let end = loop {
            if let Some(at) = line.came.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            line.read().await?;
        };
        let rest = line.came.split_off(end);
        let answer = std::mem::replace(&mut line.came, rest);
        if !answer.starts_with(b"HTTP/1.1 101 ") {
            return Err(io::Error::other(String::from_utf8_lossy(&answer).into_owned()));
        }
        Ok(line)
    }

    pub(crate) async fn text(&mut self, text: &str) -> io::Result<()> {
        self.tcp.write_all(&masked(TEXT, text)).await
    }

    /// The upgrade is answered a moment before the user can be reached: waits for what only the peer itself answers.
    pub(crate) async fn arrive(&mut self) -> io::Result<()> {
        self.tcp.write_all(&masked(PING, "here")).await?;
        while self.frame().await? != Frame::Pong("here".to_owned()) {}
        Ok(())
    }

    /// Answers a ping.
    pub(crate) async fn pong(&mut self, payload: &str) -> io::Result<()> {
        self.tcp.write_all(&masked(PONG, payload)).await
    }

    /// The next frame. May be dropped at any time.
    pub(crate) async fn frame(&mut self) -> io::Result<Frame> {
        loop {
            if let Some((frame, len)) = parse(&self.came) {
                self.came.drain(..len);
                if self.came.is_empty() {
                    // Thousands of clients that hold a long message each are too many.
                    self.came.shrink_to(256);
                }
                return Ok(frame);
            }
            self.read().await?;
        }
    }

    /// Closes cleanly and waits for the server's end; what still comes is not looked at.
    pub(crate) async fn close(mut self) -> io::Result<()> {
        self.tcp.write_all(&masked(CLOSE, "")).await?;
        while self.read().await.is_ok() {
            self.came.clear();
        }
        Ok(())
    }

    async fn read(&mut self) -> io::Result<()> {
        self.came.reserve(256);
        match self.tcp.read_buf(&mut self.came).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// The first frame and its length, if it has come whole.
fn parse(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (start, len) = match *bytes.get(1)? {
        126 => (4, usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]))),
        len => (2, usize::from(len)),
    };
    let payload = bytes.get(start..start + len)?;
    let text = || String::from_utf8(payload.to_vec()).unwrap();
    let frame = match bytes[0] {
        TEXT => Frame::Text(text()),
        PING => Frame::Ping(text()),
        PONG => Frame::Pong(text()),
        CLOSE => Frame::Close,
        first => panic!("frame {first:#x}"),
    };
    Some((frame, start + len))
}
