use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use rtcd_sdk::humantime_serde;
use rtcd_sdk::serde::Deserialize;

/// `conf/im.yaml`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(crate = "rtcd_sdk::serde", deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// How long a message may wait for the receiver's devices before it is stored.
    #[serde(with = "humantime_serde")]
    pub(crate) patience: Duration,
    /// How long the sender of a message may wait for an answer, whatever the receiver's devices and the store do.
    #[serde(with = "humantime_serde")]
    pub(crate) deadline: Duration,
    /// After how long a device that did not take what is stored is asked again.
    #[serde(with = "humantime_serde")]
    pub(crate) retry: Duration,
    /// Messages that are stored for one receiver.
    pub(crate) max_stored: NonZeroU64,
    /// Bytes of one sender that wait in the store, for all receivers together.
    pub(crate) max_waiting: NonZeroU64,
    /// Messages under way, of all users.
    pub(crate) qsize: NonZeroUsize,
    /// Bytes that they may hold.
    pub(crate) qsize_bytes: NonZeroUsize,
}

impl Settings {
    /// Messages of one sender to one receiver that wait for their turn.
    pub(crate) const PAIR: usize = 256;

    /// Messages of one sender that are stored for one receiver: nobody shuts a mailbox to others.
    pub(crate) fn share(&self) -> u64 {
        (self.max_stored.get() / 10).max(1)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(2),
            deadline: Duration::from_secs(4),
            retry: Duration::from_secs(5),
            max_stored: const { NonZeroU64::new(10_000).unwrap() },
            max_waiting: const { NonZeroU64::new(64 << 20).unwrap() },
            qsize: const { NonZeroUsize::new(65_536).unwrap() },
            qsize_bytes: const { NonZeroUsize::new(64 << 20).unwrap() },
        }
    }
}
