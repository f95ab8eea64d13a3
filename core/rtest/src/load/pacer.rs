//! When units of an open loop begin.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::time::Instant;

/// The shortest sleep, and so the most that a beginning is late for want of a better clock: a shorter one costs
/// more time on the processor than the units.
const SHORTEST: Duration = Duration::from_micros(100);
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

/// Wakes connections when they are due.
///
/// The runtime's own timers are no finer than a millisecond, so a thread keeps time. It wakes one task, and that
/// wakes the connections: from inside the runtime that is a push to a queue, from outside a system call each.
#[derive(Debug)]
pub(super) struct Pacer {
    stop: Arc<AtomicBool>,
    clock: Option<JoinHandle<()>>,
    waking: tokio::task::JoinHandle<()>,
}

impl Pacer {
    /// Wakes each of `wakers` in turn, `rate` of them a second from `start` on.
    pub(super) fn start(start: Instant, rate: f64, wakers: Vec<Arc<AtomicWaker>>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let tick = Arc::new(AtomicWaker::new());
        let (stopped, ticking) = (Arc::clone(&stop), Arc::clone(&tick));
        let clock = std::thread::spawn(move || keep_time(start, rate, &ticking, &stopped));
        let mut woken = 0;
        let waking = tokio::spawn(std::future::poll_fn(move |cx| {
            tick.register(cx.waker());
            let due = due(start, rate);
            // After a long pause each connection is woken once: it sees itself how many units are due.
            let count = wakers.len() as u64;
            for number in due.saturating_sub(count).max(woken)..due {
                if let Some(waker) = wakers.get((number % count) as usize) {
                    waker.wake();
                }
            }
            woken = due;
            Poll::Pending
        }));
        Self { stop, clock: Some(clock), waking }
    }
}

impl Drop for Pacer {
    fn drop(&mut self) {
        self.waking.abort();
        self.stop.store(true, Ordering::Relaxed);
        if let Some(clock) = self.clock.take() {
            // It does not panic; if it did, there is nothing left to pace.
            let _ = clock.join();
        }
    }
}

/// How many units should have begun by now.
fn due(start: Instant, rate: f64) -> u64 {
    (start.elapsed().as_secs_f64() * rate) as u64 + 1
}

fn keep_time(start: Instant, rate: f64, tick: &AtomicWaker, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let next = start + Duration::from_secs_f64(due(start, rate) as f64 / rate);
        #[expect(clippy::disallowed_methods, reason = "this thread does nothing else")]
        std::thread::sleep(next.saturating_duration_since(Instant::now()).clamp(SHORTEST, LONGEST));
        tick.wake();
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
