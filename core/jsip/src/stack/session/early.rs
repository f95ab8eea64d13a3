//! Before the final response to the first INVITE: Init, Early, Prack, Update.
//!
//! | event | what the stack does | next |
//! |---|---|---|
//! | 100 | swallowed | same |
//! | 101–199 | passed on; `prtimer` starts again | Early; Prack and Update stay |
//! | 200 | passed on; the session timer starts | Answered |
//! | another 2xx of the peer | ACK, then a BYE to both sides | End |
//! | another 2xx of the application | refused with an error | same |
//! | ≥ 300 of the peer | ACK; passed on | End |
//! | ≥ 300 of the application | passed on; its ACK is swallowed | Failed |
//! | CANCEL of the inviting peer, and its BYE | 200 to it, 487 to the INVITE, a CANCEL to the application | Failed |
//! | CANCEL of the inviting application | passed on | Cancelling |
//! | Early: PRACK of the inviter; UPDATE of either side | passed on | Prack; Update |
//! | Prack, Update: its final response | passed on | Early |
//! | `prtimer`, received | 408 to the peer, a CANCEL to the application | Failed |
//! | `prtimer`, sent | 408 to the application, a CANCEL to the peer if the INVITE has left | Cancelling |

use super::refresh::Refresh;
use super::state::{Owed, State};
use super::{Next, Session};
use crate::stack::Side;
use crate::stack::linger::Answer;
use crate::stack::transaction::Acceptance;
use crate::stack::turn::Turn;
use crate::{CSeq, Method, Request, Response, StatusCode};

impl Session {
    /// A 101–199 to the INVITE at hand. Returns whether it is passed on.
    pub(super) fn progress<T>(&mut self, turn: &Turn<'_, T>) -> bool {
        let progress_by = turn.now + turn.core.config.prtimer;
        self.state = match self.state {
            State::Init { .. } | State::Early { .. } => State::Early { progress_by },
            State::Prack { pending, .. } => State::Prack { progress_by, pending },
            State::Update { by, pending, .. } => State::Update { progress_by, by, pending },
            State::ReInviting { inviter, cseq, refresh, .. } => {
                let final_by = turn.now + 2 * turn.core.config.prtimer;
                State::ReInviting { inviter, cseq, final_by, refresh }
            }
            State::Answered { .. }
            | State::Confirmed { .. }
            | State::ReAnswered { .. }
            | State::Failed { .. }
            | State::Cancelling { .. } => return false,
        };
        true
    }

    /// A 100 to the INVITE at hand: a re-INVITE's time starts again.
    pub(super) fn trying<T>(&mut self, turn: &Turn<'_, T>) {
        if let State::ReInviting { .. } = self.state {
            self.progress(turn);
        }
    }

    /// The application's 200, or its 300 or more, to the first INVITE.
    pub(super) fn invite_answered<T: Clone>(&mut self, turn: &mut Turn<'_, T>, response: &Response) {
        if response.code.is_success() {
            turn.finish_invite(response, Acceptance::Accepted);
            self.answered(turn);
        } else {
            turn.finish_invite(response, Acceptance::Failed);
            self.failed(turn);
        }
    }

    /// A 2xx of the peer to the first INVITE.
    pub(super) fn accepted<T: Clone>(
        mut self: Box<Self>,
        turn: &mut Turn<'_, T>,
        response: Response,
    ) -> Next {
        if response.code == StatusCode::OK {
            turn.deliver(response);
            self.answered(turn);
            return Some(self);
        }
        let cseq = turn.new_cseq();
        turn.send_ack(response.ack(cseq));
        self.end_both(turn)
    }

    /// A CANCEL of the peer that meets its open INVITE, or a BYE that is taken for one.
    pub(super) fn cancelled<T: Clone>(
        &mut self,
        turn: &mut Turn<'_, T>,
        mut request: Request,
        fingerprint: u64,
    ) {
        // One with the CSeq of its INVITE has no transaction of its own: its answer is the INVITE's.
        let own = request.cseq != self.invite;
        if own {
            turn.core.answer_code(turn.now, &request, fingerprint, StatusCode::OK);
        }
        if let Some(invite) = turn.dialog.received(self.invite) {
            let response = invite.response(&turn.dialog.id, StatusCode::REQUEST_TERMINATED);
            let place = turn.finish_invite(&response, Acceptance::Failed);
            if let Some(place) = place.filter(|_| !own) {
                let answer = Answer::Text(Box::new(response.encode()));
                turn.core.keep(turn.now, fingerprint, place, answer);
            }
        }
        self.failed(turn);
        request.method = Method::Cancel;
        request.related = Some(self.invite);
        turn.deliver(request);
    }

    /// `prtimer` is over.
    pub(super) fn no_progress<T: Clone>(mut self: Box<Self>, turn: &mut Turn<'_, T>) -> Next {
        match self.inviter {
            Side::Peer => {
                turn.core.counters.timeouts_received += 1;
                self.refuse_invite(turn, StatusCode::REQUEST_TIMEOUT);
                let cancel = self.request(turn, Method::Cancel);
                turn.deliver(cancel);
                Some(self)
            }
            Side::Application => {
                turn.core.counters.timeouts_sent += 1;
                if let Some(invite) = turn.dialog.sent(self.invite) {
                    let response = invite.response(&turn.dialog.id, StatusCode::REQUEST_TIMEOUT);
                    turn.deliver(response);
                }
                self.abandon(turn)
            }
        }
    }

    /// The application no longer waits for its INVITE: one that has left is taken back.
    pub(super) fn abandon<T: Clone>(mut self: Box<Self>, turn: &mut Turn<'_, T>) -> Next {
        if turn.is_waiting(self.invite) {
            turn.take_sent(self.invite, StatusCode::REQUEST_TERMINATED);
            return self.end(turn);
        }
        let cancel = self.request(turn, Method::Cancel);
        self.cancel(turn, cancel, Owed::Nothing);
        Some(self)
    }

    /// The stack refuses the first INVITE of the peer.
    pub(super) fn refuse_invite<T: Clone>(&mut self, turn: &mut Turn<'_, T>, code: StatusCode) {
        turn.finish_invite_with(self.invite, code, Acceptance::Failed);
        self.failed(turn);
    }

    /// A PRACK or UPDATE is passed on in Early.
    pub(super) fn begin_pending(&mut self, by: Side, method: Method, cseq: CSeq) {
        if let State::Early { progress_by } = self.state {
            self.state = if method == Method::Prack {
                State::Prack { progress_by, pending: cseq }
            } else {
                State::Update { progress_by, by, pending: cseq }
            };
        }
    }

    /// A request other than INVITE has its final response: if it is the one that Prack or Update waits for, they are over.
    pub(in crate::stack) fn concluded(&mut self, by: Side, cseq: CSeq) {
        match self.state {
            State::Prack { progress_by, pending } if by == self.inviter && pending == cseq => {
                self.state = State::Early { progress_by };
            }
            State::Update { progress_by, by: sender, pending } if by == sender && pending == cseq => {
                self.state = State::Early { progress_by };
            }
            State::Prack { .. }
            | State::Update { .. }
            | State::Init { .. }
            | State::Early { .. }
            | State::Answered { .. }
            | State::Confirmed { .. }
            | State::ReInviting { .. }
            | State::ReAnswered { .. }
            | State::Failed { .. }
            | State::Cancelling { .. } => {}
        }
    }

    fn answered<T>(&mut self, turn: &Turn<'_, T>) {
        self.state = State::Answered {
            ack_by: turn.now + turn.core.config.acktimer,
            refresh: Refresh::new(self.inviter, self.expire, turn.now),
        };
    }

    fn failed<T>(&mut self, turn: &Turn<'_, T>) {
        self.state = State::Failed { ack_by: turn.now + turn.core.config.transtimer };
    }
}
