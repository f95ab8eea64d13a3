//! Messages as text: written by hand and read with as little work as possible, as the load maker shares the
//! machine with what it measures.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::value::RawValue;

/// What is read of a received message. Strings that are only copied back stay as they were written.
#[derive(Debug, Deserialize)]
pub(super) struct Incoming<'a> {
    #[serde(rename = "Type")]
    pub(super) kind: &'a str,
    /// 0 in a request.
    #[serde(rename = "Code", default)]
    pub(super) code: u16,
    #[serde(rename = "CSeq")]
    pub(super) cseq: u64,
    #[serde(rename = "DialogueID", borrow)]
    dialogue_id: &'a RawValue,
    #[serde(rename = "From", borrow)]
    from: &'a RawValue,
    #[serde(rename = "To", borrow)]
    to: &'a RawValue,
    #[serde(rename = "Body", borrow)]
    body: Option<&'a RawValue>,
}

impl<'a> Incoming<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    pub(super) fn is_response(&self) -> bool {
        self.kind == "RESPONSE"
    }

    /// The DialogueID, as it was written between its quotes.
    pub(super) fn dialogue_id(&self) -> &'a str {
        self.dialogue_id.get().trim_matches('"')
    }

    /// The Body, as it was written between its quotes.
    pub(super) fn body(&self) -> &'a str {
        self.body.map_or("", |body| body.get().trim_matches('"'))
    }

    /// The response to this request.
    pub(super) fn response(&self, code: u16, desc: &str) -> String {
        let (from, to, id, cseq) = (self.from, self.to, self.dialogue_id, self.cseq);
        let mut text = String::with_capacity(96 + from.get().len() + to.get().len() + id.get().len());
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            r#"{{"Type":"RESPONSE","Code":{code},"Desc":"{desc}","From":{from},"To":{to},"DialogueID":{id},"CSeq":{cseq}}}"#
        );
        text
    }
}

/// The fields of a connection's requests that are always the same: `"Request-URI":…,"From":…,"To":…`.
#[derive(Debug)]
pub(super) struct Fixed(String);

impl Fixed {
    /// `router` may be empty; `more` is further fields as JSON, each with a `,` in front.
    pub(super) fn new(request_uri: &str, from: &str, to: &str, router: &str, more: &str) -> Self {
        let mut text =
            format!(r#""Request-URI":{},"From":{},"To":{}"#, quoted(request_uri), quoted(from), quoted(to));
        if !router.is_empty() {
            let _ = write!(text, r#","Router":{}"#, quoted(router));
        }
        text.push_str(more);
        Self(text)
    }

    /// A request of the type `kind`; `rest` is further fields, as `more` above.
    pub(super) fn request(&self, kind: &str, id: impl std::fmt::Display, cseq: u64, rest: &str) -> String {
        let mut text = String::with_capacity(96 + self.0.len() + rest.len());
        let _ = write!(text, r#"{{"Type":"{kind}",{},"DialogueID":"{id}","CSeq":{cseq}{rest}}}"#, self.0);
        text
    }
}

/// `text` as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_response_copies_what_identifies_the_request() {
        let fixed = Fixed::new("b@h", "a\"@h", "b@h", "x@h;type=t", r#","Expire":60"#);
        let request = fixed.request("INVITE", "d-1", 7, r#","Body":"text""#);
        let read: Value = serde_json::from_str(&request).unwrap();
        let expected = json!({"Type": "INVITE", "Request-URI": "b@h", "From": "a\"@h", "To": "b@h",
            "Router": "x@h;type=t", "DialogueID": "d-1", "CSeq": 7, "Expire": 60, "Body": "text"});
        assert_eq!(read, expected);
        let incoming = Incoming::parse(&request).unwrap();
        assert_eq!((incoming.dialogue_id(), incoming.body(), incoming.code), ("d-1", "text", 0));
        let response: Value = serde_json::from_str(&incoming.response(180, "Ringing")).unwrap();
        let expected = json!({"Type": "RESPONSE", "Code": 180, "Desc": "Ringing", "From": "a\"@h", "To": "b@h",
            "DialogueID": "d-1", "CSeq": 7});
        assert_eq!(response, expected);
    }
}
