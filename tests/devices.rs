//! A user with several devices: one peer each.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;

use common::{Client, Setup, TestServer, answer, fields, request};
use serde_json::json;

const ROUTES: &str = "
slps: {default: conformance, conformance: conformance, call: call}
routes: [{when: {method: INVITE}, slp: call}]
apis: {}
hops: []
";

async fn start() -> TestServer {
    Setup::new().routes(ROUTES).start().await
}

/// Has the server send a MESSAGE to `target`.
async fn message_to(client: &mut Client, target: &str, dialog: &str) {
    let message = fields(request("MESSAGE", "Send_MESSAGE", target, dialog, 1), json!({}));
    client.send(&message).await;
    client.expect(json!({"Type": "RESPONSE", "Code": 200, "DialogueID": dialog})).await;
}

#[tokio::test]
async fn a_device_is_reached_by_its_name_and_keeps_its_socket() {
    let server = start().await;
    let mut phone = Client::connect(&server, "alice@test.com&device=phone").await;
    let mut desk = Client::connect(&server, "alice@test.com&device=desk").await;
    let mut bob = Client::connect(&server, "bob@test.com").await;
    message_to(&mut bob, "alice@test.com;device=phone", "d1").await;
    let to_phone =
        phone.expect(json!({"Type": "MESSAGE", "Request-URI": "alice@test.com;device=phone"})).await;
    phone.send(&answer(&to_phone, 200)).await;
    // Without a device: the one that came last, as there is none without.
    message_to(&mut bob, "alice@test.com", "d2").await;
    let to_desk = desk.expect(json!({"Type": "MESSAGE", "Request-URI": "alice@test.com"})).await;
    desk.send(&answer(&to_desk, 200)).await;
    // One without a device goes before.
    let mut alone = Client::connect(&server, "alice@test.com").await;
    message_to(&mut bob, "alice@test.com", "d3").await;
    let to_alone = alone.expect(json!({"Type": "MESSAGE", "Request-URI": "alice@test.com"})).await;
    alone.send(&answer(&to_alone, 200)).await;
    // The same device again takes over, and no other is closed.
    let mut again = Client::connect(&server, "alice@test.com&device=phone").await;
    assert_eq!(phone.close_code().await, 4001);
    message_to(&mut bob, "alice@test.com;device=phone", "d4").await;
    again.expect(json!({"Type": "MESSAGE"})).await;
    message_to(&mut bob, "alice@test.com;device=desk", "d5").await;
    desk.expect(json!({"Type": "MESSAGE"})).await;
}

#[tokio::test]
async fn a_user_named_like_a_device_is_another_one() {
    let server = start().await;
    let mut phone = Client::connect(&server, "alice@test.com&device=phone").await;
    let mut liar = Client::connect(&server, "alice@test.com%3Bdevice=phone").await;
    message_to(&mut liar, "alice@test.com;device=phone", "d1").await;
    phone.expect(json!({"Type": "MESSAGE"})).await;
}

#[tokio::test]
async fn a_call_for_a_user_with_devices_rings() {
    let server = start().await;
    let mut phone = Client::connect(&server, "alice@test.com&device=phone").await;
    let mut bob = Client::connect(&server, "bob@test.com").await;
    bob.send(&request("INVITE", "alice@test.com", "bob@test.com", "call", 1)).await;
    let invite = phone.expect(json!({"Type": "INVITE", "From": "bob@test.com"})).await;
    phone.send(&answer(&invite, 486)).await;
    bob.expect(json!({"Code": 486})).await;
}
