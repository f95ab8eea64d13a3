use std::fmt;
use std::sync::Arc;

use jsip::ByteString;

/// A user's connection point: the user, and the device if it has told one (`?userid=a@b&device=phone`). Each has one socket at a time and
/// dialogs of its own. A copy is cheap.
///
/// Its URI, `a@b` or `a@b;device=phone`, is where [`Cx::open`](crate::Cx::open) reaches it. A URI without a device reaches the
/// user's peer that has none, or else the device that came last.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Peer {
    /// The URI. That a user's name can look like another one's URI does not make them equal: the length tells them apart.
    uri: Arc<str>,
    user: usize,
}

const DEVICE: &str = ";device=";

impl Peer {
    /// The peer of a user, or of one of its devices.
    pub fn new(user: &str, device: Option<&str>) -> Self {
        let uri = match device {
            Some(device) => Arc::from([user, DEVICE, device].concat()),
            None => Arc::from(user),
        };
        Self { uri, user: user.len() }
    }

    /// The user.
    pub fn user(&self) -> &str {
        self.uri.get(..self.user).unwrap_or_default()
    }

    /// The device, if it has told one.
    pub fn device(&self) -> Option<&str> {
        self.uri.get(self.user + DEVICE.len()..)
    }

    /// What a request's Request-URI or `Router` must be to reach it.
    pub fn uri(&self) -> ByteString {
        ByteString::from(&*self.uri)
    }

    /// [`uri`](Self::uri), as it is.
    pub fn as_str(&self) -> &str {
        &self.uri
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri)
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.uri, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_device_are_told_apart() {
        let (alone, phone) = (Peer::new("a@b", None), Peer::new("a@b", Some("phone")));
        assert_eq!((alone.user(), alone.device(), alone.as_str()), ("a@b", None, "a@b"));
        assert_eq!(
            (phone.user(), phone.device(), phone.as_str()),
            ("a@b", Some("phone"), "a@b;device=phone")
        );
        assert_ne!(Peer::new("a@b;device=phone", None), phone);
        assert_eq!(Peer::new("a@b", Some("phone")), phone);
    }
}
