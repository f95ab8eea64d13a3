//! Services that ask for what makes little sense, and bursts: the rest goes on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::fmt;

use common::{Client, Setup, TestServer, answer, fields, request};
use rtcd_sdk::prelude::*;
use serde_json::json;

const ROUTES: &str = "
slps: {default: conformance, conformance: conformance, extreme: extreme}
routes: []
apis: {}
hops: []
";

/// Does what the Request-URI says.
struct Extreme;

impl Slp for Extreme {
    type Leg = ();
    type Service = ();

    fn new(_: &Arc<()>) -> Self {
        Self
    }

    async fn on_request(&mut self, cx: &mut Cx, request: Incoming<Request>) -> Outcome {
        match &*request.uri {
            "eternal" => drop(cx.timer(Duration::MAX)),
            "restless" => drop(cx.timer(Duration::ZERO)),
            "unspeakable" => return Err(Unspeakable.into()),
            "said and failed" => {
                cx.reply(&request, StatusCode::OK)?;
                return Err(Fault::new("after all"));
            }
            uri => {
                // A burst: so many messages of 50 kB to the user of this name.
                let body = "x".repeat(50_000);
                for _ in 0..60 {
                    let mut message = cx.request(Method::Message, "burst", uri);
                    message.headers.set_text("Body", &body);
                    cx.open((), message)?;
                }
            }
        }
        cx.reply(&request, StatusCode::OK)?;
        Ok(())
    }

    async fn on_timer(&mut self, cx: &mut Cx, _: TimerId) -> Outcome {
        cx.timer(Duration::ZERO);
        Ok(())
    }
}

register_slp!("extreme", Extreme);

#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("it cannot be told")
    }
}

impl std::error::Error for Unspeakable {}

async fn start() -> TestServer {
    Setup::new().routes(ROUTES).start().await
}

async fn ask(client: &mut Client, what: &str, code: u16) {
    let message = request("MESSAGE", what, "a@b", what, 1);
    client.send(&fields(message, json!({"Router": "x@h;type=extreme"}))).await;
    client.expect(json!({"Code": code, "DialogueID": what})).await;
}

async fn is_served(client: &mut Client, dialog: &str) {
    client.send(&request("MESSAGE", "Recv_MESSAGE", "a@b", dialog, 1)).await;
    client.expect(json!({"Code": 200, "DialogueID": dialog})).await;
}

#[tokio::test]
async fn a_timer_for_ever_is_a_long_one() {
    let server = start().await;
    let mut alice = Client::connect(&server, "a@b").await;
    ask(&mut alice, "eternal", 200).await;
    is_served(&mut alice, "after").await;
    alice.close().await;
    let mut again = Client::connect(&server, "a@b").await;
    is_served(&mut again, "again").await;
    server.stop().await;
}

#[tokio::test]
async fn a_timer_of_no_time_holds_up_nobody() {
    let server = start().await;
    let mut alice = Client::connect(&server, "a@b").await;
    ask(&mut alice, "restless", 200).await;
    for n in 0..50 {
        is_served(&mut alice, &format!("after-{n}")).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn an_error_that_panics_when_told_ends_its_task_alone() {
    let server = start().await;
    let mut alice = Client::connect(&server, "a@b").await;
    ask(&mut alice, "unspeakable", 500).await;
    is_served(&mut alice, "after").await;
    alice.close().await;
    server.end().await;
}

#[tokio::test]
async fn what_was_sent_before_a_failure_leaves() {
    let server = start().await;
    let mut alice = Client::connect(&server, "a@b").await;
    ask(&mut alice, "said and failed", 200).await;
    alice.close().await;
    server.end().await;
}

#[tokio::test]
async fn a_burst_is_no_slow_reader() {
    let server = start().await;
    let mut bob = Client::connect(&server, "bob@b").await;
    let mut alice = Client::connect(&server, "a@b").await;
    ask(&mut alice, "bob@b", 200).await;
    for _ in 0..60 {
        let message = bob.expect(json!({"Type": "MESSAGE", "From": "burst"})).await;
        bob.send(&answer(&message, 200)).await;
    }
    bob.close().await;
    alice.close().await;
    server.end().await;
}
