//! The same user connects again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rtcd_sdk::axum::routing::post;
use rtcd_sdk::axum::{Router, serve};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use crate::away::{ALICE, BOB, call, fence, start};
use crate::common::{Client, PATIENCE, Setup, TestServer, ack, answer, fields};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_takeovers_in_mid_call() {
    let server = start("{}").await;
    let mut alice = Client::connect(&server, ALICE).await;
    let mut bob = Client::connect(&server, BOB).await;
    alice.send(&call(1)).await;
    let invite = bob.expect(json!({"Type": "INVITE"})).await;
    bob.reply(&invite, 200).await;
    let accepted = alice.expect(answer(&call(1), 200)).await;
    alice.send(&ack(&accepted, 2)).await;
    let acknowledged = bob.expect(json!({"Type": "ACK"})).await;
    for n in 3..13 {
        let info = fields(call(1), json!({"Type": "INFO", "CSeq": n, "X-Number": n}));
        alice.send(&info).await;
        let passed = bob.expect(json!({"Type": "INFO", "X-Number": n})).await;
        // Both go over to a new socket; the old one is told not to come back.
        for (client, user) in [(&mut alice, ALICE), (&mut bob, BOB)] {
            let new = Client::connect(&server, user).await;
            let mut old = std::mem::replace(client, new);
            assert_eq!(old.close_code().await, 4001);
        }
        server.until("connections", 2).await;
        // What is not known to have arrived comes again: the ACK, until a pong has told, and the INFO.
        let mut again = bob.recv().await;
        if again == acknowledged {
            again = bob.recv().await;
        }
        assert_eq!(again, passed);
        // Her own request again, as she has no answer to it: it is not passed on again.
        alice.send(&info).await;
        fence(&mut alice, n).await;
        bob.reply(&passed, 200).await;
        alice.expect(answer(&info, 200)).await;
        fence(&mut bob, n).await;
    }
    let bye = fields(call(1), json!({"Type": "BYE", "CSeq": 20}));
    alice.send(&bye).await;
    alice.expect(answer(&bye, 200)).await;
    let far_bye = bob.expect(json!({"Type": "BYE"})).await;
    bob.reply(&far_bye, 200).await;
    server.end_with([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once() {
    let server = TestServer::start().await;
    let server = Arc::new(server);
    let (left, mut replaced) = mpsc::channel(20);
    for _ in 0..20 {
        let (server, left) = (server.clone(), left.clone());
        tokio::spawn(async move {
            let mut client = Client::connect(&server, ALICE).await;
            drop(server);
            left.send(client.close_code().await).await.unwrap();
        });
    }
    for _ in 0..19 {
        let code = timeout(PATIENCE, replaced.recv()).await.unwrap();
        assert_eq!(code, Some(4001));
    }
    server.until("connections", 1).await;
    let mut last = Client::connect(&server, ALICE).await;
    assert_eq!(timeout(PATIENCE, replaced.recv()).await.unwrap(), Some(4001));
    fence(&mut last, 1).await;
    Arc::into_inner(server).unwrap().end_with([last]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_let_in_late_does_not_take_over_from_who_came_later() {
    // The first question waits until it is let go.
    let (asked, go) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()));
    let hook = {
        let (asked, go) = (asked.clone(), go.clone());
        post(async move || {
            if asked.fetch_add(1, Ordering::SeqCst) == 0 {
                go.notified().await;
            }
        })
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/auth", listener.local_addr().unwrap());
    tokio::spawn(async move { serve(listener, Router::new().route("/auth", hook)).await });
    let server = Setup::new().settings(&format!("rtc: {{authurl: '{url}', authtimeout: 30s}}")).start().await;
    let mut first = Box::pin(Client::connect(&server, ALICE));
    let mut second = tokio::select! {
        _ = &mut first => panic!("let in"),
        second = async {
            let mut tick = tokio::time::interval(std::time::Duration::from_millis(10));
            while asked.load(Ordering::SeqCst) == 0 {
                tick.tick().await;
            }
            Client::connect(&server, ALICE).await
        } => second,
    };
    fence(&mut second, 1).await;
    go.notify_one();
    let mut first = timeout(PATIENCE, first).await.unwrap();
    assert_eq!(first.close_code().await, 4001);
    fence(&mut second, 2).await;
    server.end_with([second]).await;
}
