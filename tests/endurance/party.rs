//! A user who loses nothing: it repeats what has no answer when it comes back, and answers repeats.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use serde_json::{Value, json};

use super::line::{Cut, Frame, Line};
use crate::common::{ack, answer, fields, request};

#[derive(Debug)]
pub(crate) struct Party {
    rtc: SocketAddr,
    pub(crate) user: String,
    number: usize,
    cut: Cut,
    line: Option<Line>,
    /// Of its dialog, on its side.
    pub(crate) dialog: String,
    cseq: u64,
    /// Requests without final answer, by CSeq.
    open: BTreeMap<u64, String>,
    /// Codes of final answers, by CSeq: those that are equal are repeats.
    pub(crate) finals: BTreeMap<u64, BTreeSet<u64>>,
    /// What the other has said, by its number: the CSeqs under which it came.
    pub(crate) heard: BTreeMap<u64, BTreeSet<u64>>,
    /// The INVITE that came.
    pub(crate) invited: Option<Value>,
    pub(crate) has_ack: bool,
    /// The other has hung up.
    pub(crate) is_over: bool,
    /// Messages that had come before.
    pub(crate) repeats: u64,
    /// It answers nothing.
    pub(crate) is_silent: bool,
}

impl Party {
    pub(crate) fn new(rtc: SocketAddr, user: String, number: usize, cut: Cut) -> Self {
        Self {
            rtc,
            dialog: format!("of-{user}"),
            user,
            number,
            cut,
            line: None,
            cseq: 0,
            open: BTreeMap::new(),
            finals: BTreeMap::new(),
            heard: BTreeMap::new(),
            invited: None,
            has_ack: false,
            is_over: false,
            repeats: 0,
            is_silent: false,
        }
    }

    /// Connects, and repeats what has no answer.
    pub(crate) async fn connect(&mut self) -> std::io::Result<()> {
        let mut line = Line::connect(self.rtc, &self.user, self.number, self.cut).await?;
        for text in self.open.values() {
            line.text(text).await?;
        }
        self.line = Some(line);
        Ok(())
    }

    /// Connects for the first time, and waits until it can be called.
    pub(crate) async fn arrive(&mut self) {
        self.connect().await.unwrap();
        self.line.as_mut().unwrap().arrive().await.unwrap();
    }

    /// The socket goes, without a word.
    pub(crate) fn cut(&mut self) {
        self.line = None;
    }

    pub(crate) async fn close(&mut self) {
        if let Some(line) = self.line.take() {
            line.close().await.unwrap();
        }
    }

    /// Sends a request in its dialog; gives its CSeq.
    pub(crate) async fn ask(&mut self, method: &str, to: &str, more: Value) -> u64 {
        self.cseq += 1;
        let request = fields(request(method, to, &self.user, &self.dialog, self.cseq), more);
        let text = request.to_string();
        self.write(&text).await;
        self.open.insert(self.cseq, text);
        self.cseq
    }

    pub(crate) fn is_answered(&self) -> bool {
        self.open.is_empty()
    }

    /// The next frame. May be dropped at any time.
    pub(crate) async fn frame(&mut self) -> Frame {
        let frame = self.line.as_mut().unwrap().frame().await;
        frame.unwrap_or_else(|error| panic!("{}: {error}", self.user))
    }

    /// Does what a frame asks for.
    pub(crate) async fn on_frame(&mut self, frame: Frame) {
        match frame {
            Frame::Text(text) => self.on_message(&serde_json::from_str(&text).unwrap()).await,
            Frame::Ping(payload) => self.line.as_mut().unwrap().pong(&payload).await.unwrap(),
            Frame::Pong(_) => {}
            Frame::Close => panic!("{}: closed", self.user),
        }
    }

    async fn on_message(&mut self, message: &Value) {
        match message["Code"].as_u64() {
            None if self.is_silent => {}
            None => self.on_request(message).await,
            Some(..200) => {}
            Some(code) => self.on_final(message, code).await,
        }
    }

    async fn on_request(&mut self, request: &Value) {
        let cseq = request["CSeq"].as_u64().unwrap();
        let before = match request["Type"].as_str().unwrap() {
            "ACK" => {
                let before = std::mem::replace(&mut self.has_ack, true);
                self.repeats += u64::from(before);
                return;
            }
            "INVITE" => {
                request["DialogueID"].as_str().unwrap().clone_into(&mut self.dialog);
                self.invited.replace(request.clone()).is_some()
            }
            "BYE" => std::mem::replace(&mut self.is_over, true),
            "INFO" => {
                let number = request["X-Number"].as_u64().unwrap();
                !self.heard.entry(number).or_default().insert(cseq)
            }
            _ => false,
        };
        self.repeats += u64::from(before);
        self.write(&answer(request, 200).to_string()).await;
    }

    async fn on_final(&mut self, response: &Value, code: u64) {
        let cseq = response["CSeq"].as_u64().unwrap();
        assert!(cseq <= self.cseq, "{}: {response}", self.user);
        let text = self.open.remove(&cseq);
        let is_new = self.finals.entry(cseq).or_default().insert(code);
        self.repeats += u64::from(!is_new);
        let is_invite = text.is_some_and(|text| text.contains(r#""INVITE""#));
        if is_invite {
            self.cseq += 1;
            let ack = ack(response, self.cseq).to_string();
            self.write(&ack).await;
        }
    }

    /// Whoever has been cut off notices when it reads.
    async fn write(&mut self, text: &str) {
        if let Some(line) = &mut self.line {
            let _ = line.text(text).await;
        }
    }
}

/// A number of an INFO.
pub(crate) fn said(number: u64) -> Value {
    json!({"X-Number": number})
}
