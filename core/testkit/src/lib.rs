//! For tests: builders of messages, and a stack on a virtual clock between a scripted peer and a scripted application.
//!
//! Nothing here sleeps or reads a clock that runs: time is what the test says.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that asks for the impossible shall fail there"
)]

mod builders;
mod rig;
mod summary;
pub mod units;

pub use builders::{MessageExt, RequestExt, request, response};
pub use rig::{Pings, Rig};
pub use summary::summary;
