use std::borrow::Cow;
use std::sync::Arc;

use bytestring::ByteString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::strict;

/// The fields that the protocol itself does not read (`Body`, `Expire`, `P-Asserted-Identity`, `Reason`, …): in the order in
/// which they came, each with its exact JSON text.
///
/// A clone shares the fields, so a message that goes to many peers carries one copy of its body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Option<Arc<[Header]>>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) name: ByteString,
    /// JSON text, checked.
    pub(super) value: ByteString,
}

/// A value cannot be written as a header.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The value does not serialise to JSON.
    #[error("{name}: cannot be written as JSON: {source}")]
    Unserializable {
        /// The header's name.
        name: String,
        /// What serde_json says.
        source: serde_json::Error,
    },
    /// The value nests deeper than a receiver accepts, or repeats a key.
    #[error("{name}: {problem}")]
    Unacceptable {
        /// The header's name.
        name: String,
        /// What a receiver would refuse.
        problem: &'static str,
    },
}

impl Headers {
    pub(super) fn from_fields(fields: impl ExactSizeIterator<Item = Header>) -> Self {
        if fields.len() == 0 { Self(None) } else { Self(Some(fields.collect())) }
    }

    pub(super) fn fields(&self) -> &[Header] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Names with the JSON text of their values, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.fields().iter().map(|header| (&*header.name, &*header.value))
    }

    /// The JSON text of a header.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.fields().iter().find(|header| &*header.name == name).map(|header| &*header.value)
    }

    /// Whether there is a header of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// A header that is a string; `None` also if it is something else.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        let raw = self.raw(name)?;
        match raw.strip_prefix('"')?.strip_suffix('"')? {
            plain if !plain.contains('\\') => Some(Cow::Borrowed(plain)),
            _ => serde_json::from_str::<String>(raw).ok().map(Cow::Owned),
        }
    }

    /// A header that is a non-negative integer; `None` also if it is something else.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.raw(name)?.parse().ok()
    }

    /// A header as a typed value; `None` also if it is something else.
    pub fn json<V: DeserializeOwned>(&self, name: &str) -> Option<V> {
        serde_json::from_str(self.raw(name)?).ok()
    }

    /// Writes a string header, in its old place if it was there.
    ///
    /// # Panics
    /// If `name` is a field of the protocol (`From`, `CSeq`, …): those are fields of the message.
    pub fn set_text(&mut self, name: &str, value: &str) -> &mut Self {
        self.set(name, ByteString::from(super::encode::json_text(value)))
    }

    /// Writes a number header, in its old place if it was there.
    ///
    /// # Panics
    /// As [`Headers::set_text`].
    pub fn set_number(&mut self, name: &str, value: u64) -> &mut Self {
        self.set(name, ByteString::from(value.to_string()))
    }

    /// Writes a header of any type, in its old place if it was there.
    ///
    /// # Errors
    /// If the value cannot be written, or a receiver would refuse it.
    ///
    /// # Panics
    /// As [`Headers::set_text`].
    pub fn set_json(
        &mut self,
        name: &str,
        value: &(impl Serialize + ?Sized),
    ) -> Result<&mut Self, HeaderError> {
        let text = serde_json::to_string(value)
            .map_err(|source| HeaderError::Unserializable { name: name.to_owned(), source })?;
        strict::check(&text)
            .map_err(|problem| HeaderError::Unacceptable { name: name.to_owned(), problem })?;
        Ok(self.set(name, ByteString::from(text)))
    }

    /// Writes a header of which the JSON text is at hand.
    ///
    /// # Errors
    /// If a receiver would refuse it.
    ///
    /// # Panics
    /// As [`Headers::set_text`].
    pub fn set_raw(&mut self, name: &str, value: &RawValue) -> Result<&mut Self, HeaderError> {
        self.set_json(name, value)
    }

    /// Takes a header out.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        if self.contains(name) {
            *self = Self::from_fields(
                self.fields()
                    .iter()
                    .filter(|header| &*header.name != name)
                    .cloned()
                    .collect::<Vec<_>>()
                    .into_iter(),
            );
        }
        self
    }

    /// Copies a header of another message, if it has it.
    pub fn copy(&mut self, name: &str, from: &Self) -> &mut Self {
        match from.fields().iter().find(|header| &*header.name == name) {
            Some(header) => self.set(name, header.value.clone()),
            None => self,
        }
    }

    fn set(&mut self, name: &str, value: ByteString) -> &mut Self {
        assert!(!is_field(name), "{name} is a field of the protocol, not a header");
        let mut fields = self.fields().to_vec();
        match fields.iter_mut().find(|header| &*header.name == name) {
            Some(header) => header.value = value,
            None => fields.push(Header { name: ByteString::from(name), value }),
        }
        self.0 = Some(fields.into());
        self
    }
}

/// The fields that a message has as struct fields, or that are never carried.
pub(super) fn is_field(name: &str) -> bool {
    matches!(
        name,
        "Type"
            | "Request-URI"
            | "Code"
            | "Desc"
            | "From"
            | "To"
            | "DialogueID"
            | "CSeq"
            | "RelatedID"
            | "Router"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_keeps_the_place_and_remove_takes_it() {
        let mut headers = Headers::default();
        headers.set_text("Reason", "say \"no\"").set_number("Expire", 300).set_text("Event", "presence");
        headers.set_text("Reason", "yes");
        assert_eq!(
            headers.iter().collect::<Vec<_>>(),
            [("Reason", "\"yes\""), ("Expire", "300"), ("Event", "\"presence\"")]
        );
        headers.remove("Expire").remove("Absent");
        assert_eq!(headers.number("Expire"), None);
        assert_eq!(headers.text("Event").as_deref(), Some("presence"));
    }

    #[test]
    fn a_clone_is_not_changed_by_its_original() {
        let mut headers = Headers::default();
        headers.set_text("A", "1");
        let clone = headers.clone();
        headers.set_text("A", "2");
        assert_eq!(clone.text("A").as_deref(), Some("1"));
    }

    #[test]
    fn values_that_a_receiver_would_refuse() {
        let deep = (0..40).fold(serde_json::json!(1), |inner, _| serde_json::json!([inner]));
        let error = Headers::default().set_json("Body", &deep).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "Body: nested deeper than 32");
    }

    #[test]
    #[should_panic = "From is a field of the protocol"]
    fn fields_are_not_headers() {
        Headers::default().set_text("From", "x");
    }
}
