//! How often something may happen.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

const SECOND: u64 = 1_000_000_000;

/// A bucket of tokens that holds what flows in within a second. The rate is told at each use, so that it can change.
///
/// What it keeps is when it will be full again (as GCRA does): one number, so no lock.
#[derive(Debug)]
pub(crate) struct Bucket {
    made: Instant,
    /// Nanoseconds after `made`.
    full_at: AtomicU64,
}

impl Bucket {
    pub(crate) fn new(now: Instant) -> Self {
        Self { made: now, full_at: AtomicU64::new(0) }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// How long it takes until there is one.
    pub(crate) fn take(&self, now: Instant, rate: u32) -> Result<(), Duration> {
        let now = self.nanoseconds(now);
        let token = SECOND / u64::from(rate.max(1));
        let taken = |full_at: u64| {
            let full_at = full_at.max(now) + token;
            (full_at <= now + SECOND).then_some(full_at)
        };
        match self.full_at.fetch_update(Relaxed, Relaxed, taken) {
            Ok(_) => Ok(()),
            Err(full_at) => Err(Duration::from_nanos((full_at + token).saturating_sub(now + SECOND))),
        }
    }

    /// Whether it is as good as new.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.full_at.load(Relaxed) <= self.nanoseconds(now)
    }

    fn nanoseconds(&self, now: Instant) -> u64 {
        // 584 years.
        u64::try_from(now.saturating_duration_since(self.made).as_nanos()).unwrap_or(u64::MAX / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_second_holds_so_many() {
        let start = Instant::now();
        let bucket = Bucket::new(start);
        for rate in [1, 3, 1000] {
            let start = start + Duration::from_secs(10 * u64::from(rate));
            assert!(bucket.is_full(start));
            assert_eq!((0..2000).filter(|_| bucket.take(start, rate).is_ok()).count(), rate as usize);
            assert!(!bucket.is_full(start));
            // A token later there is one more, and no other.
            let wait = bucket.take(start, rate).unwrap_err();
            assert!(bucket.take(start + wait - MS / 1000, rate).is_err());
            assert_eq!(bucket.take(start + wait, rate), Ok(()));
            assert!(bucket.take(start + wait, rate).is_err());
            assert!(bucket.is_full(start + wait + Duration::from_secs(1)));
        }
    }

    #[test]
    fn the_rate_may_change() {
        let start = Instant::now();
        let bucket = Bucket::new(start);
        assert_eq!((0..20).filter(|_| bucket.take(start, 10).is_ok()).count(), 10);
        // Half a second's worth is back.
        assert_eq!((0..1000).filter(|_| bucket.take(start + 500 * MS, 100).is_ok()).count(), 50);
        assert!(bucket.take(start + 501 * MS, 1).is_err());
    }
}
