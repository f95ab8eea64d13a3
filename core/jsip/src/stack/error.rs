use crate::{CSeq, Method, StatusCode};

/// The application tried to send what the protocol does not allow. Nothing was sent, and no state has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// A request lacks a field without which it is never sent.
    #[error("{method} without {field}")]
    Missing {
        /// The request's method.
        method: Method,
        /// `From`, `To` or `Request-URI`.
        field: &'static str,
    },
    /// The dialog has ended, or there never was one.
    #[error("the dialog has ended")]
    UnknownDialog,
    /// The message names another dialog than the one it is sent in.
    #[error("the message belongs to another dialog")]
    OtherDialog,
    /// A dialog of this id is there already, so it cannot be opened.
    #[error("the dialog exists")]
    DialogExists,
    /// ACK, BYE or CANCEL in a dialog that has no session.
    #[error("{method} without a session")]
    NoSession {
        /// The request's method.
        method: Method,
    },
    /// The state of the session does not allow the request.
    #[error("{method} in state {state}")]
    State {
        /// The request's method.
        method: Method,
        /// The name of the session's state.
        state: &'static str,
    },
    /// No request waits for this response, ACK or CANCEL: there was none, or it has its final response.
    #[error("no request {cseq} waits for it")]
    NoTransaction {
        /// The `CSeq` (of an ACK or CANCEL: the `RelatedID`).
        cseq: CSeq,
    },
    /// The request's CSeq is that of another request that has no final response yet.
    #[error("CSeq {cseq} is in use")]
    CSeqInUse {
        /// The `CSeq`.
        cseq: CSeq,
    },
    /// A first INVITE is accepted by 200 and no other 2xx.
    #[error("{code} to a first INVITE: 200 alone accepts it")]
    NotAccepting {
        /// The code of the response.
        code: StatusCode,
    },
    /// `Expire` of an INVITE is not a number above 0.
    #[error("Expire of an INVITE must be a number above 0")]
    Expire,
}
