//! Clients that do not read, read slowly, write slowly, or are silent.

use std::time::Duration;

use futures_util::SinkExt;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{interval, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::common::{
    Client, Healthy, PATIENCE, PING, RawSocket, Setup, TEXT, TestServer, ack, answer, masked, request,
};

const MALLORY: &str = "mallory@client.test";

/// A socket with little room for what it does not read.
async fn narrow(server: &TestServer) -> WebSocketStream<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let tcp = socket.connect(server.rtc).await.unwrap();
    client_async(server.url(MALLORY), tcp).await.unwrap().0
}

/// Messages whose answers are as large as they are, until the server has had enough.
async fn ask_much(ws: &mut WebSocketStream<TcpStream>) {
    let name = "x".repeat(60_000);
    for cseq in 1.. {
        let message = request("MESSAGE", "Recv_MESSAGE", &name, "much", cseq);
        if ws.send(Message::text(message.to_string())).await.is_err() {
            return;
        }
    }
}

async fn never_reads(settings: &str) {
    let server = Setup::new().settings(settings).start().await;
    let mut healthy = Healthy::start(&server).await;
    let mut ws = narrow(&server).await;
    let asked = tokio::spawn(async move {
        timeout(PATIENCE, ask_much(&mut ws)).await.unwrap();
        ws
    });
    server.until("connections", 3).await;
    while server.jstack().await["connections"] == 3 {
        healthy.check().await;
    }
    // Its peer counts as away; it may come back.
    let mut again = Client::connect(&server, MALLORY).await;
    let message = request("MESSAGE", "Recv_MESSAGE", MALLORY, "again", 1);
    again.send(&message).await;
    again.expect(answer(&message, 200)).await;
    drop(asked.await.unwrap());
    healthy.end().await;
    server.end_with([again]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_never_reads_is_cut_off_when_its_buffer_is_full() {
    never_reads("rtc: {max_write_buffer: 65536, write_stall: 1h}").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_never_reads_is_cut_off_when_a_write_stalls() {
    never_reads("rtc: {max_write_buffer: 1000000000, write_stall: 500ms}").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_reads_byte_by_byte_is_cut_off_too() {
    let server = Setup::new().settings("rtc: {write_stall: 500ms}").start().await;
    let healthy = Healthy::start(&server).await;
    let ws = narrow(&server).await;
    server.until("connections", 3).await;
    let (read, write) = tokio::io::split(ws.into_inner());
    let dribble = tokio::spawn(async move {
        let (mut read, mut tick) = (read, interval(Duration::from_millis(100)));
        let mut byte = [0];
        loop {
            tick.tick().await;
            if !matches!(read.read(&mut byte).await, Ok(1)) {
                return;
            }
        }
    });
    // What it asks for is more than what it can take.
    let mut write = write;
    let name = "x".repeat(60_000);
    for cseq in 1..100 {
        let text = request("MESSAGE", "Recv_MESSAGE", &name, "much", cseq).to_string();
        if write.write_all(&masked(TEXT, &text)).await.is_err() {
            break;
        }
    }
    server.until("connections", 2).await;
    dribble.abort();
    healthy.end().await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_may_come_byte_by_byte() {
    let server = TestServer::start().await;
    let mut healthy = Healthy::start(&server).await;
    let mut client = Client::connect(&server, MALLORY).await;
    let message = request("MESSAGE", "Recv_MESSAGE", MALLORY, "slow", 1);
    let bytes = masked(TEXT, &message.to_string());
    for (n, byte) in bytes.iter().enumerate() {
        client.ws.get_mut().write_all(&[*byte]).await.unwrap();
        if n % 20 == 0 {
            healthy.check().await;
        }
    }
    client.expect(answer(&message, 200)).await;
    healthy.end().await;
    server.end_with([client]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_gives_no_sign_of_life_is_given_up() {
    let server = Setup::new().settings("jsip: {keepalive: 400ms}").start().await;
    // This one is read all the time, and so answers the server's pings.
    let alive = Client::connect(&server, "alive@client.test").await;
    let reading = tokio::spawn(reading_for(alive, Duration::from_secs(3)));
    let mut silent = RawSocket::connect(&server, MALLORY).await;
    server.until("connections", 2).await;
    server.until("connections", 1).await;
    // It was asked.
    assert_eq!(silent.frame().await, (PING, "0".to_owned()));
    let alive = reading.await.unwrap();
    server.end_with([alive]).await;
}

async fn reading_for(mut client: Client, time: Duration) -> Client {
    if let Ok(message) = timeout(time, client.recv()).await {
        panic!("{message}");
    }
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_never_finishes_its_upgrade_is_closed() {
    let server = Setup::new().settings("rtc: {clientheadertimeout: 500ms}").start().await;
    let healthy = Healthy::start(&server).await;
    for half in ["", "GET /rtc?userid=x HTT", "GET /rtc?userid=x HTTP/1.1\r\nHost: x\r\n"] {
        let mut tcp = TcpStream::connect(server.rtc).await.unwrap();
        tcp.write_all(half.as_bytes()).await.unwrap();
        let mut told = Vec::new();
        // Closed, with or without an answer.
        let _ = timeout(PATIENCE, tcp.read_to_end(&mut told)).await.unwrap();
        assert!(!String::from_utf8_lossy(&told).contains(" 101 "));
    }
    healthy.end().await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_floods_does_not_hold_up_others() {
    let server = TestServer::start().await;
    let mut healthy = Healthy::start(&server).await;
    let mut client = Client::connect(&server, MALLORY).await;
    let stop = std::sync::Arc::new(tokio::sync::Notify::new());
    let flood = tokio::spawn({
        let stop = stop.clone();
        async move {
            let mut sent = 0;
            let mut stopped = std::pin::pin!(stop.notified());
            // In bursts, of which all is answered.
            loop {
                for _ in 0..500 {
                    sent += 1;
                    let message = request("MESSAGE", "Recv_MESSAGE", MALLORY, "flood", sent);
                    client.send(&message).await;
                }
                for cseq in sent - 499..=sent {
                    client.expect(json!({"Code": 200, "CSeq": cseq})).await;
                }
                if futures_util::FutureExt::now_or_never(&mut stopped).is_some() {
                    return client;
                }
            }
        }
    });
    for _ in 0..50 {
        healthy.check().await;
    }
    stop.notify_one();
    let client = flood.await.unwrap();
    healthy.end().await;
    server.end_with([client]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_dropped_at_once() {
    let server = TestServer::start().await;
    let mut healthy = Healthy::start(&server).await;
    for n in 0..100 {
        let mut client = Client::connect(&server, MALLORY).await;
        client.send(&request("INVITE", "Recv_INVITE", MALLORY, &format!("d-{n}"), 1)).await;
        if n % 10 == 0 {
            healthy.check().await;
        }
    }
    // The calls that nobody wants any more end by their timers; here by their caller, who has come back.
    let mut client = Client::connect(&server, MALLORY).await;
    for n in 0..100 {
        client.send(&request("CANCEL", "Recv_INVITE", MALLORY, &format!("d-{n}"), 2)).await;
    }
    let mut cancelled = 0;
    while cancelled < 100 {
        let message = client.recv().await;
        match message["Code"].as_u64() {
            Some(487) => {
                cancelled += 1;
                client.send(&ack(&message, 3)).await;
            }
            // An INVITE that was lost with its socket is not there.
            Some(481) => cancelled += 1,
            Some(180 | 200) => {}
            _ => panic!("{message}"),
        }
    }
    healthy.end().await;
    server.end_with([client]).await;
}
