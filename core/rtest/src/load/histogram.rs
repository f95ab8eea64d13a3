//! Latencies in log-linear buckets: each power of two is cut into 64, so a value is off by at most 1.6 %.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Bits of a value that its bucket keeps.
const SUB_BITS: u32 = 6;
const SUB_COUNT: usize = 1 << SUB_BITS;
/// Values of 2^42 ns (73 min) and more share the last bucket.
const MAX_BITS: u32 = 42;
const BUCKETS: usize = (MAX_BITS - SUB_BITS + 1) as usize * SUB_COUNT;

/// Counts durations. Many tasks may record at once.
#[derive(Debug)]
pub(super) struct Histogram {
    buckets: Box<[AtomicU64]>,
    max: AtomicU64,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self { buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(), max: AtomicU64::new(0) }
    }

    pub(super) fn record(&self, value: Duration) {
        let nanos = u64::try_from(value.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get(bucket_of(nanos)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.max.fetch_max(nanos, Ordering::Relaxed);
    }

    pub(super) fn max(&self) -> Duration {
        Duration::from_nanos(self.max.load(Ordering::Relaxed))
    }

    /// The value that `share` (0 to 1) of all values do not exceed, rounded up to the end of its bucket; zero if
    /// there are none.
    pub(super) fn quantile(&self, share: f64) -> Duration {
        let counts: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        let total: u64 = counts.iter().sum();
        let rank = ((total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in counts.into_iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(end_of(bucket)).min(self.max());
            }
        }
        Duration::ZERO
    }
}

fn bucket_of(nanos: u64) -> usize {
    let nanos = nanos.min((1 << MAX_BITS) - 1);
    let shift = (u64::BITS - nanos.leading_zeros()).saturating_sub(SUB_BITS + 1);
    // Up to 2 × SUB_COUNT a bucket holds one value; from there its width doubles with each power of two.
    shift as usize * SUB_COUNT + (nanos >> shift) as usize
}

/// The largest value of a bucket.
fn end_of(bucket: usize) -> u64 {
    let shift = (bucket / SUB_COUNT).saturating_sub(1);
    let top = (bucket - shift * SUB_COUNT) as u64;
    ((top + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_and_are_narrow() {
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
        let mut start = 0;
        for bucket in 0..BUCKETS {
            let end = end_of(bucket);
            assert_eq!((bucket_of(start), bucket_of(end)), (bucket, bucket), "bucket {bucket}");
            assert!((end - start) * 64 <= start, "bucket {bucket} from {start} to {end} is too wide");
            start = end + 1;
        }
        assert_eq!(start, 1 << MAX_BITS);
    }

    #[test]
    fn quantiles() {
        let histogram = Histogram::new();
        assert_eq!(histogram.quantile(0.5), Duration::ZERO);
        for micros in 1..=1000 {
            histogram.record(Duration::from_micros(micros));
        }
        for (share, micros) in [(0.5, 500.0), (0.99, 990.0), (0.999, 999.0), (1.0, 1000.0), (0.0, 1.0)] {
            let found = histogram.quantile(share).as_secs_f64() * 1e6;
            assert!((micros..=micros * 1.016).contains(&found), "{share}: {found}");
        }
        assert_eq!(histogram.max(), Duration::from_millis(1));
        histogram.record(Duration::from_secs(1 << 20));
        assert_eq!(histogram.quantile(1.0), Duration::from_nanos((1 << MAX_BITS) - 1));
    }
}
