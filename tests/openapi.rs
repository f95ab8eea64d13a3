//! `/openapi.json` says what APIs do, on both sides: each operation is called, and answers nothing that is not documented.
#![allow(
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "for tests, of which each uses a part"
)]

mod common;

use common::{Client, Setup, TestServer, request};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rtcd_sdk::api_prelude::*;
use rtcd_sdk::jsip;
use rtcd_sdk::prelude::{Arc, Cx, Incoming, Outcome, Request, Slp};
use serde_json::{Value, json};

const ROUTES: &str = "
slps: {default: conformance, conformance: conformance, chatroom: chatroom, registrar: registrar, keys: keys}
routes: []
apis:
  chatroom.v1: {impl: chatroom}
  registrar.v1: {impl: registrar}
  echo.v1: {impl: echo}
  echo.v2: {impl: echo2}
  things.v1: {impl: things}
  webhook.v1: {impl: webhook}
hops: []
";

/// Gives a token to whoever asks.
struct Keys;

rtcd_sdk::register_slp!("keys", Keys);

impl Slp for Keys {
    type Leg = ();
    type Service = ();

    fn new(_: &Arc<()>) -> Self {
        Self
    }

    async fn on_request(&mut self, cx: &mut Cx, request: Incoming<Request>) -> Outcome {
        let mut response = request.response(jsip::StatusCode::OK);
        response.headers.set_text("Token", &cx.token(&request.from).text);
        cx.send(request.leg, response)?;
        cx.finish();
        Ok(())
    }
}

/// An API for users.
struct Things;

rtcd_sdk::register_api!("things", Things);

impl Api for Things {
    const AUDIENCE: Audience = Audience::User;

    fn router(_: ApiContext) -> Result<OpenApiRouter, LoadError> {
        Ok(OpenApiRouter::default().routes(routes!(thing, make)))
    }
}

/// A thing of the user.
#[utoipa::path(get, path = "/things/{number}", params(("number" = String, Path)), responses((status = 200, body = Envelope)))]
async fn thing(SignedIn { user }: SignedIn, Path(number): Path<String>) -> ApiResult {
    Envelope::ok().with("owner", user)?.with("number", number)
}

/// Makes a thing.
#[utoipa::path(post, path = "/things/{number}", params(("number" = String, Path)), request_body = Object, responses((status = 200, body = Envelope)))]
async fn make(SignedIn { user }: SignedIn, Json(thing): Json<Value>) -> ApiResult {
    Envelope::ok().with("owner", user)?.with("thing", thing)
}

/// Calls of each operation.
const CALLS: usize = 40;

/// What stands for a parameter: names that exist, names that do not, and what is no name.
const VALUES: [&str; 16] = [
    "echo.v1",
    "echo.v2",
    "chatroom.v1",
    "apim.v1",
    "new.v7",
    "conformance",
    "chatroom",
    "echo",
    "echo.so",
    "room:888@test.com",
    "a%20b",
    "%E2%98%83",
    "%ff",
    "a%2Fb",
    "",
    "*",
];

/// What stands for `file`.
const FILES: [&str; 7] = ["echo", "echo2.so", "chatroom", "conformance", "nothing", "", "%ff"];

/// What stands for `kind`.
const KINDS: [&str; 4] = ["peer", "listener", "task", "nothing"];

/// Bodies: none, JSON, what is no JSON, what is no text.
const BODIES: [&[u8]; 6] = [b"", b"{\"a\": 1}", b"[1, \"x\"]", b"{\"a\"", b"plain text", b"\xff\xfe"];

#[tokio::test]
async fn the_document() {
    let server = Setup::new().routes(ROUTES).start().await;
    let (status, document) = server.api("GET", "/openapi.json").await;
    assert_eq!(status, 200);
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap());
    server.end().await;
}

#[tokio::test]
async fn nothing_is_answered_that_is_not_documented() {
    let server = Setup::new().routes(ROUTES).start().await;
    let (_, document) = server.api("GET", "/openapi.json").await;
    let token = token(&server).await;
    let mut random = StdRng::seed_from_u64(20_274);
    let mut seen = std::collections::BTreeSet::new();
    // Those that read come first: some of those that write take APIs away.
    for method in ["get", "post", "delete"] {
        for (path, operations) in document["paths"].as_object().unwrap() {
            let Some(operation) = operations.get(method) else { continue };
            for _ in 0..CALLS {
                let status = call(&server, &token, &mut random, method, path, operation).await;
                seen.insert(format!("{method} {path} {status}"));
            }
        }
    }
    // What has been reached: a call that finds another answer is a change, too.
    insta::assert_snapshot!(seen.into_iter().collect::<Vec<_>>().join("\n"));
    server.stop().await;
}

async fn token(server: &TestServer) -> String {
    let mut alice = Client::connect(server, "alice@a").await;
    alice.send(&request("MESSAGE", "any@keys.test", "alice@a", "key", 1)).await;
    let token = alice.expect(json!({"Code": 200})).await["Token"].as_str().unwrap().to_owned();
    alice.close().await;
    token
}

async fn call(
    server: &TestServer,
    token: &str,
    random: &mut StdRng,
    method: &str,
    template: &str,
    operation: &Value,
) -> u16 {
    let mut path = template.to_owned();
    let mut query = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let value = VALUES[random.random_range(0..VALUES.len())];
        match parameter["in"].as_str().unwrap() {
            "path" => path = path.replace(&format!("{{{name}}}"), value),
            "query" if name == "file" => {
                query.push(format!("file={}", FILES[random.random_range(0..FILES.len())]));
            }
            "query" if name == "kind" => {
                query.push(format!("kind={}", KINDS[random.random_range(0..KINDS.len())]));
            }
            "query" if name == "limit" && random.random_bool(0.7) => {
                query.push(format!("limit={}", random.random_range(1..1000)));
            }
            "query" if ["after", "user", "dialog"].contains(&name) && random.random_bool(0.7) => {}
            "query" if random.random_bool(0.8) => query.push(format!("{name}={value}")),
            _ => {}
        }
    }
    if random.random_bool(0.1) {
        query.push("%ff=&=&a=1&a=2".to_owned());
    }
    let is_for_users = template.starts_with("/api/");
    let side = if is_for_users { server.rtc } else { server.api };
    let url = format!("http://{side}{path}?{}", query.join("&"));
    let mut request = server.http().request(method.to_uppercase().parse().unwrap(), &url);
    if is_for_users && random.random_bool(0.9) {
        request = request.bearer_auth(token);
    }
    if random.random_bool(0.5) {
        request = request.header("Accept", "application/json");
    }
    if operation.get("requestBody").is_some() || random.random_bool(0.1) {
        request = request.body(BODIES[random.random_range(0..BODIES.len())]);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let what = format!("{method} {url} answered {status}");
    assert!(operation["responses"].get(status.to_string()).is_some(), "{what}, which is not documented");
    let json = response.headers().get("Content-Type").is_some_and(|kind| kind == "application/json");
    let text = response.text().await.unwrap();
    if json && template != "/openapi.json" {
        let body: Value = serde_json::from_str(&text).unwrap();
        assert!(body["code"].is_i64() && body["msg"].is_string(), "{what}: {text} is no envelope");
        assert_eq!(body["code"] == 0, status == 200, "{what}: {text}");
    }
    status
}
