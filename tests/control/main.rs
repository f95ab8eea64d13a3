//! What operators do to a server that carries calls. `RTCD_SECONDS=60` makes the storms as long as they are meant to be.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[path = "../common/mod.rs"]
mod common;

mod crash;
mod kept;
mod last;
mod reload;
mod stop;
mod toggle;
