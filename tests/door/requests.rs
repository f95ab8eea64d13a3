//! How many requests a client may send.

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::common::{Client, Setup, TestServer, ack, answer, request};
use crate::http::counter;

async fn start(limits: &str) -> TestServer {
    Setup::new().settings(&format!("limits: {{{limits}}}")).start().await
}

fn message(user: &str, number: u64) -> Value {
    request("MESSAGE", "Recv_MESSAGE", user, &format!("dialog-{number}"), 1)
}

/// Sends requests at once; gives how many were let through. Each of the others has one answer, which says when to try again.
async fn burst(client: &mut Client, count: u64) -> u64 {
    let user = client.user.clone();
    for number in 0..count {
        client.send(&message(&user, number)).await;
    }
    let mut passed = 0;
    let mut answered = std::collections::BTreeSet::new();
    for _ in 0..count {
        let response = client.recv().await;
        assert!(answered.insert(response["DialogueID"].to_string()), "a second answer: {response}");
        match response["Code"].as_u64() {
            Some(200) => passed += 1,
            Some(503) => assert_eq!(response["Retry-After"], 1, "{response}"),
            _ => panic!("{response}"),
        }
    }
    passed
}

fn assert_within(rate: f64, count: u64, since: Instant) {
    let most = rate * (1.0 + since.elapsed().as_secs_f64());
    assert!(count as f64 >= rate && count as f64 <= most, "{count} of at most {most}");
}

async fn refused(server: &TestServer, limit: &str) -> u64 {
    counter(server, &format!("rtcd_no_room_total{{key=\"{limit}\"}}")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_user() {
    let server = start("user_requests: 5").await;
    let mut alice = Client::connect(&server, "alice@a").await;
    let mut bob = Client::connect(&server, "bob@a").await;
    let since = Instant::now();
    let passed = burst(&mut alice, 50).await;
    assert_within(5.0, passed, since);
    assert_eq!(refused(&server, "limits.user_requests").await, 50 - passed);
    // Others are not concerned; who comes again is the same.
    let since_bob = Instant::now();
    assert_within(5.0, burst(&mut bob, 5).await, since_bob);
    alice.close().await;
    let mut alice = Client::connect(&server, "alice@a").await;
    let passed = passed + burst(&mut alice, 50).await;
    assert_within(5.0, passed, since);
    server.end_with([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_an_address() {
    let server = start("address_requests: 5").await;
    let mut alice = Client::connect(&server, "alice@a").await;
    let mut bob = Client::connect(&server, "bob@a").await;
    let since = Instant::now();
    let passed = burst(&mut alice, 30).await + burst(&mut bob, 30).await;
    assert_within(5.0, passed, since);
    assert_eq!(refused(&server, "limits.address_requests").await, 60 - passed);
    server.end_with([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_something_always_passes() {
    let server = start("user_requests: 1").await;
    let mut alice = Client::connect(&server, "alice@a").await;
    let mut bob = Client::connect(&server, "bob@a").await;
    // A call that is up, and one that rings.
    let invite = request("INVITE", "bob@a", "alice@a", "call", 1);
    alice.send(&invite).await;
    let passed = bob.expect(json!({"Type": "INVITE"})).await;
    bob.reply(&passed, 200).await;
    let accepted = alice.expect(answer(&invite, 200)).await;
    burst(&mut alice, 20).await;
    alice.send(&ack(&accepted, 2)).await;
    bob.expect(json!({"Type": "ACK"})).await;
    // In a dialog that is there, too much is refused likewise, and a repeat gets the same answer.
    let mut cseq = 2;
    let refused = loop {
        cseq += 1;
        let info = request("INFO", "bob@a", "alice@a", "call", cseq);
        alice.send(&info).await;
        let response = tokio::select! {
            response = alice.recv() => response,
            request = bob.recv() => {
                bob.reply(&request, 200).await;
                alice.recv().await
            }
        };
        if response["Code"] == 503 {
            alice.send(&info).await;
            assert_eq!(alice.recv().await, response);
            break response;
        }
    };
    assert_eq!(refused["Retry-After"], 1);
    let bye = request("BYE", "bob@a", "alice@a", "call", cseq + 1);
    alice.send(&bye).await;
    alice.expect(answer(&bye, 200)).await;
    let bye = bob.expect(json!({"Type": "BYE"})).await;
    bob.reply(&bye, 200).await;
    server.end_with([alice, bob]).await;
}
