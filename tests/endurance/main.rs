//! What a server has left after a long time, many clients, and a storm. `RTCD_SECONDS=600` makes each test as long and as large as it
//! is meant to be, and prints figures; no figure of time or memory decides whether a test passes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[path = "../common/mod.rs"]
mod common;

mod churn;
mod files;
mod gauges;
mod idle;
mod line;
mod pair;
mod party;
mod scale;
mod soak;
mod storm;
mod usage;
mod wanderers;
