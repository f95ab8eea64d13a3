//! Sessions that the peer opens, before their final response, and failed ones.

use jsip::Method::{Ack, Bye, Cancel, Info, Invite, Message, Prack, Update};
use jsip::Side;
use rtcd_testkit::{MessageExt as _, RequestExt as _, Rig, request, response};

use crate::states::session;

const EARLY: [&str; 5] = ["Init", "Early", "Prack", "Update by peer", "Update by application"];

#[test]
fn an_invite_without_expire_gets_the_session_timer() {
    let mut rig = Rig::with(|config| config.sessiontimer = std::time::Duration::from_secs(90));
    rig.asks(Invite, 1);
    rig.sees(&[], &["new INVITE 1 Expire=90"]);
    let mut rig = Rig::new();
    rig.peer(request(Invite, 1).number("Expire", 300));
    rig.sees(&[], &["new INVITE 1 Expire=300"]);
}

#[test]
fn provisional_responses_restart_prtimer_and_100_does_not() {
    let mut rig = session("Init", Side::Peer);
    rig.seconds(50.0);
    rig.app_replies(183, 1);
    rig.sees(&["183 1"], &[]);
    rig.seconds(59.0);
    rig.app_replies(100, 1);
    rig.sees(&[], &[]);
    rig.seconds(0.9);
    rig.sees(&[], &[]);
    rig.seconds(0.1);
    rig.sees(&["408 1"], &["CANCEL * of 1"]);
    assert_eq!(rig.state(), "Failed");
}

#[test]
fn prtimer_ends_each_state_before_the_final_response() {
    for state in EARLY {
        let mut rig = session(state, Side::Peer);
        // Answer what is open beside the INVITE, so that only prtimer is left; in Init and Early nothing is.
        rig.seconds(59.9);
        rig.wire();
        rig.heard();
        rig.seconds(0.1);
        assert_eq!(rig.wire(), ["408 1"], "{state}");
        assert_eq!(rig.heard(), ["CANCEL * of 1"], "{state}");
        assert_eq!(rig.state(), "Failed");
        rig.asks(Ack, 60);
        rig.sees(&[], &["END"]);
        rig.is_over();
    }
}

/// While a PRACK or UPDATE stays open, `prtimer` runs on: with a long `transtimer` these states end by it alone.
#[test]
fn prtimer_runs_in_prack_and_update() {
    for state in ["Prack", "Update by peer", "Update by application"] {
        let mut rig = Rig::with(|config| config.transtimer = std::time::Duration::from_secs(500));
        crate::states::enter(&mut rig, state, Side::Peer);
        rig.wire();
        rig.heard();
        rig.seconds(30.0);
        rig.app_replies(180, 1);
        rig.sees(&["180 1"], &[]);
        assert_eq!(rig.state(), state.split(' ').next().unwrap_or_default());
        rig.seconds(59.9);
        rig.sees(&[], &[]);
        rig.seconds(0.1);
        rig.sees(&["408 1"], &["CANCEL * of 1"]);
    }
}

#[test]
fn a_refused_invite_waits_for_its_ack_and_swallows_it() {
    let mut rig = session("Early", Side::Peer);
    rig.app(response(486, 1).text("Reason", "busy")).unwrap();
    rig.sees(&["486 1 Reason=\"busy\""], &[]);
    assert_eq!(rig.state(), "Failed");
    rig.peer(request(Ack, 2).related(1));
    rig.sees(&[], &["END"]);
    rig.is_over();
}

#[test]
fn a_refused_invite_without_ack_ends_after_transtimer() {
    let mut rig = session("Failed", Side::Peer);
    rig.seconds(4.9);
    rig.sees(&[], &[]);
    rig.seconds(0.1);
    rig.sees(&[], &["END"]);
    rig.is_over();
}

#[test]
fn the_dialog_of_a_refused_invite_can_be_used_again() {
    let mut rig = session("Failed", Side::Peer);
    rig.asks(Ack, 2);
    rig.sees(&[], &["END"]);
    rig.asks(Invite, 3);
    rig.sees(&[], &["new INVITE 3 Expire=600"]);
}

#[test]
fn cancel_in_each_state_before_the_final_response() {
    for state in EARLY {
        for related in [false, true] {
            let mut rig = session(state, Side::Peer);
            let cancel = request(Cancel, 70);
            rig.peer(if related { cancel.related(1) } else { cancel });
            rig.sees(&["200 70", "487 1"], &["CANCEL 70 of 1"]);
            assert_eq!(rig.state(), "Failed");
            rig.asks(Ack, 71);
            rig.seconds(5.0);
            rig.is_over();
        }
    }
}

#[test]
fn cancel_with_the_cseq_of_its_invite_has_no_answer_of_its_own() {
    for related in [false, true] {
        let mut rig = session("Early", Side::Peer);
        let cancel = request(Cancel, 1);
        let cancel = if related { cancel.related(1) } else { cancel };
        rig.peer(cancel.clone());
        rig.sees(&["487 1"], &["CANCEL 1 of 1"]);
        // Sent again, it gets the same again.
        rig.peer(cancel);
        rig.sees(&["487 1"], &[]);
        rig.asks(Ack, 1);
        rig.sees(&[], &["END"]);
    }
}

#[test]
fn cancel_of_what_is_not_open() {
    let mut rig = session("Early", Side::Peer);
    rig.peer(request(Cancel, 70).related(9));
    rig.sees(&["481 70"], &[]);
    assert_eq!(rig.state(), "Early");
    // A MESSAGE cannot be taken back.
    rig.asks(Message, 30);
    rig.sees(&[], &["MESSAGE 30"]);
    rig.peer(request(Cancel, 71).related(30));
    rig.sees(&["481 71"], &[]);
}

#[test]
fn bye_before_the_final_response_is_taken_for_a_cancel() {
    for state in EARLY {
        let mut rig = session(state, Side::Peer);
        rig.asks(Bye, 70);
        rig.sees(&["200 70", "487 1"], &["CANCEL 70 of 1"]);
        assert_eq!(rig.state(), "Failed");
    }
}

#[test]
fn prack_and_update_lead_back_to_early() {
    for code in [200, 202, 488] {
        let mut rig = session("Prack", Side::Peer);
        rig.app_replies(code, 2);
        rig.sees(&[&format!("{code} 2")], &[]);
        assert_eq!(rig.state(), "Early");

        let mut rig = session("Update by peer", Side::Peer);
        rig.app_replies(code, 3);
        rig.sees(&[&format!("{code} 3")], &[]);
        assert_eq!(rig.state(), "Early");

        let mut rig = session("Update by application", Side::Peer);
        rig.replies(code, 23);
        rig.sees(&[], &[&format!("{code} 23")]);
        assert_eq!(rig.state(), "Early");
    }
}

#[test]
fn prack_and_update_without_answer_lead_back_to_early() {
    let mut rig = session("Prack", Side::Peer);
    rig.seconds(5.0);
    rig.sees(&["408 2"], &[]);
    assert_eq!(rig.state(), "Early");

    let mut rig = session("Update by peer", Side::Peer);
    rig.seconds(5.0);
    rig.sees(&["408 3"], &[]);
    assert_eq!(rig.state(), "Early");

    let mut rig = session("Update by application", Side::Peer);
    rig.seconds(5.0);
    rig.sees(&[], &["408 23"]);
    assert_eq!(rig.state(), "Early");
}

#[test]
fn provisional_responses_pass_in_prack_and_update() {
    for state in ["Prack", "Update by peer", "Update by application"] {
        let mut rig = session(state, Side::Peer);
        rig.app_replies(183, 1);
        rig.sees(&["183 1"], &[]);
        assert_eq!(rig.state(), state.split(' ').next().unwrap_or_default());
    }
    let mut rig = session("Prack", Side::Peer);
    rig.app_replies(182, 2);
    rig.sees(&["182 2"], &[]);
    assert_eq!(rig.state(), "Prack");
    let mut rig = session("Update by application", Side::Peer);
    rig.replies(182, 23);
    rig.sees(&[], &["182 23"]);
    assert_eq!(rig.state(), "Update");
}

#[test]
fn a_200_in_prack_and_update_answers_and_theirs_still_pass() {
    let mut rig = session("Prack", Side::Peer);
    rig.app_replies(200, 1);
    rig.sees(&["200 1"], &[]);
    assert_eq!(rig.state(), "Answered");
    rig.app_replies(200, 2);
    rig.sees(&["200 2"], &[]);
    assert_eq!(rig.state(), "Answered");

    let mut rig = session("Update by peer", Side::Peer);
    rig.app_replies(200, 1);
    rig.app_replies(488, 3);
    rig.sees(&["200 1", "488 3"], &[]);

    let mut rig = session("Update by application", Side::Peer);
    rig.app_replies(200, 1);
    rig.replies(200, 23);
    rig.sees(&["200 1"], &["200 23"]);
    assert_eq!(rig.state(), "Answered");
}

#[test]
fn a_second_prack_or_update_is_answered_491() {
    for state in ["Prack", "Update by peer", "Update by application"] {
        for method in [Prack, Update] {
            let mut rig = session(state, Side::Peer);
            rig.asks(method, 70);
            rig.sees(&["491 70"], &[]);
        }
    }
}

#[test]
fn info_passes_in_every_state_both_ways() {
    for (state, inviter) in crate::states::STATES {
        let mut rig = session(state, inviter);
        rig.asks(Info, 70);
        rig.app_replies(200, 70);
        rig.sees(&["200 70"], &["INFO 70"]);
        rig.app_asks(Info, 80);
        rig.replies(200, 80);
        rig.sees(&["INFO 80"], &["200 80"]);
        assert_eq!(rig.state(), state.split(' ').next().unwrap_or_default());
    }
}

#[test]
fn requests_of_before_are_answered_after_the_end() {
    let mut rig = session("Prack", Side::Peer);
    rig.asks(Cancel, 70);
    rig.peer(request(Ack, 71).related(1));
    rig.sees(&["200 70", "487 1"], &["CANCEL 70 of 1"]);
    // The session has ended, the PRACK has not, and the dialog is there as long as it.
    rig.app_replies(200, 2);
    rig.sees(&["200 2"], &["END"]);
    rig.is_over();
}

#[test]
fn acks_find_their_invite() {
    // By RelatedID.
    let mut rig = session("Answered", Side::Peer);
    rig.peer(request(Ack, 70).related(9));
    rig.sees(&[], &[]);
    assert_eq!(rig.stack.counters().dropped_acks, 1);
    rig.peer(request(Ack, 71).related(1));
    rig.sees(&[], &["ACK 71 of 1"]);
    // With the INVITE's own CSeq.
    let mut rig = session("Answered", Side::Peer);
    rig.asks(Ack, 1);
    rig.sees(&[], &["ACK 1 of 1"]);
    assert_eq!(rig.state(), "Confirmed");
}

/// A re-INVITE that the stack refused waits for its ACK too: that ACK is not taken for another INVITE's.
#[test]
fn the_ack_of_a_refused_reinvite_is_not_the_first_ones() {
    let mut rig = session("ReInviting by peer", Side::Peer);
    rig.asks(Invite, 70);
    rig.sees(&["491 70"], &[]);
    rig.asks(Ack, 71);
    rig.sees(&[], &[]);
    rig.app_replies(200, 5);
    rig.sees(&["200 5"], &[]);
    assert_eq!(rig.state(), "ReAnswered");
    rig.asks(Ack, 72);
    rig.sees(&[], &["ACK 72 of 5"]);
    assert_eq!(rig.state(), "Confirmed");

    // Both wait: the oldest INVITE's comes first.
    let mut rig = session("ReInviting by peer", Side::Peer);
    rig.asks(Invite, 70);
    rig.app_replies(200, 5);
    rig.asks(Ack, 71);
    assert_eq!(rig.heard(), ["ACK 71 of 5"]);
    rig.asks(Ack, 72);
    rig.asks(Ack, 73);
    assert_eq!(rig.heard(), Vec::<String>::new());
    assert_eq!(rig.stack.counters().dropped_acks, 1);

    // With RelatedID they come in any order.
    let mut rig = session("ReInviting by peer", Side::Peer);
    rig.asks(Invite, 70);
    rig.app_replies(200, 5);
    rig.peer(request(Ack, 71).related(70));
    assert_eq!(rig.heard(), Vec::<String>::new());
    rig.peer(request(Ack, 72).related(5));
    assert_eq!(rig.heard(), ["ACK 72 of 5"]);
}
