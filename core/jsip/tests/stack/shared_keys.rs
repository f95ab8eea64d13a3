//! A CANCEL or an INVITE that has the CSeq of another request.

use jsip::Method::{Ack, Cancel, Invite, Message as Text};
use jsip::Side;
use rtcd_testkit::{MessageExt as _, RequestExt as _, Rig, request};

use crate::states::session;

#[test]
fn a_refused_cancel_does_not_answer_the_open_request_of_its_cseq() {
    // The peer's re-INVITE, which a CANCEL cannot take back.
    let mut rig = session("ReInviting by peer", Side::Peer);
    rig.asks(Cancel, 5);
    rig.sees(&[], &[]);
    assert_eq!(rig.stack.counters().collisions, 1);
    assert_eq!(rig.stack.counters().refused_by_state, 0);
    rig.app_replies(200, 5);
    rig.sees(&["200 5"], &[]);
    // The first INVITE, by a CANCEL that means another.
    let mut rig = session("Early", Side::Peer);
    rig.peer(request(Cancel, 1).related(7));
    rig.sees(&[], &[]);
    assert_eq!(rig.stack.counters().collisions, 1);
    assert_eq!(rig.state(), "Early");
    // A request that is no INVITE, with no session.
    let mut rig = Rig::new();
    rig.asks(Text, 3);
    rig.heard();
    rig.asks(Cancel, 3);
    rig.sees(&[], &[]);
    assert_eq!(rig.stack.counters().collisions, 1);
    assert_eq!(rig.stack.counters().refused_unknown, 0);
    rig.app_replies(200, 3);
    rig.sees(&["200 3"], &["END"]);
    // One that may go no further.
    let mut rig = session("Early", Side::Peer);
    rig.peer(request(Cancel, 1).number("Max-Forwards", 0));
    rig.sees(&[], &[]);
    assert_eq!(rig.stack.counters().collisions, 1);
}

#[test]
fn a_refused_cancel_repeats_the_final_response_of_its_invite() {
    let mut rig = session("Early", Side::Peer);
    rig.asks(Cancel, 1);
    rig.sees(&["487 1"], &["CANCEL 1 of 1"]);
    // The pong to the next ping tells that the 487 has arrived.
    rig.seconds(2.0);
    assert_eq!(rig.stack.counts().lingering, 0);
    rig.asks(Cancel, 1);
    rig.sees(&["487 1"], &[]);
    rig.asks(Ack, 1);
    rig.sees(&[], &["END"]);
    // An accepted one is no longer open.
    let mut rig = session("Answered", Side::Peer);
    rig.asks(Cancel, 1);
    rig.sees(&["200 1"], &[]);
    assert_eq!(rig.state(), "Answered");
}

#[test]
fn a_reinvite_with_the_cseq_of_a_refused_one_gets_its_ack() {
    let mut rig = session("ReInviting by peer", Side::Peer);
    rig.app_replies(488, 5);
    rig.peer(request(Invite, 5).text("Event", "again"));
    rig.sees(&["488 5"], &["INVITE 5 Event=\"again\""]);
    rig.app_replies(200, 5);
    rig.asks(Ack, 5);
    rig.sees(&["200 5"], &["ACK 5 of 5"]);
    assert_eq!(rig.state(), "Confirmed");
    rig.seconds(100.0);
    rig.sees(&[], &[]);
}
