//! How long a client may take to send a request, to take the answer, and to send the next request.
//!
//! | phase | begins with | may last |
//! |---|---|---|
//! | head | the connection, or the first byte of a later request | `clientheadertimeout` |
//! | busy | the end of a request's head | as long as its answer takes |
//! | sending | the answer, or any bytes of it that the client took | `write_stall`; on the API side `keepalived`, once all of it is made |
//! | idle | the end of an answer | `keepalived`; on the RTC side, `clientheadertimeout` |

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What a connection is doing.
#[derive(Debug)]
pub(super) struct Pace {
    header_timeout: Duration,
    idle_timeout: Duration,
    write_stall: Option<Duration>,
    phase: Mutex<Phase>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Head(Instant),
    Busy,
    Sending {
        since: Instant,
        /// Whether all of it has been handed to the connection.
        is_whole: bool,
    },
    Idle(Instant),
}

impl Pace {
    pub(super) fn new(
        header_timeout: Duration,
        idle_timeout: Duration,
        write_stall: Option<Duration>,
    ) -> Self {
        Self { header_timeout, idle_timeout, write_stall, phase: Mutex::new(Phase::Head(Instant::now())) }
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

    /// Its answer begins to go.
    pub(super) fn answer(&self) {
        *self.phase() = Phase::Sending { since: Instant::now(), is_whole: false };
    }

    /// The client took bytes.
    pub(super) fn took(&self) {
        if let Phase::Sending { since, .. } = &mut *self.phase() {
            *since = Instant::now();
        }
    }

    /// All of its answer has been handed to the connection, or the client is gone.
    pub(super) fn end(&self) {
        let mut phase = self.phase();
        match &mut *phase {
            Phase::Sending { is_whole, .. } => *is_whole = true,
            Phase::Head(_) | Phase::Busy | Phase::Idle(_) => *phase = Phase::Idle(Instant::now()),
        }
    }

    /// Whatever was handed to the connection has gone.
    pub(super) fn flushed(&self) {
        let mut phase = self.phase();
        if matches!(*phase, Phase::Sending { is_whole: true, .. }) {
            *phase = Phase::Idle(Instant::now());
        }
    }

    /// When the client has taken too long.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match *self.phase() {
            Phase::Head(since) => Some(since + self.header_timeout),
            Phase::Busy => None,
            Phase::Sending { since, is_whole: false } => self.write_stall.map(|stall| since + stall),
            Phase::Sending { since, is_whole: true } => {
                Some(since + self.write_stall.unwrap_or(self.idle_timeout))
            }
            Phase::Idle(since) => Some(since + self.idle_timeout),
        }
    }

    /// Whether a head is awaited that has begun, or the first one.
    pub(super) fn is_head(&self) -> bool {
        matches!(*self.phase(), Phase::Head(_))
    }

    /// Whether an answer goes, and the client does not take it.
    pub(super) fn is_sending(&self) -> bool {
        matches!(*self.phase(), Phase::Sending { .. })
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
