//! One WebSocket as a script sees it: frames in order, none lost while the script sleeps, pings answered all the time.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};

/// How long the peer may take to read what is sent, and to answer a close.
const PATIENCE: Duration = Duration::from_secs(5);

/// A data frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Text(String),
    /// A binary frame, which JSIP has not; its length in bytes.
    Binary(usize),
}

/// Why there is no frame, or none could be sent.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum FrameError {
    /// The peer closed, or the connection broke. It stays so.
    #[error("the connection is closed: {0}")]
    Closed(String),
    #[error("nothing came in {0:?}")]
    TimedOut(Duration),
    #[error("the peer read nothing for {PATIENCE:?}")]
    Stalled,
}

#[derive(Debug)]
pub(crate) struct Frames<S> {
    socket: WebSocketStream<S>,
    /// Came while nobody waited. Its size is the peer's choice: to stop reading would be to stop answering pings.
    waiting: VecDeque<Frame>,
    closed: Option<FrameError>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Frames<S> {
    pub(crate) fn new(socket: WebSocketStream<S>) -> Self {
        Self { socket, waiting: VecDeque::new(), closed: None }
    }

    /// The next frame, waiting at most `limit`, or for ever.
    pub(crate) async fn next(&mut self, limit: Option<Duration>) -> Result<Frame, FrameError> {
        if let Some(frame) = self.waiting.pop_front() {
            return Ok(frame);
        }
        match limit {
            None => self.read().await,
            Some(limit) => match timeout(limit, self.read()).await {
                Ok(result) => result,
                Err(_elapsed) => Err(FrameError::TimedOut(limit)),
            },
        }
    }

    /// Waits for `length`, keeping what comes in for later.
    pub(crate) async fn sleep(&mut self, length: Duration) {
        let end = Instant::now() + length;
        while self.closed.is_none() {
            tokio::select! {
                biased;
                () = sleep_until(end) => return,
                result = self.read() => if let Ok(frame) = result {
                    self.waiting.push_back(frame);
                },
            }
        }
        sleep_until(end).await;
    }

    /// Sends one text frame.
    pub(crate) async fn send(&mut self, text: String) -> Result<(), FrameError> {
        if let Some(closed) = &self.closed {
            return Err(closed.clone());
        }
        match timeout(PATIENCE, self.socket.send(Message::text(text))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.close_with(&error)),
            Err(_elapsed) => Err(FrameError::Stalled),
        }
    }

    /// Closes with 1000 and waits a moment for the peer's close.
    pub(crate) async fn close(mut self) {
        let goodbye = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        let closing = async {
            if self.socket.close(Some(goodbye)).await.is_ok() {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        // A peer that does not answer is cut off.
        let _ = timeout(PATIENCE, closing).await;
    }

    /// Reads until a data frame is there. May be dropped at any time.
    async fn read(&mut self) -> Result<Frame, FrameError> {
        if let Some(closed) = &self.closed {
            return Err(closed.clone());
        }
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(Frame::Text(text.as_str().to_owned())),
                Some(Ok(Message::Binary(bytes))) => return Ok(Frame::Binary(bytes.len())),
                // The pong goes out with the next poll.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(None))) => {
                    return Err(self.close_as("the peer gave no code"));
                }
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Err(self.close_as(&format!("{} {}", u16::from(frame.code), frame.reason)));
                }
                Some(Err(error)) => return Err(self.close_with(&error)),
                None => return Err(self.close_as("it has ended")),
            }
        }
    }

    fn close_with(&mut self, error: &tungstenite::Error) -> FrameError {
        self.close_as(&error.to_string())
    }

    fn close_as(&mut self, reason: &str) -> FrameError {
        self.closed.insert(FrameError::Closed(reason.trim_end().to_owned())).clone()
    }
}
