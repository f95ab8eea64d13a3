use rtcd_sdk::jsip::StatusCode;
use rtcd_sdk::{NoAnswer, Peer, Reply};
use rtcd_store::StoreError;

use crate::post::Post;
use crate::room::Part;

/// What the courier is told.
#[derive(Debug)]
pub(crate) enum Mail {
    /// A user sends a message.
    Post {
        /// The message.
        post: Box<Post>,
        /// What it takes of the room for messages.
        room: Part,
        /// The device that sends it. `None` if it came from another server.
        own: Option<Peer>,
        /// What became of it.
        reply: Reply<Result<Accepted, Refusal>>,
    },
    /// There are notes to be read.
    Look,
}

/// What became of a message that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// A device of the receiver has it.
    Delivered,
    /// It is stored, with this date.
    Stored {
        /// Milliseconds since 1970; of a repeat, when the first one came.
        date: u64,
    },
}

/// Why a request is refused; the text is its `Reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("Only MESSAGE")]
    Method,
    #[error("From is not the user of this connection")]
    NotYou,
    #[error("To is no user")]
    NoReceiver,
    #[error("Message-ID is not a text of 1 to 64 characters")]
    BadId,
    #[error("The body of a receipt is {{\"read\":[…]}}, with 1 to 1000 ids")]
    BadReceipt,
    #[error("The message is too long to be passed on")]
    TooLong,
    #[error("Mailbox full")]
    Full,
    #[error("Too many of your messages wait there")]
    Share,
    #[error("Too many of your messages wait")]
    Waiting,
    #[error("Too many messages")]
    Busy,
    #[error("Messages cannot be stored now")]
    NoStore,
    #[error("It is not known what became of it")]
    Unknown,
}

impl Refusal {
    pub(crate) fn code(self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotYou => StatusCode::FORBIDDEN,
            Self::TooLong => StatusCode::MESSAGE_TOO_LARGE,
            Self::NoReceiver | Self::BadId | Self::BadReceipt => StatusCode::BAD_REQUEST,
            Self::Full | Self::Share | Self::Waiting | Self::Busy | Self::NoStore | Self::Unknown => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }
}

impl From<NoAnswer> for Refusal {
    fn from(problem: NoAnswer) -> Self {
        match problem {
            NoAnswer::Busy => Self::Busy,
            // The courier ended before it had decided, as the server stops: the sender sends it again.
            _ => Self::Unknown,
        }
    }
}

impl From<&StoreError> for Refusal {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Busy => Self::Busy,
            StoreError::TooMuch => Self::Waiting,
            _ => Self::NoStore,
        }
    }
}
