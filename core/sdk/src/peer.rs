use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use jsip::{ByteString, Uri};

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
const BOM: char = '\u{feff}';

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

    /// Whether a `From` or `To` names its user; parameters do not count.
    ///
    /// Nothing names a user whose name is read as another one's, such as `a@b;x=1`: what it sends would be shown as `a@b`'s, and what is
    /// sent to it would reach `a@b`. So with each peer that its own URI does not lead to.
    pub fn is_named_by(&self, field: &str) -> bool {
        let leads_here = match Uri::parse(&self.uri) {
            Ok(own) => own.address() == self.user() && own.param("device") == self.device(),
            // It is one name; but who reads it may look for parameters first, and take `a@b;c@d` for `a@b`.
            Err(_) => self.device().is_none() && !self.user().contains(';'),
        };
        // Browsers trim it, and show nothing of it.
        let leads_here = leads_here && !self.user().starts_with(BOM) && !self.user().ends_with(BOM);
        leads_here && user_in(field) == self.user()
    }
}

/// The user that a `From`, `To` or Request-URI names: the address of the URI, without its parameters; any other text is a name.
pub fn user_in(field: &str) -> Cow<'_, str> {
    match Uri::parse(field) {
        Ok(uri) => Cow::Owned(uri.address()),
        Err(_) => Cow::Borrowed(field.trim()),
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

    #[test]
    fn named() {
        for (user, device, fields) in [
            ("a@b", None, &["a@b", " a@b ", "a@b;x=1", "a@b:80", "a@b;device=phone"][..]),
            ("a@b", Some("phone"), &["a@b", "a@b;device=desk"]),
            ("Al Bell@b", Some("phone"), &["Al Bell@b", "Al Bell @ b"]),
            ("Al the great", None, &["Al the great", " Al the great\t"]),
            ("a@b@c", None, &["a@b@c"]),
        ] {
            let peer = Peer::new(user, device);
            assert!(fields.iter().all(|field| peer.is_named_by(field)), "{peer}");
            assert!(!["", "b", "A@b", "c@b", "a@c"].iter().any(|field| peer.is_named_by(field)), "{peer}");
        }
    }

    #[test]
    fn who_looks_like_another_one_is_not_named() {
        for (user, device) in [
            ("a@b;x=1", None),
            ("a@b;device=phone", None),
            ("a@b;x=1", Some("phone")),
            ("a@b;device=desk", Some("phone")),
            ("a@b:80", None),
            (" a@b", None),
            ("a@b\u{a0}", None),
            ("a @b", None),
            ("a@b@c ", None),
            ("Al; the great", None),
            ("a@b;c@d", None),
            ("a@b@c;x=1", None),
            ("\u{feff}a@b", None),
            ("a@b\u{feff}", None),
            // Its URI is the name of another user, who has no device.
            ("Al the great", Some("phone")),
            ("a@b@c", Some("phone")),
        ] {
            let peer = Peer::new(user, device);
            for field in [user, user.trim(), peer.as_str(), "a@b", "a@b;x=1", "Al"] {
                assert!(!peer.is_named_by(field), "{peer} by {field}");
            }
        }
    }
}
