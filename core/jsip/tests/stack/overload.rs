//! What one peer, or one setting, cannot do to the stack.

use std::time::Duration;

use jsip::Method::{Ack, Bye, Info, Invite, Message as Text, Notify, Options, Register, Subscribe};
use jsip::{Admission, Side, StackConfig};
use rtcd_testkit::{MessageExt as _, Pings, RequestExt as _, Rig, request, response};

use crate::states::{enter, session};

#[test]
fn refused_invites_do_not_pile_up() {
    for way in ["state", "hops", "room"] {
        let mut rig = Rig::with(|config| {
            config.max_dialog_transactions = if way == "room" { 1 } else { 16 };
        });
        let state = if way == "room" { "Confirmed" } else { "Early" };
        enter(&mut rig, state, Side::Peer);
        if way == "room" {
            rig.asks(Info, 50);
        }
        rig.wire();
        for cseq in 100..200 {
            let invite = request(Invite, cseq);
            rig.peer(if way == "hops" { invite.number("Max-Forwards", 0) } else { invite });
            let code = match way {
                "state" => 491,
                "hops" => 483,
                _ => 503,
            };
            assert_eq!(rig.wire(), [format!("{code} {cseq}")]);
        }
        let waiting = rig.stack.transactions().filter(|open| open.state == "Answered").count();
        assert_eq!(waiting, 8, "{way}");
        rig.heard();
        // They take no room from others.
        if way != "room" {
            rig.asks(Info, 300);
            rig.sees(&[], &["INFO 300"]);
            rig.asks(Text, 301);
            rig.sees(&[], &["MESSAGE 301"]);
        }
        // The ACKs of the first are swallowed, of the others dropped; a repeat gets its answer again either way.
        rig.peer(request(Ack, 100));
        rig.peer(request(Ack, 400).related(199));
        assert_eq!(rig.stack.counters().dropped_acks, 1);
        rig.hears(&[]);
        assert_eq!(rig.state(), state);
        rig.seconds(5.0);
        assert_eq!(rig.stack.transactions().filter(|open| open.state == "Answered").count(), 0);
    }
}

#[test]
fn an_accepted_invite_keeps_its_ack_among_refused_ones() {
    let mut rig = session("ReAnswered by peer", Side::Peer);
    for cseq in 100..120 {
        rig.asks(Invite, cseq);
    }
    // Another INVITE with the CSeq of the accepted one is refused, and does not take its ACK.
    rig.peer(request(Invite, 5).text("Event", "other"));
    rig.wire();
    rig.peer(request(Ack, 5));
    rig.sees(&[], &["ACK 5 of 5"]);
    assert_eq!(rig.state(), "Confirmed");
}

#[test]
fn no_setting_makes_it_ping_for_ever() {
    let mut rig = Rig::with(|config| config.arrival_ping_frames = 0);
    rig.pings = Pings::Record;
    rig.open(request(Text, 1)).unwrap();
    rig.sees(&["MESSAGE 1", "PING 1"], &[]);
    rig.pong(1);
    rig.sees(&[], &[]);

    let mut rig = Rig::with(|config| config.keepalive = Duration::ZERO);
    assert!(rig.stack.poll_timeout() > Some(rig.now()));
    // Changed later, it is no other.
    let mut config = StackConfig::default();
    config.keepalive = Duration::ZERO;
    config.arrival_ping_frames = 0;
    rig.stack.set_config(config.into());
    rig.attach();
    assert!(rig.stack.poll_timeout() > Some(rig.now()));
}

#[test]
fn no_setting_is_too_long_for_the_clock() {
    let mut rig = Rig::with(|config| {
        for time in [
            &mut config.transtimer,
            &mut config.prtimer,
            &mut config.sessiontimer,
            &mut config.acktimer,
            &mut config.linger,
            &mut config.max_expire,
            &mut config.keepalive,
            &mut config.dead_after,
            &mut config.arrival_ping_after,
        ] {
            *time = Duration::MAX;
        }
    });
    enter(&mut rig, "ReAnswered by peer", Side::Peer);
    rig.open(request(Invite, 1).in_dialog("x").number("Expire", u64::MAX)).unwrap();
    rig.peer(response(200, 1).in_dialog("x"));
    rig.asks(Info, 70);
    rig.app_replies(200, 70);
    assert!(rig.stack.poll_timeout().is_some());
}

/// What would open a dialog is turned away; what is open goes on, and so does what a repeat asks for.
#[test]
fn closed_admission_turns_away_what_is_new_alone() {
    let mut rig = session("Confirmed", Side::Peer);
    rig.peer(request(Text, 7).in_dialog("before"));
    rig.app(response(200, 7).in_dialog("before")).unwrap();
    rig.wire();
    rig.heard();
    rig.stack.set_admission(Admission::Closed { retry_after: 3 });
    let before = rig.stack.counts();
    for method in [Invite, Register, Options, Subscribe, Text, Notify] {
        rig.peer(request(method, 1).in_dialog("new"));
        rig.sees(&["[new] 503 1 Retry-After=3"], &[]);
        // Nothing is kept: the repeat is another.
        rig.peer(request(method, 1).in_dialog("new"));
        rig.sees(&["[new] 503 1 Retry-After=3"], &[]);
    }
    // However it is written.
    let text =
        r#"{"Type":"INVITE","Request-URI":"u","From":"\u0061@b","To":"\"t\"","DialogueID":"odd","CSeq":1}"#;
    rig.text(text);
    rig.sees(&["[odd] 503 1 Retry-After=3"], &[]);
    // An ACK to nothing is dropped as ever, and what needs a dialog does not become new.
    rig.peer(request(Ack, 1).in_dialog("new"));
    rig.sees(&[], &[]);
    rig.peer(request(Info, 2).in_dialog("other"));
    assert_eq!(rig.wire(), ["[other] 481 2"]);
    assert_eq!(rig.stack.counts().dialogs, before.dialogs);
    assert_eq!(rig.stack.counters().refused_overload, 13);
    // The answer of before.
    rig.peer(request(Text, 7).in_dialog("before"));
    rig.sees(&["[before] 200 7"], &[]);
    // The call.
    rig.asks(Info, 50);
    rig.sees(&[], &["INFO 50"]);
    rig.app_replies(200, 50);
    rig.asks(Text, 51);
    rig.sees(&["200 50"], &["MESSAGE 51"]);
    rig.asks(Bye, 52);
    assert_eq!(rig.wire(), ["200 52"]);
    rig.stack.set_admission(Admission::Open);
    rig.peer(request(Text, 1).in_dialog("new"));
    rig.sees(&[], &["BYE 52", "new [new] MESSAGE 1"]);
}
