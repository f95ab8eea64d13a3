//! What the end-to-end tests share: a server in this process, clients of it, and scripts.
#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "for tests, of which each uses a part"
)]

mod client;
mod healthy;
mod load;
mod messages;
mod play;
mod program;
mod raw;
mod redact;
mod server;

use std::time::Duration;

pub(crate) use client::{Client, Log};
pub(crate) use healthy::Healthy;
pub(crate) use load::Load;
pub(crate) use messages::{ack, answer, fields, request};
pub(crate) use play::{Playing, play};
pub(crate) use program::{Folder, PORTS, Program, seconds};
pub(crate) use raw::{PING, PONG, RawSocket, TEXT, masked};
pub(crate) use redact::Redactor;
pub(crate) use server::{Files, ROUTES, Setup, TestServer};

/// How long a test waits for what must happen: never waited out unless something is wrong.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
