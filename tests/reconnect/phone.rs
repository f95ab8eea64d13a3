//! A client that loses nothing: what the protocol asks of one whose socket breaks.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::common::{ack, answer, fields, request};

/// What a phone has to do: it calls, or waits for a call, and says numbered things while the call is up.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) user: String,
    pub(crate) other: String,
    pub(crate) calls: bool,
    /// How many INFOs it sends.
    pub(crate) say: u64,
    /// How many it gets before it hangs up.
    pub(crate) hear: u64,
}

/// What happened to a phone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    /// Numbers that were heard, in order, each once.
    pub(crate) heard: Vec<u64>,
    /// Messages that had come before.
    pub(crate) repeats: u64,
    pub(crate) connections: u64,
    /// Final answers by CSeq of its own requests.
    pub(crate) finals: HashMap<u64, Vec<u64>>,
    pub(crate) asked: u64,
    /// It hung up, or the other did.
    pub(crate) over: bool,
}

/// Something to send again after a reconnect, in the order in which it was sent first.
#[derive(Debug)]
struct Sent {
    text: String,
    /// The CSeq of a request that waits for its final answer.
    request: Option<u64>,
}

/// How many ACKs and final responses are sent again.
const RECENT: usize = 32;
/// INFOs without an answer.
const WINDOW: usize = 3;

#[derive(Debug)]
pub(crate) struct Phone {
    job: Job,
    address: SocketAddr,
    dialog: String,
    cseq: u64,
    /// Whose socket is gone, or was never there: `None`.
    ws: Option<WebSocketStream<TcpStream>>,
    sent: Vec<Sent>,
    seen: HashSet<(String, u64, u64)>,
    answers: HashMap<(String, u64), String>,
    said: u64,
    up: bool,
    record: watch::Sender<Record>,
}

impl Phone {
    pub(crate) fn new(address: SocketAddr, job: Job) -> Self {
        let dialog = format!("call-of-{}", job.user);
        Self {
            job,
            address,
            dialog,
            cseq: 0,
            ws: None,
            sent: Vec::new(),
            seen: HashSet::new(),
            answers: HashMap::new(),
            said: 0,
            up: false,
            record: watch::Sender::default(),
        }
    }

    pub(crate) fn record(&self) -> watch::Receiver<Record> {
        self.record.subscribe()
    }

    /// Does its job, and goes on answering until `stop`; then closes, and gives what happened.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) -> Record {
        loop {
            let heard = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                heard = self.next() => heard,
            };
            if let Some(message) = heard {
                self.on_message(&message).await;
            }
            self.go_on().await;
        }
        if let Some(mut ws) = self.ws.take() {
            let _ = ws.close(None).await;
            while let Some(Ok(_)) = ws.next().await {}
        }
        self.record.borrow().clone()
    }

    /// The next message; none if the socket broke, or is new.
    async fn next(&mut self) -> Option<Value> {
        let Some(ws) = &mut self.ws else {
            self.connect().await;
            return None;
        };
        match ws.next().await {
            Some(Ok(Message::Text(text))) => Some(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => None,
            Some(Ok(other)) => panic!("{}: {other:?}", self.job.user),
            Some(Err(_)) | None => {
                self.ws = None;
                None
            }
        }
    }

    async fn connect(&mut self) {
        let Ok(tcp) = TcpStream::connect(self.address).await else { return };
        tcp.set_nodelay(true).unwrap();
        let url = format!("ws://{}/rtc?userid={}", self.address, self.job.user);
        let Ok((mut ws, _)) = client_async(url, tcp).await else { return };
        for sent in &self.sent {
            if ws.send(Message::text(sent.text.clone())).await.is_err() {
                return;
            }
        }
        self.ws = Some(ws);
        self.record.send_modify(|record| record.connections += 1);
    }

    /// Says what there is to say.
    async fn go_on(&mut self) {
        if self.ws.is_none() {
            return;
        }
        match (self.cseq, self.job.calls) {
            (0, true) => self.ask("INVITE", json!({"Expire": 600})).await,
            // When this has its answer, the server knows the user.
            (0, false) => self.ask("MESSAGE", json!({"Request-URI": "Recv_MESSAGE"})).await,
            _ => {}
        }
        while self.up && self.said < self.job.say && self.open() < WINDOW {
            self.said += 1;
            let n = self.said;
            self.ask("INFO", json!({"X-Number": n})).await;
        }
        let heard = self.record.borrow().heard.len() as u64;
        if self.job.calls
            && self.up
            && self.said == self.job.say
            && self.open() == 0
            && heard == self.job.hear
        {
            self.up = false;
            self.ask("BYE", json!({})).await;
        }
    }

    fn open(&self) -> usize {
        self.sent.iter().filter(|sent| sent.request.is_some()).count()
    }

    async fn ask(&mut self, method: &str, more: Value) {
        self.cseq += 1;
        let (caller, callee) = match self.job.calls {
            true => (&self.job.user, &self.job.other),
            false => (&self.job.other, &self.job.user),
        };
        let message = fields(request(method, callee, caller, &self.dialog, self.cseq), more);
        self.record.send_modify(|record| record.asked += 1);
        self.send(message.to_string(), Some(self.cseq)).await;
    }

    async fn send(&mut self, text: String, request: Option<u64>) {
        self.sent.push(Sent { text: text.clone(), request });
        let others = self.sent.iter().filter(|sent| sent.request.is_none()).count();
        if others > RECENT {
            let oldest = self.sent.iter().position(|sent| sent.request.is_none()).unwrap();
            self.sent.remove(oldest);
        }
        self.write(text).await;
    }

    async fn write(&mut self, text: String) {
        let Some(ws) = &mut self.ws else { return };
        if ws.send(Message::text(text)).await.is_err() {
            self.ws = None;
        }
    }

    async fn on_message(&mut self, message: &Value) {
        let dialog = message["DialogueID"].as_str().unwrap().to_owned();
        let (cseq, code) = (message["CSeq"].as_u64().unwrap(), message["Code"].as_u64().unwrap_or(0));
        let is_new = self.seen.insert((dialog.clone(), cseq, code));
        if !is_new {
            self.record.send_modify(|record| record.repeats += 1);
        }
        if code > 0 {
            if is_new {
                self.on_response(message, cseq, code).await;
            }
            return;
        }
        if let Some(text) = self.answers.get(&(dialog.clone(), cseq)).cloned() {
            return self.write(text).await;
        }
        if !is_new {
            return;
        }
        match message["Type"].as_str().unwrap() {
            "INVITE" => {
                self.dialog = dialog.clone();
                self.write(answer(message, 180).to_string()).await;
                self.reply(message).await;
            }
            "ACK" => self.up = true,
            "INFO" => {
                let n = message["X-Number"].as_u64().unwrap();
                self.record.send_modify(|record| record.heard.push(n));
                self.reply(message).await;
            }
            "BYE" => {
                self.up = false;
                self.record.send_modify(|record| record.over = true);
                self.reply(message).await;
            }
            _ => panic!("{}: {message}", self.job.user),
        }
    }

    async fn reply(&mut self, request: &Value) {
        let text = answer(request, 200).to_string();
        let key = (request["DialogueID"].as_str().unwrap().to_owned(), request["CSeq"].as_u64().unwrap());
        self.answers.insert(key, text.clone());
        self.send(text, None).await;
    }

    async fn on_response(&mut self, response: &Value, cseq: u64, code: u64) {
        if code < 200 {
            return;
        }
        self.sent.retain(|sent| sent.request != Some(cseq));
        self.record.send_modify(|record| record.finals.entry(cseq).or_default().push(code));
        if self.job.calls && cseq == 1 && code == 200 {
            self.cseq += 1;
            let ack = ack(response, self.cseq).to_string();
            self.send(ack, None).await;
            self.up = true;
        } else if self.job.calls && !self.up {
            self.record.send_modify(|record| record.over = true);
        }
    }
}
