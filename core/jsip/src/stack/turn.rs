//! One dialog's turn: the dialog, what all dialogs share, and the time. The tables of transactions and sessions are written in
//! terms of these few actions.

use std::time::Instant;

use super::core::Core;
use super::delivery::{Owner, Place, Room, Sent};
use super::dialog::Dialog;
use super::transaction::{Acceptance, Origin, State, Transaction};
use super::{Output, SendError, Side};
use crate::{CSeq, Message, Method, Request, Response, StatusCode};

#[derive(Debug)]
pub(super) struct Turn<'a, T> {
    pub(super) now: Instant,
    pub(super) dialog: &'a mut Dialog<T>,
    pub(super) core: &'a mut Core<T>,
}

impl<T: Clone> Turn<'_, T> {
    /// Hands a message to the application, if there is one.
    pub(super) fn deliver(&mut self, message: impl Into<Message>) {
        if self.dialog.tag.is_some() {
            self.dispatch(message);
        }
    }

    /// Hands a message to whoever will be bound.
    #[inline]
    pub(super) fn dispatch(&mut self, message: impl Into<Message>) {
        let tag = self.dialog.tag.clone();
        self.core.push(Output::Deliver { dialog: self.dialog.key, tag, message: message.into() });
    }

    /// A CSeq that no open request of this side has.
    pub(super) fn new_cseq(&mut self) -> CSeq {
        loop {
            let cseq = self.core.new_cseq();
            if self.dialog.sent(cseq).is_none() {
                return cseq;
            }
        }
    }

    /// Opens the transaction of a request of the peer.
    pub(super) fn open_received(&mut self, request: &Request, fingerprint: u64) {
        let deadline = match request.method {
            Method::Invite => {
                // From here on an ACK of this CSeq is for this INVITE, not for a refused one before it.
                self.dialog.transactions.retain(|open| !(open.is_answered() && open.cseq == request.cseq));
                None
            }
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
            | Method::Notify => Some(self.now + self.core.config.transtimer),
        };
        let state = State::Received { fingerprint, provisional: None, deadline };
        self.core.received += 1;
        self.open(Transaction::new(request, self.now, state));
    }

    /// Sends a request that waits for responses, until `deadline` if it has one of its own.
    pub(super) fn send(&mut self, mut request: Request, origin: Origin, deadline: Option<Instant>) {
        self.before_leaving(&mut request);
        let text = request.encode();
        let room = match request.method {
            Method::Ack | Method::Bye | Method::Cancel => Room::Reserved,
            Method::Invite
            | Method::Register
            | Method::Options
            | Method::Info
            | Method::Update
            | Method::Prack
            | Method::Subscribe
            | Method::Message
            | Method::Notify => Room::Shared,
        };
        let owner = Owner::Request(self.dialog.key, request.cseq);
        let place = self.core.transmit(self.now, text.clone(), owner, room);
        let state = State::Sent { origin, request: Sent { text, place }, deadline };
        self.open(Transaction::new(&request, self.now, state));
    }

    pub(super) fn send_ack(&mut self, mut ack: Request) {
        self.before_leaving(&mut ack);
        let owner = Owner::Ack(self.dialog.key);
        self.core.transmit(self.now, ack.encode(), owner, Room::Reserved);
    }

    /// Passes a provisional response on to the peer; `deadline` is the new one of a request that is no INVITE.
    pub(super) fn proceed(&mut self, response: &Response, deadline: Option<Instant>) {
        let text = response.encode();
        let owner = Owner::Provisional(self.dialog.key, response.cseq);
        let open =
            self.dialog.transactions.iter_mut().find(|open| open.cseq == response.cseq && open.is_received());
        let Some(Transaction { state: State::Received { provisional, deadline: until, .. }, .. }) = open
        else {
            return;
        };
        if let Some(superseded) = provisional.take() {
            self.core.delivery.take_back(superseded.place);
        }
        let place = self.core.transmit(self.now, text.clone(), owner, Room::Reserved);
        *provisional = Some(Sent { text, place });
        *until = deadline;
    }

    /// The final response to an open request of the peer that waits for no ACK.
    pub(super) fn finish(&mut self, response: &Response) {
        let found = |open: &Transaction| open.cseq == response.cseq && open.is_received();
        let Some(at) = self.dialog.transactions.iter().position(found) else { return };
        let Some(open) = self.dialog.transactions.get_mut(at) else { return };
        let State::Received { fingerprint, provisional, .. } = &mut open.state else { return };
        let fingerprint = *fingerprint;
        if let Some(superseded) = provisional.take() {
            self.core.delivery.take_back(superseded.place);
        }
        let text = response.encode();
        let answer = self.core.memory(&open.from, &open.to, response, &text);
        let place = self.core.transmit(self.now, text, Owner::Answer(fingerprint), Room::Reserved);
        self.core.keep(self.now, fingerprint, place, answer);
        self.core.received -= 1;
        let (method, took) = (open.method, self.now.saturating_duration_since(open.since));
        self.core.finished(method, response.code, Side::Peer, took);
        self.remove(at);
    }

    /// The same, by a response of the stack's own.
    pub(super) fn finish_with(&mut self, cseq: CSeq, code: StatusCode) {
        if let Some(open) = self.dialog.received(cseq) {
            let response = open.response(&self.dialog.id, code);
            self.finish(&response);
        }
    }

    /// The final response to an open INVITE of the peer; the transaction stays, in its place, for the ACK.
    pub(super) fn finish_invite(&mut self, response: &Response, acceptance: Acceptance) -> Option<Place> {
        let open = self
            .dialog
            .transactions
            .iter_mut()
            .find(|open| open.cseq == response.cseq && open.is_received())?;
        let State::Received { fingerprint, provisional, .. } = &mut open.state else { return None };
        let fingerprint = *fingerprint;
        if let Some(superseded) = provisional.take() {
            self.core.delivery.take_back(superseded.place);
        }
        let text = response.encode();
        let answer = self.core.memory(&open.from, &open.to, response, &text);
        let owner = Owner::Final(self.dialog.key, response.cseq, fingerprint);
        let place = self.core.transmit(self.now, text.clone(), owner, Room::Reserved);
        self.core.keep(self.now, fingerprint, place, answer);
        open.state = State::Answered { fingerprint, response: Sent { text, place }, acceptance };
        self.core.received -= 1;
        self.core.open -= 1;
        let (method, took) = (open.method, self.now.saturating_duration_since(open.since));
        self.core.finished(method, response.code, Side::Peer, took);
        Some(place)
    }

    /// The same, by a response of the stack's own.
    pub(super) fn finish_invite_with(
        &mut self,
        cseq: CSeq,
        code: StatusCode,
        acceptance: Acceptance,
    ) -> Option<Place> {
        let response = self.dialog.received(cseq)?.response(&self.dialog.id, code);
        self.finish_invite(&response, acceptance)
    }

    /// Takes the open request of this side out of the list, and out of the queue if it is still there: this is its final response.
    pub(super) fn take_sent(&mut self, cseq: CSeq, code: StatusCode) -> Option<Transaction> {
        let at = self.dialog.transactions.iter().position(|open| open.cseq == cseq && open.is_sent())?;
        self.core.open -= 1;
        let transaction = self.dialog.transactions.remove(at);
        if let State::Sent { request, .. } = &transaction.state {
            self.core.delivery.take_back(request.place);
        }
        let took = self.now.saturating_duration_since(transaction.since);
        self.core.finished(transaction.method, code, Side::Application, took);
        Some(transaction)
    }

    /// Whether the open request of this side has not left yet.
    pub(super) fn is_waiting(&self, cseq: CSeq) -> bool {
        self.dialog.sent(cseq).is_some_and(|open| match &open.state {
            State::Sent { request, .. } => matches!(request.place, Place::Waiting(_)),
            State::Received { .. } | State::Answered { .. } => false,
        })
    }

    /// Whether a CANCEL that would be refused has the CSeq of a request: the refusal would be taken for that one's answer. It
    /// is dropped while the request is open; later the answer that the request has got stands for its own.
    pub(super) fn drops_cancel(&mut self, cancel: &Request) -> bool {
        if cancel.method != Method::Cancel {
            return false;
        }
        if self.dialog.received(cancel.cseq).is_some() {
            tracing::debug!("the CANCEL has the key of an open request, which it cannot take back");
            self.core.counters.collisions += 1;
            return true;
        }
        let Some(State::Answered { fingerprint, response, .. }) =
            self.dialog.answered(cancel.cseq).map(|open| &open.state)
        else {
            return false;
        };
        let (fingerprint, text) = (*fingerprint, response.text.clone());
        self.core.repeat_answer(self.now, text, fingerprint);
        true
    }

    /// The stack's own final response to a request of the peer that opens nothing.
    pub(super) fn refuse(&mut self, request: &Request, fingerprint: u64, response: &Response) {
        if self.drops_cancel(request) {
            return;
        }
        if self.dialog.session.is_some() {
            self.refuse_in_session(request, fingerprint, response);
        } else {
            self.core.answer(self.now, request, fingerprint, response);
        }
    }

    /// The same in a session. An INVITE's ACK is then waited for, so that it is not taken for another's. Not so if many are
    /// waited for already, or one for an INVITE of this CSeq: which of the two it is for cannot be told.
    pub(super) fn refuse_in_session(&mut self, request: &Request, fingerprint: u64, response: &Response) {
        /// How many ACKs of refused INVITEs are waited for in a dialog.
        const MAX_REFUSED: usize = 8;
        let refused = |open: &&Transaction| {
            matches!(open.state, State::Answered { acceptance: Acceptance::Refused(_), .. })
        };
        if request.method != Method::Invite
            || self.dialog.answered(request.cseq).is_some()
            || self.dialog.transactions.iter().filter(refused).count() >= MAX_REFUSED
        {
            return self.core.answer(self.now, request, fingerprint, response);
        }
        self.open_received(request, fingerprint);
        let until = self.now + self.core.config.transtimer;
        self.finish_invite(response, Acceptance::Refused(until));
    }

    /// Whether one more request of the peer can be open.
    pub(super) fn has_room(&self) -> bool {
        self.core.received < self.core.config.max_transactions
            && self.dialog.transactions.len() < self.core.config.max_dialog_transactions
    }

    /// The application took its INVITE back: from here on it hears nothing of the PRACKs and UPDATEs that it sent before. INFO
    /// passes in every state, and what is not of the session always.
    pub(super) fn ignore_early(&mut self) {
        for transaction in &mut self.dialog.transactions {
            if let State::Sent { origin, .. } = &mut transaction.state
                && matches!(transaction.method, Method::Prack | Method::Update)
            {
                *origin = Origin::Nobody;
            }
        }
    }

    /// A re-INVITE stands for the ACK of the INVITE before it.
    pub(super) fn drop_accepted(&mut self) {
        self.dialog.transactions.retain(|transaction| {
            !matches!(transaction.state, State::Answered { acceptance: Acceptance::Accepted, .. })
        });
    }

    /// The session is over: no ACK is waited for or sent again; a 200 that has not left becomes a 487, as its BYE may be over
    /// before the peer is back; its CANCEL waits no longer than any other request, and the
    /// answers to its UPDATEs are no business of a session that may follow it in this dialog.
    pub(super) fn session_ended(&mut self) {
        self.core.sessions -= 1;
        let until = self.now + self.core.config.transtimer;
        self.dialog.transactions.retain(|transaction| {
            let State::Answered { fingerprint, response, acceptance } = &transaction.state else {
                return true;
            };
            if *acceptance == Acceptance::Accepted {
                let terminated =
                    transaction.response(&self.dialog.id, StatusCode::REQUEST_TERMINATED).encode();
                if self.core.delivery.replace((self.now, &self.core.config), response.place, &terminated) {
                    self.core.linger.replace(*fingerprint, terminated);
                }
            }
            false
        });
        for transaction in &mut self.dialog.transactions {
            let State::Sent { origin, deadline, .. } = &mut transaction.state else { continue };
            match (transaction.method, *origin) {
                (Method::Cancel, _) => *deadline = deadline.map(|deadline| until.min(deadline)),
                (_, Origin::Refresh) => *origin = Origin::Nobody,
                (_, Origin::Application | Origin::Nobody) => {}
            }
        }
        self.core.delivery.forget_acks(self.dialog.key);
    }

    /// Whether the application's request could be matched to its responses.
    pub(super) fn check_free(&self, cseq: CSeq) -> Result<(), SendError> {
        match self.dialog.sent(cseq) {
            Some(_) => Err(SendError::CSeqInUse { cseq }),
            None => Ok(()),
        }
    }

    fn before_leaving(&self, request: &mut Request) {
        /// How many servers a request may pass.
        const MAX_FORWARDS: u64 = 70;
        if self.core.config.hop && !request.headers.contains("Max-Forwards") {
            request.headers.set_number("Max-Forwards", MAX_FORWARDS);
        }
    }

    fn open(&mut self, transaction: Transaction) {
        self.core.open += 1;
        self.core.counters.transactions_opened += 1;
        self.dialog.transactions.push(transaction);
    }

    fn remove(&mut self, at: usize) {
        self.core.open -= 1;
        if self.dialog.transactions.len() == 1 {
            // As nearly always: nothing has to be moved.
            self.dialog.transactions.clear();
        } else {
            self.dialog.transactions.remove(at);
        }
    }
}
