//! Two parties, a stack for each, and the call between them. Every link is a queue; which one moves next is for the test to choose.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jsip::{DialogKey, Message, Method, Output, Stack, StackConfig, StatusCode};
use rtcd_sdk::harness::{Dialog, Harness};
use slp_call::Call;

use crate::party::{Act, Manners, Party};

/// A link, or a stack's timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    PartyToStack(usize),
    StackToCall(usize),
    CallToStack(usize),
    Tick(usize),
}

/// One leg: the party, its stack, and what is on its way to and from the call.
struct Leg {
    party: Party,
    stack: Stack<()>,
    key: Option<DialogKey>,
    dialog: Option<Dialog>,
    /// `None`: the dialog has ended.
    to_call: VecDeque<Option<Message>>,
    from_call: VecDeque<Message>,
    taken: usize,
    /// Its timer is due and has not fired.
    due: bool,
}

pub(crate) struct World {
    begin: Instant,
    now: Instant,
    call: Harness<Call>,
    legs: [Leg; 2],
    /// What the stacks and the call got so far, in order.
    got: [DefaultHasher; 3],
    told: String,
}

/// What all depends on.
pub(crate) type State = [u64; 3];

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Longer than any timer of a call.
const LONG: Duration = Duration::from_secs(3 * 60 * 60);

/// The caller's and the callee's index.
pub(crate) const ALICE: usize = 0;
pub(crate) const BOB: usize = 1;

impl World {
    /// A call that rings at Bob's; `expire` is its session timer in seconds.
    pub(crate) fn new(manners: Manners, expire: u64) -> Self {
        let mut config = StackConfig::default();
        // Sockets have no part in this.
        (config.keepalive, config.dead_after, config.arrival_ping_after) = (DAY, DAY, DAY);
        let config = Arc::new(config);
        let now = tokio::time::Instant::now().into_std();
        let legs = [true, false].map(|calls| {
            let mut stack = Stack::new(config.clone(), 7);
            stack.handle_attached(now);
            Leg {
                party: Party::new(calls, manners),
                stack,
                key: None,
                dialog: None,
                to_call: VecDeque::new(),
                from_call: VecDeque::new(),
                taken: 0,
                due: false,
            }
        });
        let mut world = Self {
            begin: now,
            now,
            call: Harness::new(),
            legs,
            got: Default::default(),
            told: String::new(),
        };
        world.legs[ALICE].party.dial(expire);
        world.settle();
        world
    }

    pub(crate) fn act(&mut self, party: usize, act: Act) {
        let _ = writeln!(self.told, "{} {act:?}", name(party));
        self.legs[party].party.act(act);
    }

    /// All that can happen next.
    pub(crate) fn links(&self) -> Vec<Link> {
        let mut links = Vec::new();
        for (index, leg) in self.legs.iter().enumerate() {
            for (link, is_there) in [
                (Link::PartyToStack(index), !leg.party.out.is_empty()),
                (Link::StackToCall(index), !leg.to_call.is_empty()),
                (Link::CallToStack(index), !leg.from_call.is_empty()),
                (Link::Tick(index), leg.due),
            ] {
                links.extend(is_there.then_some(link));
            }
        }
        links
    }

    /// A digest of what it has come to.
    pub(crate) fn state(&self) -> State {
        self.got.each_ref().map(Hasher::finish)
    }

    pub(crate) fn step(&mut self, link: Link) {
        match link {
            Link::PartyToStack(index) => {
                let message = self.legs[index].party.out.pop_front().unwrap();
                self.tell(index, "->", &message);
                (index, 0, message.encode()).hash(&mut self.got[index]);
                self.legs[index].stack.handle_frame(self.now, &message.encode());
            }
            Link::StackToCall(index) => {
                let event = self.legs[index].to_call.pop_front().unwrap();
                (index, event.as_ref().map(Message::encode)).hash(&mut self.got[2]);
                self.tell_call(index, event);
            }
            Link::CallToStack(index) => {
                let message = self.legs[index].from_call.pop_front().unwrap();
                (index, 1, message.encode()).hash(&mut self.got[index]);
                self.tell_stack(index, message);
            }
            Link::Tick(index) => {
                let _ = writeln!(self.told, "{} tick at {:?}", name(index), self.now - self.begin);
                self.legs[index].due = false;
                (index, 2).hash(&mut self.got[index]);
                self.legs[index].stack.handle_timeout(self.now);
            }
        }
        self.gather();
    }

    /// Lets all happen, in one order.
    pub(crate) fn settle(&mut self) {
        while let Some(link) = self.links().first().copied() {
            self.step(link);
        }
    }

    /// Lets time pass up to the moment at which a timer is due that is this far away; what is due before fires. From then on both
    /// stacks' timers wait for their turn.
    pub(crate) fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(next) = self.next_timeout().filter(|next| *next < until) {
            self.pass_to(next);
        }
        self.now = until;
        for leg in &mut self.legs {
            leg.due = true;
        }
    }

    /// Lets all timers run out.
    pub(crate) fn run_out(&mut self) {
        let end = self.now + LONG;
        while let Some(next) = self.next_timeout().filter(|next| *next < end) {
            self.pass_to(next);
        }
    }

    fn pass_to(&mut self, time: Instant) {
        self.now = self.now.max(time);
        for leg in &mut self.legs {
            leg.due = true;
        }
        self.settle();
    }

    fn next_timeout(&mut self) -> Option<Instant> {
        self.legs.iter_mut().filter_map(|leg| leg.stack.poll_timeout()).min()
    }

    fn tell_call(&mut self, index: usize, event: Option<Message>) {
        let dialog = self.legs[index].dialog;
        match (event, dialog) {
            (Some(Message::Request(request)), None) => {
                self.legs[index].dialog = Some(self.call.dial(request));
                self.legs[BOB].dialog = self.call.opened().first().copied();
            }
            (Some(Message::Request(request)), Some(dialog)) => self.call.request(dialog, request),
            (Some(Message::Response(response)), Some(dialog)) => self.call.response(dialog, response),
            (None, Some(dialog)) => self.call.ended(dialog),
            (other, None) => panic!("before the call: {other:?}"),
        }
        for leg in &mut self.legs {
            if let Some(dialog) = leg.dialog {
                let sent = self.call.sent(dialog);
                leg.from_call.extend(sent[leg.taken..].iter().cloned());
                leg.taken = sent.len();
            }
        }
    }

    /// As the server does it: a request that the stack refuses is answered.
    fn tell_stack(&mut self, index: usize, message: Message) {
        let leg = &mut self.legs[index];
        let refused = match (leg.key, &message) {
            (Some(key), _) => leg.stack.handle_send(self.now, key, message.clone()).err(),
            (None, Message::Request(request)) => {
                leg.key = Some(leg.stack.handle_open(self.now, (), request.clone()).unwrap());
                None
            }
            (None, Message::Response(response)) => panic!("before the call: {response:?}"),
        };
        let (Some(error), Message::Request(request)) = (refused, message) else { return };
        let code = match request.method {
            Method::Ack | Method::Bye | Method::Cancel => return,
            Method::Invite | Method::Prack | Method::Update
                if matches!(error, jsip::SendError::State { .. }) =>
            {
                StatusCode::REQUEST_PENDING
            }
            _ => StatusCode::NO_SUCH_TRANSACTION,
        };
        leg.to_call.push_back(Some(request.response(code).into()));
    }

    fn gather(&mut self) {
        for index in [ALICE, BOB] {
            while let Some(output) = self.legs[index].stack.poll_output() {
                match output {
                    Output::Transmit(text) => {
                        let message = Message::decode(&text).unwrap();
                        self.tell(index, "<-", &message);
                        self.legs[index].party.hear(message);
                    }
                    Output::Deliver { dialog, tag, message } => {
                        let leg = &mut self.legs[index];
                        if tag.is_none() {
                            leg.stack.handle_bind(dialog, ());
                            leg.key = Some(dialog);
                        }
                        leg.to_call.push_back(Some(message));
                    }
                    Output::DialogEnded { .. } => self.legs[index].to_call.push_back(None),
                    Output::Ping(_) => {}
                    Output::Close(reason) => panic!("{reason:?}"),
                }
            }
        }
    }

    fn tell(&mut self, index: usize, way: &str, message: &Message) {
        let _ = writeln!(self.told, "{} {way} {}", name(index), message.encode());
    }

    /// After all timers: nothing is left, and nobody waits.
    pub(crate) fn check(&self) -> Result<(), String> {
        let told = |what: String| Err(format!("{what}\n{}\n{}", self.told, self.call.log()));
        for (index, leg) in self.legs.iter().enumerate() {
            let counts = leg.stack.counts();
            if (counts.sessions, counts.dialogs, counts.transactions) != (0, 0, 0) {
                return told(format!("{}: left: {counts:?}", name(index)));
            }
            for (cseq, (method, finals)) in &leg.party.asked {
                if *finals != 1 {
                    return told(format!("{}: {method} {cseq} has {finals} final answers", name(index)));
                }
            }
            if leg.party.accepted && leg.party.byes == 0 {
                return told(format!("{}: accepted, but no BYE", name(index)));
            }
        }
        if self.call.tasks() != 0 {
            return told("the call's task is left".to_owned());
        }
        Ok(())
    }
}

fn name(index: usize) -> &'static str {
    ["alice", "bob"][index]
}
