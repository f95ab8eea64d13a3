//! How long a client may take to send a request, and to send the next one.
//!
//! | phase | begins with | may last |
//! |---|---|---|
//! | head | the connection, or the first byte of a later request | `clientheadertimeout` |
//! | busy | the end of a request's head | as long as its answer takes |
//! | idle | the end of an answer | `keepalived` |

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What a connection is doing.
#[derive(Debug)]
pub(super) struct Pace {
    header_timeout: Duration,
    idle_timeout: Duration,
    phase: Mutex<Phase>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Head(Instant),
    Busy,
    Idle(Instant),
}

impl Pace {
    pub(super) fn new(header_timeout: Duration, idle_timeout: Duration) -> Self {
        Self { header_timeout, idle_timeout, phase: Mutex::new(Phase::Head(Instant::now())) }
    }

    /// Bytes came.
    pub(super) fn heard(&self) {
        let mut phase = self.phase();
        if matches!(*phase, Phase::Idle(_)) {
            *phase = Phase::Head(Instant::now());
        }
    }

    /// A request's head is there.
    pub(super) fn begin(&self) {
        *self.phase() = Phase::Busy;
    }

    /// Its answer has gone.
    pub(super) fn end(&self) {
        *self.phase() = Phase::Idle(Instant::now());
    }

    /// When the client has taken too long.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match *self.phase() {
            Phase::Head(since) => Some(since + self.header_timeout),
            Phase::Busy => None,
            Phase::Idle(since) => Some(since + self.idle_timeout),
        }
    }

    /// Whether a head is awaited that has begun, or the first one.
    pub(super) fn is_head(&self) -> bool {
        matches!(*self.phase(), Phase::Head(_))
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
