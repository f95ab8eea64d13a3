//! The front door of both ports: listeners, connections, HTTP/1.
//!
//! ```text
//! listen → accept → one connection → one request after the other → the side's handler
//! ```

mod accept;
mod access;
mod bucket;
mod client;
mod connection;
mod files;
mod listen;
mod pace;
mod refusal;
mod stream;
mod tls;
mod visitors;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;

pub(crate) use accept::Door;
pub(crate) use bucket::Bucket;
pub(crate) use listen::Ports;
pub(crate) use refusal::{Refusal, refuse, whole_seconds};
pub(crate) use stream::Stream;
pub(crate) use tls::Certificate;
pub(crate) use visitors::{Pass, Visitors};

use crate::config::{Network, Settings};
use crate::spawn::{Doing, Kind};

/// One of the two ports, each of which may have two listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Where clients connect.
    Rtc,
    /// Where operators connect.
    Api,
}

impl Side {
    /// Names of its two listeners.
    fn names(self) -> [&'static str; 2] {
        match self {
            Self::Rtc => ["rtc", "rtc with TLS"],
            Self::Api => ["api", "api with TLS"],
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Rtc => Kind::Connection,
            Self::Api => Kind::Caller,
        }
    }

    /// How long a client may take to send the head of a request.
    fn header_timeout(self, settings: &Settings) -> Duration {
        match self {
            Self::Rtc => settings.rtc.clientheadertimeout,
            Self::Api => settings.api.clientheadertimeout,
        }
    }

    /// How long a connection may be idle between two requests.
    fn idle_timeout(self, settings: &Settings) -> Duration {
        match self {
            // Most become a WebSocket with their first request, or are closed.
            Self::Rtc => settings.rtc.clientheadertimeout,
            Self::Api => settings.api.keepalived,
        }
    }

    /// How long a client may take nothing of its answer.
    fn write_stall(self, settings: &Settings) -> Option<Duration> {
        match self {
            Self::Rtc => Some(settings.rtc.write_stall),
            Self::Api => None,
        }
    }

    fn trusted_proxies(self, settings: &Settings) -> &[Network] {
        match self {
            Self::Rtc => &settings.rtc.trusted_proxies,
            Self::Api => &settings.api.trusted_proxies,
        }
    }
}

/// Who sends a request.
#[derive(Debug)]
pub(crate) struct Visitor {
    /// The client's address; behind a trusted proxy, what that says.
    pub(crate) client: SocketAddr,
    /// Connections count up as they come in.
    pub(crate) number: u64,
    /// Counts the client at its address, on the RTC side.
    pub(crate) pass: Option<Arc<Pass>>,
    /// To say what its task waits for.
    pub(crate) doing: Doing,
}

/// What a side does with a request.
pub(crate) trait Handler: Send + Sync + 'static {
    /// Answers a request.
    fn handle(
        &self,
        visitor: Visitor,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Body>> + Send;
}
