//! Who is not let in, and what they are told.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};

use crate::gauges::Gauges;
use crate::node::RETRY_AFTER;

/// Why a connection, or a request on it, is not let in now, though it may be later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// `limits.connections`
    Full,
    /// `limits.api_connections`
    Callers,
    /// The process may open too few files.
    Files,
    /// `limits.address_connections`
    AddressConnections,
    /// `limits.address_connects`; the next one may come after this time.
    AddressConnects(Duration),
    /// `limits.user_connects`; likewise.
    UserConnects(Duration),
    /// `limits.address_requests`; likewise.
    AddressRequests(Duration),
    /// The server goes down.
    Draining,
}

impl Refusal {
    /// The answer. It is counted.
    pub(crate) fn answer(self, gauges: &Gauges) -> Response<Body> {
        let (status, text, wait, counter) = match self {
            Self::Full => {
                (StatusCode::SERVICE_UNAVAILABLE, "too many connections", None, &gauges.refused_connections)
            }
            Self::Callers => {
                (StatusCode::SERVICE_UNAVAILABLE, "too many connections", None, &gauges.refused_callers)
            }
            Self::Files => {
                (StatusCode::SERVICE_UNAVAILABLE, "too many connections", None, &gauges.refused_files)
            }
            Self::AddressConnections => (
                StatusCode::TOO_MANY_REQUESTS,
                "too many connections from this address",
                None,
                &gauges.refused_address_connections,
            ),
            Self::AddressConnects(wait) => (
                StatusCode::TOO_MANY_REQUESTS,
                "too many new connections from this address",
                Some(wait),
                &gauges.refused_address_connects,
            ),
            Self::UserConnects(wait) => (
                StatusCode::TOO_MANY_REQUESTS,
                "too many new connections of this user",
                Some(wait),
                &gauges.refused_user_connects,
            ),
            Self::AddressRequests(wait) => (
                StatusCode::TOO_MANY_REQUESTS,
                "too many requests from this address",
                Some(wait),
                &gauges.refused_address_requests,
            ),
            Self::Draining => {
                (StatusCode::SERVICE_UNAVAILABLE, "the server goes down", None, &gauges.refused_draining)
            }
        };
        counter.fetch_add(1, Relaxed);
        let mut response = refuse(status, text);
        let seconds = wait.map_or(RETRY_AFTER, whole_seconds);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        response
    }
}

/// A wait as `Retry-After` has it.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// A refusal ends the connection: each try is a connection of its own, which the limits count.
pub(crate) fn refuse(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
