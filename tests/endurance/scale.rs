//! How long and how large a test is.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

/// A value of the environment, if it is there.
fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// `RTCD_SECONDS`, but not more than that; without it a few.
pub(crate) fn seconds(few: u64, most: u64) -> u64 {
    variable("RTCD_SECONDS").map_or(few, |seconds| seconds.min(most))
}

/// The variable of this name; without it all if `RTCD_SECONDS` is set, else some.
pub(crate) fn count(name: &str, some: usize, all: usize) -> usize {
    let usual = if is_whole() { all } else { some };
    variable(name).and_then(|count| usize::try_from(count).ok()).unwrap_or(usual)
}

/// Whether the test is as large as it is meant to be.
pub(crate) fn is_whole() -> bool {
    variable("RTCD_SECONDS").is_some()
}

/// Ticks so often a second.
pub(crate) fn beat(per_second: u32) -> Interval {
    let mut beat = interval(Duration::from_secs(1) / per_second);
    beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
    beat
}
