//! What a connection does with what it receives.

use tokio::time::Instant;

use super::options::LoadOptions;
use super::stats::Stats;
use super::wire::Incoming;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: LoadOptions,
    pub(super) stats: Stats,
}

/// One step of a connection: the moment, and what is to be sent.
pub(super) struct Turn<'a> {
    pub(super) now: Instant,
    pub(super) out: &'a mut Vec<String>,
    pub(super) shared: &'a Shared,
}

impl Turn<'_> {
    pub(super) fn send(&mut self, text: String) {
        self.out.push(text);
    }

    pub(super) fn stats(&self) -> &Stats {
        &self.shared.stats
    }

    /// When a unit that begins at `intended` is taken for lost.
    pub(super) fn deadline(&self, intended: Instant) -> Instant {
        intended.max(self.now) + self.shared.options.timeout()
    }

    /// Whether a request that was answered `code` was refused as it may be.
    pub(super) fn is_refusal(&self, code: u16) -> bool {
        code == 503 && self.shared.options.refusals
    }

    /// Something came that should not: a request is answered, so that the server can go on.
    pub(super) fn unexpected(&mut self, message: &Incoming<'_>) {
        if message.is_response() {
            self.stats().error(1, "answer to nothing open (late or double)");
            return;
        }
        self.stats().error(1, &format!("unexpected {}", message.kind));
        if message.kind != "ACK" {
            self.send(message.response(200, "OK"));
        }
    }
}

/// The behaviour of one connection.
pub(super) trait Work: Send {
    /// The connection is open.
    fn open(&mut self, _turn: &mut Turn<'_>) {}

    /// Whether units may begin.
    fn is_ready(&self) -> bool {
        true
    }

    /// How many units that this connection began are in flight.
    fn in_flight(&self) -> usize {
        0
    }

    /// Begins a unit; `intended` is when it should have begun.
    fn begin(&mut self, _intended: Instant, _turn: &mut Turn<'_>) {}

    /// A message has come.
    fn on_message(&mut self, message: &Incoming<'_>, turn: &mut Turn<'_>);

    /// Once a second: gives up what is overdue.
    fn expire(&mut self, _turn: &mut Turn<'_>) {}

    /// The connection is gone, or the run is over: how many units come to nothing.
    fn abandon(&mut self) -> usize {
        self.in_flight()
    }

    /// The run is over: says goodbye.
    fn leave(&mut self, _turn: &mut Turn<'_>) {}

    /// Whether all goodbyes are answered.
    fn has_left(&self) -> bool {
        true
    }
}
