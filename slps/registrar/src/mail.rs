use std::time::Duration;

use rtcd_sdk::jsip::{ByteString, StatusCode};
use rtcd_sdk::{NoAnswer, Peer, Reply};

use crate::presence::Presence;

/// What the service task is asked.
#[derive(Debug)]
pub(crate) enum Mail {
    /// Tell a peer of a user's presence from now on, or for longer.
    Subscribe { peer: Peer, user: ByteString, expire: Duration, reply: Reply<Result<WatchId, Refusal>> },
    /// Tell it no more.
    Unsubscribe { peer: Peer, user: ByteString, reply: Reply<()> },
    /// The subscriber has its answer.
    Answered(WatchId),
    /// Contacts have changed: which ones is told apart.
    Changed,
    /// Names of users with a contact, sorted: those after this one, so many at most.
    Users { after: String, limit: usize, reply: Reply<Vec<ByteString>> },
    /// The contacts of a user.
    Contacts { user: ByteString, reply: Reply<Vec<Seen>> },
    /// A contact is none any more: one, or all of the user. Whether there was one.
    Remove { user: ByteString, device: Option<ByteString>, reply: Reply<bool> },
}

/// A contact as an operator sees it.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) peer: Peer,
    pub(crate) presence: Presence,
    /// For how long it is registered.
    pub(crate) left: Duration,
}

/// One subscription. Never used again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct WatchId(pub(crate) u64);

/// Why a request is refused; the text is its `Reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("From and To: must be the user of this connection")]
    NotYourself,
    #[error("From: must be the user of this connection")]
    NotYours,
    #[error("To: must be a user")]
    Nobody,
    #[error("{0}: longer than 256 bytes")]
    TooLong(&'static str),
    #[error("Expire: must be a number")]
    BadExpire,
    #[error("Presence: must be online, busy or away")]
    BadPresence,
    #[error("Event: must be presence")]
    BadEvent,
    #[error("Too many devices")]
    TooManyContacts,
    #[error("Too many users")]
    TooManyUsers,
    #[error("Too many subscriptions")]
    TooManyWatches,
    #[error("Too many requests")]
    Busy,
    #[error("The registrar gave no answer")]
    NoAnswer,
    #[error("Failed")]
    Failed,
    #[error("Only REGISTER and SUBSCRIBE")]
    Unexpected,
}

impl Refusal {
    pub(crate) fn code(self) -> StatusCode {
        match self {
            Self::NotYourself | Self::NotYours => StatusCode::FORBIDDEN,
            Self::Nobody | Self::TooLong(_) | Self::BadExpire | Self::BadPresence | Self::BadEvent => {
                StatusCode::BAD_REQUEST
            }
            Self::TooManyContacts
            | Self::TooManyUsers
            | Self::TooManyWatches
            | Self::Busy
            | Self::NoAnswer => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unexpected => StatusCode::METHOD_NOT_ALLOWED,
        }
    }
}

impl From<NoAnswer> for Refusal {
    fn from(problem: NoAnswer) -> Self {
        match problem {
            NoAnswer::Busy => Self::Busy,
            // As when the server stops: the client asks again.
            _ => Self::NoAnswer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_nobody_answers_is_asked_again() {
        assert_eq!(Refusal::from(NoAnswer::Dropped).code(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
