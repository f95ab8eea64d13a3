//! One of the two who talk: it does what the scenario says, and answers what comes in.

use std::collections::{BTreeMap, VecDeque};

use jsip::{CSeq, DialogId, Headers, Message, Method, Request, Response, StatusCode};

/// Something that a party does on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Ring,
    Accept,
    Decline,
    Cancel,
    Bye,
    Info,
    Prack,
    Update,
    ReInvite,
}

/// How it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manners {
    /// Whether it confirms an acceptance.
    pub(crate) acks: bool,
    /// Whether it hangs up on an acceptance that it wanted no more.
    pub(crate) hangs_up: bool,
}

#[derive(Debug)]
pub(crate) struct Party {
    pub(crate) calls: bool,
    manners: Manners,
    /// The first INVITE, sent or received.
    invite: Option<Request>,
    next: u64,
    /// Its requests with the number of their final answers.
    pub(crate) asked: BTreeMap<u64, (Method, u32)>,
    gave_up: bool,
    /// It has given the first INVITE's final answer.
    answered: bool,
    /// Of the first INVITE.
    pub(crate) accepted: bool,
    pub(crate) confirmed: bool,
    /// A BYE was sent or came.
    pub(crate) byes: u32,
    /// On their way to the stack.
    pub(crate) out: VecDeque<Message>,
}

impl Party {
    pub(crate) fn new(calls: bool, manners: Manners) -> Self {
        Self {
            calls,
            manners,
            invite: None,
            next: 1,
            asked: BTreeMap::new(),
            gave_up: false,
            answered: false,
            accepted: false,
            confirmed: false,
            byes: 0,
            out: VecDeque::new(),
        }
    }

    pub(crate) fn dial(&mut self, expire: u64) {
        let mut headers = Headers::default();
        headers.set_number("Expire", expire);
        let invite = Request {
            method: Method::Invite,
            uri: "bob@test.com".into(),
            from: "alice@test.com".into(),
            to: "bob@test.com".into(),
            dialog: DialogId::new("alice-1").unwrap(),
            cseq: CSeq::new(1).unwrap(),
            related: None,
            router: None,
            headers,
        };
        self.invite = Some(invite.clone());
        self.ask(invite);
    }

    pub(crate) fn act(&mut self, act: Act) {
        match act {
            Act::Ring => self.answer(StatusCode::RINGING),
            Act::Accept => self.answer(StatusCode::OK),
            Act::Decline => self.answer(StatusCode::BUSY_HERE),
            Act::Cancel => {
                self.gave_up = true;
                let mut cancel = self.follow_up(Method::Cancel);
                cancel.related = Some(self.first().cseq);
                self.ask(cancel);
            }
            Act::Bye => {
                self.gave_up = true;
                self.bye();
            }
            Act::Info => self.send(Method::Info),
            Act::Prack => self.send(Method::Prack),
            Act::Update => self.send(Method::Update),
            Act::ReInvite => self.send(Method::Invite),
        }
    }

    /// Something came from the stack.
    pub(crate) fn hear(&mut self, message: Message) {
        match message {
            Message::Request(request) => self.on_request(&request),
            Message::Response(response) => self.on_response(&response),
        }
    }

    fn on_request(&mut self, request: &Request) {
        match request.method {
            Method::Invite if self.invite.is_none() => self.invite = Some(request.clone()),
            Method::Ack => self.confirmed = true,
            Method::Cancel => {
                self.out.push_back(request.response(StatusCode::OK).into());
                if !self.answered {
                    self.answer(StatusCode::REQUEST_TERMINATED);
                }
            }
            Method::Bye => {
                self.byes += 1;
                self.out.push_back(request.response(StatusCode::OK).into());
            }
            _ => self.out.push_back(request.response(StatusCode::OK).into()),
        }
    }

    fn on_response(&mut self, response: &Response) {
        if !response.code.is_final() {
            return;
        }
        let Some((method, finals)) = self.asked.get_mut(&response.cseq.as_u64()) else {
            panic!("nobody asked: {response:?}")
        };
        *finals += 1;
        if *method != Method::Invite || *finals > 1 {
            return;
        }
        let success = response.code.is_success();
        if !success || self.manners.acks {
            let cseq = self.cseq();
            self.out.push_back(response.ack(cseq).into());
        }
        if success && self.calls && response.cseq == self.first().cseq {
            self.accepted = true;
            self.confirmed = self.manners.acks;
            if self.gave_up && self.manners.hangs_up {
                self.bye();
            }
        }
    }

    /// Answers the first INVITE.
    fn answer(&mut self, code: StatusCode) {
        let response = self.first().response(code);
        self.answered |= code.is_final();
        self.accepted |= code == StatusCode::OK;
        self.out.push_back(response.into());
    }

    fn bye(&mut self) {
        self.byes += 1;
        self.send(Method::Bye);
    }

    fn send(&mut self, method: Method) {
        let request = self.follow_up(method);
        self.ask(request);
    }

    fn ask(&mut self, request: Request) {
        self.next = self.next.max(request.cseq.as_u64() + 1);
        self.asked.insert(request.cseq.as_u64(), (request.method, 0));
        self.out.push_back(request.into());
    }

    fn follow_up(&mut self, method: Method) -> Request {
        let cseq = self.cseq();
        self.first().follow_up(method, cseq)
    }

    fn cseq(&mut self) -> CSeq {
        self.next += 1;
        CSeq::new(self.next - 1).unwrap()
    }

    fn first(&self) -> &Request {
        self.invite.as_ref().unwrap()
    }
}
