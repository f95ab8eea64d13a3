//! Sessions that are up: ACK, BYE, re-INVITE.

use jsip::Method::{Ack, Bye, Invite, Update};
use jsip::{SendError, Side};
use rtcd_testkit::{request, response};

use crate::states::{answer, ask, session};

const UP: [(&str, Side); 9] = [
    ("Answered", Side::Peer),
    ("Confirmed", Side::Peer),
    ("ReInviting by peer", Side::Peer),
    ("ReInviting by application", Side::Peer),
    ("ReAnswered by peer", Side::Peer),
    ("ReAnswered by application", Side::Peer),
    ("Answered", Side::Application),
    ("Confirmed", Side::Application),
    ("ReInviting by peer", Side::Application),
];

#[test]
fn a_200_without_ack_ends_the_call_on_both_sides() {
    for (state, inviter) in [
        ("Answered", Side::Peer),
        ("Answered", Side::Application),
        ("ReAnswered by peer", Side::Peer),
        ("ReAnswered by application", Side::Peer),
    ] {
        let mut rig = session(state, inviter);
        rig.seconds(31.9);
        rig.sees(&[], &[]);
        rig.seconds(0.1);
        rig.sees(&["BYE *"], &["BYE *"]);
        rig.replies(200, bye(&rig));
        rig.sees(&[], &["END"]);
        rig.is_over();
    }
}

#[test]
fn an_ack_stops_the_timer() {
    for inviter in [Side::Peer, Side::Application] {
        let mut rig = session("Answered", inviter);
        ask(&mut rig, inviter, Ack);
        rig.wire();
        rig.heard();
        rig.seconds(100.0);
        rig.sees(&[], &[]);
        assert_eq!(rig.state(), "Confirmed");
    }
}

#[test]
fn bye_in_is_answered_and_passed_on() {
    for (state, inviter) in UP {
        let mut rig = session(state, inviter);
        rig.asks(Bye, 70);
        assert_eq!(rig.wire()[0], "200 70");
        let heard = rig.heard();
        assert_eq!(heard[0], "BYE 70");
        assert_eq!(heard.last().map(String::as_str), Some("END"));
        rig.is_over();
        // Said again, it is answered again; another one is not.
        rig.asks(Bye, 70);
        rig.sees(&["200 70"], &[]);
        rig.asks(Bye, 71);
        rig.sees(&["481 71"], &[]);
    }
}

#[test]
fn bye_out_is_passed_on_and_its_response_swallowed() {
    for (state, inviter) in UP {
        for code in [Some(200), Some(481), None] {
            let mut rig = session(state, inviter);
            rig.app_asks(Bye, 80);
            assert_eq!(rig.wire()[0], "BYE 80");
            rig.heard();
            match code {
                Some(code) => rig.replies(code, 80),
                None => rig.seconds(5.0),
            }
            rig.sees(&[], &["END"]);
            rig.is_over();
        }
    }
}

#[test]
fn a_reinvite_stops_the_wait_for_the_ack() {
    for inviter in [Side::Peer, Side::Application] {
        for by in [Side::Peer, Side::Application] {
            let mut rig = session("Answered", inviter);
            rig.seconds(30.0);
            ask(&mut rig, by, Invite);
            rig.wire();
            rig.heard();
            rig.seconds(100.0);
            rig.sees(&[], &[]);
            assert_eq!(rig.state(), "ReInviting");
            let cseq = crate::states::own(by, Invite);
            answer(&mut rig, by, 200, cseq);
            ask(&mut rig, by, Ack);
            assert_eq!(rig.state(), "Confirmed");
        }
    }
}

#[test]
fn a_refused_reinvite_changes_nothing() {
    // Of the peer: its ACK is swallowed.
    let mut rig = session("ReInviting by peer", Side::Peer);
    rig.app_replies(488, 5);
    rig.sees(&["488 5"], &[]);
    assert_eq!(rig.state(), "Confirmed");
    rig.asks(Ack, 70);
    rig.sees(&[], &[]);
    assert_eq!(rig.stack.counters().dropped_acks, 0);
    rig.asks(Ack, 71);
    assert_eq!(rig.stack.counters().dropped_acks, 1);
    // Of the application: the stack sends the ACK.
    let mut rig = session("ReInviting by application", Side::Peer);
    rig.replies(488, 25);
    rig.sees(&["ACK * of 25"], &["488 25"]);
    assert_eq!(rig.state(), "Confirmed");
}

#[test]
fn the_ack_of_a_refused_reinvite_is_not_waited_for_for_ever() {
    let mut rig = session("ReInviting by peer", Side::Peer);
    rig.app_replies(488, 5);
    rig.seconds(5.0);
    assert_eq!(rig.stack.transactions().count(), 0);
}

#[test]
fn a_reinvite_without_final_response() {
    // Of the peer.
    let mut rig = session("ReInviting by peer", Side::Peer);
    rig.seconds(119.9);
    rig.sees(&[], &[]);
    rig.seconds(0.1);
    rig.sees(&["408 5"], &[]);
    assert_eq!(rig.state(), "Confirmed");
    assert_eq!(rig.app(response(200, 5)), Err(SendError::NoTransaction { cseq: jsip::CSeq::from_random(5) }));
    // Of the application: it is not acknowledged.
    let mut rig = session("ReInviting by application", Side::Peer);
    rig.seconds(119.9);
    rig.sees(&[], &[]);
    rig.seconds(0.1);
    rig.sees(&[], &["408 25"]);
    assert_eq!(rig.state(), "Confirmed");
    rig.replies(200, 25);
    rig.sees(&[], &[]);
}

#[test]
fn each_provisional_response_restarts_the_time_of_a_reinvite() {
    for code in [100, 180] {
        let mut rig = session("ReInviting by application", Side::Peer);
        rig.seconds(100.0);
        rig.replies(code, 25);
        rig.heard();
        rig.seconds(119.9);
        rig.sees(&[], &[]);
        rig.seconds(0.1);
        rig.sees(&[], &["408 25"]);
    }
}

#[test]
fn glare_is_answered_491() {
    for state in
        ["ReInviting by peer", "ReInviting by application", "ReAnswered by peer", "ReAnswered by application"]
    {
        let mut rig = session(state, Side::Peer);
        rig.asks(Invite, 70);
        rig.sees(&["491 70"], &[]);
        assert!(matches!(rig.app(request(Invite, 80)), Err(SendError::State { .. })));
        rig.sees(&[], &[]);
    }
}

#[test]
fn only_the_inviter_at_hand_acknowledges() {
    let mut rig = session("ReAnswered by application", Side::Peer);
    rig.asks(Ack, 70);
    rig.sees(&[], &[]);
    assert_eq!(rig.state(), "ReAnswered");
    rig.app_asks(Ack, 80);
    rig.sees(&["ACK 80 of 25"], &[]);
    let mut rig = session("ReAnswered by peer", Side::Peer);
    assert!(rig.app(request(Ack, 80)).is_err());
    rig.asks(Ack, 70);
    rig.sees(&[], &["ACK 70 of 5"]);
}

#[test]
fn an_update_of_the_application_is_the_stacks_business() {
    for (state, inviter) in UP {
        let mut rig = session(state, inviter);
        assert!(matches!(rig.app(request(Update, 80)), Err(SendError::State { .. })));
        rig.sees(&[], &[]);
    }
}

fn bye(rig: &rtcd_testkit::Rig) -> u64 {
    rig.sent.last().map_or(0, |message| message.cseq().as_u64())
}
