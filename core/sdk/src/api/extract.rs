//! axum's extractors, for handlers of APIs: what they refuse is answered in the envelope.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;

use crate::ApiError;

/// Who calls an API for users ([`Audience::User`](crate::Audience::User)). The server has checked the token before the handler runs.
/// An API for operators knows no users: there, this refuses each call with 401.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The user, as the client's socket names it.
    pub user: String,
}

/// As [`axum::extract::Path`]: the parts of the path in `{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path<T>(pub T);

/// As [`axum::extract::Query`]: what stands behind the `?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query<T>(pub T);

/// As [`axum::Json`], but `Content-Type` does not matter: `curl -d` will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

/// As [`axum::body::Bytes`]: the whole body, of 2 MiB at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes(pub axum::body::Bytes);

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get().cloned().ok_or_else(|| ApiError::not_signed_in("nobody is signed in"))
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(refused)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = axum::extract::Query::from_request_parts(parts, state).await;
        query.map(|query| Self(query.0)).map_err(refused)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let Bytes(body) = Bytes::from_request(request, state).await?;
        axum::Json::from_bytes(&body).map(|json| Self(json.0)).map_err(refused)
    }
}

impl<S: Send + Sync> FromRequest<S> for Bytes {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        axum::body::Bytes::from_request(request, state).await.map(Self).map_err(refused)
    }
}

/// 400, or 413 for a body that is too large.
fn refused(rejection: impl std::fmt::Display + IntoResponse) -> ApiError {
    let error = ApiError::bad_request(rejection.to_string());
    match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => error.with_status(StatusCode::PAYLOAD_TOO_LARGE),
        _ => error,
    }
}
