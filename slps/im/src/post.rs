use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::time::{Duration, UNIX_EPOCH};

use rtcd_sdk::jsip::{ByteString, Headers, Method, Request, Uri};
use rtcd_sdk::serde::Deserialize as DeserializeMacro;
use rtcd_sdk::serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use rtcd_sdk::serde_json::{self, value::RawValue};
use rtcd_sdk::{Cx, Peer};
use rtcd_store::{Conversation, Kind, NewMessage, StoredMessage};

use crate::mail::Refusal;

/// A message on its way.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    /// `From` and `To`, as sent.
    pub(crate) from: ByteString,
    pub(crate) to: ByteString,
    /// The users that they name.
    pub(crate) sender: ByteString,
    pub(crate) receiver: ByteString,
    pub(crate) kind: Kind,
    /// `Message-ID`.
    pub(crate) id: String,
    /// When it came, in ms since 1970.
    pub(crate) date: u64,
    /// As the receiver gets them, with `Message-ID` and `Date`.
    pub(crate) headers: Headers,
    /// Ids of messages of the receiver that the sender has read.
    pub(crate) read: Vec<String>,
}

/// The longest `Message-ID`, in characters.
const LONGEST_ID: usize = 64;

/// The longest name of a user, in bytes.
const LONGEST_NAME: usize = 256;

/// The most ids in a receipt.
const MOST_IDS: usize = 1000;

/// The `Content-Type` of receipts.
const RECEIPT: &str = "receipt";

impl Post {
    /// What a user sends. `id` is used if the message has no `Message-ID`.
    pub(crate) fn of(
        request: &Request,
        peer: Option<&Peer>,
        date: u64,
        id: impl FnOnce() -> String,
    ) -> Result<Self, Refusal> {
        if request.method != Method::Message {
            return Err(Refusal::Method);
        }
        let sender = sender(&request.from, peer)?;
        let receiver = user(&request.to).ok_or(Refusal::NoReceiver)?;
        let id = message_id(&request.headers, id)?;
        let is_receipt = request.headers.text("Content-Type").as_deref() == Some(RECEIPT);
        let read = if is_receipt { read(&request.headers)? } else { Vec::new() };
        let mut headers = request.headers.clone();
        headers.set_text("Message-ID", &id).set_text("Date", &date_text(date));
        let kind = if is_receipt { Kind::Receipt } else { Kind::Message };
        let (from, to) = (request.from.clone(), request.to.clone());
        Ok(Self { from, to, sender, receiver, kind, id, date, headers, read })
    }

    /// Tells `to` that messages which are stored for `from` have been delivered.
    pub(crate) fn delivered(from: &str, to: &str, ids: &[String], id: String, date: u64) -> Self {
        let (from, to) = (ByteString::from(from), ByteString::from(to));
        let mut headers = Headers::default();
        headers.set_text("Content-Type", RECEIPT);
        // A list of texts can always be written.
        let _ = headers.set_json("Body", &serde_json::json!({ "delivered": ids }));
        headers.set_text("Message-ID", &id).set_text("Date", &date_text(date));
        let (sender, receiver) = (from.clone(), to.clone());
        Self { from, to, sender, receiver, kind: Kind::Receipt, id, date, headers, read: Vec::new() }
    }

    /// As the store keeps it.
    pub(crate) fn to_store(&self, delivered: bool) -> NewMessage {
        let content_type = self.headers.text("Content-Type").map(Cow::into_owned);
        let mut others = String::from("{");
        for (name, value) in self.headers.iter() {
            let is_kept_apart = match name {
                "Body" | "Message-ID" | "Date" => true,
                "Content-Type" => content_type.is_some(),
                _ => false,
            };
            if !is_kept_apart {
                let comma = if others.len() > 1 { "," } else { "" };
                // A String takes all.
                let _ = write!(others, "{comma}{}:{value}", serde_json::Value::from(name));
            }
        }
        others.push('}');
        NewMessage {
            conversation: Conversation::between(&self.sender, &self.receiver),
            id: self.id.clone(),
            sender: self.sender.to_string(),
            receiver: self.receiver.to_string(),
            kind: self.kind,
            date: self.date,
            content_type,
            headers: others,
            body: self.headers.raw("Body").unwrap_or("null").to_owned(),
            delivered,
        }
    }

    /// A copy of it for a device.
    pub(crate) fn copy<L: Clone>(&self, cx: &Cx<L>, to: &Peer) -> Request {
        copy(cx, to, self.from.clone(), self.to.clone(), self.headers.clone())
    }
}

/// A copy of a stored message for a device.
pub(crate) fn stored_copy<L: Clone>(cx: &Cx<L>, to: &Peer, message: &StoredMessage) -> Request {
    let (from, receiver) = (ByteString::from(&*message.sender), ByteString::from(&*message.receiver));
    copy(cx, to, from, receiver, stored_headers(message))
}

/// `Router` does not go along: it would lead the copy to somebody else than the receiver.
fn copy<L: Clone>(cx: &Cx<L>, peer: &Peer, from: ByteString, to: ByteString, headers: Headers) -> Request {
    Request {
        method: Method::Message,
        uri: peer.uri(),
        from,
        to,
        dialog: cx.dialog_id(),
        cseq: cx.cseq(),
        related: None,
        router: None,
        headers,
    }
}

/// The user whom a `From` or `To` names.
pub(crate) fn user(text: &str) -> Option<ByteString> {
    let name = match Uri::parse(text) {
        Ok(uri) => uri.address(),
        // Any text is a name.
        Err(_) => text.trim().to_owned(),
    };
    (!name.is_empty() && name.len() <= LONGEST_NAME).then(|| ByteString::from(name))
}

/// Who sends: the user of the connection; another server may speak for its users.
fn sender(from: &str, peer: Option<&Peer>) -> Result<ByteString, Refusal> {
    let named = user(from).ok_or(Refusal::NotYou)?;
    match peer {
        Some(peer) if peer.user() != &*named && peer.user() != from => Err(Refusal::NotYou),
        Some(peer) => Ok(ByteString::from(peer.user())),
        None => Ok(named),
    }
}

fn message_id(headers: &Headers, make: impl FnOnce() -> String) -> Result<String, Refusal> {
    if !headers.contains("Message-ID") {
        return Ok(make());
    }
    let id = headers.text("Message-ID").ok_or(Refusal::BadId)?;
    match id.chars().take(LONGEST_ID + 1).count() {
        1..=LONGEST_ID => Ok(id.into_owned()),
        _ => Err(Refusal::BadId),
    }
}

#[derive(DeserializeMacro)]
#[serde(crate = "rtcd_sdk::serde", deny_unknown_fields)]
struct Read {
    read: Vec<String>,
}

/// What a receipt of a user says.
fn read(headers: &Headers) -> Result<Vec<String>, Refusal> {
    let Read { read } = headers.json("Body").ok_or(Refusal::BadReceipt)?;
    let is_good = (1..=MOST_IDS).contains(&read.len())
        && read.iter().all(|id| (1..=LONGEST_ID).contains(&id.chars().count()));
    if is_good { Ok(read) } else { Err(Refusal::BadReceipt) }
}

/// RFC 3339, in UTC, with milliseconds.
pub(crate) fn date_text(ms: u64) -> String {
    /// The last that the format can write: the end of the year 9999.
    const LAST: u64 = 253_402_300_799_999;
    humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(ms.min(LAST))).to_string()
}

/// The headers of a stored message, as they were sent but for their order.
fn stored_headers(message: &StoredMessage) -> Headers {
    let mut headers = Headers::default();
    for (name, value) in fields(&message.headers) {
        // What was taken once can be sent again.
        let _ = headers.set_raw(&name, &value);
    }
    if let Some(content_type) = &message.content_type {
        headers.set_text("Content-Type", content_type);
    }
    if let Some(body) = body(message) {
        let _ = headers.set_raw("Body", body);
    }
    headers.set_text("Message-ID", &message.id).set_text("Date", &date_text(message.date));
    headers
}

/// The body of a stored message, with its digits as they were sent.
pub(crate) fn body(message: &StoredMessage) -> Option<&RawValue> {
    serde_json::from_str(&message.body).ok().filter(|body: &&RawValue| body.get() != "null")
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
