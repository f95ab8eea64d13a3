use crate::room::Place;

/// What is to be done at a time: one timer for all rooms and members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A membership is over.
    Expire(Place),
    /// A pause of a member's copies is over.
    Resume(Place),
    /// What a room holds back may be decided.
    Look(u64),
}
