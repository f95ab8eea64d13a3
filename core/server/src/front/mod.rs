//! The front door of both ports: listeners, connections, HTTP/1.
//!
//! ```text
//! listen → accept → one connection → one request after the other → the side's handler
//! ```

mod accept;
mod connection;
mod listen;
mod pace;
mod stream;

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;

pub(crate) use accept::{Door, serve};
pub(crate) use listen::Listener;
pub(crate) use stream::Stream;

use crate::config::Settings;

/// One of the two ports, each of which may have two listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Where clients connect.
    Rtc,
    /// Where operators connect.
    Api,
}

impl Side {
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
            // After one request there is a WebSocket, or the connection is closed.
            Self::Rtc => settings.rtc.clientheadertimeout,
            Self::Api => settings.api.keepalived,
        }
    }
}

/// Who sends a request.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    /// The client's address.
    pub(crate) client: SocketAddr,
    /// Connections count up as they come in.
    pub(crate) number: u64,
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
