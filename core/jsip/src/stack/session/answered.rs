//! After the final response to the first INVITE: Answered, Confirmed, ReInviting, ReAnswered.
//!
//! | state | event | what the stack does | next |
//! |---|---|---|---|
//! | Answered, ReAnswered | ACK of the inviter at hand | passed on | Confirmed |
//! | Answered, ReAnswered | `acktimer` | a BYE to both sides | End |
//! | all | BYE | of the peer: 200, passed on; of the application: passed on | End |
//! | Answered, Confirmed | INVITE of either side | passed on; the session timer starts again; no ACK is waited for any more | ReInviting |
//! | ReInviting | 101–199 | passed on; its time starts again | same |
//! | ReInviting | 2xx | passed on | ReAnswered |
//! | ReInviting | ≥ 300 | passed on; the stack sends the ACK, or swallows it | Confirmed |
//! | ReInviting | 2 × `prtimer` | 408 to the side that waits | Confirmed |
//! | all | UPDATE of the peer | 200; the timer of a received session starts again | same |
//! | all | the session timer | see `refresh` | same, or End |

use std::time::Instant;

use super::refresh::{Refresh, Tick};
use super::state::State;
use super::{Next, Session};
use crate::stack::Side;
use crate::stack::transaction::{Acceptance, Origin};
use crate::stack::turn::Turn;
use crate::{CSeq, Method, Response, StatusCode};

impl Session {
    /// The ACK came or went.
    pub(super) fn confirm(&mut self) {
        if let State::Answered { refresh, .. } | State::ReAnswered { refresh, .. } = self.state {
            self.state = State::Confirmed { refresh };
        }
    }

    pub(super) fn begin_reinvite<T: Clone>(&mut self, turn: &mut Turn<'_, T>, inviter: Side, cseq: CSeq) {
        if let State::Answered { refresh, .. } | State::Confirmed { refresh } = self.state {
            turn.drop_accepted();
            self.state = State::ReInviting {
                inviter,
                cseq,
                final_by: turn.now + 2 * turn.core.config.prtimer,
                refresh: refresh.restarted(turn.now),
            };
        }
    }

    /// The final response to the peer's re-INVITE.
    pub(super) fn reinvite_answered<T: Clone>(
        &mut self,
        turn: &mut Turn<'_, T>,
        response: &Response,
        refresh: Refresh,
    ) {
        if response.code.is_success() {
            turn.finish_invite(response, Acceptance::Accepted);
            self.reinvite_accepted(turn, response.cseq);
        } else {
            let until = turn.now + turn.core.config.transtimer;
            turn.finish_invite(response, Acceptance::Refused(until));
            self.state = State::Confirmed { refresh };
        }
    }

    /// A 2xx to a re-INVITE, from either side.
    pub(super) fn reinvite_accepted<T>(&mut self, turn: &Turn<'_, T>, cseq: CSeq) {
        if let State::ReInviting { inviter, refresh, .. } = self.state {
            let ack_by = turn.now + turn.core.config.acktimer;
            self.state = State::ReAnswered { inviter, cseq, ack_by, refresh };
        }
    }

    pub(super) fn reinvite_timed_out<T: Clone>(
        mut self: Box<Self>,
        turn: &mut Turn<'_, T>,
        inviter: Side,
        cseq: CSeq,
    ) -> Next {
        match inviter {
            Side::Peer => {
                turn.core.counters.timeouts_received += 1;
                let response = turn
                    .dialog
                    .received(cseq)
                    .map(|open| open.response(&turn.dialog.id, StatusCode::REQUEST_TIMEOUT));
                if let (Some(response), State::ReInviting { refresh, .. }) = (response, self.state) {
                    self.reinvite_answered(turn, &response, refresh);
                }
                Some(self)
            }
            Side::Application => {
                turn.core.counters.timeouts_sent += 1;
                match turn.take_sent(cseq, StatusCode::REQUEST_TIMEOUT) {
                    Some(transaction) => {
                        let response = transaction.response(&turn.dialog.id, StatusCode::REQUEST_TIMEOUT);
                        self.invite_refused(turn, response)
                    }
                    None => Some(self),
                }
            }
        }
    }

    /// The session ends while a re-INVITE is open: whoever waits for its final response gets a 487.
    pub(super) fn terminate_reinvite<T: Clone>(&self, turn: &mut Turn<'_, T>, inviter: Side, cseq: CSeq) {
        match inviter {
            Side::Peer => turn.finish_with(cseq, StatusCode::REQUEST_TERMINATED),
            Side::Application => {
                if let Some(transaction) = turn.take_sent(cseq, StatusCode::REQUEST_TERMINATED) {
                    let response = transaction.response(&turn.dialog.id, StatusCode::REQUEST_TERMINATED);
                    turn.deliver(response);
                }
            }
        }
    }

    /// An UPDATE of the peer.
    pub(super) fn kept_alive(&mut self, now: Instant) {
        if let State::Answered { refresh, .. }
        | State::Confirmed { refresh }
        | State::ReInviting { refresh, .. }
        | State::ReAnswered { refresh, .. } = &mut self.state
        {
            *refresh = refresh.kept_alive(now);
        }
    }

    /// A final response to an UPDATE of the stack's own.
    pub(in crate::stack) fn refreshed<T: Clone>(
        mut self: Box<Self>,
        turn: &mut Turn<'_, T>,
        code: StatusCode,
    ) -> Next {
        if code == StatusCode::NO_SUCH_TRANSACTION {
            turn.core.counters.expired_sessions += 1;
            return self.end_both(turn);
        }
        if code == StatusCode::OK
            && let State::Answered { refresh, .. }
            | State::Confirmed { refresh }
            | State::ReInviting { refresh, .. }
            | State::ReAnswered { refresh, .. } = &mut self.state
        {
            *refresh = refresh.answered();
        }
        Some(self)
    }

    /// The session timer may be over.
    pub(super) fn tick<T: Clone>(mut self: Box<Self>, turn: &mut Turn<'_, T>) -> Next {
        let (State::Answered { refresh, .. }
        | State::Confirmed { refresh }
        | State::ReInviting { refresh, .. }
        | State::ReAnswered { refresh, .. }) = &mut self.state
        else {
            return Some(self);
        };
        let (next, tick) = refresh.tick(turn.now);
        *refresh = next;
        match tick {
            Tick::Nothing => Some(self),
            Tick::Update => {
                if turn.core.delivery.has_room(&turn.core.config) {
                    let mut update = self.request(turn, Method::Update);
                    update.headers.set_number("Expire", whole_seconds(self.expire));
                    let until = turn.now + turn.core.config.transtimer;
                    turn.send(update, Origin::Refresh, Some(until));
                }
                Some(self)
            }
            Tick::End => {
                turn.core.counters.expired_sessions += 1;
                self.end_both(turn)
            }
        }
    }
}

/// As `Expire` has it: no fraction is cut off.
pub(in crate::stack) fn whole_seconds(duration: std::time::Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
