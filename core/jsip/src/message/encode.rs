//! Messages to text. The fields of the protocol first, in one order; then all others as they came.

use std::fmt::Write as _;

use bytestring::ByteString;

use super::{Headers, Method, Request, Response};

/// Room for the names of the fixed fields, the numbers and the punctuation.
const FIXED: usize = 160;

impl Request {
    /// The request as the text of a frame.
    pub fn encode(&self) -> ByteString {
        let room = FIXED
            + self.uri.len()
            + self.from.len()
            + self.to.len()
            + self.dialog.as_str().len()
            + self.router.as_ref().map_or(0, |router| router.len())
            + room(&self.headers);
        let mut out = String::with_capacity(room);
        out.push_str("{\"Type\":\"");
        out.push_str(self.method.name());
        out.push_str("\",\"Request-URI\":");
        text(&mut out, &self.uri);
        common(&mut out, &self.from, &self.to, self.dialog.as_str(), self.cseq.as_u64());
        if let (Method::Ack | Method::Cancel, Some(related)) = (self.method, self.related) {
            out.push_str(",\"RelatedID\":");
            number(&mut out, related.as_u64());
        }
        if let Some(router) = self.router.as_deref().filter(|router| !router.is_empty()) {
            out.push_str(",\"Router\":");
            text(&mut out, router);
        }
        others(&mut out, &self.headers);
        out.push('}');
        ByteString::from(out)
    }
}

impl Response {
    /// The response as the text of a frame.
    pub fn encode(&self) -> ByteString {
        let room = FIXED + self.from.len() + self.to.len() + self.dialog.as_str().len() + room(&self.headers);
        let mut out = String::with_capacity(room);
        out.push_str("{\"Type\":\"RESPONSE\",\"Code\":");
        number(&mut out, u64::from(self.code.as_u16()));
        out.push_str(",\"Desc\":\"");
        out.push_str(self.code.description());
        out.push('"');
        common(&mut out, &self.from, &self.to, self.dialog.as_str(), self.cseq.as_u64());
        others(&mut out, &self.headers);
        out.push('}');
        ByteString::from(out)
    }
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
    if value.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(value);
        out.push('"');
    } else {
        // A string always serialises.
        out.push_str(&serde_json::to_string(value).unwrap_or_default());
    }
}

fn number(out: &mut String, value: u64) {
    // Writing to a String does not fail.
    let _ = write!(out, "{value}");
}

fn room(headers: &Headers) -> usize {
    headers.fields().iter().map(|header| header.name.len() + header.value.len() + 4).sum()
}
