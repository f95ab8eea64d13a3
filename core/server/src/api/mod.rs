//! The API side: `/{name}/{version}/{rest}`, found by the routing table at each request. And APIs for users, which the RTC side
//! serves.

mod answers;
mod apim;
mod audit;
mod calls;
mod gate;
mod health;
mod openapi;
mod plugin;
mod runtime;
mod slpm;
mod table;
mod user;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::Response;
use rtcd_sdk::utoipa_axum::router::OpenApiRouter;
use rtcd_sdk::utoipa_axum::routes;
use rtcd_sdk::{ApiError, utoipa};

pub(crate) use self::calls::Calls;
pub(crate) use self::gate::{ACCESS, gate_that_failed};
pub(crate) use self::openapi::Description;
pub(crate) use self::user::{BELOW, call_of_user};
use crate::control::{BUILT_IN, Control};

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
        .fallback(plugin::plugin)
        .method_not_allowed_fallback(async || ApiError::unsupported_method())
        .with_state(control.clone());
    Router::new()
        .fallback_service(built_in)
        .layer(from_fn_with_state(control.clone(), gate::gate))
        .layer(map_response(with_server))
        .layer(from_fn_with_state(control, counted))
}

/// Counts a call by its API and how it ended.
async fn counted(State(control): State<Arc<Control>>, request: Request, next: Next) -> Response {
    let node = control.node();
    let api = match plugin::split("", request.uri()) {
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

async fn with_server(mut response: Response) -> Response {
    response.headers_mut().insert(header::SERVER, HeaderValue::from_static("RTC-APIServer"));
    response
}
