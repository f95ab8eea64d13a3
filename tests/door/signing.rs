//! A service that gives tokens, and an API for users.

use std::future::pending;

use rtcd_sdk::api_prelude::*;
use rtcd_sdk::axum::http::HeaderMap;
use rtcd_sdk::axum::http::header::AUTHORIZATION;
use rtcd_sdk::jsip;
use rtcd_sdk::prelude::{Arc, Cx, Incoming, Outcome, Request, Slp};
use serde_json::json;

use crate::common::{Client, Setup, TestServer, request};

pub(crate) const ROUTES: &str = "
slps: {default: conformance, conformance: conformance, signing: signing}
routes: []
apis: {me.v1: {impl: me}, echo.v1: {impl: echo}}
hops: []
";

pub(crate) fn setup() -> Setup {
    Setup::new().routes(ROUTES)
}

/// The token that a user has got over its socket.
pub(crate) async fn token(server: &TestServer, user: &str) -> String {
    let mut client = Client::connect(server, user).await;
    client.send(&request("MESSAGE", "user@signing.test", user, "token", 1)).await;
    let answer = client.expect(json!({"Code": 200})).await;
    client.close().await;
    answer["Token"].as_str().unwrap().to_owned()
}

/// Answers with a token of whoever asks.
struct Signing;

rtcd_sdk::register_slp!("signing", Signing);

impl Slp for Signing {
    type Leg = ();
    type Service = ();

    fn new(_: &Arc<()>) -> Self {
        Self
    }

    async fn on_request(&mut self, cx: &mut Cx, request: Incoming<Request>) -> Outcome {
        let token = cx.token(&request.from);
        let mut response = request.response(jsip::StatusCode::OK);
        response.headers.set_text("Token", &token.text);
        response.headers.set_number("Token-Expire", token.lifetime.as_secs());
        cx.send(request.leg, response)?;
        cx.finish();
        Ok(())
    }
}

struct Me;

rtcd_sdk::register_api!("me", Me);

impl Api for Me {
    const AUDIENCE: Audience = Audience::User;

    fn router(_: ApiContext) -> Result<OpenApiRouter, LoadError> {
        Ok(OpenApiRouter::default()
            .routes(routes!(me, post_me))
            .routes(routes!(hang))
            .routes(routes!(fall))
            .routes(routes!(much)))
    }
}

/// Who calls, and whether the token can be seen.
#[utoipa::path(get, path = "/me", responses((status = 200, body = Envelope)))]
async fn me(SignedIn { user }: SignedIn, headers: HeaderMap) -> ApiResult {
    Envelope::ok().with("user", user)?.with("token", headers.contains_key(AUTHORIZATION))
}

/// How much was posted.
#[utoipa::path(post, path = "/me", request_body = String, responses((status = 200, body = Envelope)))]
async fn post_me(SignedIn { user }: SignedIn, Bytes(body): Bytes) -> ApiResult {
    Envelope::ok().with("user", user)?.with("bytes", body.len())
}

/// Never answers.
#[utoipa::path(get, path = "/hang", responses((status = 200, body = Envelope)))]
async fn hang() -> ApiResult {
    pending().await
}

/// Panics.
#[utoipa::path(get, path = "/panic", responses((status = 200, body = Envelope)))]
async fn fall() -> ApiResult {
    panic!("as it should")
}

/// More than any socket holds.
#[utoipa::path(get, path = "/much", responses((status = 200, body = String)))]
async fn much() -> Vec<u8> {
    vec![b'x'; 64 * 1024 * 1024]
}
