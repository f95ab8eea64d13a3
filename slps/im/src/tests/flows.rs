//! What the sender is answered, and what the receiver's devices get.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rtcd_sdk::jsip::StatusCode;
use rtcd_sdk::serde_json::json;
use rtcd_sdk::{NoAnswer, Peer};
use rtcd_store::{State, Store};

use super::office::{ALICE, AWAY, BOB, BUSY, CAROL, NO, OK, Office, Said, TIMEOUT, desk, kept, phone};
use crate::mail::Refusal;

#[test]
fn delivered() {
    let mut office = Office::new();
    for peer in [phone(ALICE), desk(ALICE), phone(BOB), desk(BOB)] {
        office.registers(&peer);
    }
    let mut message = office.message(&phone(ALICE), BOB, "hello");
    message.headers.set_text("X-Mood", "good").set_text("Content-Type", "text");
    message.router = Some("mallory@test.com".into());
    let said = office.send(&phone(ALICE), message);
    assert_eq!(office.code(said), None);
    office.takes(&phone(BOB), 0, OK);
    office.takes(&desk(BOB), 0, OK);
    office.takes(&desk(ALICE), 0, OK);
    office.all_done(&[said]);
    insta::assert_snapshot!(office.log());
    let history = office.history(ALICE, BOB);
    assert_eq!((&*history[0].id, history[0].state), ("hello", State::Delivered));
    assert_eq!(office.stored_for(BOB), 0);
}

#[test]
fn nobody_is_there_it_is_stored_and_comes_later() {
    let mut office = Office::new();
    office.registers(&phone(ALICE));
    office.registers(&desk(ALICE));
    let said = office.say(&phone(ALICE), BOB, "hello");
    assert_eq!(office.code(said), Some(202));
    office.all_done(&[said]);
    office.passes(Duration::from_secs(3600));
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 0, OK);
    insta::assert_snapshot!(office.log());
    assert_eq!(office.history(ALICE, BOB)[0].state, State::Delivered);
}

#[test]
fn all_devices_fail() {
    let mut office = Office::new();
    office.registers(&phone(BOB));
    office.registers(&desk(BOB));
    let said = office.say(&phone(ALICE), BOB, "hello");
    office.takes(&phone(BOB), 0, AWAY);
    assert_eq!(office.code(said), None);
    office.takes(&desk(BOB), 0, StatusCode::BAD_REQUEST);
    assert_eq!(office.code(said), Some(202));
    office.all_done(&[said]);
    // The one that answered is there: it is asked once more, and does not want it.
    assert_eq!(office.copies(&desk(BOB)).len(), 1);
    office.passes(Duration::from_secs(5));
    office.takes(&desk(BOB), 1, StatusCode::BAD_REQUEST);
    insta::assert_snapshot!(office.log());
    assert_eq!(office.stored_for(BOB), 1);
    let left: Vec<_> = office.contacts().lookup(BOB).into_iter().map(|contact| contact.peer).collect();
    assert_eq!(left, [desk(BOB)]);
}

#[test]
fn patience_is_over_and_the_answer_comes_late() {
    let mut office = Office::new();
    office.registers(&phone(ALICE));
    office.registers(&phone(BOB));
    let said = office.say(&phone(ALICE), BOB, "1");
    office.passes(Duration::from_millis(1999));
    assert_eq!(office.code(said), None);
    office.passes(Duration::from_millis(1));
    assert_eq!(office.code(said), Some(202));
    let next = office.say(&phone(ALICE), BOB, "2");
    assert_eq!(office.code(next), Some(202));
    assert_eq!(office.texts(&phone(BOB)), ["1"]);
    // That it answers shows that it is there: what is stored behind follows, and not this again.
    office.takes(&phone(BOB), 0, OK);
    office.takes(&phone(BOB), 1, OK);
    office.all_done(&[said, next]);
    insta::assert_snapshot!(office.log());
    assert_eq!(office.stored_for(BOB), 0);
    assert_eq!(office.texts(&phone(BOB)), ["1", "2"]);
}

#[test]
fn an_answer_that_comes_while_it_is_being_stored() {
    let mut office = Office::new();
    office.registers(&phone(BOB));
    let said = office.say(&phone(ALICE), BOB, "1");
    office.database().set_slow(true);
    office.passes(Duration::from_secs(2));
    assert_eq!(office.code(said), None);
    office.takes(&phone(BOB), 0, OK);
    assert_eq!(office.code(said), Some(200));
    office.database().set_slow(false);
    office.goes_on();
    assert_eq!(office.stored_for(BOB), 0);
    let next = office.say(&phone(ALICE), BOB, "2");
    office.takes(&phone(BOB), 1, OK);
    assert_eq!(office.code(next), Some(200));
    assert_eq!(office.texts(&phone(BOB)), ["1", "2"]);
    office.all_done(&[said, next]);
}

#[test]
fn receipts() {
    let mut office = Office::new();
    let said = office.say(&phone(ALICE), BOB, "1");
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 0, OK);
    // Alice is away: she hears of the delivery when she comes, and then that Bob has read it.
    let mut read = office.message(&phone(BOB), ALICE, "r");
    read.headers.set_text("Content-Type", "receipt");
    let _ = read.headers.set_json("Body", &json!({"read": ["1"]}));
    let read = office.send(&phone(BOB), read);
    assert_eq!(office.code(read), Some(202));
    office.registers(&desk(ALICE));
    office.takes(&desk(ALICE), 0, OK);
    office.takes(&desk(ALICE), 1, OK);
    office.all_done(&[said, read]);
    insta::assert_snapshot!(office.log());
    assert_eq!(office.history(ALICE, BOB).len(), 1);
    assert_eq!(office.history(ALICE, BOB)[0].state, State::Read);
    // No receipt for a receipt.
    assert_eq!((office.stored_for(ALICE), office.stored_for(BOB)), (0, 0));
}

/// It would wait for ever, and count among what waits of its sender.
#[test]
fn a_receipt_that_nobody_wants_is_done_with() {
    let mut office = Office::new();
    let said = office.say(&phone(ALICE), BOB, "1");
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 0, OK);
    assert_eq!(office.stored_for(ALICE), 1);
    office.registers(&desk(ALICE));
    office.takes(&desk(ALICE), 0, NO);
    office.goes_on();
    assert_eq!(office.stored_for(ALICE), 0);
    office.all_done(&[said]);
}

#[test]
fn what_is_too_long_to_be_passed_on_is_refused_at_once() {
    let mut office = Office::new();
    let mut said = Vec::new();
    for (size, code) in [(63 * 1024, 202), (63 * 1024 + 1, 513)] {
        let mut message = office.message(&phone(ALICE), BOB, "1");
        let _ = message.headers.set_text("Body", "");
        let rest = size - message.encode().len();
        message.headers.set_text("Body", &"x".repeat(rest));
        said.push(office.send(&phone(ALICE), message));
        assert_eq!(office.code(said[said.len() - 1]), Some(code));
    }
    assert_eq!(office.stored_for(BOB), 1);
    office.all_done(&said);
}

/// That a message was delivered is said again until the store takes it, or a device is there.
#[test]
fn receipts_outlast_a_full_disk() {
    for comes_meanwhile in [false, true] {
        let mut office = Office::new();
        let said = office.say(&phone(ALICE), BOB, "1");
        office.registers(&phone(BOB));
        office.database().set_full(true);
        office.takes(&phone(BOB), 0, OK);
        office.gone(&phone(BOB));
        office.passes(Duration::from_secs(60));
        if comes_meanwhile {
            office.registers(&phone(ALICE));
            office.passes(Duration::from_secs(5));
            office.takes(&phone(ALICE), 0, OK);
        }
        office.database().set_full(false);
        office.passes(Duration::from_secs(5));
        assert_eq!((office.stored_for(BOB), office.stored_for(ALICE)), (0, u64::from(!comes_meanwhile)));
        if !comes_meanwhile {
            office.registers(&phone(ALICE));
            office.takes(&phone(ALICE), 0, OK);
        }
        office.passes(Duration::from_secs(60));
        let copies = office.copies(&phone(ALICE));
        assert_eq!(copies.len(), 1, "{}", office.log());
        assert_eq!(office.copy(copies[0]).headers.raw("Body"), Some(r#"{"delivered":["1"]}"#));
        office.all_done(&[said]);
    }
}

/// But not of any number of them.
#[test]
fn receipts_of_so_many_outlast_a_full_disk() {
    let mut office = Office::with_settings("max_stored: 20000");
    let said: Vec<_> = (0..1100).map(|n| office.say(&phone(ALICE), BOB, &n.to_string())).collect();
    office.registers(&phone(BOB));
    office.database().set_full(true);
    while let Some(copy) = office.unanswered(&phone(BOB)) {
        office.answers(copy, OK);
    }
    office.database().set_full(false);
    office.passes(Duration::from_secs(5));
    let store = Store::over(office.database());
    let receipts = office.block_on(async { store.pending(ALICE, 0, 1000).await }).unwrap();
    let ids: usize = receipts.iter().map(|receipt| receipt.body.matches(',').count() + 1).sum();
    assert_eq!((receipts.len(), ids, office.stored_for(BOB)), (10, 1000, 0));
    office.all_done(&said);
}

#[test]
fn what_is_refused() {
    let mut office = Office::new();
    office.registers(&phone(BOB));
    let good = |office: &Office| office.message(&phone(ALICE), BOB, "x");
    let mut of_another = good(&office);
    of_another.from = "carol@test.com".into();
    let mut to_nobody = good(&office);
    to_nobody.to = " ".into();
    let mut other = good(&office);
    other.method = rtcd_sdk::jsip::Method::Options;
    let mut sent = vec![of_another, to_nobody, other];
    for id in [json!(""), json!(7), json!("x".repeat(65))] {
        let mut message = good(&office);
        let _ = message.headers.set_json("Message-ID", &id);
        sent.push(message);
    }
    for body in [json!({"delivered": ["1"]}), json!({"read": []}), json!({"read": [""]}), json!("read")] {
        let mut message = good(&office);
        message.headers.set_text("Content-Type", "receipt");
        let _ = message.headers.set_json("Body", &body);
        sent.push(message);
    }
    let said: Vec<_> = sent.into_iter().map(|message| office.send(&phone(ALICE), message)).collect();
    office.all_done(&said);
    insta::assert_snapshot!(office.log());
}

#[test]
fn from_may_have_parameters_and_a_message_id_is_made() {
    let mut office = Office::new();
    office.registers(&phone(BOB));
    let mut message = office.message(&phone(ALICE), "bob@test.com;device=desk", "x");
    message.from = "alice@test.com;device=phone".into();
    message.headers.remove("Message-ID");
    let said = office.send(&phone(ALICE), message);
    office.takes(&phone(BOB), 0, OK);
    office.all_done(&[said]);
    insta::assert_snapshot!(office.log());
}

#[test]
fn without_a_store_what_needs_it_is_503_and_the_rest_goes_on() {
    let mut office = Office::new();
    office.registers(&phone(BOB));
    office.database().set_dead(true);
    let stored = office.say(&phone(ALICE), "carol@test.com", "1");
    let live = office.say(&phone(ALICE), BOB, "2");
    office.takes(&phone(BOB), 0, OK);
    // Who comes now gets what is new.
    office.registers(&desk(BOB));
    let more = office.say(&phone(ALICE), BOB, "3");
    office.takes(&phone(BOB), 1, OK);
    let failed = office.say(&phone(ALICE), BOB, "4");
    office.takes(&phone(BOB), 2, AWAY);
    office.takes(&desk(BOB), 1, AWAY);
    office.database().set_dead(false);
    let again = office.say(&phone(ALICE), "carol@test.com", "1");
    let said = [stored, live, more, failed, again];
    let codes: Vec<_> = said.iter().map(|said| office.code(*said)).collect();
    assert_eq!(codes, [503, 200, 200, 503, 202].map(Some), "{}", office.log());
    office.all_done(&said);
    insta::assert_snapshot!(office.log());
}

#[test]
fn a_full_disk_refuses_and_takes_again() {
    let mut office = Office::new();
    office.database().set_full(true);
    let first = office.say(&phone(ALICE), BOB, "1");
    assert_eq!(office.code(first), Some(503));
    office.registers(&phone(BOB));
    let live = office.say(&phone(ALICE), BOB, "2");
    office.takes(&phone(BOB), 0, OK);
    assert_eq!(office.code(live), Some(200));
    office.gone(&phone(BOB));
    office.database().set_full(false);
    let last = office.say(&phone(ALICE), BOB, "1");
    assert_eq!(office.code(last), Some(202));
    office.all_done(&[first, live, last]);
}

#[test]
fn a_store_that_does_not_answer_holds_up_no_device() {
    let mut office = Office::new();
    office.database().set_slow(true);
    office.registers(&phone(BOB));
    let said = office.say(&phone(ALICE), BOB, "1");
    assert!(office.copies(&phone(BOB)).is_empty());
    office.passes(Duration::from_secs(2));
    office.takes(&phone(BOB), 0, OK);
    let next = office.say(&phone(ALICE), BOB, "2");
    office.takes(&phone(BOB), 1, OK);
    assert_eq!([office.code(said), office.code(next)], [Some(200); 2]);
    office.all_done(&[said, next]);
}

/// A question to the store that panics is one without an answer.
#[test]
fn a_store_that_breaks() {
    let mut office = Office::new();
    let mut said = vec![office.say(&phone(ALICE), BOB, "1")];
    office.database().set_broken(true);
    office.registers(&phone(BOB));
    office.database().set_broken(false);
    office.passes(Duration::from_secs(5));
    office.takes(&phone(BOB), 0, AWAY);
    // The same, but not at once: when it is read, when something is marked, when it is counted, when something is stored.
    for n in 0..4 {
        office.database().set_slow(true);
        match n {
            0 => office.registers(&desk(BOB)),
            1 => office.takes(&desk(BOB), 0, OK),
            _ => said.push(office.say(&phone(ALICE), CAROL, &format!("{n}"))),
        }
        office.database().set_broken(true);
        office.database().set_slow(false);
        assert!(catch_unwind(AssertUnwindSafe(|| office.goes_on())).is_err());
        office.database().set_broken(false);
        office.goes_on();
        office.passes(Duration::from_secs(5));
    }
    assert_eq!([office.code(said[1]), office.code(said[2])], [Some(202), Some(503)]);
    said.push(office.say(&phone(ALICE), BOB, "4"));
    office.takes(&desk(BOB), 1, OK);
    assert_eq!((office.code(said[3]), office.texts(&desk(BOB)).join(" ")), (Some(200), "1 4".into()));
    assert_eq!(office.stored_for(BOB), 0);
    office.all_done(&said);
}

#[test]
fn a_store_that_does_not_answer_holds_up_no_sender() {
    let mut office = Office::new();
    office.database().set_slow(true);
    let mut said = vec![office.say(&phone(ALICE), BOB, "1"), office.say(&phone(ALICE), BOB, "2")];
    office.passes(Duration::from_millis(3999));
    assert_eq!([office.code(said[0]), office.code(said[1])], [None; 2]);
    office.passes(Duration::from_millis(1));
    assert_eq!([office.code(said[0]), office.code(said[1])], [Some(503); 2]);
    office.database().set_slow(false);
    office.goes_on();
    // They were stored all the same, and are there once when they are sent again.
    said.push(office.say(&phone(ALICE), BOB, "1"));
    said.push(office.say(&phone(ALICE), BOB, "2"));
    assert_eq!([office.code(said[2]), office.code(said[3])], [Some(202); 2]);
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 0, OK);
    office.takes(&phone(BOB), 1, OK);
    assert_eq!(office.texts(&phone(BOB)), ["1", "2"]);
    office.all_done(&said);
}

/// Whose turn comes when its time is over is stored.
#[test]
fn a_slow_device_holds_up_no_sender() {
    let mut office = Office::new();
    office.registers(&phone(BOB));
    let mut said: Vec<_> = (0..20).map(|n| office.say(&phone(ALICE), BOB, &n.to_string())).collect();
    for n in 0..6 {
        office.passes(Duration::from_millis(300));
        office.takes(&phone(BOB), n, OK);
    }
    office.passes(Duration::from_millis(200));
    let codes: Vec<_> = said.iter().map(|said| office.code(*said)).collect();
    assert_eq!(codes, [vec![Some(200); 6], vec![Some(202); 14]].concat());
    said.push(office.say(&phone(ALICE), BOB, "20"));
    for n in 6..21 {
        office.takes(&phone(BOB), n, OK);
    }
    let expected: Vec<_> = (0..21).map(|n| n.to_string()).collect();
    assert_eq!(office.texts(&phone(BOB)), expected);
    office.all_done(&said);
}

#[test]
fn a_full_mailbox() {
    let mut office = Office::with_settings("max_stored: 20");
    let sender = |n: usize| phone(&format!("user-{}@test.com", n / 2));
    let mut said: Vec<_> = (0..20).map(|n| office.say(&sender(n), BOB, &n.to_string())).collect();
    assert!(said.iter().all(|said| office.code(*said) == Some(202)));
    said.push(office.say(&phone(ALICE), BOB, "20"));
    assert_eq!(reason(&office, said[20]), "503 Mailbox full");
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 0, OK);
    office.gone(&phone(BOB));
    office.takes(&phone(BOB), 1, TIMEOUT);
    said.push(office.say(&phone(ALICE), BOB, "20"));
    assert_eq!(office.code(said[21]), Some(202));
    office.all_done(&said);
}

/// What is stored is counted, not only what came since.
#[test]
fn a_sender_has_a_tenth_of_a_mailbox() {
    let mut office = Office::with_settings("max_stored: 20");
    for text in ["1", "2"] {
        drop(Store::over(office.database()).append(kept(text, ALICE, BOB)));
    }
    let say = |office: &mut Office, from: &str, text: &str| {
        let said = office.say(&phone(from), BOB, text);
        office.all_done(&[said]);
        reason(office, said)
    };
    const OVER: &str = "503 Too many of your messages wait there";
    assert_eq!(say(&mut office, ALICE, "3"), OVER);
    assert_eq!([say(&mut office, CAROL, "4"), say(&mut office, CAROL, "5")], ["202 "; 2]);
    assert_eq!(say(&mut office, CAROL, "6"), OVER);
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 0, OK);
    office.gone(&phone(BOB));
    office.takes(&phone(BOB), 1, TIMEOUT);
    assert_eq!([say(&mut office, ALICE, "7"), say(&mut office, ALICE, "8")], ["202 ", OVER]);
    assert_eq!(office.stored_for(BOB), 4);
}

/// Over all receivers, by what it takes of the store.
#[test]
fn a_sender_has_so_many_bytes_waiting() {
    let mut office = Office::with_settings("max_waiting: 100000");
    let say = |office: &mut Office, from: &str, to: &str, text: &str| {
        let mut message = office.message(&phone(from), to, text);
        message.headers.set_text("X-Large", &"x".repeat(30_000));
        let said = office.send(&phone(from), message);
        (said, reason(office, said))
    };
    const OVER: &str = "503 Too many of your messages wait";
    let mut said = Vec::new();
    for n in 0..5 {
        let (one, answer) = say(&mut office, ALICE, &format!("nobody{n}@test.com"), "1");
        assert_eq!(answer, if n < 3 { "202 " } else { OVER });
        said.push(one);
    }
    // Who has one stored may send it again, and others may send.
    for (from, to, answer) in [(ALICE, "nobody0@test.com", "202 "), (CAROL, BOB, "202 "), (ALICE, BOB, OVER)]
    {
        let (one, seen) = say(&mut office, from, to, "1");
        assert_eq!(seen, answer);
        said.push(one);
    }
    // Who is there gets them.
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 0, OK);
    let live = office.say(&phone(ALICE), BOB, "2");
    office.takes(&phone(BOB), 1, OK);
    assert_eq!(office.code(live), Some(200));
    said.push(live);
    // One has been delivered.
    office.registers(&phone("nobody1@test.com"));
    office.takes(&phone("nobody1@test.com"), 0, OK);
    let (one, answer) = say(&mut office, ALICE, "nobody4@test.com", "1");
    assert_eq!(answer, "202 ");
    said.push(one);
    office.all_done(&said);
}

/// What the server says in a user's name is stored, however much of that user waits.
#[test]
fn a_receipt_of_the_server_has_no_such_bound() {
    let mut office = Office::with_settings("max_waiting: 2000");
    let mut said = vec![office.say(&phone(ALICE), BOB, "1")];
    while said.last().is_some_and(|last| office.code(*last) == Some(202)) {
        said.push(office.say(&phone(BOB), CAROL, &said.len().to_string()));
    }
    assert!(said.len() > 2);
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 0, OK);
    assert_eq!(office.stored_for(ALICE), 1);
    office.all_done(&said);
}

/// Code and `Reason`.
fn reason(office: &Office, said: Said) -> String {
    let answer = office.answer(said).unwrap();
    format!("{} {}", answer.code.as_u16(), answer.headers.json::<String>("Reason").unwrap_or_default())
}

#[test]
fn a_full_mailbox_is_counted_anew_after_a_while() {
    let mut office = Office::with_settings("max_stored: 1");
    let mut said = vec![office.say(&phone(ALICE), BOB, "1"), office.say(&phone(ALICE), BOB, "2")];
    assert_eq!(office.code(said[1]), Some(503));
    let store = Store::over(office.database());
    // Somebody else has.
    drop(store.mark_delivered(BOB, vec![kept("1", ALICE, BOB).name()]));
    said.push(office.say(&phone(ALICE), BOB, "2"));
    assert_eq!(office.code(said[2]), Some(503));
    office.passes(Duration::from_secs(10));
    said.push(office.say(&phone(ALICE), BOB, "2"));
    assert_eq!(office.code(said[3]), Some(202));
    office.all_done(&said);
}

/// The store is being written, and fails as soon as it is read: it is not asked for ever.
#[test]
fn a_full_mailbox_that_cannot_be_counted() {
    let mut office = Office::with_settings("max_stored: 2");
    let mut said = vec![office.say(&phone(ALICE), BOB, "1")];
    office.database().set_slow(true);
    said.push(office.say(&phone(CAROL), BOB, "2"));
    office.passes(Duration::from_secs(10));
    office.database().set_unreadable(true);
    said.push(office.say(&phone("dave@test.com"), BOB, "3"));
    assert_eq!(office.code(said[2]), Some(503));
    office.database().set_unreadable(false);
    office.database().set_slow(false);
    office.goes_on();
    // It took too long to say so.
    assert_eq!((office.code(said[1]), office.stored_for(BOB)), (Some(503), 2));
    office.all_done(&said);
}

/// Who a user is says its connection.
#[test]
fn no_other_name_goes_along() {
    let mut office = Office::new();
    office.registers(&phone(BOB));
    let mut message = office.message(&phone(ALICE), BOB, "1");
    message.headers.set_text("P-Asserted-Identity", CAROL);
    let said = office.send(&phone(ALICE), message);
    office.takes(&phone(BOB), 0, TIMEOUT);
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 1, OK);
    assert_eq!(office.texts(&phone(BOB)), ["1", "1"]);
    for copy in office.copies(&phone(BOB)) {
        assert!(!office.copy(copy).headers.contains("P-Asserted-Identity"));
    }
    office.all_done(&[said]);
}

#[test]
fn a_user_who_looks_like_another_one_sends_nothing() {
    let mut office = Office::new();
    office.registers(&phone(BOB));
    let mut said = Vec::new();
    for name in [
        "alice@test.com;x=1",
        "alice@test.com ",
        " alice@test.com;x=1",
        "a@b@test.com;x=1",
        "room:1@test.com",
    ] {
        for from in [name, name.trim(), ALICE, "\talice@test.com;x=1"] {
            let mut message = office.message(&phone(ALICE), BOB, "x");
            message.from = from.into();
            said.push(office.send(&phone(name), message));
        }
    }
    // Any text is a name, if it is nobody else's.
    assert!(said.iter().all(|said| office.code(*said) == Some(403)), "{}", office.log());
    let odd = office.say(&Peer::new("a@b@test.com", None), BOB, "odd");
    office.takes(&phone(BOB), 0, OK);
    assert_eq!(office.code(odd), Some(200));
    said.push(odd);
    office.all_done(&said);
}

#[test]
fn too_much_is_503() {
    let mut office = Office::with_settings("qsize: 3");
    office.registers(&phone(BOB));
    let mut said: Vec<_> = (0..4).map(|n| office.say(&phone(ALICE), BOB, &format!("{n}"))).collect();
    assert_eq!(office.code(said[3]), Some(503));
    office.limit_mailboxes(0);
    said.push(office.say(&phone(ALICE), BOB, "x"));
    assert_eq!(office.code(said[4]), Some(503));
    for n in 0..3 {
        office.takes(&phone(BOB), n, OK);
    }
    office.all_done(&said);
}

/// Bytes are counted until nothing of a message is left, and then they are free again.
#[test]
fn too_many_bytes_are_503() {
    let mut office = Office::with_settings("qsize_bytes: 10000");
    office.registers(&phone(BOB));
    let large = |office: &mut Office, to, text: &str| {
        let mut message = office.message(&phone(ALICE), to, text);
        message.headers.set_text("X-Large", &"x".repeat(4000));
        office.send(&phone(ALICE), message)
    };
    let mut said: Vec<_> = (0..3).map(|n| large(&mut office, BOB, &n.to_string())).collect();
    assert_eq!(reason(&office, said[2]), "503 Too many messages");
    said.push(office.say(&phone(ALICE), BOB, "small"));
    office.takes(&phone(BOB), 0, OK);
    office.takes(&phone(BOB), 1, OK);
    office.takes(&phone(BOB), 2, OK);
    assert_eq!(office.code(said[3]), Some(200));
    for n in 0..10 {
        said.push(large(&mut office, CAROL, &n.to_string()));
        assert_eq!(office.code(said[4 + n]), Some(202));
    }
    office.all_done(&said);
}

#[test]
fn to_oneself() {
    let mut office = Office::new();
    office.registers(&phone(ALICE));
    office.registers(&desk(ALICE));
    let said = office.say(&phone(ALICE), ALICE, "a note");
    office.takes(&desk(ALICE), 0, OK);
    assert_eq!(office.code(said), Some(200));
    assert_eq!((office.texts(&phone(ALICE)).len(), office.texts(&desk(ALICE)).len()), (1, 1));
    office.all_done(&[said]);
}

/// As when the server stops: a client sends again what was answered 503, and nothing else.
#[test]
fn a_question_that_nobody_answers() {
    for problem in [NoAnswer::Busy, NoAnswer::Dropped] {
        assert_eq!(Refusal::from(problem).code(), BUSY);
    }
}
