//! Messages to text. The fields of the protocol first, in one order; then all others as they came.

use bytestring::ByteString;

use super::{CSeq, Headers, Request, Response, StatusCode};

// How long a message will be is counted beforehand, to the byte if nothing has to be escaped: a text that fills its buffer
// becomes a `ByteString` as it is.
const REQUEST: usize = r#"{"Type":"","Request-URI":""}"#.len() + COMMON;
const RESPONSE: usize = r#"{"Type":"RESPONSE","Code":200,"Desc":""}"#.len() + COMMON;
const COMMON: usize = r#","From":"","To":"","DialogueID":"","CSeq":"#.len();
const RELATED: usize = r#","RelatedID":"#.len();
const ROUTER: usize = r#","Router":"""#.len();

/// The most bytes that a byte of a text becomes: `\u001f`.
const ESCAPED: usize = 6;

impl Request {
    /// The request as the text of a frame.
    pub fn encode(&self) -> ByteString {
        let related = self.written_related();
        let router = self.written_router();
        let mut out = String::with_capacity(self.room());
        out.push_str("{\"Type\":\"");
        out.push_str(self.method.name());
        out.push_str("\",\"Request-URI\":");
        text(&mut out, &self.uri);
        common(&mut out, &self.from, &self.to, self.dialog.as_str(), self.cseq.as_u64());
        if let Some(related) = related {
            out.push_str(",\"RelatedID\":");
            number(&mut out, related.as_u64());
        }
        if let Some(router) = router {
            out.push_str(",\"Router\":");
            text(&mut out, router);
        }
        others(&mut out, &self.headers);
        out.push('}');
        ByteString::from(out)
    }

    /// Whether the text of the frame is longer than so many bytes. Cheap, unless it is not much shorter.
    pub fn is_longer_than(&self, bytes: usize) -> bool {
        self.room().saturating_mul(ESCAPED) > bytes && self.encode().len() > bytes
    }

    fn room(&self) -> usize {
        REQUEST
            + self.method.name().len()
            + self.uri.len()
            + self.from.len()
            + self.to.len()
            + self.dialog.as_str().len()
            + digits(self.cseq.as_u64())
            + self.written_related().map_or(0, |related| RELATED + digits(related.as_u64()))
            + self.written_router().map_or(0, |router| ROUTER + router.len())
            + room(&self.headers)
    }

    fn written_related(&self) -> Option<CSeq> {
        self.related.filter(|_| self.method.has_related())
    }

    fn written_router(&self) -> Option<&str> {
        self.router.as_deref().filter(|router| !router.is_empty())
    }
}

impl Response {
    /// The response as the text of a frame.
    pub fn encode(&self) -> ByteString {
        response(self.code, (&self.from, &self.to), self.dialog.as_str(), self.cseq, &self.headers)
    }

    /// Whether the text of the frame is longer than so many bytes. Cheap, unless it is not much shorter.
    pub fn is_longer_than(&self, bytes: usize) -> bool {
        self.room().saturating_mul(ESCAPED) > bytes && self.encode().len() > bytes
    }

    fn room(&self) -> usize {
        response_room(self.code, (&self.from, &self.to), self.dialog.as_str(), self.cseq, &self.headers)
    }
}

/// A response as the text of a frame.
pub(super) fn response(
    code: StatusCode,
    (from, to): (&str, &str),
    dialog: &str,
    cseq: CSeq,
    headers: &Headers,
) -> ByteString {
    let mut out = String::with_capacity(response_room(code, (from, to), dialog, cseq, headers));
    out.push_str("{\"Type\":\"RESPONSE\",\"Code\":");
    number(&mut out, u64::from(code.as_u16()));
    out.push_str(",\"Desc\":\"");
    out.push_str(code.description());
    out.push('"');
    common(&mut out, from, to, dialog, cseq.as_u64());
    others(&mut out, headers);
    out.push('}');
    ByteString::from(out)
}

fn response_room(
    code: StatusCode,
    (from, to): (&str, &str),
    dialog: &str,
    cseq: CSeq,
    headers: &Headers,
) -> usize {
    RESPONSE
        + code.description().len()
        + from.len()
        + to.len()
        + dialog.len()
        + digits(cseq.as_u64())
        + room(headers)
}

/// A text as a JSON string, with quotes.
pub(super) fn json_text(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    text(&mut out, value);
    out
}

fn common(out: &mut String, from: &str, to: &str, dialog: &str, cseq: u64) {
    out.push_str(",\"From\":");
    text(out, from);
    out.push_str(",\"To\":");
    text(out, to);
    out.push_str(",\"DialogueID\":");
    text(out, dialog);
    out.push_str(",\"CSeq\":");
    number(out, cseq);
}

fn others(out: &mut String, headers: &Headers) {
    for header in headers.fields() {
        out.push(',');
        text(out, &header.name);
        out.push(':');
        out.push_str(&header.value);
    }
}

fn text(out: &mut String, value: &str) {
    if is_plain(value) {
        out.push('"');
        out.push_str(value);
        out.push('"');
    } else {
        // A string always serialises.
        out.push_str(&serde_json::to_string(value).unwrap_or_default());
    }
}

/// Whether a JSON string holds the text as it is. It looks at all bytes, without a branch: that compiles to vector instructions.
fn is_plain(value: &str) -> bool {
    value.bytes().fold(true, |plain, byte| plain & (byte >= 0x20) & (byte != b'"') & (byte != b'\\'))
}

fn number(out: &mut String, value: u64) {
    out.push_str(itoa::Buffer::new().format(value));
}

fn digits(value: u64) -> usize {
    value.checked_ilog10().map_or(1, |log| log as usize + 1)
}

fn room(headers: &Headers) -> usize {
    headers.fields().iter().map(|header| header.name.len() + header.value.len() + 4).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_anywhere() {
        for value in [0, 1, 9, 10, 99, 100, 12_345, 9_007_199_254_740_991, u64::MAX] {
            let mut out = String::new();
            number(&mut out, value);
            assert_eq!(out, value.to_string());
        }
    }
}
