use std::collections::{HashMap, VecDeque};

use rtcd_sdk::jsip::{CSeq, DialogId, Headers, Message, Method, Request, Response, StatusCode};
use slp_call::Side;

/// What a client may do on its own, once, at any point at which it makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Cancel,
    Ring,
    Accept,
    Decline,
    Bye,
    ReInvite,
    Info,
    Prack,
    Update,
    /// Nothing more happens but that time passes: the longest timer of a ringing call.
    Wait,
}

/// What a client knows of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phone {
    Idle,
    Ringing,
    Up,
    Over,
}

pub(crate) struct Client {
    pub(crate) name: &'static str,
    pub(crate) side: Side,
    pub(crate) phone: Phone,
    pub(crate) acts: Vec<Act>,
    pub(crate) dialog: Option<DialogId>,
    pub(crate) invite: Option<Request>,
    pub(crate) next: u64,
    pub(crate) given_up: bool,
    pub(crate) confirmed: bool,
    /// Final responses to the requests that it sent.
    pub(crate) finals: HashMap<CSeq, usize>,
    /// Its requests.
    pub(crate) asked: Vec<(CSeq, Method)>,
    pub(crate) to_stack: VecDeque<Message>,
}

impl Client {
    pub(crate) fn new(name: &'static str, side: Side, acts: &[Act]) -> Self {
        Self {
            name,
            side,
            phone: Phone::Idle,
            acts: acts.to_vec(),
            dialog: None,
            invite: None,
            next: 1,
            given_up: false,
            confirmed: false,
            finals: HashMap::new(),
            asked: Vec::new(),
            to_stack: VecDeque::new(),
        }
    }

    pub(crate) fn request(&mut self, method: Method, related: Option<CSeq>) -> Request {
        let cseq = CSeq::new(self.next).unwrap();
        self.next += 1;
        if method != Method::Ack {
            self.asked.push((cseq, method));
        }
        Request {
            method,
            uri: "bob@test.com".into(),
            from: "alice@test.com".into(),
            to: "bob@test.com".into(),
            dialog: self.dialog.clone().unwrap(),
            cseq,
            related,
            router: None,
            headers: Headers::default(),
        }
    }

    pub(crate) fn send(&mut self, method: Method, related: Option<CSeq>) {
        let request = self.request(method, related);
        self.to_stack.push_back(request.into());
    }

    pub(crate) fn dial(&mut self) {
        self.dialog = DialogId::new("alice-1");
        let invite = self.request(Method::Invite, None);
        self.invite = Some(invite.clone());
        self.phone = Phone::Ringing;
        self.to_stack.push_back(invite.into());
    }

    /// The acts that make sense now.
    pub(crate) fn possible(&self) -> Vec<Act> {
        let can = |act: &&Act| match (act, self.side, self.phone) {
            (Act::Cancel, Side::Caller, Phone::Ringing) => true,
            (Act::Prack, Side::Caller, Phone::Ringing) => self.finals.is_empty(),
            (Act::Ring | Act::Accept | Act::Decline, Side::Callee, Phone::Ringing) => true,
            (Act::Update, _, Phone::Ringing) => true,
            (Act::Info, _, Phone::Ringing | Phone::Up) => true,
            (Act::Bye, _, Phone::Up) => true,
            (Act::ReInvite, _, Phone::Up) => self.confirmed,
            (Act::Wait, ..) => true,
            _ => false,
        };
        self.acts.iter().filter(can).copied().collect()
    }

    pub(crate) fn act(&mut self, act: Act) {
        self.acts.retain(|other| *other != act);
        match act {
            Act::Cancel => {
                self.given_up = true;
                let invite = self.invite.as_ref().unwrap().cseq;
                self.send(Method::Cancel, Some(invite));
            }
            Act::Ring => self.answer_invite(StatusCode::RINGING),
            Act::Accept => self.accept(),
            Act::Decline => {
                self.answer_invite(StatusCode::DECLINE);
                self.phone = Phone::Over;
            }
            Act::Bye => {
                self.phone = Phone::Over;
                self.send(Method::Bye, None);
            }
            Act::ReInvite => self.send(Method::Invite, None),
            Act::Info => self.send(Method::Info, None),
            Act::Prack => self.send(Method::Prack, None),
            Act::Update => self.send(Method::Update, None),
            Act::Wait => unreachable!("time is not the client's"),
        }
    }

    pub(crate) fn accept(&mut self) {
        self.answer_invite(StatusCode::OK);
        self.phone = Phone::Up;
    }

    pub(crate) fn answer_invite(&mut self, code: StatusCode) {
        let response = self.invite.as_ref().unwrap().response(code);
        self.to_stack.push_back(response.into());
    }

    /// A frame of the server.
    pub(crate) fn receive(&mut self, message: Message) {
        match message {
            Message::Request(request) => self.on_request(request),
            Message::Response(response) => self.on_response(&response),
        }
    }

    pub(crate) fn on_request(&mut self, request: Request) {
        let code = match request.method {
            Method::Ack => {
                self.confirmed = true;
                return;
            }
            Method::Invite if self.dialog.is_none() => {
                self.dialog = Some(request.dialog.clone());
                self.invite = Some(request);
                self.phone = Phone::Ringing;
                return;
            }
            Method::Cancel if self.phone == Phone::Ringing => {
                self.phone = Phone::Over;
                self.to_stack.push_back(request.response(StatusCode::OK).into());
                return self.answer_invite(StatusCode::REQUEST_TERMINATED);
            }
            Method::Bye => {
                self.phone = Phone::Over;
                StatusCode::OK
            }
            _ if self.phone == Phone::Over => StatusCode::NO_SUCH_TRANSACTION,
            _ => StatusCode::OK,
        };
        self.to_stack.push_back(request.response(code).into());
    }

    pub(crate) fn on_response(&mut self, response: &Response) {
        let Some((_, method)) = self.asked.iter().find(|(cseq, _)| *cseq == response.cseq).copied() else {
            panic!("{} got a response to what it did not ask: {response:?}", self.name);
        };
        if response.code.is_provisional() {
            return;
        }
        *self.finals.entry(response.cseq).or_default() += 1;
        if method != Method::Invite {
            return;
        }
        self.send(Method::Ack, Some(response.cseq));
        let first = self.side == Side::Caller && self.invite.as_ref().unwrap().cseq == response.cseq;
        if !first {
            return;
        }
        if !response.code.is_success() {
            self.phone = Phone::Over;
        } else if self.given_up {
            self.phone = Phone::Over;
            self.send(Method::Bye, None);
        } else {
            self.phone = Phone::Up;
            self.confirmed = true;
        }
    }
}
