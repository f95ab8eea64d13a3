//! What is stored: when it is sent, and in which order beside what is new.

use std::sync::Arc;
use std::time::Duration;

use rtcd_store::{Memory, Store};

use super::office::{ALICE, AWAY, BOB, BUSY, CAROL, OK, Office, TIMEOUT, desk, kept, phone};

#[test]
fn redelivery_keeps_the_message_id_and_all_else() {
    let mut office = Office::new();
    let mut message = office.message(&phone(ALICE), BOB, "hello");
    message.headers.set_text("Content-Type", "text").set_text("X-Mood", "good");
    let number = rtcd_sdk::serde_json::value::RawValue::from_string("1.10".to_owned()).unwrap();
    let _ = message.headers.set_raw("X-Number", &number);
    let said = office.send(&phone(ALICE), message);
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 0, TIMEOUT);
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 1, OK);
    office.all_done(&[said]);
    insta::assert_snapshot!(office.log());
}

/// One after the other, each when the one before has its answer; what is new meanwhile comes behind.
#[test]
fn in_order_and_what_is_new_behind() {
    let mut office = Office::new();
    let mut said: Vec<_> = (0..40).map(|n| office.say(&phone(ALICE), BOB, &format!("{n}"))).collect();
    office.registers(&phone(BOB));
    for n in 0..45 {
        assert_eq!(office.texts(&phone(BOB)).len(), n + 1, "one under way");
        if (20..25).contains(&n) {
            // There are more than are at hand: it is stored.
            said.push(office.say(&phone(ALICE), BOB, &format!("{}", n + 20)));
            assert_eq!(office.code(said[n + 20]), Some(202));
        }
        office.takes(&phone(BOB), n, OK);
    }
    let expected: Vec<_> = (0..45).map(|n| n.to_string()).collect();
    assert_eq!(office.texts(&phone(BOB)), expected);
    office.all_done(&said);
    assert_eq!(office.stored_for(BOB), 0);
}

/// Fewer of them are at hand, and all arrive.
#[test]
fn large_ones_in_order() {
    let mut office = Office::new();
    let sizes = [60, 60, 1, 1, 62, 1, 62, 1];
    let mut said = Vec::new();
    for (n, size) in sizes.into_iter().enumerate() {
        let mut message = office.message(&phone(ALICE), BOB, &n.to_string());
        message.headers.set_text("X-Large", &"x".repeat(size * 1024));
        said.push(office.send(&phone(ALICE), message));
    }
    office.registers(&phone(BOB));
    for n in 0..8 {
        office.takes(&phone(BOB), n, OK);
    }
    assert_eq!(office.texts(&phone(BOB)).concat(), "01234567");
    office.all_done(&said);
    assert_eq!(office.stored_for(BOB), 0);
}

#[test]
fn what_comes_with_the_last_of_it_waits_and_is_delivered() {
    let mut office = Office::new();
    let mut said = vec![office.say(&phone(ALICE), BOB, "1"), office.say(&phone(ALICE), BOB, "2")];
    office.registers(&phone(BOB));
    said.push(office.say(&phone(ALICE), BOB, "3"));
    office.takes(&phone(BOB), 0, OK);
    assert_eq!((office.code(said[2]), office.texts(&phone(BOB))), (None, vec!["1".into(), "2".into()]));
    office.takes(&phone(BOB), 1, OK);
    office.takes(&phone(BOB), 2, OK);
    assert_eq!(office.code(said[2]), Some(200));
    assert_eq!(office.texts(&phone(BOB)), ["1", "2", "3"]);
    office.all_done(&said);
}

#[test]
fn but_not_for_longer_than_its_patience() {
    let mut office = Office::new();
    let mut said = vec![office.say(&phone(ALICE), BOB, "1")];
    office.registers(&phone(BOB));
    said.push(office.say(&phone(ALICE), BOB, "2"));
    said.push(office.say(&phone(CAROL), BOB, "3"));
    office.passes(Duration::from_secs(2));
    assert_eq!([office.code(said[1]), office.code(said[2])], [Some(202); 2]);
    office.takes(&phone(BOB), 0, OK);
    office.takes(&phone(BOB), 1, OK);
    office.takes(&phone(BOB), 2, OK);
    assert_eq!(office.texts(&phone(BOB)), ["1", "2", "3"]);
    office.all_done(&said);
}

#[test]
fn after_a_failure_it_waits_for_the_next_register() {
    for code in [AWAY, TIMEOUT, BUSY] {
        let mut office = Office::new();
        let said = [office.say(&phone(ALICE), BOB, "1"), office.say(&phone(ALICE), BOB, "2")];
        office.registers(&phone(BOB));
        office.takes(&phone(BOB), 0, code);
        assert_eq!(office.texts(&phone(BOB)), ["1"], "{code}");
        office.registers(&phone(BOB));
        office.takes(&phone(BOB), 1, OK);
        office.takes(&phone(BOB), 2, OK);
        assert_eq!(office.texts(&phone(BOB)), ["1", "1", "2"], "{code}");
        office.all_done(&said);
    }
}

#[test]
fn or_for_a_while_if_the_device_stays() {
    let mut office = Office::new();
    let said = [office.say(&phone(ALICE), BOB, "1")];
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 0, TIMEOUT);
    office.passes(Duration::from_millis(4999));
    assert_eq!(office.texts(&phone(BOB)), ["1"]);
    office.passes(Duration::from_millis(1));
    assert_eq!(office.texts(&phone(BOB)), ["1", "1"]);
    // One that is gone is not asked.
    office.takes(&phone(BOB), 1, AWAY);
    office.passes(Duration::from_secs(60));
    assert_eq!(office.texts(&phone(BOB)), ["1", "1"]);
    office.all_done(&said);
}

#[test]
fn a_device_that_registers_while_another_fails_is_tried_at_once() {
    let mut office = Office::new();
    let said = [office.say(&phone(ALICE), BOB, "1")];
    office.registers(&phone(BOB));
    office.registers(&desk(BOB));
    assert!(office.texts(&desk(BOB)).is_empty());
    office.takes(&phone(BOB), 0, AWAY);
    assert_eq!(office.texts(&desk(BOB)), ["1"]);
    office.takes(&desk(BOB), 0, OK);
    office.all_done(&said);
}

/// The first device that takes it counts.
#[test]
fn all_devices_are_sent_what_is_stored() {
    let mut office = Office::new();
    let said = [office.say(&phone(ALICE), BOB, "1"), office.say(&phone(ALICE), BOB, "2")];
    office.contacts().register(slp_registrar::Contact {
        expires: office.contacts().lookup(BOB).first().map_or_else(now, |contact| contact.expires),
        peer: desk(BOB),
        presence: slp_registrar::Presence::Online,
    });
    office.registers(&phone(BOB));
    office.takes(&desk(BOB), 0, AWAY);
    office.takes(&phone(BOB), 0, OK);
    assert_eq!(office.texts(&phone(BOB)), ["1", "2"]);
    office.takes(&phone(BOB), 1, OK);
    office.all_done(&said);
}

fn now() -> std::time::Instant {
    #[expect(clippy::disallowed_methods, reason = "any time will do")]
    std::time::Instant::now()
}

/// A message is being stored when its receiver registers, and the store is read before it is there.
#[test]
fn stored_and_registered_cross() {
    let mut office = Office::new();
    let first = office.say(&phone(ALICE), CAROL, "0"); // so that nothing else is slow
    office.database().set_slow(true);
    let said = office.say(&phone(ALICE), BOB, "1");
    office.registers(&phone(BOB));
    office.passes(Duration::from_secs(1));
    office.database().set_slow(false);
    office.goes_on();
    assert_eq!(office.texts(&phone(BOB)), ["1"]);
    office.takes(&phone(BOB), 0, OK);
    office.all_done(&[first, said]);
    assert!(office.code(said).is_some());
}

/// The device fails, registers, and only then its failure is heard of: nobody registers any more.
#[test]
fn a_failure_that_is_heard_of_after_the_next_register() {
    let mut office = Office::new();
    office.registers(&phone(BOB));
    let said = office.say(&phone(ALICE), BOB, "1");
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 0, AWAY);
    // It is still a contact, and gets it.
    assert_eq!((office.code(said), office.contacts().lookup(BOB).len()), (Some(202), 1));
    office.takes(&phone(BOB), 1, OK);
    office.all_done(&[said]);
}

/// While the first message of a sender is not decided, the next one is not sent, and overtakes it neither way.
#[test]
fn one_of_a_sender_at_a_time() {
    let mut office = Office::new();
    office.registers(&phone(BOB));
    let said = [office.say(&phone(ALICE), BOB, "1"), office.say(&phone(ALICE), BOB, "2")];
    let other = office.say(&phone(CAROL), BOB, "3");
    assert_eq!(office.texts(&phone(BOB)), ["1", "3"]);
    // Carol's fails: now something is stored. Alice's first is still under way, and so the second waits.
    office.takes(&phone(BOB), 1, TIMEOUT);
    assert_eq!((office.code(other), office.code(said[1])), (Some(202), None));
    office.takes(&phone(BOB), 0, OK);
    assert_eq!((office.code(said[0]), office.code(said[1])), (Some(200), Some(202)));
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 2, OK);
    office.takes(&phone(BOB), 3, OK);
    assert_eq!(office.texts(&phone(BOB)), ["1", "3", "3", "2"]);
    office.all_done(&[said[0], said[1], other]);
}

#[test]
fn a_dialog_that_ends_without_an_answer_counts_as_a_failure() {
    let mut office = Office::new();
    office.registers(&phone(BOB));
    let said = office.say(&phone(ALICE), BOB, "1");
    let copy = office.copies(&phone(BOB))[0];
    office.ends(copy);
    assert_eq!(office.code(said), Some(202));
    office.registers(&phone(BOB));
    let copy = office.copies(&phone(BOB))[1];
    office.ends(copy);
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 2, OK);
    office.all_done(&[said]);
}

#[test]
fn a_repeat_of_what_is_stored_is_stored_once() {
    let mut office = Office::new();
    let first = office.say(&phone(ALICE), BOB, "1");
    office.passes(Duration::from_secs(1));
    let again = office.say(&phone(ALICE), BOB, "1");
    let date =
        |office: &Office, said| office.answer(said).and_then(|answer| answer.headers.json::<String>("Date"));
    assert_eq!((office.code(again), date(&office, again)), (Some(202), date(&office, first)));
    assert_eq!(office.stored_for(BOB), 1);
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 0, OK);
    assert_eq!(office.texts(&phone(BOB)), ["1"]);
    office.all_done(&[first, again]);
}

/// An older copy of the file is put in its place while what was taken is not marked: other messages are in the places.
#[test]
fn another_file_in_place_of_the_one_that_was_read() {
    let mut office = Office::new();
    let said = ["1", "2", "3"].map(|text| office.say(&phone(ALICE), BOB, text));
    office.registers(&phone(BOB));
    office.database().set_full(true);
    for n in 0..3 {
        office.takes(&phone(BOB), n, OK);
    }
    let older = Arc::new(Memory::default());
    for (text, from) in [("4", CAROL), ("2", ALICE), ("5", CAROL)] {
        drop(Store::over(older.clone()).append(kept(text, from, BOB)));
    }
    office.database().replace(older);
    office.database().set_full(false);
    office.passes(Duration::from_secs(5));
    // What the device has is not sent again, and nothing else is taken for it.
    assert_eq!((office.texts(&phone(BOB)).len(), office.stored_for(BOB)), (4, 2));
    office.takes(&phone(BOB), 3, OK);
    office.takes(&phone(BOB), 4, OK);
    assert_eq!(office.texts(&phone(BOB)), ["1", "2", "3", "4", "5"]);
    office.all_done(&said);
    assert_eq!(office.stored_for(BOB), 0);
}

/// The same between two messages of which more are behind.
#[test]
fn another_file_while_what_is_stored_is_sent() {
    let mut office = Office::new();
    let said: Vec<_> = (0..20).map(|n| office.say(&phone(ALICE), BOB, &n.to_string())).collect();
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 0, OK);
    let older = Arc::new(Memory::default());
    drop(Store::over(older.clone()).append(kept("old", CAROL, BOB)));
    office.database().replace(older);
    for n in 1..17 {
        office.takes(&phone(BOB), n, OK);
    }
    let texts = office.texts(&phone(BOB));
    assert_eq!((texts.len(), &*texts[16]), (17, "old"));
    office.all_done(&said);
    assert_eq!(office.stored_for(BOB), 0);
}

/// Those who are away and have nothing under way are forgotten, and found again.
#[test]
fn many_receivers() {
    let mut office = Office::new();
    office.registers(&phone(BOB));
    let mut said: Vec<_> =
        (0..3000).map(|n| office.say(&phone(ALICE), &format!("user-{n}@test.com"), "x")).collect();
    assert!(said.iter().all(|said| office.code(*said) == Some(202)));
    let user = "user-0@test.com";
    said.push(office.say(&phone(ALICE), user, "y"));
    office.registers(&phone(user));
    office.takes(&phone(user), 0, OK);
    office.takes(&phone(user), 1, OK);
    assert_eq!(office.texts(&phone(user)), ["x", "y"]);
    office.all_done(&said);
}
