//! The session timer.
//!
//! | session | what happens |
//! |---|---|
//! | received | no UPDATE and no re-INVITE of the peer within `Expire`: both sides get a BYE |
//! | sent | every `Expire` / 3 the stack sends an UPDATE; a 200 resets the misses; after three misses the next tick is a BYE to both |

use std::time::{Duration, Instant};

use crate::stack::Side;

/// After how many UPDATEs without a 200 a sent session is given up.
const MISSES: u8 = 3;

#[derive(Debug, Clone, Copy)]
pub(super) enum Refresh {
    /// The peer refreshes.
    Expect { expire: Duration, by: Instant },
    /// The stack does.
    Send { expire: Duration, next: Instant, misses: u8 },
}

/// What a tick of the session timer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tick {
    /// It is too early.
    Nothing,
    /// Send an UPDATE.
    Update,
    /// End the session.
    End,
}

impl Refresh {
    pub(super) fn new(inviter: Side, expire: Duration, now: Instant) -> Self {
        match inviter {
            Side::Peer => Self::Expect { expire, by: now + expire },
            Side::Application => Self::Send { expire, next: now + expire / 3, misses: 0 },
        }
    }

    /// The peer showed, or the application, by a re-INVITE, that the session goes on.
    pub(super) fn restarted(self, now: Instant) -> Self {
        match self {
            Self::Expect { expire, .. } => Self::Expect { expire, by: now + expire },
            Self::Send { expire, .. } => Self::Send { expire, next: now + expire / 3, misses: 0 },
        }
    }

    /// An UPDATE of the peer: it refreshes a received session alone.
    pub(super) fn kept_alive(self, now: Instant) -> Self {
        match self {
            Self::Expect { .. } => self.restarted(now),
            Self::Send { .. } => self,
        }
    }

    /// A 200 to an UPDATE.
    pub(super) fn answered(self) -> Self {
        match self {
            Self::Expect { .. } => self,
            Self::Send { expire, next, .. } => Self::Send { expire, next, misses: 0 },
        }
    }

    pub(super) fn deadline(self) -> Instant {
        match self {
            Self::Expect { by, .. } => by,
            Self::Send { next, .. } => next,
        }
    }

    pub(super) fn tick(self, now: Instant) -> (Self, Tick) {
        if self.deadline() > now {
            return (self, Tick::Nothing);
        }
        match self {
            Self::Send { expire, misses, .. } if misses < MISSES => {
                (Self::Send { expire, next: now + expire / 3, misses: misses + 1 }, Tick::Update)
            }
            Self::Send { .. } | Self::Expect { .. } => (self, Tick::End),
        }
    }
}
