//! MESSAGE and its 200.

use tokio::time::Instant;

use super::units::Units;
use super::wire::{Fixed, Incoming};
use super::work::{Turn, Work};

/// Sends MESSAGEs.
#[derive(Debug)]
pub(super) struct Messages {
    units: Units<()>,
    fixed: Fixed,
    /// One MESSAGE is sent when the connection is open, before it counts as ready.
    greets: bool,
}

impl Messages {
    pub(super) fn new(prefix: String, fixed: Fixed, greets: bool) -> Self {
        Self { units: Units::new(prefix), fixed, greets }
    }
}

impl Work for Messages {
    fn open(&mut self, turn: &mut Turn<'_>) {
        if self.greets {
            self.begin(turn.now, turn);
        }
    }

    fn is_ready(&self) -> bool {
        !self.greets || self.units.len() == 0
    }

    fn in_flight(&self) -> usize {
        self.units.len()
    }

    fn begin(&mut self, intended: Instant, turn: &mut Turn<'_>) {
        let key = self.units.add((), intended, turn.deadline(intended));
        turn.stats().begin(1);
        turn.send(self.fixed.request("MESSAGE", self.units.id(key), 1, ""));
    }

    fn on_message(&mut self, message: &Incoming<'_>, turn: &mut Turn<'_>) {
        let open = if message.is_response() { self.units.find(message.dialogue_id()) } else { None };
        let Some((key, _)) = open else { return turn.unexpected(message) };
        match (message.cseq, message.code) {
            (1, 100..=199) => {}
            (1, 200) => turn.stats().done(self.units.finish(key, turn.now)),
            (1, code) if turn.is_refusal(code) => turn.stats().refused(self.units.finish(key, turn.now)),
            (_, code) => {
                self.units.remove(key);
                turn.stats().fail(1, &format!("unexpected code {code}"));
            }
        }
    }

    fn expire(&mut self, turn: &mut Turn<'_>) {
        turn.stats().fail(self.units.expire(turn.now), "timeout");
    }
}
