//! How the server knows what has arrived: pings that count, one at a time.

use serde_json::json;

use crate::common::{PING, PONG, RawSocket, Setup, TEXT, TestServer, ack, request};

const USER: &str = "alice@client.test";

/// A final response lingers until it is known to have arrived.
async fn start() -> TestServer {
    Setup::new().settings("jsip: {linger: 1h}").start().await
}

async fn ask(socket: &mut RawSocket, cseq: u64) {
    socket.send(TEXT, &request("MESSAGE", "Recv_MESSAGE", USER, "arrival", cseq).to_string()).await;
}

/// The next message is a 200. A ping before it stays without a pong.
async fn answered(socket: &mut RawSocket) {
    let (mut first, mut text) = socket.frame().await;
    if first == PING {
        (first, text) = socket.frame().await;
    }
    assert!(first == TEXT && text.contains("\"Code\":200"), "{first:x} {text}");
}

/// Whatever a pong means is done when the answer to this is there.
async fn fence(socket: &mut RawSocket, cseq: u64) {
    ask(socket, cseq).await;
    answered(socket).await;
}

/// Closes as a client does that has read all.
async fn close(mut socket: RawSocket) {
    socket.send(0x88, "").await;
    loop {
        if socket.frame().await.0 == 0x88 {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ping_counts_what_was_sent_and_is_alone() {
    let server = start().await;
    let mut socket = RawSocket::connect(&server, USER).await;
    ask(&mut socket, 1).await;
    answered(&mut socket).await;
    assert_eq!(socket.frame().await, (PING, "1".to_owned()));
    // Until its pong comes there is no other ping, whatever is sent. Frames that come after it are for the next one.
    for cseq in 2..7 {
        ask(&mut socket, cseq).await;
        answered(&mut socket).await;
    }
    server.until("lingering", 6).await;
    socket.send(PONG, "1").await;
    server.until("lingering", 5).await;
    assert_eq!(socket.frame().await, (PING, "6".to_owned()));
    socket.send(PONG, "6").await;
    server.until("lingering", 0).await;
    close(socket).await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_pongs_confirm_nothing() {
    let server = start().await;
    let mut socket = RawSocket::connect(&server, USER).await;
    ask(&mut socket, 1).await;
    answered(&mut socket).await;
    for (n, odd) in
        ["", "0", "4", "-1", "1.0", " 1", "99999999999999999999999", "18446744073709551615", "one"]
            .into_iter()
            .enumerate()
    {
        socket.send(PONG, odd).await;
        fence(&mut socket, n as u64 + 2).await;
        if n == 2 {
            // It counts one more than there were then.
            server.until("lingering", 4).await;
        }
    }
    server.until("lingering", 10).await;
    // One of our own accord, with the right number, says the same as an asked one.
    socket.send(PONG, "10").await;
    server.until("lingering", 0).await;
    close(socket).await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_frames_are_asked_about_at_once() {
    let server = start().await;
    let mut socket = RawSocket::connect(&server, USER).await;
    for cseq in 1..=300 {
        ask(&mut socket, cseq).await;
    }
    let (mut texts, mut pings) = (0, Vec::new());
    while texts < 300 || pings.is_empty() {
        match socket.frame().await {
            (TEXT, _) => texts += 1,
            (PING, count) => {
                assert_eq!(count, texts.to_string());
                pings.push(texts);
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(pings.len() == 1 && pings[0] <= 128, "{pings:?}");
    // Each new socket counts from its own beginning.
    drop(socket);
    server.until("connections", 0).await;
    let mut socket = RawSocket::connect(&server, USER).await;
    ask(&mut socket, 301).await;
    answered(&mut socket).await;
    assert_eq!(socket.frame().await, (PING, "1".to_owned()));
    socket.send(PONG, "1").await;
    close(socket).await;
    // The first socket's responses can never be known to have arrived.
    server.until_all(&[("connections", 0), ("transactions", 0), ("tasks", 0)]).await;
    assert!(server.jstack().await["lingering"].as_i64() > Some(100));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_close_says_that_all_has_arrived() {
    let server = start().await;
    let mut socket = RawSocket::connect(&server, USER).await;
    ask(&mut socket, 1).await;
    answered(&mut socket).await;
    server.until("lingering", 1).await;
    close(socket).await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ack_says_that_its_response_has_arrived() {
    let server = start().await;
    let mut socket = RawSocket::connect(&server, USER).await;
    let invite = request("INVITE", "Recv_CANCEL", USER, "arrival", 1);
    socket.send(TEXT, &invite.to_string()).await;
    socket.send(TEXT, &request("CANCEL", "Recv_CANCEL", USER, "arrival", 2).to_string()).await;
    for code in [200, 487] {
        let (_, text) = socket.frame().await;
        assert!(text.contains(&format!("\"Code\":{code}")), "{text}");
    }
    server.until_all(&[("sessions", 1), ("lingering", 2)]).await;
    let terminated = json!({"From": USER, "To": "Recv_CANCEL", "DialogueID": "arrival", "CSeq": 1});
    socket.send(TEXT, &ack(&terminated, 3).to_string()).await;
    // The CANCEL's own 200 is left.
    server.until_all(&[("sessions", 0), ("lingering", 1)]).await;
    close(socket).await;
    server.end().await;
}
