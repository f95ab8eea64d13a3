//! Calls that end while the peer has no socket.

use jsip::Detach::Lost;
use jsip::Method::{Bye, Invite, Message as Text};
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

#[test]
fn but_not_for_ever() {
    let mut rig = Rig::new();
    rig.asks(Invite, 1);
    rig.asks(Text, 2);
    rig.asks(Text, 3);
    rig.detach(Lost);
    rig.app_replies(200, 2);
    // The other two run out of time.
    rig.seconds(119.9);
    assert_eq!((rig.stack.counts().queued, rig.stack.counts().dialogs), (3, 0));
    rig.seconds(0.1);
    assert_eq!((rig.stack.counts().queued, rig.stack.counters().waited_in_vain), (2, 1));
    rig.seconds(60.0);
    // Nothing is left that would keep the peer in mind.
    assert!(rig.stack.is_idle());
    assert_eq!(rig.stack.poll_timeout(), None);
    rig.attach();
    assert_eq!(rig.wire(), Vec::<String>::new());
}

#[test]
fn what_stands_for_a_dead_200_waits_as_long_again() {
    let mut rig = Rig::new();
    rig.asks(Invite, 1);
    rig.detach(Lost);
    rig.app_replies(200, 1);
    // The ACK is waited for until then.
    rig.seconds(32.0);
    rig.seconds(119.9);
    assert_eq!(rig.stack.counts().queued, 1);
    rig.seconds(0.1);
    assert!(rig.stack.is_idle());
}
