//! The two kinds of message, their fields, and their text on the wire.

mod decode;
mod encode;
mod glance;
mod headers;
mod ids;
mod method;
mod request;
mod response;
mod scan;
mod status;
mod strict;
mod uri;

pub use decode::DecodeError;
pub(crate) use glance::Glance;
pub use headers::{HeaderError, Headers};
pub use ids::{CSeq, DialogId};
pub use method::Method;
pub use request::Request;
pub use response::Response;
pub use status::StatusCode;
pub use strict::MAX_DEPTH;
pub use uri::{Uri, UriError};

use bytestring::ByteString;

/// One JSIP message: what one text frame carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A request of either side.
    Request(Request),
    /// A response of either side.
    Response(Response),
}

impl Message {
    /// The dialog that the message belongs to.
    pub fn dialog(&self) -> &DialogId {
        match self {
            Self::Request(request) => &request.dialog,
            Self::Response(response) => &response.dialog,
        }
    }

    /// The number of the transaction within its dialog.
    pub fn cseq(&self) -> CSeq {
        match self {
            Self::Request(request) => request.cseq,
            Self::Response(response) => response.cseq,
        }
    }

    /// The fields that the protocol does not read, in order.
    pub fn headers(&self) -> &Headers {
        match self {
            Self::Request(request) => &request.headers,
            Self::Response(response) => &response.headers,
        }
    }

    /// The message as the text of a frame.
    pub fn encode(&self) -> ByteString {
        match self {
            Self::Request(request) => request.encode(),
            Self::Response(response) => response.encode(),
        }
    }
}

impl From<Request> for Message {
    fn from(request: Request) -> Self {
        Self::Request(request)
    }
}

impl From<Response> for Message {
    fn from(response: Response) -> Self {
        Self::Response(response)
    }
}
