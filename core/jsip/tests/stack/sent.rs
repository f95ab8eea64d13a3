//! Sessions that the application opens, before their final response, and cancelled ones.

use jsip::Method::{Ack, Bye, Cancel, Invite, Prack, Update};
use jsip::{Message, Side};
use rtcd_testkit::{MessageExt as _, RequestExt as _, Rig, request, response};

use crate::states::session;

const EARLY: [&str; 4] = ["Init", "Early", "Prack", "Update by peer"];

#[test]
fn an_invite_without_expire_gets_the_session_timer() {
    let mut rig = Rig::new();
    rig.open(request(Invite, 1)).unwrap();
    rig.sees(&["INVITE 1 Expire=600"], &[]);
    let mut rig = Rig::new();
    rig.open(request(Invite, 1).number("Expire", 60)).unwrap();
    rig.sees(&["INVITE 1 Expire=60"], &[]);
    let mut rig = Rig::new();
    rig.open(request(Invite, 1).number("Expire", 90_000)).unwrap();
    rig.sees(&["INVITE 1 Expire=86400"], &[]);
}

#[test]
fn a_call() {
    let mut rig = session("Early", Side::Application);
    rig.app_asks(Prack, 2);
    rig.replies(200, 2);
    rig.sees(&["PRACK 2"], &["200 2"]);
    rig.replies(200, 1);
    rig.sees(&[], &["200 1"]);
    rig.app_asks(Ack, 3);
    rig.sees(&["ACK 3 of 1"], &[]);
    rig.app_asks(Bye, 4);
    rig.sees(&["BYE 4"], &[]);
    // Its response is swallowed; then the dialog is over.
    rig.replies(200, 4);
    rig.sees(&[], &["END"]);
    rig.is_over();
}

#[test]
fn a_refusal_is_acknowledged_by_the_stack_and_passed_on() {
    for state in EARLY {
        let mut rig = session(state, Side::Application);
        let mut refusal = response(486, 1).text("Reason", "busy");
        refusal.to = "bob@elsewhere".into();
        rig.peer(refusal);
        assert_eq!(rig.wire(), ["ACK * of 1"]);
        assert!(rig.heard().starts_with(&["486 1 Reason=\"busy\"".to_owned()]));
        let Some(Message::Request(ack)) = rig.sent.last() else { panic!("an ACK") };
        assert_eq!((&*ack.uri, &*ack.from, &*ack.to), ("bob@elsewhere", "alice@test", "bob@elsewhere"));
        rig.seconds(5.0);
        rig.is_over();
    }
}

#[test]
fn another_2xx_ends_the_call_on_both_sides() {
    for state in EARLY {
        let mut rig = session(state, Side::Application);
        rig.replies(202, 1);
        rig.sees(&["ACK * of 1", "BYE *"], &["BYE *"]);
        assert_eq!(rig.state(), "-");
        let Some(Message::Request(bye)) = rig.sent.last() else { panic!("a BYE") };
        assert_eq!((&*bye.uri, &*bye.from, &*bye.to), ("bob@test", "alice@test", "bob@test"));
        rig.seconds(5.0);
        rig.is_over();
    }
}

#[test]
fn cancel_out_and_the_refusal() {
    for state in EARLY {
        let mut rig = session(state, Side::Application);
        rig.app_asks(Cancel, 80);
        rig.sees(&["CANCEL 80 of 1"], &[]);
        rig.replies(200, 80);
        rig.replies(180, 1);
        rig.replies(200, 22); // of a PRACK, if there is one
        rig.sees(&[], &[]);
        rig.replies(487, 1);
        rig.sees(&["ACK * of 1"], &rig_end(state));
        rig.seconds(5.0);
        rig.is_over();
    }
    fn rig_end(state: &str) -> Vec<&'static str> {
        // An UPDATE of the peer is open still.
        if state == "Update by peer" { vec!["487 1"] } else { vec!["487 1", "END"] }
    }
}

#[test]
fn after_a_cancel_a_prack_without_answer_is_swallowed_too() {
    let mut rig = session("Prack", Side::Application);
    rig.app_asks(Cancel, 80);
    rig.seconds(6.0);
    rig.sees(&["CANCEL 80 of 1"], &[]);
    rig.replies(487, 1);
    rig.sees(&["ACK * of 1"], &["487 1"]);
}

#[test]
fn cancel_out_and_the_200_cross() {
    for code in [200, 202] {
        for state in EARLY {
            let mut rig = session(state, Side::Application);
            rig.app_asks(Cancel, 80);
            rig.wire();
            rig.replies(code, 1);
            assert_eq!(rig.wire(), ["ACK * of 1", "BYE *"]);
            assert_eq!(rig.heard(), ["487 1"]);
            assert_eq!(rig.state(), "-");
            rig.replies(481, 80);
            rig.seconds(5.0);
            rig.is_over();
        }
    }
}

#[test]
fn cancel_out_and_no_final_response() {
    let mut rig = session("Early", Side::Application);
    rig.app_asks(Cancel, 80);
    rig.replies(200, 80);
    rig.wire();
    rig.seconds(59.9);
    rig.sees(&[], &[]);
    rig.seconds(0.1);
    rig.sees(&[], &["408 1", "END"]);
    rig.is_over();
    // Too late.
    rig.replies(487, 1);
    rig.sees(&[], &[]);
    assert_eq!(rig.stack.counters().dropped_responses, 1);
}

#[test]
fn no_progress_gives_408_and_a_cancel() {
    for state in EARLY {
        let mut rig = session(state, Side::Application);
        rig.seconds(59.9);
        rig.wire();
        rig.heard();
        rig.seconds(0.1);
        rig.sees(&["CANCEL * of 1"], &["408 1"]);
        assert_eq!(rig.state(), "Cancelling");
        // The application had its final response.
        let mut late = session(state, Side::Application);
        late.seconds(60.0);
        late.wire();
        late.heard();
        late.replies(200, 1);
        late.sees(&["ACK * of 1", "BYE *"], &[]);

        rig.replies(487, 1);
        assert_eq!(rig.wire(), ["ACK * of 1"]);
        assert_eq!(rig.heard(), Vec::<String>::new());
        rig.seconds(5.0);
        assert_eq!(rig.heard(), ["END"]);
        rig.is_over();
    }
}

#[test]
fn no_progress_and_no_answer_to_the_cancel() {
    let mut rig = session("Init", Side::Application);
    rig.seconds(60.0);
    rig.sees(&["CANCEL * of 1"], &["408 1"]);
    rig.seconds(59.9);
    rig.sees(&[], &[]);
    rig.seconds(0.1);
    rig.sees(&[], &["END"]);
    rig.is_over();
}

#[test]
fn a_call_that_rings_on_is_not_ended() {
    let mut rig = session("Init", Side::Application);
    for _ in 0..5 {
        rig.seconds(59.0);
        rig.replies(180, 1);
        rig.sees(&[], &["180 1"]);
    }
    rig.seconds(59.0);
    rig.replies(100, 1);
    rig.seconds(0.9);
    rig.sees(&[], &[]);
    rig.seconds(0.1);
    rig.sees(&["CANCEL * of 1"], &["408 1"]);
}

#[test]
fn a_cancel_of_the_application_has_a_cseq_of_its_own() {
    let mut rig = session("Early", Side::Application);
    rig.app_asks(Cancel, 1);
    rig.sees(&["CANCEL * of 1"], &[]);
}

#[test]
fn acks_and_cancels_of_the_application_name_the_invite() {
    let mut rig = session("Answered", Side::Application);
    let error = rig.app(request(Ack, 80).related(9)).unwrap_err();
    assert_eq!(error.to_string(), "no request 9 waits for it");
    rig.app(request(Ack, 80).related(1)).unwrap();
    rig.sees(&["ACK 80 of 1"], &[]);
    let mut rig = session("Early", Side::Application);
    let error = rig.app(request(Cancel, 80).related(9)).unwrap_err();
    assert_eq!(error.to_string(), "no request 9 waits for it");
    rig.sees(&[], &[]);
}

/// An ACK of the peer is never the application's.
#[test]
fn an_ack_of_the_invited_side_is_dropped() {
    for state in ["Answered", "Confirmed"] {
        let mut rig = session(state, Side::Application);
        rig.asks(Ack, 70);
        rig.sees(&[], &[]);
        assert_eq!(rig.stack.counters().dropped_acks, 1);
    }
}

#[test]
fn the_callee_cannot_cancel() {
    let mut rig = session("Early", Side::Application);
    for method in [Cancel, Bye] {
        rig.asks(method, 70 + method as u64);
        assert!(rig.wire()[0].starts_with("481"));
    }
    assert_eq!(rig.state(), "Early");
    assert_eq!(rig.stack.counters().refused_by_state, 2);
}

#[test]
fn nothing_of_a_prack_is_heard_after_its_invite_was_taken_back() {
    for method in [Prack, Update] {
        let mut rig = session("Early", Side::Application);
        rig.app_asks(method, 22);
        rig.app_asks(Cancel, 26);
        rig.replies(200, 26);
        rig.replies(487, 1);
        rig.hears(&["487 1"]);
        rig.seconds(5.0);
        rig.hears(&["END"]);
        rig.is_over();
    }
}
