//! APIs of plugins: found by the routing table at each call, and kept apart when they fail.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rtcd_sdk::{ApiError, Audience};
use tower_service::Service as _;

use super::user::BELOW;
use crate::control::{BUILT_IN, Control};
use crate::routes::{is_name, is_version};

/// An API of a plugin.
pub(super) async fn plugin(State(control): State<Arc<Control>>, mut request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::POST | Method::DELETE) {
        return ApiError::unsupported_method().into_response();
    }
    let Some((name, rest)) = split("", request.uri()) else { return ApiError::invalid_uri().into_response() };
    if BUILT_IN.contains(&&*name) {
        return ApiError::invalid_uri().into_response();
    }
    let Some(binding) = control.node().routes().load().apis.get(&name).cloned() else {
        return ApiError::unsupported_api().into_response();
    };
    if binding.audience == Audience::User {
        let place = format!("it is for users, who find it on the RTC port, below {BELOW}");
        return ApiError::unsupported_api().with_detail(place).into_response();
    }
    *request.uri_mut() = rest;
    call(&name, binding.router, request).await
}

/// Calls an API. One that panics has failed; what no route of it answers is told in the envelope.
pub(super) async fn call(name: &str, router: Router, request: Request) -> Response {
    let mut router = router.method_not_allowed_fallback(async || ApiError::unsupported_method());
    let mut answer = std::pin::pin!(async move { router.call(request).await });
    let answered = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Some),
        Err(_) => Poll::Ready(None),
    });
    let response = match answered.await {
        Some(Ok(response)) => response,
        Some(Err(never)) => match never {},
        None => {
            tracing::error!(api = name, "an API panicked");
            return ApiError::internal("the API panicked").into_response();
        }
    };
    if response.status() == StatusCode::NOT_FOUND && response.headers().get(header::CONTENT_TYPE).is_none() {
        return ApiError::invalid_uri().into_response();
    }
    response
}

/// `/{name}/{version}/{rest}`, below another path → `name.version` and `/{rest}` with the query.
pub(super) fn split(below: &str, uri: &Uri) -> Option<(String, Uri)> {
    let mut parts = uri.path().strip_prefix(below)?.strip_prefix('/')?.splitn(3, '/');
    let (name, version, rest) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
    if !is_name(name) || !is_version(version) {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Some((format!("{name}.{version}"), format!("/{rest}{query}").parse().ok()?))
}
