//! The page that comes with the server.

use rtcd_server::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::common::{PATIENCE, Setup, TestServer};
use crate::http::{Answer, ask, counter, enter, tcp};

async fn get(server: &TestServer, path: &str, more: &str) -> Answer {
    ask(&mut tcp(server.rtc).await, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_where_clients_connect() {
    let server = Setup::new().start().await;
    let page = get(&server, "/", "").await;
    assert_eq!((page.status, &*page.headers["content-type"]), (200, "text/html; charset=utf-8"));
    assert!(page.body.starts_with("<!doctype html>"), "{}", page.body);
    assert!(page.headers["content-security-policy"].contains("script-src 'self'"));
    let etag = &page.headers["etag"];
    let known = get(&server, "/?x=y", &format!("If-None-Match: {etag}\r\n")).await;
    assert_eq!((known.status, &known.headers["etag"], &*known.body), (304, etag, ""));
    for (path, status) in [("/demo/", 200), ("/demo", 308), ("/demo/nothing", 404), ("/client/", 404)] {
        assert_eq!(get(&server, path, "").await.status, status, "{path}");
    }
    let mut tcp = tcp(server.rtc).await;
    let post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
    let refused = ask(&mut tcp, post).await;
    assert_eq!((refused.status, &*refused.headers["allow"]), (405, "GET, HEAD"));
    // Its head alone, over the same connection.
    tcp.write_all(b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut head = String::new();
    timeout(PATIENCE, tcp.read_to_string(&mut head)).await.unwrap().unwrap();
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(head.contains(&format!("content-length: {}\r\n", page.body.len())), "{head}");
    for (sample, count) in [
        ("rtcd_page_requests_total{status=\"200\"}", 3),
        ("rtcd_page_requests_total{status=\"304\"}", 1),
        ("rtcd_page_requests_total{status=\"other\"}", 2),
        ("rtcd_upgrades_total{status=\"404\"}", 2),
        ("rtcd_upgrades_total{status=\"other\"}", 0),
    ] {
        assert_eq!(counter(&server, sample).await, count, "{sample}");
    }
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_can_be_turned_off() {
    let server = Setup::new().settings("rtc: {demo: false}").start().await;
    for path in ["/", "/demo/", "/demo", "/client/"] {
        assert_eq!(get(&server, path, "").await.status, 404, "{path}");
    }
    assert_eq!(enter(&server, "a@a", "").await.0.status, 101);
    let settings = server.files.text("conf/rtcd.yaml");
    server.files.write("conf/rtcd.yaml", &settings.replace("demo: false", "demo: true"));
    server.signal(Signal::Reload).await;
    let turned_on = timeout(PATIENCE, async { while get(&server, "/", "").await.status != 200 {} });
    turned_on.await.unwrap();
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_websocket_goes_before() {
    let server = Setup::new().settings("rtc: {location: /}").start().await;
    assert_eq!(get(&server, "/", "").await.status, 400);
    assert_eq!(get(&server, "/demo/", "").await.status, 200);
    server.end().await;
}
