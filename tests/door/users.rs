//! APIs for users, on the port where their clients connect.

use std::fmt::Write as _;
use std::time::Duration;

use rtcd_server::{Ended, Signal};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout};

use crate::common::{Client, PATIENCE, TestServer, request};
use crate::http::{Answer, answer, ask, closed, counter, not_let_in, tcp};
use crate::signing::{setup, token};

/// The head of a call, with more headers.
fn head(method: &str, path: &str, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n")
}

/// The header of a token.
fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// A call over a connection of its own.
async fn call(server: &TestServer, method: &str, path: &str, more: &str) -> Answer {
    let mut tcp = tcp(server.rtc).await;
    if method == "HEAD" {
        // It has no body, whatever its head says.
        tcp.write_all(head(method, path, more).as_bytes()).await.unwrap();
        let mut status = [0; 12];
        tokio::io::AsyncReadExt::read_exact(&mut tcp, &mut status).await.unwrap();
        let status = std::str::from_utf8(&status[9..]).unwrap().parse().unwrap();
        return Answer { status, headers: [].into(), body: String::new() };
    }
    ask(&mut tcp, &head(method, path, more)).await
}

async fn status(server: &TestServer, path: &str, more: &str) -> u16 {
    call(server, "GET", path, more).await.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_a_token_is_let_in() {
    let server = setup().start().await;
    let alice = bearer(&token(&server, "alice@a").await);
    let mut seen = String::new();
    for (method, path, who, more) in [
        ("GET", "/api/me/v1/me", "nobody", ""),
        ("GET", "/api/me/v1/me", "a stranger", "Authorization: Bearer x.y.z\r\n"),
        ("GET", "/api/me/v1/me", "a user without a token", "Authorization: Basic YWxpY2U6\r\n"),
        ("GET", "/api/nothing/v1/me", "nobody", ""),
        ("GET", "/api/me/v1/me", "alice", &*alice),
        ("GET", "/api/me/v1/me?a=b", "alice", &alice),
        ("GET", "/api/me/v1/nothing", "alice", &alice),
        ("GET", "/api/me/v1", "alice", &alice),
        ("GET", "/api/me/v1/panic", "alice", &alice),
        ("DELETE", "/api/me/v1/me", "alice", &alice),
        ("PUT", "/api/me/v1/me", "alice", &alice),
        ("OPTIONS", "/api/me/v1/me", "alice", &alice),
        ("HEAD", "/api/me/v1/me", "alice", &alice),
        ("GET", "/api/me/v2/me", "alice", &alice),
        ("GET", "/api/me/me", "alice", &alice),
        ("GET", "/api/", "alice", &alice),
        ("GET", "/api/echo/v1/x", "alice", &alice),
        ("GET", "/api/apim/v1/apis", "alice", &alice),
        ("GET", "/api", "alice", &alice),
        ("GET", "/apis/me/v1/me", "alice", &alice),
        ("GET", "/me/v1/me", "alice", &alice),
    ] {
        let Answer { status, headers, body } = call(&server, method, path, more).await;
        let _ = writeln!(seen, "{method} {path} by {who}\n{status} {body}");
        assert_eq!(headers.contains_key("www-authenticate"), status == 401, "{path}: {headers:?}");
        if body.starts_with('{') {
            assert_eq!((&*headers["cache-control"], &*headers["vary"]), ("no-store", "origin"), "{path}");
            assert_eq!(
                (&*headers["content-type"], &*headers["x-content-type-options"]),
                ("application/json", "nosniff")
            );
        }
    }
    insta::assert_snapshot!(seen);
    // On the API port there are those for operators alone.
    assert_eq!(
        server.api("GET", "/me/v1/me").await,
        (
            404,
            json!({"code": 3, "msg": "Unsupported API", "detail": "it is for users, who find it on the RTC port, below /api"})
        )
    );
    assert_eq!(server.api("GET", "/api/me/v1/me").await.0, 404);
    let (_, listing) = server.curl("GET", "/apim/v1/apis").await;
    insta::assert_snapshot!("listing", listing);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_its_users() {
    let server = setup().start().await;
    let mut tcp = tcp(server.rtc).await;
    for user in ["alice@a", "bob@a", "Zoë"] {
        let token = token(&server, user).await;
        // One connection serves many calls, and many users, such as those behind a proxy.
        let answer = ask(&mut tcp, &head("GET", "/api/me/v1/me", &bearer(&token))).await;
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body, json!({"code": 0, "msg": "OK", "user": user, "token": false}));
    }
    let bob = bearer(&token(&server, "bob@a").await);
    let post = head("POST", "/api/me/v1/me", &format!("{bob}Content-Length: 5\r\n")) + "hello";
    let posted = ask(&mut tcp, &post).await;
    assert_eq!(posted.body, r#"{"bytes":5,"code":0,"msg":"OK","user":"bob@a"}"#);
    drop(tcp);
    assert_eq!(counter(&server, "rtcd_api_calls_total{api=\"me.v1\",status=\"200\"}").await, 4);
    assert_eq!(counter(&server, "rtcd_upgrades_total{status=\"other\"}").await, 0);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_gets_too_old() {
    let server = setup().start().await;
    // Another server has another key, as the same one has after a restart.
    let other = setup().start().await;
    let foreign = bearer(&token(&other, "alice@a").await);
    assert_eq!(status(&other, "/api/me/v1/me", &foreign).await, 200);
    assert_eq!(status(&server, "/api/me/v1/me", &foreign).await, 401);
    other.end().await;
    server.end().await;

    let server = setup().settings("rtc: {token_lifetime: 300ms}").start().await;
    let alice = bearer(&token(&server, "alice@a").await);
    let mut last = String::new();
    let old = timeout(PATIENCE, async {
        loop {
            let answer = call(&server, "GET", "/api/me/v1/me", &alice).await;
            last = answer.body;
            if answer.status != 200 {
                break;
            }
        }
    });
    old.await.unwrap();
    assert_eq!(last, r#"{"code":7,"detail":"the token is wrong or too old","msg":"Access denied"}"#);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_other_origins() {
    let server = setup().settings("rtc: {origins: ['https://*.example.net']}").start().await;
    let alice = bearer(&token(&server, "alice@a").await);
    let mut seen = String::new();
    for (method, origin) in [
        ("GET", None),
        ("GET", Some("https://chat.example.net")),
        ("GET", Some("https://example.org")),
        ("GET", Some("null")),
        ("OPTIONS", Some("https://chat.example.net")),
        ("OPTIONS", Some("https://example.org")),
        ("OPTIONS", None),
    ] {
        let origin_header = origin.map(|origin| format!("Origin: {origin}\r\n")).unwrap_or_default();
        let asks = "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n";
        // A browser asks without the token.
        let more = if method == "OPTIONS" { asks } else { &*alice };
        let answer = call(&server, method, "/api/me/v1/me", &format!("{origin_header}{more}")).await;
        let _ = writeln!(seen, "{method} from {}\n{} {}", origin.unwrap_or("-"), answer.status, answer.body);
        for (name, value) in answer.headers.iter().filter(|(name, _)| name.starts_with("access-")) {
            let _ = writeln!(seen, "{name}: {value}");
        }
        assert_eq!(answer.headers["vary"], "origin");
    }
    insta::assert_snapshot!(seen);
    assert_eq!(not_let_in(&server, "origin").await, 3);
    // Who is refused may read why.
    let refused = call(&server, "GET", "/api/me/v1/me", "Origin: https://a.example.net\r\n").await;
    assert_eq!(
        (refused.status, &*refused.headers["access-control-allow-origin"]),
        (401, "https://a.example.net")
    );
    server.end().await;

    // Without the setting all may.
    let server = setup().start().await;
    let refused = call(&server, "GET", "/api/me/v1/me", "Origin: https://example.org\r\n").await;
    assert_eq!(
        (refused.status, &*refused.headers["access-control-allow-origin"]),
        (401, "https://example.org")
    );
    server.end().await;
}

/// Sends calls at once over one connection; gives the statuses of their answers. Each 429 says when to try again.
async fn burst(server: &TestServer, path: &str, more: &str) -> Vec<u16> {
    let mut tcp = tcp(server.rtc).await;
    let mut statuses = Vec::new();
    tcp.write_all(head("GET", path, more).repeat(BURST).as_bytes()).await.unwrap();
    while statuses.len() < BURST {
        let answer = answer(&mut tcp).await;
        statuses.push(answer.status);
        if answer.status == 429 {
            assert_eq!(answer.headers["retry-after"], "1");
        }
        if answer.headers.get("connection").is_some_and(|connection| connection == "close") {
            break;
        }
    }
    statuses
}

const BURST: usize = 30;

/// How many calls a bucket of 3 lets pass, at most, and how many there were.
fn assert_within(statuses: &[u16], since: Instant) -> usize {
    let passed = statuses.iter().filter(|status| **status == 200).count();
    let most = 3.0 * (1.0 + since.elapsed().as_secs_f64());
    assert!(passed as f64 <= most, "{passed} of at most {most}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 429)), "{statuses:?}");
    statuses.len() - passed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_calls_of_a_user() {
    let server = setup().settings("limits: {user_requests: 3}").start().await;
    let alice = bearer(&token(&server, "alice@a").await);
    let bob = bearer(&token(&server, "bob@a").await);
    let since = Instant::now();
    let refused = assert_within(&burst(&server, "/api/me/v1/me", &alice).await, since);
    // Bob is somebody else, and so is who reads the page.
    let since = Instant::now();
    let refused = refused + assert_within(&burst(&server, "/api/me/v1/me", &bob).await, since);
    assert_eq!(burst(&server, "/", "").await, [200; BURST]);
    assert_eq!(counter(&server, "rtcd_no_room_total{key=\"limits.user_requests\"}").await, refused as u64);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_calls_of_an_address() {
    let server = setup().settings("limits: {address_requests: 3}").start().await;
    let since = Instant::now();
    let alice = bearer(&token(&server, "alice@a").await);
    let mut statuses = burst(&server, "/api/me/v1/me", &alice).await;
    // Files of the page count too; one that is refused ends the connection.
    statuses.extend(burst(&server, "/", "").await);
    let refused = assert_within(&statuses, since);
    assert_eq!(counter(&server, "rtcd_no_room_total{key=\"limits.address_requests\"}").await, refused as u64);
    server.end().await;
}

/// Waits until nobody is connected.
async fn until_all_gone(server: &TestServer) {
    let gone = timeout(PATIENCE, async {
        let mut tick = interval(Duration::from_millis(10));
        while counter(server, "rtcd_rtc_connections").await > 0 {
            tick.tick().await;
        }
    });
    gone.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_counts_as_a_connection() {
    let server = setup().settings("limits: {connections: 2}").start().await;
    let alice = bearer(&token(&server, "alice@a").await);
    until_all_gone(&server).await;
    let mut caller = tcp(server.rtc).await;
    let mut reader = tcp(server.rtc).await;
    assert_eq!(ask(&mut caller, &head("GET", "/api/me/v1/me", &alice)).await.status, 200);
    assert_eq!(ask(&mut reader, &head("GET", "/", "")).await.status, 200);
    let third = call(&server, "GET", "/api/me/v1/me", &alice).await;
    assert_eq!((third.status, &*third.body), (503, "too many connections"));
    assert_eq!(not_let_in(&server, "limits.connections").await, 1);
    drop((caller, reader));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_down_answers_no_more() {
    let server = setup().settings("server: {stop_timeout: 1h}\nrtc: {clientheadertimeout: 1h}").start().await;
    let bearer = bearer(&token(&server, "alice@a").await);
    let mut alice = Client::connect(&server, "alice@a").await;
    alice.send(&request("INVITE", "Recv_INVITE", "alice@a", "call", 7)).await;
    alice.expect(json!({"Code": 180})).await;
    let (mut caller, mut reader) = (tcp(server.rtc).await, tcp(server.rtc).await);
    assert_eq!(ask(&mut caller, &head("GET", "/api/me/v1/me", &bearer)).await.status, 200);
    assert_eq!(ask(&mut reader, &head("GET", "/", "")).await.status, 200);
    server.signal(Signal::Stop).await;
    let gone = timeout(PATIENCE, async { while TcpStream::connect(server.rtc).await.is_ok() {} });
    gone.await.expect("the port stays open");
    let refused = ask(&mut caller, &head("GET", "/api/me/v1/me", &bearer)).await;
    let body = r#"{"code":11,"detail":"the server goes down","msg":"Not Now"}"#;
    assert_eq!((refused.status, &*refused.body, &*refused.headers["retry-after"]), (503, body, "5"));
    closed(&mut caller).await;
    assert_eq!(ask(&mut reader, &head("GET", "/", "")).await.status, 503);
    closed(&mut reader).await;
    assert_eq!(not_let_in(&server, "draining").await, 2);
    server.signal(Signal::Stop).await;
    assert_eq!(server.ended().await, Ended::Forced);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_takes_for_ever() {
    let server = setup().settings("limits: {handler_timeout: 300ms}").start().await;
    let alice = bearer(&token(&server, "alice@a").await);
    let body = r#"{"code":4,"detail":"it took longer than limits.handler_timeout","msg":"API Error"}"#;
    // An API that hangs; a client that does not send all of what it posts.
    let hangs = call(&server, "GET", "/api/me/v1/hang", &alice).await;
    assert_eq!((hangs.status, &*hangs.body), (500, body));
    let mut slow = tcp(server.rtc).await;
    let post = head("POST", "/api/me/v1/me", &format!("{alice}Content-Length: 5\r\n")) + "he";
    assert_eq!(ask(&mut slow, &post).await.body, body);
    closed(&mut slow).await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_says_nothing_more_is_left() {
    let server = setup().settings("rtc: {clientheadertimeout: 2s}").start().await;
    let mut idle = tcp(server.rtc).await;
    assert_eq!(ask(&mut idle, &head("GET", "/", "")).await.status, 200);
    closed(&mut idle).await;
    assert_eq!(not_let_in(&server, "clientheadertimeout").await, 0);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_take_an_answer_is_left() {
    let server = setup().settings("rtc: {write_stall: 300ms}").start().await;
    let alice = bearer(&token(&server, "alice@a").await);
    let mut stuck = tcp(server.rtc).await;
    stuck.write_all(head("GET", "/api/me/v1/much", &alice).as_bytes()).await.unwrap();
    let cut = timeout(PATIENCE, async {
        let mut tick = interval(Duration::from_millis(10));
        while counter(&server, "rtcd_slow_readers_total").await == 0 {
            tick.tick().await;
        }
    });
    cut.await.unwrap();
    until_all_gone(&server).await;
    drop(stuck);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_longer_than_any_call_is_refused() {
    let server = setup().start().await;
    let alice = bearer(&token(&server, "alice@a").await);
    let mut tcp = tcp(server.rtc).await;
    let length = 3 * 1024 * 1024;
    let post = head("POST", "/api/me/v1/me", &format!("{alice}Content-Length: {length}\r\n"));
    tcp.write_all(post.as_bytes()).await.unwrap();
    let (mut from, mut to) = tcp.split();
    let body = vec![b'x'; length];
    let (_, answer) = tokio::join!(to.write_all(&body), answer(&mut from));
    assert_eq!(answer.status, 413);
    drop(tcp);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_says_where_they_are() {
    let server = setup().start().await;
    let (_, document) = server.api("GET", "/openapi.json").await;
    assert!(document["paths"]["/me/v1/me"].is_null());
    let schemes = &document["components"]["securitySchemes"];
    let shown = json!({"path": document["paths"]["/api/me/v1/me"], "schemes": schemes});
    insta::assert_snapshot!(serde_json::to_string_pretty(&shown).unwrap());
    server.end().await;
}
