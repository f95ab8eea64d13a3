//! Requests and their responses, of every kind.

use jsip::Method::{Ack, Bye, Info, Invite, Message as Text, Notify, Options, Register, Subscribe};
use jsip::{SendError, Side};
use rtcd_testkit::{MessageExt as _, Pings, RequestExt as _, Rig, request, response};

use crate::states::session;

#[test]
fn a_request_of_the_peer_and_its_answer() {
    for method in [Text, Options, Notify, Register, Subscribe] {
        let mut rig = Rig::new();
        rig.asks(method, 1);
        rig.sees(&[], &[&format!("new {method} 1")]);
        rig.app_replies(200, 1);
        rig.sees(&["200 1"], &["END"]);
        rig.is_over();
    }
}

#[test]
fn a_request_of_the_application_and_its_answer() {
    for method in [Text, Options, Notify, Register, Subscribe] {
        for code in [200, 202, 302, 404, 503, 603] {
            let mut rig = Rig::new();
            rig.open(request(method, 1)).unwrap();
            rig.replies(code, 1);
            rig.sees(&[&format!("{method} 1")], &[&format!("{code} 1"), "END"]);
            rig.is_over();
        }
    }
}

#[test]
fn the_first_response_has_to_come_within_transtimer() {
    let mut rig = Rig::new();
    rig.asks(Text, 1);
    rig.heard();
    rig.seconds(4.9);
    rig.sees(&[], &[]);
    rig.seconds(0.1);
    rig.sees(&["408 1"], &["END"]);
    rig.is_over();

    let mut rig = Rig::new();
    rig.open(request(Text, 1)).unwrap();
    rig.wire();
    rig.seconds(4.9);
    rig.sees(&[], &[]);
    rig.seconds(0.1);
    rig.sees(&[], &["408 1", "END"]);
    rig.is_over();
}

#[test]
fn after_a_provisional_response_it_is_prtimer() {
    let mut rig = Rig::new();
    rig.asks(Text, 1);
    rig.heard();
    for code in [100, 183] {
        rig.seconds(4.0);
        rig.app_replies(code, 1);
        rig.sees(&[&format!("{code} 1")], &[]);
    }
    rig.seconds(59.9);
    rig.sees(&[], &[]);
    rig.seconds(0.1);
    rig.sees(&["408 1"], &["END"]);

    let mut rig = Rig::new();
    rig.open(request(Text, 1)).unwrap();
    rig.wire();
    for code in [100, 183] {
        rig.seconds(4.0);
        rig.replies(code, 1);
        rig.sees(&[], &[&format!("{code} 1")]);
    }
    rig.seconds(59.9);
    rig.sees(&[], &[]);
    rig.seconds(0.1);
    rig.sees(&[], &["408 1", "END"]);
}

#[test]
fn responses_that_match_nothing_are_dropped_and_counted() {
    let mut rig = Rig::new();
    // No such dialog.
    rig.replies(200, 1);
    // No such request in it, and the wrong direction.
    rig.asks(Text, 1);
    rig.replies(200, 2);
    rig.replies(200, 1);
    rig.sees(&[], &["new MESSAGE 1"]);
    assert_eq!(rig.stack.counters().dropped_responses, 3);
    rig.app_replies(200, 1);
    rig.sees(&["200 1"], &["END"]);
}

#[test]
fn after_the_final_response_all_others_are_dropped() {
    let mut rig = session("Confirmed", Side::Peer);
    rig.app_asks(Info, 80);
    rig.replies(200, 80);
    rig.sees(&["INFO 80"], &["200 80"]);
    for code in [180, 200, 500] {
        rig.replies(code, 80);
        rig.sees(&[], &[]);
    }
    assert_eq!(rig.stack.counters().dropped_responses, 3);
    // The application's are refused.
    rig.asks(Info, 70);
    rig.app_replies(200, 70);
    rig.wire();
    for code in [180, 200, 500] {
        let error = rig.app(response(code, 70)).unwrap_err();
        assert!(matches!(error, SendError::NoTransaction { .. }));
    }
    rig.sees(&[], &["INFO 70"]);
    assert_eq!(rig.stack.counters().refused_sends, 3);
}

#[test]
fn both_ends_may_use_one_cseq() {
    let mut rig = Rig::new();
    rig.asks(Text, 1);
    rig.app_asks(Text, 1);
    rig.sees(&["MESSAGE 1"], &["new MESSAGE 1"]);
    rig.replies(200, 1);
    rig.sees(&[], &["200 1"]);
    rig.app_replies(202, 1);
    rig.sees(&["202 1"], &["END"]);
}

#[test]
fn a_cseq_in_use_is_refused_to_the_application() {
    let mut rig = Rig::new();
    rig.open(request(Text, 1)).unwrap();
    let error = rig.app(request(Info, 1)).map(|()| "no session, no transaction");
    assert!(error.is_ok());
    let error = rig.app(request(Text, 1)).unwrap_err();
    assert_eq!(error.to_string(), "CSeq 1 is in use");
    rig.replies(200, 1);
    rig.sees(&["MESSAGE 1"], &["481 1", "200 1", "END"]);
}

#[test]
fn a_repeat_of_an_open_request_is_answered_by_its_last_provisional() {
    let mut rig = Rig::new();
    rig.asks(Text, 1);
    rig.asks(Text, 1);
    rig.sees(&[], &["new MESSAGE 1"]);
    rig.app_replies(182, 1);
    rig.app_replies(183, 1);
    rig.wire();
    rig.asks(Text, 1);
    rig.sees(&["183 1"], &[]);
    assert_eq!(rig.stack.counters().repeats, 2);

    // A swallowed 100 is not its last.
    let mut rig = session("Early", Side::Peer);
    rig.app_replies(100, 1);
    rig.asks(Invite, 1);
    rig.sees(&["180 1"], &[]);
}

#[test]
fn another_request_with_the_key_of_an_open_one_is_dropped() {
    let mut rig = Rig::new();
    rig.asks(Text, 1);
    rig.heard();
    rig.peer(request(Text, 1).text("Body", "another"));
    rig.asks(Options, 1);
    rig.sees(&[], &[]);
    assert_eq!(rig.stack.counters().collisions, 2);
    // So is a bad one: its 400 would be taken for the answer.
    rig.text(r#"{"Type":"MESSAGE","From":"a","To":"b","DialogueID":"d","CSeq":1}"#);
    rig.sees(&[], &[]);
    assert_eq!(rig.stack.counters().collisions, 3);
    rig.app_replies(200, 1);
    rig.sees(&["200 1"], &["END"]);
}

#[test]
fn a_repeat_of_a_finished_request_gets_the_same_response() {
    let mut rig = Rig::with(|config| config.arrival_ping_after = std::time::Duration::from_secs(1000));
    rig.asks(Text, 1);
    rig.app(response(486, 1).text("Reason", "so").number("Body", 7)).unwrap();
    rig.sees(&["486 1 Reason=\"so\" Body=7"], &["new MESSAGE 1", "END"]);
    assert!(rig.stack.counts().lingering == 1 && rig.stack.counts().dialogs == 0);
    let first = rig.sent.clone();
    for _ in 0..3 {
        rig.sent.clear();
        rig.seconds(10.0);
        rig.asks(Text, 1);
        rig.sees(&["486 1 Reason=\"so\" Body=7"], &[]);
        assert_eq!(rig.sent, first);
    }
    assert_eq!(rig.stack.counters().repeats_answered, 3);
    // It lingers for 32 s.
    rig.seconds(1.9);
    assert_eq!(rig.stack.counts().lingering, 1);
    rig.seconds(0.1);
    assert_eq!(rig.stack.counts().lingering, 0);
    rig.asks(Text, 1);
    rig.sees(&[], &["new MESSAGE 1"]);
}

#[test]
fn every_final_response_lingers() {
    // Those of the stack too: 200 to BYE and UPDATE, 408, 481, 483, 423, 491, 503.
    let mut rig = session("ReInviting by peer", Side::Peer);
    rig.pings = Pings::Record;
    rig.asks(Invite, 70);
    rig.asks(jsip::Method::Prack, 71);
    rig.asks(jsip::Method::Update, 72);
    rig.asks(Bye, 73);
    rig.asks(Bye, 74);
    rig.peer(request(Text, 75).number("Max-Forwards", 0));
    rig.peer(request(Subscribe, 76).number("Expire", 1));
    rig.asks(Text, 77);
    rig.seconds(5.0);
    rig.wire();
    rig.heard();
    for (method, cseq, code) in [
        (Invite, 70, "491 70"),
        (jsip::Method::Prack, 71, "491 71"),
        (jsip::Method::Update, 72, "200 72"),
        (Bye, 73, "200 73"),
        (Bye, 74, "481 74"),
        (Text, 77, "408 77"),
    ] {
        rig.asks(method, cseq);
        rig.sees(&[code], &[]);
    }
    rig.peer(request(Text, 75).number("Max-Forwards", 0));
    rig.peer(request(Subscribe, 76).number("Expire", 1));
    rig.sees(&["483 75", "423 76 Min-Expire=5"], &[]);
}

#[test]
fn a_pong_ends_the_lingering() {
    let mut rig = Rig::new();
    rig.pings = Pings::Record;
    rig.asks(Text, 1);
    rig.app_replies(200, 1);
    rig.seconds(1.0);
    rig.sees(&["200 1", "PING 1"], &["new MESSAGE 1", "END"]);
    rig.asks(Text, 1);
    rig.sees(&["200 1"], &[]);
    // The pong tells of the first one; the response has been sent once more since.
    rig.pong(1);
    assert_eq!(rig.stack.counts().lingering, 1);
    rig.seconds(1.0);
    rig.sees(&["PING 2"], &[]);
    rig.pong(2);
    assert_eq!(rig.stack.counts().lingering, 0);
    assert!(rig.stack.is_idle());
    rig.asks(Text, 1);
    rig.sees(&[], &["new MESSAGE 1"]);
}

#[test]
fn the_ack_ends_the_lingering_of_an_invite() {
    let mut rig = Rig::new();
    rig.pings = Pings::Record;
    rig.asks(Invite, 1);
    rig.app_replies(200, 1);
    rig.asks(Invite, 1);
    assert_eq!(rig.wire(), ["200 1", "200 1"]);
    assert_eq!(rig.stack.counts().lingering, 1);
    rig.peer(request(Ack, 2).related(1));
    assert_eq!(rig.stack.counts().lingering, 0);
}

/// The answer to an INVITE is at hand until its ACK, also if a pong has told that it arrived.
#[test]
fn a_repeat_of_an_invite_without_ack_is_no_reinvite() {
    let mut rig = session("Answered", Side::Peer);
    rig.seconds(2.0);
    assert_eq!(rig.stack.counts().lingering, 0);
    rig.asks(Invite, 1);
    rig.sees(&["200 1"], &[]);
    assert_eq!(rig.state(), "Answered");
}

#[test]
fn at_most_so_many_linger() {
    let mut rig = Rig::with(|config| {
        config.linger_max = 3;
        config.arrival_ping_frames = 1000;
    });
    rig.pings = Pings::Record;
    for cseq in 1..=5 {
        rig.asks(Text, cseq);
        rig.app_replies(200, cseq);
    }
    assert_eq!(rig.stack.counts().lingering, 3);
    rig.wire();
    rig.heard();
    rig.asks(Text, 2);
    rig.sees(&[], &["new MESSAGE 2"]);
    rig.asks(Text, 3);
    rig.sees(&["200 3"], &[]);
}

#[test]
fn the_key_of_a_finished_request_can_be_used_again() {
    let mut rig = Rig::new();
    rig.pings = Pings::Record;
    rig.asks(Text, 1);
    rig.app_replies(200, 1);
    rig.heard();
    rig.peer(request(Text, 1).text("Body", "another"));
    rig.sees(&["200 1"], &["new MESSAGE 1 Body=\"another\""]);
    rig.app_replies(202, 1);
    rig.wire();
    // Both are known.
    rig.asks(Text, 1);
    rig.peer(request(Text, 1).text("Body", "another"));
    assert_eq!(rig.wire(), ["200 1", "202 1"]);
}

#[test]
fn a_message_in_a_calls_dialog_does_not_end_it() {
    for (state, inviter) in [("Confirmed", Side::Peer), ("Confirmed", Side::Application)] {
        let mut rig = session(state, inviter);
        rig.asks(Text, 70);
        rig.app_replies(200, 70);
        rig.app_asks(Text, 80);
        rig.replies(200, 80);
        rig.sees(&["200 70", "MESSAGE 80"], &["MESSAGE 70", "200 80"]);
        assert_eq!(rig.state(), "Confirmed");
        rig.asks(Bye, 71);
        rig.sees(&["200 71"], &["BYE 71", "END"]);
    }
}

#[test]
fn a_dialog_ends_with_the_last_of_its_requests() {
    let mut rig = Rig::new();
    rig.asks(Text, 1);
    rig.asks(Options, 2);
    rig.app_asks(Notify, 3);
    rig.app_replies(200, 1);
    rig.replies(200, 3);
    rig.sees(&["NOTIFY 3", "200 1"], &["new MESSAGE 1", "OPTIONS 2", "200 3"]);
    rig.app_replies(200, 2);
    rig.sees(&["200 2"], &["END"]);
}

#[test]
fn many_dialogs_share_a_peer() {
    let mut rig = Rig::new();
    for id in ["x", "y", "z"] {
        rig.peer(request(Text, 1).in_dialog(id));
    }
    rig.app(response(200, 1).in_dialog("y")).unwrap();
    rig.app(response(404, 1).in_dialog("x")).unwrap();
    rig.seconds(5.0);
    rig.sees(
        &["[y] 200 1", "[x] 404 1", "[z] 408 1"],
        &["new [x] MESSAGE 1", "new [y] MESSAGE 1", "new [z] MESSAGE 1", "[y] END", "[x] END", "[z] END"],
    );
}

#[test]
fn the_room_for_open_requests() {
    let mut rig = Rig::with(|config| {
        config.max_transactions = 3;
        config.max_dialog_transactions = 2;
    });
    rig.asks(Text, 1);
    rig.asks(Text, 2);
    rig.asks(Text, 3);
    rig.peer(request(Text, 1).in_dialog("x"));
    rig.peer(request(Text, 1).in_dialog("y"));
    rig.sees(&["503 3", "[y] 503 1"], &["new MESSAGE 1", "MESSAGE 2", "new [x] MESSAGE 1"]);
    assert_eq!(rig.stack.counters().refused_room, 2);
    rig.app_replies(200, 1);
    rig.asks(Text, 4);
    rig.sees(&["200 1"], &["MESSAGE 4"]);
}

#[test]
fn the_room_in_a_session() {
    let mut rig = Rig::with(|config| config.max_transactions = 1);
    rig.asks(Invite, 1);
    rig.asks(Info, 2);
    rig.sees(&["503 2"], &["new INVITE 1 Expire=600"]);
    // What ends something always has room.
    rig.asks(jsip::Method::Cancel, 3);
    rig.sees(&["200 3", "487 1"], &["CANCEL 3 of 1"]);
}

#[test]
fn the_room_for_dialogs() {
    let mut rig = Rig::with(|config| config.max_dialogs = 1);
    rig.asks(Text, 1);
    rig.peer(request(Text, 1).in_dialog("x"));
    rig.sees(&["[x] 503 1"], &["new MESSAGE 1"]);
    rig.open(request(Text, 1).in_dialog("y")).unwrap();
    rig.sees(&[], &["[y] 503 1", "[y] END"]);
}

#[test]
fn what_is_finished_is_told_once_with_how_long_it_took() {
    let mut rig = Rig::new();
    let told = |rig: &mut Rig| -> Vec<String> {
        rig.stack
            .drain_finished()
            .map(|one| format!("{} {} {:?} {:?}", one.method, one.code.as_u16(), one.from, one.took))
            .collect()
    };
    rig.asks(Text, 1);
    rig.seconds(0.5);
    rig.app_replies(200, 1);
    // A repeat is answered from memory and is no other request.
    rig.asks(Text, 1);
    assert_eq!(told(&mut rig), ["MESSAGE 200 Peer 500ms"]);
    assert_eq!(told(&mut rig), [""; 0]);
    rig.asks(Info, 2);
    rig.asks(Invite, 3);
    rig.seconds(2.0);
    rig.app_replies(180, 3);
    rig.app_replies(200, 3);
    rig.asks(Ack, 4);
    rig.app_asks(Info, 5);
    rig.seconds(5.0);
    rig.app_asks(Bye, 6);
    rig.replies(200, 6);
    assert_eq!(
        told(&mut rig),
        ["INFO 481 Peer 0ns", "INVITE 200 Peer 2s", "INFO 408 Application 5s", "BYE 200 Application 0ns"]
    );
    let mut taken = Vec::new();
    rig.stack.take_counters(|at, value| taken.push(format!("{} {value}", jsip::Counters::NAMES[at].0)));
    assert!(
        taken.contains(&"sessions_opened 1".to_owned()) && taken.contains(&"repeats_answered 1".to_owned())
    );
    assert_eq!(rig.stack.counters(), &jsip::Counters::default());
}
