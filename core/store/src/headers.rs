//! Headers, as they are kept.

use std::fmt::{self, Write as _};
use std::time::{Duration, UNIX_EPOCH};

use rtcd_sdk::jsip::Headers;
use rtcd_sdk::serde_json::{self, value::RawValue};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::StoredMessage;

/// The headers of a message, apart as [`NewMessage`](crate::NewMessage) has them: `Message-ID` and `Date` are fields of their own there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// `Content-Type`, if it is a text.
    pub content_type: Option<String>,
    /// All others, as the text of a JSON object; and `From` and `Router`, if they were given.
    pub headers: String,
    /// `Body`, as JSON text.
    pub body: String,
}

/// What was [`Packed`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacked {
    /// `From`, where it was given: it is another than the sender.
    pub from: Option<String>,
    /// `Router`, where it was given.
    pub router: Option<String>,
    /// The headers as they were sent, but for their order; with `Message-ID` and `Date`.
    pub headers: Headers,
}

impl Packed {
    /// Packs headers.
    pub fn new(headers: &Headers, from: Option<&str>, router: Option<&str>) -> Self {
        let content_type = headers.text("Content-Type").map(|text| text.into_owned());
        let mut others = String::from("{");
        let mut add = |name: &str, value: &str| {
            let comma = if others.len() > 1 { "," } else { "" };
            // A String takes all.
            let _ = write!(others, "{comma}{}:{value}", serde_json::Value::from(name));
        };
        for (name, value) in [("From", from), ("Router", router)] {
            if let Some(value) = value {
                add(name, &serde_json::Value::from(value).to_string());
            }
        }
        for (name, value) in headers.iter() {
            match name {
                "Body" | "Message-ID" | "Date" => {}
                "Content-Type" if content_type.is_some() => {}
                _ => add(name, value),
            }
        }
        others.push('}');
        Self { content_type, headers: others, body: headers.raw("Body").unwrap_or("null").to_owned() }
    }
}

impl StoredMessage {
    /// The headers of the message. A body that is null counts as none.
    pub fn unpack(&self) -> Unpacked {
        let mut unpacked = Unpacked { from: None, router: None, headers: Headers::default() };
        for (name, value) in fields(&self.headers) {
            match &*name {
                "From" => unpacked.from = serde_json::from_str(value.get()).ok(),
                "Router" => unpacked.router = serde_json::from_str(value.get()).ok(),
                _ => set(&mut unpacked.headers, &name, &value),
            }
        }
        let headers = &mut unpacked.headers;
        if let Some(content_type) = &self.content_type {
            headers.set_text("Content-Type", content_type);
        }
        if self.body != "null"
            && let Ok(body) = serde_json::from_str::<&RawValue>(&self.body)
        {
            set(headers, "Body", body);
        }
        headers.set_text("Message-ID", &self.id).set_text("Date", &date_text(self.date));
        unpacked
    }
}

/// A date in ms since 1970 as `Date` has it: RFC 3339, UTC, with milliseconds.
pub fn date_text(ms: u64) -> String {
    /// The last that the format can write: the end of the year 9999.
    const LAST: u64 = 253_402_300_799_999;
    humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(ms.min(LAST))).to_string()
}

fn set(headers: &mut Headers, name: &str, value: &RawValue) {
    // What was taken once can be sent again.
    let _ = headers.set_raw(name, value);
}

/// The fields of a JSON object, in order, each as it was written.
fn fields(object: &str) -> Vec<(String, Box<RawValue>)> {
    serde_json::from_str(object).map(|Fields(fields)| fields).unwrap_or_default()
}

struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use rtcd_sdk::jsip::Message;

    use super::*;
    use crate::{Conversation, Kind, State};

    #[test]
    fn what_was_packed_comes_out_again() {
        let message = Message::decode(
            r#"{"Type":"MESSAGE","Request-URI":"a","From":"a","To":"b","DialogueID":"d","CSeq":1,"P-Asserted-Identity":"al\u0069ce",
                "X \"y\"":1.50e3,"Content-Type":"text/plain","Message-ID":"m1","Body":{"n": 12345678901234567890.0}}"#,
        );
        let headers = message.unwrap().headers().clone();
        let Packed { content_type, headers: others, body } = Packed::new(&headers, Some("Al \"x\""), None);
        assert_eq!(others, r#"{"From":"Al \"x\"","P-Asserted-Identity":"al\u0069ce","X \"y\"":1.50e3}"#);
        assert_eq!(body, r#"{"n": 12345678901234567890.0}"#);
        let stored = StoredMessage {
            seq: 1,
            conversation: Conversation::room("b"),
            id: "m1".to_owned(),
            sender: "a".to_owned(),
            receiver: "b".to_owned(),
            kind: Kind::Room,
            date: 1_767_225_600_123,
            content_type,
            headers: others,
            body,
            state: State::Sent,
        };
        let Unpacked { from, router, headers: unpacked } = stored.unpack();
        assert_eq!((from.as_deref(), router), (Some("Al \"x\""), None));
        for (name, value) in headers.iter() {
            assert_eq!(unpacked.raw(name), Some(value), "{name}");
        }
        assert_eq!(unpacked.text("Date").as_deref(), Some("2026-01-01T00:00:00.123Z"));
        assert_eq!(unpacked.iter().len(), headers.iter().len() + 1);
    }

    #[test]
    fn no_body_is_no_body() {
        assert_eq!(
            Packed::new(&Headers::default(), None, Some("x")),
            Packed { content_type: None, headers: r#"{"Router":"x"}"#.to_owned(), body: "null".to_owned() }
        );
    }
}
