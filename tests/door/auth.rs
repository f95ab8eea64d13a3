//! The authentication hook: what is counted, and that it follows a reload. The rest is in `tests/hostile/door.rs`.

use rtcd_sdk::axum::http::StatusCode;
use rtcd_sdk::axum::routing::post;
use rtcd_sdk::axum::{Router, serve};
use rtcd_server::Signal;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::common::{PATIENCE, Setup, TestServer};
use crate::http::{enter, not_let_in, tcp, upgrade};
use tokio::io::AsyncWriteExt;

/// A hook that answers with this status, or never if there is none; and a line for each question.
async fn hook(status: Option<StatusCode>) -> (String, mpsc::UnboundedReceiver<()>) {
    let (told, asked) = mpsc::unbounded_channel();
    let judge = async move || {
        told.send(()).unwrap();
        match status {
            Some(status) => status,
            None => std::future::pending().await,
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { serve(listener, Router::new().route("/", post(judge))).await });
    (url, asked)
}

async fn status(server: &TestServer) -> u16 {
    enter(server, "a@a", "").await.0.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_becomes_of_questions_is_counted() {
    let (refuses, _asked) = hook(Some(StatusCode::UNAUTHORIZED)).await;
    let (hangs, mut hanging) = hook(None).await;
    let (lets_in, _asked_too) = hook(Some(StatusCode::OK)).await;
    let server = Setup::new().settings(&format!("rtc: {{authurl: '{refuses}', max_auth: 1}}")).start().await;
    assert_eq!(status(&server).await, 403);
    assert_eq!(not_let_in(&server, "auth refused").await, 1);
    let follow = async |settings: &str| {
        let text = server.files.text("conf/rtcd.yaml");
        let begin = text.find("authurl").unwrap();
        let end = begin + text[begin..].find('\n').unwrap();
        server.files.write("conf/rtcd.yaml", &format!("{}{settings}{}", &text[..begin], &text[end..]));
        server.signal(Signal::Reload).await;
    };
    follow(&format!("authurl: '{hangs}'")).await;
    // One question may be open. Sooner or later it is put to the new hook.
    let mut waiting;
    loop {
        waiting = tcp(server.rtc).await;
        waiting.write_all(upgrade("a@a", "").as_bytes()).await.unwrap();
        let answered = waiting.readable();
        tokio::select! {
            asked = hanging.recv() => break asked.unwrap(),
            _ = answered => {}
        }
    }
    let (answer, _) = enter(&server, "b@a", "").await;
    assert_eq!((answer.status, &*answer.headers["retry-after"]), (503, "5"));
    assert_eq!(not_let_in(&server, "rtc.max_auth").await, 1);
    assert_eq!(not_let_in(&server, "auth failed").await, 0);
    // The hook that never answered is replaced; the other one lets all in.
    follow(&format!("authurl: '{lets_in}'")).await;
    let let_in = timeout(PATIENCE, async { while status(&server).await != 101 {} });
    let_in.await.unwrap();
    // A port where nobody listens any more.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    follow(&format!("authurl: 'http://{gone}/'")).await;
    let refused = timeout(PATIENCE, async { while status(&server).await != 403 {} });
    refused.await.unwrap();
    assert_eq!(not_let_in(&server, "auth failed").await, 1);
    drop(waiting);
    server.end().await;
}
