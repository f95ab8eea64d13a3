use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// Settings of the store, of `conf/store.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// The file, relative to `server.state_dir`.
    pub file: PathBuf,
    /// Writes that may wait; more get [`StoreError::Busy`](crate::StoreError::Busy).
    pub queue: NonZeroUsize,
    /// Bytes that writes which wait or are under way may hold; more get [`StoreError::Busy`](crate::StoreError::Busy).
    pub queue_bytes: NonZeroUsize,
    /// Writes of one transaction.
    pub batch: NonZeroUsize,
    /// Who asks gets an answer in this time, if it be [`StoreError::Unavailable`](crate::StoreError::Unavailable).
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// So often the file is looked at, and a database that is gone is opened again.
    #[serde(with = "humantime_serde")]
    pub retry: Duration,
    /// Older messages are deleted, delivered or not; zero: never.
    #[serde(with = "humantime_serde")]
    pub retention: Duration,
    /// Bytes that the database may take, in steps of a page (4096). Near it the oldest history is deleted; if that does not help, it is as a
    /// full disk. 0: what the disk has.
    pub max_size: u64,
    /// Connections that read histories, each with a thread; 64 at most. One more reads what waits.
    pub readers: NonZeroUsize,
}

impl Default for Settings {
    fn default() -> Self {
        const fn count(n: usize) -> NonZeroUsize {
            match NonZeroUsize::new(n) {
                Some(n) => n,
                None => NonZeroUsize::MIN,
            }
        }
        Self {
            file: PathBuf::from("messages.db"),
            queue: count(4096),
            queue_bytes: count(64 << 20),
            batch: count(500),
            timeout: Duration::from_secs(2),
            retry: Duration::from_secs(1),
            retention: Duration::from_hours(30 * 24),
            max_size: 4 << 30,
            readers: count(4),
        }
    }
}
