//! Who is let in: requests that are no upgrade, and the authentication hook.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rtcd_sdk::axum::extract::State;
use rtcd_sdk::axum::http::{HeaderMap, StatusCode, Uri, header};
use rtcd_sdk::axum::response::{IntoResponse, Redirect, Response};
use rtcd_sdk::axum::routing::{get, post};
use rtcd_sdk::axum::{Json, Router, serve};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::common::{Client, Healthy, PATIENCE, Setup, TestServer, answer, request};

/// The status of an upgrade; 101 if it was let in.
async fn upgrade(server: &TestServer, path: &str) -> u16 {
    match Client::try_connect(server, path, "door").await {
        Ok(client) => {
            client.close().await;
            101
        }
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{path}: {error}"),
    }
}

/// The status line's code of an answer to this head.
async fn status(server: &TestServer, head: &str) -> u16 {
    let mut tcp = TcpStream::connect(server.rtc).await.unwrap();
    tcp.write_all(head.as_bytes()).await.unwrap();
    let mut told = [0; 12];
    timeout(PATIENCE, tcp.read_exact(&mut told)).await.unwrap().unwrap();
    String::from_utf8_lossy(&told[9..]).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_an_upgrade_with_a_userid_is_let_in() {
    let server = TestServer::start().await;
    let healthy = Healthy::start(&server).await;
    for (path, code) in [
        ("/rtc", 400),
        ("/rtc?", 400),
        ("/rtc?userid", 400),
        ("/rtc?userid=", 400),
        ("/rtc?user=a@b", 400),
        ("/rtc?userid=&userid=a", 400),
        ("/rtc?userid=%ff", 400),
        ("/rtc?x=1&userid=a@b", 101),
        ("/rtc?userid=a%40b", 101),
        ("/nothing?userid=a@b", 404),
    ] {
        assert_eq!(upgrade(&server, path).await, code, "{path}");
    }
    let ws = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (head, code) in [
        ("GET /rtc HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), 400),
        ("GET /rtc?userid=a@b HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), 400),
        ("POST /rtc?userid=a@b HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".to_owned(), 400),
        (format!("POST /rtc?userid=a@b HTTP/1.1\r\nHost: x\r\n{ws}Sec-WebSocket-Version: 13\r\n\r\n"), 400),
        (format!("GET /rtc?userid=a@b HTTP/1.1\r\nHost: x\r\n{ws}Sec-WebSocket-Version: 8\r\n\r\n"), 400),
        (format!("GET /rtc?userid=a@b HTTP/1.1\r\nHost: x\r\n{ws}\r\n"), 400),
        (format!("GET /rtc?userid=a@b HTTP/1.1\r\nHost: x\r\n{ws}Sec-WebSocket-Version: 13\r\n\r\n"), 101),
        ("NONSENSE\r\n\r\n".to_owned(), 400),
    ] {
        assert_eq!(status(&server, &head).await, code, "{head}");
    }
    healthy.end().await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_path() {
    let server = Setup::new().settings("rtc: {location: /a/b}").start().await;
    assert_eq!(upgrade(&server, "/a/b?userid=x").await, 101);
    assert_eq!(upgrade(&server, "/rtc?userid=x").await, 404);
    server.end().await;
}

/// What the hook was asked, in order.
type Asked = Arc<Mutex<Vec<Value>>>;

/// An authentication server: what it answers stands in the userid.
async fn hook() -> (String, Asked) {
    let asked = Asked::default();
    let router =
        Router::new().route("/auth", post(judge)).route("/ok", get(async || "yes")).with_state(asked.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/auth", listener.local_addr().unwrap());
    tokio::spawn(async move { serve(listener, router).await });
    (url, asked)
}

async fn judge(
    State(asked): State<Asked>,
    headers: HeaderMap,
    uri: Uri,
    Json(body): Json<Value>,
) -> Response {
    assert_eq!(headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(uri.path(), "/auth");
    let user = body["url"].as_str().unwrap_or_default().rsplit('=').next().unwrap_or_default().to_owned();
    asked.lock().unwrap().push(body);
    match &*user {
        "never" => std::future::pending().await,
        "elsewhere" => Redirect::to("/ok").into_response(),
        code => StatusCode::from_u16(code.parse().unwrap_or(200)).unwrap().into_response(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hook_says_who_is_let_in() {
    let (url, asked) = hook().await;
    let server = Setup::new().settings(&format!("rtc: {{authurl: '{url}', authtimeout: 2s}}")).start().await;
    for (user, code) in [
        ("a@b", 101),
        ("200", 101),
        ("201", 403),
        ("204", 403),
        ("401", 403),
        ("403", 403),
        ("404", 403),
        ("500", 403),
        ("503", 403),
        ("elsewhere", 403),
        ("never", 403),
    ] {
        assert_eq!(upgrade(&server, &format!("/rtc?userid={user}")).await, code, "{user}");
    }
    assert_eq!(asked.lock().unwrap().len(), 11);
    // What is no upgrade is not asked about.
    assert_eq!(upgrade(&server, "/rtc?userid=").await, 400);
    assert_eq!(asked.lock().unwrap().len(), 11);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hook_is_asked_in_these_words() {
    let (url, asked) = hook().await;
    let server = Setup::new().settings(&format!("rtc: {{authurl: '{url}'}}")).start().await;
    let tcp = TcpStream::connect(server.rtc).await.unwrap();
    let from = tcp.local_addr().unwrap();
    let mut upgrade =
        format!("ws://{}/rtc?token=x%20y&userid=a@b", server.rtc).into_client_request().unwrap();
    let headers = upgrade.headers_mut();
    headers.append("cookie", "a=1".parse().unwrap());
    headers.append("x-TWO", "1".parse().unwrap());
    headers.append("x-two", "2".parse().unwrap());
    let key = headers["sec-websocket-key"].to_str().unwrap().to_owned();
    let (mut ws, _) = timeout(PATIENCE, client_async(upgrade, tcp)).await.unwrap().unwrap();
    let expected = json!({
        "type": "ws",
        "remoteaddr": from.to_string(),
        "url": "/rtc?token=x%20y&userid=a@b",
        "headers": {
            "Connection": ["Upgrade"],
            "Upgrade": ["websocket"],
            "Sec-Websocket-Version": ["13"],
            "Sec-Websocket-Key": [key],
            "Cookie": ["a=1"],
            "X-Two": ["1", "2"],
        },
    });
    assert_eq!(*asked.lock().unwrap(), [expected]);
    ws.close(None).await.unwrap();
    drop(ws);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hook_that_hangs_holds_up_nobody_who_is_in() {
    let (url, asked) = hook().await;
    let settings = format!("rtc: {{authurl: '{url}', authtimeout: 20s, max_auth: 2}}");
    let server = Setup::new().settings(&settings).start().await;
    let mut client = Client::connect(&server, "a@b").await;
    let waiting: Vec<_> = (0..2)
        .map(|_| {
            let url = format!("ws://{}/rtc?userid=never", server.rtc);
            let rtc = server.rtc;
            tokio::spawn(
                async move { client_async(url, TcpStream::connect(rtc).await.unwrap()).await.is_ok() },
            )
        })
        .collect();
    let all_ask = async {
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        while asked.lock().unwrap().len() < 3 {
            tick.tick().await;
        }
    };
    timeout(PATIENCE, all_ask).await.unwrap();
    assert_eq!(upgrade(&server, "/rtc?userid=one-too-many").await, 503);
    let message = request("MESSAGE", "Recv_MESSAGE", "a@b", "d", 1);
    client.send(&message).await;
    client.expect(answer(&message, 200)).await;
    for task in waiting {
        task.abort();
    }
    server.end_with([client]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_answer_nobody_is_let_in() {
    // A port where nobody listens any more.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let server = Setup::new().settings(&format!("rtc: {{authurl: 'http://{gone}/auth'}}")).start().await;
    assert_eq!(upgrade(&server, "/rtc?userid=a@b").await, 403);
    server.end().await;
    let (url, _) = hook().await;
    let server =
        Setup::new().settings(&format!("rtc: {{authurl: '{url}', authtimeout: 300ms}}")).start().await;
    assert_eq!(upgrade(&server, "/rtc?userid=never").await, 403);
    server.end().await;
}
