use bytestring::ByteString;

use super::DialogKey;
use crate::{Message, StatusCode};

/// What the stack wants done. `T` is the driver's tag of a dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output<T> {
    /// One text frame, for the socket that is attached now.
    Transmit(ByteString),
    /// A ping whose payload is this number in decimal: how many frames were sent on this socket before it.
    Ping(u64),
    /// A message for the application.
    Deliver {
        /// The dialog it belongs to.
        dialog: DialogKey,
        /// The tag that the dialog had when the message came. `None`: nobody is bound, and the request has to be dispatched:
        /// bind the dialog, or answer the request and release the dialog.
        tag: Option<T>,
        /// The message.
        message: Message,
    },
    /// The dialog's session and all its transactions have ended: the last that is heard of it. Only for a dialog with a tag.
    DialogEnded {
        /// The dialog. The key is dead from here on.
        dialog: DialogKey,
        /// Its tag.
        tag: T,
    },
    /// The socket has to be closed. The stack takes it for lost from here on: frames that still come are ignored.
    Close(CloseReason),
}

/// Why the stack gives a socket up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// Too many bad frames in a row; close code 1008.
    TooManyBadFrames,
    /// No sign of life for [`dead_after`](super::StackConfig::dead_after).
    Silent,
}

/// How a socket went away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detach {
    /// The client closed it with code 1000, 1001 or none: it has read all that was written.
    Clean,
    /// It broke, was replaced, or closed in another way.
    Lost,
}

/// Why an application leaves a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// It is done: requests that it did not answer are left to their timers, an answered session gets a BYE, an own INVITE
    /// without final response a CANCEL.
    Finished,
    /// It failed: open requests are answered 500 as well.
    Failed,
    /// The server goes down: open requests are answered 503 as well.
    Stopping,
}

impl Release {
    /// What requests that the application did not answer get now.
    pub(super) fn code(self) -> Option<StatusCode> {
        match self {
            Self::Finished => None,
            Self::Failed => Some(StatusCode::INTERNAL_SERVER_ERROR),
            Self::Stopping => Some(StatusCode::SERVICE_UNAVAILABLE),
        }
    }
}

/// One of the two sides that a stack stands between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The client, or the other server.
    Peer,
    /// What the messages are delivered to.
    Application,
}

impl Side {
    /// Its name in listings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Application => "application",
        }
    }
}
