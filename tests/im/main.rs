//! Messages arrive: over real sockets, with a real database, whatever happens to the process and to the disk.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../endurance/line.rs"]
#[allow(dead_code, reason = "it does more elsewhere")]
mod line;

mod kills;
mod restart;
mod storeless;
mod user;
