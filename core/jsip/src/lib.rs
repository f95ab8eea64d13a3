//! JSIP (SIP in JSON): the messages, and the protocol state of one peer.
//!
//! This crate does no I/O, reads no clock and draws no random numbers: time and seeds are arguments.
//!
//! - [`Message`] and what it is made of: one frame, decoded or to be encoded.
//! - [`Stack`]: all that has to be known of one peer. Its driver owns the socket, the clock and the applications.
//! - [`protocol`]: the protocol page, which says what both do, and why a client may rely on it.

mod message;
pub mod protocol;
mod stack;

pub use bytestring::ByteString;
pub use message::{
    CSeq, DecodeError, DialogId, HeaderError, Headers, MAX_DEPTH, Message, Method, Request, Response,
    StatusCode, Uri, UriError,
};
pub use stack::{
    Admission, CloseReason, Counters, Counts, Detach, DialogInfo, DialogKey, Finished, Output, Release,
    SendError, SessionInfo, Side, Stack, StackConfig, TransactionInfo,
};
