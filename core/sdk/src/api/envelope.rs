use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

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

/// A good answer whose own fields are those of a struct, so that what a handler gives back is what its documentation shows,
/// with `body = Answer<T>`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Answer<T> {
    code: i64,
    msg: &'static str,
    #[serde(flatten)]
    fields: T,
}

impl<T> Answer<T> {
    /// `{"code":0,"msg":"OK",…}`.
    pub fn new(fields: T) -> Self {
        Self { code: 0, msg: "OK", fields }
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        // Not by way of a `Value`: JSON that is passed on as it came would not stay so.
        let fields = serde_json::to_string(&self)
            .and_then(|text| serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(&text));
        match fields {
            Ok(fields) => axum::Json(fields).into_response(),
            Err(error) => ApiError::internal(error.to_string()).into_response(),
        }
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
    /// An error of the API's own, with a code from 100 on: those below are the system's.
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

    /// Code 7 with status 401: nobody is signed in.
    pub fn not_signed_in(detail: impl Into<String>) -> Self {
        Self::denied().with_status(StatusCode::UNAUTHORIZED).with_detail(detail)
    }

    /// Code 8: a parameter or the body cannot be read.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 8, "Bad Request").with_detail(detail)
    }

    /// Code 11: not now.
    pub fn not_now(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::new(status, 11, "Not Now").with_detail(detail)
    }

    /// The same error with another HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
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
