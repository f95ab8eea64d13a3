//! How many may come in, and how fast.

use std::time::Duration;

use rtcd_server::{Ended, Signal};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout};

use crate::common::{Client, PATIENCE, Setup, TestServer, request};
use crate::http::{Answer, ask, enter, not_let_in, tcp, upgrade};

async fn start(limits: &str) -> TestServer {
    Setup::new().settings(&format!("limits: {{{limits}}}")).start().await
}

/// Waits until somebody is let in.
async fn until_let_in(server: &TestServer) -> TcpStream {
    let mut tick = interval(Duration::from_millis(10));
    let entered = timeout(PATIENCE, async {
        loop {
            tick.tick().await;
            let (answer, tcp) = enter(server, "late@a", "").await;
            if answer.status == 101 {
                return tcp;
            }
        }
    });
    entered.await.expect("nobody is let in")
}

fn assert_refused(answer: &Answer, status: u16, text: &str, wait: &str) {
    assert_eq!((answer.status, &*answer.body), (status, text));
    assert_eq!(answer.headers["retry-after"], wait);
    assert_eq!(answer.headers["connection"], "close");
}

/// At most what a bucket holds, and what has flowed in since.
fn assert_within(rate: u32, count: usize, since: Instant) {
    let most = f64::from(rate) * (1.0 + since.elapsed().as_secs_f64());
    assert!(count >= rate as usize && count as f64 <= most, "{count} of at most {most}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_in_all() {
    let server = start("connections: 2").await;
    let (first, first_tcp) = enter(&server, "a@a", "").await;
    // A connection counts from its first byte on, and before.
    let silent = tcp(server.rtc).await;
    assert_eq!(first.status, 101);
    for _ in 0..3 {
        let (answer, _) = enter(&server, "b@a", "").await;
        assert_refused(&answer, 503, "too many connections", "5");
    }
    assert_eq!(not_let_in(&server, "limits.connections").await, 3);
    drop(silent);
    let late = until_let_in(&server).await;
    drop((first_tcp, late));
    drop(until_let_in(&server).await);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_to_the_api_side() {
    const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let server = start("api_connections: 2").await;
    let (mut first, second) = (tcp(server.api).await, tcp(server.api).await);
    assert_eq!(ask(&mut first, HEALTH).await.status, 200);
    for _ in 0..3 {
        let answer = ask(&mut tcp(server.api).await, HEALTH).await;
        assert_refused(&answer, 503, "too many connections", "5");
    }
    drop(second);
    let mut tick = interval(Duration::from_millis(10));
    while ask(&mut tcp(server.api).await, HEALTH).await.status != 200 {
        tick.tick().await;
    }
    drop(first);
    // Clients have places of their own.
    assert_eq!(enter(&server, "a@a", "").await.0.status, 101);
    assert!(not_let_in(&server, "limits.api_connections").await >= 3);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_of_an_address() {
    let server = start("address_connections: 2").await;
    let (_, first) = enter(&server, "a@a", "").await;
    let (_, second) = enter(&server, "b@a", "").await;
    for _ in 0..3 {
        let (answer, _) = enter(&server, "c@a", "").await;
        assert_refused(&answer, 429, "too many connections from this address", "5");
    }
    assert_eq!(not_let_in(&server, "limits.address_connections").await, 3);
    drop(first);
    let late = until_let_in(&server).await;
    drop((second, late));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_connections_of_an_address() {
    let server = start("address_connects: 3").await;
    let since = Instant::now();
    let mut answers = Vec::new();
    for _ in 0..30 {
        answers.push(enter(&server, "a@a", "").await.0);
    }
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 101).collect();
    assert_within(3, 30 - refused.len(), since);
    for answer in &refused {
        assert_refused(answer, 429, "too many new connections from this address", "1");
    }
    assert_eq!(not_let_in(&server, "limits.address_connects").await, refused.len() as u64);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_connections_of_a_user() {
    let server = start("user_connects: 2").await;
    let since = Instant::now();
    let mut answers = Vec::new();
    for _ in 0..20 {
        answers.push(enter(&server, "a@a", "").await.0);
    }
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 101).collect();
    assert_within(2, 20 - refused.len(), since);
    for answer in &refused {
        assert_refused(answer, 429, "too many new connections of this user", "1");
    }
    // Others are not concerned.
    assert_eq!(enter(&server, "b@a", "").await.0.status, 101);
    assert_eq!(not_let_in(&server, "limits.user_connects").await, refused.len() as u64);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_follow_a_reload() {
    let server = start("address_connections: 1").await;
    let (_, first) = enter(&server, "a@a", "").await;
    assert_eq!(enter(&server, "b@a", "").await.0.status, 429);
    let settings = server.files.text("conf/rtcd.yaml");
    server
        .files
        .write("conf/rtcd.yaml", &settings.replace("address_connections: 1", "address_connections: 2"));
    server.signal(Signal::Reload).await;
    drop((until_let_in(&server).await, first));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_down_lets_nobody_in() {
    let server = Setup::new().settings("server: {stop_timeout: 1h}").start().await;
    let mut alice = Client::connect(&server, "alice@a").await;
    alice.send(&request("INVITE", "Recv_INVITE", "alice@a", "call", 7)).await;
    alice.expect(json!({"Code": 180})).await;
    let mut waiting = tcp(server.rtc).await;
    // It is taken in: later connections are.
    let (_, _later) = enter(&server, "later@a", "").await;
    server.signal(Signal::Stop).await;
    let gone = timeout(PATIENCE, async { while TcpStream::connect(server.rtc).await.is_ok() {} });
    gone.await.expect("the port stays open");
    let answer = ask(&mut waiting, &upgrade("b@a", "")).await;
    assert_refused(&answer, 503, "the server goes down", "5");
    assert_eq!(not_let_in(&server, "draining").await, 1);
    server.signal(Signal::Stop).await;
    assert_eq!(server.ended().await, Ended::Forced);
}
