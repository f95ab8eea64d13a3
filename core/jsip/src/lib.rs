//! JSIP (SIP in JSON): the messages, and the protocol state of one peer.
//!
//! This crate does no I/O, reads no clock and draws no random numbers: time and seeds are arguments.

mod message;
mod stack;

pub use bytestring::ByteString;
pub use message::{
    CSeq, DecodeError, DialogId, HeaderError, Headers, MAX_DEPTH, Message, Method, Request, Response,
    StatusCode, Uri, UriError,
};
pub use stack::{
    CloseReason, Counters, Counts, Detach, DialogInfo, DialogKey, Output, Release, SendError, SessionInfo,
    Side, Stack, StackConfig, TransactionInfo,
};
