use bytestring::ByteString;

use super::{CSeq, DialogId, Headers, Method, Request, StatusCode};

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// `Code`; `Desc` follows from it.
    pub code: StatusCode,
    /// `From` of the request.
    pub from: ByteString,
    /// `To` of the request.
    pub to: ByteString,
    /// `DialogueID` of the request.
    pub dialog: DialogId,
    /// `CSeq` of the request.
    pub cseq: CSeq,
    /// All other fields.
    pub headers: Headers,
}

impl Response {
    /// The ACK for this final response to an INVITE: Request-URI and To are its To, From its From, RelatedID its CSeq.
    pub fn ack(&self, cseq: CSeq) -> Request {
        Request {
            method: Method::Ack,
            uri: self.to.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            dialog: self.dialog.clone(),
            cseq,
            related: Some(self.cseq),
            router: None,
            headers: Headers::default(),
        }
    }

    /// Sets `Reason`, which tells people why.
    #[must_use]
    pub fn with_reason(mut self, reason: &str) -> Self {
        self.headers.set_text("Reason", reason);
        self
    }
}
