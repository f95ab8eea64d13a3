//! What the reader of messages takes and refuses, and what the writer makes of it.

#![expect(clippy::panic, reason = "helpers of tests are tests")]

use jsip::{Headers, Message, StatusCode};

fn request(message: Message) -> jsip::Request {
    match message {
        Message::Request(request) => request,
        Message::Response(response) => panic!("a response: {response:?}"),
    }
}

#[test]
fn a_message_is_written_as_it_was_read() {
    let text = concat!(
        r#"{"Type":"INVITE","Request-URI":"room:888@rtc.test.com","From":"Alex@rtc.test.com","To":"room:888@rtc.test.com","#,
        r#""DialogueID":"1f2b38472f596d72","CSeq":1,"Router":"a@b;type=x,c@d","Expire":300,"#,
        r#""P-Asserted-Identity":"6666@rtc.test.com","X-Big":12345678901234567890.10e+3,"Body":{"b" : [1.0, "\u00e9"],"a":null}}"#
    );
    assert_eq!(&*Message::decode(text).unwrap().encode(), text);
    let text = concat!(
        r#"{"Type":"RESPONSE","Code":486,"Desc":"Busy Here","From":"\u0001 \"%s\"","To":"b","#,
        r#""DialogueID":"d","CSeq":9007199254740991,"Body":null}"#
    );
    assert_eq!(&*Message::decode(text).unwrap().encode(), text);
}

#[test]
fn fields_come_in_any_order_and_some_are_dropped() {
    let text = concat!(
        r#" {"Body":"b","CSeq":7,"Desc":"x","Code":"x","DialogueID":"d","To":"t","From":"f","Router":"  ","#,
        r#""Request-URI":"u","RelatedID":0,"Type":"MESSAGE"} "#
    );
    assert_eq!(
        &*Message::decode(text).unwrap().encode(),
        r#"{"Type":"MESSAGE","Request-URI":"u","From":"f","To":"t","DialogueID":"d","CSeq":7,"Body":"b"}"#
    );
}

#[test]
fn responses_and_acks_are_made_from_what_they_answer() {
    let text = concat!(
        r#"{"Type":"INVITE","Request-URI":"u","From":"f","To":"t","DialogueID":"d","CSeq":7,"#,
        r#""Router":"r","P-Asserted-Identity":"p","Body":"b"}"#
    );
    let invite = request(Message::decode(text).unwrap());
    let response = invite.response(StatusCode::OK);
    assert_eq!(response.headers, Headers::default());
    let ack = response.ack(jsip::CSeq::from_random(0));
    insta::assert_snapshot!([response.encode(), ack.encode()].join("\n"));
}

#[test]
fn routes_are_taken_one_by_one() {
    let text = r#"{"Type":"OPTIONS","Request-URI":"u","From":"f","To":"t","DialogueID":"d","CSeq":7,"Router":" a@b , c@d;x,e"}"#;
    let mut options = request(Message::decode(text).unwrap());
    let mut seen = vec![];
    while let Some(route) = options.first_route().map(str::to_owned) {
        seen.push(route);
        options.drop_first_route();
    }
    assert_eq!(seen, ["a@b", "c@d;x", "e"]);
    assert_eq!(options.router, None);
}

#[test]
fn bad_frames_and_their_answers() {
    let rest = r#""From":"f","To":"t","DialogueID":"d","CSeq":1"#;
    let message = format!(r#"{{"Type":"MESSAGE","Request-URI":"u",{rest}"#);
    let deep = format!("{}{}", "[".repeat(32), "]".repeat(32));
    let frames = [
        String::new(),
        "  ".into(),
        "[]".into(),
        "7".into(),
        "null".into(),
        "{".into(),
        "{}".into(),
        format!("{message}}} x"),
        format!("{message}}}{{}}"),
        format!("{message},}}"),
        format!("{message},\"Body\":{deep}}}"),
        format!("{message},\"Body\":{{\"a\":1,\"a\":2}}}}"),
        format!("{message},\"X\":1,\"X\":1}}"),
        format!("{message},\"From\":\"g\"}}"),
        format!("{message},\"CSeq\":2}}"),
        format!("{message},\"Router\":5}}"),
        format!("{message},\"a\u{7f}\\u0007%s\":1,\"a\u{7f}\\u0007%s\":2}}"),
        format!(r#"{{"Type":"message","Request-URI":"u",{rest}}}"#),
        format!(r#"{{"Type":"TERM","Request-URI":"u",{rest}}}"#),
        format!(r#"{{"Type":7,"Request-URI":"u",{rest}}}"#),
        format!(r#"{{"Request-URI":"u",{rest}}}"#),
        format!(r#"{{"Code":200,{rest}}}"#),
        format!(r#"{{"Type":"MESSAGE",{rest}}}"#),
        format!(r#"{{"Type":"MESSAGE","Request-URI":null,{rest}}}"#),
        format!(r#"{{"Type":"MESSAGE","Request-URI":"\ud800",{rest}}}"#),
        format!(r#"{{"Type":"ACK",{rest}}}"#),
        format!(r#"{{"Type":"ACK","Request-URI":"u",{rest},"RelatedID":"1"}}"#),
        format!(r#"{{"Type":"CANCEL","Request-URI":"u",{rest},"RelatedID":"1"}}"#),
        format!(r#"{{"Type":"RESPONSE",{rest}}}"#),
        format!(r#"{{"Type":"RESPONSE","Code":99,{rest}}}"#),
        format!(r#"{{"Type":"RESPONSE","Code":700,{rest}}}"#),
        format!(r#"{{"Type":"RESPONSE","Code":200.0,{rest}}}"#),
        r#"{"Type":"MESSAGE","Request-URI":"u","From":1,"To":"t","DialogueID":"d","CSeq":1}"#.into(),
        r#"{"Type":"MESSAGE","Request-URI":"u","From":"f","DialogueID":"d","CSeq":1}"#.into(),
        r#"{"Type":"MESSAGE","Request-URI":"u","From":"f","To":"t","DialogueID":"","CSeq":1}"#.into(),
        r#"{"Type":"MESSAGE","Request-URI":"u","From":"f","To":"t","CSeq":1}"#.into(),
        r#"{"Type":"MESSAGE","Request-URI":"u","From":"f","To":"t","DialogueID":"d"}"#.into(),
        r#"{"Type":"MESSAGE","Request-URI":"u","From":"f","To":"t","DialogueID":"d","CSeq":0}"#.into(),
        r#"{"Type":"MESSAGE","Request-URI":"u","From":"f","To":"t","DialogueID":"d","CSeq":-1}"#.into(),
        r#"{"Type":"MESSAGE","Request-URI":"u","From":"f","To":"t","DialogueID":"d","CSeq":1.5}"#.into(),
        r#"{"Type":"MESSAGE","Request-URI":"u","From":"f","To":"t","DialogueID":"d","CSeq":"1"}"#.into(),
        r#"{"Type":"MESSAGE","Request-URI":"u","From":"f","To":"t","DialogueID":"d","CSeq":9007199254740992}"#.into(),
    ];
    let mut table = String::new();
    for frame in frames {
        let error = Message::decode(&frame).unwrap_err();
        let text = error.to_string();
        let reply = error.into_reply().map_or_else(|| "no answer".into(), |reply| reply.encode());
        table += &format!("{}\n  {text}\n  {reply}\n", frame.escape_debug());
    }
    insta::assert_snapshot!(table);
}

#[test]
fn json_is_strict_in_ignored_fields_too() {
    let rest = r#""Request-URI":"u","From":"f","To":"t","DialogueID":"d","CSeq":1"#;
    for (field, problem) in [
        (r#""Desc":{"a":1,"a":2}"#.to_owned(), "Desc: has a key twice"),
        (format!(r#""Code":{}{}"#, "[".repeat(60), "]".repeat(60)), "Code: nested deeper than 32"),
        (r#""RelatedID":[{"a":1,"\u0061":2}]"#.to_owned(), "RelatedID: has a key twice"),
    ] {
        let error = Message::decode(&format!(r#"{{"Type":"MESSAGE",{rest},{field}}}"#)).unwrap_err();
        assert_eq!(error.to_string(), problem);
    }
    let rest = r#""From":"f","To":"t","DialogueID":"d","CSeq":1,"Code":200"#;
    for field in ["Router", "Request-URI"] {
        let text = format!(r#"{{"Type":"RESPONSE",{rest},"{field}":{{"a":1,"a":2}}}}"#);
        let error = Message::decode(&text).unwrap_err();
        assert_eq!(error.to_string(), format!("{field}: has a key twice"));
    }
}

#[test]
fn the_ids_of_a_long_frame_do_not_keep_it_alive() {
    let body = "x".repeat(60_000);
    let message = request(
        Message::decode(&format!(
            r#"{{"Type":"MESSAGE","Request-URI":"u","From":"f","To":"t","DialogueID":"d","CSeq":1,"Body":"{body}"}}"#
        ))
        .unwrap(),
    );
    for part in [&message.uri, &message.from, &message.to] {
        assert!(part.as_bytes().is_unique(), "{part} is a slice of the frame");
    }
}
