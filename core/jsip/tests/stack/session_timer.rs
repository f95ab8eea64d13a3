//! The session timer, of received and of sent sessions.

use jsip::Method::{Ack, Bye, Invite, Update};
use jsip::{Message, Side};
use rtcd_testkit::{MessageExt as _, Rig, request};

use crate::states::{answer, ask, own};

/// A confirmed call with this `Expire`, its first INVITE from `inviter`.
fn call(inviter: Side, expire: u64) -> Rig {
    let mut rig = Rig::new();
    let invite = request(Invite, 1).number("Expire", expire);
    match inviter {
        Side::Peer => rig.peer(invite),
        Side::Application => {
            rig.open(invite).unwrap();
        }
    }
    answer(&mut rig, inviter, 200, 1);
    ask(&mut rig, inviter, Ack);
    rig.wire();
    rig.heard();
    rig
}

#[test]
fn a_received_session_that_is_not_refreshed_ends() {
    let mut rig = call(Side::Peer, 30);
    rig.seconds(29.9);
    rig.sees(&[], &[]);
    rig.seconds(0.1);
    rig.sees(&["BYE *"], &["BYE *"]);
    rig.seconds(5.0);
    rig.sees(&[], &["END"]);
    rig.is_over();
    assert_eq!(rig.stack.counters().expired_sessions, 1);
}

#[test]
fn updates_and_reinvites_of_the_peer_refresh_it() {
    let mut rig = call(Side::Peer, 30);
    for cseq in 10..15 {
        rig.seconds(29.0);
        rig.asks(Update, cseq);
        rig.sees(&[&format!("200 {cseq}")], &[]);
    }
    rig.seconds(29.0);
    rig.asks(Invite, 20);
    rig.seconds(29.0);
    rig.app_replies(200, 20);
    rig.asks(Ack, 21);
    rig.seconds(0.9);
    rig.wire();
    rig.heard();
    rig.seconds(0.1);
    rig.sees(&["BYE *"], &["BYE *"]);
}

#[test]
fn a_reinvite_of_the_application_refreshes_it_too() {
    let mut rig = call(Side::Peer, 30);
    rig.seconds(29.0);
    rig.app_asks(Invite, 80);
    rig.replies(200, 80);
    rig.app_asks(Ack, 81);
    rig.wire();
    rig.heard();
    rig.seconds(29.9);
    rig.sees(&[], &[]);
    rig.seconds(0.1);
    rig.sees(&["BYE *"], &["BYE *"]);
}

#[test]
fn the_timer_runs_from_the_200_in_every_state() {
    for state in ["Answered", "ReInviting by peer", "ReAnswered by peer"] {
        let mut rig = Rig::new();
        rig.peer(request(Invite, 1).number("Expire", 10));
        rig.app_replies(200, 1);
        if state != "Answered" {
            rig.asks(Ack, 4);
            rig.asks(Invite, 5);
        }
        if state == "ReAnswered by peer" {
            rig.app_replies(200, 5);
        }
        rig.wire();
        rig.heard();
        rig.seconds(10.0);
        let wire = rig.wire();
        assert_eq!(wire[0], "BYE *", "{state}");
        assert_eq!(rig.heard()[0], "BYE *");
        assert_eq!(wire.get(1).map(String::as_str), (state == "ReInviting by peer").then_some("487 5"));
    }
}

#[test]
fn a_sent_session_is_refreshed_every_third_of_expire() {
    let mut rig = call(Side::Application, 30);
    for _ in 0..10 {
        rig.seconds(9.9);
        rig.sees(&[], &[]);
        rig.seconds(0.1);
        rig.sees(&["UPDATE * Expire=30"], &[]);
        let Some(Message::Request(update)) = rig.sent.last().cloned() else { panic!("an UPDATE") };
        assert_eq!((&*update.uri, &*update.from, &*update.to), ("bob@test", "alice@test", "bob@test"));
        rig.replies(200, update.cseq.as_u64());
        rig.sees(&[], &[]);
    }
}

#[test]
fn three_misses_and_the_next_tick_is_a_bye() {
    let mut rig = call(Side::Application, 30);
    rig.seconds(30.0);
    rig.sees(&["UPDATE * Expire=30"; 3], &[]);
    rig.seconds(9.9);
    rig.sees(&[], &[]);
    rig.seconds(0.1);
    rig.sees(&["BYE *"], &["BYE *"]);
    rig.seconds(5.0);
    rig.sees(&[], &["END"]);
    rig.is_over();
}

#[test]
fn other_answers_are_misses_and_a_200_resets_them() {
    let mut rig = call(Side::Application, 30);
    for _ in 0..2 {
        rig.seconds(10.0);
        let cseq = last(&rig);
        rig.replies(503, cseq);
    }
    rig.seconds(10.0);
    let cseq = last(&rig);
    rig.replies(200, cseq);
    rig.sees(&["UPDATE * Expire=30"; 3], &[]);
    rig.seconds(30.0);
    rig.sees(&["UPDATE * Expire=30"; 3], &[]);
    rig.seconds(10.0);
    rig.sees(&["BYE *"], &["BYE *"]);
}

#[test]
fn an_update_answered_481_ends_the_session_at_once() {
    let mut rig = call(Side::Application, 30);
    rig.seconds(10.0);
    rig.sees(&["UPDATE * Expire=30"], &[]);
    let cseq = last(&rig);
    rig.replies(481, cseq);
    rig.sees(&["BYE *"], &["BYE *"]);
    assert_eq!(rig.state(), "-");
}

/// A call that follows another in the same dialog is not ended by an answer to the first one's UPDATE.
#[test]
fn an_update_of_a_former_session_says_nothing_of_the_next() {
    let mut rig = call(Side::Application, 30);
    rig.seconds(10.0);
    let cseq = last(&rig);
    rig.app_asks(Bye, 50);
    rig.app_asks(Invite, 51);
    rig.sees(&["UPDATE * Expire=30", "BYE 50", "INVITE 51 Expire=600"], &[]);
    rig.replies(481, cseq);
    rig.replies(180, 51);
    rig.sees(&[], &["180 51"]);
    assert_eq!(rig.state(), "Early");
}

#[test]
fn an_update_of_the_peer_leaves_a_sent_sessions_timer_alone() {
    let mut rig = call(Side::Application, 30);
    rig.seconds(9.0);
    rig.asks(Update, 70);
    rig.sees(&["200 70"], &[]);
    rig.seconds(1.0);
    rig.sees(&["UPDATE * Expire=30"], &[]);
}

#[test]
fn a_reinvite_restarts_a_sent_sessions_timer() {
    for by in [Side::Peer, Side::Application] {
        let mut rig = call(Side::Application, 30);
        rig.seconds(9.0);
        ask(&mut rig, by, Invite);
        answer(&mut rig, by, 200, own(by, Invite));
        rig.wire();
        rig.heard();
        rig.seconds(9.9);
        rig.sees(&[], &[]);
        rig.seconds(0.1);
        rig.sees(&["UPDATE * Expire=30"], &[]);
    }
}

fn last(rig: &Rig) -> u64 {
    rig.sent.last().map_or(0, |message| message.cseq().as_u64())
}
