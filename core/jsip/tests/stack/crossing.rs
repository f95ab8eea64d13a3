//! CANCEL and the final response cross: every order of the four events, on each side, with and without a lost socket between
//! them. However they meet, no side is left in a call, and each INVITE has one final answer on each side.

use std::collections::BTreeSet;

use jsip::Detach::Lost;
use jsip::Method::{Ack, Bye, Cancel, Invite};
use jsip::{Message, Side};
use rtcd_testkit::{Pings, RequestExt as _, Rig, request};

use crate::states::session;

/// The application takes its INVITE back; the peer, that does not know yet, answers `code`; then the peer answers the CANCEL as
/// it has to. The three frames of the peer in every order that a peer can send them, cut off after each.
#[test]
fn the_application_cancels() {
    for state in ["Init", "Early", "Prack", "Update by peer"] {
        for code in [200, 202, 486, 487] {
            // What the peer sends: (to the INVITE, to the CANCEL). It had answered before the CANCEL came: 481; after: 200.
            for frames in [[(code, 1), (481, 26)], [(481, 26), (code, 1)], [(200, 26), (code, 1)]] {
                for cut in 0..=frames.len() {
                    let mut rig = session(state, Side::Application);
                    rig.pings = Pings::Record;
                    rig.app_asks(Cancel, 26);
                    for (at, (code, cseq)) in frames.into_iter().enumerate() {
                        if at == cut {
                            rig.detach(Lost);
                            rig.attach();
                        }
                        rig.replies(code, cseq);
                    }
                    let wire = rig.wire();
                    let heard = rig.heard();
                    let (final_response, ended) = if code < 300 { (487, true) } else { (code, false) };
                    let finals = heard.iter().filter(|line| **line == format!("{final_response} 1")).count();
                    assert_eq!(finals, 1, "{state} {code} {heard:?}");
                    // A new socket may bring the same BYE again.
                    let byes: BTreeSet<_> = rig.sent.iter().filter_map(bye).collect();
                    assert_eq!(byes.len(), usize::from(ended), "{state} {code} {wire:?}");
                    assert!(wire.iter().any(|line| line.starts_with("ACK * of 1")));
                    assert_eq!(rig.state(), "-");
                    rig.seconds(5.0);
                    rig.is_over();
                }
            }
        }
    }
}

/// The application answers 200; the peer, that does not know yet, takes its INVITE back.
#[test]
fn the_peer_cancels() {
    for state in ["Init", "Early", "Prack", "Update by peer", "Update by application"] {
        for related in [Some(1), None] {
            // The answer is first.
            let mut rig = session(state, Side::Peer);
            rig.app_replies(200, 1);
            rig.peer(cancel(70, related));
            rig.sees(&["200 1", "481 70"], &[]);
            // The peer has a call that it does not want: it says so.
            rig.asks(Ack, 71);
            rig.asks(Bye, 72);
            assert_eq!(rig.wire(), ["200 72"]);
            assert_eq!(rig.heard()[..2], ["ACK 71 of 1", "BYE 72"]);
            rig.seconds(5.0);
            rig.is_over();

            // It does not even do that.
            let mut rig = session(state, Side::Peer);
            rig.app_replies(200, 1);
            rig.peer(cancel(70, related));
            rig.wire();
            rig.heard();
            rig.seconds(32.0);
            let mut wire = rig.wire();
            wire.retain(|line| line.starts_with("BYE"));
            assert_eq!(wire, ["BYE *"]);
            assert!(rig.heard().contains(&"BYE *".to_owned()));
            rig.seconds(5.0);
            rig.is_over();

            // The CANCEL is first: the application is told, and its answer comes too late.
            let mut rig = session(state, Side::Peer);
            rig.peer(cancel(70, related));
            assert!(rig.app(rtcd_testkit::response(200, 1)).is_err());
            rig.sees(&["200 70", "487 1"], &["CANCEL 70 of 1"]);
            rig.asks(Ack, 71);
            rig.seconds(5.0);
            rig.is_over();
        }
    }
}

/// A CANCEL with its INVITE's CSeq, as another reading of the protocol has it.
#[test]
fn the_peer_cancels_with_the_invites_cseq() {
    let mut rig = session("Early", Side::Peer);
    rig.app_replies(200, 1);
    rig.peer(cancel(1, None));
    // It is too late, and what the INVITE has got says so.
    rig.sees(&["200 1", "200 1"], &[]);
    assert_eq!(rig.state(), "Answered");
}

/// `prtimer` and the answer at the same moment, in both orders.
#[test]
fn the_time_and_the_answer_cross() {
    let mut rig = session("Early", Side::Application);
    rig.seconds(60.0);
    rig.replies(200, 1);
    rig.sees(&["CANCEL * of 1", "ACK * of 1", "BYE *"], &["408 1"]);

    let mut rig = session("Early", Side::Application);
    let due = rig.stack.poll_timeout();
    rig.seconds(59.999);
    rig.replies(200, 1);
    rig.stack.handle_timeout(due.expect("prtimer"));
    rig.sees(&[], &["200 1"]);
    assert_eq!(rig.state(), "Answered");
}

/// A whole call that is taken back and set up anew under the same DialogueID.
#[test]
fn and_again() {
    let mut rig = Rig::new();
    for round in 0..3 {
        rig.open(request(Invite, 1 + round)).unwrap();
        rig.app_asks(Cancel, 100 + round);
        rig.replies(200, 1 + round);
        rig.replies(481, 100 + round);
        let Some(Message::Request(bye)) = rig.sent.last().cloned() else { panic!("a BYE") };
        rig.replies(200, bye.cseq.as_u64());
        assert_eq!(rig.heard(), [format!("487 {}", 1 + round), "END".to_owned()]);
        rig.is_over();
    }
}

fn bye(message: &Message) -> Option<u64> {
    match message {
        Message::Request(request) if request.method == Bye => Some(request.cseq.as_u64()),
        Message::Request(_) | Message::Response(_) => None,
    }
}

fn cancel(cseq: u64, related: Option<u64>) -> jsip::Request {
    let cancel = request(Cancel, cseq);
    match related {
        Some(related) => cancel.related(related),
        None => cancel,
    }
}
