//! Text to messages. One pass finds the fields; those that the protocol reads are then parsed, the others kept as slices of
//! the frame's text.

use std::borrow::Cow;
use std::fmt;

use bytestring::ByteString;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::headers::Header;
use super::{CSeq, DialogId, Headers, Message, Method, Request, Response, StatusCode, scan, strict};

/// A frame is no message: the sender's fault.
#[derive(Debug, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct DecodeError {
    field: String,
    problem: Cow<'static, str>,
    reply: Option<Box<Response>>,
}

impl DecodeError {
    fn new(field: &str, problem: impl Into<Cow<'static, str>>) -> Self {
        /// A name that came from outside is told in no more than this.
        const SHOWN: usize = 64;
        let field = field.chars().take(SHOWN).flat_map(char::escape_debug).collect();
        Self { field, problem: problem.into(), reply: None }
    }

    /// The field that breaks a rule; `JSON` if the text as a whole does.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The 400 that answers the frame, with a `Reason` that names the field. `None` if the frame is an ACK or a response, or
    /// does not show which transaction it means.
    pub fn into_reply(self) -> Option<Response> {
        self.reply.map(|reply| *reply)
    }
}

impl Message {
    /// Reads one text frame.
    ///
    /// # Errors
    /// If it is not one JSON object, or a field breaks a rule.
    pub fn decode(frame: &str) -> Result<Self, DecodeError> {
        let frame = ByteString::from(frame);
        let mut fields = Fields::default();
        let trailing = fields.read(&frame)?;
        let result = match trailing {
            Some(error) => Err(error),
            None => fields.message(&frame),
        };
        result.map_err(|mut error| {
            error.reply = fields.refusal(&frame, &error).map(Box::new);
            error
        })
    }
}

/// The fields of a frame: the JSON text of each, not yet parsed.
#[derive(Default)]
struct Fields<'a> {
    kind: Option<&'a str>,
    uri: Option<&'a str>,
    code: Option<&'a str>,
    /// Written anew from the code, so never read; kept to see it stand twice.
    desc: Option<&'a str>,
    from: Option<&'a str>,
    to: Option<&'a str>,
    dialog: Option<&'a str>,
    cseq: Option<&'a str>,
    related: Option<&'a str>,
    router: Option<&'a str>,
    others: SmallVec<[(Cow<'a, str>, &'a str); 8]>,
    repeated: Option<&'static str>,
}

impl<'a> Fields<'a> {
    /// Finds the fields. What stands behind the object is an error that leaves them readable.
    fn read(&mut self, frame: &'a str) -> Result<Option<DecodeError>, DecodeError> {
        if scan::fields(frame, |name, value| self.add(Cow::Borrowed(name), value)).is_some() {
            return Ok(None);
        }
        *self = Self::default();
        let mut json = serde_json::Deserializer::from_str(frame);
        json.deserialize_map(FieldVisitor(self)).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => DecodeError::new("JSON", "not an object"),
            serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof
            | serde_json::error::Category::Io => DecodeError::new("JSON", error.to_string()),
        })?;
        Ok(json.end().err().map(|_| DecodeError::new("JSON", "text after the object")))
    }

    #[inline]
    fn add(&mut self, name: Cow<'a, str>, value: &'a str) {
        let (slot, field) = match &*name {
            "Type" => (&mut self.kind, "Type"),
            "Request-URI" => (&mut self.uri, "Request-URI"),
            "Code" => (&mut self.code, "Code"),
            "From" => (&mut self.from, "From"),
            "To" => (&mut self.to, "To"),
            "DialogueID" => (&mut self.dialog, "DialogueID"),
            "CSeq" => (&mut self.cseq, "CSeq"),
            "RelatedID" => (&mut self.related, "RelatedID"),
            "Router" => (&mut self.router, "Router"),
            "Desc" => (&mut self.desc, "Desc"),
            _ => return self.others.push((name, value)),
        };
        if slot.replace(value).is_some() {
            self.repeated.get_or_insert(field);
        }
    }

    fn message(&self, frame: &ByteString) -> Result<Message, DecodeError> {
        let kind = text("Type", self.kind, frame)?;
        if let Some(name) = self.repeated {
            return Err(DecodeError::new(name, "stands twice"));
        }
        let repeated = strict::repeats_name(self.others.iter().map(|(name, _)| &**name));
        if let Some(name) = repeated {
            return Err(DecodeError::new(name, "stands twice"));
        }
        let dialog = text("DialogueID", self.dialog, frame)?;
        let dialog = DialogId::new(dialog).ok_or_else(|| DecodeError::new("DialogueID", "is empty"))?;
        let cseq = cseq("CSeq", self.cseq)?.ok_or_else(|| DecodeError::new("CSeq", MISSING))?;
        let from = text("From", self.from, frame)?;
        let to = text("To", self.to, frame)?;
        for (name, value) in self.slots() {
            if let Some(value) = value {
                strict::check(value).map_err(|problem| DecodeError::new(name, problem))?;
            }
        }
        for (name, value) in &self.others {
            strict::check(value).map_err(|problem| DecodeError::new(name, problem))?;
        }
        if &*kind == "RESPONSE" {
            let code = self.code.ok_or_else(|| DecodeError::new("Code", MISSING))?;
            let code = digits(code)
                .and_then(|number| u16::try_from(number).ok())
                .and_then(StatusCode::new)
                .ok_or_else(|| DecodeError::new("Code", "must be an integer from 100 to 699"))?;
            return Ok(Message::Response(Response {
                code,
                from,
                to,
                dialog,
                cseq,
                headers: self.headers(frame),
            }));
        }
        let method = Method::from_name(&kind)
            .ok_or_else(|| DecodeError::new("Type", "is no method and not RESPONSE"))?;
        let uri = text("Request-URI", self.uri, frame)?;
        let related = if method.has_related() { self::cseq("RelatedID", self.related)? } else { None };
        let router = match self.router {
            Some(_) => Some(text("Router", self.router, frame)?).filter(|router| !router.trim().is_empty()),
            None => None,
        };
        Ok(Message::Request(Request {
            method,
            uri,
            from,
            to,
            dialog,
            cseq,
            related,
            router,
            headers: self.headers(frame),
        }))
    }

    /// The fields that are ignored on one kind of message or the other. All others of the protocol are texts or numbers.
    fn slots(&self) -> [(&'static str, Option<&'a str>); 5] {
        [
            ("Request-URI", self.uri),
            ("Code", self.code),
            ("Desc", self.desc),
            ("RelatedID", self.related),
            ("Router", self.router),
        ]
    }

    fn headers(&self, frame: &ByteString) -> Headers {
        Headers::from_fields(self.others.iter().map(|(name, value)| Header {
            name: match name {
                Cow::Borrowed(name) => frame.slice_ref(name),
                Cow::Owned(name) => ByteString::from(name.as_str()),
            },
            value: frame.slice_ref(value),
        }))
    }

    /// The 400 to a request that can be told from its ids.
    fn refusal(&self, frame: &ByteString, error: &DecodeError) -> Option<Response> {
        if matches!(self.repeated, Some("DialogueID" | "CSeq")) {
            return None;
        }
        match text("Type", self.kind, frame) {
            Ok(kind) if matches!(&*kind, "ACK" | "RESPONSE") => return None,
            // Without a type, a code tells a response.
            Err(_) if self.code.is_some() => return None,
            Ok(_) | Err(_) => {}
        }
        let response = Response {
            code: StatusCode::BAD_REQUEST,
            from: text("From", self.from, frame).unwrap_or_default(),
            to: text("To", self.to, frame).unwrap_or_default(),
            dialog: DialogId::new(text("DialogueID", self.dialog, frame).ok()?)?,
            cseq: cseq("CSeq", self.cseq).ok()??,
            headers: Headers::default(),
        };
        Some(response.with_reason(&error.to_string()))
    }
}

const MISSING: &str = "is missing";

/// Of a longer frame the fields of the protocol are copies: who keeps them must not keep its body.
const LONG: usize = 2048;

fn text(field: &'static str, value: Option<&str>, frame: &ByteString) -> Result<ByteString, DecodeError> {
    let value = value.ok_or_else(|| DecodeError::new(field, MISSING))?;
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .ok_or_else(|| DecodeError::new(field, "must be a string"))?;
    if inner.as_bytes().contains(&b'\\') {
        return serde_json::from_str::<String>(value)
            .map(ByteString::from)
            .map_err(|_| DecodeError::new(field, "has an escape that is no character"));
    }
    if frame.len() > LONG {
        return Ok(ByteString::from(inner));
    }
    Ok(frame.slice_ref(inner))
}

fn cseq(field: &'static str, value: Option<&str>) -> Result<Option<CSeq>, DecodeError> {
    let Some(value) = value else { return Ok(None) };
    match digits(value).and_then(CSeq::new) {
        Some(cseq) => Ok(Some(cseq)),
        None => Err(DecodeError::new(field, "must be an integer from 1 to 2^53 - 1")),
    }
}

fn digits(raw: &str) -> Option<u64> {
    raw.bytes().all(|byte| byte.is_ascii_digit()).then(|| raw.parse().ok()).flatten()
}

struct FieldVisitor<'f, 'a>(&'f mut Fields<'a>);

impl<'a> Visitor<'a> for FieldVisitor<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key::<Name<'a>>()? {
            let value: &'a RawValue = map.next_value()?;
            self.0.add(name, value.get());
        }
        Ok(())
    }
}

/// The fields as `serde_json` finds them.
#[cfg(test)]
pub(super) fn fields_by_serde(frame: &str) -> Result<Vec<(Cow<'_, str>, &str)>, serde_json::Error> {
    struct AllVisitor;
    impl<'a> Visitor<'a> for AllVisitor {
        type Value = Vec<(Cow<'a, str>, &'a str)>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut fields = Vec::new();
            while let Some(Name(name)) = map.next_key::<Name<'a>>()? {
                fields.push((name, map.next_value::<&'a RawValue>()?.get()));
            }
            Ok(fields)
        }
    }
    let mut json = serde_json::Deserializer::from_str(frame);
    let fields = json.deserialize_map(AllVisitor)?;
    json.end()?;
    Ok(fields)
}

/// A key, borrowed where it has no escape.
struct Name<'a>(Cow<'a, str>);

impl<'a> Deserialize<'a> for Name<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'a> Visitor<'a> for NameVisitor {
            type Value = Name<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E: serde::de::Error>(self, name: &'a str) -> Result<Name<'a>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }
            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Name<'a>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}
