//! Other servers: calls that leave this one, hops that cannot be reached, and those that must not be dialled.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;

use common::{Client, Setup, TestServer, ack, answer, fields, request};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

/// A server that may dial what these patterns cover.
fn server(realm: &str, hops: &str) -> Setup {
    let routes = format!(
        "slps: {{default: conformance, conformance: conformance, call: call}}
routes: [{{when: {{method: INVITE, request_uri: '*@*'}}, slp: call}}]
apis: {{}}
hops: [{hops}]"
    );
    Setup::new()
        .settings(&format!("jsip: {{realm: {realm}, conntimeout: 200ms, retry: 2, away_grace: 100ms}}"))
        .routes(&routes)
}

fn invite(via: &str, dialog: &str) -> serde_json::Value {
    let invite = request("INVITE", "bob@b.example", "alice@a.example", dialog, 1);
    fields(invite, json!({"Router": format!("x@a.example;type=call,{via}"), "Body": "sdp"}))
}

#[tokio::test]
async fn a_call_goes_through_two_servers() {
    let far = server("far.example", "").start().await;
    let near = server("near.example", &format!("'{}'", far.rtc)).start().await;
    let mut alice = Client::connect(&near, "alice@a.example").await;
    let mut bob = Client::connect(&far, "bob@b.example").await;

    alice.send(&invite(&format!("bob@{}", far.rtc), "d")).await;
    let incoming = bob.expect(json!({"Type": "INVITE", "From": "alice@a.example", "Body": "sdp"})).await;
    // 70 where it left the first server, one less where it came in at the second.
    assert_eq!(incoming["Max-Forwards"], json!(69), "{incoming}");
    assert_eq!(incoming.get("Router"), None, "{incoming}");
    bob.send(&answer(&incoming, 180)).await;
    alice.expect(json!({"Code": 180, "DialogueID": "d", "CSeq": 1})).await;
    bob.send(&answer(&incoming, 200)).await;
    let accepted = alice.expect(json!({"Code": 200, "DialogueID": "d", "CSeq": 1})).await;
    alice.send(&ack(&accepted, 2)).await;
    bob.expect(json!({"Type": "ACK"})).await;
    let bye = fields(
        request("BYE", "alice@a.example", "bob@b.example", "", 77),
        json!({"DialogueID": incoming["DialogueID"]}),
    );
    bob.send(&bye).await;
    bob.expect(json!({"Code": 200, "CSeq": 77})).await;
    let bye = alice.expect(json!({"Type": "BYE", "DialogueID": "d"})).await;
    alice.send(&answer(&bye, 200)).await;

    alice.close().await;
    bob.close().await;
    // The connection between the servers stays open for the next call.
    near.until_all(&[("connections", 1), ("dialogs", 0), ("sessions", 0), ("transactions", 0), ("tasks", 0)])
        .await;
    near.stop().await;
    far.end().await;
}

#[tokio::test]
async fn a_hop_that_cannot_be_reached_gives_503_and_holds_up_nobody() {
    // A port that nobody listens on.
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let server = server("near.example", "'127.0.0.1:*'").start().await;
    let mut alice = Client::connect(&server, "alice@a.example").await;
    alice.send(&invite(&format!("bob@{closed}"), "d")).await;
    let mut carol = Client::connect(&server, "carol@a.example").await;
    carol.send(&request("MESSAGE", "Recv_MESSAGE", "carol@a.example", "m", 1)).await;
    carol.expect(json!({"Code": 200, "DialogueID": "m"})).await;
    let refused = alice.expect(json!({"Code": 503, "DialogueID": "d", "CSeq": 1})).await;
    alice.send(&ack(&refused, 2)).await;
    alice.close().await;
    carol.close().await;
    server.end().await;
}

#[tokio::test]
async fn a_hop_that_takes_the_connection_and_says_nothing_gives_408() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = server("near.example", "'127.0.0.1:*'").start().await;
    let mut alice = Client::connect(&server, "alice@a.example").await;
    alice.send(&invite(&format!("bob@{}", silent.local_addr().unwrap()), "d")).await;
    let refused = alice.expect(json!({"Code": 408, "DialogueID": "d", "CSeq": 1})).await;
    alice.send(&ack(&refused, 2)).await;
    alice.close().await;
    server.end().await;
}

#[tokio::test]
async fn only_hops_of_the_table_are_dialled() {
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = server("near.example", "'*.edge.example:8080'").start().await;
    let mut alice = Client::connect(&server, "alice@a.example").await;
    alice.send(&invite(&format!("bob@{}", other.local_addr().unwrap()), "d")).await;
    let refused = alice.expect(json!({"Code": 480, "DialogueID": "d", "CSeq": 1})).await;
    alice.send(&ack(&refused, 2)).await;
    alice.close().await;
    server.end().await;
}

#[tokio::test]
async fn a_user_cannot_pass_for_a_hop() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let server: TestServer = server("near.example", "'127.0.0.1:*'").start().await;
    let mut mallory = Client::connect(&server, &format!("127.0.0.1:{}", closed.port())).await;
    let mut alice = Client::connect(&server, "alice@a.example").await;
    alice.send(&invite(&format!("bob@{closed}"), "d")).await;
    let refused = alice.expect(json!({"Code": 503, "DialogueID": "d"})).await;
    alice.send(&ack(&refused, 2)).await;
    // Nothing came to who has the hop's name before the answer to a request of its own.
    mallory.send(&request("MESSAGE", "Recv_MESSAGE", "m@x", "m", 1)).await;
    mallory.expect(json!({"Code": 200, "DialogueID": "m"})).await;
    mallory.close().await;
    alice.close().await;
    server.end().await;
}

#[tokio::test]
async fn a_hop_whose_connection_breaks_is_dialled_again() {
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = server("near.example", "'127.0.0.1:*'").start().await;
    let mut alice = Client::connect(&server, "alice@a.example").await;
    alice.send(&invite(&format!("bob@{}", other.local_addr().unwrap()), "d")).await;

    // The hop takes the INVITE and is gone; on the next connection it gets it again, and answers.
    let (first, _) = other.accept().await.unwrap();
    let mut first = accept_async(first).await.unwrap();
    let sent = first.next().await.unwrap().unwrap();
    drop(first);
    let (second, _) = other.accept().await.unwrap();
    let mut second = accept_async(second).await.unwrap();
    let again = second.next().await.unwrap().unwrap();
    assert_eq!(sent, again);
    let incoming: serde_json::Value = serde_json::from_str(again.to_text().unwrap()).unwrap();
    second.send(Message::text(answer(&incoming, 486).to_string())).await.unwrap();
    let refused = alice.expect(json!({"Code": 486, "DialogueID": "d", "CSeq": 1})).await;
    alice.send(&ack(&refused, 2)).await;
    alice.close().await;
    drop(second);
    server.end().await;
}
