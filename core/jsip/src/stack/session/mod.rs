//! Sessions: the INVITE dialog. One machine for both roles; `inviter` says who sent the first INVITE.
//!
//! | state | what leads out of it |
//! |---|---|
//! | Init, Early, Prack, Update | `early`: the first INVITE's final response, CANCEL, `prtimer`; PRACK and UPDATE and their answers |
//! | Answered, Confirmed, ReInviting, ReAnswered | `answered`: ACK, BYE, re-INVITE and its responses, `acktimer`, the session timer (`refresh`) |
//! | Cancelling | `cancelling`: the INVITE's final response after all, or `prtimer` |
//! | Failed | the ACK, or `transtimer` |
//!
//! A request that the state does not allow leaves it untouched: see [`State::verdict`].

mod answered;
mod cancelling;
mod early;
mod refresh;
mod state;

use std::time::{Duration, Instant};

use bytestring::ByteString;

pub(super) use answered::whole_seconds;
pub(super) use state::Verdict;

use self::state::{Owed, State};
use super::transaction::{Acceptance, Origin};
use super::turn::Turn;
use super::{Release, SendError, Side};
use crate::{CSeq, Headers, Method, Request, Response, StatusCode};

#[derive(Debug)]
pub(super) struct Session {
    /// Who sent the first INVITE.
    inviter: Side,
    /// Its CSeq, Request-URI, From and To: BYE, UPDATE and CANCEL are made of them.
    invite: CSeq,
    uri: ByteString,
    from: ByteString,
    to: ByteString,
    expire: Duration,
    since: Instant,
    state: State,
}

/// The session after an event; `None`: it has ended.
pub(super) type Next = Option<Box<Session>>;

impl Session {
    /// The session that a first INVITE opens.
    pub(super) fn new(
        inviter: Side,
        invite: &Request,
        expire: Duration,
        now: Instant,
        prtimer: Duration,
    ) -> Box<Self> {
        // Copies: a call lasts, and must not keep the frame with its body alive.
        Box::new(Self {
            inviter,
            invite: invite.cseq,
            uri: ByteString::from(&*invite.uri),
            from: ByteString::from(&*invite.from),
            to: ByteString::from(&*invite.to),
            expire,
            since: now,
            state: State::Init { progress_by: now + prtimer },
        })
    }

    pub(super) fn inviter(&self) -> Side {
        self.inviter
    }

    pub(super) fn expire(&self) -> Duration {
        self.expire
    }

    pub(super) fn since(&self) -> Instant {
        self.since
    }

    pub(super) fn state_name(&self) -> &'static str {
        self.state.name()
    }

    pub(super) fn deadline(&self) -> Instant {
        self.state.deadline()
    }

    /// What becomes of a request of the application.
    pub(super) fn check_request(&self, request: &Request) -> Result<Verdict, SendError> {
        let verdict = self.state.verdict(self.inviter, Side::Application, request.method);
        let target = match verdict {
            Verdict::Refuse => {
                return Err(SendError::State { method: request.method, state: self.state.name() });
            }
            Verdict::Cancel => self.invite,
            Verdict::Ack => self.invite_at_hand(),
            Verdict::Pass
            | Verdict::Prack
            | Verdict::Update
            | Verdict::ReInvite
            | Verdict::Bye
            | Verdict::KeepAlive => return Ok(verdict),
        };
        match request.related {
            Some(cseq) if cseq != target => Err(SendError::NoTransaction { cseq }),
            Some(_) | None => Ok(verdict),
        }
    }

    /// A request of the application that [`Session::check_request`] lets pass.
    pub(super) fn request_out<T: Clone>(
        mut self: Box<Self>,
        turn: &mut Turn<'_, T>,
        mut request: Request,
        verdict: Verdict,
    ) -> Next {
        let until = Some(turn.now + turn.core.config.transtimer);
        match verdict {
            Verdict::Pass => turn.send(request, Origin::Application, until),
            Verdict::Prack | Verdict::Update => {
                self.begin_pending(Side::Application, request.method, request.cseq);
                turn.send(request, Origin::Application, until);
            }
            Verdict::ReInvite => {
                self.begin_reinvite(turn, Side::Application, request.cseq);
                turn.send(request, Origin::Application, None);
            }
            Verdict::Ack => {
                request.related = Some(self.invite_at_hand());
                turn.send_ack(request);
                self.confirm();
            }
            Verdict::Cancel => {
                request.related = Some(self.invite);
                if turn.dialog.sent(request.cseq).is_some() {
                    request.cseq = turn.new_cseq();
                }
                self.cancel(turn, request, Owed::Final);
            }
            Verdict::Bye => {
                turn.send(request, Origin::Nobody, until);
                return self.end(turn);
            }
            Verdict::KeepAlive | Verdict::Refuse => {}
        }
        Some(self)
    }

    /// A request of the peer; not an ACK.
    pub(super) fn request_in<T: Clone>(
        mut self: Box<Self>,
        turn: &mut Turn<'_, T>,
        request: Request,
        fingerprint: u64,
    ) -> Next {
        let verdict = self.state.verdict(self.inviter, Side::Peer, request.method);
        let verdict = match verdict {
            // Nobody is there to answer.
            Verdict::Pass | Verdict::Prack | Verdict::Update if turn.dialog.tag.is_none() => Verdict::Refuse,
            // What it takes back is no open first INVITE.
            Verdict::Cancel if request.related.is_some_and(|related| related != self.invite) => {
                Verdict::Refuse
            }
            verdict => verdict,
        };
        match verdict {
            Verdict::Pass | Verdict::Prack | Verdict::Update | Verdict::ReInvite => {
                if !turn.has_room() {
                    turn.core.counters.refused_room += 1;
                    self.refuse(turn, &request, fingerprint, StatusCode::SERVICE_UNAVAILABLE);
                    return Some(self);
                }
                match verdict {
                    Verdict::Prack | Verdict::Update => {
                        self.begin_pending(Side::Peer, request.method, request.cseq);
                    }
                    Verdict::ReInvite => self.begin_reinvite(turn, Side::Peer, request.cseq),
                    Verdict::Pass
                    | Verdict::Ack
                    | Verdict::Cancel
                    | Verdict::Bye
                    | Verdict::KeepAlive
                    | Verdict::Refuse => {}
                }
                turn.open_received(&request, fingerprint);
                turn.deliver(request);
            }
            Verdict::Cancel => self.cancelled(turn, request, fingerprint),
            Verdict::Bye => {
                turn.core.answer_code(turn.now, &request, fingerprint, StatusCode::OK);
                turn.deliver(request);
                return self.end(turn);
            }
            Verdict::KeepAlive => {
                turn.core.answer_code(turn.now, &request, fingerprint, StatusCode::OK);
                self.kept_alive(turn.now);
            }
            Verdict::Ack | Verdict::Refuse => {
                if turn.drops_cancel(&request) {
                    return Some(self);
                }
                turn.core.counters.refused_by_state += 1;
                tracing::debug!(method = request.method.name(), state = self.state.name(), "not allowed");
                let waits = turn.dialog.tag.is_some();
                let code = match request.method {
                    Method::Invite => StatusCode::REQUEST_PENDING,
                    Method::Prack | Method::Update if waits => StatusCode::REQUEST_PENDING,
                    _ => StatusCode::NO_SUCH_TRANSACTION,
                };
                self.refuse(turn, &request, fingerprint, code);
            }
        }
        Some(self)
    }

    /// The ACK of the peer for an INVITE whose final response was this.
    pub(super) fn ack_in<T: Clone>(
        mut self: Box<Self>,
        turn: &mut Turn<'_, T>,
        ack: Request,
        acceptance: Acceptance,
    ) -> Next {
        match acceptance {
            Acceptance::Accepted => {
                self.confirm();
                turn.deliver(ack);
                Some(self)
            }
            Acceptance::Failed => self.end(turn),
            Acceptance::Refused(_) => Some(self),
        }
    }

    /// A response of the application to an INVITE: whether it may be.
    pub(super) fn check_response(&self, code: StatusCode) -> Result<(), SendError> {
        if self.state.is_unanswered() && code.is_success() && code != StatusCode::OK {
            return Err(SendError::NotAccepting { code });
        }
        Ok(())
    }

    /// A response of the application to an open INVITE of the peer.
    pub(super) fn invite_response_out<T: Clone>(
        mut self: Box<Self>,
        turn: &mut Turn<'_, T>,
        response: &Response,
    ) -> Next {
        if response.code == StatusCode::TRYING {
            self.trying(turn);
            return Some(self);
        }
        if response.code.is_provisional() {
            turn.proceed(response, None);
            self.progress(turn);
            return Some(self);
        }
        if let State::ReInviting { refresh, .. } = self.state {
            self.reinvite_answered(turn, response, refresh);
        } else {
            self.invite_answered(turn, response);
        }
        Some(self)
    }

    /// A response of the peer to an open INVITE of the application.
    pub(super) fn invite_response_in<T: Clone>(
        mut self: Box<Self>,
        turn: &mut Turn<'_, T>,
        response: Response,
    ) -> Next {
        if response.code == StatusCode::TRYING {
            self.trying(turn);
            return Some(self);
        }
        if response.code.is_provisional() {
            if self.progress(turn) {
                turn.deliver(response);
            }
            return Some(self);
        }
        turn.take_sent(response.cseq, response.code);
        if !response.code.is_success() {
            let cseq = turn.new_cseq();
            turn.send_ack(response.ack(cseq));
            return self.invite_refused(turn, response);
        }
        match self.state {
            State::Init { .. } | State::Early { .. } | State::Prack { .. } | State::Update { .. } => {
                self.accepted(turn, response)
            }
            State::ReInviting { .. } => {
                self.reinvite_accepted(turn, response.cseq);
                turn.deliver(response);
                Some(self)
            }
            State::Cancelling { owed, .. } => self.accepted_after_all(turn, &response, owed),
            State::Answered { .. }
            | State::Confirmed { .. }
            | State::ReAnswered { .. }
            | State::Failed { .. } => Some(self),
        }
    }

    /// An INVITE of the application has got a final response of 300 or more, from the peer or from the stack.
    pub(super) fn invite_refused<T: Clone>(
        mut self: Box<Self>,
        turn: &mut Turn<'_, T>,
        response: Response,
    ) -> Next {
        if let State::ReInviting { refresh, .. } = self.state {
            turn.deliver(response);
            self.state = State::Confirmed { refresh };
            return Some(self);
        }
        if !matches!(self.state, State::Cancelling { owed: Owed::Nothing, .. }) {
            turn.deliver(response);
        }
        self.end(turn)
    }

    /// A deadline of the state may be over.
    pub(super) fn expired<T: Clone>(self: Box<Self>, turn: &mut Turn<'_, T>) -> Next {
        let now = turn.now;
        match self.state {
            State::Init { progress_by }
            | State::Early { progress_by }
            | State::Prack { progress_by, .. }
            | State::Update { progress_by, .. } => {
                if progress_by <= now {
                    self.no_progress(turn)
                } else {
                    Some(self)
                }
            }
            State::Answered { ack_by, .. } | State::ReAnswered { ack_by, .. } if ack_by <= now => {
                turn.core.counters.expired_sessions += 1;
                self.end_both(turn)
            }
            State::ReInviting { inviter, cseq, final_by, .. } if final_by <= now => {
                self.reinvite_timed_out(turn, inviter, cseq)
            }
            State::Answered { .. }
            | State::Confirmed { .. }
            | State::ReInviting { .. }
            | State::ReAnswered { .. } => self.tick(turn),
            State::Failed { ack_by } => {
                if ack_by <= now {
                    self.end(turn)
                } else {
                    Some(self)
                }
            }
            State::Cancelling { final_by, .. } => {
                if final_by <= now {
                    self.never_answered(turn)
                } else {
                    Some(self)
                }
            }
        }
    }

    /// The application is gone.
    pub(super) fn released<T: Clone>(mut self: Box<Self>, turn: &mut Turn<'_, T>, why: Release) -> Next {
        match self.state {
            State::Init { .. } | State::Early { .. } | State::Prack { .. } | State::Update { .. } => {
                match (self.inviter, why.code()) {
                    // Left to its timer: the peer gets a 408.
                    (Side::Peer, None) => Some(self),
                    (Side::Peer, Some(code)) => {
                        self.refuse_invite(turn, code);
                        Some(self)
                    }
                    (Side::Application, _) => self.abandon(turn),
                }
            }
            State::Answered { .. }
            | State::Confirmed { .. }
            | State::ReInviting { .. }
            | State::ReAnswered { .. } => {
                if let (State::ReInviting { inviter: Side::Peer, cseq, .. }, Some(code)) =
                    (&self.state, why.code())
                {
                    turn.finish_with(*cseq, code);
                }
                self.send_bye(turn);
                self.end(turn)
            }
            State::Failed { .. } | State::Cancelling { .. } => Some(self),
        }
    }

    /// Refuses a request of the peer; an INVITE's ACK is then waited for, so that it is not taken for another's.
    fn refuse<T: Clone>(
        &self,
        turn: &mut Turn<'_, T>,
        request: &Request,
        fingerprint: u64,
        code: StatusCode,
    ) {
        turn.refuse_in_session(request, fingerprint, &request.response(code));
    }

    /// Both sides get a BYE.
    fn end_both<T: Clone>(self: Box<Self>, turn: &mut Turn<'_, T>) -> Next {
        let bye = self.send_bye(turn);
        turn.deliver(bye);
        self.end(turn)
    }

    fn send_bye<T: Clone>(&self, turn: &mut Turn<'_, T>) -> Request {
        let bye = self.request(turn, Method::Bye);
        let until = turn.now + turn.core.config.transtimer;
        turn.send(bye.clone(), Origin::Nobody, Some(until));
        bye
    }

    /// Nothing is left but the transactions: a further INVITE that is still open is answered for whoever waits, and ACKs
    /// are no longer waited for.
    fn end<T: Clone>(self: Box<Self>, turn: &mut Turn<'_, T>) -> Next {
        if let State::ReInviting { inviter, cseq, .. } = self.state {
            self.terminate_reinvite(turn, inviter, cseq);
        }
        turn.session_ended();
        None
    }

    /// A request of the stack's own, made of the first INVITE.
    fn request<T: Clone>(&self, turn: &mut Turn<'_, T>, method: Method) -> Request {
        Request {
            method,
            uri: self.uri.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            dialog: turn.dialog.id.clone(),
            cseq: turn.new_cseq(),
            related: (method == Method::Cancel).then_some(self.invite),
            router: None,
            headers: Headers::default(),
        }
    }

    /// The INVITE that an ACK of the application is for.
    fn invite_at_hand(&self) -> CSeq {
        match self.state {
            State::ReAnswered { cseq, .. } => cseq,
            State::Init { .. }
            | State::Early { .. }
            | State::Prack { .. }
            | State::Update { .. }
            | State::Answered { .. }
            | State::Confirmed { .. }
            | State::ReInviting { .. }
            | State::Failed { .. }
            | State::Cancelling { .. } => self.invite,
        }
    }
}
