use std::sync::Arc;
use std::time::{Duration, Instant};

use jsip::{
    Detach, DialogKey, Message, Method, Output, Release, Request, SendError, Stack, StackConfig, StatusCode,
};

use crate::builders::{frame, request, response};
use crate::summary;

/// What the scripted peer does with pings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pings {
    /// Answers them at once, so that all it was sent has arrived. The transcript does not show them.
    Answer,
    /// Notes them as `PING n` and leaves it to the test.
    Record,
}

/// A stack between a scripted peer and a scripted application, on a virtual clock. A new dialog is bound at once to a tag
/// that is its id.
#[derive(Debug)]
pub struct Rig {
    /// The stack.
    pub stack: Stack<String>,
    /// What the peer does with pings.
    pub pings: Pings,
    /// Whether new dialogs are bound.
    pub binds: bool,
    /// Every message for the peer, in full.
    pub sent: Vec<Message>,
    /// Every message for the application, in full.
    pub delivered: Vec<Message>,
    start: Instant,
    now: Instant,
    wire: Vec<String>,
    heard: Vec<String>,
    transcript: String,
}

impl Rig {
    /// With the default settings, and a socket attached.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// With other settings, and a socket attached.
    pub fn with(change: impl FnOnce(&mut StackConfig)) -> Self {
        let mut rig = Self::away(change);
        rig.attach();
        rig
    }

    /// With no socket yet.
    #[expect(clippy::disallowed_methods, reason = "the origin of virtual time; it does not run")]
    pub fn away(change: impl FnOnce(&mut StackConfig)) -> Self {
        let mut config = StackConfig::default();
        change(&mut config);
        let start = Instant::now();
        Self {
            stack: Stack::new(Arc::new(config), 42),
            pings: Pings::Answer,
            binds: true,
            sent: Vec::new(),
            delivered: Vec::new(),
            start,
            now: start,
            wire: Vec::new(),
            heard: Vec::new(),
            transcript: String::new(),
        }
    }

    /// The virtual time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The peer sends a message.
    pub fn peer(&mut self, message: impl Into<Message>) {
        let message = message.into();
        self.note("peer →", &summary(&message));
        self.stack.handle_frame(self.now, &frame(message));
        self.drain();
    }

    /// The peer sends a request in dialog `d`.
    pub fn asks(&mut self, method: Method, cseq: u64) {
        self.peer(request(method, cseq));
    }

    /// The peer sends a response in dialog `d`.
    pub fn replies(&mut self, code: u16, cseq: u64) {
        self.peer(response(code, cseq));
    }

    /// The peer sends any text.
    pub fn text(&mut self, text: &str) {
        self.stack.handle_frame(self.now, text);
        self.drain();
    }

    /// A pong of the peer.
    pub fn pong(&mut self, count: u64) {
        self.stack.handle_arrived(self.now, count);
        self.drain();
    }

    /// The application sends a message.
    ///
    /// # Errors
    /// Those of the stack.
    pub fn app(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        let message = message.into();
        self.note("app →", &summary(&message));
        let key = self.stack.dialog(message.dialog().as_str());
        let result = match key {
            Some(key) => self.stack.handle_send(self.now, key, message),
            None => Err(SendError::UnknownDialog),
        };
        if let Err(error) = &result {
            self.note("app ✗", &error.to_string());
        }
        self.drain();
        result
    }

    /// The application sends a request in dialog `d`, which the stack takes.
    #[track_caller]
    pub fn app_asks(&mut self, method: Method, cseq: u64) {
        self.app(request(method, cseq)).expect("the stack takes it");
    }

    /// The application sends a response in dialog `d`, which the stack takes.
    #[track_caller]
    pub fn app_replies(&mut self, code: u16, cseq: u64) {
        self.app(response(code, cseq)).expect("the stack takes it");
    }

    /// The application opens a dialog.
    ///
    /// # Errors
    /// Those of the stack.
    pub fn open(&mut self, request: Request) -> Result<DialogKey, SendError> {
        self.note("app →", &summary(&request.clone().into()));
        let tag = request.dialog.as_str().to_owned();
        let result = self.stack.handle_open(self.now, tag, request);
        if let Err(error) = &result {
            self.note("app ✗", &error.to_string());
        }
        self.drain();
        result
    }

    /// The application leaves dialog `d`.
    pub fn release(&mut self, why: Release) {
        self.note("app", &format!("{why:?}"));
        if let Some(key) = self.stack.dialog("d") {
            self.stack.handle_release(self.now, key, why);
        }
        self.drain();
    }

    /// A new socket.
    pub fn attach(&mut self) {
        self.note("peer", "attached");
        self.stack.handle_attached(self.now);
        self.drain();
    }

    /// The socket goes.
    pub fn detach(&mut self, close: Detach) {
        self.note("peer", &format!("detached: {close:?}"));
        self.stack.handle_detached(self.now, close);
        self.drain();
    }

    /// The next hop was given up.
    pub fn unreachable(&mut self, code: u16) {
        self.stack.handle_unreachable(self.now, StatusCode::new(code).expect("a code"));
        self.drain();
    }

    /// Lets time pass, from one wake-up of the stack to the next.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.stack.poll_timeout().filter(|next| *next <= end) {
            assert!(next >= self.now, "a wake-up in the past");
            self.now = next;
            self.stack.handle_timeout(next);
            self.drain();
        }
        self.now = end;
    }

    /// Lets seconds pass.
    pub fn seconds(&mut self, seconds: f64) {
        self.pass(Duration::from_secs_f64(seconds));
    }

    /// What the peer and the application have got since the last look.
    #[track_caller]
    pub fn sees(&mut self, wire: &[&str], heard: &[&str]) {
        let (wire_now, heard_now) = (self.wire(), self.heard());
        assert_eq!((wire_now, heard_now), (owned(wire), owned(heard)), "to the peer, to the application");
    }

    /// As [`Rig::sees`], of what the application has got.
    #[track_caller]
    pub fn hears(&mut self, heard: &[&str]) {
        assert_eq!(self.heard(), owned(heard), "to the application");
    }

    /// What the peer has got since the last look.
    pub fn wire(&mut self) -> Vec<String> {
        std::mem::take(&mut self.wire)
    }

    /// What the application has got since the last look; `new …` if nobody was bound, `END` for the end of its dialog.
    pub fn heard(&mut self) -> Vec<String> {
        std::mem::take(&mut self.heard)
    }

    /// All that happened, a line each.
    pub fn transcript(&self) -> &str {
        &self.transcript
    }

    /// The name of the session's state in dialog `d`, or `-`.
    pub fn state(&self) -> &'static str {
        self.stack.sessions().find(|session| session.dialog == "d").map_or("-", |session| session.state)
    }

    /// Nothing is left, and the application knows.
    #[track_caller]
    pub fn is_over(&mut self) {
        assert!(self.stack.dialog("d").is_none(), "the dialog is left: {:?}", self.stack);
        assert_eq!(self.stack.counts().sessions, 0);
        assert_eq!(self.stack.counts().transactions, 0);
    }

    fn drain(&mut self) {
        while let Some(output) = self.stack.poll_output() {
            match output {
                Output::Transmit(text) => {
                    let message = Message::decode(&text).expect("the stack sends messages");
                    let line = summary(&message);
                    self.note("→ peer", &line);
                    self.wire.push(line);
                    self.sent.push(message);
                }
                Output::Ping(count) => match self.pings {
                    Pings::Answer => self.stack.handle_arrived(self.now, count),
                    Pings::Record => {
                        self.note("→ peer", &format!("PING {count}"));
                        self.wire.push(format!("PING {count}"));
                    }
                },
                Output::Deliver { dialog, tag, message } => {
                    let line = summary(&message);
                    let line = match &tag {
                        Some(tag) => {
                            assert_eq!(tag, message.dialog().as_str());
                            line
                        }
                        None => format!("new {line}"),
                    };
                    self.note("→ app", &line);
                    self.heard.push(line);
                    if tag.is_none() && self.binds {
                        self.stack.handle_bind(dialog, message.dialog().as_str().to_owned());
                    }
                    self.delivered.push(message);
                }
                Output::DialogEnded { dialog, tag } => {
                    assert!(self.stack.tag(dialog).is_none());
                    let line = if tag == "d" { "END".to_owned() } else { format!("[{tag}] END") };
                    self.note("→ app", &line);
                    self.heard.push(line);
                }
                Output::Close(reason) => {
                    self.note("→ peer", &format!("CLOSE {reason:?}"));
                    self.wire.push(format!("CLOSE {reason:?}"));
                    self.stack.handle_detached(self.now, Detach::Lost);
                }
            }
        }
    }

    fn note(&mut self, who: &str, what: &str) {
        let time = self.now.duration_since(self.start).as_secs_f64();
        self.transcript += &format!("{time:8.3} {who} {what}\n");
    }
}

impl Default for Rig {
    fn default() -> Self {
        Self::new()
    }
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}
