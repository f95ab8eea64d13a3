//! The application's INVITE was taken back, and its final response is still to come: Cancelling.
//!
//! | event | what the stack does | next |
//! |---|---|---|
//! | 1xx, and all responses to PRACK and UPDATE | swallowed | same |
//! | 200 to the CANCEL | swallowed | same |
//! | 2xx to the INVITE: the two crossed | ACK, then BYE; 487 to the application, if it had no 408 | End |
//! | ≥ 300 to it | ACK; passed on, if the application had no 408 | End |
//! | `prtimer` | 408 to the application, if it had none | End |
//!
//! The CANCEL's transaction lives as long as this state: on a new socket it goes again behind its INVITE.

use super::state::{Owed, State};
use super::{Next, Session};
use crate::stack::transaction::Origin;
use crate::stack::turn::Turn;
use crate::{Request, Response, StatusCode};

impl Session {
    pub(super) fn cancel<T: Clone>(&mut self, turn: &mut Turn<'_, T>, cancel: Request, owed: Owed) {
        turn.ignore_early();
        let final_by = turn.now + turn.core.config.prtimer;
        turn.send(cancel, Origin::Nobody, Some(final_by));
        self.state = State::Cancelling { final_by, owed };
    }

    pub(super) fn accepted_after_all<T: Clone>(
        self: Box<Self>,
        turn: &mut Turn<'_, T>,
        response: &Response,
        owed: Owed,
    ) -> Next {
        let cseq = turn.new_cseq();
        turn.send_ack(response.ack(cseq));
        self.send_bye(turn);
        match owed {
            Owed::Final => {
                let mut terminated = response.clone();
                terminated.code = StatusCode::REQUEST_TERMINATED;
                terminated.headers = crate::Headers::default();
                turn.deliver(terminated);
            }
            Owed::Nothing => {}
        }
        self.end(turn)
    }

    pub(super) fn never_answered<T: Clone>(self: Box<Self>, turn: &mut Turn<'_, T>) -> Next {
        turn.core.counters.timeouts_sent += 1;
        match turn.take_sent(self.invite, StatusCode::REQUEST_TIMEOUT) {
            Some(transaction) => {
                let response = transaction.response(&turn.dialog.id, StatusCode::REQUEST_TIMEOUT);
                self.invite_refused(turn, response)
            }
            None => self.end(turn),
        }
    }
}
