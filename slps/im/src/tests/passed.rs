//! What no device takes is nowhere lost, and does not hold up the others.

use std::time::Duration;

use rtcd_sdk::jsip::StatusCode;
use rtcd_store::{Database, State};

use super::office::{ALICE, AWAY, BOB, BUSY, CAROL, NO, OK, Office, TIMEOUT, desk, phone, text};

const MINUTE: Duration = Duration::from_secs(60);

const SECOND: Duration = Duration::from_secs(1);

/// A device that takes no messages at all is the only one that is there.
#[test]
fn what_a_device_refuses_is_for_another_one() {
    for code in [302, 400, 404, 405, 481, 500, 603] {
        let mut office = Office::new();
        office.registers(&desk(BOB));
        let mut said = vec![office.say(&phone(ALICE), BOB, "1")];
        office.takes(&desk(BOB), 0, StatusCode::new(code).unwrap());
        assert_eq!(office.code(said[0]), Some(202), "{code}");
        // It is not asked again, and the next one goes on.
        said.push(office.say(&phone(ALICE), BOB, "2"));
        assert_eq!(office.texts(&desk(BOB)), ["1", "2"], "{code}");
        office.takes(&desk(BOB), 1, OK);
        assert_eq!(office.code(said[1]), Some(200));
        office.passes(SECOND * 50);
        office.registers(&desk(BOB));
        assert_eq!((office.texts(&desk(BOB)).len(), office.stored_for(BOB)), (2, 1));
        assert_eq!(office.history(ALICE, BOB)[0].state, State::Sent);
        office.registers(&phone(BOB));
        office.takes(&phone(BOB), 0, OK);
        assert_eq!((office.texts(&phone(BOB)), office.stored_for(BOB)), (vec!["1".into()], 0), "{code}");
        assert_eq!(office.history(ALICE, BOB)[0].state, State::Delivered);
        office.all_done(&said);
    }
}

#[test]
fn so_is_what_it_refuses_of_what_is_stored() {
    let mut office = Office::new();
    let said = ["1", "2", "3"].map(|text| office.say(&phone(ALICE), BOB, text));
    office.registers(&desk(BOB));
    office.takes(&desk(BOB), 0, NO);
    office.takes(&desk(BOB), 1, OK);
    office.takes(&desk(BOB), 2, NO);
    assert_eq!((office.texts(&desk(BOB)).join(" "), office.stored_for(BOB)), ("1 2 3".into(), 2));
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 0, OK);
    office.takes(&phone(BOB), 1, OK);
    assert_eq!((office.texts(&phone(BOB)).join(" "), office.stored_for(BOB)), ("1 3".into(), 0));
    office.all_done(&said);
}

/// One device refuses it, and the other one is away for a moment.
#[test]
fn a_refusal_does_not_end_it_for_a_device_that_is_away() {
    for code in [AWAY, TIMEOUT, BUSY] {
        for is_stored in [true, false] {
            let mut office = Office::new();
            let mut said = Vec::new();
            if is_stored {
                said.push(office.say(&phone(ALICE), BOB, "1"));
                office.database().set_slow(true);
            }
            office.registers(&phone(BOB));
            office.registers(&desk(BOB));
            office.database().set_slow(false);
            office.goes_on();
            if !is_stored {
                said.push(office.say(&phone(ALICE), BOB, "1"));
            }
            office.takes(&phone(BOB), 0, code);
            office.takes(&desk(BOB), 0, NO);
            said.push(office.say(&phone(ALICE), BOB, "2"));
            assert_eq!([office.code(said[0]), office.code(said[1])], [Some(202); 2]);
            assert_eq!((office.texts(&phone(BOB)).len(), office.texts(&desk(BOB)).len()), (1, 1));
            // It is waited for.
            office.registers(&phone(BOB));
            office.takes(&phone(BOB), 1, OK);
            office.takes(&phone(BOB), 2, OK);
            assert_eq!(office.texts(&phone(BOB)).join(" "), "1 1 2", "{code} {is_stored}");
            office.all_done(&said);
            assert_eq!(office.stored_for(BOB), 0);
        }
    }
}

/// A device comes while what another one refused is being stored.
#[test]
fn a_refusal_and_a_new_device_cross() {
    for comes_back in [false, true] {
        let mut office = Office::new();
        office.registers(&desk(BOB));
        let mut said = vec![office.say(&phone(ALICE), BOB, "1")];
        office.database().set_slow(true);
        office.takes(&desk(BOB), 0, NO);
        let comes = if comes_back { desk(BOB) } else { phone(BOB) };
        office.registers(&comes);
        office.database().set_slow(false);
        office.goes_on();
        office.passes(SECOND * 5);
        let copies = office.texts(&comes).len();
        office.takes(&comes, copies - 1, OK);
        assert_eq!((office.code(said[0]), office.stored_for(BOB)), (Some(202), 0));
        said.push(office.say(&phone(ALICE), BOB, "2"));
        let copies = office.texts(&comes).len();
        office.takes(&comes, copies - 1, OK);
        assert_eq!(office.code(said[1]), Some(200));
        office.all_done(&said);
    }
}

/// A message that makes a device answer 503 does not hold up the others. It comes again when the device takes something, or else after a rest.
#[test]
fn what_is_declined_three_times() {
    let mut office = Office::new();
    let mut said: Vec<_> = ["1", "2", "3"].map(|text| office.say(&phone(ALICE), BOB, text)).into();
    office.registers(&phone(BOB));
    for n in 0..3 {
        office.takes(&phone(BOB), n, BUSY);
        office.passes(SECOND * 5);
    }
    office.takes(&phone(BOB), 3, OK);
    assert_eq!(office.texts(&phone(BOB)).join(" "), "1 1 1 2 3");
    // When all else is sent it has one try.
    office.takes(&phone(BOB), 4, OK);
    assert_eq!(office.texts(&phone(BOB)).join(" "), "1 1 1 2 3 1");
    office.takes(&phone(BOB), 5, BUSY);
    // It goes on as if nothing were stored; that the device is still there changes nothing.
    office.registers(&phone(BOB));
    office.passes(MINUTE);
    said.push(office.say(&phone(ALICE), BOB, "4"));
    office.takes(&phone(BOB), 6, OK);
    assert_eq!(office.code(said[3]), Some(200));
    // Another one is stored: it is found, and the first one is not.
    said.push(office.say(&phone(CAROL), BOB, "5"));
    office.takes(&phone(BOB), 7, TIMEOUT);
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 8, OK);
    assert_eq!(
        (office.texts(&phone(BOB)).join(" "), office.stored_for(BOB)),
        ("1 1 1 2 3 1 4 5 5".into(), 1)
    );
    office.registers(&desk(BOB));
    assert_eq!((office.texts(&phone(BOB)).len(), office.texts(&desk(BOB)).join(" ")), (10, "1".into()));
    office.takes(&desk(BOB), 0, OK);
    office.registers(&desk(BOB));
    office.gone(&phone(BOB));
    office.registers(&phone(BOB));
    assert_eq!((office.texts(&phone(BOB)).len(), office.stored_for(BOB)), (10, 0));
    office.all_done(&said);
}

/// As long as the device says nothing of itself it is left alone; else it is asked again after a minute, then after twice as long each time.
#[test]
fn it_is_sent_again_after_a_rest() {
    let mut office = Office::new();
    office.registers(&phone(BOB));
    let said = [office.say(&phone(ALICE), BOB, "1")];
    office.takes(&phone(BOB), 0, NO);
    office.passes(MINUTE * 10);
    assert_eq!(office.copies(&phone(BOB)).len(), 1);
    office.registers(&phone(BOB));
    assert_eq!(office.copies(&phone(BOB)).len(), 2);
    office.takes(&phone(BOB), 1, NO);
    for (n, minutes) in [2, 4, 8, 16, 32, 60, 60].into_iter().enumerate() {
        office.registers(&phone(BOB));
        office.passes(MINUTE * minutes - SECOND);
        office.registers(&phone(BOB));
        assert_eq!(office.copies(&phone(BOB)).len(), n + 2, "{minutes}");
        office.passes(SECOND);
        assert_eq!(office.copies(&phone(BOB)).len(), n + 3, "{minutes}");
        office.takes(&phone(BOB), n + 2, NO);
    }
    office.passes(MINUTE * 60);
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 9, OK);
    office.registers(&phone(BOB));
    office.passes(MINUTE * 60);
    assert_eq!((office.copies(&phone(BOB)).len(), office.stored_for(BOB)), (10, 0));
    office.all_done(&said);
}

/// What is sent again holds up nothing if nobody is there.
#[test]
fn what_is_sent_again_and_not_heard() {
    let mut office = Office::new();
    office.registers(&phone(BOB));
    let mut said: Vec<_> = ["1", "2", "3"].map(|text| office.say(&phone(ALICE), BOB, text)).into();
    for n in 0..3 {
        office.takes(&phone(BOB), n, NO);
    }
    office.passes(MINUTE);
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 3, TIMEOUT);
    // The next one has its turn, and shows that nobody is there.
    office.passes(SECOND * 5);
    office.takes(&phone(BOB), 4, TIMEOUT);
    office.passes(SECOND * 5);
    assert_eq!(office.texts(&phone(BOB)).join(" "), "1 2 3 1 2");
    said.push(office.say(&phone(ALICE), BOB, "4"));
    office.takes(&phone(BOB), 5, OK);
    assert_eq!(office.code(said[3]), Some(200));
    office.passes(MINUTE * 2);
    for n in 6..9 {
        office.takes(&phone(BOB), n, OK);
    }
    assert_eq!(
        (office.texts(&phone(BOB)).join(" "), office.stored_for(BOB)),
        ("1 2 3 1 2 4 1 2 3".into(), 0)
    );
    office.all_done(&said);
}

/// A message over which a client falls does not hold up the others, whether the client is a contact when it comes anew or not.
#[test]
fn what_makes_a_client_fall() {
    for code in [AWAY, TIMEOUT] {
        let mut office = Office::new();
        let mut said: Vec<_> = ["1", "2"].map(|text| office.say(&phone(ALICE), BOB, text)).into();
        for n in 0..3 {
            office.registers(&phone(BOB));
            assert_eq!(office.texts(&phone(BOB)), vec!["1"; n + 1], "{code}");
            office.takes(&phone(BOB), n, code);
        }
        office.registers(&phone(BOB));
        office.takes(&phone(BOB), 3, OK);
        assert_eq!(office.texts(&phone(BOB)).join(" "), "1 1 1 2", "{code}");
        said.push(office.say(&phone(ALICE), BOB, "3"));
        office.takes(&phone(BOB), 4, OK);
        assert_eq!(office.code(said[2]), Some(200));
        // It falls once more after a rest, and then again after a longer one.
        office.passes(MINUTE);
        assert_eq!(office.texts(&phone(BOB)).join(" "), "1 1 1 2 3 1", "{code}");
        office.takes(&phone(BOB), 5, code);
        office.registers(&phone(BOB));
        office.passes(MINUTE);
        said.push(office.say(&phone(ALICE), BOB, "4"));
        office.takes(&phone(BOB), 6, OK);
        assert_eq!((office.code(said[3]), office.stored_for(BOB)), (Some(200), 1), "{code}");
        // Another device gets it at once.
        office.registers(&desk(BOB));
        office.takes(&desk(BOB), 0, OK);
        assert_eq!((office.texts(&desk(BOB)).join(" "), office.stored_for(BOB)), ("1".into(), 0), "{code}");
        office.all_done(&said);
    }
}

/// A connection that comes and goes does not change the order.
#[test]
fn a_device_that_is_not_there_does_not_fall() {
    let mut office = Office::new();
    office.registers(&phone(BOB));
    let said = ["1", "2"].map(|text| office.say(&phone(ALICE), BOB, text));
    for n in 0..10 {
        office.takes(&phone(BOB), n, TIMEOUT);
        office.passes(SECOND * 5);
    }
    for n in 10..12 {
        office.registers(&phone(BOB));
        office.takes(&phone(BOB), n, TIMEOUT);
        office.passes(SECOND * 5);
    }
    office.takes(&phone(BOB), 12, TIMEOUT);
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 13, OK);
    office.takes(&phone(BOB), 14, OK);
    assert_eq!(office.texts(&phone(BOB)).join(" "), format!("{}2", "1 ".repeat(14)));
    office.all_done(&said);
}

/// Many such messages: more than are read at once.
#[test]
fn what_was_passed_over_is_found_in_its_order() {
    let mut office = Office::new();
    let said: Vec<_> = (0..40).map(|n| office.say(&phone(ALICE), BOB, &n.to_string())).collect();
    office.registers(&phone(BOB));
    let mut sent = 0;
    for _ in 0..40 {
        for _ in 0..3 {
            office.takes(&phone(BOB), sent, BUSY);
            office.passes(SECOND * 5);
            sent += 1;
        }
    }
    assert_eq!((office.texts(&phone(BOB)).len(), office.stored_for(BOB)), (120, 40));
    office.passes(MINUTE);
    office.registers(&desk(BOB));
    for n in 0..40 {
        assert_eq!(office.texts(&desk(BOB)).len(), n + 1, "one under way");
        office.takes(&desk(BOB), n, OK);
    }
    let expected: Vec<_> = (0..40).map(|n| n.to_string()).collect();
    assert_eq!((office.texts(&desk(BOB)), office.stored_for(BOB)), (expected, 0));
    office.all_done(&said);
}

/// A device that comes while they are looked for.
#[test]
fn what_was_passed_over_and_a_new_device_cross() {
    let mut office = Office::new();
    let said = [office.say(&phone(ALICE), BOB, "1"), office.say(&phone(ALICE), BOB, "2")];
    office.registers(&phone(BOB));
    for n in 0..3 {
        office.takes(&phone(BOB), n, BUSY);
        office.passes(SECOND * 5);
    }
    office.database().set_slow(true);
    office.takes(&phone(BOB), 3, OK);
    office.registers(&desk(BOB));
    office.database().set_slow(false);
    office.goes_on();
    assert_eq!(office.texts(&desk(BOB)), ["1"]);
    office.takes(&desk(BOB), 0, OK);
    office.all_done(&said);
    assert_eq!(office.stored_for(BOB), 0);
}

/// Something rests in the store, and the disk is full: who is there gets what is new all the same.
#[test]
fn what_was_passed_over_and_a_full_disk() {
    let mut office = Office::new();
    office.registers(&phone(BOB));
    let mut said = vec![office.say(&phone(ALICE), BOB, "1")];
    office.takes(&phone(BOB), 0, NO);
    office.database().set_full(true);
    said.push(office.say(&phone(ALICE), BOB, "2"));
    office.takes(&phone(BOB), 1, NO);
    said.push(office.say(&phone(ALICE), BOB, "3"));
    office.registers(&phone(BOB));
    office.takes(&phone(BOB), 2, TIMEOUT);
    assert_eq!([office.code(said[1]), office.code(said[2])], [Some(503); 2]);
    office.passes(SECOND * 5);
    said.push(office.say(&phone(ALICE), BOB, "4"));
    office.takes(&phone(BOB), 3, OK);
    assert_eq!(office.code(said[3]), Some(200));
    office.all_done(&said);
}

/// What was passed over is deleted, or taken when it is sent again: it does not fill the mailbox any more.
#[test]
fn what_was_passed_over_and_is_gone_takes_no_room() {
    for is_taken in [true, false] {
        let mut office = Office::with_settings("max_stored: 1");
        office.registers(&desk(BOB));
        let mut said = vec![office.say(&phone(ALICE), BOB, "1")];
        office.takes(&desk(BOB), 0, NO);
        if is_taken {
            said.push(office.say(&phone(ALICE), BOB, "1"));
            office.takes(&desk(BOB), 1, OK);
        } else {
            let database = office.database();
            office.block_on(async { database.forget(u64::MAX, 100).await }).unwrap();
        }
        assert_eq!(office.stored_for(BOB), 0);
        office.gone(&desk(BOB));
        office.passes(SECOND * 10);
        said.push(office.say(&phone(ALICE), BOB, "2"));
        office.passes(SECOND * 10);
        assert_eq!((office.code(*said.last().unwrap()), office.stored_for(BOB)), (Some(202), 1));
        office.all_done(&said);
    }
}

/// The same while a device is there, and silent.
#[test]
fn it_takes_no_room_of_who_is_there() {
    let mut office = Office::with_settings("max_stored: 1");
    office.registers(&desk(BOB));
    let mut said = vec![office.say(&phone(ALICE), BOB, "1")];
    office.takes(&desk(BOB), 0, NO);
    let database = office.database();
    office.block_on(async { database.forget(u64::MAX, 100).await }).unwrap();
    office.passes(SECOND * 10);
    for n in 1..3 {
        said.push(office.say(&phone(ALICE), BOB, "2"));
        office.takes(&desk(BOB), n, TIMEOUT);
        office.passes(SECOND * 4);
    }
    assert_eq!(office.code(said[2]), Some(202));
    office.all_done(&said);
}

/// One device answers 503, the other one falls over it and comes anew, again and again: the next one has its turn.
#[test]
fn what_is_declined_beside_a_device_that_falls() {
    for code in [AWAY, TIMEOUT] {
        let mut office = Office::new();
        let said = ["1", "2"].map(|text| office.say(&phone(ALICE), BOB, text));
        office.registers(&phone(BOB));
        office.registers(&desk(BOB));
        let mut seen = [0, 0];
        for _ in 0..20 {
            for (n, (device, code)) in [(phone(BOB), BUSY), (desk(BOB), code)].into_iter().enumerate() {
                while let Some(copy) = office.copies(&device).get(seen[n]).copied() {
                    let code = if text(office.copy(copy)) == "1" { code } else { OK };
                    office.answers(copy, code);
                    seen[n] += 1;
                }
            }
            office.gone(&desk(BOB));
            office.passes(SECOND * 2);
            office.registers(&desk(BOB));
        }
        assert_eq!(
            (office.texts(&phone(BOB)).contains(&"2".into()), office.stored_for(BOB)),
            (true, 1),
            "{code}"
        );
        office.all_done(&said);
    }
}

/// One device refuses it, and the other one is a contact that never answers: the next one has its turn.
#[test]
fn what_is_refused_beside_a_silent_device() {
    let mut office = Office::new();
    office.registers(&phone(BOB));
    office.registers(&desk(BOB));
    let mut said = vec![office.say(&phone(ALICE), BOB, "1")];
    office.takes(&desk(BOB), 0, NO);
    office.takes(&phone(BOB), 0, TIMEOUT);
    said.push(office.say(&phone(CAROL), BOB, "2"));
    let mut seen = [1, 1];
    for _ in 0..12 {
        office.passes(SECOND * 5);
        for (n, device) in [phone(BOB), desk(BOB)].into_iter().enumerate() {
            while let Some(copy) = office.copies(&device).get(seen[n]).copied() {
                let is_taken = n == 1 && text(office.copy(copy)) == "2";
                let code = match n {
                    _ if is_taken => OK,
                    1 => NO,
                    _ => TIMEOUT,
                };
                office.answers(copy, code);
                seen[n] += 1;
            }
        }
    }
    assert!(office.texts(&desk(BOB)).len() < 8, "{:?}", office.texts(&desk(BOB)));
    assert!(office.texts(&desk(BOB)).contains(&"2".into()));
    office.all_done(&said);
}

/// Whoever is sent many messages is told of by as many receipts, which wait for senders that may never come.
#[test]
fn receipts_in_a_users_name_take_no_room_of_the_user() {
    let mut office = Office::with_settings("max_waiting: 10000");
    let mut said = Vec::new();
    for n in 0..10 {
        let sender = phone(&format!("sender{n}@test.com"));
        said.extend((0..20).map(|n| office.say(&sender, BOB, &format!("{n:064}"))));
    }
    office.registers(&desk(BOB));
    while let Some(copy) = office.unanswered(&desk(BOB)) {
        office.answers(copy, OK);
    }
    office.gone(&desk(BOB));
    said.push(office.say(&desk(BOB), CAROL, "1"));
    assert_eq!(office.code(*said.last().unwrap()), Some(202));
    office.all_done(&said);
}
