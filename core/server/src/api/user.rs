//! APIs for users: `/api/{name}/{version}/{rest}` on the RTC side.
//!
//! | what is looked at, in this order | if it is not good |
//! |---|---|
//! | `Origin`, as that of a WebSocket: `rtc.origins` | 403 |
//! | whether this is the question of a browser (CORS) whether its page may call | answered here, 204 |
//! | whether the server goes down | 503 |
//! | the method | 405 |
//! | `limits.address_requests` | 429 |
//! | the token | 401 |
//! | `limits.user_requests` | 429 |
//! | whether an API for users is enabled under this name | 404 |
//!
//! Who has no token learns nothing of what is there. The API does not see the token.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION,
    CACHE_CONTROL, CONNECTION, ORIGIN, RETRY_AFTER, VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use rtcd_sdk::extract::SignedIn;
use rtcd_sdk::{ApiError, Audience, secret};
use tokio::time::{Instant, timeout};

use super::plugin::{call, split};
use crate::front::{Pass, whole_seconds};
use crate::node::{Live, Node, RETRY_AFTER as DRAINED_AFTER};
use crate::rtc::is_allowed;

/// What their paths begin with.
pub(crate) const BELOW: &str = "/api";

/// A call on the RTC side, of a client that is counted by its pass.
pub(crate) async fn call_of_user(node: &Node, pass: Option<&Pass>, request: Request) -> Response {
    let live = node.live().clone();
    let label = label(node, &request);
    let page = Page::of(request.headers());
    let mut response = if !is_allowed(request.headers(), &live.settings.rtc.origins) {
        node.gauges.refused_origins.fetch_add(1, Relaxed);
        ApiError::denied().with_detail("this Origin is not allowed").into_response()
    } else {
        let mut response = if page.asks(&request) {
            preflight()
        } else {
            answer(node, &live, pass, request).await.unwrap_or_else(|refusal| refusal)
        };
        page.let_read(response.headers_mut());
        response
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_name(ORIGIN));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // It is one user's.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    node.events.call(&label, response.status());
    response
}

/// What counts the call: an API that is there, or `-` for whatever else is asked for.
fn label(node: &Node, request: &Request) -> String {
    split(BELOW, request.uri())
        .map(|(name, _)| name)
        .filter(|name| node.routes().load().apis.contains_key(name))
        .unwrap_or_else(|| "-".to_owned())
}

async fn answer(
    node: &Node,
    live: &Live,
    pass: Option<&Pass>,
    mut request: Request,
) -> Result<Response, Response> {
    let (gauges, limits) = (&node.gauges, &live.settings.limits);
    if node.is_draining() {
        let mut refusal = not_now(
            StatusCode::SERVICE_UNAVAILABLE,
            "the server goes down",
            DRAINED_AFTER,
            &gauges.refused_draining,
        );
        refusal.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        return Err(refusal);
    }
    if !matches!(*request.method(), Method::GET | Method::POST | Method::DELETE) {
        return Err(ApiError::unsupported_method().into_response());
    }
    let now = Instant::now();
    let too_many = |what, wait: Duration, counter| {
        not_now(StatusCode::TOO_MANY_REQUESTS, what, whole_seconds(wait), counter)
    };
    if limits.address_requests > 0
        && let Some(pass) = pass
    {
        pass.request(now, limits.address_requests).map_err(|wait| {
            too_many("too many calls from this address", wait, &gauges.refused_address_requests)
        })?;
    }
    let user = signed_in(node, request.headers(), now).map_err(not_signed_in)?;
    node.visitors
        .call(&user, limits)
        .map_err(|wait| too_many("too many calls of this user", wait, &gauges.refused_user_requests))?;
    let (name, rest) = split(BELOW, request.uri()).ok_or_else(|| ApiError::invalid_uri().into_response())?;
    let binding = node.routes().load().apis.get(&name).cloned();
    let binding = binding
        .filter(|binding| binding.audience == Audience::User)
        .ok_or_else(|| ApiError::unsupported_api().into_response())?;
    *request.uri_mut() = rest;
    request.headers_mut().remove(AUTHORIZATION);
    request.extensions_mut().insert(SignedIn { user });
    // The client may be slow to send what it posts; else it is the API.
    let answered = timeout(limits.handler_timeout, call(&name, binding.router, request)).await;
    answered.map_err(|_| {
        tracing::warn!(api = name, "an API gave no answer in limits.handler_timeout");
        ApiError::internal("it took longer than limits.handler_timeout").into_response()
    })
}

/// Whose token a request bears.
fn signed_in(node: &Node, headers: &HeaderMap, now: Instant) -> Result<String, &'static str> {
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = authorization.and_then(secret::bearer).ok_or("a token is needed")?;
    node.tokens.user(token, now).ok_or("the token is wrong or too old")
}

fn not_signed_in(why: &'static str) -> Response {
    let mut response = ApiError::not_signed_in(why).into_response();
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

/// Who may try again later. It is counted.
fn not_now(status: StatusCode, why: &'static str, seconds: u64, counter: &AtomicU64) -> Response {
    counter.fetch_add(1, Relaxed);
    let mut response = ApiError::not_now(status, why).into_response();
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// A page of another origin in a browser, which lets it read an answer only if that says so (CORS). Tokens are no cookies: a browser
/// sends none by itself, so whoever has one may read.
struct Page(Option<HeaderValue>);

impl Page {
    fn of(headers: &HeaderMap) -> Self {
        Self(headers.get(ORIGIN).cloned())
    }

    /// Whether the browser asks what the page may do, before the call itself.
    fn asks(&self, request: &Request) -> bool {
        self.0.is_some()
            && *request.method() == Method::OPTIONS
            && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
    }

    fn let_read(self, headers: &mut HeaderMap) {
        if let Some(origin) = self.0 {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_name(RETRY_AFTER));
        }
    }
}

fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
        // Seconds for which the browser need not ask again.
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
