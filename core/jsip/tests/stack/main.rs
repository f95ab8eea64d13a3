//! The stack, on a virtual clock, between a scripted peer and a scripted application.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "helpers of tests are tests")]

mod crossing;
mod delivery;
mod ended_away;
mod fields;
mod flows;
mod matrix;
mod overload;
mod received;
mod reinvite;
mod release;
mod sends;
mod sent;
mod session_timer;
mod shared_keys;
mod states;
mod transactions;
