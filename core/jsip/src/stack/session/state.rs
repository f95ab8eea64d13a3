//! The states, and which request each of them allows.

use std::time::Instant;

use super::refresh::Refresh;
use crate::stack::Side;
use crate::{CSeq, Method};

/// Each variant holds what only that state knows; each has a deadline.
#[derive(Debug, Clone, Copy)]
pub(super) enum State {
    /// The first INVITE has no response.
    Init { progress_by: Instant },
    /// It has a provisional one.
    Early { progress_by: Instant },
    /// In Early, a PRACK waits for its final response.
    Prack { progress_by: Instant, pending: CSeq },
    /// In Early, an UPDATE of either side does.
    Update { progress_by: Instant, by: Side, pending: CSeq },
    /// Accepted, not yet acknowledged.
    Answered { ack_by: Instant, refresh: Refresh },
    /// Up.
    Confirmed { refresh: Refresh },
    /// A further INVITE has no final response.
    ReInviting { inviter: Side, cseq: CSeq, final_by: Instant, refresh: Refresh },
    /// It is accepted, not yet acknowledged.
    ReAnswered { inviter: Side, cseq: CSeq, ack_by: Instant, refresh: Refresh },
    /// The peer's first INVITE was refused; its ACK is still to come.
    Failed { ack_by: Instant },
    /// The application's first INVITE was taken back; its final response is still to come.
    Cancelling { final_by: Instant, owed: Owed },
}

/// What the application still has to get for an INVITE that was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owed {
    /// Its final response.
    Final,
    /// Nothing: it had its 408, or is gone.
    Nothing,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::stack) enum Verdict {
    /// Passed on; no state changes.
    Pass,
    /// Passed on: to Prack.
    Prack,
    /// Passed on: to Update.
    Update,
    /// Passed on: to ReInviting.
    ReInvite,
    /// Passed on: to Confirmed.
    Ack,
    /// Takes back the first INVITE.
    Cancel,
    /// Ends the session.
    Bye,
    /// Answered by the stack; restarts the session timer.
    KeepAlive,
    /// Not allowed.
    Refuse,
}

impl State {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Init { .. } => "Init",
            Self::Early { .. } => "Early",
            Self::Prack { .. } => "Prack",
            Self::Update { .. } => "Update",
            Self::Answered { .. } => "Answered",
            Self::Confirmed { .. } => "Confirmed",
            Self::ReInviting { .. } => "ReInviting",
            Self::ReAnswered { .. } => "ReAnswered",
            Self::Failed { .. } => "Failed",
            Self::Cancelling { .. } => "Cancelling",
        }
    }

    /// Whether the first INVITE has no final response, and may still get one.
    pub(super) fn is_unanswered(&self) -> bool {
        match self {
            Self::Init { .. } | Self::Early { .. } | Self::Prack { .. } | Self::Update { .. } => true,
            Self::Answered { .. }
            | Self::Confirmed { .. }
            | Self::ReInviting { .. }
            | Self::ReAnswered { .. }
            | Self::Failed { .. }
            | Self::Cancelling { .. } => false,
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        match *self {
            Self::Init { progress_by }
            | Self::Early { progress_by }
            | Self::Prack { progress_by, .. }
            | Self::Update { progress_by, .. } => progress_by,
            Self::Answered { ack_by, refresh } | Self::ReAnswered { ack_by, refresh, .. } => {
                ack_by.min(refresh.deadline())
            }
            Self::Confirmed { refresh } => refresh.deadline(),
            Self::ReInviting { final_by, refresh, .. } => final_by.min(refresh.deadline()),
            Self::Failed { ack_by } => ack_by,
            Self::Cancelling { final_by, .. } => final_by,
        }
    }

    /// The table of the protocol page: what a request of a session becomes. `inviter` sent the first INVITE, `from` this
    /// request.
    pub(super) fn verdict(&self, inviter: Side, from: Side, method: Method) -> Verdict {
        match method {
            Method::Info => return Verdict::Pass,
            Method::Register | Method::Options | Method::Subscribe | Method::Message | Method::Notify => {
                // Not of the session: they never come here.
                return Verdict::Refuse;
            }
            Method::Invite | Method::Ack | Method::Bye | Method::Cancel | Method::Update | Method::Prack => {}
        }
        match *self {
            Self::Init { .. } | Self::Prack { .. } | Self::Update { .. } => unanswered(inviter, from, method),
            Self::Early { .. } => match method {
                Method::Prack if from == inviter => Verdict::Prack,
                Method::Update => Verdict::Update,
                method => unanswered(inviter, from, method),
            },
            Self::Answered { .. } => match method {
                Method::Invite => Verdict::ReInvite,
                Method::Ack if from == inviter => Verdict::Ack,
                method => answered(from, method),
            },
            Self::Confirmed { .. } => match method {
                Method::Invite => Verdict::ReInvite,
                method => answered(from, method),
            },
            Self::ReInviting { .. } => answered(from, method),
            Self::ReAnswered { inviter, .. } => match method {
                Method::Ack if from == inviter => Verdict::Ack,
                method => answered(from, method),
            },
            Self::Failed { .. } | Self::Cancelling { .. } => Verdict::Refuse,
        }
    }
}

/// What all states before the final response have in common.
fn unanswered(inviter: Side, from: Side, method: Method) -> Verdict {
    match (method, from) {
        (Method::Cancel, from) if from == inviter => Verdict::Cancel,
        // A BYE of the inviting peer is taken for a CANCEL.
        (Method::Bye, Side::Peer) if inviter == Side::Peer => Verdict::Cancel,
        _ => Verdict::Refuse,
    }
}

/// What all states after it have in common.
fn answered(from: Side, method: Method) -> Verdict {
    match (method, from) {
        (Method::Bye, Side::Peer | Side::Application) => Verdict::Bye,
        (Method::Update, Side::Peer) => Verdict::KeepAlive,
        _ => Verdict::Refuse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// The table of the protocol page, one line for each state and first inviter.
    #[test]
    fn every_state_and_request() {
        let mut table = String::new();
        let methods = [
            Method::Invite,
            Method::Ack,
            Method::Bye,
            Method::Cancel,
            Method::Info,
            Method::Update,
            Method::Prack,
        ];
        for (name, state) in states() {
            assert_eq!(name, state.name());
            for inviter in [Side::Peer, Side::Application] {
                for from in [Side::Peer, Side::Application] {
                    let verdicts: Vec<String> = methods
                        .iter()
                        .map(|method| (method, state.verdict(inviter, from, *method)))
                        .filter(|(_, verdict)| *verdict != Verdict::Refuse)
                        .map(|(method, verdict)| format!("{method} {verdict:?}"))
                        .collect();
                    table += &format!(
                        "{name}, first INVITE of the {}, request of the {}: {}\n",
                        inviter.name(),
                        from.name(),
                        verdicts.join(", ")
                    );
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    #[expect(clippy::disallowed_methods, reason = "any instant will do")]
    fn states() -> [(&'static str, State); 10] {
        let now = Instant::now();
        let cseq = CSeq::from_random(1);
        let refresh = Refresh::new(Side::Peer, Duration::from_secs(600), now);
        [
            ("Init", State::Init { progress_by: now }),
            ("Early", State::Early { progress_by: now }),
            ("Prack", State::Prack { progress_by: now, pending: cseq }),
            ("Update", State::Update { progress_by: now, by: Side::Peer, pending: cseq }),
            ("Answered", State::Answered { ack_by: now, refresh }),
            ("Confirmed", State::Confirmed { refresh }),
            ("ReInviting", State::ReInviting { inviter: Side::Peer, cseq, final_by: now, refresh }),
            ("ReAnswered", State::ReAnswered { inviter: Side::Peer, cseq, ack_by: now, refresh }),
            ("Failed", State::Failed { ack_by: now }),
            ("Cancelling", State::Cancelling { final_by: now, owed: Owed::Final }),
        ]
    }
}
