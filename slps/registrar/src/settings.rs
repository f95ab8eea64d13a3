use std::num::NonZeroUsize;
use std::time::Duration;

use rtcd_sdk::humantime_serde;
use rtcd_sdk::serde::{Deserialize, Deserializer, de::Error as _};

use crate::contacts::Limits;

/// `conf/registrar.yaml`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(crate = "rtcd_sdk::serde", deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// For how long a REGISTER or SUBSCRIBE without `Expire` is good.
    #[serde(deserialize_with = "some_time")]
    pub(crate) expire: Duration,
    /// For how long one with `Expire` is good at most.
    #[serde(deserialize_with = "some_time")]
    pub(crate) max_expire: Duration,
    /// Devices of one user.
    pub(crate) contacts: NonZeroUsize,
    /// Users that are registered.
    pub(crate) users: NonZeroUsize,
    /// Subscriptions of one device.
    pub(crate) subscriptions: NonZeroUsize,
    /// Subscriptions of one user, with all devices.
    pub(crate) user_subscriptions: NonZeroUsize,
    /// Subscriptions of all devices.
    pub(crate) all_subscriptions: NonZeroUsize,
    /// After how long a NOTIFY without an answer is tried again; each further time it is twice as long.
    #[serde(with = "humantime_serde")]
    pub(crate) pause: Duration,
    /// No longer than this.
    #[serde(with = "humantime_serde")]
    pub(crate) max_pause: Duration,
}

impl Settings {
    pub(crate) fn limits(&self) -> Limits {
        Limits { users: self.users.get(), contacts_per_user: self.contacts.get() }
    }

    /// How long to wait before the next try, after so many that failed.
    pub(crate) fn pause(&self, misses: u32) -> Duration {
        let doubled = 1u32.checked_shl(misses.saturating_sub(1)).unwrap_or(u32::MAX);
        self.pause.saturating_mul(doubled).min(self.max_pause)
    }
}

/// Seconds are what answers tell; with 0 nobody could register.
fn some_time<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    let time: Duration = humantime_serde::deserialize(input)?;
    if time < Duration::from_secs(1) {
        Err(D::Error::custom("expire and max_expire: 1s is the least"))
    } else {
        Ok(time)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            expire: Duration::from_secs(60),
            max_expire: Duration::from_hours(1),
            contacts: const { NonZeroUsize::new(16).unwrap() },
            users: const { NonZeroUsize::new(1_000_000).unwrap() },
            subscriptions: const { NonZeroUsize::new(1000).unwrap() },
            user_subscriptions: const { NonZeroUsize::new(4000).unwrap() },
            all_subscriptions: const { NonZeroUsize::new(1_000_000).unwrap() },
            pause: Duration::from_secs(5),
            max_pause: Duration::from_secs(60),
        }
    }
}
