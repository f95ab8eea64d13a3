use crate::mail::WatchId;

/// What is to be done for subscriptions at a time. One timer serves this and the contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A subscription is over.
    Expire(WatchId),
    /// A subscription's pause is over.
    Resume(WatchId),
}
