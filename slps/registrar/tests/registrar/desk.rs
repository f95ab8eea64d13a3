use std::sync::Arc;

use rtcd_sdk::Peer;
use rtcd_sdk::axum::body::Body;
use rtcd_sdk::axum::http::Request as HttpRequest;
use rtcd_sdk::harness::{ApiAnswer, Dialog, Harness};
use rtcd_sdk::jsip::{Message, Method, Request, Response, StatusCode};
use rtcd_sdk::serde_json::Value;
use slp_registrar::{Contacts, Registrar, RegistrarApi};

pub(crate) const ALICE: &str = "alice@test.com";
pub(crate) const BOB: &str = "bob@test.com";
pub(crate) const CAROL: &str = "carol@test.com";

pub(crate) fn phone(user: &str) -> Peer {
    Peer::new(user, Some("phone"))
}

pub(crate) fn desk(user: &str) -> Peer {
    Peer::new(user, Some("desk"))
}

/// The registrar, with nobody registered.
pub(crate) struct Desk {
    pub(crate) harness: Harness<Registrar>,
    /// How many of the dialogs that it opened have been looked at.
    seen: usize,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with_settings("max_expire: 1d")
    }

    pub(crate) fn with_settings(yaml: &str) -> Self {
        Self { harness: Harness::with_settings(yaml), seen: 0 }
    }

    pub(crate) fn contacts(&self) -> Arc<Contacts> {
        self.harness.api().shared()
    }

    pub(crate) fn register(&self, peer: &Peer, expire: u64) -> Request {
        let mut request = self.harness.first(Method::Register, peer.user(), peer.user());
        request.headers.set_number("Expire", expire);
        request
    }

    pub(crate) fn subscribe(&self, peer: &Peer, user: &str, expire: u64) -> Request {
        let mut request = self.harness.first(Method::Subscribe, peer.user(), user);
        request.headers.set_text("Event", "presence").set_number("Expire", expire);
        request
    }

    /// Sends a request; its dialog ends with the answer.
    pub(crate) fn ask(&mut self, peer: &Peer, request: Request) -> Response {
        let dialog = self.harness.dial_from(peer, request);
        let response = match self.harness.sent(dialog) {
            [Message::Response(response)] => response.clone(),
            other => unreachable!("one answer, not {other:?}"),
        };
        self.harness.ended(dialog);
        response
    }

    /// Registers for an hour.
    #[track_caller]
    pub(crate) fn is(&mut self, peer: &Peer, presence: &str) {
        let mut request = self.register(peer, 3600);
        request.headers.set_text("Presence", presence);
        assert_eq!(self.ask(peer, request).code, StatusCode::OK);
    }

    /// Is no contact any more.
    #[track_caller]
    pub(crate) fn leaves(&mut self, peer: &Peer) {
        let request = self.register(peer, 0);
        assert_eq!(self.ask(peer, request).code, StatusCode::OK);
    }

    /// Somebody saw that a device is not there.
    pub(crate) fn gone(&self, peer: &Peer) {
        for contact in self.contacts().lookup(peer.user()) {
            if contact.peer == *peer {
                self.contacts().gone(&contact);
            }
        }
    }

    /// Subscribes for a day.
    #[track_caller]
    pub(crate) fn watches(&mut self, peer: &Peer, user: &str) {
        let request = self.subscribe(peer, user, 86_400);
        assert_eq!(self.ask(peer, request).code, StatusCode::OK);
    }

    /// The NOTIFYs that nobody has looked at.
    pub(crate) fn notifies(&mut self) -> Vec<Notify> {
        let opened = self.harness.opened();
        let fresh = opened[self.seen..].iter().map(|dialog| {
            let request = self.harness.first_request(*dialog);
            assert_eq!(request.method, Method::Notify);
            Notify {
                dialog: *dialog,
                to: request.uri.to_string(),
                state: request.headers.text("Subscription-State").unwrap().into_owned(),
                body: request.headers.json("Body").unwrap(),
            }
        });
        let fresh = fresh.collect();
        self.seen = opened.len();
        fresh
    }

    /// Answers a NOTIFY, and its dialog ends.
    pub(crate) fn answer(&mut self, notify: &Notify, code: StatusCode) {
        self.harness.answer(notify.dialog, Method::Notify, code);
        self.harness.ended(notify.dialog);
    }

    /// The NOTIFYs that nobody has looked at, answered 200; and those that follow.
    pub(crate) fn told(&mut self) -> Vec<Notify> {
        let mut told = Vec::new();
        loop {
            let fresh = self.notifies();
            if fresh.is_empty() {
                return told;
            }
            for notify in &fresh {
                self.answer(notify, StatusCode::OK);
            }
            told.extend(fresh);
        }
    }

    /// Status and body that the API answers.
    pub(crate) fn call(&mut self, method: &str, path: &str) -> (u16, Value) {
        let request = HttpRequest::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let ApiAnswer { status, body } = self.harness.call_api::<RegistrarApi>(request);
        (status.as_u16(), body)
    }
}

/// A NOTIFY as its receiver sees it.
#[derive(Debug)]
pub(crate) struct Notify {
    pub(crate) dialog: Dialog,
    pub(crate) to: String,
    pub(crate) state: String,
    pub(crate) body: Value,
}

impl Notify {
    /// `bob@test.com online`
    pub(crate) fn tells(&self) -> String {
        format!("{} {}", self.body["user"].as_str().unwrap(), self.body["state"].as_str().unwrap())
    }
}
