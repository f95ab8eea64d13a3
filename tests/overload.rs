//! One client sends more than can be done: it is refused, and a call of others goes on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::collections::BTreeMap;

use common::{Client, PATIENCE, Setup, ack, fields, request};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

/// So many at once, written as fast as they go.
const FLOOD: u64 = 60_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_refused_and_a_call_goes_on() {
    // A server that bears little, so that any machine can flood it.
    let setup = Setup::new().settings("limits: {overload: 1ms}\nrtc: {max_write_buffer: 67108864}");
    let server = setup.start().await;
    let mut caller = Client::connect(&server, "caller@h").await;
    let mut call = String::new();
    for n in 1.. {
        call = format!("call{n}");
        let invite = fields(
            request("INVITE", "Recv_INFO", "caller@h", &call, 1),
            json!({"Router": "x@h;type=conformance", "Body": "sdp"}),
        );
        caller.send(&invite).await;
        // The machine may be too slow for it at this moment.
        if caller.recv().await["Code"] == 180 {
            break;
        }
    }
    let accepted = caller.expect(json!({"Code": 200, "DialogueID": call})).await;
    caller.send(&ack(&accepted, 2)).await;

    let flood = Client::connect(&server, "flood@h").await;
    let (mut write, mut read) = flood.ws.split();
    let writer = tokio::spawn(async move {
        for n in 1..=FLOOD {
            let message = request("MESSAGE", "Recv_MESSAGE", "flood@h", &format!("d{n}"), n);
            write.feed(Message::text(message.to_string())).await.unwrap();
        }
        write.flush().await.unwrap();
        write
    });
    let mut codes = BTreeMap::new();
    let mut answered = vec![false; FLOOD as usize + 1];
    let mut cseq = 2;
    for _ in 0..FLOOD {
        let answer = answer_of(&mut read).await;
        let code = answer["Code"].as_u64().unwrap();
        if code == 503 {
            assert_eq!(answer["Desc"], "Service Unavailable", "{answer}");
            assert!((2..10).contains(&answer["Retry-After"].as_u64().unwrap()), "{answer}");
            // What is refused does not stand in the way of those who call.
            if codes.get(&503).is_none_or(|refused| refused % 1000 == 0) {
                cseq += 1;
                caller.send(&request("INFO", "Recv_INFO", "caller@h", &call, cseq)).await;
                caller.expect(json!({"Code": 200, "CSeq": cseq})).await;
            }
        }
        *codes.entry(code).or_insert(0) += 1;
        let of = answer["CSeq"].as_u64().unwrap() as usize;
        assert!(!std::mem::replace(&mut answered[of], true), "two answers: {answer}");
    }
    assert_eq!(codes.values().sum::<u64>(), FLOOD);
    assert!(codes.keys().eq(&[200, 503]), "both kinds, and no other: {codes:?}");

    // Then there is time again.
    let mut write = writer.await.unwrap();
    let served = async {
        for n in 1.. {
            let again = request("MESSAGE", "Recv_MESSAGE", "flood@h", &format!("again{n}"), n);
            write.send(Message::text(again.to_string())).await.unwrap();
            if answer_of(&mut read).await["Code"] == 200 {
                break;
            }
        }
    };
    timeout(PATIENCE, served).await.unwrap();
    caller.send(&request("BYE", "Recv_INFO", "caller@h", &call, cseq + 1)).await;
    caller.expect(json!({"Code": 200, "CSeq": cseq + 1})).await;
    caller.close().await;
    drop((write, read));
    server.end().await;
}

/// The next answer; pings that ask what has arrived are the library's.
async fn answer_of(
    read: &mut (impl futures_util::Stream<Item = Result<Message, tokio_tungstenite::tungstenite::Error>> + Unpin),
) -> Value {
    loop {
        if let Message::Text(text) = timeout(PATIENCE, read.next()).await.unwrap().unwrap().unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}
