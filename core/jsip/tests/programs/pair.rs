//! A server's stack and a client's stack (that of a server towards its next hop) with breakable sockets between them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jsip::{CSeq, Detach, DialogKey, Message, Method, Output, Stack, StackConfig, StatusCode};
use proptest::prelude::*;
use rtcd_testkit::{MessageExt as _, request};

/// What happens between two stacks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    /// The application of one end sends a numbered MESSAGE, in a dialog of its own or in the call.
    Say { end: End, in_call: bool },
    /// The next thing on its way to this end arrives.
    Arrive { end: End, how_many: u8 },
    /// The socket breaks; what was on its way is lost.
    Cut,
    /// There is a new socket.
    Connect,
    /// Milliseconds pass.
    Pass { time: u16 },
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Server,
    Client,
}

impl End {
    fn other(self) -> Self {
        match self {
            Self::Server => Self::Client,
            Self::Client => Self::Server,
        }
    }

    fn index(self) -> usize {
        match self {
            Self::Server => 0,
            Self::Client => 1,
        }
    }
}

pub(crate) fn programs() -> impl Strategy<Value = Vec<Event>> {
    let end = prop_oneof![Just(End::Server), Just(End::Client)];
    let event = prop_oneof![
        6 => (end.clone(), any::<bool>()).prop_map(|(end, in_call)| Event::Say { end, in_call }),
        10 => (end, 1..6_u8).prop_map(|(end, how_many)| Event::Arrive { end, how_many }),
        2 => Just(Event::Cut),
        3 => Just(Event::Connect),
        2 => (1..400_u16).prop_map(|time| Event::Pass { time }),
    ];
    prop::collection::vec(event, 1..80)
}

/// What is on its way.
#[derive(Debug)]
enum Wire {
    Text(String),
    Ping(u64),
    Pong(u64),
}

struct Pair {
    stacks: [Stack<&'static str>; 2],
    on_the_way: [VecDeque<Wire>; 2],
    connected: bool,
    now: Instant,
    said: u64,
    /// Per end and number: how often the other end's application has seen it.
    seen: BTreeMap<(usize, u64), usize>,
    answered: BTreeMap<(usize, u64), usize>,
}

pub(crate) fn play(program: &[Event]) {
    let mut pair = Pair::new();
    pair.call();
    for event in program {
        match *event {
            Event::Say { end, in_call } => pair.say(end, in_call),
            Event::Arrive { end, how_many } => {
                for _ in 0..how_many {
                    pair.arrive(end);
                }
            }
            Event::Cut => pair.cut(),
            Event::Connect => pair.connect(),
            Event::Pass { time } => pair.pass(Duration::from_millis(u64::from(time))),
        }
    }
    if !pair.connected {
        pair.connect();
    }
    pair.settle();
    // As many numbers as were said, each seen once and answered once.
    assert_eq!(pair.seen.len() as u64, pair.said);
    assert!(pair.seen.values().all(|times| *times == 1), "seen: {:?}", pair.seen);
    assert!(pair.answered.values().all(|times| *times == 1), "answered: {:?}", pair.answered);
    assert_eq!(pair.answered.len() as u64, pair.said);
    for stack in &pair.stacks {
        assert_eq!(stack.counts().transactions, 0);
        assert_eq!(stack.sessions().map(|session| session.state).collect::<Vec<_>>(), ["Confirmed"]);
    }
}

impl Pair {
    #[expect(clippy::disallowed_methods, reason = "the origin of virtual time")]
    fn new() -> Self {
        let stack = |hop| {
            let mut config = StackConfig::default();
            config.hop = hop;
            // Programs are shorter than this, however long their pauses.
            config.transtimer = Duration::from_secs(60);
            config.linger = Duration::from_secs(120);
            // Often, so that much is known to have arrived and much is not.
            config.arrival_ping_after = Duration::from_millis(50);
            config.arrival_ping_frames = 4;
            Stack::new(Arc::new(config), u64::from(hop))
        };
        let mut pair = Self {
            stacks: [stack(false), stack(true)],
            on_the_way: [VecDeque::new(), VecDeque::new()],
            connected: false,
            now: Instant::now(),
            said: 0,
            seen: BTreeMap::new(),
            answered: BTreeMap::new(),
        };
        pair.connect();
        pair
    }

    /// A call is up between the two, to say something in.
    fn call(&mut self) {
        let invite = request(Method::Invite, 1).in_dialog("call").number("Expire", 3600);
        let now = self.now;
        self.stack(End::Client).handle_open(now, "call", invite.clone()).expect("an INVITE");
        self.drain(End::Client);
        self.settle();
        let key = self.stack(End::Client).dialog("call").expect("a call");
        let ack = invite.follow_up(Method::Ack, CSeq::new(2).expect("a CSeq"));
        self.stack(End::Client).handle_send(now, key, ack.into()).expect("an ACK");
        self.drain(End::Client);
        self.settle();
    }

    fn stack(&mut self, end: End) -> &mut Stack<&'static str> {
        match (end, &mut self.stacks) {
            (End::Server, [stack, _]) | (End::Client, [_, stack]) => stack,
        }
    }

    fn way_to(&mut self, end: End) -> &mut VecDeque<Wire> {
        match (end, &mut self.on_the_way) {
            (End::Server, [way, _]) | (End::Client, [_, way]) => way,
        }
    }

    fn say(&mut self, end: End, in_call: bool) {
        self.said += 1;
        let number = 1000 + self.said;
        let now = self.now;
        if in_call {
            let key = self.stack(end).dialog("call").expect("a call");
            let method = if self.said.is_multiple_of(2) { Method::Info } else { Method::Message };
            let message = request(method, number).in_dialog("call");
            self.stack(end).handle_send(now, key, message.into()).expect("it is sent");
        } else {
            let message = request(Method::Message, number).in_dialog(&format!("m{number}"));
            self.stack(end).handle_open(now, "said", message).expect("it is sent");
        }
        self.drain(end);
    }

    fn arrive(&mut self, end: End) {
        let now = self.now;
        match self.way_to(end).pop_front() {
            None => return,
            Some(Wire::Text(text)) => self.stack(end).handle_frame(now, &text),
            Some(Wire::Ping(count)) => {
                self.stack(end).handle_alive(now);
                self.way_to(end.other()).push_back(Wire::Pong(count));
            }
            Some(Wire::Pong(count)) => self.stack(end).handle_arrived(now, count),
        }
        self.drain(end);
    }

    fn cut(&mut self) {
        let now = self.now;
        self.connected = false;
        for end in [End::Server, End::Client] {
            self.way_to(end).clear();
            self.stack(end).handle_detached(now, Detach::Lost);
        }
    }

    fn connect(&mut self) {
        let now = self.now;
        // What was on the way of the socket before is lost, as it is if nobody noticed that it broke.
        self.cut();
        self.connected = true;
        for end in [End::Server, End::Client] {
            self.stack(end).handle_attached(now);
            self.drain(end);
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        for end in [End::Server, End::Client] {
            let now = self.now;
            self.stack(end).handle_timeout(now);
            self.drain(end);
        }
    }

    /// Everything arrives.
    fn settle(&mut self) {
        for _ in 0..3 {
            while !self.on_the_way.iter().all(VecDeque::is_empty) {
                self.arrive(End::Server);
                self.arrive(End::Client);
            }
            self.pass(Duration::from_secs(1));
        }
    }

    fn drain(&mut self, end: End) {
        while let Some(output) = self.stack(end).poll_output() {
            match output {
                Output::Transmit(text) => self.way_to(end.other()).push_back(Wire::Text(text.to_string())),
                Output::Ping(count) => self.way_to(end.other()).push_back(Wire::Ping(count)),
                Output::Deliver { dialog, tag, message } => self.heard(end, dialog, tag, message),
                Output::DialogEnded { .. } => {}
                Output::Close(reason) => panic!("{reason:?}"),
            }
        }
    }

    fn heard(&mut self, end: End, dialog: DialogKey, tag: Option<&'static str>, message: Message) {
        let now = self.now;
        match message {
            Message::Request(asked) => {
                if tag.is_none() {
                    self.stack(end).handle_bind(dialog, "heard");
                }
                if asked.method == Method::Ack {
                    return;
                }
                if asked.cseq.as_u64() > 1000 {
                    *self.seen.entry((end.index(), asked.cseq.as_u64())).or_default() += 1;
                }
                let answer = asked.response(StatusCode::OK);
                self.stack(end).handle_send(now, dialog, answer.into()).expect("an answer");
            }
            Message::Response(answer) => {
                if answer.cseq.as_u64() > 1000 {
                    assert_eq!(answer.code, StatusCode::OK, "lost: {}", answer.cseq);
                    *self.answered.entry((end.index(), answer.cseq.as_u64())).or_default() += 1;
                }
            }
        }
    }
}
