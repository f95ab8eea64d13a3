//! Who may call the API port.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::io::Write;
use std::sync::{Arc, Mutex};

use common::{PATIENCE, Setup, TestServer};
use rtcd_sdk::api_prelude::*;
use rtcd_server::Signal;
use serde_json::{Value, json};
use tokio::time::timeout;

const ADMIN: &str = "the-admin-token-of-tests";
const CI: &str = "the-token-of-ci-in-tests";
const WRONG: &str = "nobody-has-this-token";

const TOKENS: &str =
    "tokens: [{name: ci, token: the-token-of-ci-in-tests, allow: ['GET /echo/*', 'POST /slpm/*', 'GET /']}]";

fn setup(token: &str, access: &str) -> Setup {
    let routes = format!(
        "
slps: {{default: conformance}}
routes: []
apis:
  chatroom.v1: {{impl: chatroom}}
  echo.v1: {{impl: echo}}
  echo.v2: {{impl: echo2}}
  webhook.v1: {{impl: webhook}}
  {access}
hops: []
"
    );
    Setup::new().settings(&format!("api: {{token: '{token}'}}")).routes(&routes).service("access", TOKENS)
}

/// Status, body and `WWW-Authenticate` of a call with a token.
async fn call(server: &TestServer, method: &str, path: &str, token: &str) -> (u16, Value, Option<String>) {
    let url = format!("http://{}{path}", server.api);
    let mut request = server.http().request(method.to_uppercase().parse().unwrap(), url);
    if !token.is_empty() {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    let response = timeout(PATIENCE, request.send()).await.unwrap().unwrap();
    let challenge =
        response.headers().get("WWW-Authenticate").map(|value| value.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or_default(), challenge)
}

async fn status(server: &TestServer, method: &str, path: &str, token: &str) -> u16 {
    call(server, method, path, token).await.0
}

/// Waits until a reload has done this to a token.
async fn until(server: &TestServer, wanted: u16) {
    let reached =
        timeout(PATIENCE, async { while status(server, "GET", "/echo/v1/x", CI).await != wanted {} });
    reached.await.unwrap_or_else(|_| panic!("never {wanted}"));
}

/// Every call that is documented, and some that nothing answers.
async fn every_call(server: &TestServer, token: &str) -> Vec<(String, String)> {
    let document = call(server, "GET", "/openapi.json", token).await.1;
    let mut calls: Vec<(String, String)> =
        ["/", "/nothing", "/nothing/v1/x", "/access/v1", "/apim/v1/nothing/x"]
            .iter()
            .flat_map(|path| {
                ["GET", "POST", "DELETE", "PUT"].map(|method| (method.to_owned(), (*path).to_owned()))
            })
            .chain([("POST".to_owned(), "/healthz".to_owned())])
            .collect();
    let parameters = regex::Regex::new(r"\{\w+\}").unwrap();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = parameters.replace_all(path, "x");
        if matches!(&*path, "/healthz" | "/readyz") {
            continue;
        }
        for (method, operation) in operations.as_object().unwrap() {
            let responses = &operation["responses"];
            assert!(responses["401"].is_object() && responses["403"].is_object(), "{method} {path}");
            calls.push((method.to_uppercase(), path.to_string()));
        }
    }
    assert!(calls.len() > 35, "{calls:?}");
    calls
}

#[tokio::test]
async fn every_call_needs_the_admin_token() {
    let server = setup(ADMIN, "").start().await;
    let denied = json!({"code": 7, "msg": "Access denied"});
    for (method, path) in every_call(&server, ADMIN).await {
        let what = format!("{method} {path}");
        let none = call(&server, &method, &path, "").await;
        assert_eq!(none, (401, denied.clone(), Some("Bearer".to_owned())), "{what} without a token");
        for wrong in [WRONG, CI, &ADMIN[1..], &format!("{ADMIN}x")] {
            assert_eq!(
                call(&server, &method, &path, wrong).await,
                (403, denied.clone(), None),
                "{what} with {wrong}"
            );
        }
        assert!(!matches!(status(&server, &method, &path, ADMIN).await, 401 | 403), "{what}");
    }
    for path in ["/healthz", "/readyz"] {
        assert!(!matches!(status(&server, "GET", path, "").await, 401 | 403), "{path}");
    }
    server.signal(Signal::Kill).await;
    server.ended().await;
}

#[tokio::test]
async fn access_decides_for_all_but_the_admin() {
    let server = setup(ADMIN, "access.v1: {impl: access}").start().await;
    for (method, path) in every_call(&server, ADMIN).await {
        let what = format!("{method} {path}");
        assert_eq!(status(&server, &method, &path, "").await, 401, "{what} without a token");
        assert_eq!(status(&server, &method, &path, WRONG).await, 403, "{what} with a wrong token");
        assert!(!matches!(status(&server, &method, &path, ADMIN).await, 401 | 403), "{what}");
        let allowed = (method == "GET" && (path.starts_with("/echo/") || path == "/"))
            || (method == "POST" && path.starts_with("/slpm/"));
        let denied = matches!(status(&server, &method, &path, CI).await, 401 | 403);
        assert_eq!(denied, !allowed, "{what} with a token for a part");
    }
    // The server's own token aside, `access` decides alone.
    server.files.write("conf/access.yaml", "tokens: []");
    server.signal(Signal::Reload).await;
    until(&server, 403).await;
    assert_eq!(status(&server, "DELETE", "/apim/v1/access.v1", ADMIN).await, 200);
    assert_eq!(status(&server, "GET", "/echo/v1/x", CI).await, 403);
    assert_eq!(status(&server, "GET", "/echo/v1/x", "").await, 401);
    assert_eq!(status(&server, "GET", "/echo/v1/x", ADMIN).await, 200);
    server.signal(Signal::Kill).await;
    server.ended().await;
}

#[tokio::test]
async fn access_without_an_admin_token() {
    let server = setup("", "").start().await;
    assert_eq!(status(&server, "GET", "/apim/v1/apis", "").await, 200);
    assert_eq!(status(&server, "POST", "/apim/v1/access.v1?file=access", "").await, 200);
    assert_eq!(status(&server, "GET", "/apim/v1/apis", "").await, 401);
    assert_eq!(status(&server, "GET", "/apim/v1/apis", CI).await, 403);
    assert_eq!(status(&server, "GET", "/echo/v1/x", CI).await, 200);
    // What was switched on stays on, but cannot be enabled any more: nobody is let in, rather than everybody.
    server.files.write("conf/access.yaml", "tokens: [{name: ci, token: short}]");
    server.signal(Signal::Reload).await;
    until(&server, 403).await;
    assert_eq!(status(&server, "GET", "/echo/v1/x", "").await, 403);
    server.files.write("conf/access.yaml", TOKENS);
    server.signal(Signal::Reload).await;
    until(&server, 200).await;
    server.signal(Signal::Kill).await;
    server.ended().await;
}

/// A gate that does not work. `url` says how.
struct Broken;

impl Api for Broken {
    fn router(_: ApiContext) -> Result<OpenApiRouter, LoadError> {
        Ok(OpenApiRouter::default().routes(routes!(fail)))
    }
}

/// Fails.
#[utoipa::path(post, path = "/")]
async fn fail(Json(question): Json<Value>) -> Result<Envelope, ApiError> {
    match question["url"].as_str().unwrap() {
        "/panics" => panic!("as it should"),
        "/silent" => std::future::pending().await,
        "/moved" => Err(ApiError::new(StatusCode::TEMPORARY_REDIRECT, 100, "Moved")),
        "/created" => Err(ApiError::new(StatusCode::CREATED, 0, "OK")),
        "/missing" => Err(ApiError::new(StatusCode::NOT_FOUND, 100, "Missing")),
        "/unauthorized" => Err(ApiError::new(StatusCode::UNAUTHORIZED, 100, "Who are you")),
        _ => Ok(Envelope::ok()),
    }
}

register_api!("broken", Broken);

#[tokio::test]
async fn a_gate_that_fails_is_closed() {
    let server = setup(ADMIN, "access.v1: {impl: broken}").start().await;
    for token in ["", ADMIN] {
        for path in ["/panics", "/silent", "/moved", "/created", "/missing"] {
            assert_eq!(status(&server, "GET", path, token).await, 403, "{path}");
        }
        assert_eq!(
            call(&server, "GET", "/unauthorized", token).await,
            (401, json!({"code": 7, "msg": "Access denied"}), Some("Bearer".to_owned()))
        );
        assert_eq!(status(&server, "GET", "/echo/v1/x", token).await, 200);
    }
    server.signal(Signal::Kill).await;
    server.ended().await;
}

/// What is written to the log.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn each_switch_leaves_a_line() {
    let server = setup(ADMIN, "access.v1: {impl: access}").start().await;
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter("rtcd::audit=info")
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .without_time()
        .finish();
    // The server of this test runs on this thread.
    let _here = tracing::subscriber::set_default(subscriber);
    for (method, path, token) in [
        ("GET", "/apim/v1/apis", ADMIN),
        ("POST", "/apim/v1/echo.v3?file=echo", ADMIN),
        ("DELETE", "/apim/v1/echo.v3", ADMIN),
        ("DELETE", "/apim/v1/runtime.v1", ADMIN),
        ("POST", "/slpm/v1/second?file=conformance", CI),
        ("DELETE", "/slpm/v1/second", CI),
        ("DELETE", "/slpm/v1/second", WRONG),
        ("DELETE", "/slpm/v1/second", ""),
        ("POST", "/slpm/v1/x%0a%1b[2J?file=who%22\"%20status=200", ADMIN),
        ("DELETE", &format!("/slpm/v1/{}", "x".repeat(2000)), ADMIN),
        ("POST", "/echo/v1/x", ADMIN),
    ] {
        status(&server, method, path, token).await;
    }
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let ports = regex::Regex::new(r"127\.0\.0\.1:\d+").unwrap();
    insta::assert_snapshot!(ports.replace_all(&text, "<remote>"));
    for secret in [ADMIN, CI, WRONG] {
        assert!(!text.contains(secret));
    }
    server.signal(Signal::Kill).await;
    server.ended().await;
}
