use rtcd_sdk::jsip::ByteString;

/// What is to be done at a time: one timer for all messages and receivers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A message has waited for long enough.
    Patience(u64),
    /// A receiver is tried again.
    Again(ByteString),
    /// What was passed over for a receiver has rested.
    Passed(ByteString),
    /// The sender of a message has to have an answer. After all else of the same time.
    Deadline(u64),
}
