use jsip::{ByteString, CSeq, DialogId, Headers, Message, Method, Request, Response, StatusCode};

/// A request of `alice@test` to `bob@test` in dialog `d`.
pub fn request(method: Method, cseq: u64) -> Request {
    Request {
        method,
        uri: ByteString::from_static("bob@test"),
        from: ByteString::from_static("alice@test"),
        to: ByteString::from_static("bob@test"),
        dialog: dialog("d"),
        cseq: number(cseq),
        related: None,
        router: None,
        headers: Headers::default(),
    }
}

/// A response to such a request.
pub fn response(code: u16, cseq: u64) -> Response {
    Response {
        code: StatusCode::new(code).expect("a code"),
        from: ByteString::from_static("alice@test"),
        to: ByteString::from_static("bob@test"),
        dialog: dialog("d"),
        cseq: number(cseq),
        headers: Headers::default(),
    }
}

/// Changes of any message.
pub trait MessageExt: Sized {
    /// In another dialog.
    #[must_use]
    fn in_dialog(self, id: &str) -> Self;
    /// With a header that is a number.
    #[must_use]
    fn number(self, name: &str, value: u64) -> Self;
    /// With a header that is a string.
    #[must_use]
    fn text(self, name: &str, value: &str) -> Self;
}

impl MessageExt for Request {
    fn in_dialog(mut self, id: &str) -> Self {
        self.dialog = dialog(id);
        self
    }

    fn number(mut self, name: &str, value: u64) -> Self {
        self.headers.set_number(name, value);
        self
    }

    fn text(mut self, name: &str, value: &str) -> Self {
        self.headers.set_text(name, value);
        self
    }
}

impl MessageExt for Response {
    fn in_dialog(mut self, id: &str) -> Self {
        self.dialog = dialog(id);
        self
    }

    fn number(mut self, name: &str, value: u64) -> Self {
        self.headers.set_number(name, value);
        self
    }

    fn text(mut self, name: &str, value: &str) -> Self {
        self.headers.set_text(name, value);
        self
    }
}

/// Changes of requests.
pub trait RequestExt: Sized {
    /// With a `RelatedID`.
    #[must_use]
    fn related(self, cseq: u64) -> Self;
}

impl RequestExt for Request {
    fn related(mut self, cseq: u64) -> Self {
        self.related = Some(number(cseq));
        self
    }
}

/// The text of a message, as a frame carries it.
pub(crate) fn frame(message: impl Into<Message>) -> ByteString {
    message.into().encode()
}

fn dialog(id: &str) -> DialogId {
    DialogId::new(id).expect("an id is not empty")
}

fn number(cseq: u64) -> CSeq {
    CSeq::new(cseq).expect("a CSeq is not 0")
}
