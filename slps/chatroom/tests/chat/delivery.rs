//! What reaches a member, when, and in which order.

use std::time::Duration;

use crate::chat::Chat;
use rtcd_sdk::jsip::{Message, Method, StatusCode};

const OK: StatusCode = StatusCode::OK;
const TIMEOUT: StatusCode = StatusCode::REQUEST_TIMEOUT;
const AWAY: StatusCode = StatusCode::TEMPORARILY_NOT_AVAILABLE;

#[test]
fn all_but_the_sender_get_a_copy() {
    let mut chat = Chat::of(&["alice", "bob", "carol"]);
    chat.say("bob", "hello");
    chat.answer("alice", 0, OK);
    chat.answer("carol", 0, OK);
    insta::assert_snapshot!(chat.harness.log());
}

/// However many members a room has, a body is held and written as JSON once: the copies share its bytes.
#[test]
fn copies_share_the_body() {
    let users: Vec<String> = (0..50).map(|n| format!("user-{n}")).collect();
    let mut chat = Chat::of(&users.iter().map(String::as_str).collect::<Vec<_>>());
    let mut request = chat.request(Method::Message, "user-0");
    request.headers.set_text("Body", "hello \"all\"");
    let body = request.headers.raw("Body").unwrap().as_ptr();
    assert_eq!(chat.ask(request), 200);
    let opened = chat.harness.opened();
    assert_eq!(opened.len(), 49);
    for dialog in opened {
        assert_eq!(chat.harness.first_request(dialog).headers.raw("Body").unwrap().as_ptr(), body);
    }
}

#[test]
fn a_lone_member_talks_to_itself() {
    let mut chat = Chat::of(&["alice"]);
    chat.say("alice", "hello");
    assert!(chat.copies().is_empty());
}

#[test]
fn copies_follow_each_other_without_waiting_up_to_a_window() {
    let mut chat = Chat::of(&["alice", "bob"]);
    let texts: Vec<_> = (0..40).map(|n| n.to_string()).collect();
    for text in &texts {
        chat.say("alice", text);
    }
    assert_eq!(chat.copies_to("bob"), texts[..32]);
    for n in 0..8 {
        chat.answer("bob", n, OK);
    }
    assert_eq!(chat.copies_to("bob"), texts);
}

#[test]
fn nothing_follows_a_copy_that_is_overdue() {
    let mut chat = Chat::of(&["alice", "bob"]);
    chat.say("alice", "1");
    chat.harness.advance(Duration::from_millis(999));
    chat.say("alice", "2");
    chat.harness.advance(Duration::from_millis(1));
    chat.say("alice", "3");
    chat.say("alice", "4");
    assert_eq!(chat.copies_to("bob"), ["1", "2"]);
    chat.answer("bob", 0, OK);
    assert_eq!(chat.copies_to("bob"), ["1", "2", "3", "4"]);
}

#[test]
fn a_408_sends_it_again_at_once_in_a_new_dialog() {
    let mut chat = Chat::of(&["alice", "bob"]);
    chat.say("alice", "hello");
    for n in 0..3 {
        chat.answer("bob", n, TIMEOUT);
    }
    chat.answer("bob", 3, OK);
    insta::assert_snapshot!(chat.harness.log());
}

#[test]
fn a_480_sends_it_again_after_transtimer() {
    let mut chat = Chat::of(&["alice", "bob"]);
    chat.say("alice", "hello");
    chat.answer("bob", 0, AWAY);
    chat.harness.advance(Duration::from_millis(4999));
    chat.harness.advance(Duration::from_millis(1));
    chat.answer("bob", 1, AWAY);
    chat.harness.advance(Duration::from_secs(5));
    chat.answer("bob", 2, OK);
    chat.harness.advance(Duration::from_secs(60));
    insta::assert_snapshot!(chat.harness.log());
}

/// Bob is not there, and each time it is tried again so many seconds later.
#[track_caller]
fn bob_is_away(chat: &mut Chat, pauses: &[u64]) {
    for seconds in pauses {
        let copies = chat.copies_to("bob").len();
        chat.answer("bob", copies - 1, AWAY);
        chat.harness.advance(Duration::from_secs(*seconds) - Duration::from_millis(1));
        assert_eq!(chat.copies_to("bob").len(), copies, "{seconds} s are not over");
        chat.harness.advance(Duration::from_millis(1));
        assert_eq!(chat.copies_to("bob").len(), copies + 1, "{seconds} s are over");
    }
}

#[test]
fn the_pause_doubles_until_the_member_answers() {
    let mut chat = Chat::with_settings("max_pause: 15s");
    chat.join("alice");
    chat.join("bob");
    chat.say("alice", "1");
    bob_is_away(&mut chat, &[5; 12]);
    bob_is_away(&mut chat, &[10, 15, 15]);
    chat.answer("bob", 15, OK);
    chat.say("alice", "2");
    bob_is_away(&mut chat, &[5; 12]);
    bob_is_away(&mut chat, &[10]);
    // No answer is none.
    chat.answer("bob", 29, TIMEOUT);
    bob_is_away(&mut chat, &[15]);
    // A bound below transtimer is none.
    let mut chat = Chat::with_settings("max_pause: 1s");
    chat.join("alice");
    chat.join("bob");
    chat.say("alice", "1");
    bob_is_away(&mut chat, &[5; 14]);
}

#[test]
fn who_joins_again_is_told_at_once_and_pauses_are_short_again() {
    let mut chat = Chat::of(&["alice", "bob"]);
    chat.say("alice", "1");
    bob_is_away(&mut chat, &[5; 12]);
    bob_is_away(&mut chat, &[10, 20]);
    chat.answer("bob", 14, AWAY);
    chat.harness.take_log();
    chat.join("bob");
    assert_eq!(chat.copies_to("bob").len(), 15, "the answer comes first");
    chat.harness.advance(Duration::from_millis(200));
    assert_eq!(chat.copies_to("bob").len(), 16);
    // The end of the pause that was cut ends none of these.
    bob_is_away(&mut chat, &[5; 12]);
    bob_is_away(&mut chat, &[10]);
    chat.answer("bob", 28, OK);
    // A pause that is about to end does not become longer.
    chat.say("alice", "2");
    chat.answer("bob", 29, AWAY);
    chat.harness.advance(Duration::from_millis(4900));
    chat.join("bob");
    chat.harness.advance(Duration::from_millis(100));
    assert_eq!(chat.copies_to("bob").len(), 31);
}

#[test]
fn transtimer_can_be_set() {
    let mut chat = Chat::with_settings("transtimer: 500ms");
    chat.join("alice");
    chat.join("bob");
    chat.say("alice", "hello");
    chat.answer("bob", 0, AWAY);
    chat.harness.advance(Duration::from_millis(500));
    assert_eq!(chat.copies_to("bob").len(), 2);
}

#[test]
fn any_other_answer_ends_it() {
    for code in [200, 202, 302, 404, 481, 486, 500, 503, 603] {
        let mut chat = Chat::of(&["alice", "bob"]);
        chat.say("alice", "hello");
        let code = StatusCode::new(code).unwrap_or(OK);
        chat.answer("bob", 0, code);
        chat.harness.advance(Duration::from_secs(60));
        assert_eq!(chat.copies_to("bob").len(), 1, "{code}");
    }
}

#[test]
fn a_provisional_answer_ends_nothing() {
    let mut chat = Chat::of(&["alice", "bob"]);
    chat.say("alice", "hello");
    let copy = chat.copy("bob", 0);
    chat.harness.answer(copy, Method::Message, StatusCode::TRYING);
    chat.harness.answer(copy, Method::Message, TIMEOUT);
    assert_eq!(chat.copies_to("bob").len(), 2);
}

#[test]
fn a_dialog_that_ends_without_an_answer_counts_as_480() {
    let mut chat = Chat::of(&["alice", "bob"]);
    chat.say("alice", "hello");
    let copy = chat.copy("bob", 0);
    chat.harness.ended(copy);
    assert_eq!(chat.copies_to("bob").len(), 1);
    chat.harness.advance(Duration::from_secs(5));
    assert_eq!(chat.copies_to("bob").len(), 2);
}

#[test]
fn it_is_tried_only_as_long_as_one_is_a_member() {
    for leaves in [true, false] {
        let mut chat = Chat::new();
        chat.join("alice");
        let join = chat.subscribe("bob", 12);
        assert_eq!(chat.ask(join), 200);
        chat.say("alice", "hello");
        chat.answer("bob", 0, AWAY);
        chat.harness.advance(Duration::from_secs(5));
        chat.harness.advance(Duration::from_secs(5));
        if leaves {
            chat.leave("bob");
        } else {
            chat.harness.advance(Duration::from_secs(2));
        }
        chat.answer("bob", 1, TIMEOUT);
        chat.harness.advance(Duration::from_secs(60));
        assert_eq!(chat.copies_to("bob").len(), 2, "{}", chat.harness.log());
        // Who comes back gets what is said from then on.
        chat.join("bob");
        chat.say("alice", "again");
        assert_eq!(chat.copies_to("bob"), ["hello", "hello", "again"]);
    }
}

#[test]
fn nothing_overtakes_what_is_tried_again() {
    for (code, pause) in [(TIMEOUT, 0), (AWAY, 5)] {
        let mut chat = Chat::of(&["alice", "bob"]);
        let pass = |chat: &mut Chat| chat.harness.advance(Duration::from_secs(pause));
        chat.say("alice", "1");
        chat.say("alice", "2");
        chat.say("alice", "3");
        chat.answer("bob", 0, code);
        pass(&mut chat);
        assert_eq!(chat.copies_to("bob"), ["1", "2", "3", "1"]);
        // The others fail as well: they wait for the first. So does what is new.
        chat.answer("bob", 1, code);
        chat.answer("bob", 2, code);
        chat.say("alice", "4");
        pass(&mut chat);
        assert_eq!(chat.copies_to("bob").len(), 4);
        // It fails again: alone, as before.
        chat.answer("bob", 3, code);
        pass(&mut chat);
        assert_eq!(chat.copies_to("bob")[4..], ["1"]);
        // It arrives: the others that failed follow, one by one, and then what is new, without waiting.
        chat.say("alice", "5");
        chat.answer("bob", 4, OK);
        assert_eq!(chat.copies_to("bob")[5..], ["2"]);
        chat.answer("bob", 5, OK);
        assert_eq!(chat.copies_to("bob")[6..], ["3"]);
        chat.answer("bob", 6, OK);
        assert_eq!(chat.copies_to("bob")[7..], ["4", "5"]);
    }
}

#[test]
fn a_repeat_waits_for_what_is_older() {
    let mut chat = Chat::of(&["alice", "bob"]);
    chat.say("alice", "1");
    chat.say("alice", "2");
    chat.answer("bob", 1, TIMEOUT);
    assert_eq!(chat.copies_to("bob"), ["1", "2"]);
    chat.answer("bob", 0, TIMEOUT);
    assert_eq!(chat.copies_to("bob"), ["1", "2", "1"]);
    chat.answer("bob", 2, OK);
    assert_eq!(chat.copies_to("bob"), ["1", "2", "1", "2"]);
}

#[test]
fn one_that_is_away_holds_up_nobody_else() {
    let mut chat = Chat::of(&["alice", "bob", "carol"]);
    chat.say("alice", "1");
    chat.answer("bob", 0, AWAY);
    chat.answer("carol", 0, OK);
    chat.say("alice", "2");
    assert_eq!(chat.copies_to("bob"), ["1"]);
    assert_eq!(chat.copies_to("carol"), ["1", "2"]);
}

#[test]
fn of_too_many_the_oldest_that_waits_is_dropped() {
    let mut chat = Chat::with_settings("qsize: 3");
    chat.join("alice");
    chat.join("bob");
    chat.say("alice", "1");
    chat.answer("bob", 0, AWAY);
    for text in ["2", "3", "4", "5"] {
        chat.say("alice", text);
    }
    chat.harness.advance(Duration::from_secs(5));
    chat.answer("bob", 1, OK);
    assert_eq!(chat.copies_to("bob"), ["1", "3", "4", "5"]);
    // What is under way counts, but is not dropped.
    chat.say("alice", "6");
    chat.say("alice", "7");
    assert_eq!(chat.copies_to("bob"), ["1", "3", "4", "5", "6"]);
}

#[test]
fn of_too_many_bytes_too() {
    let mut chat = Chat::with_settings("qsize_bytes: 5000");
    chat.join("alice");
    chat.join("bob");
    let say = |chat: &mut Chat, text: &str, size: usize| {
        let mut message = chat.request(Method::Message, "alice");
        message.headers.set_text("Body", text).set_text("X-Large", &"x".repeat(size));
        assert_eq!(chat.ask(message), 200);
    };
    say(&mut chat, "1", 2000);
    chat.answer("bob", 0, AWAY);
    for text in ["2", "3", "4", "5"] {
        say(&mut chat, text, 2000);
    }
    chat.harness.advance(Duration::from_secs(5));
    assert_eq!(chat.copies_to("bob"), ["1", "4"]);
    chat.answer("bob", 1, OK);
    assert_eq!(chat.copies_to("bob"), ["1", "4", "5"]);
    // One is always taken, and what was sent holds no room.
    for text in ["6", "7", "8"] {
        say(&mut chat, text, 6000);
    }
    assert_eq!(chat.copies_to("bob"), ["1", "4", "5", "6", "7", "8"]);
}

#[test]
fn a_message_whose_sender_is_lost_is_handed_out_all_the_same() {
    for keep in ["false", "true"] {
        let mut chat = Chat::with_settings(&format!("history: {{keep: {keep}}}"));
        chat.join("alice");
        chat.join("bob");
        chat.harness.hold();
        let message = chat.request(Method::Message, "alice");
        chat.harness.dial(message);
        chat.harness.step();
        chat.harness.limit_mailboxes(0); // no room for the word that the sender has its answer
        chat.harness.release();
        assert!(chat.harness.log().contains("200 OK") && chat.copies().is_empty());
        chat.harness.advance(Duration::from_millis(200));
        assert_eq!(chat.copies_to("bob").len(), 1);
    }
}

#[test]
fn a_large_room_is_served_in_turns_and_others_come_between() {
    let users: Vec<_> = (0..600).map(|n| format!("user-{n:03}")).collect();
    let users: Vec<_> = users.iter().map(String::as_str).collect();
    let mut chat = Chat::of(&users);
    chat.harness.hold();
    for (user, text) in [("user-000", "1"), ("user-300", "2")] {
        let mut message = chat.request(Method::Message, user);
        message.headers.set_text("Body", text);
        chat.harness.dial(message);
    }
    let join = chat.subscribe("late", 60);
    chat.harness.dial(join);
    chat.harness.release();

    let log = chat.harness.take_log();
    let lines: Vec<_> = log.lines().filter(|line| line.starts_with('<')).collect();
    let answers: Vec<_> = (0..lines.len()).filter(|at| lines[*at].starts_with("< ")).collect();
    assert!(answers.iter().all(|at| *at <= 256 + 2), "others wait for the whole room: {answers:?}");
    assert_eq!(lines.len(), 3 + 2 * 599);
    // Each member's in order; the sender of one gets the other; who came later gets none.
    for user in &users {
        let expected: &[&str] = match *user {
            "user-000" => &["2"],
            "user-300" => &["1"],
            _ => &["1", "2"],
        };
        assert_eq!(chat.copies_to(user), expected, "{user}");
    }
    assert!(chat.copies_to("late").is_empty());
}

#[test]
fn a_member_that_leaves_while_a_message_is_handed_out_gets_nothing_more() {
    let users: Vec<_> = (0..300).map(|n| format!("user-{n:03}")).collect();
    let users: Vec<_> = users.iter().map(String::as_str).collect();
    let mut chat = Chat::of(&users);
    chat.harness.hold();
    let message = chat.request(Method::Message, "user-000");
    chat.harness.dial(message);
    let leave = chat.subscribe("user-299", 0);
    chat.harness.dial(leave);
    chat.harness.release();
    assert!(chat.copies_to("user-299").is_empty());
    assert_eq!(chat.copies_to("user-298").len(), 1);
}

#[test]
fn a_room_that_cannot_keep_up_refuses() {
    let mut chat = Chat::with_settings("qsize: 2");
    for n in 0..1000 {
        chat.join(&format!("user-{n}"));
    }
    chat.harness.hold();
    let dialogs: Vec<_> = (0..6)
        .map(|_| {
            let message = chat.request(Method::Message, "user-0");
            chat.harness.dial(message)
        })
        .collect();
    chat.harness.release();
    let codes = dialogs.iter().map(|dialog| match chat.harness.sent(*dialog) {
        [Message::Response(response)] => response.code.as_u16(),
        other => unreachable!("one answer, not {other:?}"),
    });
    let codes: Vec<_> = codes.collect();
    assert!(codes.contains(&503) && codes[..2] == [200, 200], "{codes:?}");
}
