//! What there is on this node, counted without asking anybody.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use rtcd_sdk::host::TaskFault;

use crate::actor::Closing;

/// Numbers of the whole node. Each actor adds what has changed, once a turn.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    pub(crate) connections: AtomicI64,
    pub(crate) peers: AtomicI64,
    pub(crate) dialogs: AtomicI64,
    pub(crate) sessions: AtomicI64,
    pub(crate) transactions: AtomicI64,
    pub(crate) lingering: AtomicI64,
    pub(crate) queued: AtomicI64,
    pub(crate) tasks: AtomicI64,
    pub(crate) slow_readers: AtomicU64,
    /// Handlers that panicked, failed, took too long.
    pub(crate) task_faults: [AtomicU64; 3],
    /// Sockets that the server closed, by reason.
    pub(crate) closed: [AtomicU64; Closing::ALL.len()],
    /// New requests that found too much waiting for a task that is away.
    pub(crate) away_refused: AtomicU64,
    /// Legs that a task may not have.
    pub(crate) legs_refused: AtomicU64,
    /// Mails that found no room with a peer.
    pub(crate) mailbox_refused: Arc<AtomicU64>,
    /// Mails that found no room with a service task.
    pub(crate) service_mailbox_refused: Arc<AtomicU64>,
    pub(crate) long_turns: AtomicU64,
    pub(crate) reloads: AtomicU64,
    pub(crate) bad_reloads: AtomicU64,
    /// TLS handshakes that failed or took too long.
    pub(crate) failed_handshakes: AtomicU64,
    /// Connections that sent no head of a request in `clientheadertimeout`.
    pub(crate) slow_requests: AtomicU64,
    /// Connections over `limits.connections`.
    pub(crate) refused_connections: AtomicU64,
    /// Connections over `limits.api_connections`.
    pub(crate) refused_callers: AtomicU64,
    /// Connections that would take the files that the rest of the process needs.
    pub(crate) refused_files: AtomicU64,
    /// Connections over `limits.address_connections`.
    pub(crate) refused_address_connections: AtomicU64,
    /// Connections over `limits.address_connects`.
    pub(crate) refused_address_connects: AtomicU64,
    /// Connections over `limits.user_connects`.
    pub(crate) refused_user_connects: AtomicU64,
    /// Requests over `limits.address_requests`.
    pub(crate) refused_address_requests: AtomicU64,
    /// Requests over `limits.user_requests`.
    pub(crate) refused_user_requests: AtomicU64,
    /// Refused connections that were not even told so, for too many were being told.
    pub(crate) dropped_connections: AtomicU64,
    /// Tries to accept a connection that failed.
    pub(crate) accept_errors: AtomicU64,
    /// Upgrades while the server goes down.
    pub(crate) refused_draining: AtomicU64,
    /// Upgrades whose `Origin` is not allowed.
    pub(crate) refused_origins: AtomicU64,
    /// Connections that `authurl` did not let in.
    pub(crate) auth_refused: AtomicU64,
    /// Connections that were not let in because `authurl` could not be asked, or did not answer in time.
    pub(crate) auth_failed: AtomicU64,
    /// Connections that were not let in because `max_auth` questions were open.
    pub(crate) auth_busy: AtomicU64,
}

/// What an actor has told so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) connections: i64,
    pub(crate) dialogs: i64,
    pub(crate) sessions: i64,
    pub(crate) transactions: i64,
    pub(crate) lingering: i64,
    pub(crate) queued: i64,
    pub(crate) tasks: i64,
}

impl Gauges {
    pub(crate) fn fault(&self, fault: &TaskFault) {
        let [panicked, failed, timed_out] = &self.task_faults;
        let count = match fault {
            TaskFault::Panicked(_) => panicked,
            TaskFault::Failed(_) => failed,
            TaskFault::TimedOut => timed_out,
        };
        count.fetch_add(1, Relaxed);
    }

    pub(crate) fn closing(&self, why: Closing) {
        if let Some(count) = self.closed.get(why as usize) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// Adds the difference between what an actor has now and what it told last.
    pub(crate) fn tell(&self, told: &mut Told, now: Told) {
        if *told == now {
            return;
        }
        let add = |gauge: &AtomicI64, old: i64, new: i64| {
            if old != new {
                gauge.fetch_add(new - old, Relaxed);
            }
        };
        add(&self.connections, told.connections, now.connections);
        add(&self.dialogs, told.dialogs, now.dialogs);
        add(&self.sessions, told.sessions, now.sessions);
        add(&self.transactions, told.transactions, now.transactions);
        add(&self.lingering, told.lingering, now.lingering);
        add(&self.queued, told.queued, now.queued);
        add(&self.tasks, told.tasks, now.tasks);
        *told = now;
    }
}
