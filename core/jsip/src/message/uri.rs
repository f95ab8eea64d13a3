use std::fmt;

use smallvec::SmallVec;

/// A URI: `[user@]host[:port][;key=value][;key]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uri<'a> {
    user: Option<&'a str>,
    host: &'a str,
    port: Option<u16>,
    params: SmallVec<[(&'a str, Option<&'a str>); 2]>,
}

/// Why a text is no URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// There is nothing before the port or the parameters.
    #[error("has no host")]
    NoHost,
    /// Nothing stands before `@`.
    #[error("has no user before @")]
    NoUser,
    /// More than one `@`.
    #[error("has more than one @")]
    TwoAts,
    /// A blank, a control character or a bracket in the host.
    #[error("has a host with a character that hosts do not have")]
    BadHost,
    /// Not a number from 0 to 65535.
    #[error("has a port that is not 0 to 65535")]
    BadPort,
}

impl<'a> Uri<'a> {
    /// Reads a URI; blanks around it are trimmed, empty parameters skipped.
    ///
    /// # Errors
    /// See [`UriError`].
    pub fn parse(text: &'a str) -> Result<Self, UriError> {
        let text = trim(text);
        if text.bytes().filter(|byte| *byte == b'@').count() > 1 {
            return Err(UriError::TwoAts);
        }
        let (address, params) =
            split(text, b';').map_or((text, None), |(address, rest)| (address, Some(rest)));
        let (user, place) = match split(address, b'@') {
            Some(("", _)) => return Err(UriError::NoUser),
            Some((user, place)) => (Some(user), place),
            None => (None, address),
        };
        let (host, port) = split_port(trim(place))?;
        Ok(Self {
            user: user.map(trim),
            host,
            port,
            params: params.into_iter().flat_map(|params| params.split(';')).filter_map(param).collect(),
        })
    }

    /// What stands before `@`.
    pub fn user(&self) -> Option<&'a str> {
        self.user
    }

    /// The host; one of IPv6 with its brackets.
    pub fn host(&self) -> &'a str {
        self.host
    }

    /// The part of the host before its first dot.
    pub fn first_label(&self) -> &'a str {
        self.host.split('.').next().unwrap_or_default()
    }

    /// The port.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The value of a parameter; empty for a parameter without one.
    pub fn param(&self, key: &str) -> Option<&'a str> {
        self.params.iter().find(|(name, _)| *name == key).map(|(_, value)| value.unwrap_or_default())
    }

    /// Parameters in order.
    pub fn params(&self) -> &[(&'a str, Option<&'a str>)] {
        &self.params
    }

    /// `user@host`, or the host alone: the name of a peer.
    pub fn address(&self) -> String {
        match self.user {
            Some(user) => format!("{user}@{}", self.host),
            None => self.host.to_owned(),
        }
    }
}

impl fmt::Display for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = self.user {
            write!(f, "{user}@")?;
        }
        f.write_str(self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        for (key, value) in &self.params {
            write!(f, ";{key}")?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}

/// What `str::trim` does, at once for a text that has no blanks around it.
fn trim(text: &str) -> &str {
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(first), Some(last)) if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

/// What `str::split_once` does with an ASCII character; for texts as short as these a plain loop is quicker.
fn split(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = text.bytes().position(|byte| byte == at)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

fn split_port(place: &str) -> Result<(&str, Option<u16>), UriError> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']').ok_or(UriError::BadHost)?;
            let (inner, after) = rest.split_at(end);
            if inner.is_empty()
                || !inner.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '.' | '%'))
            {
                return Err(UriError::BadHost);
            }
            // `end` lies in `rest`, which begins one byte after the bracket; the closing one adds another.
            let (host, _) = place.split_at(end + 2);
            match after.strip_prefix(']').unwrap_or_default() {
                "" => (host, None),
                tail => (host, Some(tail.strip_prefix(':').ok_or(UriError::BadHost)?)),
            }
        }
        None => match split(place, b':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    if host.is_empty() {
        return Err(UriError::NoHost);
    }
    if !host.starts_with('[')
        && !host.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'[' && byte != b']')
        && host.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '[' | ']'))
    {
        return Err(UriError::BadHost);
    }
    let port = port
        .map(|port| match port.bytes().all(|byte| byte.is_ascii_digit()) {
            true => port.parse().map_err(|_| UriError::BadPort),
            false => Err(UriError::BadPort),
        })
        .transpose()?;
    Ok((host, port))
}

fn param(text: &str) -> Option<(&str, Option<&str>)> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key.trim(), Some(value.trim())),
        None => (text.trim(), None),
    };
    (!key.is_empty()).then_some((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_ones_read_back() {
        for (text, user, host, port) in [
            ("room:888@rtc.test.com", Some("room:888"), "rtc.test.com", None),
            ("rtc_1.test.com:8080", None, "rtc_1.test.com", Some(8080)),
            ("Recv_MESSAGE", None, "Recv_MESSAGE", None),
            ("a@[2001:db8::1]:65535", Some("a"), "[2001:db8::1]", Some(65535)),
            ("[::1]", None, "[::1]", None),
            ("a@b;type=chat;lr;relid=rel+1", Some("a"), "b", None),
        ] {
            let uri = Uri::parse(text).unwrap();
            assert_eq!((uri.user(), uri.host(), uri.port()), (user, host, port), "{text}");
            assert_eq!(uri.to_string(), text);
        }
    }

    #[test]
    fn blanks_and_empty_parameters() {
        let uri = Uri::parse("  a@b.c ;; type = chat ;;lr; ").unwrap();
        assert_eq!(uri.to_string(), "a@b.c;type=chat;lr");
        assert_eq!((uri.param("type"), uri.param("lr"), uri.param("x")), (Some("chat"), Some(""), None));
        assert_eq!(uri.first_label(), "b");
        assert_eq!(uri.address(), "a@b.c");
    }

    #[test]
    fn bad_ones_say_why() {
        let mut table = String::new();
        for text in [
            "",
            "  ",
            ";type=a",
            "@host",
            "a@",
            "a@b@c",
            "a@b:",
            "a@b:x",
            "a@b:65536",
            "a@b:+1",
            "a b",
            "a@[::1",
            "a@[]",
            "a@[::1]x",
            "a@[zz]",
            ":80",
        ] {
            table += &format!("{text:?} {}\n", Uri::parse(text).unwrap_err());
        }
        insta::assert_snapshot!(table);
    }
}
