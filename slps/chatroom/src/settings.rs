use std::num::NonZeroUsize;
use std::time::Duration;

use rtcd_sdk::humantime_serde;
use rtcd_sdk::serde::Deserialize;

/// `conf/chatroom.yaml`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(crate = "rtcd_sdk::serde", deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Messages that wait or are under way for one member.
    pub(crate) qsize: NonZeroUsize,
    /// Bytes that those which wait may hold.
    pub(crate) qsize_bytes: NonZeroUsize,
    /// After how long a message is sent again to a member who was not there; after twelve times in a row, each time twice as long.
    #[serde(with = "humantime_serde")]
    pub(crate) transtimer: Duration,
    /// No longer than this.
    #[serde(with = "humantime_serde")]
    pub(crate) max_pause: Duration,
    /// Members of a room.
    pub(crate) members: NonZeroUsize,
    /// Rooms that somebody is in.
    pub(crate) rooms: NonZeroUsize,
    /// Memberships by the connections of one user.
    pub(crate) memberships: NonZeroUsize,
    /// Memberships in all.
    pub(crate) all_memberships: NonZeroUsize,
    /// Whose word is taken for who speaks.
    pub(crate) identity: Identity,
    /// What was said before.
    pub(crate) history: History,
}

/// Whose word is taken for who speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(crate = "rtcd_sdk::serde", rename_all = "snake_case")]
pub(crate) enum Identity {
    /// Everybody's.
    #[default]
    Asserted,
    /// A user's for this user alone, with whatever device; another server's for all.
    Connection,
}

/// What was said before.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(crate = "rtcd_sdk::serde", deny_unknown_fields, default)]
pub(crate) struct History {
    /// Whether it is kept.
    pub(crate) keep: bool,
    /// How much of it a new member is told.
    pub(crate) on_join: usize,
}

/// How much a queue may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) count: usize,
    pub(crate) bytes: usize,
}

/// How many pauses are as long as the first one.
const ALIKE: u32 = 12;

/// How long nothing is sent to a member who was not there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pauses {
    pub(crate) first: Duration,
    /// Unless the first one is longer.
    pub(crate) longest: Duration,
}

impl Pauses {
    /// The n-th one in a row. They grow when the member has not been there for a while.
    pub(crate) fn nth(self, n: u32) -> Duration {
        let doubled = 1u32.checked_shl(n.saturating_sub(ALIKE)).unwrap_or(u32::MAX);
        self.first.saturating_mul(doubled).min(self.longest).max(self.first)
    }
}

impl Settings {
    /// How much may wait.
    pub(crate) fn limit(&self) -> Limit {
        Limit { count: self.qsize.get(), bytes: self.qsize_bytes.get() }
    }

    /// How long nothing is sent to a member who was not there.
    pub(crate) fn pauses(&self) -> Pauses {
        Pauses { first: self.transtimer, longest: self.max_pause }
    }

    /// How long the oldest copy under way may have no answer before no other follows it.
    pub(crate) fn patience(&self) -> Duration {
        self.transtimer / 5
    }

    /// How many messages a new member is told: no more than can wait for it.
    pub(crate) fn on_join(&self) -> usize {
        if self.history.keep { self.history.on_join.min(self.qsize.get()) } else { 0 }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            qsize: const { NonZeroUsize::new(1024).unwrap() },
            qsize_bytes: const { NonZeroUsize::new(4 << 20).unwrap() },
            transtimer: Duration::from_secs(5),
            max_pause: Duration::from_secs(60),
            members: const { NonZeroUsize::new(10_000).unwrap() },
            rooms: const { NonZeroUsize::new(100_000).unwrap() },
            memberships: const { NonZeroUsize::new(1000).unwrap() },
            all_memberships: const { NonZeroUsize::new(1_000_000).unwrap() },
            identity: Identity::default(),
            history: History::default(),
        }
    }
}

impl Default for History {
    fn default() -> Self {
        Self { keep: true, on_join: 0 }
    }
}
