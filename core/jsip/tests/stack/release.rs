//! What becomes of a dialog that its application has left.

use jsip::Method::{Ack, Bye, Cancel, Info, Invite, Message as Text, Prack, Subscribe};
use jsip::{Release, Side};
use rtcd_testkit::{RequestExt as _, Rig, request, response};

use crate::states::{STATES, session};

#[test]
fn unanswered_requests_are_left_to_their_timers() {
    let mut rig = Rig::new();
    rig.asks(Text, 1);
    rig.release(Release::Finished);
    rig.heard();
    rig.seconds(5.0);
    rig.sees(&["408 1"], &[]);
    rig.is_over();
}

#[test]
fn or_answered_500_if_the_application_failed() {
    let mut rig = Rig::new();
    rig.asks(Text, 1);
    rig.asks(Subscribe, 2);
    rig.heard();
    rig.release(Release::Failed);
    rig.sees(&["500 1", "500 2"], &[]);
    rig.is_over();
}

#[test]
fn an_unanswered_invite() {
    let mut rig = session("Early", Side::Peer);
    rig.release(Release::Finished);
    rig.seconds(60.0);
    rig.sees(&["408 1"], &[]);
    rig.asks(Ack, 2);
    rig.is_over();
    rig.sees(&[], &[]);

    let mut rig = session("Early", Side::Peer);
    rig.release(Release::Failed);
    rig.sees(&["500 1"], &[]);
    assert_eq!(rig.state(), "Failed");
    rig.asks(Ack, 2);
    rig.is_over();

    // The peer can still take it back.
    let mut rig = session("Early", Side::Peer);
    rig.release(Release::Finished);
    rig.asks(Cancel, 2);
    rig.sees(&["200 2", "487 1"], &[]);
}

#[test]
fn an_answered_session_gets_a_bye() {
    for why in [Release::Finished, Release::Failed] {
        for (state, inviter) in STATES {
            let answered = ["Answered", "Confirmed", "ReInviting by peer", "ReAnswered by peer"];
            if !answered.contains(&state) {
                continue;
            }
            let mut rig = session(state, inviter);
            rig.release(why);
            let wire = rig.wire();
            match (state, why) {
                ("ReInviting by peer", Release::Failed) => assert_eq!(wire, ["500 5", "BYE *"]),
                ("ReInviting by peer", Release::Finished) => assert_eq!(wire, ["BYE *", "487 5"]),
                _ => assert_eq!(wire, ["BYE *"]),
            }
            rig.seconds(5.0);
            rig.sees(&[], &[]);
            rig.is_over();
        }
    }
}

#[test]
fn an_own_invite_gets_a_cancel() {
    for why in [Release::Finished, Release::Failed] {
        for state in ["Init", "Early", "Prack"] {
            let mut rig = session(state, Side::Application);
            rig.release(why);
            rig.sees(&["CANCEL * of 1"], &[]);
            assert_eq!(rig.state(), "Cancelling");
            rig.replies(487, 1);
            rig.sees(&["ACK * of 1"], &[]);
            rig.seconds(5.0);
            rig.is_over();
            rig.sees(&[], &[]);
        }
    }
}

#[test]
fn an_own_invite_that_is_accepted_after_all() {
    let mut rig = session("Early", Side::Application);
    rig.release(Release::Finished);
    rig.wire();
    rig.replies(200, 1);
    rig.sees(&["ACK * of 1", "BYE *"], &[]);
}

#[test]
fn what_was_sent_is_sent_and_nothing_is_heard() {
    let mut rig = Rig::new();
    rig.open(request(Text, 1)).unwrap();
    rig.release(Release::Finished);
    rig.replies(200, 1);
    rig.sees(&["MESSAGE 1"], &[]);
    rig.is_over();
}

#[test]
fn an_answer_before_the_release_stands() {
    // How the dispatcher refuses.
    let mut rig = Rig::new();
    rig.binds = false;
    rig.asks(Invite, 1);
    rig.app(response(404, 1)).unwrap();
    rig.release(Release::Finished);
    rig.sees(&["404 1"], &["new INVITE 1 Expire=600"]);
    rig.peer(request(Ack, 2).related(1));
    rig.is_over();
    rig.sees(&[], &[]);
}

#[test]
fn new_requests_in_a_dialog_without_application() {
    // With no session, somebody new may get it.
    let mut rig = Rig::new();
    rig.asks(Text, 1);
    rig.release(Release::Finished);
    rig.heard();
    rig.asks(Text, 2);
    rig.sees(&[], &["new MESSAGE 2"]);
    rig.app_replies(200, 2);
    rig.seconds(5.0);
    rig.sees(&["200 2", "408 1"], &["END"]);

    // With one, nobody.
    let mut rig = session("Early", Side::Peer);
    rig.release(Release::Finished);
    for (method, cseq, code) in
        [(Text, 70, "481 70"), (Info, 71, "481 71"), (Prack, 72, "481 72"), (Invite, 73, "491 73")]
    {
        rig.asks(method, cseq);
        rig.sees(&[code], &[]);
    }
    assert_eq!(rig.state(), "Early");
}

#[test]
fn answers_to_a_former_application_are_not_heard_by_the_next() {
    let mut rig = Rig::new();
    rig.open(request(Text, 1)).unwrap();
    rig.release(Release::Finished);
    rig.asks(Text, 7);
    rig.sees(&["MESSAGE 1"], &["new MESSAGE 7"]);
    rig.replies(200, 1);
    rig.sees(&[], &[]);
}

#[test]
fn a_release_after_the_end_does_nothing() {
    let mut rig = session("Confirmed", Side::Peer);
    rig.app_asks(Bye, 80);
    rig.release(Release::Finished);
    rig.replies(200, 80);
    rig.sees(&["BYE 80"], &[]);
    rig.is_over();
    rig.release(Release::Failed);
    rig.sees(&[], &[]);
}
