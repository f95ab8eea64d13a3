#![doc = include_str!("../docs/sdk.md")]

mod agenda;
mod api;
mod cx;
mod fault;
mod glob;
pub mod harness;
pub mod host;
mod leg;
mod peer;
mod registry;
pub mod secret;
mod service;
mod slp;
mod token;

pub use agenda::Agenda;
pub use api::{Answer, Api, ApiContext, ApiError, ApiResult, Audience, Envelope, extract};
pub use cx::{Cx, SendError, TimerId};
pub use fault::{Fault, Outcome};
pub use glob::Glob;
pub use leg::{Incoming, LegId};
pub use peer::{Peer, user_in};
pub use registry::{ApiEntry, SlpEntry, registered_apis, registered_slps};
pub use service::{Busy, Load, LoadError, Mailbox, NoAnswer, Reply, Service, ServiceTask};
pub use slp::Slp;
pub use token::Token;

pub use {axum, humantime_serde, jsip, reqwest, serde, serde_json, tracing, utoipa, utoipa_axum};

/// What nearly every service needs.
pub mod prelude {
    pub use crate::{
        Busy, Cx, Fault, Incoming, LegId, Load, LoadError, Mailbox, Outcome, Peer, Reply, SendError, Service,
        ServiceTask, Slp, TimerId, register_slp,
    };
    pub use jsip::{
        ByteString, CSeq, DialogId, Headers, Message, Method, Request, Response, StatusCode, Uri,
    };
    pub use std::sync::Arc;
    pub use std::time::Duration;
}

/// What nearly every HTTP API needs. `axum` and `utoipa` are here for the macros, which name them.
pub mod api_prelude {
    pub use crate::extract::{Bytes, Json, Path, Query, SignedIn};
    pub use crate::{
        Answer, Api, ApiContext, ApiError, ApiResult, Audience, Envelope, LoadError, axum, register_api,
        utoipa,
    };
    pub use axum::extract::State;
    pub use axum::http::StatusCode;
    pub use utoipa::ToSchema;
    pub use utoipa_axum::router::OpenApiRouter;
    pub use utoipa_axum::routes;
}

/// Guides, whose code runs as tests.
pub mod guide {
    #[doc = include_str!("../docs/apis.md")]
    pub mod apis {}
}

#[doc(hidden)]
pub mod __private {
    pub use inventory;
}
