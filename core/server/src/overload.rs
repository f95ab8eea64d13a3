//! Whether there is more work than the server can do, and the way out: new dialogs get 503, so that what runs goes on.
//!
//! What has come waits in two places: an actor that is ready waits for a thread, and frames wait in the socket for their actor.
//! How long, is the *lag*. Clients that each wait for their answers keep it bounded, and are served, if they are not so many that all of them
//! at once are too much. Load that nobody holds back makes it grow without end: then all answers come too late, and the server does
//! nothing of use.
//!
//! The server looks at the first place, each actor at its own socket: one peer that floods is refused alone.
//!
//! | state | event | what happens |
//! |---|---|---|
//! | calm | the lag is over `limits.overload` twice in a row | overloaded |
//! | overloaded | the lag is over a twentieth of that | requests that open a dialog get 503 with `Retry-After`, all else is served |
//! | overloaded | the lag is not | all is served |
//! | overloaded | for a second the lag is not | calm |

mod backlog;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use jsip::Admission;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

pub(crate) use backlog::Backlog;

use crate::node::Node;

/// Between two looks of a server that is calm. One that is idle must not be kept awake.
const CALM: Duration = Duration::from_millis(50);

/// Between two looks of one that is overloaded.
const BUSY: Duration = Duration::from_millis(2);

/// How long the lag must be bearable, until all is calm again.
const RELIEF: Duration = Duration::from_secs(1);

/// Between two lines about single peers.
const TELL: Duration = Duration::from_secs(10);

/// Which part of the lag that overloads is borne while overloaded.
const PART: u32 = 20;

/// The table of the module.
#[derive(Debug, Default)]
struct State {
    /// How often in a row the lag was too long.
    late: u8,
    overloaded: bool,
    relieved_since: Option<Instant>,
    /// Of a peer: its last turn left something.
    behind: bool,
}

/// What a look at the lag led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    None,
    Begins,
    Ends,
}

impl State {
    fn look(&mut self, now: Instant, lag: Duration, most: Duration) -> Change {
        if most.is_zero() {
            let was = std::mem::take(self).overloaded;
            return if was { Change::Ends } else { Change::None };
        }
        if !self.overloaded {
            self.late = if lag > most { self.late + 1 } else { 0 };
            if self.late < 2 {
                return Change::None;
            }
            *self = Self { overloaded: true, ..Self::default() };
            return Change::Begins;
        }
        if lag > most / PART {
            self.relieved_since = None;
        } else if now >= *self.relieved_since.get_or_insert(now) + RELIEF {
            *self = Self::default();
            return Change::Ends;
        }
        Change::None
    }
}

/// The load of the server as a whole.
#[derive(Debug)]
pub(crate) struct Overload {
    base: Instant,
    overloaded: AtomicBool,
    /// Microseconds since `base` when the probe under way left; 0 if there is none.
    left: AtomicU64,
    /// What the last probe took, in microseconds.
    lag: AtomicU64,
    /// The lag at which an overloaded server refuses, in microseconds.
    bearable: AtomicU64,
    /// How often it was overloaded.
    times: AtomicU64,
    /// How often a peer was, alone.
    peers: AtomicU64,
}

impl Overload {
    pub(crate) fn new() -> Self {
        Self {
            base: Instant::now(),
            overloaded: AtomicBool::new(false),
            left: AtomicU64::new(0),
            lag: AtomicU64::new(0),
            bearable: AtomicU64::new(0),
            times: AtomicU64::new(0),
            peers: AtomicU64::new(0),
        }
    }

    pub(crate) fn is_overloaded(&self) -> bool {
        self.overloaded.load(Relaxed)
    }

    /// How often it was, since the start.
    pub(crate) fn times(&self) -> u64 {
        self.times.load(Relaxed)
    }

    /// How long what is ready waits for a thread.
    pub(crate) fn lag(&self) -> Duration {
        Duration::from_micros(self.lag.load(Relaxed))
    }

    /// Whether a peer may open no dialogs now.
    pub(crate) fn refuses(&self, now: Instant, backlog: &Backlog) -> bool {
        backlog.is_late() || (self.is_overloaded() && self.is_late(now))
    }

    /// The last probe took too long, or the one under way does already.
    fn is_late(&self, now: Instant) -> bool {
        let bearable = self.bearable.load(Relaxed);
        let left = self.left.load(Relaxed);
        self.lag.load(Relaxed) > bearable
            || (left > 0 && self.microseconds(now).saturating_sub(left) > bearable)
    }

    fn microseconds(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.base).as_micros() as u64
    }

    /// How often peers were overloaded, each by what it sends itself.
    pub(crate) fn peers(&self) -> u64 {
        self.peers.load(Relaxed)
    }

    /// A peer is, by what it sends itself.
    pub(crate) fn add_peer(&self) {
        self.peers.fetch_add(1, Relaxed);
    }

    /// Sends a probe through the queues of the runtime, as any actor goes.
    async fn probe(&self) -> Duration {
        let left = Instant::now();
        self.left.store(self.microseconds(left).max(1), Relaxed);
        // The thread goes on with what is ready before it comes back here.
        yield_now().await;
        let lag = left.elapsed();
        self.lag.store(lag.as_micros() as u64, Relaxed);
        self.left.store(0, Relaxed);
        lag
    }
}

/// What a peer is told that may open no dialogs now: not all come back at the same time.
pub(crate) fn closed_for(peer: u64) -> Admission {
    /// After so many seconds at least, and so many different ones.
    const RETRY: (u64, u64) = (2, 8);
    Admission::Closed { retry_after: RETRY.0 + peer % RETRY.1 }
}

/// Watches the lag for as long as the server runs.
pub(crate) async fn watch(node: Arc<Node>) {
    let overload = &node.overload;
    let mut state = State::default();
    let (mut told, mut may_tell) = (0, Instant::now());
    loop {
        sleep(if state.overloaded { BUSY } else { CALM }).await;
        let most = node.live().settings.limits.overload;
        let lag = overload.probe().await;
        overload.bearable.store((most / PART).as_micros() as u64, Relaxed);
        let (peers, now) = (overload.peers(), Instant::now());
        if peers > told && now >= may_tell {
            tracing::warn!(
                peers = peers - told,
                "peers send more than can be done: their new dialogs get 503 for a while"
            );
            (told, may_tell) = (peers, now + TELL);
        }
        match state.look(now, lag, most) {
            Change::None => {}
            Change::Begins => {
                overload.times.fetch_add(1, Relaxed);
                overload.overloaded.store(true, Relaxed);
                tracing::warn!(?lag, "overloaded: new dialogs get 503 until less work waits");
            }
            Change::Ends => {
                overload.overloaded.store(false, Relaxed);
                tracing::info!("no longer overloaded");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Duration = Duration::from_millis(200);

    /// Each look with the lag in milliseconds, after so many milliseconds.
    fn walk(looks: &[(u64, u64)]) -> Vec<Change> {
        let (mut state, mut now) = (State::default(), Instant::now());
        let look = |(after, lag): &(u64, u64)| {
            now += Duration::from_millis(*after);
            state.look(now, Duration::from_millis(*lag), MOST)
        };
        looks.iter().map(look).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn one_hiccup_is_no_overload() {
        assert_eq!(walk(&[(50, 900), (50, 1), (50, 201), (50, 200)]), [Change::None; 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_the_lag_is_bearable_for_long() {
        let changes = walk(&[
            (50, 201),
            (50, 300),
            (2, 11),
            (500, 10),
            (900, 10),
            (50, 11),
            (50, 5),
            (999, 10),
            (1, 10),
            (50, 199),
        ]);
        let mut expected = [Change::None; 10];
        (expected[1], expected[8]) = (Change::Begins, Change::Ends);
        assert_eq!(changes, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_there_is_none() {
        let (mut state, now) = (State::default(), Instant::now());
        let hour = Duration::from_secs(3600);
        assert_eq!(
            [state.look(now, hour, MOST), state.look(now, hour, MOST)],
            [Change::None, Change::Begins]
        );
        assert_eq!(state.look(now, hour, Duration::ZERO), Change::Ends);
        assert_eq!(
            [state.look(now, hour, Duration::ZERO), state.look(now, hour, Duration::ZERO)],
            [Change::None; 2]
        );
    }
}
