//! Calls that end while the peer has no socket.

use jsip::Detach::Lost;
use jsip::Method::{Bye, Invite};
use jsip::Side;
use rtcd_testkit::Rig;

use crate::states::{enter, session};

#[test]
fn the_200_of_a_dead_call_is_not_delivered() {
    let mut rig = Rig::new();
    rig.asks(Invite, 1);
    rig.detach(Lost);
    rig.app_replies(200, 1);
    rig.seconds(40.0);
    rig.sees(&[], &["new INVITE 1 Expire=600", "BYE *", "END"]);
    rig.attach();
    // Its INVITE has one final response all the same.
    rig.sees(&["487 1"], &[]);
    rig.seconds(10.0);
    rig.sees(&[], &[]);
    assert!(rig.stack.is_idle());
}

#[test]
fn nor_that_of_a_dead_reinvite() {
    let mut rig = session("ReInviting by peer", Side::Peer);
    rig.detach(Lost);
    rig.app_replies(200, 5);
    rig.app_asks(Bye, 80);
    rig.attach();
    rig.sees(&["487 5", "BYE 80"], &[]);
    // Asked again, it gets the same again.
    rig.asks(Invite, 5);
    rig.sees(&["487 5"], &[]);
}

#[test]
fn a_queued_refusal_stays() {
    let mut rig = Rig::new();
    enter(&mut rig, "Early", Side::Peer);
    rig.wire();
    rig.detach(Lost);
    rig.app_replies(486, 1);
    rig.seconds(40.0);
    rig.attach();
    rig.sees(&["486 1"], &["new INVITE 1 Expire=600", "END"]);
}
