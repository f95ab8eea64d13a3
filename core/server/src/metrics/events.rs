//! What happens seldom: counted where it happens.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;

/// Answers to HTTP requests of clients that are counted by their status.
const UPGRADES: [u16; 7] = [101, 400, 401, 403, 404, 429, 503];

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Events {
    upgrades: [AtomicU64; UPGRADES.len()],
    other_upgrades: AtomicU64,
    /// Calls by API and status.
    calls: Mutex<BTreeMap<(String, u16), u64>>,
}

impl Events {
    /// An HTTP request of a client was answered.
    pub(crate) fn upgrade(&self, status: StatusCode) {
        let at = UPGRADES.iter().position(|watched| *watched == status.as_u16());
        at.and_then(|at| self.upgrades.get(at)).unwrap_or(&self.other_upgrades).fetch_add(1, Relaxed);
    }

    /// A call of an API was answered. The name is one that is enabled, or one of the server's own.
    pub(crate) fn call(&self, api: &str, status: StatusCode) {
        /// More are not told apart: who enables APIs under ever new names must not fill the memory.
        const MOST: usize = 1000;
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let api = if calls.len() < MOST { api } else { "other" };
        *calls.entry((api.to_owned(), status.as_u16())).or_default() += 1;
    }

    pub(super) fn upgrades(&self) -> Vec<(String, u64)> {
        UPGRADES
            .iter()
            .map(ToString::to_string)
            .zip(&self.upgrades)
            .chain([("other".to_owned(), &self.other_upgrades)])
            .map(|(status, count)| (status, count.load(Relaxed)))
            .collect()
    }

    pub(super) fn calls(&self) -> Vec<((String, u16), u64)> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().map(|(call, count)| (call.clone(), *count)).collect()
    }
}
