//! `Expire`, `Max-Forwards`, and frames that are no message.

use std::time::Duration;

use jsip::Method::{Ack, Bye, Info, Invite, Message as Text, Register, Subscribe};
use jsip::{Message, Side};
use rtcd_testkit::{MessageExt as _, Rig, request, response};

use crate::states::session;

fn raw(method: &str, cseq: u64, fields: &str) -> String {
    format!(
        r#"{{"Type":"{method}","Request-URI":"bob@test","From":"alice@test","To":"bob@test","DialogueID":"d","CSeq":{cseq}{fields}}}"#
    )
}

#[test]
fn expire_of_invite_subscribe_and_register() {
    for method in ["INVITE", "SUBSCRIBE", "REGISTER"] {
        let zero = if method == "INVITE" { Err("423 1 Min-Expire=5") } else { Ok("0") };
        for (value, outcome) in [
            ("\"300\"", Err("400 1 Reason=\"Expire: must be a number\"")),
            ("true", Err("400 1 Reason=\"Expire: must be a number\"")),
            ("null", Err("400 1 Reason=\"Expire: must be a number\"")),
            ("[5]", Err("400 1 Reason=\"Expire: must be a number\"")),
            ("0", zero),
            ("1", Err("423 1 Min-Expire=5")),
            ("4", Err("423 1 Min-Expire=5")),
            ("-1", Err("423 1 Min-Expire=5")),
            ("5", Ok("5")),
            ("86400", Ok("86400")),
            ("86401", Ok("86400")),
            ("99999999999999999999999999", Ok("86400")),
            ("1e99", Ok("86400")),
            ("1e999", Ok("86400")),
        ] {
            let mut rig = Rig::new();
            rig.text(&raw(method, 1, &format!(r#","Expire":{value}"#)));
            match outcome {
                Ok(expire) => rig.sees(&[], &[&format!("new {method} 1 Expire={expire}")]),
                Err(refusal) => {
                    rig.sees(&[refusal], &[]);
                    rig.is_over();
                }
            }
        }
    }
}

#[test]
fn expire_without_meaning_is_not_read() {
    for method in ["MESSAGE", "OPTIONS", "NOTIFY"] {
        let mut rig = Rig::new();
        rig.text(&raw(method, 1, r#","Expire":"soon""#));
        rig.sees(&[], &[&format!("new {method} 1 Expire=\"soon\"")]);
    }
    for (method, code) in [("INVITE", None), ("UPDATE", Some("200 9"))] {
        let mut rig = session("Confirmed", Side::Peer);
        rig.text(&raw(method, 9, r#","Expire":1"#));
        match code {
            Some(code) => rig.sees(&[code], &[]),
            None => rig.sees(&[], &["INVITE 9 Expire=1"]),
        }
    }
}

#[test]
fn expire_is_optional() {
    let mut rig = Rig::new();
    rig.asks(Subscribe, 1);
    rig.asks(Register, 2);
    rig.sees(&[], &["new SUBSCRIBE 1", "REGISTER 2"]);
}

#[test]
fn a_lowered_expire_is_the_sessions() {
    let mut rig = Rig::with(|config| config.max_expire = Duration::from_secs(20));
    rig.peer(request(Invite, 1).number("Expire", 100));
    rig.app_replies(200, 1);
    rig.asks(Ack, 2);
    rig.sees(&["200 1"], &["new INVITE 1 Expire=20", "ACK 2 of 1"]);
    rig.seconds(20.0);
    rig.sees(&["BYE *"], &["BYE *"]);
}

#[test]
fn a_call_can_be_opened_after_423() {
    let mut rig = Rig::new();
    rig.peer(request(Invite, 1).number("Expire", 1));
    rig.asks(Ack, 2);
    rig.peer(request(Invite, 3).number("Expire", 5));
    rig.sees(&["423 1 Min-Expire=5"], &["new INVITE 3 Expire=5"]);
}

#[test]
fn max_forwards() {
    for (value, outcome) in [
        ("70", Ok("69")),
        ("1", Ok("0")),
        ("0", Err("483 1")),
        ("-1", Err("483 1")),
        ("\"70\"", Err("400 1 Reason=\"Max-Forwards: must be an integer\"")),
        ("7.0", Err("400 1 Reason=\"Max-Forwards: must be an integer\"")),
        ("1e2", Err("400 1 Reason=\"Max-Forwards: must be an integer\"")),
        ("null", Err("400 1 Reason=\"Max-Forwards: must be an integer\"")),
    ] {
        for method in ["MESSAGE", "SUBSCRIBE"] {
            let mut rig = Rig::new();
            rig.text(&raw(method, 1, &format!(r#","Max-Forwards":{value}"#)));
            match outcome {
                Ok(left) => rig.sees(&[], &[&format!("new {method} 1 Max-Forwards={left}")]),
                Err(refusal) => {
                    rig.sees(&[refusal], &[]);
                    rig.is_over();
                }
            }
        }
    }
}

#[test]
fn max_forwards_within_a_call() {
    let mut rig = session("Answered", Side::Peer);
    rig.peer(request(Info, 70).number("Max-Forwards", 0));
    rig.peer(request(Bye, 71).number("Max-Forwards", 0));
    rig.peer(request(Invite, 72).number("Max-Forwards", 0));
    rig.sees(&["483 70", "483 71", "483 72"], &[]);
    assert_eq!(rig.state(), "Answered");
    // An ACK cannot be answered.
    rig.peer(request(Ack, 73).number("Max-Forwards", 0));
    rig.sees(&[], &[]);
    assert_eq!(rig.stack.counters().dropped_acks, 1);
    rig.peer(request(Ack, 74).number("Max-Forwards", 9));
    rig.sees(&[], &["ACK 74 of 1 Max-Forwards=8"]);
}

#[test]
fn requests_for_another_server_get_max_forwards() {
    let mut rig = Rig::with(|config| config.hop = true);
    rig.open(request(Invite, 1)).unwrap();
    rig.replies(486, 1);
    rig.open(request(Text, 2).number("Max-Forwards", 3).in_dialog("x")).unwrap();
    rig.sees(
        &[
            "INVITE 1 Expire=600 Max-Forwards=70",
            "ACK * of 1 Max-Forwards=70",
            "[x] MESSAGE 2 Max-Forwards=3",
        ],
        &["486 1", "END"],
    );
}

#[test]
fn a_bad_frame_is_answered_if_it_can_be() {
    let mut rig = Rig::new();
    for (frame, answer) in [
        ("", None),
        ("hello", None),
        ("[]", None),
        ("{}", None),
        (r#"{"Type":"MESSAGE","DialogueID":"d"}"#, None),
        (r#"{"Type":"MESSAGE","DialogueID":"d","CSeq":7}"#, Some("400 7 Reason=\"From: is missing\"")),
        (
            r#"{"Type":"TERM","From":"a","To":"b","DialogueID":"d","CSeq":7}"#,
            Some("400 7 Reason=\"Type: is no method and not RESPONSE\""),
        ),
        (r#"{"Type":"ACK","From":"a","DialogueID":"d","CSeq":7}"#, None),
        (r#"{"Type":"RESPONSE","From":"a","To":"b","DialogueID":"d","CSeq":7}"#, None),
    ] {
        rig.text(frame);
        match answer {
            Some(answer) => rig.sees(&[answer], &[]),
            None => rig.sees(&[], &[]),
        }
    }
    assert_eq!(rig.stack.counters().bad_frames, 9);
    // The 400 copies what it can.
    rig.text(r#"{"Type":"MESSAGE","From":"a","To":5,"DialogueID":"d","CSeq":8}"#);
    let Some(Message::Response(answer)) = rig.sent.last() else { panic!("a 400") };
    assert_eq!((&*answer.from, &*answer.to), ("a", ""));
    assert!(rig.stack.counts().dialogs == 0);
}

#[test]
fn a_bad_frame_harms_no_call() {
    let mut rig = session("Confirmed", Side::Peer);
    rig.text(r#"{"Type":"BYE","From":"a","DialogueID":"d","CSeq":7}"#);
    rig.sees(&["400 7 Reason=\"To: is missing\""], &[]);
    assert_eq!(rig.state(), "Confirmed");
}

#[test]
fn too_many_bad_frames_in_a_row_close_the_socket() {
    let mut rig = Rig::with(|config| config.max_bad_frames = 3);
    rig.text("");
    rig.text("");
    rig.asks(Text, 1);
    rig.text("");
    rig.text("");
    rig.sees(&[], &["new MESSAGE 1"]);
    rig.text("");
    rig.sees(&["CLOSE TooManyBadFrames"], &[]);
    assert!(!rig.stack.is_attached());
    // What still comes is ignored.
    rig.asks(Text, 2);
    assert_eq!(rig.stack.counters().ignored_frames, 1);
    // The dialog lives on, and the count starts again.
    rig.app(response(200, 1)).unwrap();
    rig.attach();
    rig.text("");
    rig.text("");
    rig.sees(&["200 1"], &["END"]);
}
