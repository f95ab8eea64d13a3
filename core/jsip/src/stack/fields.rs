//! The two header fields that the stack reads: `Expire` and `Max-Forwards`.

use std::time::Duration;

use crate::{Headers, Request};

/// `Expire`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Expire {
    Absent,
    /// Not a number.
    Bad,
    Seconds(f64),
}

pub(super) fn expire(headers: &Headers) -> Expire {
    match headers.raw("Expire") {
        None => Expire::Absent,
        // The text is JSON, so what does not parse is no number: `true`, a string, a list.
        Some(raw) => match raw.parse::<f64>() {
            Ok(seconds) if raw.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
                Expire::Seconds(seconds)
            }
            Ok(_) | Err(_) => Expire::Bad,
        },
    }
}

/// Seconds as far as a timer goes.
pub(super) fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)
}

/// What `Max-Forwards` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hops {
    Absent,
    /// Not an integer.
    Bad,
    /// None left.
    None,
    /// One was taken.
    Left,
}

/// Counts this server.
pub(super) fn take_hop(request: &mut Request) -> Hops {
    let Some(raw) = request.headers.raw("Max-Forwards") else { return Hops::Absent };
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Hops::Bad;
    }
    if digits.len() < raw.len() || digits.bytes().all(|byte| byte == b'0') {
        return Hops::None;
    }
    // What is beyond all counting stays beyond it.
    let left = raw.parse::<u64>().map_or(u64::MAX, |hops| hops - 1);
    request.headers.set_number("Max-Forwards", left);
    Hops::Left
}
