use std::time::Duration;

use rtcd_sdk::jsip::{ByteString, Headers, Request, StatusCode};
use rtcd_sdk::{NoAnswer, Peer, Reply};
use rtcd_store::{Appended, NewMessage, StoreError};

use crate::held::Held;
use crate::room::Place;

/// What the rooms are asked.
#[derive(Debug)]
pub(crate) enum Mail {
    /// Become a member, or stay one for longer. A new one that is to be told what was said before waits for it, in this place.
    Join { join: Join, reply: Reply<Result<Option<Place>, Refusal>> },
    /// What was said before, oldest first.
    Recalled { place: Place, posts: Vec<Post> },
    /// Be a member no more.
    Leave { room: ByteString, user: ByteString, reply: Reply<Result<(), Refusal>> },
    /// Say something: it is accepted, and handed out when the sender has its answer. What is to be kept is kept before.
    Post {
        room: ByteString,
        user: ByteString,
        post: Post,
        keep: Option<Box<NewMessage>>,
        reply: Reply<Result<Accepted, Refusal>>,
    },
    /// Something that a room holds back is decided. If this is lost, the room finds out in a moment.
    Decided { room: ByteString },
    /// Names of all rooms, sorted.
    Rooms { reply: Reply<Vec<ByteString>> },
    /// Members of a room with their nicknames, in the order in which they joined.
    Members { room: ByteString, reply: Reply<Result<Vec<(ByteString, ByteString)>, Refusal>> },
    /// Whether a user is a member of a room, with whatever device.
    IsMember { room: ByteString, user: ByteString, reply: Reply<bool> },
}

/// Who wants to be a member, of which room. The names have 256 bytes at most.
#[derive(Debug)]
pub(crate) struct Join {
    pub(crate) room: ByteString,
    pub(crate) user: ByteString,
    pub(crate) nickname: ByteString,
    /// The connection that says so, if it is none of another server.
    pub(crate) by: Option<Peer>,
    pub(crate) expire: Duration,
}

/// A message that a room has accepted.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// Until the sender has its answer.
    pub(crate) held: Held,
    /// If it is kept.
    pub(crate) kept: Option<Appended>,
}

/// The number of a message in its room.
pub(crate) type Number = u64;

/// What all copies of a message have in common. They share it.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) from: ByteString,
    pub(crate) to: ByteString,
    pub(crate) router: Option<ByteString>,
    pub(crate) headers: Headers,
}

impl Post {
    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        let texts = [&self.from, &self.to].into_iter().chain(&self.router);
        size_of::<Self>()
            + texts.map(|text| text.len()).sum::<usize>()
            + self.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
    }

    /// A MESSAGE without From cannot be passed on.
    pub(crate) fn of(request: &Request) -> Result<Self, Refusal> {
        if request.from.is_empty() {
            return Err(Refusal::Unexpected);
        }
        let mut request = request.clone();
        request.drop_first_route();
        let Request { from, to, router, headers, .. } = request;
        Ok(Self { from, to, router, headers })
    }
}

/// Why a request is refused; the text is its `Reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("No Expire")]
    NoExpire,
    #[error("No P-Asserted-Identity")]
    NoIdentity,
    #[error("P-Asserted-Identity is not the user of this connection")]
    NotYou,
    #[error("Room Not Exist")]
    NoRoom,
    #[error("User Not Exist")]
    NoUser,
    #[error("{0}: longer than 256 bytes")]
    LongName(&'static str),
    #[error("The message is too long to be passed on")]
    LongMessage,
    #[error("Unexpected msg")]
    Unexpected,
    #[error("Too many members")]
    TooManyMembers,
    #[error("Too many rooms")]
    TooManyRooms,
    #[error("Too many memberships")]
    TooManyMemberships,
    #[error("Too many requests")]
    Busy,
    #[error("The message cannot be kept now")]
    NotKept,
    #[error("The rooms gave no answer")]
    NoAnswer,
}

impl Refusal {
    pub(crate) fn code(self) -> StatusCode {
        match self {
            Self::NoExpire | Self::NoIdentity | Self::LongName(_) | Self::Unexpected => {
                StatusCode::BAD_REQUEST
            }
            Self::LongMessage => StatusCode::MESSAGE_TOO_LARGE,
            Self::NotYou => StatusCode::FORBIDDEN,
            Self::NoRoom | Self::NoUser => StatusCode::NOT_FOUND,
            Self::TooManyMembers
            | Self::TooManyRooms
            | Self::TooManyMemberships
            | Self::Busy
            | Self::NotKept
            | Self::NoAnswer => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl From<NoAnswer> for Refusal {
    fn from(problem: NoAnswer) -> Self {
        match problem {
            NoAnswer::Busy => Self::Busy,
            // Nothing was done: the server stops, or the rooms have failed.
            _ => Self::NoAnswer,
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(problem: StoreError) -> Self {
        match problem {
            StoreError::Busy => Self::Busy,
            _ => Self::NotKept,
        }
    }
}
