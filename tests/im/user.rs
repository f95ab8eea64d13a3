use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::common::{PATIENCE, answer, fields, request};
use crate::line::{Cut, Frame, Line};

/// A user's socket.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) name: String,
    line: Line,
    early: VecDeque<Value>,
    dialogs: u64,
}

impl User {
    pub(crate) async fn connect(rtc: SocketAddr, name: &str, number: usize) -> io::Result<Self> {
        let line = Line::connect(rtc, name, number, Cut::Reset).await?;
        Ok(Self { name: name.to_owned(), line, early: VecDeque::new(), dialogs: 0 })
    }

    pub(crate) async fn send(&mut self, message: &Value) -> io::Result<()> {
        self.line.text(&message.to_string()).await
    }

    /// The next message. May be dropped at any time.
    pub(crate) async fn recv(&mut self) -> io::Result<Value> {
        loop {
            match self.line.frame().await? {
                Frame::Text(text) => return Ok(serde_json::from_str(&text).unwrap()),
                Frame::Ping(payload) => self.line.pong(&payload).await?,
                Frame::Pong(_) => {}
                Frame::Close => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
        }
    }

    /// Registers, and waits for the answer; what else comes meanwhile is kept.
    pub(crate) async fn register(&mut self) -> io::Result<Value> {
        let name = self.name.clone();
        self.ask("REGISTER", &name, json!({"Expire": 3600})).await
    }

    /// Sends a request and gives its answer; what else comes meanwhile is kept.
    pub(crate) async fn ask(&mut self, method: &str, to: &str, more: Value) -> io::Result<Value> {
        self.dialogs += 1;
        let dialog = format!("{}-{}", self.name, self.dialogs);
        self.send(&fields(request(method, to, &self.name, &dialog, 1), more)).await?;
        loop {
            let message = self.recv().await?;
            if message["DialogueID"] == dialog.as_str() {
                return Ok(message);
            }
            self.early.push_back(message);
        }
    }

    /// Says something; the text is the `Message-ID` as well.
    pub(crate) async fn say(&mut self, to: &str, text: &str) -> Value {
        let asked = self.ask("MESSAGE", to, json!({"Message-ID": text, "Body": text}));
        timeout(PATIENCE, asked).await.unwrap().unwrap()
    }

    /// The next request.
    pub(crate) async fn request(&mut self) -> Value {
        if let Some(message) = self.early.pop_front() {
            return message;
        }
        let message = timeout(PATIENCE, self.recv()).await;
        message.unwrap_or_else(|_| panic!("{}: nothing came", self.name)).unwrap()
    }

    /// The requests that came while it waited for an answer.
    pub(crate) fn early(&mut self) -> VecDeque<Value> {
        std::mem::take(&mut self.early)
    }

    /// The next request, which is this message; it is answered.
    pub(crate) async fn hears(&mut self, text: &str) -> Value {
        let message = self.request().await;
        assert_eq!((&message["Type"], &message["Body"]), (&json!("MESSAGE"), &json!(text)), "{}", self.name);
        self.send(&answer(&message, 200)).await.unwrap();
        message
    }
}
