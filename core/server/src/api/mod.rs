//! The API side: `/{name}/{version}/{rest}`, found by the routing table at each request.

mod answers;
mod apim;
mod health;
mod openapi;
mod runtime;
mod slpm;
mod table;

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rtcd_sdk::utoipa_axum::router::OpenApiRouter;
use rtcd_sdk::utoipa_axum::routes;
use rtcd_sdk::{ApiError, utoipa};
use tower_service::Service as _;

pub(crate) use self::openapi::Description;
use crate::control::{BUILT_IN, Control};
use crate::routes::{is_name, is_version};

/// What the API side serves.
pub(crate) fn router(control: Arc<Control>) -> Router {
    let (built_in, documentation) = OpenApiRouter::default()
        .nest("/apim/v1", apim::router())
        .nest("/slpm/v1", slpm::router())
        .nest("/runtime/v1", runtime::router())
        .merge(health::router())
        .routes(routes!(openapi::openapi))
        .split_for_parts();
    let described = Description::built_in(documentation).unwrap_or_else(|error| {
        tracing::error!(%error, "the built-in APIs are not in /openapi.json");
        Description::default()
    });
    let built_in = built_in
        .layer(axum::Extension(Arc::new(described)))
        .fallback(plugin)
        .method_not_allowed_fallback(async || ApiError::unsupported_method())
        .with_state(control.clone());
    Router::new()
        .fallback_service(built_in)
        .layer(axum::middleware::map_response(with_server))
        .layer(axum::middleware::from_fn_with_state(control, counted))
}

/// Counts a call by its API and how it ended.
async fn counted(State(control): State<Arc<Control>>, request: Request, next: Next) -> Response {
    let node = control.node();
    let api = match split(request.uri()) {
        Some((name, _)) if BUILT_IN.contains(&&*name) || node.routes().load().apis.contains_key(&name) => {
            name
        }
        // Whatever strangers ask for has no name of its own.
        _ => "-".to_owned(),
    };
    let response = next.run(request).await;
    node.events.call(&api, response.status());
    response
}

/// An API of a plugin.
async fn plugin(State(control): State<Arc<Control>>, mut request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::POST | Method::DELETE) {
        return ApiError::unsupported_method().into_response();
    }
    let Some((name, rest)) = split(request.uri()) else { return ApiError::invalid_uri().into_response() };
    if BUILT_IN.contains(&&*name) {
        return ApiError::invalid_uri().into_response();
    }
    let Some(binding) = control.node().routes().load().apis.get(&name).cloned() else {
        return ApiError::unsupported_api().into_response();
    };
    *request.uri_mut() = rest;
    let mut router = binding.router.method_not_allowed_fallback(async || ApiError::unsupported_method());
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
    // What no route of the API answered has no body; the envelope says so.
    if response.status() == axum::http::StatusCode::NOT_FOUND
        && response.headers().get(header::CONTENT_TYPE).is_none()
    {
        return ApiError::invalid_uri().into_response();
    }
    response
}

/// `/{name}/{version}/{rest}` → `name.version` and `/{rest}` with the query.
fn split(uri: &Uri) -> Option<(String, Uri)> {
    let mut parts = uri.path().strip_prefix('/')?.splitn(3, '/');
    let (name, version, rest) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
    if !is_name(name) || !is_version(version) {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Some((format!("{name}.{version}"), format!("/{rest}{query}").parse().ok()?))
}

async fn with_server(mut response: Response) -> Response {
    response.headers_mut().insert(header::SERVER, HeaderValue::from_static("RTC-APIServer"));
    response
}
