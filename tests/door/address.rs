//! Where a client is, and from which page it comes.

use rtcd_sdk::axum::routing::post;
use rtcd_sdk::axum::{Json, Router, serve};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::common::{PATIENCE, Setup, TestServer};
use crate::http::{enter, not_let_in};

async fn behind(proxies: &str, more: &str) -> TestServer {
    Setup::new().settings(&format!("rtc: {{trusted_proxies: {proxies}{more}}}")).start().await
}

async fn status(server: &TestServer, user: &str, more: &str) -> u16 {
    enter(server, user, more).await.0.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trusted_proxy_says_where_a_client_is() {
    let server = Setup::new()
        .settings("rtc: {trusted_proxies: ['127.0.0.0/8', '10.0.0.0/8']}\nlimits: {address_connections: 1}")
        .start()
        .await;
    let (first, _first) = enter(&server, "a@a", "X-Forwarded-For: 203.0.113.1\r\n").await;
    assert_eq!(first.status, 101);
    for more in [
        "X-Forwarded-For: 203.0.113.1\r\n",
        "X-Forwarded-For: 203.0.113.1:4711\r\n",
        "X-Forwarded-For: 203.0.113.2, 203.0.113.1, 10.0.0.1\r\n",
        "X-Forwarded-For: 203.0.113.2\r\nX-Forwarded-For: ::ffff:203.0.113.1\r\n",
    ] {
        assert_eq!(status(&server, "b@a", more).await, 429, "{more}");
    }
    let (other, _other) = enter(&server, "b@a", "X-Forwarded-For: 203.0.113.1, 203.0.113.2\r\n").await;
    assert_eq!(other.status, 101);
    // Of IPv6, the first half tells clients apart.
    let (v6, _v6) = enter(&server, "c@a", "X-Forwarded-For: 2001:db8::1\r\n").await;
    assert_eq!(v6.status, 101);
    assert_eq!(status(&server, "d@a", "X-Forwarded-For: [2001:db8::2]:80\r\n").await, 429);
    // What is no address is not believed: the proxy's own address counts.
    let (own, _own) = enter(&server, "e@a", "").await;
    assert_eq!(own.status, 101);
    assert_eq!(status(&server, "f@a", "X-Forwarded-For: 203.0.113.9, nonsense\r\n").await, 429);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_are_not_believed() {
    let server = Setup::new()
        .settings("rtc: {trusted_proxies: ['10.0.0.0/8']}\nlimits: {address_connections: 1}")
        .start()
        .await;
    let (first, _first) = enter(&server, "a@a", "X-Forwarded-For: 203.0.113.1\r\n").await;
    assert_eq!(first.status, 101);
    assert_eq!(status(&server, "b@a", "X-Forwarded-For: 203.0.113.2\r\n").await, 429);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hook_and_the_listing_are_told() {
    let (told, mut asked) = mpsc::unbounded_channel();
    let judge = post(async move |Json(body): Json<Value>| told.send(body).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { serve(listener, Router::new().route("/", judge)).await });
    let server = behind("['127.0.0.1']", &format!(", authurl: '{url}'")).await;
    for (forwarded, address) in [
        ("203.0.113.1", "203.0.113.1:0"),
        ("203.0.113.1:4711", "203.0.113.1:4711"),
        ("2001:db8::1", "[2001:db8::1]:0"),
    ] {
        let (answer, tcp) = enter(&server, "a@a", &format!("X-Forwarded-For: {forwarded}\r\n")).await;
        assert_eq!(answer.status, 101);
        let question = timeout(PATIENCE, asked.recv()).await.unwrap().unwrap();
        assert_eq!(question["remoteaddr"], address);
        server.until("connections", 1).await;
        assert_eq!(server.jstack().await["list"][0]["remote"], address);
        drop(tcp);
        server.until("connections", 0).await;
    }
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn origins() {
    let server = Setup::new()
        .settings("rtc: {origins: ['https://*.example.net', 'http://localhost:*']}")
        .start()
        .await;
    for (more, code) in [
        ("", 101),
        ("Origin: https://a.example.net\r\n", 101),
        ("Origin: http://localhost:3000\r\n", 101),
        ("Origin: https://example.net\r\n", 403),
        ("Origin: http://a.example.net\r\n", 403),
        ("Origin: https://a.example.net.evil.test\r\n", 403),
        ("Origin: null\r\n", 403),
        ("Origin: \r\n", 403),
        ("Origin: https://a.example.net\r\nOrigin: https://evil.test\r\n", 403),
    ] {
        let (answer, _) = enter(&server, "a@a", more).await;
        assert_eq!(answer.status, code, "{more}");
        if code == 403 {
            assert_eq!(answer.body, "this Origin is not allowed");
        }
    }
    assert_eq!(not_let_in(&server, "origin").await, 6);
    server.end().await;
    let server = TestServer::start().await;
    assert_eq!(status(&server, "a@a", "Origin: https://evil.test\r\n").await, 101);
    server.end().await;
}
