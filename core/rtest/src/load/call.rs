//! Calls: INVITE, 180, 200, ACK, BYE, 200.

use tokio::time::Instant;

use super::units::Units;
use super::wire::{Fixed, Incoming};
use super::work::{Turn, Work};

/// CSeq of each request of a call.
const INVITE: u64 = 1;
const ACK: u64 = 2;
const BYE: u64 = 3;

/// Calls, and hangs up as soon as the call is answered.
#[derive(Debug)]
pub(super) struct Caller {
    units: Units<Step>,
    invite: Fixed,
    later: Fixed,
}

#[derive(Debug)]
enum Step {
    /// The INVITE has no final response.
    Inviting,
    /// The BYE has none.
    Ending,
}

impl Caller {
    /// `invite` is for the INVITE, `later` for the other requests.
    pub(super) fn new(prefix: String, invite: Fixed, later: Fixed) -> Self {
        Self { units: Units::new(prefix), invite, later }
    }
}

impl Work for Caller {
    fn in_flight(&self) -> usize {
        self.units.len()
    }

    fn begin(&mut self, intended: Instant, turn: &mut Turn<'_>) {
        let key = self.units.add(Step::Inviting, intended, turn.deadline(intended));
        turn.stats().begin(1);
        turn.send(self.invite.request("INVITE", self.units.id(key), INVITE, ""));
    }

    fn on_message(&mut self, message: &Incoming<'_>, turn: &mut Turn<'_>) {
        let open = if message.is_response() { self.units.find(message.dialogue_id()) } else { None };
        let Some((key, unit)) = open else { return turn.unexpected(message) };
        let related = format!(r#","RelatedID":{INVITE}"#);
        match (&unit.state, message.cseq, message.code) {
            (Step::Inviting, INVITE, 100..=199) => {}
            (Step::Inviting, INVITE, 200) => {
                unit.state = Step::Ending;
                turn.send(self.later.request("ACK", self.units.id(key), ACK, &related));
                turn.send(self.later.request("BYE", self.units.id(key), BYE, ""));
            }
            (Step::Ending, BYE, 200) => turn.stats().done(self.units.finish(key, turn.now)),
            (Step::Inviting, INVITE, code) if turn.is_refusal(code) => {
                turn.send(self.later.request("ACK", self.units.id(key), ACK, &related));
                turn.stats().refused(self.units.finish(key, turn.now));
            }
            (step, cseq, code) => {
                if matches!(step, Step::Inviting) && code >= 300 {
                    turn.send(self.later.request("ACK", self.units.id(key), ACK, &related));
                }
                self.units.remove(key);
                let request = if cseq == INVITE { "INVITE" } else { "BYE" };
                turn.stats().fail(1, &format!("unexpected code {code} to {request}"));
            }
        }
    }

    fn expire(&mut self, turn: &mut Turn<'_>) {
        turn.stats().fail(self.units.expire(turn.now), "timeout");
    }
}

/// Takes every call.
#[derive(Debug, Default)]
pub(super) struct Callee {
    /// Answered calls without their ACK.
    unconfirmed: usize,
}

impl Work for Callee {
    fn on_message(&mut self, message: &Incoming<'_>, turn: &mut Turn<'_>) {
        match message.kind {
            "INVITE" => {
                self.unconfirmed += 1;
                turn.send(message.response(180, "Ringing"));
                turn.send(message.response(200, "OK"));
            }
            "ACK" if self.unconfirmed > 0 => self.unconfirmed -= 1,
            "BYE" => turn.send(message.response(200, "OK")),
            _ => turn.unexpected(message),
        }
    }

    fn leave(&mut self, turn: &mut Turn<'_>) {
        turn.stats().error(self.unconfirmed, "answered call without ACK");
    }
}
