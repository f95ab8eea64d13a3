use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::handler::Handler;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Request, StatusCode};
use axum::response::IntoResponse;
use axum::routing::any_service;
use serde_json::Value;

use super::Harness;
use super::world::{TestWorld, Woken};
use crate::{Api, ApiContext, ApiError, Slp};

/// What an API answered.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiAnswer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body; a text that is no JSON is a string here.
    pub body: Value,
}

/// Calls an API that belongs to no service. The path is what stands behind `/{name}/{version}`.
///
/// # Panics
/// If the handler waits for something.
#[expect(clippy::panic, reason = "for tests: nothing can go on")]
pub fn call_api<A: Api>(request: Request<Body>) -> ApiAnswer {
    let mut call = Box::pin(answer(A::router(ApiContext::new(TestWorld::new())), request));
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

impl<P: Slp> Harness<P> {
    /// Calls an API that belongs to the service. The path is what stands behind `/{name}/{version}`.
    ///
    /// # Panics
    /// As [`Harness::block_on`].
    pub fn call_api<A: Api>(&mut self, request: Request<Body>) -> ApiAnswer {
        let router = A::router(self.api());
        self.block_on(answer(router, request))
    }
}

/// As the server does it: what no route answers is told in the envelope.
#[expect(clippy::expect_used, reason = "for tests: a body in memory does not fail")]
async fn answer(router: Router, request: Request<Body>) -> ApiAnswer {
    let router = router.method_not_allowed_fallback(async || ApiError::unsupported_method());
    let mut response = Handler::call(any_service(router), request, ()).await;
    if response.status() == StatusCode::NOT_FOUND && !response.headers().contains_key(CONTENT_TYPE) {
        response = ApiError::invalid_uri().into_response();
    }
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("the whole body");
    let body = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    ApiAnswer { status, body }
}
