//! The API with a server behind it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

use api_webhook::Webhook;
use rtcd_sdk::axum::body::Body;
use rtcd_sdk::axum::http::{Request, StatusCode};
use rtcd_sdk::axum::response::Redirect;
use rtcd_sdk::axum::routing::post;
use rtcd_sdk::axum::{self, Router};
use rtcd_sdk::harness::{ApiAnswer, ApiHarness};
use rtcd_sdk::serde_json::{Value, json};
use tokio::net::TcpListener;

/// An API that passes on to a server with these routes, by their names.
async fn start() -> ApiHarness<Webhook> {
    let routes = Router::new()
        .route("/echo", post(async |body: String| (StatusCode::CREATED, body)))
        .route("/text", post(async || "plain"))
        .route("/refuses", post(async || (StatusCode::CONFLICT, "{\"no\":1}")))
        .route("/away", post(async || Redirect::temporary("/echo")))
        .route("/long", post(async || "x".repeat(101)))
        .route("/just", post(async || "x".repeat(100)))
        .route("/silent", post(std::future::pending::<()>));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    // Nobody listens here any more.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let names = ["echo", "text", "refuses", "away", "long", "just", "silent"];
    let hooks: Vec<_> = names.iter().map(|name| format!("{name}: 'http://{address}/{name}'")).collect();
    let hooks = hooks.join(", ");
    let settings =
        format!("{{hooks: {{{hooks}, gone: 'http://{gone}/?secret'}}, timeout: 200ms, max_answer: 100}}");
    ApiHarness::new(&settings).unwrap()
}

async fn call(api: &ApiHarness<Webhook>, hook: &str, body: &str) -> (u16, Value) {
    let request = Request::post(format!("/{hook}")).body(Body::from(body.to_owned())).unwrap();
    let ApiAnswer { status, body } = api.answer(request).await;
    (status.as_u16(), body)
}

#[tokio::test]
async fn bodies_go_on_and_answers_come_back() {
    let api = start().await;
    let passed = |status: u16, answer: Value| {
        (200, json!({"code": 0, "msg": "OK", "status": status, "answer": answer}))
    };
    assert_eq!(call(&api, "echo", r#"{"a":[1]}"#).await, passed(201, json!({"a": [1]})));
    assert_eq!(call(&api, "text", "1").await, passed(200, json!("plain")));
    assert_eq!(call(&api, "refuses", "1").await, passed(409, json!({"no": 1})));
    assert_eq!(call(&api, "away", "1").await, passed(307, json!("")));
    assert_eq!(call(&api, "just", "1").await, passed(200, json!("x".repeat(100))));
}

#[tokio::test]
async fn what_goes_wrong() {
    let api = start().await;
    assert_eq!(call(&api, "nobody", "1").await, (404, json!({"code": 100, "msg": "No such hook"})));
    assert_eq!(call(&api, "long", "1").await, (502, json!({"code": 102, "msg": "The answer is too long"})));
    assert_eq!(call(&api, "silent", "1").await, (504, json!({"code": 103, "msg": "No answer in time"})));
    let (status, body) = call(&api, "gone", "1").await;
    assert_eq!((status, &body["code"]), (502, &json!(101)));
    assert!(!body.to_string().contains("secret"), "{body}");
    let (status, body) = call(&api, "echo", "{").await;
    assert_eq!((status, &body["code"]), (400, &json!(8)));
}

#[test]
fn settings() {
    let refusal = |yaml| ApiHarness::<Webhook>::new(yaml).unwrap_err().to_string();
    assert_eq!(
        refusal("hooks: {a: 'file:///etc'}"),
        "conf/webhook.yaml: hooks.a: it is no http or https URL"
    );
    assert!(refusal("hook: {}").starts_with("settings.yaml:1: unknown field `hook`"));
    ApiHarness::<Webhook>::new(include_str!("../../../conf/webhook.yaml")).unwrap();
}
