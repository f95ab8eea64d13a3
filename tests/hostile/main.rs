//! What clients do that they should not: each gets its named outcome, and a healthy call beside them goes on.
#![expect(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

#[path = "../common/mod.rs"]
mod common;
mod door;
mod frames;
mod slow;
