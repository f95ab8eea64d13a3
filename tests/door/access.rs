//! The access log.

use std::path::Path;
use std::time::Duration;

use rtcd_server::Signal;
use tokio::io::AsyncWriteExt;
use tokio::time::{interval, timeout};

use crate::common::{PATIENCE, Setup};
use crate::http::{answer, ask, enter, folder, tcp, upgrade};

/// The lines of a file, as soon as there are so many.
async fn lines(path: &Path, count: usize) -> Vec<String> {
    let mut tick = interval(Duration::from_millis(10));
    let read = timeout(PATIENCE, async {
        loop {
            tick.tick().await;
            let text = std::fs::read_to_string(path).unwrap_or_default();
            if text.lines().count() >= count && text.ends_with('\n') {
                return text.lines().map(ToOwned::to_owned).collect();
            }
        }
    });
    read.await.expect("lines are missing")
}

fn redacted(lines: &[String]) -> String {
    let mut text = lines.join("\n");
    for (pattern, name) in [
        (r#""request_time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z""#, r#""request_time":"<time>""#),
        (r#""elapsed_time":\d+\.\d+(e-\d+)?,"#, r#""elapsed_time":"<seconds>","#),
        (r"127\.0\.0\.1:\d+", "<peer>"),
        (r"x{1000,}", "<x x x>"),
        (r"é{500,}", "<é é é>"),
    ] {
        text = regex::Regex::new(pattern).unwrap().replace_all(&text, name).into_owned();
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_line_for_each_request() {
    let folder = folder("access");
    let (rtc, api) = (folder.join("rtc.log"), folder.join("api.log"));
    let settings = format!(
        "rtc: {{accessfile: '{}', trusted_proxies: ['127.0.0.1']}}\napi: {{accessfile: '{}'}}",
        rtc.display(),
        api.display()
    );
    let server = Setup::new().settings(&settings).start().await;
    let long = "x".repeat(2000);
    let mut seen = 0;
    for head in [
        upgrade("a@a", "User-Agent: a browser\r\nReferer: https://page.example.net/call\r\n"),
        upgrade("a@a", "X-Forwarded-For: 203.0.113.7\r\n"),
        upgrade("", ""),
        "GET /nothing?a=b HTTP/1.0\r\n\r\n".to_owned(),
        "POST /rtc HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".to_owned(),
        upgrade("a@a", "User-Agent: \"},{\\u0022status\\u0022:200}\\n\u{202e}\u{9b}2J\u{2028}\r\n"),
        upgrade("a@a", &format!("User-Agent: {long}é{long}\r\nReferer: {}\r\n", "é".repeat(1000))),
        format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"),
        "GET /demo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(),
        "GET /api/im/v1/x?y HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s3cret\r\nConnection: close\r\n\r\n"
            .to_owned(),
    ] {
        let mut tcp = tcp(server.rtc).await;
        ask(&mut tcp, &head).await;
        seen += 1;
        lines(&rtc, seen).await;
    }
    // A connection without a request leaves no line.
    let mut nonsense = tcp(server.rtc).await;
    assert_eq!(ask(&mut nonsense, "NONSENSE\r\n\r\n").await.status, 400);
    insta::assert_snapshot!("rtc", redacted(&lines(&rtc, seen).await));
    let mut tcp = tcp(server.api).await;
    for (head, body) in [
        ("GET /apim/v1/apis HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n", ""),
        ("POST /apim/v1/x.v1?file=y HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n", "abc"),
        ("HEAD /openapi.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", ""),
    ] {
        tcp.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        if head.starts_with("HEAD") {
            break;
        }
        answer(&mut tcp).await;
    }
    insta::assert_snapshot!("api", redacted(&lines(&api, 3).await));
    server.end().await;
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_file_loses_no_line() {
    let folder = folder("reopen");
    let (file, old) = (folder.join("rtc.log"), folder.join("rtc.log.1"));
    let server = Setup::new().settings(&format!("rtc: {{accessfile: '{}'}}", file.display())).start().await;
    for _ in 0..3 {
        enter(&server, "a@a", "").await;
    }
    std::fs::rename(&file, &old).unwrap();
    enter(&server, "a@a", "").await;
    lines(&old, 4).await;
    server.signal(Signal::Reopen).await;
    let mut sent = 4;
    let new = timeout(PATIENCE, async {
        while !file.exists() {
            enter(&server, "a@a", "").await;
            sent += 1;
        }
    });
    new.await.expect("never opened again");
    enter(&server, "a@a", "").await;
    let later = lines(&file, 1).await.len();
    let before = lines(&old, 4).await.len();
    // What was written when it was not looked yet may still be on its way.
    lines(&file, sent + 1 - before).await;
    assert!(later > 0);
    server.end().await;
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_wait() {
    let folder = folder("gone");
    let file = folder.join("api.log");
    let server = Setup::new()
        .settings(&format!("api: {{accessfile: '{}'}}", file.display()))
        .routes("slps: {default: conformance}\nroutes: []\napis: {echo.v1: {impl: echo}}\nhops: []\n")
        .start()
        .await;
    let mut tcp = tcp(server.api).await;
    // The API waits for the rest of the body.
    tcp.write_all(b"POST /echo/v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc").await.unwrap();
    drop(tcp);
    let line: serde_json::Value = serde_json::from_str(&lines(&file, 1).await[0]).unwrap();
    assert_eq!(line["request_uri"], "/echo/v1/x");
    assert!(matches!(line["status"].as_u64(), Some(400 | 499)), "{line}");
    server.end().await;
    std::fs::remove_dir_all(folder).unwrap();
}
