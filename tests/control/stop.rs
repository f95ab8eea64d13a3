//! Stopping with calls up.

use std::time::Duration;

use futures_util::future::join_all;
use rtcd_server::{Ended, Signal};
use serde_json::json;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use crate::common::{Client, PATIENCE, Setup, TestServer, ack, answer, request};

/// How many calls are up: `RTCD_CALLS`, or some.
fn calls() -> usize {
    std::env::var("RTCD_CALLS").ok().and_then(|text| text.parse().ok()).unwrap_or(200)
}

/// A call that is up.
async fn call(server: &TestServer, number: usize) -> Client {
    let user = format!("user{number}@a");
    let mut client = Client::connect(server, &user).await;
    let invite = request("INVITE", "Recv_INVITE_Session_Timeout", &user, "call", 1);
    client.send(&invite).await;
    client.expect(json!({"Code": 180})).await;
    let accepted = client.expect(answer(&invite, 200)).await;
    client.send(&ack(&accepted, 2)).await;
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_of_the_calls_end_by_themselves() {
    const DEADLINE: Duration = Duration::from_secs(2);
    let server = Setup::new().settings("server: {stop_timeout: 2s}").start().await;
    let calls = calls();
    let mut clients = Vec::new();
    for number in 0..calls {
        clients.push(call(&server, number).await);
    }
    server.until("sessions", calls as i64).await;
    let mut late = Client::connect(&server, "late@a").await;

    let since = Instant::now();
    server.signal(Signal::Stop).await;
    // New work is refused at once, with the time to come again.
    let refused = loop {
        let message = request("MESSAGE", "Recv_MESSAGE", "late@a", &format!("d{:?}", since.elapsed()), 1);
        late.send(&message).await;
        let answer = late.recv().await;
        if answer["Code"] != 200 {
            break answer;
        }
    };
    assert_eq!((&refused["Code"], &refused["Retry-After"]), (&json!(503), &json!(5)), "{refused}");

    let ends = clients.into_iter().enumerate().map(|(number, mut client)| async move {
        if number % 2 == 0 {
            let bye = request("BYE", "Recv_INVITE_Session_Timeout", &client.user, "call", 3);
            client.send(&bye).await;
            client.expect(answer(&bye, 200)).await;
            // Its answer was all: no BYE of the server comes.
            (1, 0, close_code(client).await)
        } else {
            client.expect(json!({"Type": "BYE", "DialogueID": "call"})).await;
            (0, 1, close_code(client).await)
        }
    });
    let ends = join_all(ends).await;
    let ended = server.ended().await;
    let took = since.elapsed();
    println!("{calls} calls; stopped after {took:?}");
    assert_eq!(ended, Ended::Gracefully);
    assert!(took >= DEADLINE && took < DEADLINE + Duration::from_secs(1), "{took:?}");
    assert!(ends.iter().all(|(_, _, code)| *code == 1001), "{ends:?}");
    assert_eq!(ends.iter().map(|(own, _, _)| own).sum::<usize>(), calls.div_ceil(2));
    assert_eq!(close_code(late).await, 1001);
}

/// The close code that a client reads, with nothing but pings before it.
async fn close_code(mut client: Client) -> u16 {
    loop {
        match client.frame().await {
            Message::Close(frame) => return frame.map_or(0, |frame| frame.code.into()),
            Message::Ping(_) => {}
            other => panic!("{}: {other:?}", client.user),
        }
    }
}

#[tokio::test]
async fn with_nothing_up_it_stops_at_once() {
    let server = TestServer::start().await;
    let idle = Client::connect(&server, "idle@a").await;
    server.until("connections", 1).await;
    let since = Instant::now();
    server.signal(Signal::Stop).await;
    assert_eq!(close_code(idle).await, 1001);
    assert_eq!(server.ended().await, Ended::Gracefully);
    assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_request_without_an_answer_gets_503_at_the_deadline() {
    let server = Setup::new().settings("server: {stop_timeout: 200ms}").start().await;
    let mut alice = Client::connect(&server, "alice@a").await;
    let invite = request("INVITE", "Recv_INVITE_Timeout", "alice@a", "open", 1);
    alice.send(&invite).await;
    server.until("sessions", 1).await;
    server.signal(Signal::Stop).await;
    alice.expect(answer(&invite, 503)).await;
    assert_eq!(close_code(alice).await, 1001);
    assert_eq!(server.ended().await, Ended::Gracefully);
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let server = Setup::new().settings("server: {stop_timeout: 1h}").start().await;
    let client = call(&server, 0).await;
    server.until("sessions", 1).await;
    server.signal(Signal::Stop).await;
    server.signal(Signal::Stop).await;
    let since = Instant::now();
    assert_eq!(server.ended().await, Ended::Forced);
    assert!(since.elapsed() < PATIENCE);
    drop(client);
}
