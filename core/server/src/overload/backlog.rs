//! The frames of one peer that wait in its socket.

use std::time::Duration;

use tokio::time::Instant;

use super::{Change, PART, State};

/// See the module.
#[derive(Debug)]
pub(crate) struct Backlog {
    last_turn: Instant,
    late: bool,
    /// Only of a peer that was not read to the end in one turn lately: most never get so far.
    state: Option<Box<State>>,
}

impl Backlog {
    pub(crate) fn new(now: Instant) -> Self {
        Self { last_turn: now, late: false, state: None }
    }

    /// Whether the peer may open no dialogs now.
    pub(super) fn is_late(&self) -> bool {
        self.late
    }

    /// A turn has read so many bytes, and so many are left. Says whether an overload has begun.
    pub(crate) fn turn(&mut self, now: Instant, read: usize, left: usize, most: Duration) -> bool {
        let between = now.saturating_duration_since(std::mem::replace(&mut self.last_turn, now));
        if left == 0 && self.state.is_none() {
            return false;
        }
        // The pace is known only from a turn that followed another one which had left something.
        let known = self.state.as_ref().is_some_and(|state| state.behind);
        // Turns to come, at the pace of this one.
        let turns = u32::try_from(left.div_ceil(read.max(1))).unwrap_or(u32::MAX);
        let lag = if known { between.saturating_mul(turns) } else { Duration::ZERO };
        let state = self.state.get_or_insert_default();
        let change = state.look(now, lag, most);
        state.behind = left > 0;
        self.late = state.overloaded && lag > most / PART;
        if !state.overloaded && left == 0 {
            self.state = None;
        }
        change == Change::Begins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Duration = Duration::from_millis(200);

    #[tokio::test(start_paused = true)]
    async fn the_rest_is_told_in_turns() {
        let mut now = Instant::now();
        let mut backlog = Backlog::new(now);
        let mut turn = |read, left| {
            now += Duration::from_millis(10);
            let begins = backlog.turn(now, read, left, MOST);
            (begins, backlog.is_late())
        };
        // The pace is not known yet.
        assert_eq!(turn(1000, 50_000), (false, false));
        // 20 turns of 10 ms are not too much.
        assert_eq!(turn(1000, 20_000), (false, false));
        assert_eq!(turn(1000, 20_001), (false, false));
        assert_eq!(turn(1000, 30_000), (true, true));
        assert_eq!(turn(1000, 1_001), (false, true));
        assert_eq!(turn(1000, 1_000), (false, false));
        assert_eq!(turn(1000, 1_001), (false, true));
        for _ in 0..=100 {
            assert_eq!(turn(1000, 0), (false, false));
        }
        assert!(backlog.state.is_none());
    }
}
