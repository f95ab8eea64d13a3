//! The gate: who may call, by the admin token and by `access.v1` when that is enabled.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use rtcd_sdk::extract::Json;
use rtcd_sdk::{ApiError, Envelope, secret};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::audit::Audit;
use super::plugin::call;
use crate::control::Control;
use crate::routes::ApiBinding;
use crate::rtc::headers;

/// The API that decides, when it is enabled.
pub(crate) const ACCESS: &str = "access.v1";

/// How long it may take. No answer: not let in.
const PATIENCE: Duration = Duration::from_secs(3);

/// More than any answer of it.
const LARGEST_ANSWER: usize = 64 * 1024;

/// Who calls, where it is known.
type Who = Option<String>;

/// Each call on the API port comes through here.
pub(super) async fn gate(State(control): State<Arc<Control>>, request: Request, next: Next) -> Response {
    if *request.method() == Method::GET && matches!(request.uri().path(), "/healthz" | "/readyz") {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let remote = parts.extensions.get().map(|ConnectInfo(remote): &ConnectInfo<SocketAddr>| *remote);
    let token = control.node().live().settings.api.token.clone();
    let decision = decide(&control, token.expose(), remote, &parts).await;
    let who = decision.as_ref().ok().and_then(Option::as_deref);
    // Written when it goes, so also for a client that is gone before its answer.
    let mut audit = Audit::of(who, remote, &parts);
    let response = match decision {
        Ok(_) => next.run(Request::from_parts(parts, body)).await,
        Err(status) => denied(status),
    };
    audit.answered(response.status());
    response
}

async fn decide(
    control: &Control,
    token: &str,
    remote: Option<SocketAddr>,
    parts: &Parts,
) -> Result<Who, StatusCode> {
    let authorization = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = authorization.and_then(secret::bearer);
    let is_admin = !token.is_empty() && given.is_some_and(|given| secret::same(given, token));
    let access = control.node().routes().load().apis.get(ACCESS).cloned();
    match access {
        Some(access) => {
            let name = ask(&access, &question(remote, parts, is_admin)).await?;
            Ok(if is_admin { Some("admin".to_owned()) } else { name })
        }
        None if is_admin => Ok(Some("admin".to_owned())),
        None if token.is_empty() => Ok(None),
        None if given.is_none() => Err(StatusCode::UNAUTHORIZED),
        None => Err(StatusCode::FORBIDDEN),
    }
}

fn question(remote: Option<SocketAddr>, parts: &Parts, is_admin: bool) -> Value {
    json!({
        "type": "api",
        "admin": is_admin,
        "remoteaddr": remote.map(|remote| remote.to_string()).unwrap_or_default(),
        "method": parts.method.as_str(),
        "url": parts.uri.path_and_query().map_or("/", |path| path.as_str()),
        "headers": headers(&parts.headers),
    })
}

/// Whatever goes wrong, the call is not let in.
async fn ask(access: &ApiBinding, question: &Value) -> Result<Who, StatusCode> {
    let request = Request::post("/")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(question.to_string()))
        .map_err(|_| StatusCode::FORBIDDEN)?;
    let answer = timeout(PATIENCE, async {
        let response = call(ACCESS, access.router.clone(), request).await;
        let status = response.status();
        (status, to_bytes(response.into_body(), LARGEST_ANSWER).await)
    });
    match answer.await {
        Ok((StatusCode::OK, body)) => {
            let body: Option<Value> = body.ok().and_then(|body| serde_json::from_slice(&body).ok());
            Ok(body.and_then(|body| body.get("name")?.as_str().map(str::to_owned)))
        }
        Ok((status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN), _)) => Err(status),
        Ok((status, _)) => {
            tracing::warn!(%status, "access.v1 failed: the call is not let in");
            Err(StatusCode::FORBIDDEN)
        }
        Err(_) => {
            tracing::warn!("access.v1 gave no answer: the call is not let in");
            Err(StatusCode::FORBIDDEN)
        }
    }
}

/// In the place of an `access.v1` that cannot be enabled.
pub(crate) fn gate_that_failed() -> ApiBinding {
    let decide = async |Json(question): Json<Value>| match question.get("admin") {
        Some(Value::Bool(true)) => Ok(Envelope::ok()),
        _ => Err(ApiError::denied()),
    };
    ApiBinding {
        implementation: "",
        router: Router::new().route("/", post(decide)),
        description: Arc::default(),
    }
}

fn denied(status: StatusCode) -> Response {
    let mut response = ApiError::denied().with_status(status).into_response();
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
