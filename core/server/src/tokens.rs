//! Tokens of users who are signed in, for HTTP calls. None is kept: what a token says is sealed with a key that nobody else has and
//! that lives as long as the process. So after a restart all are void, and clients get new ones when they come again.
//!
//! ```text
//! token = base64url( end: u64, milliseconds after the key was made | user | HMAC-SHA256 of both )
//! ```

use std::time::Duration;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::time::Instant;

/// Bytes of the time.
const END: usize = 8;

/// Bytes of the seal.
const SEAL: usize = 32;

/// Makes and reads them.
#[derive(Debug)]
pub(crate) struct Tokens {
    key: hmac::Key,
    made: Instant,
}

impl Tokens {
    pub(crate) fn new(now: Instant) -> Self {
        let secret: [u8; SEAL] = rand::random();
        Self { key: hmac::Key::new(HMAC_SHA256, &secret), made: now }
    }

    /// One that is good for so long from now on.
    pub(crate) fn make(&self, user: &str, now: Instant, lifetime: Duration) -> String {
        let end = self.milliseconds(now + lifetime);
        let mut token = [&end.to_be_bytes()[..], user.as_bytes()].concat();
        let seal = hmac::sign(&self.key, &token);
        token.extend_from_slice(seal.as_ref());
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Whose it is; `None` if it is not one of these, or too old.
    pub(crate) fn user(&self, token: &str, now: Instant) -> Option<String> {
        let token = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (sealed, seal) = token.split_at_checked(token.len().checked_sub(SEAL)?)?;
        hmac::verify(&self.key, sealed, seal).ok()?;
        let (end, user) = sealed.split_at_checked(END)?;
        let end = u64::from_be_bytes(end.try_into().ok()?);
        let user = std::str::from_utf8(user).ok()?;
        (self.milliseconds(now) < end).then(|| user.to_owned())
    }

    fn milliseconds(&self, time: Instant) -> u64 {
        // 584 million years.
        u64::try_from(time.saturating_duration_since(self.made).as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(600);

    #[test]
    fn a_token_tells_its_user_until_it_is_too_old() {
        let now = Instant::now();
        let tokens = Tokens::new(now);
        for user in ["alice@example.com", "a", "é ü", &"x".repeat(1000)] {
            let token = tokens.make(user, now + LIFETIME, LIFETIME);
            assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
            let last = now + 2 * LIFETIME - Duration::from_millis(1);
            for time in [now, now + LIFETIME, last] {
                assert_eq!(tokens.user(&token, time).as_deref(), Some(user));
            }
            assert_eq!(tokens.user(&token, now + 2 * LIFETIME), None);
        }
    }

    #[test]
    fn none_is_made_by_others() {
        let now = Instant::now();
        let tokens = Tokens::new(now);
        let token = tokens.make("alice@a", now, LIFETIME);
        assert_eq!(Tokens::new(now).user(&token, now), None);
        for bad in ["", "x", "alice@a", "AAAA", &token[1..], &token[..token.len() - 1], &format!("{token}A")]
        {
            assert_eq!(tokens.user(bad, now), None, "{bad}");
        }
        // Each bit counts.
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(tokens.user(&URL_SAFE_NO_PAD.encode(forged), now), None, "bit {bit}");
        }
        // What was sealed stands where it stood: no time becomes a part of a name.
        let shifted = [&bytes[1..], &bytes[..1]].concat();
        assert_eq!(tokens.user(&URL_SAFE_NO_PAD.encode(shifted), now), None);
    }
}
