use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::handler::Handler;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request, StatusCode};
use axum::response::IntoResponse;
use axum::routing::any_service;
use serde_json::Value;
use utoipa::openapi::{OpenApi, PathItem};

use super::Harness;
use super::world::{TestWorld, Woken};
use crate::extract::SignedIn;
use crate::host::Settings;
use crate::registry::load_api;
use crate::{Api, ApiContext, ApiError, Audience, LoadError, Slp};

/// What an API answered.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiAnswer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body; a text that is no JSON is a string here.
    pub body: Value,
}

/// An API under test that belongs to no service.
pub struct ApiHarness<A> {
    router: Router,
    openapi: OpenApi,
    api: PhantomData<fn() -> A>,
}

impl<A: Api> ApiHarness<A> {
    /// Enables the API with the text of a settings file.
    ///
    /// # Errors
    /// If the API refuses.
    pub fn new(yaml: &str) -> Result<Self, LoadError> {
        let (router, openapi) = load_api::<A>(ApiContext::new(TestWorld::new(), settings(yaml)))?;
        Ok(Self { router, openapi, api: PhantomData })
    }

    /// Calls the API. The path is what stands behind `/{name}/{version}`.
    ///
    /// # Panics
    /// If the handler waits for something, or answers a status that its documentation does not have.
    #[expect(clippy::panic, reason = "for tests: nothing can go on")]
    pub fn call(&self, request: Request<Body>) -> ApiAnswer {
        let mut call = Box::pin(self.answer(request));
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        loop {
            match call.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(answer) => return answer,
                Poll::Pending if woken.take() => (),
                Poll::Pending => panic!("the handler waits for ever"),
            }
        }
    }

    /// [`call`](Self::call) for handlers that wait, such as for another server.
    ///
    /// # Panics
    /// If the handler answers a status that its documentation does not have.
    pub async fn answer(&self, request: Request<Body>) -> ApiAnswer {
        answer::<A>(self.router.clone(), &self.openapi, request).await
    }

    /// The documentation, as `/openapi.json` shows it, but with paths of the API's own.
    pub fn openapi(&self) -> &OpenApi {
        &self.openapi
    }
}

impl<A> std::fmt::Debug for ApiHarness<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiHarness").finish_non_exhaustive()
    }
}

/// Calls an API that belongs to no service and has no settings. The path is what stands behind `/{name}/{version}`.
///
/// # Panics
/// As [`ApiHarness::call`], and if the API refuses to be enabled.
#[expect(clippy::panic, reason = "for tests: nothing can go on")]
pub fn call_api<A: Api>(request: Request<Body>) -> ApiAnswer {
    match ApiHarness::<A>::new("") {
        Ok(harness) => harness.call(request),
        Err(error) => panic!("the API is not enabled: {error}"),
    }
}

/// A call of an API for users by this user, as if its token had been good. Without it, such an API answers 401.
///
/// ```
/// use rtcd_sdk::api_prelude::*;
/// use rtcd_sdk::axum::{body::Body, http::Request};
/// use rtcd_sdk::harness::{call_api, signed_in};
///
/// struct Me;
///
/// impl Api for Me {
///     const AUDIENCE: Audience = Audience::User;
///
///     fn router(_: ApiContext) -> Result<OpenApiRouter, LoadError> {
///         Ok(OpenApiRouter::default().routes(routes!(me)))
///     }
/// }
///
/// /// Who calls.
/// #[utoipa::path(get, path = "/me", responses((status = 200, body = Envelope)))]
/// async fn me(SignedIn { user }: SignedIn) -> ApiResult {
///     Envelope::ok().with("user", user)
/// }
///
/// let request = || Request::get("/me").body(Body::empty());
/// assert_eq!(call_api::<Me>(signed_in("alice@test.com", request()?)).body["user"], "alice@test.com");
/// assert_eq!(call_api::<Me>(request()?).status.as_u16(), 401);
/// # Ok::<(), rtcd_sdk::axum::http::Error>(())
/// ```
pub fn signed_in(user: &str, mut request: Request<Body>) -> Request<Body> {
    request.extensions_mut().insert(SignedIn { user: user.to_owned() });
    request
}

impl<P: Slp> Harness<P> {
    /// Calls an API that belongs to the service. The path is what stands behind `/{name}/{version}`.
    ///
    /// # Panics
    /// As [`Harness::block_on`]; if the API refuses to be enabled, or answers a status that its documentation does not have.
    #[expect(clippy::panic, reason = "for tests: nothing can go on")]
    pub fn call_api<A: Api>(&mut self, request: Request<Body>) -> ApiAnswer {
        match load_api::<A>(self.api()) {
            Ok((router, openapi)) => self.block_on(answer::<A>(router, &openapi, request)),
            Err(error) => panic!("the API is not enabled: {error}"),
        }
    }
}

/// The text of a settings file in a test.
pub(super) fn settings(yaml: &str) -> Settings {
    Settings { file: "settings.yaml".to_owned(), text: Ok(yaml.to_owned()) }
}

/// As the server does it: what no route answers is told in the envelope.
#[expect(clippy::expect_used, reason = "for tests: a body in memory does not fail")]
async fn answer<A: Api>(router: Router, openapi: &OpenApi, mut request: Request<Body>) -> ApiAnswer {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let router = router.method_not_allowed_fallback(async || ApiError::unsupported_method());
    let is_let_in = match A::AUDIENCE {
        Audience::User => request.extensions().get::<SignedIn>().is_some(),
        Audience::Admin => {
            // Nobody signs in there.
            request.extensions_mut().remove::<SignedIn>();
            true
        }
    };
    let mut response = if is_let_in {
        Handler::call(any_service(router), request, ()).await
    } else {
        ApiError::not_signed_in("nobody is signed in").into_response()
    };
    if response.status() == StatusCode::NOT_FOUND && !response.headers().contains_key(CONTENT_TYPE) {
        response = ApiError::invalid_uri().into_response();
    }
    let status = response.status();
    check_documented(openapi, &method, &path, status);
    let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("the whole body");
    let body = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    ApiAnswer { status, body }
}

#[expect(clippy::panic, reason = "for tests: the API is wrong")]
fn check_documented(openapi: &OpenApi, method: &Method, path: &str, status: StatusCode) {
    let operation = |item: &PathItem| match *method {
        Method::GET => item.get.clone(),
        Method::POST => item.post.clone(),
        Method::DELETE => item.delete.clone(),
        _ => None,
    };
    let items = openapi.paths.paths.iter().filter(|(template, _)| covers(template, path));
    let operations: Vec<_> = items.filter_map(|(_, item)| operation(item)).collect();
    let documented =
        |responses: &utoipa::openapi::Responses| responses.responses.contains_key(status.as_str());
    if !operations.is_empty() && !operations.iter().any(|operation| documented(&operation.responses)) {
        panic!("{method} {path} answered {status}, which its documentation does not have");
    }
}

/// Whether a path such as `/rooms/{room}` or `/{*path}` covers this one.
fn covers(template: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    for wanted in template.split('/') {
        match parts.next() {
            Some(_) if wanted.starts_with("{*") => return true,
            Some(part) if wanted.starts_with('{') || wanted == part => (),
            _ => return false,
        }
    }
    parts.next().is_none()
}
