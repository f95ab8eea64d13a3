//! Every state, every request, both ways: the table of the protocol page and its defaults, as one snapshot.

use jsip::Method::{
    Ack, Bye, Cancel, Info, Invite, Message, Notify, Options, Prack, Register, Subscribe, Update,
};
use jsip::Side;
use rtcd_testkit::{Rig, request};

use crate::states::{STATES, session};

#[test]
fn every_request_in_every_state() {
    let mut table = String::new();
    for (state, inviter) in STATES {
        for method in [Invite, Ack, Bye, Cancel, Info, Update, Prack, Message] {
            let mut rig = session(state, inviter);
            rig.asks(method, 70);
            line(&mut table, &mut rig, state, inviter, &format!("{method} in"));
        }
        for method in [Invite, Ack, Bye, Cancel, Info, Update, Prack, Message] {
            let mut rig = session(state, inviter);
            let result = rig.app(request(method, 80));
            let error = result.err().map(|error| format!(": {error}")).unwrap_or_default();
            line(&mut table, &mut rig, state, inviter, &format!("{method} out{error}"));
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn every_request_without_a_session() {
    let mut table = String::new();
    for method in jsip::Method::ALL {
        let mut rig = Rig::new();
        rig.asks(method, 70);
        line(&mut table, &mut rig, "-", Side::Peer, &format!("{method} in"));
        let mut rig = Rig::new();
        let result = rig.open(request(method, 80));
        let error = result.err().map(|error| format!(": {error}")).unwrap_or_default();
        line(&mut table, &mut rig, "-", Side::Application, &format!("{method} out{error}"));
    }
    insta::assert_snapshot!(table);
}

/// A dialog that is there because a MESSAGE is open in it has no session.
#[test]
fn session_requests_in_a_dialog_of_a_message() {
    for method in [Bye, Cancel, Info, Update, Prack] {
        let mut rig = Rig::new();
        rig.asks(Message, 1);
        rig.sees(&[], &["new MESSAGE 1"]);
        rig.asks(method, 2);
        rig.sees(&["481 2"], &[]);
    }
    for method in [Info, Update, Prack] {
        let mut rig = Rig::new();
        rig.asks(Message, 1);
        rig.heard();
        rig.app_asks(method, 2);
        rig.sees(&[], &["481 2"]);
    }
    for method in [Ack, Bye, Cancel] {
        let mut rig = Rig::new();
        rig.asks(Message, 1);
        rig.heard();
        let error = rig.app(request(method, 2)).unwrap_err();
        assert_eq!(error, jsip::SendError::NoSession { method });
        rig.sees(&[], &[]);
    }
    for method in [Invite, Register, Options, Subscribe, Message, Notify] {
        let mut rig = Rig::new();
        rig.asks(Message, 1);
        rig.heard();
        rig.asks(method, 2);
        assert_eq!(rig.wire(), Vec::<String>::new());
        assert!(rig.heard()[0].starts_with(method.name()), "the dialog's own application gets it");
    }
}

/// Every response, both ways, to the first INVITE and to a re-INVITE. What does nothing is not told.
#[test]
fn every_response_to_an_invite() {
    let mut table = String::new();
    for (state, inviter) in STATES {
        for code in [100, 180, 200, 202, 300, 486] {
            let mut rig = session(state, inviter);
            rig.replies(code, 1);
            effect(&mut table, &mut rig, state, inviter, &format!("{code} to the first INVITE in"));
            let mut rig = session(state, inviter);
            let result = rig.app(rtcd_testkit::response(code, 1));
            let event = match result {
                Err(jsip::SendError::NoTransaction { cseq }) if cseq.as_u64() == 1 => continue,
                Err(error) => format!("{code} to the first INVITE out: {error}"),
                Ok(()) => format!("{code} to the first INVITE out"),
            };
            line(&mut table, &mut rig, state, inviter, &event);
        }
    }
    for (state, cseq) in [("ReInviting by peer", 5), ("ReInviting by application", 25)] {
        for code in [100, 180, 200, 202, 300, 486] {
            let mut rig = session(state, Side::Peer);
            match cseq {
                5 => rig.app_replies(code, cseq),
                _ => rig.replies(code, cseq),
            }
            line(&mut table, &mut rig, state, Side::Peer, &format!("{code} to it"));
        }
    }
    insta::assert_snapshot!(table);
}

fn effect(table: &mut String, rig: &mut Rig, state: &str, inviter: Side, event: &str) {
    let mut row = String::new();
    let before = rig.stack.counters().dropped_responses;
    line(&mut row, rig, state, inviter, event);
    let same = state.split(' ').next() == Some(rig.state());
    if !same || !row.contains("| peer:  | app:  |") {
        *table += &row;
    } else if inviter == Side::Peer {
        assert_eq!(before, 1, "a response in the wrong direction is counted: {row}");
    }
}

fn line(table: &mut String, rig: &mut Rig, state: &str, inviter: Side, event: &str) {
    let by = inviter.name();
    let (wire, heard) = (rig.wire().join(", "), rig.heard().join(", "));
    *table += &format!("{state} ({by}) | {event} | peer: {wire} | app: {heard} | {}\n", rig.state());
}
