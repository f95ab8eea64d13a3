//! One request and its responses.
//!
//! | event | what happens |
//! |---|---|
//! | a request | opens a transaction; one that is no INVITE waits `transtimer` |
//! | 1xx | passed on; it waits `prtimer` from here |
//! | a final response | passed on; the transaction ends. A received INVITE waits for its ACK, as its session says |
//! | a 1xx or final after the final, or in the wrong direction | dropped |
//! | time is up | 408 to the side that waits |
//!
//! An INVITE's time is its session's: see [`session`](super::session).

use std::time::Instant;

use bytestring::ByteString;

use super::delivery::Sent;
use crate::{CSeq, DialogId, Method, Request, Response, StatusCode};

/// Who waits for the responses to a request of this side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The application.
    Application,
    /// The session, which keeps itself alive.
    Refresh,
    /// Nobody: a BYE, a CANCEL, or a request of an application that is gone.
    Nobody,
}

#[derive(Debug)]
pub(super) enum State {
    /// A request of the peer without final response.
    Received { fingerprint: u64, provisional: Option<Sent>, deadline: Option<Instant> },
    /// An INVITE of the peer that has its final response and waits for the ACK.
    Answered { fingerprint: u64, response: Sent, acceptance: Acceptance },
    /// A request of this side without final response.
    Sent { origin: Origin, request: Sent, deadline: Option<Instant> },
}

/// What the final response to an INVITE was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acceptance {
    /// A 2xx: its ACK belongs to the session, which has the time for it.
    Accepted,
    /// A refusal that ends the session: so has it.
    Failed,
    /// A refused change of the session: the ACK is swallowed, and no longer waited for after this time.
    Refused(Instant),
}

#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) cseq: CSeq,
    pub(super) method: Method,
    pub(super) from: ByteString,
    pub(super) to: ByteString,
    pub(super) since: Instant,
    pub(super) state: State,
}

impl Transaction {
    pub(super) fn new(request: &Request, now: Instant, state: State) -> Self {
        // A call lasts: it must not keep its frame alive. Of a long frame these are copies anyway.
        let kept = |text: &ByteString| match request.method {
            Method::Invite => ByteString::from(&**text),
            Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Register
            | Method::Options
            | Method::Info
            | Method::Update
            | Method::Prack
            | Method::Subscribe
            | Method::Message
            | Method::Notify => text.clone(),
        };
        Self {
            cseq: request.cseq,
            method: request.method,
            from: kept(&request.from),
            to: kept(&request.to),
            since: now,
            state,
        }
    }

    /// A response that the stack makes.
    pub(super) fn response(&self, dialog: &DialogId, code: StatusCode) -> Response {
        Response {
            code,
            from: self.from.clone(),
            to: self.to.clone(),
            dialog: dialog.clone(),
            cseq: self.cseq,
            headers: crate::Headers::default(),
        }
    }

    pub(super) fn is_received(&self) -> bool {
        match self.state {
            State::Received { .. } => true,
            State::Answered { .. } | State::Sent { .. } => false,
        }
    }

    pub(super) fn is_sent(&self) -> bool {
        match self.state {
            State::Sent { .. } => true,
            State::Answered { .. } | State::Received { .. } => false,
        }
    }

    pub(super) fn is_answered(&self) -> bool {
        match self.state {
            State::Answered { .. } => true,
            State::Sent { .. } | State::Received { .. } => false,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Received { deadline, .. } | State::Sent { deadline, .. } => deadline,
            State::Answered { acceptance, .. } => match acceptance {
                Acceptance::Refused(at) => Some(at),
                Acceptance::Accepted | Acceptance::Failed => None,
            },
        }
    }

    /// The name of its state in listings.
    pub(super) fn state_name(&self) -> &'static str {
        match &self.state {
            State::Received { provisional: None, .. } => "Received",
            State::Received { provisional: Some(_), .. } => "Proceeding",
            State::Answered { .. } => "Answered",
            State::Sent { .. } => "Sent",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test has no clock; the time does not matter")]
    fn a_call_does_not_keep_its_frame_alive() {
        let frame = r#"{"Type":"INVITE","Request-URI":"u","From":"f","To":"t","DialogueID":"d","CSeq":1}"#;
        let Ok(crate::Message::Request(invite)) = crate::Message::decode(frame) else { panic!("an INVITE") };
        let now = Instant::now();
        let state = State::Received { fingerprint: 0, provisional: None, deadline: None };
        let open = Transaction::new(&invite, now, state);
        assert!(open.from.as_bytes().is_unique() && open.to.as_bytes().is_unique());
    }
}
