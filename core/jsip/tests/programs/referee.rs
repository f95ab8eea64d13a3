//! What has to hold, whatever both ends do. The referee knows the rules of the protocol page, not the stack: it sees frames,
//! deliveries and errors.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jsip::{
    CSeq, Detach, DialogKey, Message, Method, Output, Release, Request, Response, Stack, StackConfig,
    StatusCode,
};
use rtcd_testkit::{MessageExt as _, request, response};

use crate::program::Event;

/// The longest that anything goes on with no further input: a re-INVITE that nobody answers (2 × prtimer), or an INVITE
/// that is taken back (prtimer, twice); the session timer behind it (4/3 of 20 s); the BYE of that (transtimer); a little.
const LONGEST: Duration = Duration::from_secs(120 + 27 + 5 + 1);

/// How long an answer waits for its peer.
const PATIENCE: Duration = Duration::from_secs(120);

type Key = (String, u64);

/// What the peer asked under one key.
#[derive(Debug, Default)]
struct Asked {
    /// How many requests; mostly one.
    requests: usize,
    /// Whether exactly one final answer is due.
    exactly_one: bool,
    /// The final answers, each once.
    finals: BTreeSet<String>,
}

/// What the application asked.
#[derive(Debug)]
struct Own {
    dialog: DialogKey,
    tag: Option<u32>,
    method: Method,
    finals: usize,
    /// Whether it may remain without a final answer, by a rule of the protocol page.
    excused: bool,
}

pub(crate) struct Referee {
    stack: Stack<u32>,
    now: Instant,
    next_cseq: u64,
    next_tag: u32,
    tags: HashMap<DialogKey, u32>,
    names: HashMap<DialogKey, String>,
    /// Tags that heard the end.
    ended: BTreeSet<u32>,
    /// Dialogs whose end was told, until they are opened again.
    gone: BTreeSet<String>,
    attached: bool,
    away_since: Instant,
    frames: u64,
    peer_frames: Vec<String>,
    peer_asked: BTreeMap<Key, Asked>,
    peer_invites: Vec<Request>,
    peer_got: Vec<Request>,
    app_asked: HashMap<(DialogKey, CSeq), Own>,
    app_invites: Vec<Request>,
    app_got: Vec<Request>,
    answers_pings: bool,
}

impl Referee {
    #[expect(clippy::disallowed_methods, reason = "the origin of virtual time")]
    pub(crate) fn new() -> Self {
        let mut config = StackConfig::default();
        config.sessiontimer = Duration::from_secs(20);
        config.qsize = 5;
        config.max_bad_frames = 3;
        config.max_transactions = 12;
        let mut referee = Self {
            stack: Stack::new(Arc::new(config), 7),
            now: Instant::now(),
            away_since: Instant::now(),
            next_cseq: 1,
            next_tag: 1,
            tags: HashMap::new(),
            names: HashMap::new(),
            ended: BTreeSet::new(),
            gone: BTreeSet::new(),
            attached: false,
            frames: 0,
            peer_frames: Vec::new(),
            peer_asked: BTreeMap::new(),
            peer_invites: Vec::new(),
            peer_got: Vec::new(),
            app_asked: HashMap::new(),
            app_invites: Vec::new(),
            app_got: Vec::new(),
            answers_pings: false,
        };
        referee.attach();
        referee
    }

    pub(crate) fn play(&mut self, event: &Event) {
        match *event {
            Event::PeerAsks { dialog, method, expire } => {
                let cseq = self.cseq();
                self.peer_asks(with_expire(in_dialog(method, cseq, dialog), expire), 1);
            }
            Event::PeerCollides { which, method } => {
                if let Some((dialog, cseq)) = newest(&keys(&self.peer_asked), which) {
                    self.peer_asks(request(method, cseq).in_dialog(&dialog).text("Body", "another"), 2);
                }
            }
            Event::PeerRepeats { which } => self.peer_repeats(which),
            Event::PeerAnswers { which, code } => {
                if let Some(asked) = newest(&self.peer_got, which) {
                    self.peer_answers(&asked.response(StatusCode::new(code).expect("a code")));
                }
            }
            Event::PeerAnswersNothing { dialog, cseq, code } => {
                self.peer_answers(&response(code, u64::from(cseq)).in_dialog(&name(dialog)));
            }
            Event::PeerFollows { which, method, related, same_cseq } => {
                if let Some(invite) = newest(&self.peer_invites, which) {
                    let cseq = if same_cseq { invite.cseq } else { CSeq::new(self.cseq()).expect("a CSeq") };
                    let mut follower = invite.follow_up(method, cseq);
                    follower.related = follower.related.filter(|_| related);
                    self.peer_asks(follower, if same_cseq { 2 } else { 1 });
                }
            }
            Event::PeerBabbles { which } => {
                let texts = ["", "{", "[1]", r#"{"Type":"ACK"}"#, "null", r#"{"Type":"BYE","CSeq":1}"#];
                if let Some(text) = texts.get(usize::from(which)) {
                    self.peer_sends(text);
                }
            }
            Event::AppAsks { dialog, method, expire } => {
                let cseq = self.cseq();
                self.app_asks(with_expire(in_dialog(method, cseq, dialog), expire));
            }
            Event::AppAnswers { which, code } => {
                if let Some(asked) = newest(&self.app_got, which) {
                    let code = StatusCode::new(code).expect("a code");
                    self.app_sends(&asked.response(code).into());
                }
            }
            Event::AppFollows { which, method } => {
                if let Some(invite) = newest(&self.app_invites, which) {
                    let cseq = CSeq::new(self.cseq()).expect("a CSeq");
                    self.app_sends(&invite.follow_up(method, cseq).into());
                }
            }
            Event::Release { dialog, failed } => {
                if let Some(key) = self.stack.dialog(&name(dialog)) {
                    let why = if failed { Release::Failed } else { Release::Finished };
                    self.stack.handle_release(self.now, key, why);
                    self.tags.remove(&key);
                    for asked in self.app_asked.values_mut().filter(|asked| asked.dialog == key) {
                        asked.excused = true;
                    }
                    self.drain();
                }
            }
            Event::Pass { time } => self.pass(Duration::from_millis(u64::from(time))),
            Event::Detach { clean } => {
                self.stack.handle_detached(self.now, if clean { Detach::Clean } else { Detach::Lost });
                self.goes();
                self.drain();
            }
            Event::Attach => self.attach(),
            Event::Pong { missing } => {
                if let Some(count) = self.frames.checked_sub(u64::from(missing)).filter(|_| self.attached) {
                    self.stack.handle_arrived(self.now, count);
                    self.drain();
                }
            }
        }
        self.check_counts();
    }

    /// Nobody does anything any more. Of the peers that are away, half come back before, and half never.
    pub(crate) fn silence(mut self) {
        self.answers_pings = true;
        if !self.attached && self.next_cseq.is_multiple_of(2) {
            self.attach();
        }
        self.pass(LONGEST);
        let counts = self.stack.counts();
        assert_eq!(
            (counts.sessions, counts.transactions, counts.dialogs),
            (0, 0, 0),
            "left after silence: {:#?}",
            self.stack
        );
        assert_eq!(self.stack.transactions().count(), 0);
        // Whoever was bound has heard the end.
        for tag in self.tags.values() {
            assert!(self.ended.contains(tag), "tag {tag} never heard the end");
        }
        // What lingers goes with time or a pong, and what waits, with time too.
        self.pass(PATIENCE);
        assert!(self.stack.is_idle(), "left: {:#?}", self.stack);
        if !self.attached {
            self.attach();
            assert_eq!(self.frames, 0, "nothing waits");
        }
        self.pass(PATIENCE);
        assert!(self.stack.is_idle(), "left: {:#?}", self.stack);
        assert_eq!(self.stack.counts().unconfirmed, 0);

        for ((dialog, cseq), asked) in &self.peer_asked {
            let finals = asked.finals.len();
            assert!(finals <= asked.requests, "{dialog} {cseq}: {:?}", asked.finals);
            if asked.exactly_one {
                assert_eq!(finals, 1, "{dialog} {cseq}: {:?}", asked.finals);
            }
        }
        for ((_, cseq), asked) in &self.app_asked {
            assert!(
                asked.finals == 1 || asked.excused && asked.finals == 0,
                "{} {cseq} of the application: {} final answers",
                asked.method,
                asked.finals
            );
        }
    }

    fn cseq(&mut self) -> u64 {
        self.next_cseq += 1;
        self.next_cseq
    }

    fn attach(&mut self) {
        if !self.attached && self.now >= self.away_since + PATIENCE {
            // Who is away for so long may miss an answer.
            for asked in self.peer_asked.values_mut() {
                asked.exactly_one &= !asked.finals.is_empty();
            }
        }
        self.attached = true;
        self.frames = 0;
        self.stack.handle_attached(self.now);
        self.drain();
    }

    fn goes(&mut self) {
        if std::mem::take(&mut self.attached) {
            self.away_since = self.now;
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        let mut steps = 0;
        while let Some(next) = self.stack.poll_timeout().filter(|next| *next <= end) {
            assert!(next >= self.now, "a wake-up in the past");
            steps += 1;
            assert!(steps < 2_000, "it never rests: {:#?}", self.stack);
            self.now = next;
            self.stack.handle_timeout(next);
            self.drain();
        }
        self.now = end;
    }

    fn peer_sends(&mut self, text: &str) {
        if let Ok(Message::Response(answer)) = Message::decode(text)
            && answer.code.is_success()
            && answer.code != StatusCode::OK
        {
            // If it accepts a first INVITE, the application gets a BYE in the place of an answer.
            for ((_, cseq), own) in &mut self.app_asked {
                own.excused |= own.method == Method::Invite && *cseq == answer.cseq;
            }
        }
        if self.attached {
            self.stack.handle_frame(self.now, text);
            self.drain();
        }
    }

    /// `share`: how many answers may come under this key for this request and what it shares it with.
    fn peer_asks(&mut self, asked: Request, share: usize) {
        if !self.attached {
            return;
        }
        let text = asked.encode();
        if asked.method != Method::Ack {
            let key = (asked.dialog.to_string(), asked.cseq.as_u64());
            let known = self.peer_asked.entry(key).or_default();
            known.requests += 1;
            known.exactly_one = share == 1 && known.requests == 1;
        }
        if asked.method == Method::Invite {
            self.peer_invites.push(asked);
        }
        self.peer_frames.push(text.to_string());
        self.peer_sends(&text);
    }

    fn peer_repeats(&mut self, which: u8) {
        let Some(text) = newest(&self.peer_frames, which).filter(|_| self.attached) else { return };
        if let Ok(Message::Request(again)) = Message::decode(&text) {
            let key = (again.dialog.to_string(), again.cseq.as_u64());
            if let Some(known) = self.peer_asked.get_mut(&key).filter(|known| !known.finals.is_empty()) {
                // If the answer is no longer known, this is a new request under the old key.
                known.requests += 1;
                known.exactly_one = false;
            }
        }
        self.peer_sends(&text);
    }

    fn peer_answers(&mut self, answer: &Response) {
        let text = answer.encode();
        self.peer_frames.push(text.to_string());
        self.peer_sends(&text);
    }

    fn app_asks(&mut self, asked: Request) {
        let sent = match self.stack.dialog(asked.dialog.as_str()) {
            Some(_) => self.app_sends(&asked.clone().into()),
            None => {
                self.next_tag += 1;
                let tag = self.next_tag;
                let result = self.stack.handle_open(self.now, tag, asked.clone());
                if let Ok(key) = result {
                    self.gone.remove(asked.dialog.as_str());
                    self.names.insert(key, asked.dialog.to_string());
                    self.tags.insert(key, tag);
                    self.note_asked(key, &asked);
                }
                self.drain();
                result.is_ok()
            }
        };
        if sent && asked.method == Method::Invite {
            self.app_invites.push(asked);
        }
    }

    fn app_sends(&mut self, message: &Message) -> bool {
        let Some(key) = self.stack.dialog(message.dialog().as_str()) else { return false };
        if !self.tags.contains_key(&key) {
            // Its application is gone, and sends no more.
            return false;
        }
        let before = self.stack.counts();
        let sent = self.stack.handle_send(self.now, key, message.clone());
        match (&sent, message) {
            (Ok(()), Message::Request(asked)) => self.note_asked(key, asked),
            (Ok(()), Message::Response(_)) => {}
            (Err(_), Message::Request(_) | Message::Response(_)) => {
                assert_eq!(self.stack.counts(), before, "an error changes nothing");
                assert_eq!(self.stack.poll_output(), None, "an error sends nothing");
            }
        }
        self.drain();
        sent.is_ok()
    }

    fn note_asked(&mut self, key: DialogKey, asked: &Request) {
        match asked.method {
            Method::Ack | Method::Bye => {}
            Method::Cancel => self.excuse_early(asked.dialog.as_str()),
            method => {
                let tag = self.tags.get(&key).copied();
                let own = Own { dialog: key, tag, method, finals: 0, excused: false };
                self.app_asked.insert((key, asked.cseq), own);
            }
        }
    }

    /// After a CANCEL, answers to PRACK and UPDATE are swallowed.
    fn excuse_early(&mut self, dialog: &str) {
        let Some(key) = self.stack.dialog(dialog) else { return };
        for asked in self.app_asked.values_mut().filter(|asked| asked.dialog == key) {
            if matches!(asked.method, Method::Prack | Method::Update) {
                asked.excused = true;
            }
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.stack.poll_output() {
            match output {
                Output::Transmit(text) => {
                    assert!(self.attached, "written to no socket");
                    self.frames += 1;
                    match Message::decode(&text).expect("the stack sends messages") {
                        Message::Request(asked) => self.peer_hears(asked),
                        Message::Response(answer) => self.peer_is_answered(&answer, &text),
                    }
                }
                Output::Ping(count) => {
                    assert_eq!(count, self.frames, "a ping counts the frames before it");
                    if self.answers_pings {
                        self.stack.handle_arrived(self.now, count);
                    }
                }
                Output::Deliver { dialog, tag, message } => self.app_hears(dialog, tag, message),
                Output::DialogEnded { dialog, tag } => {
                    assert_eq!(self.tags.get(&dialog), Some(&tag), "the end is told to who is bound");
                    assert!(self.ended.insert(tag), "the end is told once");
                    assert!(self.stack.tag(dialog).is_none());
                    self.gone.extend(self.names.remove(&dialog));
                }
                Output::Close(_) => {
                    self.goes();
                    self.stack.handle_detached(self.now, Detach::Lost);
                }
            }
        }
    }

    fn peer_hears(&mut self, asked: Request) {
        assert!(!self.gone.contains(asked.dialog.as_str()), "{} after the end", asked.method);
        self.peer_got.push(asked);
    }

    fn peer_is_answered(&mut self, answer: &Response, text: &str) {
        let key = (answer.dialog.to_string(), answer.cseq.as_u64());
        let Some(asked) = self.peer_asked.get_mut(&key) else {
            panic!("{text} answers nothing");
        };
        if answer.code.is_final() {
            asked.finals.insert(text.to_owned());
            assert!(asked.finals.len() <= asked.requests, "{key:?}: {:?}", asked.finals);
        } else if asked.requests == 1 {
            assert!(asked.finals.is_empty(), "a provisional response after the final one: {text}");
        }
    }

    fn app_hears(&mut self, dialog: DialogKey, tag: Option<u32>, message: Message) {
        match tag {
            Some(tag) => {
                assert_eq!(self.tags.get(&dialog), Some(&tag), "delivered to who is bound");
                assert!(!self.ended.contains(&tag), "delivered after the end");
            }
            None => {
                let Message::Request(asked) = &message else { panic!("a new dialog begins with a request") };
                assert!(asked.method.opens_dialog());
                self.gone.remove(asked.dialog.as_str());
                self.names.insert(dialog, asked.dialog.to_string());
                if asked.cseq.as_u64().is_multiple_of(7) {
                    // The dispatcher finds nobody.
                    let refusal = asked.response(StatusCode::NOT_FOUND);
                    let _ = self.stack.handle_send(self.now, dialog, refusal.into());
                    self.stack.handle_release(self.now, dialog, Release::Finished);
                    return;
                }
                self.next_tag += 1;
                self.tags.insert(dialog, self.next_tag);
                self.stack.handle_bind(dialog, self.next_tag);
            }
        }
        match message {
            Message::Request(asked) => {
                if asked.method == Method::Cancel {
                    self.app_got.retain(|other| other.cseq != asked.cseq);
                }
                self.app_got.push(asked);
            }
            Message::Response(answer) => {
                let Some(asked) = self.app_asked.get_mut(&(dialog, answer.cseq)) else {
                    panic!("{} {} answers nothing of the application", answer.code, answer.cseq);
                };
                assert_eq!(asked.tag, tag, "an answer to another application's request");
                assert_eq!(asked.finals, 0, "an answer after the final one");
                if answer.code.is_final() {
                    asked.finals += 1;
                }
                if asked.method == Method::Invite && answer.code == StatusCode::REQUEST_TIMEOUT {
                    self.excuse_early(answer.dialog.as_str());
                }
            }
        }
    }

    fn check_counts(&self) {
        let counts = self.stack.counts();
        assert_eq!(counts.dialogs, self.stack.dialogs().count());
        assert_eq!(counts.sessions, self.stack.sessions().count());
        let open = self.stack.transactions().filter(|transaction| transaction.state != "Answered").count();
        assert_eq!(counts.transactions, open);
    }
}

fn in_dialog(method: Method, cseq: u64, dialog: u8) -> Request {
    request(method, cseq).in_dialog(&name(dialog))
}

fn name(dialog: u8) -> String {
    format!("d{dialog}")
}

fn with_expire(asked: Request, expire: Option<u8>) -> Request {
    match expire {
        Some(expire) if matches!(asked.method, Method::Invite | Method::Subscribe | Method::Register) => {
            asked.number("Expire", u64::from(expire))
        }
        Some(_) | None => asked,
    }
}

fn keys(asked: &BTreeMap<Key, Asked>) -> Vec<Key> {
    asked.keys().cloned().collect()
}

/// The newest but so many.
fn newest<V: Clone>(all: &[V], which: u8) -> Option<V> {
    let back = usize::from(which) % all.len().max(1);
    all.iter().rev().nth(back).cloned()
}
