//! The gate: who may call, by the admin token and by `access.v1` when that is enabled.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use rtcd_sdk::extract::Json;
use rtcd_sdk::{ApiError, Audience, Envelope, secret};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::audit::Audit;
use super::plugin::call;
use crate::config::ApiSettings;
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
    let live = control.node().live().clone();
    let decision = decide(&control, &live.settings.api, remote, &parts).await;
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
    api: &ApiSettings,
    remote: Option<SocketAddr>,
    parts: &Parts,
) -> Result<Who, StatusCode> {
    let (token, insecure) = (api.token.expose(), api.insecure);
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
        None if token.is_empty() && !insecure && is_of_a_stranger(&parts.headers) => {
            Err(StatusCode::FORBIDDEN)
        }
        None if token.is_empty() => Ok(None),
        None if given.is_none() => Err(StatusCode::UNAUTHORIZED),
        None => Err(StatusCode::FORBIDDEN),
    }
}

/// Whether a page of somebody else's, in the operator's own browser, has made the call: a browser sends it to loopback as it would
/// anywhere, and where there is no token nothing else would stop it. A page whose name was made to lead here is told by that name.
fn is_of_a_stranger(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or_default());
    let Some(origin) = text(header::ORIGIN) else { return false };
    let host = text(header::HOST).unwrap_or_default();
    let name = host.parse::<Authority>().map(|authority| authority.host().to_owned()).unwrap_or_default();
    let leads_here_alone = name == "localhost" || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    let same = origin.split_once("://").is_some_and(|(_, authority)| authority == host);
    !same || !leads_here_alone
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
        audience: Audience::Admin,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_strangers() {
        for (host, origin, stranger) in [
            (Some("127.0.0.1:2539"), None, false),
            (Some("[::1]:2539"), None, false),
            (Some("localhost:2539"), Some("http://localhost:2539"), false),
            (None, None, false),
            (Some("127.0.0.1:2539"), Some("http://evil.example"), true),
            (Some("127.0.0.1:2539"), Some("http://127.0.0.1:8080"), true),
            (Some("127.0.0.1:2539"), Some("null"), true),
            (Some("evil.example:2539"), Some("http://evil.example:2539"), true),
            (Some("proxy.example"), None, false),
            (None, Some("http://evil.example"), true),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(host) = host {
                headers.insert(header::HOST, HeaderValue::from_static(host));
            }
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(is_of_a_stranger(&headers), stranger, "{host:?} {origin:?}");
        }
    }
}
