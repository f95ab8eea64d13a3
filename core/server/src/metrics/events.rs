//! What happens seldom: counted where it happens.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;

/// Answers to clients that want a WebSocket, by their status.
const UPGRADES: [u16; 7] = [101, 400, 401, 403, 404, 429, 503];

/// Answers to browsers that want files of the page.
const FILES: [u16; 4] = [200, 304, 429, 503];

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Events {
    upgrades: [AtomicU64; UPGRADES.len()],
    other_upgrades: AtomicU64,
    files: [AtomicU64; FILES.len()],
    other_files: AtomicU64,
    /// Calls by API and status.
    calls: Mutex<BTreeMap<(String, u16), u64>>,
}

impl Events {
    /// A request for a WebSocket was answered, or one for nothing that is there.
    pub(crate) fn upgrade(&self, status: StatusCode) {
        count(UPGRADES, &self.upgrades, &self.other_upgrades, status);
    }

    /// A request for a file of the page was answered.
    pub(crate) fn file(&self, status: StatusCode) {
        count(FILES, &self.files, &self.other_files, status);
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
        counted(UPGRADES, &self.upgrades, &self.other_upgrades)
    }

    pub(super) fn files(&self) -> Vec<(String, u64)> {
        counted(FILES, &self.files, &self.other_files)
    }

    pub(super) fn calls(&self) -> Vec<((String, u16), u64)> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().map(|(call, count)| (call.clone(), *count)).collect()
    }
}

fn count<const N: usize>(watched: [u16; N], counts: &[AtomicU64; N], other: &AtomicU64, status: StatusCode) {
    let at = watched.iter().position(|watched| *watched == status.as_u16());
    at.and_then(|at| counts.get(at)).unwrap_or(other).fetch_add(1, Relaxed);
}

fn counted<const N: usize>(
    watched: [u16; N],
    counts: &[AtomicU64; N],
    other: &AtomicU64,
) -> Vec<(String, u64)> {
    watched
        .iter()
        .map(ToString::to_string)
        .zip(counts)
        .chain([("other".to_owned(), other)])
        .map(|(status, count)| (status, count.load(Relaxed)))
        .collect()
}
