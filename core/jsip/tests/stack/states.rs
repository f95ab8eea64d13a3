//! Ways into each state. The first INVITE has CSeq 1; what comes behind it on the way has CSeqs below 10 from the peer, and
//! from 20 to 29 from the application.

use jsip::Method::{Ack, Cancel, Invite, Prack, Update};
use jsip::Side;
use rtcd_testkit::{Rig, request};

pub(crate) const STATES: [(&str, Side); 20] = [
    ("Init", Side::Peer),
    ("Early", Side::Peer),
    ("Prack", Side::Peer),
    ("Update by peer", Side::Peer),
    ("Update by application", Side::Peer),
    ("Answered", Side::Peer),
    ("Confirmed", Side::Peer),
    ("ReInviting by peer", Side::Peer),
    ("ReInviting by application", Side::Peer),
    ("ReAnswered by peer", Side::Peer),
    ("ReAnswered by application", Side::Peer),
    ("Failed", Side::Peer),
    ("Init", Side::Application),
    ("Early", Side::Application),
    ("Prack", Side::Application),
    ("Update by peer", Side::Application),
    ("Answered", Side::Application),
    ("Confirmed", Side::Application),
    ("ReInviting by peer", Side::Application),
    ("Cancelling", Side::Application),
];

/// A rig with a session in this state, its first INVITE from `inviter`.
pub(crate) fn session(state: &str, inviter: Side) -> Rig {
    let mut rig = Rig::new();
    enter(&mut rig, state, inviter);
    rig.wire();
    rig.heard();
    rig
}

pub(crate) fn enter(rig: &mut Rig, state: &str, inviter: Side) {
    match state {
        "Init" => match inviter {
            Side::Peer => rig.asks(Invite, 1),
            Side::Application => {
                rig.open(request(Invite, 1)).expect("it is sent");
            }
        },
        "Early" => {
            enter(rig, "Init", inviter);
            answer(rig, inviter, 180, 1);
        }
        "Prack" => {
            enter(rig, "Early", inviter);
            ask(rig, inviter, Prack);
        }
        "Update by peer" => {
            enter(rig, "Early", inviter);
            ask(rig, Side::Peer, Update);
        }
        "Update by application" => {
            enter(rig, "Early", inviter);
            ask(rig, Side::Application, Update);
        }
        "Answered" => {
            enter(rig, "Early", inviter);
            answer(rig, inviter, 200, 1);
        }
        "Confirmed" => {
            enter(rig, "Answered", inviter);
            ask(rig, inviter, Ack);
        }
        "ReInviting by peer" => {
            enter(rig, "Confirmed", inviter);
            ask(rig, Side::Peer, Invite);
        }
        "ReInviting by application" => {
            enter(rig, "Confirmed", inviter);
            ask(rig, Side::Application, Invite);
        }
        "ReAnswered by peer" => {
            enter(rig, "ReInviting by peer", inviter);
            answer(rig, Side::Peer, 200, own(Side::Peer, Invite));
        }
        "ReAnswered by application" => {
            enter(rig, "ReInviting by application", inviter);
            answer(rig, Side::Application, 200, own(Side::Application, Invite));
        }
        "Failed" => {
            enter(rig, "Init", inviter);
            answer(rig, inviter, 486, 1);
        }
        "Cancelling" => {
            enter(rig, "Early", inviter);
            ask(rig, inviter, Cancel);
        }
        other => panic!("no way into {other}"),
    }
    assert_eq!(rig.state(), state.split(' ').next().unwrap_or_default());
}

/// The CSeq of a request on the way.
pub(crate) fn own(side: Side, method: jsip::Method) -> u64 {
    let of_peer = match method {
        Prack => 2,
        Update => 3,
        Ack => 4,
        Invite => 5,
        Cancel => 6,
        _ => 7,
    };
    match side {
        Side::Peer => of_peer,
        Side::Application => of_peer + 20,
    }
}

/// A request of a side, as it is on the way.
pub(crate) fn ask(rig: &mut Rig, side: Side, method: jsip::Method) {
    match side {
        Side::Peer => rig.asks(method, own(side, method)),
        Side::Application => rig.app_asks(method, own(side, method)),
    }
}

/// The other side answers the request of `asked_by`.
pub(crate) fn answer(rig: &mut Rig, asked_by: Side, code: u16, cseq: u64) {
    match asked_by {
        Side::Peer => rig.app_replies(code, cseq),
        Side::Application => rig.replies(code, cseq),
    }
}
