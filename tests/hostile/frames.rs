//! Frames that are no messages, and messages that are no good.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::common::{Client, Healthy, Setup, TestServer, answer, fields, request};

const MALLORY: &str = "mallory@client.test";

/// A good message, to see that the connection lives.
async fn still_there(client: &mut Client, cseq: u64) {
    let message = request("MESSAGE", "Recv_MESSAGE", MALLORY, "still-there", cseq);
    client.send(&message).await;
    client.expect(answer(&message, 200)).await;
}

fn frame(payload: impl Into<Vec<u8>>, opcode: OpCode, is_final: bool) -> Message {
    Message::Frame(Frame::message(payload.into(), opcode, is_final))
}

/// A MESSAGE whose frame has this many bytes.
fn of_size(size: usize) -> (Value, String) {
    let message = request("MESSAGE", "Recv_MESSAGE", MALLORY, "size", size as u64);
    let bare = fields(message.clone(), json!({"Body": ""})).to_string().len();
    let text = fields(message.clone(), json!({"Body": "x".repeat(size - bare)})).to_string();
    assert_eq!(text.len(), size);
    (message, text)
}

/// Sends a frame, and gives the code with which the server closes.
async fn closed_by(server: &TestServer, sent: Message) -> u16 {
    let mut client = Client::connect(server, MALLORY).await;
    still_there(&mut client, 1).await;
    client.send_frame(sent).await;
    client.close_code().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_close_the_connection() {
    let server = TestServer::start().await;
    let mut healthy = Healthy::start(&server).await;
    let text = |bytes: Vec<u8>| frame(bytes, OpCode::Data(Data::Text), true);
    for (what, sent, code) in [
        ("a binary frame", Message::binary("{}"), 1003),
        ("an empty binary frame", Message::binary(""), 1003),
        ("160 KB of brackets", Message::text("[".repeat(160 * 1024)), 1009),
        ("65 KiB and a byte", Message::text(of_size(65 * 1024 + 1).1), 1009),
        ("64 KiB and a byte", Message::text(of_size(64 * 1024 + 1).1), 1009),
        ("not UTF-8", text(vec![b'{', b'"', 0xff, b'"', b'}']), 1007),
        ("half a character", text("é".as_bytes()[..1].to_vec()), 1007),
        ("a continuation of nothing", frame("x", OpCode::Data(Data::Continue), true), 1002),
    ] {
        assert_eq!(closed_by(&server, sent).await, code, "{what}");
        healthy.check().await;
    }
    // What is no frame at all (RFC 6455, 5.2): a reserved opcode, a reserved bit, no mask, a length beyond all bounds, a long ping.
    let mut long_ping = vec![0x89, 0xfe, 0, 200];
    long_ping.resize(4 + 4 + 200, 0);
    for (bytes, code) in [
        (&[0x83, 0x80, 0, 0, 0, 0][..], 1002),
        (&[0x8b, 0x80, 0, 0, 0, 0], 1002),
        (&[0xc1, 0x80, 0, 0, 0, 0], 1002),
        (&[0x81, 0x01, b'x'], 1002),
        (&[0x81, 0xff, 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], 1009),
        (&long_ping, 1002),
    ] {
        let mut client = Client::connect(&server, MALLORY).await;
        client.ws.get_mut().write_all(bytes).await.unwrap();
        assert_eq!(client.close_code().await, code, "{bytes:x?}");
        healthy.check().await;
    }
    healthy.end().await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fragments_make_one_message() {
    let server = TestServer::start().await;
    let mut client = Client::connect(&server, MALLORY).await;
    let message = request("MESSAGE", "Recv_MESSAGE", MALLORY, "fragments", 1);
    let text = fields(message.clone(), json!({"Body": "é".repeat(100)})).to_string();
    // The cut is in the middle of a character, and a ping may come between.
    let bytes = text.as_bytes();
    let middle = text.find('é').unwrap() + 1;
    client.send_frame(frame(&bytes[..middle], OpCode::Data(Data::Text), false)).await;
    client.send_frame(Message::Ping("between".into())).await;
    client.send_frame(frame("", OpCode::Data(Data::Continue), false)).await;
    client.send_frame(frame(&bytes[middle..], OpCode::Data(Data::Continue), true)).await;
    assert!(matches!(client.frame().await, Message::Pong(payload) if payload == "between"));
    client.expect(answer(&message, 200)).await;
    // Together too big.
    client.send_frame(frame("x".repeat(40_000), OpCode::Data(Data::Text), false)).await;
    client.send_frame(frame("x".repeat(40_000), OpCode::Data(Data::Continue), true)).await;
    assert_eq!(client.close_code().await, 1009);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_big_as_may_be() {
    let server = TestServer::start().await;
    let mut client = Client::connect(&server, MALLORY).await;
    for size in [64 * 1024 - 1, 64 * 1024] {
        let (message, text) = of_size(size);
        client.send_text(&text).await;
        client.expect(answer(&message, 200)).await;
    }
    server.end_with([client]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_answered_if_it_can_be() {
    let server = TestServer::start().await;
    let mut healthy = Healthy::start(&server).await;
    let mut client = Client::connect(&server, MALLORY).await;
    // Of these nobody can tell whom to answer, or nothing has an answer.
    for (n, silent) in [
        "",
        " ",
        "null",
        "[]",
        "7",
        "\"MESSAGE\"",
        "{",
        "}{",
        r#"{"Type":"MESSAGE","DialogueID":"bad","CSeq":1"#,
        r#"{"Type":"MESSAGE","From":"a","To":"b","Request-URI":"c","CSeq":1}"#,
        r#"{"Type":"MESSAGE","From":"a","To":"b","Request-URI":"c","DialogueID":"","CSeq":1}"#,
        r#"{"Type":"MESSAGE","From":"a","To":"b","Request-URI":"c","DialogueID":7,"CSeq":1}"#,
        r#"{"Type":"MESSAGE","From":"a","To":"b","Request-URI":"c","DialogueID":"bad"}"#,
        r#"{"Type":"MESSAGE","From":"a","To":"b","Request-URI":"c","DialogueID":"bad","CSeq":0}"#,
        r#"{"Type":"MESSAGE","From":"a","To":"b","Request-URI":"c","DialogueID":"bad","CSeq":-1}"#,
        r#"{"Type":"MESSAGE","From":"a","To":"b","Request-URI":"c","DialogueID":"bad","CSeq":1.5}"#,
        r#"{"Type":"MESSAGE","From":"a","To":"b","Request-URI":"c","DialogueID":"bad","CSeq":9007199254740992}"#,
        r#"{"Type":"RESPONSE","From":"a","To":"b","DialogueID":"bad","CSeq":1}"#,
        r#"{"Type":"RESPONSE","Code":700,"From":"a","To":"b","DialogueID":"bad","CSeq":1}"#,
        r#"{"Type":"ACK","From":"a","To":"b","DialogueID":"bad","CSeq":1}"#,
    ]
    .into_iter()
    .enumerate()
    {
        client.send_text(silent).await;
        still_there(&mut client, n as u64 + 1).await;
    }
    for depth in [200, 30_000] {
        client.send_text(&"[".repeat(depth)).await;
        client.send_text(&r#"{"a":"#.repeat(depth / 6)).await;
    }
    still_there(&mut client, 101).await;
    // These get a 400 that says what is wrong.
    let nest = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    for (n, (field, bad)) in [
        ("From", r#""Type":"MESSAGE","To":"b","Request-URI":"c""#.to_owned()),
        ("To", r#""Type":"MESSAGE","From":"a","To":null,"Request-URI":"c""#.to_owned()),
        ("Request-URI", r#""Type":"MESSAGE","From":"a","To":"b""#.to_owned()),
        ("Type", r#""Type":"HELLO","From":"a","To":"b","Request-URI":"c""#.to_owned()),
        ("Type", r#""Type":"TERM","From":"a","To":"b","Request-URI":"c""#.to_owned()),
        ("Type", r#""From":"a","To":"b","Request-URI":"c""#.to_owned()),
        ("Router", r#""Type":"MESSAGE","From":"a","To":"b","Request-URI":"c","Router":7"#.to_owned()),
        ("RelatedID", r#""Type":"CANCEL","From":"a","To":"b","Request-URI":"c","RelatedID":"x""#.to_owned()),
        ("Body", format!(r#""Type":"MESSAGE","From":"a","To":"b","Request-URI":"c","Body":{nest}"#)),
        ("Body", r#""Type":"MESSAGE","From":"a","To":"b","Request-URI":"c","Body":{"x":1,"x":2}"#.to_owned()),
        ("From", r#""Type":"MESSAGE","From":"a","From":"a","To":"b","Request-URI":"c""#.to_owned()),
        (
            "X-Mine",
            r#""Type":"MESSAGE","From":"a","To":"b","Request-URI":"c","X-Mine":1,"X-Mine":1"#.to_owned(),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let cseq = 1000 + n;
        client.send_text(&format!(r#"{{{bad},"DialogueID":"bad","CSeq":{cseq}}}"#)).await;
        let refused = client.expect(json!({"Code": 400, "DialogueID": "bad", "CSeq": cseq})).await;
        let reason = refused["Reason"].as_str().unwrap_or_default();
        assert!(reason.contains(field), "{bad}: {refused}");
        for (name, text) in [("From", "\"From\":\"a\""), ("To", "\"To\":\"b\"")] {
            let copied = if bad.contains(text) { &text[name.len() + 4..text.len() - 1] } else { "" };
            assert_eq!(refused[name], copied, "{bad}: {refused}");
        }
    }
    // A good message with something behind it.
    let message = request("MESSAGE", "Recv_MESSAGE", MALLORY, "tail", 1);
    client.send_text(&format!("{message} x")).await;
    let refused = client.recv().await;
    assert_eq!((&refused["Code"], &refused["DialogueID"]), (&json!(400), &json!("tail")), "{refused}");
    still_there(&mut client, 102).await;
    healthy.check().await;
    healthy.end().await;
    server.end_with([client]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_are_texts() {
    let server = TestServer::start().await;
    let mut client = Client::connect(&server, MALLORY).await;
    for (n, text) in [
        "%s%n%d%x%%",
        "{} {:?} {0}",
        "\u{0}\u{1b}[2J\u{7}\r\n\t\u{7f}\u{9b}",
        "\"\\\u{2028}\u{feff}\u{10ffff}",
        "'; DROP TABLE users; --",
        "$cseq ${HOME} `id`",
    ]
    .into_iter()
    .enumerate()
    {
        let message = fields(
            request("MESSAGE", "Recv_MESSAGE", text, &format!("{text}{n}"), 1),
            json!({"To": text, "X-Text": text, text: text}),
        );
        client.send(&message).await;
        client.expect(answer(&message, 200)).await;
        // One that is nobody's, and one that comes back.
        let unknown = fields(message.clone(), json!({"Type": "BYE", "DialogueID": format!("{text}!")}));
        client.send(&unknown).await;
        client.expect(answer(&unknown, 481)).await;
        let returned = fields(message, json!({"Request-URI": "Send_MESSAGE", "From": MALLORY, "CSeq": 2}));
        client.send(&returned).await;
        client.expect(json!({"Code": 200, "CSeq": 2, "To": text})).await;
        let own = client.expect(json!({"Type": "MESSAGE", "To": MALLORY})).await;
        client.reply(&own, 200).await;
    }
    // A name may be nearly anything.
    let odd = Client::try_connect(&server, "/rtc?userid=%25s%00%1b%5b2J%20%22", "odd").await.unwrap();
    odd.close().await;
    server.end_with([client]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_bad_frames_in_a_row() {
    let server = Setup::new().settings("jsip: {max_bad_frames: 5}").start().await;
    let healthy = Healthy::start(&server).await;
    let mut client = Client::connect(&server, MALLORY).await;
    for cseq in 1..4 {
        for _ in 0..4 {
            client.send_text("bad").await;
        }
        still_there(&mut client, cseq).await;
    }
    for _ in 0..5 {
        client.send_text("bad").await;
    }
    assert_eq!(client.close_code().await, 1008);
    healthy.end().await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_of_pings_and_pongs() {
    const MANY: u64 = 5000;
    let server = TestServer::start().await;
    let mut healthy = Healthy::start(&server).await;
    let mut client = Client::connect(&server, MALLORY).await;
    for n in 0..MANY {
        client.ws.feed_frame(Message::Ping(format!("{n}").into())).await;
        let odd = ["", "-1", "99999999999999999999999", "18446744073709551615", "1000000", "x", "\u{1f}"];
        client.ws.feed_frame(Message::Pong(odd[n as usize % odd.len()].into())).await;
    }
    client.ws.flush_all().await;
    healthy.check().await;
    // Not each ping needs a pong of its own (RFC 6455, 5.5.3), the last one does.
    loop {
        match client.frame().await {
            Message::Pong(payload) if payload == (MANY - 1).to_string() => break,
            Message::Pong(_) | Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
    still_there(&mut client, 1).await;
    healthy.end().await;
    server.end_with([client]).await;
}

/// Frames without waiting for each to leave.
trait Feed {
    async fn feed_frame(&mut self, frame: Message);
    async fn flush_all(&mut self);
}

impl<S: futures_util::Sink<Message, Error: std::fmt::Debug> + Unpin> Feed for S {
    async fn feed_frame(&mut self, frame: Message) {
        futures_util::SinkExt::feed(self, frame).await.unwrap();
    }

    async fn flush_all(&mut self) {
        futures_util::SinkExt::flush(self).await.unwrap();
    }
}
