//! A client: one WebSocket, driven by hand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::messages::{answer, fields, has};
use super::{PATIENCE, Redactor, TestServer};

/// A user's socket. It answers pings while it waits for a frame.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) ws: WebSocketStream<TcpStream>,
    pub(crate) user: String,
    log: Option<Log>,
    /// What came before the client was known to have arrived.
    early: VecDeque<Message>,
}

/// What clients sent and received, in the order of the test's steps.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<String>>);

impl Log {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The lines, for a snapshot.
    pub(crate) fn redacted(&self) -> String {
        Redactor::new().redact(&self.0.lock().unwrap())
    }

    fn line(&self, user: &str, way: char, text: &str) {
        let name = user.split('@').next().unwrap_or_default();
        *self.0.lock().unwrap() += &format!("{name} {way} {text}\n");
    }
}

impl Client {
    pub(crate) async fn connect(server: &TestServer, user: &str) -> Self {
        let mut client = Self::try_connect(server, &format!("/rtc?userid={user}"), user).await.unwrap();
        client.arrive().await;
        client
    }

    /// One whose messages are logged.
    pub(crate) async fn logged(server: &TestServer, user: &str, log: &Log) -> Self {
        Self { log: Some(log.clone()), ..Self::connect(server, user).await }
    }

    /// The upgrade is answered a moment before the user can be reached: waits for what only the peer itself answers.
    async fn arrive(&mut self) {
        const HERE: &[u8] = b"here";
        self.send_frame(Message::Ping(HERE.into())).await;
        loop {
            let frame = timeout(PATIENCE, self.ws.next()).await;
            match frame.unwrap_or_else(|_| panic!("{} never arrived", self.user)) {
                Some(Ok(Message::Pong(payload))) if payload == HERE => return,
                // It was not to stay.
                Some(Ok(frame @ Message::Close(_))) => return self.early.push_back(frame),
                Some(Ok(frame)) => self.early.push_back(frame),
                other => panic!("{}: no frame but {other:?}", self.user),
            }
        }
    }

    /// Connects to a path of the RTC side.
    pub(crate) async fn try_connect(
        server: &TestServer,
        path: &str,
        user: &str,
    ) -> Result<Self, tungstenite::Error> {
        let tcp = TcpStream::connect(server.rtc).await?;
        tcp.set_nodelay(true)?;
        let url = format!("ws://{}{path}", server.rtc);
        let (ws, _) = timeout(PATIENCE, client_async(url, tcp)).await.unwrap()?;
        Ok(Self { ws, user: user.to_owned(), log: None, early: VecDeque::new() })
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        self.send_text(&message.to_string()).await;
    }

    /// Answers a request; `more` has what else the response holds.
    pub(crate) async fn reply_with(&mut self, request: &Value, code: u16, more: Value) {
        self.send(&fields(answer(request, code), more)).await;
    }

    pub(crate) async fn reply(&mut self, request: &Value, code: u16) {
        self.send(&answer(request, code)).await;
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.note('>', text);
        self.send_frame(Message::text(text)).await;
    }

    pub(crate) async fn send_frame(&mut self, frame: Message) {
        timeout(PATIENCE, self.ws.send(frame)).await.unwrap().unwrap();
    }

    /// The next frame of any kind.
    pub(crate) async fn frame(&mut self) -> Message {
        let frame = timeout(PATIENCE, self.read()).await;
        frame.unwrap_or_else(|_| panic!("{}: nothing came", self.user))
    }

    /// The next message.
    pub(crate) async fn recv(&mut self) -> Value {
        let message = timeout(PATIENCE, self.read_message()).await;
        message.unwrap_or_else(|_| panic!("{}: nothing came", self.user))
    }

    /// The next message, which has these fields.
    #[track_caller]
    pub(crate) fn expect(&mut self, expected: Value) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            let message = timeout(PATIENCE, self.read_message()).await;
            let user = &self.user;
            let message = message.unwrap_or_else(|_| panic!("{user}: {expected} never came ({caller})"));
            assert!(has(&message, &expected), "{user}: {expected} expected, got {message} ({caller})");
            message
        }
    }

    async fn read(&mut self) -> Message {
        if let Some(frame) = self.early.pop_front() {
            return frame;
        }
        match self.ws.next().await {
            Some(Ok(frame)) => frame,
            other => panic!("{}: no frame but {other:?}", self.user),
        }
    }

    async fn read_message(&mut self) -> Value {
        loop {
            match self.read().await {
                Message::Text(text) => {
                    self.note('<', &text);
                    return serde_json::from_str(&text).unwrap();
                }
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{}: {other:?}", self.user),
            }
        }
    }

    fn note(&self, way: char, text: &str) {
        if let Some(log) = &self.log {
            log.line(&self.user, way, text);
        }
    }

    /// Waits for the server's close, skipping messages, and gives its code.
    pub(crate) async fn close_code(&mut self) -> u16 {
        loop {
            match self.frame().await {
                Message::Close(Some(frame)) => return frame.code.into(),
                Message::Close(None) => panic!("{}: closed without a code", self.user),
                _ => {}
            }
        }
    }

    /// Closes with 1000 and waits for the end. All that came must have been read.
    pub(crate) async fn close(self) {
        let user = self.user.clone();
        let rest = self.close_with(Some(CloseCode::Normal)).await;
        assert!(rest.is_empty(), "{user}: {rest:?} was not expected");
    }

    /// Closes, and gives the messages that still came.
    pub(crate) async fn close_with(mut self, code: Option<CloseCode>) -> Vec<Value> {
        let frame = code.map(|code| CloseFrame { code, reason: "".into() });
        let mut rest = Vec::new();
        timeout(PATIENCE, async {
            self.ws.close(frame).await.unwrap();
            let mut came = self.early;
            while let Some(Ok(frame)) = self.ws.next().await {
                came.push_back(frame);
            }
            for frame in came {
                if let Message::Text(text) = frame {
                    rest.push(serde_json::from_str(&text).unwrap());
                }
            }
        })
        .await
        .unwrap();
        rest
    }
}
