#![doc = include_str!("../docs/sdk.md")]

mod api;
mod cx;
mod fault;
pub mod harness;
pub mod host;
mod leg;
mod registry;
mod service;
mod slp;

pub use api::{Api, ApiContext, ApiError, ApiResult, Envelope};
pub use cx::{Cx, SendError, TimerId};
pub use fault::{Fault, Outcome};
pub use leg::{Incoming, LegId};
pub use registry::{ApiEntry, SlpEntry, registered_apis, registered_slps};
pub use service::{Busy, Load, LoadError, Mailbox, NoAnswer, Reply, Service, ServiceTask};
pub use slp::Slp;

pub use {axum, humantime_serde, jsip, reqwest, serde, serde_json, tracing};

/// What nearly every service needs.
pub mod prelude {
    pub use crate::{
        Busy, Cx, Fault, Incoming, LegId, Load, LoadError, Mailbox, Outcome, Reply, SendError, Service,
        ServiceTask, Slp, TimerId, register_slp,
    };
    pub use jsip::{
        ByteString, CSeq, DialogId, Headers, Message, Method, Request, Response, StatusCode, Uri,
    };
    pub use std::sync::Arc;
    pub use std::time::Duration;
}

#[doc(hidden)]
pub mod __private {
    pub use inventory;
}
