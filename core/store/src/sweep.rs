//! When old messages are deleted, and whether the clock is to be believed.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Old messages are looked for so often.
const INTERVAL: Duration = Duration::from_mins(10);

/// A clock that went so much faster or slower than time since the last look was set meanwhile: it was wrong, or it is.
const DRIFT: Duration = Duration::from_mins(1);

/// Says what date it is.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The date, by the server's clock.
pub(crate) fn system_clock() -> Clock {
    #[expect(clippy::disallowed_methods, reason = "old is what was dated long ago, by the server's clock")]
    Arc::new(SystemTime::now)
}

/// A look at what is old, every [`INTERVAL`]. Not at start: a clock that is wrong then is mostly put right soon, and what it calls old may be
/// what was acknowledged yesterday.
pub(crate) struct Sweep {
    retention: Duration,
    clock: Clock,
    next: Instant,
    /// When the last look was, by time and by the clock.
    seen: (Instant, Duration),
    /// What was dated before this (ms since 1970) is being deleted.
    under_way: Option<u64>,
}

impl Sweep {
    pub(crate) fn new(retention: Duration, clock: Clock) -> Self {
        let seen = (Instant::now(), since_1970(&clock));
        Self { retention, clock, next: seen.0 + INTERVAL, seen, under_way: None }
    }

    /// When there is something to do; never, if messages are kept for ever.
    pub(crate) fn due(&self) -> Option<Instant> {
        let at = if self.under_way.is_some() { self.seen.0 } else { self.next };
        (!self.retention.is_zero()).then_some(at)
    }

    /// What was dated before this, in ms since 1970, is too old.
    pub(crate) fn oldest(&mut self) -> Option<u64> {
        if self.under_way.is_none() {
            self.under_way = self.look();
        }
        self.under_way
    }

    fn look(&mut self) -> Option<u64> {
        let (now, date) = (Instant::now(), since_1970(&self.clock));
        let (then, dated) = std::mem::replace(&mut self.seen, (now, date));
        self.next = now + INTERVAL;
        let expected = dated + now.saturating_duration_since(then);
        if expected.abs_diff(date) > DRIFT {
            tracing::warn!(
                "the clock was set: old messages are not deleted before it has gone on for {} min",
                INTERVAL.as_secs() / 60
            );
            return None;
        }
        let oldest = date.saturating_sub(self.retention);
        Some(u64::try_from(oldest.as_millis()).unwrap_or(u64::MAX))
    }

    /// Some were deleted; these were all, or it cannot go on now.
    pub(crate) const fn rest(&mut self) {
        self.under_way = None;
    }
}

impl fmt::Debug for Sweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweep").field("next", &self.next).finish_non_exhaustive()
    }
}

fn since_1970(clock: &Clock) -> Duration {
    clock().duration_since(UNIX_EPOCH).unwrap_or_default()
}
