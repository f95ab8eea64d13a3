use bytestring::ByteString;

use super::{CSeq, DialogId, Headers, Method, Response, StatusCode};

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `Type`.
    pub method: Method,
    /// `Request-URI`: what is asked for. Empty only in a request under construction: such a one is never sent.
    pub uri: ByteString,
    /// `From`. Empty only as `uri` is, or because a client sent it so.
    pub from: ByteString,
    /// `To`. Empty only as `from` is.
    pub to: ByteString,
    /// `DialogueID`.
    pub dialog: DialogId,
    /// `CSeq`.
    pub cseq: CSeq,
    /// `RelatedID`, of ACK and CANCEL: the CSeq of the INVITE (or of the request to cancel). Ignored on others.
    pub related: Option<CSeq>,
    /// `Router`: URIs separated by `,`. Never empty.
    pub router: Option<ByteString>,
    /// All other fields.
    pub headers: Headers,
}

impl Request {
    /// A response to this request: From, To, DialogueID and CSeq are copied, nothing else.
    pub fn response(&self, code: StatusCode) -> Response {
        Response {
            code,
            from: self.from.clone(),
            to: self.to.clone(),
            dialog: self.dialog.clone(),
            cseq: self.cseq,
            headers: Headers::default(),
        }
    }

    /// A later request of the same dialog, with this one's Request-URI, From and To. ACK and CANCEL get its CSeq as RelatedID.
    pub fn follow_up(&self, method: Method, cseq: CSeq) -> Self {
        Self {
            method,
            uri: self.uri.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            dialog: self.dialog.clone(),
            cseq,
            related: method.has_related().then_some(self.cseq),
            router: None,
            headers: Headers::default(),
        }
    }

    /// The first URI of `Router`, as text without surrounding blanks.
    pub fn first_route(&self) -> Option<&str> {
        self.router.as_deref()?.split(',').next().map(str::trim)
    }

    /// Takes the first URI out of `Router`.
    pub fn drop_first_route(&mut self) {
        self.router = self
            .router
            .take()
            .and_then(|router| router.split_once(',').map(|(_, rest)| router.slice_ref(rest.trim())))
            .filter(|rest| !rest.is_empty());
    }
}
