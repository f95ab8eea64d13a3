//! How long a client may take.

use tokio::io::AsyncWriteExt;

use crate::common::Setup;
use crate::http::{answer, ask, closed, not_let_in, tcp, upgrade};

const HALF: &[u8] = b"GET /runtime/v1/jstack HTTP/1.1\r\nHost:";
const WHOLE: &str = "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn to_send_a_head() {
    let setup = "rtc: {clientheadertimeout: 200ms}\napi: {clientheadertimeout: 200ms}";
    let server = Setup::new().settings(setup).start().await;
    for address in [server.rtc, server.api] {
        let mut silent = tcp(address).await;
        let mut slow = tcp(address).await;
        slow.write_all(HALF).await.unwrap();
        closed(&mut silent).await;
        closed(&mut slow).await;
    }
    assert_eq!(not_let_in(&server, "clientheadertimeout").await, 4);
    // A WebSocket may be silent for longer.
    let mut socket = tcp(server.rtc).await;
    assert_eq!(ask(&mut socket, &upgrade("a@a", "")).await.status, 101);
    let mut clock = tcp(server.rtc).await;
    closed(&mut clock).await;
    server.until("connections", 1).await;
    drop(socket);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn to_send_a_body() {
    let server = Setup::new()
        .settings("api: {clientheadertimeout: 200ms}")
        .routes("slps: {default: conformance}\nroutes: []\napis: {echo.v1: {impl: echo}}\nhops: []\n")
        .start()
        .await;
    let mut slow = tcp(server.api).await;
    let head = "POST /echo/v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc";
    assert_eq!(ask(&mut slow, head).await.status, 400);
    closed(&mut slow).await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn between_two_requests() {
    // An idle connection may be so for longer than a head may take.
    let settings = "api: {clientheadertimeout: 200ms, keepalived: 1h}";
    let server = Setup::new().settings(settings).start().await;
    let mut idle = tcp(server.api).await;
    assert_eq!(ask(&mut idle, WHOLE).await.status, 404);
    let mut clock = tcp(server.api).await;
    closed(&mut clock).await;
    assert_eq!(ask(&mut idle, WHOLE).await.status, 404);
    // Once the next head has begun, it must come in time.
    idle.write_all(HALF).await.unwrap();
    closed(&mut idle).await;
    // Two at once are answered one after the other.
    let mut both = tcp(server.api).await;
    both.write_all(WHOLE.repeat(2).as_bytes()).await.unwrap();
    assert_eq!(answer(&mut both).await.status, 404);
    assert_eq!(answer(&mut both).await.status, 404);
    server.end().await;

    let server = Setup::new().settings("api: {clientheadertimeout: 1h, keepalived: 200ms}").start().await;
    let mut idle = tcp(server.api).await;
    assert_eq!(ask(&mut idle, WHOLE).await.status, 404);
    closed(&mut idle).await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_ends_the_connection() {
    let server = Setup::new().start().await;
    let mut tcp = tcp(server.rtc).await;
    let refused = ask(&mut tcp, WHOLE).await;
    assert_eq!((refused.status, &*refused.headers["connection"]), (404, "close"));
    closed(&mut tcp).await;
    server.end().await;
}
