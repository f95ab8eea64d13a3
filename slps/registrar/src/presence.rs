use rtcd_sdk::api_prelude::{ToSchema, utoipa};
use rtcd_sdk::jsip::Headers;
use rtcd_sdk::serde::{Deserialize, Serialize};
use rtcd_sdk::tracing::error;

use crate::contacts::Contact;

/// Whether somebody wants to be reached: one device, or a user by all its devices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(crate = "rtcd_sdk::serde", rename_all = "lowercase")]
pub enum Presence {
    /// Reachable, and glad to be.
    #[default]
    Online,
    /// Reachable, and occupied.
    Busy,
    /// Not there.
    Away,
}

impl Presence {
    /// Of a user with these devices: who is busy on one of them is busy; who is on none is away.
    pub fn of(devices: impl IntoIterator<Item = Self>) -> Self {
        devices.into_iter().fold(Self::Away, |user, device| match (user, device) {
            (Self::Busy, _) | (_, Self::Busy) => Self::Busy,
            (Self::Online, _) | (_, Self::Online) => Self::Online,
            (Self::Away, Self::Away) => Self::Away,
        })
    }
}

/// What a NOTIFY tells of a user: its headers, of which there is the body alone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Document(pub(crate) Headers);

/// The body of a NOTIFY.
#[derive(Serialize)]
#[serde(crate = "rtcd_sdk::serde")]
struct Body<'a> {
    user: &'a str,
    state: Presence,
    devices: Vec<Device<'a>>,
}

#[derive(Serialize)]
#[serde(crate = "rtcd_sdk::serde")]
struct Device<'a> {
    device: Option<&'a str>,
    state: Presence,
}

impl Document {
    pub(crate) fn new(user: &str, contacts: &[Contact]) -> Self {
        let state = Presence::of(contacts.iter().map(|contact| contact.presence));
        let devices = contacts
            .iter()
            .map(|Contact { peer, presence, .. }| Device { device: peer.device(), state: *presence });
        let mut headers = Headers::default();
        if let Err(error) = headers.set_json("Body", &Body { user, state, devices: devices.collect() }) {
            error!(user, %error, "a presence cannot be written");
        }
        Self(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_user() {
        use Presence::{Away, Busy, Online};
        let table: [(&[Presence], Presence); 9] = [
            (&[], Away),
            (&[Away], Away),
            (&[Online], Online),
            (&[Busy], Busy),
            (&[Away, Online], Online),
            (&[Online, Away, Away], Online),
            (&[Online, Busy], Busy),
            (&[Busy, Away], Busy),
            (&[Away, Online, Busy], Busy),
        ];
        for (devices, user) in table {
            assert_eq!(Presence::of(devices.iter().copied()), user, "{devices:?}");
        }
    }
}
