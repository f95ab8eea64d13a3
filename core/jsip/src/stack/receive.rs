//! What the peer sends.

use std::time::Instant;

use super::core::Core;
use super::dialog::DialogKey;
use super::fields::{self, Expire, Hops};
use super::session::{Session, whole_seconds};
use super::transaction::{Origin, State};
use super::turn::Turn;
use super::{CloseReason, Detach, Side, Stack};
use crate::message::Glance;
use crate::{DecodeError, Message, Method, Request, Response, StatusCode};

impl<T: Clone> Stack<T> {
    /// A text frame of the peer.
    pub fn handle_frame(&mut self, now: Instant, frame: &str) {
        if !self.core.delivery.alive(now) {
            self.core.counters.ignored_frames += 1;
            return;
        }
        self.core.counters.frames_received += 1;
        if self.turns_away(now, frame) {
            return;
        }
        match Message::decode(frame) {
            Ok(Message::Request(request)) => {
                self.core.bad_in_row = 0;
                self.request_in(now, request, self.core.fingerprint(frame));
            }
            Ok(Message::Response(response)) => {
                self.core.bad_in_row = 0;
                self.response_in(now, response);
            }
            Err(error) => self.bad_frame(now, error),
        }
    }

    /// While no dialog is let in, what would open one, and the ACK to such a refusal, is not worth to be read to the end.
    fn turns_away(&mut self, now: Instant, frame: &str) -> bool {
        let Some(headers) = self.core.gate.refuses() else { return false };
        let Some(glance) = Glance::at(frame).filter(|glance| self.dialogs.find(glance.dialog).is_none())
        else {
            return false;
        };
        if glance.method == Method::Ack {
            self.core.counters.dropped_acks += 1;
            return true;
        }
        // A repeat gets what its request got.
        if !glance.method.opens_dialog() || self.core.linger.find(self.core.fingerprint(frame)).is_some() {
            return false;
        }
        let text = glance.answer(StatusCode::SERVICE_UNAVAILABLE, headers);
        self.core.turn_away(now, glance.method, text);
        true
    }

    fn bad_frame(&mut self, now: Instant, error: DecodeError) {
        tracing::debug!(%error, "bad frame");
        self.core.counters.bad_frames += 1;
        self.core.bad_in_row += 1;
        if let Some(reply) = error.into_reply() {
            let taken = self
                .dialogs
                .find(reply.dialog.as_str())
                .and_then(|key| self.dialogs.get(key))
                .is_some_and(|dialog| dialog.received(reply.cseq).is_some());
            if taken {
                // A 400 would be taken for the answer to the request that is open under this key.
                self.core.counters.collisions += 1;
            } else {
                self.core.counters.refused_fields += 1;
                self.core.reply(now, &reply);
            }
        }
        if self.core.bad_in_row >= self.core.config.max_bad_frames {
            self.core.bad_in_row = 0;
            self.core.delivery.close(CloseReason::TooManyBadFrames);
            self.handle_detached(now, Detach::Lost);
        }
    }

    fn request_in(&mut self, now: Instant, mut request: Request, fingerprint: u64) {
        let known = self.dialogs.find(request.dialog.as_str());
        if request.method == Method::Ack {
            return self.ack_in(now, known, request);
        }
        if let Some(key) = known
            && request.method != Method::Cancel
            && self.meets_open(now, key, &request, fingerprint)
        {
            return;
        }
        if let Some(answer) = self.core.linger.find(fingerprint) {
            let text = answer.text(&request);
            return self.core.repeat_answer(now, text, fingerprint);
        }
        if let Some(text) = known.and_then(|key| self.dialogs.get(key)?.unacknowledged(fingerprint)) {
            return self.core.repeat_answer(now, text, fingerprint);
        }
        if known.is_none()
            && request.method.opens_dialog()
            && let Some(headers) = self.core.gate.refuses().cloned()
        {
            let response = Response { headers, ..request.response(StatusCode::SERVICE_UNAVAILABLE) };
            return self.core.turn_away(now, request.method, response.encode());
        }
        let refusal = self.refusal(&mut request, known.is_some());
        let key = match (known, refusal) {
            (Some(key), Some(response)) => {
                self.with(now, key, |turn| turn.refuse(&request, fingerprint, &response));
                return;
            }
            (None, Some(response)) => return self.core.answer(now, &request, fingerprint, &response),
            (Some(key), None) => key,
            (None, None) => self.insert(now, &request, None),
        };
        self.with(now, key, |turn| turn.request_in(request, fingerprint));
    }

    /// The answer to a request that goes no further, whatever its dialog's state.
    fn refusal(&mut self, request: &mut Request, known: bool) -> Option<Response> {
        let counters = &mut self.core.counters;
        match fields::take_hop(request) {
            Hops::Absent | Hops::Left => {}
            Hops::None => {
                counters.refused_fields += 1;
                return Some(request.response(StatusCode::TOO_MANY_HOPS));
            }
            Hops::Bad => {
                counters.refused_fields += 1;
                let response = request.response(StatusCode::BAD_REQUEST);
                return Some(response.with_reason("Max-Forwards: must be an integer"));
            }
        }
        if known {
            return None;
        }
        if !request.method.opens_dialog() {
            counters.refused_unknown += 1;
            return Some(request.response(StatusCode::NO_SUCH_TRANSACTION));
        }
        if self.dialogs.len() >= self.core.config.max_dialogs {
            counters.refused_room += 1;
            return Some(request.response(StatusCode::SERVICE_UNAVAILABLE));
        }
        None
    }

    fn ack_in(&mut self, now: Instant, known: Option<DialogKey>, mut ack: Request) {
        let hops = fields::take_hop(&mut ack);
        let passed = matches!(hops, Hops::Absent | Hops::Left);
        match known {
            Some(key) if passed => {
                self.with(now, key, |turn| turn.ack_in(ack));
            }
            Some(_) | None => self.core.counters.dropped_acks += 1,
        }
    }

    /// Whether a request has the key of an open one: then it is that one's repeat, or it is dropped.
    fn meets_open(&mut self, now: Instant, key: DialogKey, request: &Request, fingerprint: u64) -> bool {
        let Some(open) = self.dialogs.get(key).and_then(|dialog| dialog.received(request.cseq)) else {
            return false;
        };
        match &open.state {
            State::Received { fingerprint: first, .. } if *first != fingerprint => {
                tracing::debug!(method = request.method.name(), "another request has this key and is open");
                self.core.counters.collisions += 1;
            }
            State::Received { provisional, .. } => {
                self.core.counters.repeats += 1;
                if let Some(sent) = provisional {
                    let text = sent.text.clone();
                    self.repeat_provisional(now, key, request.cseq, text);
                }
            }
            State::Answered { .. } | State::Sent { .. } => {}
        }
        true
    }

    fn response_in(&mut self, now: Instant, response: Response) {
        match self.dialogs.find(response.dialog.as_str()) {
            Some(key) => {
                self.with(now, key, |turn| turn.response_in(response));
            }
            None => self.core.drop_response(&response),
        }
    }
}

impl<T> Core<T> {
    pub(super) fn drop_response(&mut self, response: &Response) {
        tracing::debug!(code = response.code.as_u16(), "no request waits for the response");
        self.counters.dropped_responses += 1;
    }
}

impl<T: Clone> Turn<'_, T> {
    /// A request that repeats none; not an ACK.
    fn request_in(&mut self, mut request: Request, fingerprint: u64) {
        match (request.method, self.dialog.session.take()) {
            (
                Method::Invite
                | Method::Bye
                | Method::Cancel
                | Method::Info
                | Method::Update
                | Method::Prack
                | Method::Ack,
                Some(session),
            ) => self.dialog.session = session.request_in(self, request, fingerprint),
            (
                Method::Bye | Method::Cancel | Method::Info | Method::Update | Method::Prack | Method::Ack,
                None,
            ) => {
                if self.drops_cancel(&request) {
                    return;
                }
                self.core.counters.refused_unknown += 1;
                let response = request.response(StatusCode::NO_SUCH_TRANSACTION);
                self.refuse(&request, fingerprint, &response);
            }
            (
                Method::Invite
                | Method::Register
                | Method::Options
                | Method::Subscribe
                | Method::Message
                | Method::Notify,
                session,
            ) => {
                let orphaned = session.is_some() && self.dialog.tag.is_none();
                self.dialog.session = session;
                if orphaned {
                    // The session's task is gone, and what is left of it is the stack's.
                    self.core.counters.refused_unknown += 1;
                    let response = request.response(StatusCode::NO_SUCH_TRANSACTION);
                    return self.refuse(&request, fingerprint, &response);
                }
                if let Some(response) = self.bad_expire(&mut request) {
                    self.core.counters.refused_fields += 1;
                    return self.refuse(&request, fingerprint, &response);
                }
                if !self.has_room() {
                    self.core.counters.refused_room += 1;
                    let response = request.response(StatusCode::SERVICE_UNAVAILABLE);
                    return self.refuse(&request, fingerprint, &response);
                }
                if request.method == Method::Invite {
                    self.open_session(Side::Peer, &mut request);
                }
                self.open_received(&request, fingerprint);
                self.dispatch(request);
            }
        }
    }

    /// Checks `Expire` where it means something; one that is too high is lowered.
    fn bad_expire(&self, request: &mut Request) -> Option<Response> {
        let zero_leaves = match request.method {
            Method::Invite => false,
            Method::Subscribe | Method::Register => true,
            Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Options
            | Method::Info
            | Method::Update
            | Method::Prack
            | Method::Message
            | Method::Notify => return None,
        };
        let config = &self.core.config;
        match fields::expire(&request.headers) {
            Expire::Absent => None,
            Expire::Bad => {
                Some(request.response(StatusCode::BAD_REQUEST).with_reason("Expire: must be a number"))
            }
            Expire::Seconds(0.0) if zero_leaves => None,
            Expire::Seconds(seconds) if seconds < config.min_expire.as_secs_f64() => {
                let mut response = request.response(StatusCode::INTERVAL_TOO_BRIEF);
                response.headers.set_number("Min-Expire", whole_seconds(config.min_expire));
                Some(response)
            }
            Expire::Seconds(seconds) => {
                if seconds > config.max_expire.as_secs_f64() {
                    request.headers.set_number("Expire", config.max_expire.as_secs());
                }
                None
            }
        }
    }

    /// A first INVITE of either side opens a session.
    pub(super) fn open_session(&mut self, inviter: Side, request: &mut Request) {
        let config = &self.core.config;
        let expire = match fields::expire(&request.headers) {
            Expire::Seconds(seconds) => fields::duration(seconds),
            Expire::Absent | Expire::Bad => {
                request.headers.set_number("Expire", whole_seconds(config.sessiontimer));
                config.sessiontimer
            }
        };
        let session = Session::new(inviter, request, expire, self.now, config.prtimer);
        self.core.sessions += 1;
        self.core.counters.sessions_opened += 1;
        self.dialog.session = Some(session);
    }

    fn ack_in(&mut self, mut ack: Request) {
        let waiting = || self.dialog.transactions.iter().filter(|transaction| transaction.is_answered());
        let found = match ack.related {
            Some(related) => waiting().find(|transaction| transaction.cseq == related),
            None => waiting().find(|transaction| transaction.cseq == ack.cseq).or_else(|| waiting().next()),
        };
        let Some(&State::Answered { fingerprint, acceptance, .. }) = found.map(|found| &found.state) else {
            let state = self.dialog.session.as_ref().map_or("none", |session| session.state_name());
            tracing::debug!(state, "no INVITE waits for the ACK");
            self.core.counters.dropped_acks += 1;
            return;
        };
        let cseq = found.map(|found| found.cseq);
        self.dialog
            .transactions
            .retain(|transaction| !(transaction.is_answered() && Some(transaction.cseq) == cseq));
        self.core.linger.forget(fingerprint);
        ack.related = cseq;
        if let Some(session) = self.dialog.session.take() {
            self.dialog.session = session.ack_in(self, ack, acceptance);
        }
    }

    fn response_in(&mut self, response: Response) {
        let Some(open) =
            self.dialog.transactions.iter_mut().find(|open| open.cseq == response.cseq && open.is_sent())
        else {
            return self.core.drop_response(&response);
        };
        if open.method == Method::Invite {
            if let Some(session) = self.dialog.session.take() {
                self.dialog.session = session.invite_response_in(self, response);
            }
            return;
        }
        if response.code.is_provisional() {
            if let State::Sent { deadline, .. } = &mut open.state {
                *deadline = Some(self.now + self.core.config.prtimer);
            }
            if matches!(open.state, State::Sent { origin: Origin::Application, .. }) {
                self.deliver(response);
            }
            return;
        }
        self.concluded(response);
    }

    /// A request of this side that is no INVITE has its final response, from the peer or from the stack.
    pub(super) fn concluded(&mut self, response: Response) {
        let Some(transaction) = self.take_sent(response.cseq, response.code) else { return };
        let State::Sent { origin, .. } = transaction.state else { return };
        match origin {
            Origin::Application => {
                if let Some(session) = &mut self.dialog.session {
                    session.concluded(Side::Application, transaction.cseq);
                }
                self.deliver(response);
            }
            Origin::Refresh => {
                if let Some(session) = self.dialog.session.take() {
                    self.dialog.session = session.refreshed(self, response.code);
                }
            }
            Origin::Nobody => {}
        }
    }
}
