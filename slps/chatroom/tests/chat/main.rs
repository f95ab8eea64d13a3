//! The chat rooms, in the harness.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test")]

mod api;
mod chat;
mod delivery;
mod limits;
mod rules;
