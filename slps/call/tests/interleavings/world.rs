use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtcd_sdk::harness::{Dialog, Harness};
use rtcd_sdk::jsip::{DialogKey, Message, Method, Output, Stack, StackConfig, StatusCode};
use slp_call::{Call, Side};

use crate::client::{Act, Client};

/// One stack, and what is under way on both sides of it.
pub(crate) struct Leg {
    pub(crate) stack: Stack<()>,
    pub(crate) client: Client,
    pub(crate) to_client: VecDeque<Message>,
    pub(crate) to_call: VecDeque<Option<Message>>, // None: the dialog has ended
    pub(crate) from_call: VecDeque<Message>,
    pub(crate) key: Option<DialogKey>,
    pub(crate) dialog: Option<Dialog>,
    pub(crate) taken: usize,
}

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) call: Harness<Call>,
    pub(crate) legs: [Leg; 2],
    pub(crate) random: u64,
    pub(crate) told: String,
}

impl World {
    pub(crate) fn new(caller: &[Act], callee: &[Act], seed: u64) -> Self {
        let now = any_time();
        let leg = |client, seed| {
            let mut config = StackConfig::default();
            (config.keepalive, config.dead_after) = (DAY, DAY); // sockets are none of this test's business
            let mut stack = Stack::new(Arc::new(config), seed);
            stack.handle_attached(now);
            Leg {
                stack,
                client,
                to_client: VecDeque::new(),
                to_call: VecDeque::new(),
                from_call: VecDeque::new(),
                key: None,
                dialog: None,
                taken: 0,
            }
        };
        let mut legs = [
            leg(Client::new("alice", Side::Caller, caller), seed),
            leg(Client::new("bob", Side::Callee, callee), !seed),
        ];
        legs[0].client.dial();
        Self {
            now,
            call: Harness::new(),
            legs,
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            told: String::new(),
        }
    }

    pub(crate) fn draw(&mut self, below: usize) -> usize {
        // xorshift64*: repeatable, and good enough to shuffle.
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below
    }

    /// Lets one thing happen; `false` if nothing can.
    pub(crate) fn step(&mut self) -> bool {
        let mut choices: Vec<(usize, Choice)> = Vec::new();
        for (index, leg) in self.legs.iter().enumerate() {
            let queues = [
                (leg.client.to_stack.is_empty(), Choice::ToStack),
                (leg.to_client.is_empty(), Choice::ToClient),
                (leg.to_call.is_empty(), Choice::ToCall),
                (leg.from_call.is_empty(), Choice::FromCall),
            ];
            choices.extend(queues.into_iter().filter(|(empty, _)| !empty).map(|(_, choice)| (index, choice)));
            choices.extend(leg.client.possible().into_iter().map(|act| (index, Choice::Act(act))));
        }
        if choices.is_empty() {
            return false;
        }
        let (index, choice) = choices[self.draw(choices.len())];
        self.told += &format!("{} {choice:?}\n", self.legs[index].client.name);
        let now = self.now;
        let leg = &mut self.legs[index];
        match choice {
            Choice::ToStack => {
                let message = leg.client.to_stack.pop_front().unwrap();
                self.told += &format!("   {}\n", message.encode());
                leg.stack.handle_frame(now, &message.encode());
            }
            Choice::ToClient => leg.client.receive(leg.to_client.pop_front().unwrap()),
            Choice::FromCall => {
                let message = leg.from_call.pop_front().unwrap();
                self.told += &format!("   {}\n", message.encode());
                self.tell_stack(index, message);
            }
            Choice::ToCall => {
                let event = leg.to_call.pop_front().unwrap();
                self.tell_call(index, event);
            }
            Choice::Act(Act::Wait) => {
                leg.client.acts.retain(|act| *act != Act::Wait);
                self.pass_time(Duration::from_secs(60));
            }
            Choice::Act(act) => leg.client.act(act),
        }
        self.gather();
        true
    }

    /// Time passes for both stacks, in an order that is drawn.
    pub(crate) fn pass_time(&mut self, time: Duration) {
        self.now += time;
        let first = self.draw(2);
        for index in [first, 1 - first] {
            self.legs[index].stack.handle_timeout(self.now);
            self.gather();
        }
    }

    pub(crate) fn tell_call(&mut self, index: usize, event: Option<Message>) {
        let dialog = self.legs[index].dialog;
        match (event, dialog) {
            (Some(Message::Request(request)), None) => {
                self.legs[index].dialog = Some(self.call.dial(request));
            }
            (Some(Message::Request(request)), Some(dialog)) => self.call.request(dialog, request),
            (Some(Message::Response(response)), Some(dialog)) => self.call.response(dialog, response),
            (None, Some(dialog)) => self.call.ended(dialog),
            (_, None) => unreachable!("the first message is a request"),
        }
        if self.legs[1].dialog.is_none() {
            self.legs[1].dialog = self.call.opened().first().copied();
        }
        for leg in &mut self.legs {
            if let Some(dialog) = leg.dialog {
                let sent = self.call.sent(dialog);
                leg.from_call.extend(sent[leg.taken..].iter().cloned());
                leg.taken = sent.len();
            }
        }
    }

    /// As the server does it: what the stack refuses is answered, if it is a request.
    pub(crate) fn tell_stack(&mut self, index: usize, message: Message) {
        let leg = &mut self.legs[index];
        let refused = match (leg.key, &message) {
            (None, Message::Request(request)) if index == 1 => {
                leg.key = Some(leg.stack.handle_open(self.now, (), request.clone()).unwrap());
                false
            }
            (Some(key), _) => leg.stack.handle_send(self.now, key, message.clone()).is_err(),
            (None, _) => unreachable!("the caller's dialog is there before"),
        };
        if let (true, Message::Request(request)) = (refused, message)
            && !matches!(request.method, Method::Ack | Method::Bye | Method::Cancel)
        {
            let code = if request.method == Method::Info {
                StatusCode::NO_SUCH_TRANSACTION
            } else {
                StatusCode::REQUEST_PENDING
            };
            leg.to_call.push_back(Some(request.response(code).into()));
        }
    }

    pub(crate) fn gather(&mut self) {
        for leg in &mut self.legs {
            while let Some(output) = leg.stack.poll_output() {
                match output {
                    Output::Transmit(text) => leg.to_client.push_back(Message::decode(&text).unwrap()),
                    Output::Ping(count) => leg.stack.handle_arrived(self.now, count),
                    Output::Deliver { dialog, tag, message } => {
                        if tag.is_none() {
                            leg.stack.handle_bind(dialog, ());
                            leg.key = Some(dialog);
                        }
                        leg.to_call.push_back(Some(message));
                    }
                    Output::DialogEnded { .. } => leg.to_call.push_back(None),
                    Output::Close(reason) => panic!("{reason:?}"),
                }
            }
        }
    }

    pub(crate) fn run(&mut self) {
        let mut steps = 0;
        while self.step() {
            steps += 1;
            assert!(steps < 1000, "it does not come to rest\n{}", self.told);
        }
    }
}

pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug, Clone, Copy)]
pub(crate) enum Choice {
    ToStack,
    ToClient,
    ToCall,
    FromCall,
    Act(Act),
}

#[expect(clippy::disallowed_methods, reason = "where the test's own clock begins does not matter")]
pub(crate) fn any_time() -> Instant {
    Instant::now()
}
