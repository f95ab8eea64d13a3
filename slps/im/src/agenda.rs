use rtcd_sdk::jsip::ByteString;

/// What is to be done at a time: one timer for all messages and receivers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A message has waited for long enough.
    Patience(u64),
    /// A receiver is tried again.
    Again(ByteString),
}
