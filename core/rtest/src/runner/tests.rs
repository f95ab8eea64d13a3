//! Runs against a scripted peer over an in-memory pipe, on a paused clock.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

use super::*;
use crate::script::Script;

/// The other end of the run's connection.
type Peer = WebSocketStream<DuplexStream>;

/// Runs `script` while `peer` plays the other side; gives the result and the transcript.
async fn play<F: Future<Output = ()>>(
    script: &str,
    peer: impl FnOnce(Peer) -> F,
) -> (Result<(), String>, Vec<String>) {
    let (near, far) = duplex(64 * 1024);
    let near = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
    let far = WebSocketStream::from_raw_socket(far, Role::Server, None).await;
    let (lines, mut printed) = mpsc::unbounded_channel();
    let transcript = Transcript::new(move |line| lines.send(line.to_owned()).unwrap());
    let stages: Arc<[Stage]> = Script::parse(script).unwrap().stages(1).unwrap();
    let run = async {
        let mut frames = Frames::new(near);
        let result = Run::new(&mut frames, &transcript, 1).play(&stages).await;
        frames.close().await;
        result.map_err(|error| error.to_string())
    };
    let (result, ()) = tokio::join!(run, peer(far));
    drop(transcript);
    let mut all = Vec::new();
    while let Ok(line) = printed.try_recv() {
        all.push(line);
    }
    (result, all)
}

async fn text(peer: &mut Peer) -> String {
    match peer.next().await.unwrap().unwrap() {
        Message::Text(text) => text.as_str().to_owned(),
        other => panic!("expected a text frame, got {other:?}"),
    }
}

async fn say(peer: &mut Peer, text: &str) {
    peer.send(Message::text(text)).await.unwrap();
}

/// Reads to the end; the close code of the other side.
async fn close_code(mut peer: Peer) -> Option<u16> {
    while let Some(Ok(message)) = peer.next().await {
        if let Message::Close(Some(frame)) = message {
            return Some(frame.code.into());
        }
    }
    None
}

#[tokio::test(start_paused = true)]
async fn variables_go_from_one_message_to_the_next() {
    let script = r#"[
        {"type":"recv","value":{"Type":"INVITE"},"vars":{"$cseq":"CSeq","$from":"From"}},
        {"type":"send","value":{"Type":"RESPONSE","Code":200,"CSeq":0},"vars":{"CSeq":"$cseq","To":"sip:$from"}},
        {"type":"recv","value":{"RelatedID":"$cseq"}}
    ]"#;
    let (result, lines) = play(script, async |mut peer| {
        say(&mut peer, r#"{"Type":"INVITE","CSeq":7,"From":"a@h"}"#).await;
        assert_eq!(text(&mut peer).await, r#"{"Type":"RESPONSE","Code":200,"CSeq":7,"To":"sip:a@h"}"#);
        say(&mut peer, r#"{"Type":"ACK","RelatedID":7}"#).await;
        assert_eq!(close_code(peer).await, Some(1000));
    })
    .await;
    assert_eq!(result, Ok(()));
    insta::assert_snapshot!(lines.join("\n"), @r#"
    [1] < {"Type":"INVITE","CSeq":7,"From":"a@h"}
    [1] > {"Type":"RESPONSE","Code":200,"CSeq":7,"To":"sip:a@h"}
    [1] < {"Type":"ACK","RelatedID":7}
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_sleeping_run_answers_pings_and_keeps_frames_in_order() {
    let script = r#"[
        {"type":"send","value":{"n":0},"timeout":"10s"},
        {"type":"recv","value":{"n":1},"timeout":"0s"},
        {"type":"recv","value":{"n":2},"timeout":"0s"}
    ]"#;
    let start = Instant::now();
    let (result, _) = play(script, async |mut peer| {
        say(&mut peer, r#"{"n":1}"#).await;
        peer.send(Message::Ping("7".into())).await.unwrap();
        say(&mut peer, r#"{"n":2}"#).await;
        assert_eq!(peer.next().await.unwrap().unwrap(), Message::Pong("7".into()));
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!(text(&mut peer).await, r#"{"n":0}"#);
        assert_eq!(start.elapsed(), Duration::from_secs(10));
        close_code(peer).await;
    })
    .await;
    assert_eq!(result, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn an_optional_frame_may_be_missing() {
    let script = r#"[
        {"type":"recv","value":{"Code":180},"timeout":"1s","option":true},
        {"type":"recv","value":{"Code":200},"timeout":"1s"}
    ]"#;
    let (result, lines) = play(script, async |mut peer| {
        sleep(Duration::from_millis(1500)).await;
        say(&mut peer, r#"{"Code":200}"#).await;
        close_code(peer).await;
    })
    .await;
    assert_eq!(result, Ok(()));
    insta::assert_snapshot!(lines.join("\n"), @r#"
    [1] stage 1 (recv): nothing came in 1s; it is optional
    [1] < {"Code":200}
    "#);
}

#[tokio::test(start_paused = true)]
async fn branches() {
    let script = r#"[
        {"type":"recv","tag":"again","vars":{"$code":"Code","$desc":"Desc"}},
        {"type":"if","vars":{"$code":"^1..$"},"goto":"again"},
        {"type":"if","vars":{"$code":"^2","$desc":"^OK$","$unknown":""},"goto":"again"},
        {"type":"if","vars":{"$code":"^2","$desc":"^OK$"},"goto":"good"},
        {"type":"send","value":{"result":"bad"}},
        {"type":"end"},
        {"type":"send","tag":"good","value":{"result":"good"}}
    ]"#;
    let answer = async |code: u16| {
        let (result, lines) = play(script, async |mut peer| {
            say(&mut peer, r#"{"Code":180,"Desc":"Ringing"}"#).await;
            say(&mut peer, &format!(r#"{{"Code":{code},"Desc":"OK"}}"#)).await;
            close_code(peer).await;
        })
        .await;
        assert_eq!(result, Ok(()));
        lines.last().unwrap().clone()
    };
    assert_eq!(answer(200).await, r#"[1] > {"result":"good"}"#);
    assert_eq!(answer(404).await, r#"[1] > {"result":"bad"}"#);
}

#[tokio::test(start_paused = true)]
async fn failures_say_where_and_what() {
    let cases = [
        (r#"{"value":{"Code":200,"CSeq":1,"To":"b"}}"#, r#"{"Code":404,"CSeq":"1","To":"b"}"#),
        (r#"{"value":{"Reason":"No Expire"},"tag":"refusal"}"#, r#"{"Code":400}"#),
        (r#"{"value":{"Body":{"a":1}}}"#, r#"{"Body":{"a":1,"b":2}}"#),
        (r#"{"vars":{"$cseq":"CSeq"}}"#, r#"{"Code":400}"#),
        (r#"{"value":{}}"#, "[1]"),
        (r#"{"value":{}}"#, "oops"),
    ];
    let mut failures = Vec::new();
    for (stage, frame) in cases {
        let script = format!(r#"[{{"type":"recv",{}]"#, &stage[1..]);
        let (result, _) = play(&script, async |mut peer| {
            say(&mut peer, frame).await;
            assert_eq!(close_code(peer).await, Some(1000));
        })
        .await;
        failures.push(result.unwrap_err());
    }
    insta::assert_snapshot!(failures.join("\n"), @r#"
    stage 1 (recv): field `Code`: expected 200, got 404; field `CSeq`: expected 1, got "1"
    stage 1 (recv refusal): field `Reason`: expected "No Expire", got nothing
    stage 1 (recv): field `Body`: expected {"a":1}, got {"a":1,"b":2}
    stage 1 (recv): field `CSeq`, for $cseq, is not in the message
    stage 1 (recv): expected a JSON object, got [1]
    stage 1 (recv): expected a JSON object, got oops
    "#);
}

#[tokio::test(start_paused = true)]
async fn other_failures() {
    let mut failures = Vec::new();
    let silent = async |peer| assert_eq!(close_code(peer).await, Some(1000));
    for script in [
        r#"[{"type":"recv","timeout":"500ms"}]"#,
        r#"[{"type":"send","value":{},"vars":{"CSeq":"$cseq"}}]"#,
        r#"[{"type":"if","goto":"a"},{"type":"if","goto":"a","tag":"a"}]"#,
    ] {
        failures.push(play(script, silent).await.0.unwrap_err());
    }
    let closing = async |mut peer: Peer| {
        let frame = CloseFrame { code: 4001.into(), reason: "replaced".into() };
        peer.close(Some(frame)).await.unwrap();
        close_code(peer).await;
    };
    for script in [
        r#"[{"type":"recv","timeout":"1s","option":true}]"#,
        r#"[{"type":"send","value":{},"timeout":"1s"}]"#,
    ] {
        failures.push(play(script, closing).await.0.unwrap_err());
    }
    let binary = async |mut peer: Peer| {
        peer.send(Message::binary(vec![0; 3])).await.unwrap();
        close_code(peer).await;
    };
    failures.push(play(r#"[{"type":"recv"}]"#, binary).await.0.unwrap_err());
    failures.push(play(r#"[{"type":"recv"}]"#, async |peer| drop(peer)).await.0.unwrap_err());
    insta::assert_snapshot!(failures.join("\n"), @r#"
    stage 1 (recv): nothing came in 500ms
    stage 1 (send): field `CSeq`: the variable $cseq has no value
    stage 2 (if a): goes round for ever: nothing is sent or received between the same `if` stages
    stage 1 (recv): the connection is closed: 4001 replaced
    stage 1 (send): the connection is closed: 4001 replaced
    stage 1 (recv): expected a text frame, got a binary one of 3 bytes
    stage 1 (recv): the connection is closed: WebSocket protocol error: Connection reset without closing handshake
    "#);
}
