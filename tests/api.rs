//! The API side, as operators see it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::fmt::Write as _;

use common::{Client, Setup, TestServer, request};
use rtcd_sdk::LoadError;
use rtcd_sdk::utoipa_axum::router::OpenApiRouter;
use serde_json::json;

const ROUTES: &str = "
slps: {default: conformance, conformance: conformance}
routes: []
apis:
  echo.v1: {impl: echo}
  echo.v2: {impl: echo, enabled: false}
hops: []
";

async fn start() -> TestServer {
    Setup::new().routes(ROUTES).start().await
}

/// What `curl` and a program see of some calls, one after the other.
async fn transcript(server: &TestServer, calls: &[(&str, &str)]) -> String {
    let mut seen = String::new();
    for (method, path) in calls {
        let (status, text) = server.curl(method, path).await;
        let _ = writeln!(seen, "{method} {path}\n{status}\n{text}");
        if *method == "GET" {
            let (status, json) = server.api(method, path).await;
            let _ = writeln!(seen, "as JSON\n{status}\n{json}\n");
        }
    }
    let since = regex::Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").unwrap();
    since.replace_all(&seen, "<since>").into_owned()
}

#[tokio::test]
async fn apis_are_switched() {
    let server = start().await;
    let calls = [
        ("GET", "/apim/v1/apis"),
        ("GET", "/echo/v1/a/b?c=d"),
        ("GET", "/echo/v2/a"),
        ("POST", "/apim/v1/echo.v2?file=echo.so"),
        ("GET", "/echo/v2/a"),
        ("DELETE", "/apim/v1/echo.v1"),
        ("GET", "/echo/v1/a"),
        ("GET", "/apim/v1/apis"),
        ("DELETE", "/apim/v1/echo.v1"),
        ("DELETE", "/apim/v1/apim.v1"),
        ("POST", "/apim/v1/runtime.v1?file=echo"),
        ("POST", "/apim/v1/echo.v3?file=nothing"),
        ("POST", "/apim/v1/echo.v3"),
        ("POST", "/apim/v1/echo?file=echo"),
        ("POST", "/apim/v1/ec%20ho.v1?file=echo"),
    ];
    insta::assert_snapshot!(transcript(&server, &calls).await);
    server.end().await;
}

struct Refuses;

impl rtcd_sdk::Api for Refuses {
    fn router(_: rtcd_sdk::ApiContext) -> Result<OpenApiRouter, LoadError> {
        Err(LoadError::Refused("it rains".to_owned()))
    }
}

struct Panics;

impl rtcd_sdk::Api for Panics {
    fn router(_: rtcd_sdk::ApiContext) -> Result<OpenApiRouter, LoadError> {
        panic!("as it should")
    }
}

rtcd_sdk::register_api!("refuses", Refuses);
rtcd_sdk::register_api!("panics", Panics);

#[tokio::test]
async fn an_api_that_refuses_is_not_enabled() {
    let routes = ROUTES.replace("hops:", "  off.v1: {impl: panics, enabled: false}\nhops:");
    let server = Setup::new().routes(&routes).service("echo2", "headers: 1").start().await;
    let calls = [
        ("POST", "/apim/v1/x.v1?file=refuses"),
        ("POST", "/apim/v1/x.v1?file=panics"),
        ("POST", "/apim/v1/x.v1?file=echo2"),
        ("GET", "/x/v1"),
    ];
    insta::assert_snapshot!(transcript(&server, &calls).await);
    server.end().await;
}

#[tokio::test]
async fn services_are_switched_and_counted() {
    let server = start().await;
    let mut alice = Client::connect(&server, "alice@a").await;
    alice.send(&request("MESSAGE", "Recv_MESSAGE", "alice@a", "d1", 1)).await;
    alice.expect(json!({"Code": 200})).await;
    server.until("tasks", 0).await;
    let calls = [
        ("GET", "/slpm/v1/slps"),
        ("POST", "/slpm/v1/second?file=conformance"),
        ("DELETE", "/slpm/v1/default"),
        ("GET", "/slpm/v1/slps"),
        ("DELETE", "/slpm/v1/default"),
        ("POST", "/slpm/v1/x?file=nothing"),
        ("POST", "/slpm/v1/x"),
        ("POST", "/slpm/v1/x.y?file=conformance"),
    ];
    insta::assert_snapshot!(transcript(&server, &calls).await);
    alice.send(&request("MESSAGE", "Recv_MESSAGE", "alice@a", "d2", 1)).await;
    alice.expect(json!({"Code": 404, "DialogueID": "d2"})).await;
    alice.close().await;
    server.end().await;
}

#[tokio::test]
async fn wrong_calls_get_the_envelope() {
    let server = start().await;
    let calls = [
        ("GET", "/"),
        ("GET", "/echo"),
        ("GET", "/echo/1/x"),
        ("GET", "/nothing/v1/x"),
        ("PUT", "/echo/v1/x"),
        ("PATCH", "/apim/v1/apis"),
        ("POST", "/apim/v1/apis/x"),
        ("GET", "/runtime/v1/nothing"),
        ("POST", "/runtime/v1/jstack"),
    ];
    insta::assert_snapshot!(transcript(&server, &calls).await);
    server.end().await;
}

#[tokio::test]
async fn runtime_shows_what_goes_on() {
    let server = start().await;
    let mut alice = Client::connect(&server, "alice@a").await;
    alice.send(&request("INVITE", "Recv_INVITE", "alice@a", "call-1", 7)).await;
    alice.expect(json!({"Code": 180})).await;
    let calls = [("GET", "/runtime/v1/jstack"), ("GET", "/runtime/v1/distribute")];
    let seen = transcript(&server, &calls).await;
    let ports = regex::Regex::new(r"127\.0\.0\.1:\d+").unwrap();
    let ages = regex::Regex::new(r"\d+ s\b").unwrap();
    let seen = ports.replace_all(&seen, "<remote>");
    insta::assert_snapshot!(ages.replace_all(&seen, "<age>"));
    let cancel =
        common::fields(request("CANCEL", "Recv_INVITE", "alice@a", "call-1", 8), json!({"RelatedID": 7}));
    alice.send(&cancel).await;
    alice.expect(json!({"Code": 200, "CSeq": 8})).await;
    let terminated = alice.expect(json!({"Code": 487, "CSeq": 7})).await;
    alice.send(&common::ack(&terminated, 9)).await;
    alice.close().await;
    server.end().await;
}
