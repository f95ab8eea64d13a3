use std::any::TypeId;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::Service;
use crate::host::World;

/// An HTTP API: what lies below `/{name}/{version}/` while it is enabled.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an HTTP API",
    note = "implement `rtcd_sdk::Api` for it: one function that gives an axum::Router"
)]
pub trait Api: 'static {
    /// Its routes, without name and version: `Router::new().route("/rooms", get(rooms))`.
    fn router(cx: ApiContext) -> Router;
}

/// What an API can reach. Put it, or what it gives, into the router's state.
#[derive(Clone)]
pub struct ApiContext {
    world: Arc<dyn World>,
}

impl ApiContext {
    #[doc(hidden)]
    pub fn new(world: Arc<dyn World>) -> Self {
        Self { world }
    }

    /// What the tasks of a service share. `None` while the service is not loaded.
    pub fn service<S: Service>(&self) -> Option<Arc<S>> {
        self.world.service(TypeId::of::<S>())?.downcast().ok()
    }

    /// A client for other HTTP servers.
    pub fn http(&self) -> reqwest::Client {
        self.world.http()
    }

    /// The realm of this server.
    pub fn realm(&self) -> &str {
        self.world.realm()
    }
}

impl std::fmt::Debug for ApiContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiContext").finish_non_exhaustive()
    }
}

/// What a handler of an API gives back.
pub type ApiResult = Result<Envelope, ApiError>;

/// A good answer: `{"code":0,"msg":"OK",…}`.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope(Map<String, Value>);

impl Envelope {
    /// `{"code":0,"msg":"OK"}`.
    pub fn ok() -> Self {
        Self::message("OK")
    }

    /// A text in place of `OK`.
    pub fn message(text: impl Into<String>) -> Self {
        Self(Map::from_iter([("code".to_owned(), json!(0)), ("msg".to_owned(), Value::String(text.into()))]))
    }

    /// One more field at the top level.
    ///
    /// # Errors
    /// If the value does not serialise: system code 4.
    pub fn with(mut self, name: &str, value: impl Serialize) -> ApiResult {
        let value = serde_json::to_value(value).map_err(|error| ApiError::internal(error.to_string()))?;
        self.0.insert(name.to_owned(), value);
        Ok(self)
    }

    /// The fields of a struct or map at the top level.
    ///
    /// # Errors
    /// If the value is no object: system code 4.
    pub fn of(value: impl Serialize) -> ApiResult {
        let mut envelope = Self::ok();
        match serde_json::to_value(value) {
            Ok(Value::Object(fields)) => envelope.0.extend(fields),
            Ok(_) => return Err(ApiError::internal("the result is no object")),
            Err(error) => return Err(ApiError::internal(error.to_string())),
        }
        Ok(envelope)
    }
}

impl IntoResponse for Envelope {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// A bad answer: `{"code":N,"msg":"…"}` with an HTTP status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{msg}")]
pub struct ApiError {
    status: StatusCode,
    code: i64,
    msg: String,
    detail: Option<String>,
}

impl ApiError {
    /// An error of the API's own. Codes 1 to 7 are the system's.
    pub fn new(status: StatusCode, code: i64, msg: impl Into<String>) -> Self {
        Self { status, code, msg: msg.into(), detail: None }
    }

    /// Adds what exactly is wrong, in field `detail`.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Code 1: the path is no `/{name}/{version}/…`, or nothing is there.
    pub fn invalid_uri() -> Self {
        Self::new(StatusCode::NOT_FOUND, 1, "Invalid uri format")
    }

    /// Code 2: not GET, POST or DELETE, or not this one.
    pub fn unsupported_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, 2, "Unsupported Method")
    }

    /// Code 3: no such API.
    pub fn unsupported_api() -> Self {
        Self::new(StatusCode::NOT_FOUND, 3, "Unsupported API")
    }

    /// Code 4: the API failed.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, 4, "API Error").with_detail(detail)
    }

    /// Code 7: the gate says no.
    pub fn denied() -> Self {
        Self::new(StatusCode::FORBIDDEN, 7, "Access denied")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = json!({"code": self.code, "msg": self.msg});
        if let (Some(detail), Some(body)) = (self.detail, body.as_object_mut()) {
            body.insert("detail".to_owned(), Value::String(detail));
        }
        (self.status, axum::Json(body)).into_response()
    }
}
