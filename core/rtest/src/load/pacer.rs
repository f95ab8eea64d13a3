//! When units of an open loop begin.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::time::Instant;

/// The shortest sleep: below it waking up would cost more than the units.
const SHORTEST: Duration = Duration::from_micros(50);
/// The longest: how late the end of the run may be noticed.
const LONGEST: Duration = Duration::from_millis(50);

/// One connection's share of all beginnings, which go round the connections at equal distances.
#[derive(Debug)]
pub(super) struct Schedule {
    start: Arc<OnceLock<Instant>>,
    /// Of the next beginning, among those of all connections.
    number: u64,
    connections: u64,
    rate: f64,
}

impl Schedule {
    /// For the connection `index`. `rate` is of all `connections`, per second; `start` is set when they may begin.
    pub(super) fn new(start: Arc<OnceLock<Instant>>, index: usize, connections: usize, rate: f64) -> Self {
        Self { start, number: index as u64, connections: connections as u64, rate }
    }

    /// The next moment at which a unit should begin, if that is not after `now`.
    pub(super) fn due(&mut self, now: Instant) -> Option<Instant> {
        let moment = *self.start.get()? + Duration::from_secs_f64(self.number as f64 / self.rate);
        (moment <= now).then(|| {
            self.number += self.connections;
            moment
        })
    }
}

/// A thread that wakes connections when they are due: the runtime's own timers are no finer than a millisecond.
#[derive(Debug)]
pub(super) struct Pacer {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Pacer {
    /// Wakes each of `wakers` in turn, `rate` of them a second from `start` on.
    pub(super) fn start(start: Instant, rate: f64, wakers: Vec<Arc<AtomicWaker>>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || wake_all(start, rate, &wakers, &stopped));
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Pacer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It does not panic; if it did, there is nothing left to pace.
            let _ = thread.join();
        }
    }
}

fn wake_all(start: Instant, rate: f64, wakers: &[Arc<AtomicWaker>], stop: &AtomicBool) {
    let mut next = 0;
    while !stop.load(Ordering::Relaxed) {
        let due = (start.elapsed().as_secs_f64() * rate) as u64 + 1;
        // After a long pause each connection is woken once: it sees itself how many units are due.
        for number in next.max(due.saturating_sub(wakers.len() as u64))..due {
            if let Some(waker) = wakers.get((number % wakers.len() as u64) as usize) {
                waker.wake();
            }
        }
        next = due;
        let wait =
            (start + Duration::from_secs_f64(next as f64 / rate)).saturating_duration_since(Instant::now());
        #[expect(clippy::disallowed_methods, reason = "this thread is the pacer's own")]
        std::thread::sleep(wait.clamp(SHORTEST, LONGEST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn connections_begin_in_turn() {
        let start = Arc::new(OnceLock::new());
        let mut schedules = [0, 1].map(|index| Schedule::new(Arc::clone(&start), index, 2, 1000.0));
        let now = Instant::now();
        assert_eq!(schedules[0].due(now), None, "not started");
        start.set(now).unwrap();
        let millis = |n| now + Duration::from_millis(n);
        assert_eq!(schedules[0].due(millis(3)), Some(now));
        assert_eq!(schedules[0].due(millis(3)), Some(millis(2)));
        assert_eq!(schedules[0].due(millis(3)), None);
        assert_eq!(schedules[1].due(millis(0)), None);
        assert_eq!(schedules[1].due(millis(1)), Some(millis(1)));
    }
}
