//! The front door of both ports, over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[path = "../common/mod.rs"]
mod common;

mod access;
mod address;
mod auth;
mod http;
mod limits;
mod page;
mod requests;
mod signing;
mod times;
mod tls;
mod users;
