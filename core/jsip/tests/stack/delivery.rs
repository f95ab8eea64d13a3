//! What the peer gets: pings, what is sent again on a new socket, what waits while it is away.

use std::time::Duration;

use jsip::Detach::{Clean, Lost};
use jsip::Method::{Ack, Bye, Cancel, Info, Invite, Message as Text, Update};
use jsip::Side;
use rtcd_testkit::{MessageExt as _, Pings, RequestExt as _, Rig, request, response};

use crate::states::{enter, session};

/// Pings are noted, not answered.
fn recording(mut rig: Rig) -> Rig {
    rig.pings = Pings::Record;
    rig
}

/// A new socket, with what it brings.
#[track_caller]
fn comes_back(rig: &mut Rig, wire: &[&str]) {
    rig.wire();
    rig.attach();
    rig.sees(wire, &[]);
}

#[test]
fn a_quiet_peer_is_pinged_after_25_s_and_given_up_after_50() {
    let mut rig = recording(Rig::new());
    rig.seconds(24.9);
    rig.sees(&[], &[]);
    rig.seconds(0.1);
    rig.sees(&["PING 0"], &[]);
    rig.seconds(24.9);
    rig.sees(&[], &[]);
    rig.seconds(0.1);
    rig.sees(&["CLOSE Silent"], &[]);
    assert!(!rig.stack.is_attached());
    assert_eq!(rig.stack.poll_timeout(), None);
}

#[test]
fn every_sign_of_life_counts() {
    let mut rig = recording(Rig::new());
    for round in 0..8 {
        rig.seconds(24.0);
        match round % 4 {
            0 => rig.text("no message"),
            1 => rig.pong(0),
            2 => rig.stack.handle_alive(rig.now()),
            _ => rig.pong(99),
        }
        rig.sees(&[], &[]);
    }
    rig.seconds(25.0);
    rig.sees(&["PING 0"], &[]);
    // A late pong to an early ping is no miss.
    rig.seconds(24.0);
    rig.pong(0);
    rig.seconds(24.9);
    rig.sees(&[], &[]);
    rig.seconds(0.1);
    rig.sees(&["PING 0"], &[]);
}

#[test]
fn a_ping_asks_what_has_arrived_one_at_a_time() {
    let mut rig = recording(Rig::new());
    rig.open(request(Text, 1)).unwrap();
    rig.seconds(0.5);
    rig.app(request(Text, 2)).unwrap();
    rig.seconds(0.4);
    rig.sees(&["MESSAGE 1", "MESSAGE 2"], &[]);
    rig.seconds(0.1);
    rig.sees(&["PING 2"], &[]);
    assert_eq!(rig.stack.counts().unconfirmed, 2);
    // No second one before its pong.
    rig.app(request(Text, 3)).unwrap();
    rig.seconds(3.0);
    rig.sees(&["MESSAGE 3"], &[]);
    rig.pong(2);
    assert_eq!(rig.stack.counts().unconfirmed, 1);
    rig.seconds(0.9);
    rig.sees(&[], &[]);
    rig.seconds(0.1);
    rig.sees(&["PING 3"], &["408 1"]);
    rig.pong(3);
    assert_eq!(rig.stack.counts().unconfirmed, 0);
    rig.seconds(0.5);
    rig.sees(&[], &["408 2"]);
}

#[test]
fn at_128_frames_the_ping_is_due_at_once() {
    let mut rig = recording(Rig::new());
    for cseq in 1..=127 {
        rig.asks(Text, cseq);
        rig.app_replies(200, cseq);
    }
    assert!(!rig.wire().contains(&"PING 127".to_owned()));
    rig.asks(Text, 128);
    rig.app_replies(200, 128);
    assert_eq!(rig.wire(), ["200 128", "PING 128"]);
    assert_eq!(rig.stack.counts().lingering, 128);
    for cseq in 129..=270 {
        rig.asks(Text, cseq);
        rig.app_replies(200, cseq);
    }
    assert!(!rig.wire().iter().any(|line| line.starts_with("PING")));
    // 142 are left: again at once.
    rig.pong(128);
    assert_eq!(rig.wire(), ["PING 270"]);
    rig.pong(270);
    assert_eq!(rig.stack.counts().lingering, 0);
    assert!(rig.stack.is_idle());
}

#[test]
fn a_pong_that_nobody_asked_for() {
    let mut rig = recording(Rig::new());
    rig.open(request(Text, 1)).unwrap();
    // It counts more than was sent.
    rig.pong(2);
    rig.pong(u64::MAX);
    assert_eq!(rig.stack.counts().unconfirmed, 1);
    rig.pong(0);
    assert_eq!(rig.stack.counts().unconfirmed, 1);
    // A truthful one before the ping is welcome.
    rig.pong(1);
    assert_eq!(rig.stack.counts().unconfirmed, 0);
}

#[test]
fn each_socket_counts_its_own_frames() {
    let mut rig = recording(Rig::new());
    rig.open(request(Text, 1)).unwrap();
    rig.app(request(Text, 2)).unwrap();
    rig.detach(Lost);
    rig.attach();
    assert_eq!(rig.wire(), ["MESSAGE 1", "MESSAGE 2", "MESSAGE 1", "MESSAGE 2"]);
    rig.seconds(1.0);
    rig.sees(&["PING 2"], &[]);
    rig.pong(2);
    assert_eq!(rig.stack.counts().unconfirmed, 0);
}

/// Each kind of message: how it comes to be written, and whether a new socket brings it again if it is not known to have arrived.
#[test]
fn what_a_new_socket_brings_again() {
    type Way = (&'static str, fn(&mut Rig), &'static [&'static str]);
    let ways: &[Way] = &[
        ("a request", |rig| drop(rig.open(request(Text, 1))), &["MESSAGE 1"]),
        (
            "a request with a provisional response",
            |rig| {
                rig.open(request(Text, 1)).unwrap();
                rig.replies(183, 1);
            },
            &["MESSAGE 1"],
        ),
        (
            "a request with its final response",
            |rig| {
                rig.open(request(Text, 1)).unwrap();
                rig.replies(200, 1);
            },
            &[],
        ),
        (
            "a request that timed out",
            |rig| {
                rig.open(request(Text, 1)).unwrap();
                rig.seconds(5.0);
            },
            &[],
        ),
        (
            "the answer to a request",
            |rig| {
                rig.asks(Text, 1);
                rig.app_replies(200, 1);
            },
            &[],
        ),
        (
            "the provisional answer to a request",
            |rig| {
                rig.asks(Text, 1);
                rig.app_replies(183, 1);
            },
            &[],
        ),
        ("an INVITE", |rig| enter(rig, "Init", Side::Application), &["INVITE 1 Expire=600"]),
        ("an INVITE that rings", |rig| enter(rig, "Early", Side::Application), &["INVITE 1 Expire=600"]),
        ("a PRACK", |rig| enter(rig, "Prack", Side::Application), &["INVITE 1 Expire=600", "PRACK 22"]),
        ("an INVITE that is answered", |rig| enter(rig, "Answered", Side::Application), &[]),
        ("an ACK", |rig| enter(rig, "Confirmed", Side::Application), &["ACK 24 of 1"]),
        (
            "a CANCEL",
            |rig| enter(rig, "Cancelling", Side::Application),
            &["INVITE 1 Expire=600", "CANCEL 26 of 1"],
        ),
        ("nothing of an INVITE received", |rig| enter(rig, "Init", Side::Peer), &[]),
        ("a 180", |rig| enter(rig, "Early", Side::Peer), &["180 1"]),
        (
            "the last of several provisional responses",
            |rig| {
                enter(rig, "Early", Side::Peer);
                rig.app_replies(183, 1);
            },
            &["183 1"],
        ),
        ("a 200 without ACK", |rig| enter(rig, "Answered", Side::Peer), &["200 1"]),
        ("a 200 with its ACK", |rig| enter(rig, "Confirmed", Side::Peer), &[]),
        ("a refusal without ACK", |rig| enter(rig, "Failed", Side::Peer), &["486 1"]),
        (
            "a refusal with its ACK",
            |rig| {
                enter(rig, "Failed", Side::Peer);
                rig.asks(Ack, 9);
            },
            &[],
        ),
        ("a re-INVITE", |rig| enter(rig, "ReInviting by application", Side::Peer), &["INVITE 25"]),
        ("the answer to a re-INVITE", |rig| enter(rig, "ReAnswered by peer", Side::Peer), &["200 5"]),
        (
            "the refusal of a second re-INVITE",
            |rig| {
                enter(rig, "ReInviting by peer", Side::Peer);
                rig.asks(Invite, 70);
            },
            &["491 70"],
        ),
        (
            "an INFO in a call",
            |rig| {
                enter(rig, "Confirmed", Side::Peer);
                rig.app_asks(Info, 80);
            },
            &["INFO 80"],
        ),
        (
            "a BYE, and nothing else of an ended call",
            |rig| {
                enter(rig, "Confirmed", Side::Application);
                rig.app_asks(Info, 80);
                rig.app_asks(Bye, 81);
            },
            &["BYE 81"],
        ),
        (
            "the CANCEL of an ended call",
            |rig| {
                enter(rig, "Cancelling", Side::Application);
                rig.replies(487, 1);
            },
            &["CANCEL 26 of 1"],
        ),
        (
            "a MESSAGE in an ended call's dialog",
            |rig| {
                enter(rig, "Confirmed", Side::Application);
                rig.app_asks(Text, 80);
                rig.asks(Bye, 70);
            },
            &["MESSAGE 80"],
        ),
        (
            "the BYE of a crossing, not its ACK",
            |rig| {
                enter(rig, "Cancelling", Side::Application);
                rig.replies(200, 1);
            },
            &["CANCEL 26 of 1", "BYE *"],
        ),
        (
            "an UPDATE of the stack",
            |rig| {
                rig.open(request(Invite, 1).number("Expire", 9)).unwrap();
                rig.replies(200, 1);
                rig.app_asks(Ack, 2);
                rig.seconds(3.0);
            },
            &["ACK 2 of 1", "UPDATE * Expire=9"],
        ),
    ];
    for (name, way, expected) in ways {
        for (arrived, close) in [(false, Lost), (false, Clean), (true, Lost), (true, Clean)] {
            let mut rig = recording(Rig::new());
            way(&mut rig);
            rig.heard();
            if arrived {
                let sent = rig.stack.counters().frames_sent;
                rig.pong(sent);
                assert_eq!(rig.stack.counts().unconfirmed, 0, "{name}");
            }
            rig.detach(close);
            rig.wire();
            rig.attach();
            let wanted: &[&str] = if arrived || close == Clean { &[] } else { expected };
            assert_eq!(rig.wire(), wanted, "{name}, arrived: {arrived}, {close:?}");
        }
        // A takeover is a loss.
        let mut rig = recording(Rig::new());
        way(&mut rig);
        rig.wire();
        rig.attach();
        assert_eq!(rig.wire(), *expected, "{name}, taken over");
        // A second one brings the same again.
        rig.attach();
        assert_eq!(rig.wire(), *expected, "{name}, taken over again");
        // And what the peer has now confirmed, no third.
        let sent = rig.stack.counters().resent / 2;
        rig.pong(sent);
        rig.attach();
        assert_eq!(rig.wire(), Vec::<String>::new(), "{name}, confirmed at last");
    }
}

#[test]
fn only_what_a_pong_confirms_is_left_out() {
    let mut rig = recording(Rig::new());
    for cseq in 1..=4 {
        rig.open(request(Text, cseq).in_dialog(&format!("d{cseq}"))).unwrap();
    }
    rig.pong(2);
    rig.detach(Lost);
    comes_back(&mut rig, &["[d3] MESSAGE 3", "[d4] MESSAGE 4"]);
    rig.pong(1);
    rig.detach(Lost);
    comes_back(&mut rig, &["[d4] MESSAGE 4"]);
}

#[test]
fn the_order_is_the_old_one() {
    let mut rig = recording(session("Confirmed", Side::Application));
    rig.pong(2);
    rig.app_asks(Info, 80);
    rig.open(request(Text, 1).in_dialog("x")).unwrap();
    rig.app_asks(Invite, 81);
    rig.peer(request(Invite, 1).in_dialog("y"));
    rig.app(response(180, 1).in_dialog("y")).unwrap();
    rig.replies(200, 81);
    rig.app_asks(Ack, 82);
    rig.detach(Lost);
    rig.heard();
    comes_back(&mut rig, &["INFO 80", "[x] MESSAGE 1", "[y] 180 1", "ACK 82 of 81"]);
}

#[test]
fn what_was_sent_while_away_follows() {
    let mut rig = recording(Rig::new());
    rig.open(request(Text, 1)).unwrap();
    rig.peer(request(Text, 9).in_dialog("x"));
    rig.detach(Lost);
    rig.app_asks(Text, 2);
    rig.app(response(200, 9).in_dialog("x")).unwrap();
    rig.app_asks(Text, 3);
    rig.heard();
    assert_eq!(rig.stack.counts().queued, 3);
    comes_back(&mut rig, &["MESSAGE 1", "MESSAGE 2", "[x] 200 9", "MESSAGE 3"]);
    assert_eq!(rig.stack.counts().queued, 0);
    // Now they are written, and not known to have arrived.
    rig.detach(Lost);
    comes_back(&mut rig, &["MESSAGE 1", "MESSAGE 2", "MESSAGE 3"]);
    // The answer too: it waits for a repeat.
    rig.peer(request(Text, 9).in_dialog("x"));
    rig.sees(&["[x] 200 9"], &[]);
    rig.pong(4);
    assert_eq!(rig.stack.counts().lingering, 0);
}

#[test]
fn a_peer_that_never_was_there() {
    let mut rig = Rig::away(|_| {});
    rig.open(request(Text, 1)).unwrap();
    rig.open(request(Invite, 1).in_dialog("x")).unwrap();
    rig.sees(&[], &[]);
    rig.attach();
    rig.sees(&["MESSAGE 1", "[x] INVITE 1 Expire=600"], &[]);
}

#[test]
fn a_request_that_ended_while_it_waited_is_taken_out() {
    let mut rig = Rig::away(|_| {});
    rig.open(request(Text, 1)).unwrap();
    rig.seconds(4.0);
    rig.app_asks(Text, 2);
    rig.seconds(1.0);
    rig.sees(&[], &["408 1"]);
    rig.attach();
    rig.sees(&["MESSAGE 2"], &[]);
}

#[test]
fn an_invite_that_never_left_is_no_longer_sent_nor_cancelled() {
    let mut rig = Rig::away(|_| {});
    rig.open(request(Invite, 1)).unwrap();
    rig.seconds(60.0);
    rig.sees(&[], &["408 1", "END"]);
    rig.is_over();
    rig.attach();
    rig.sees(&[], &[]);
}

#[test]
fn a_cancel_waits_behind_its_invite() {
    let mut rig = Rig::away(|_| {});
    rig.open(request(Invite, 1)).unwrap();
    rig.app_asks(Cancel, 2);
    rig.seconds(30.0);
    rig.attach();
    rig.sees(&["INVITE 1 Expire=600", "CANCEL 2 of 1"], &[]);
    rig.replies(200, 2);
    rig.replies(487, 1);
    rig.sees(&["ACK * of 1"], &["487 1", "END"]);

    let mut rig = Rig::away(|_| {});
    rig.open(request(Invite, 1)).unwrap();
    rig.app_asks(Cancel, 2);
    rig.seconds(60.0);
    rig.sees(&[], &["408 1", "END"]);
    rig.attach();
    rig.sees(&[], &[]);
}

#[test]
fn a_lost_cancel_goes_again_behind_its_invite() {
    let mut rig = recording(session("Cancelling", Side::Application));
    rig.detach(Lost);
    rig.seconds(30.0);
    comes_back(&mut rig, &["INVITE 1 Expire=600", "CANCEL 26 of 1"]);
}

#[test]
fn a_superseded_provisional_response_is_taken_out() {
    let mut rig = recording(Rig::new());
    rig.asks(Invite, 1);
    rig.peer(request(Text, 2).in_dialog("x"));
    rig.heard();
    rig.detach(Lost);
    rig.app_replies(180, 1);
    rig.app(response(182, 2).in_dialog("x")).unwrap();
    rig.app_replies(183, 1);
    rig.app(response(200, 2).in_dialog("x")).unwrap();
    assert_eq!(rig.stack.counts().queued, 2);
    rig.heard();
    comes_back(&mut rig, &["183 1", "[x] 200 2"]);
    rig.detach(Lost);
    rig.app_replies(181, 1);
    rig.app_replies(200, 1);
    comes_back(&mut rig, &["200 1"]);
}

#[test]
fn a_full_queue_refuses_new_requests_alone() {
    let mut rig = Rig::with(|config| config.qsize = 2);
    rig.pings = Pings::Record;
    enter(&mut rig, "Confirmed", Side::Application);
    rig.peer(request(Invite, 1).in_dialog("in"));
    rig.open(request(Invite, 1).in_dialog("out")).unwrap();
    rig.app(request(Invite, 5)).unwrap();
    rig.replies(200, 5);
    rig.pong(rig.stack.counters().frames_sent);
    rig.heard();
    rig.detach(Lost);
    rig.open(request(Text, 1).in_dialog("x")).unwrap();
    rig.open(request(Text, 1).in_dialog("y")).unwrap();
    rig.hears(&[]);
    // New requests: in a new dialog, in a call, an INVITE.
    rig.open(request(Text, 1).in_dialog("z")).unwrap();
    rig.open(request(Invite, 1).in_dialog("u")).unwrap();
    rig.app_asks(Info, 80);
    rig.hears(&["[z] 503 1", "[z] END", "[u] 503 1", "[u] END", "503 80"]);
    assert_eq!(rig.stack.counters().refused_room, 3);
    // Answers, ACK, CANCEL and BYE have room.
    rig.app(response(200, 1).in_dialog("in")).unwrap();
    rig.app_asks(Ack, 81);
    rig.app(request(Cancel, 2).in_dialog("out")).unwrap();
    assert_eq!(rig.stack.counts().queued, 5);
    // The BYE takes the ACK's place.
    rig.app_asks(Bye, 82);
    assert_eq!(rig.stack.counts().queued, 5);
    comes_back(&mut rig, &["[x] MESSAGE 1", "[y] MESSAGE 1", "[in] 200 1", "[out] CANCEL 2 of 1", "BYE 82"]);
    assert_eq!(rig.stack.counts().queued, 0);
}

#[test]
fn an_ack_of_an_ended_call_is_taken_out() {
    let mut rig = recording(session("Answered", Side::Application));
    rig.pong(1);
    rig.detach(Lost);
    rig.app_asks(Ack, 80);
    rig.app_asks(Bye, 81);
    comes_back(&mut rig, &["BYE 81"]);
}

#[test]
fn room_is_given_back() {
    let mut rig = Rig::away(|config| config.qsize = 1);
    rig.open(request(Text, 1)).unwrap();
    rig.app_asks(Text, 2);
    rig.sees(&[], &["503 2"]);
    rig.seconds(5.0);
    rig.sees(&[], &["408 1", "END"]);
    rig.open(request(Text, 3)).unwrap();
    rig.attach();
    rig.detach(Lost);
    rig.sees(&["MESSAGE 3"], &[]);
    rig.app_asks(Text, 4);
    rig.sees(&[], &[]);
}

#[test]
fn a_call_outlives_its_socket() {
    for close in [Lost, Clean] {
        let mut rig = session("Confirmed", Side::Peer);
        rig.detach(close);
        rig.seconds(100.0);
        rig.app_asks(Info, 80);
        rig.seconds(1.0);
        rig.attach();
        rig.replies(200, 80);
        rig.asks(Update, 70);
        rig.asks(Bye, 71);
        rig.sees(&["INFO 80", "200 70", "200 71"], &["200 80", "BYE 71", "END"]);
    }
}

#[test]
fn timers_run_while_the_peer_is_away() {
    let mut rig = session("Early", Side::Peer);
    rig.detach(Lost);
    rig.seconds(60.0);
    rig.sees(&[], &["CANCEL * of 1"]);
    rig.attach();
    rig.sees(&["408 1"], &[]);
}

#[test]
fn after_a_lost_socket_its_answers_linger_on() {
    let mut rig = recording(Rig::new());
    rig.asks(Text, 1);
    rig.app_replies(200, 1);
    rig.heard();
    rig.detach(Lost);
    comes_back(&mut rig, &[]);
    // A pong on the new socket says nothing of the old one.
    rig.open(request(Text, 5).in_dialog("x")).unwrap();
    rig.pong(1);
    rig.wire();
    rig.asks(Text, 1);
    rig.sees(&["200 1"], &[]);
    // Written again, it is a frame of the new socket.
    rig.pong(2);
    assert_eq!(rig.stack.counts().lingering, 0);
}

#[test]
fn after_a_clean_close_nothing_lingers() {
    let mut rig = recording(Rig::new());
    rig.asks(Text, 1);
    rig.asks(Text, 2);
    rig.app_replies(200, 1);
    rig.detach(Clean);
    assert_eq!(rig.stack.counts().lingering, 0);
    // What was not written does.
    rig.app_replies(200, 2);
    assert_eq!(rig.stack.counts().lingering, 1);
    rig.attach();
    rig.asks(Text, 2);
    assert_eq!(rig.wire(), ["200 1", "200 2", "200 2"]);
}

#[test]
fn a_detach_without_socket_changes_nothing() {
    let mut rig = recording(Rig::new());
    rig.open(request(Text, 1)).unwrap();
    rig.detach(Lost);
    rig.detach(Clean);
    comes_back(&mut rig, &["MESSAGE 1"]);
}

#[test]
fn a_next_hop_that_is_given_up() {
    for code in [503, 408] {
        let mut rig = Rig::away(|config| config.hop = true);
        rig.open(request(Text, 1)).unwrap();
        rig.open(request(Invite, 1).in_dialog("x")).unwrap();
        rig.open(request(Invite, 1).in_dialog("y")).unwrap();
        rig.app(request(Cancel, 2).in_dialog("y")).unwrap();
        rig.unreachable(code);
        let (a, b, c) = (format!("{code} 1"), format!("[x] {code} 1"), format!("[y] {code} 1"));
        rig.sees(&[], &[&a, "END", &b, "[x] END", &c, "[y] END"]);
        assert!(rig.stack.is_idle());
    }
}

#[test]
fn a_next_hop_given_up_in_a_call() {
    let mut rig = recording(Rig::with(|config| config.hop = true));
    enter(&mut rig, "Confirmed", Side::Application);
    rig.app_asks(Info, 79);
    rig.detach(Lost);
    rig.app_asks(Info, 80);
    rig.app_asks(Invite, 81);
    rig.heard();
    rig.unreachable(503);
    // What had left waits for its own time.
    rig.hears(&["503 80", "503 81"]);
    assert_eq!(rig.state(), "Confirmed");
    rig.seconds(5.0);
    rig.hears(&["408 79"]);
    let mut rig = Rig::with(|config| config.hop = true);
    enter(&mut rig, "Confirmed", Side::Application);
    rig.heard();
    rig.detach(Lost);
    rig.app_asks(Bye, 82);
    rig.unreachable(503);
    rig.hears(&["END"]);
}

/// Towards a next hop this side is the client: it repeats its unfinished requests, even if they have arrived, and its recent
/// answers, as the other side relies on it.
#[test]
fn a_new_socket_to_a_next_hop() {
    let mut rig = recording(Rig::with(|config| config.hop = true));
    rig.open(request(Text, 1)).unwrap();
    rig.pong(1);
    rig.peer(request(Text, 1).in_dialog("x"));
    rig.app(response(200, 1).in_dialog("x")).unwrap();
    rig.peer(request(Invite, 1).in_dialog("y"));
    rig.app(response(200, 1).in_dialog("y")).unwrap();
    rig.heard();
    rig.detach(Lost);
    comes_back(&mut rig, &["MESSAGE 1 Max-Forwards=70", "[x] 200 1", "[y] 200 1"]);
    rig.pong(3);
    rig.peer(request(Ack, 2).related(1).in_dialog("y"));
    rig.heard();
    rig.detach(Lost);
    comes_back(&mut rig, &["MESSAGE 1 Max-Forwards=70"]);
}

#[test]
fn settings_can_change() {
    let mut rig = Rig::new();
    let mut config = jsip::StackConfig::default();
    config.transtimer = Duration::from_secs(1);
    rig.stack.set_config(config.into());
    rig.open(request(Text, 1)).unwrap();
    rig.seconds(1.0);
    rig.sees(&["MESSAGE 1"], &["408 1", "END"]);
}

#[test]
fn early_and_repeated_timeouts_do_nothing() {
    let mut rig = session("Early", Side::Peer);
    for _ in 0..3 {
        rig.stack.handle_timeout(rig.now());
        assert_eq!(rig.stack.poll_output(), None);
    }
    rig.seconds(60.0);
    rig.sees(&["408 1"], &["CANCEL * of 1"]);
    rig.stack.handle_timeout(rig.now());
    rig.stack.handle_timeout(rig.now() - Duration::from_secs(10));
    rig.sees(&[], &[]);
}

#[test]
fn a_late_timeout_does_all_that_is_due() {
    let mut rig = Rig::new();
    rig.asks(Text, 1);
    rig.asks(Invite, 2);
    rig.heard();
    let late = rig.now() + Duration::from_secs(600);
    assert!(rig.stack.poll_timeout().is_some());
    rig.stack.handle_timeout(late);
    let mut outputs = 0;
    while rig.stack.poll_output().is_some() {
        outputs += 1;
    }
    // 408, 408, CANCEL, Close; the ACK is waited for from now on.
    assert_eq!(outputs, 4);
    assert_eq!(rig.state(), "Failed");
}
