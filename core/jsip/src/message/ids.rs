use std::borrow::Borrow;
use std::fmt;

use bytestring::ByteString;

/// `DialogueID`: the name of a dialog (Call-ID and tags in SIP). Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DialogId(ByteString);

impl DialogId {
    /// `None` if the text is empty.
    pub fn new(id: impl Into<ByteString>) -> Option<Self> {
        let id = id.into();
        (!id.is_empty()).then_some(Self(id))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A copy that does not keep the frame it came in alive.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self(ByteString::from(self.as_str()))
    }
}

impl Borrow<str> for DialogId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DialogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `CSeq`: with the dialog and the sender it names a transaction. From 1 to 2^53 - 1, so that every JSON reader keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CSeq(u64);

impl CSeq {
    /// The largest one.
    pub const MAX: Self = Self((1 << 53) - 1);

    /// `None` for 0 and for what is over [`CSeq::MAX`].
    pub fn new(number: u64) -> Option<Self> {
        (number > 0 && number <= Self::MAX.0).then_some(Self(number))
    }

    /// The one that a random number makes: 32 bits wide, as requests of the server have it.
    pub fn from_random(random: u32) -> Self {
        Self(u64::from(random.max(1)))
    }

    /// The number.
    pub fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
