//! Sockets come and go, calls stay: takeover, the queue of an absent user, what is sent again, and how the server knows what arrived.
#![expect(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod arrival;
mod away;
#[path = "../common/mod.rs"]
mod common;
mod cuts;
mod phone;
mod proxy;
mod takeover;
