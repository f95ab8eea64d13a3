//! What happens often: actors add it once a turn, to the counters of the thread that they run on.

use std::array::from_fn;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use jsip::{Counters, Finished, Method, Side, Stack};

/// Threads that do not share counters. (Two that do only wait for each other's caches.)
const SHARDS: usize = 16;

/// Classes of final responses: 2xx to 6xx.
pub(super) const CLASSES: usize = 5;

/// Upper bounds of times, in milliseconds.
pub(super) const BOUNDS: [u64; 14] =
    [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 60_000];

/// Final responses that are counted by their code, for they say what is wrong.
pub(super) const CODES: [u16; 12] = [400, 403, 404, 408, 423, 480, 481, 486, 487, 491, 500, 503];

/// Where a new dialog goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dispatched {
    /// A new task.
    Service,
    /// A task that waits for it.
    Related,
    /// Nobody is there for it.
    Refused,
    /// The server goes down.
    Draining,
    /// The service panicked when its task was made.
    Failed,
}

impl Dispatched {
    pub(super) const ALL: [(Self, &'static str); 5] = [
        (Self::Service, "service"),
        (Self::Related, "related"),
        (Self::Refused, "refused"),
        (Self::Draining, "draining"),
        (Self::Failed, "failed"),
    ];
}

/// How many new dialogs went where, in one turn.
#[derive(Debug, Default)]
pub(crate) struct Dispatches([u32; Dispatched::ALL.len()]);

impl Dispatches {
    pub(crate) fn add(&mut self, to: Dispatched) {
        if let Some(count) = self.0.get_mut(to as usize) {
            *count += 1;
        }
    }
}

/// Who sent the requests that are counted.
pub(super) const SIDES: [(Side, &str); 2] = [(Side::Peer, "peer"), (Side::Application, "application")];

/// See the module.
#[derive(Debug)]
pub(crate) struct Tally {
    shards: Box<[Shard]>,
}

/// The counters of a thread, apart from those of others.
#[derive(Debug)]
#[repr(align(128))]
struct Shard {
    stack: [AtomicU64; Counters::NAMES.len()],
    sides: [OfSide; SIDES.len()],
    dispatched: [AtomicU64; Dispatched::ALL.len()],
}

/// Requests of one side.
#[derive(Debug)]
struct OfSide {
    finals: [[AtomicU64; CLASSES]; Method::ALL.len()],
    codes: [AtomicU64; CODES.len()],
    transactions: Times,
    set_ups: Times,
}

impl Shard {
    /// So many requests were finished alike.
    fn finished(&self, Finished { method, code, from, took, .. }: Finished, alike: u64) {
        let Some(side) = self.sides.get(usize::from(from == Side::Application)) else { return };
        let code = code.as_u16();
        let class = usize::from(code / 100).saturating_sub(2);
        if let Some(count) = side.finals.get(method as usize).and_then(|of_method| of_method.get(class)) {
            count.fetch_add(alike, Relaxed);
        }
        if code >= 400
            && let Some(count) =
                CODES.iter().position(|watched| *watched == code).and_then(|at| side.codes.get(at))
        {
            count.fetch_add(alike, Relaxed);
        }
        match method {
            Method::Invite if class == 0 => side.set_ups.add(took, alike),
            Method::Invite => {}
            Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Register
            | Method::Options
            | Method::Info
            | Method::Update
            | Method::Prack
            | Method::Subscribe
            | Method::Message
            | Method::Notify => side.transactions.add(took, alike),
        }
    }
}

#[derive(Debug)]
struct Times {
    /// One more than bounds: the last takes the rest.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    microseconds: AtomicU64,
}

fn zeros<const N: usize>() -> [AtomicU64; N] {
    from_fn(|_| AtomicU64::new(0))
}

impl Tally {
    pub(crate) fn new() -> Self {
        let times = || Times { buckets: zeros(), microseconds: AtomicU64::new(0) };
        let side = |_| OfSide {
            finals: from_fn(|_| zeros()),
            codes: zeros(),
            transactions: times(),
            set_ups: times(),
        };
        let shard = || Shard { stack: zeros(), sides: from_fn(side), dispatched: zeros() };
        Self { shards: std::iter::repeat_with(shard).take(SHARDS).collect() }
    }

    /// Adds what a turn has done.
    pub(crate) fn add<T: Clone>(&self, stack: &mut Stack<T>, dispatches: &mut Dispatches) {
        let Some(shard) = self.mine() else { return };
        stack.take_counters(|at, value| {
            if let Some(counter) = shard.stack.get(at) {
                counter.fetch_add(value, Relaxed);
            }
        });
        // What is done in one turn is mostly alike: it is added at once.
        let mut finished = stack.drain_finished().peekable();
        while let Some(one) = finished.next() {
            let mut alike = 1;
            while finished.next_if_eq(&one).is_some() {
                alike += 1;
            }
            shard.finished(one, alike);
        }
        for (counter, value) in shard.dispatched.iter().zip(&mut dispatches.0) {
            if *value != 0 {
                counter.fetch_add(u64::from(std::mem::take(value)), Relaxed);
            }
        }
    }

    fn mine(&self) -> Option<&Shard> {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static MINE: usize = THREADS.fetch_add(1, Relaxed) % SHARDS;
        }
        self.shards.get(MINE.with(|mine| *mine))
    }

    fn sum<'a>(&'a self, of: impl Fn(&'a Shard) -> Option<&'a AtomicU64>) -> u64 {
        self.shards.iter().filter_map(of).map(|counter| counter.load(Relaxed)).sum()
    }

    /// A counter of the stacks, by its place among their names.
    pub(super) fn stack(&self, at: usize) -> u64 {
        self.sum(|shard| shard.stack.get(at))
    }

    pub(super) fn finals(&self, side: usize, method: Method, class: usize) -> u64 {
        self.sum(|shard| shard.sides.get(side)?.finals.get(method as usize)?.get(class))
    }

    pub(super) fn code(&self, side: usize, at: usize) -> u64 {
        self.sum(|shard| shard.sides.get(side)?.codes.get(at))
    }

    pub(super) fn dispatches(&self, to: Dispatched) -> u64 {
        self.sum(|shard| shard.dispatched.get(to as usize))
    }

    /// Times of requests that are no INVITE.
    pub(super) fn transactions(&self, side: usize) -> Histogram {
        self.histogram(|shard| Some(&shard.sides.get(side)?.transactions))
    }

    /// Times from an INVITE to its 2xx.
    pub(super) fn set_ups(&self, side: usize) -> Histogram {
        self.histogram(|shard| Some(&shard.sides.get(side)?.set_ups))
    }

    fn histogram<'a>(&'a self, of: impl Fn(&'a Shard) -> Option<&'a Times>) -> Histogram {
        let sum = self.sum(|shard| Some(&of(shard)?.microseconds)) as f64 / 1e6;
        let count = |at: usize| self.sum(|shard| of(shard)?.buckets.get(at));
        let bounds = BOUNDS.iter().map(|bound| *bound as f64 / 1e3).chain([f64::INFINITY]);
        Histogram { sum, buckets: bounds.enumerate().map(|(at, bound)| (bound, count(at))).collect() }
    }
}

/// A histogram as it is now: its buckets by upper bound in seconds, each without those before it.
#[derive(Debug)]
pub(super) struct Histogram {
    pub(super) sum: f64,
    pub(super) buckets: Vec<(f64, u64)>,
}

impl Times {
    /// So many took so long.
    fn add(&self, took: Duration, alike: u64) {
        let at = BOUNDS.partition_point(|bound| Duration::from_millis(*bound) < took);
        if let Some(bucket) = self.buckets.get(at) {
            bucket.fetch_add(alike, Relaxed);
        }
        if !took.is_zero() {
            self.microseconds.fetch_add((took.as_micros() as u64).saturating_mul(alike), Relaxed);
        }
    }
}
