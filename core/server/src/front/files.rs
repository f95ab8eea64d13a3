//! Open files: how many the process may have, and how many of them clients may take.

use rustix::process::{Resource, getrlimit};

use super::Side;

/// So many are left to the rest, at least: ports, threads, logs, callers of the API side, and clients that are told no.
const LEAST: usize = 40;

/// More are not needed.
const MOST: usize = 512;

/// How many connections of clients there is room for. It may be changed from outside (`prlimit`), so it is asked each time.
pub(super) fn room() -> usize {
    limit().map_or(usize::MAX, |limit| limit.saturating_sub(rest(limit)))
}

/// How many callers of the API side there is room for.
pub(super) fn room_for_callers() -> usize {
    limit().map_or(MOST, rest) / 4
}

/// How many may be connected to a side at once only to be told no.
pub(super) fn room_to_refuse(side: Side) -> usize {
    let rest = limit().map_or(MOST, rest);
    match side {
        Side::Rtc => rest / 2,
        Side::Api => rest / 8,
    }
}

/// What clients leave of so many.
fn rest(limit: usize) -> usize {
    (limit / 8).clamp(LEAST, MOST)
}

/// None: as many as it likes.
fn limit() -> Option<usize> {
    getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_take_most() {
        assert_eq!([20, 100, 1024, 20_000].map(|limit| limit - rest(limit).min(limit)), [0, 60, 896, 19_488]);
        let others = [room_for_callers(), room_to_refuse(Side::Rtc), room_to_refuse(Side::Api)];
        assert!(others.iter().sum::<usize>() <= limit().map_or(MOST, rest) / 8 * 7);
    }
}
