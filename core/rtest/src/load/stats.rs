//! What all connections count together.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use super::histogram::Histogram;

/// The counters of one load run.
#[derive(Debug)]
pub(super) struct Stats {
    units: AtomicU64,
    refused: AtomicU64,
    in_flight: AtomicI64,
    errors: AtomicU64,
    kinds: Mutex<BTreeMap<String, u64>>,
    /// Latencies count only while this is on.
    recording: AtomicBool,
    pub(super) latency: Histogram,
    /// From when a unit should have begun to its refusal.
    pub(super) refusal_latency: Histogram,
}

impl Stats {
    pub(super) fn new() -> Self {
        Self {
            units: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            in_flight: AtomicI64::new(0),
            errors: AtomicU64::new(0),
            kinds: Mutex::new(BTreeMap::new()),
            recording: AtomicBool::new(false),
            latency: Histogram::new(),
            refusal_latency: Histogram::new(),
        }
    }

    /// `count` units have begun.
    pub(super) fn begin(&self, count: usize) {
        self.in_flight.fetch_add(count as i64, Ordering::Relaxed);
    }

    /// A unit is done, `latency` after it should have begun.
    pub(super) fn done(&self, latency: Duration) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.units.fetch_add(1, Ordering::Relaxed);
        if self.recording.load(Ordering::Relaxed) {
            self.latency.record(latency);
        }
    }

    /// A unit is refused, `latency` after it should have begun.
    pub(super) fn refused(&self, latency: Duration) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.refused.fetch_add(1, Ordering::Relaxed);
        if self.recording.load(Ordering::Relaxed) {
            self.refusal_latency.record(latency);
        }
    }

    /// `count` units have come to nothing for one reason.
    pub(super) fn fail(&self, count: usize, kind: &str) {
        self.in_flight.fetch_sub(count as i64, Ordering::Relaxed);
        self.error(count, kind);
    }

    /// Something is wrong that is not a unit's end.
    pub(super) fn error(&self, count: usize, kind: &str) {
        if count == 0 {
            return;
        }
        self.errors.fetch_add(count as u64, Ordering::Relaxed);
        if let Ok(mut kinds) = self.kinds.lock() {
            *kinds.entry(kind.to_owned()).or_insert(0) += count as u64;
        }
    }

    pub(super) fn record(&self, on: bool) {
        self.recording.store(on, Ordering::Relaxed);
    }

    pub(super) fn units(&self) -> u64 {
        self.units.load(Ordering::Relaxed)
    }

    pub(super) fn refusals(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    pub(super) fn in_flight(&self) -> i64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    pub(super) fn error_kinds(&self) -> BTreeMap<String, u64> {
        self.kinds.lock().map(|kinds| kinds.clone()).unwrap_or_default()
    }
}
