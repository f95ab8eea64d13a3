//! SUBSCRIBE and NOTIFY.

use std::time::Duration;

use rtcd_sdk::Peer;
use rtcd_sdk::jsip::StatusCode;
use rtcd_sdk::serde_json::json;

use crate::desk::{ALICE, BOB, CAROL, Desk, desk, phone};

#[test]
fn the_presence_at_once_and_each_change() {
    let mut office = Desk::new();
    office.watches(&phone(ALICE), BOB);
    office.told();
    office.is(&desk(BOB), "online");
    office.told();
    office.is(&phone(BOB), "busy");
    office.told();
    office.is(&phone(BOB), "busy"); // a refresh is no change
    assert!(office.told().is_empty());
    office.leaves(&phone(BOB));
    office.leaves(&desk(BOB));
    office.told();
    let over = office.subscribe(&phone(ALICE), BOB, 0);
    office.ask(&phone(ALICE), over);
    office.is(&phone(BOB), "online");
    assert!(office.told().is_empty());
    insta::assert_snapshot!(office.harness.log());
}

/// What the next NOTIFYs tell.
fn states(office: &mut Desk) -> Vec<String> {
    let told = office.told().into_iter();
    told.map(|notify| notify.body["state"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_device_that_the_server_has_forgotten_is_no_contact() {
    let mut office = Desk::new();
    office.is(&desk(BOB), "online");
    office.is(&phone(BOB), "busy");
    office.watches(&phone(ALICE), BOB);
    assert_eq!(states(&mut office), ["busy"]);
    office.harness.forget(&phone(BOB));
    assert_eq!(states(&mut office), ["online"]);
    office.harness.forget(&phone(BOB));
    office.harness.forget(&phone(CAROL));
    office.harness.forget(&desk(BOB));
    assert_eq!(states(&mut office), ["away"]);
    assert!(office.contacts().lookup(BOB).is_empty());
}

#[test]
fn the_body() {
    let mut office = Desk::new();
    for (peer, presence) in
        [(phone(BOB), "away"), (Peer::new(BOB, None), "online"), (desk(BOB), "away"), (phone(CAROL), "busy")]
    {
        office.is(&peer, presence);
    }
    office.watches(&phone(ALICE), BOB);
    let expected = json!({"user": BOB, "state": "online", "devices": [
        {"device": null, "state": "online"},
        {"device": "desk", "state": "away"},
        {"device": "phone", "state": "away"},
    ]});
    let told = office.told();
    assert_eq!(told.len(), 1);
    assert_eq!((&*told[0].to, &*told[0].state), ("alice@test.com;device=phone", "active;expires=86400"));
    assert_eq!(told[0].body, expected);
}

#[test]
fn what_changes_while_a_notify_is_under_way_is_told_together() {
    let mut office = Desk::new();
    office.watches(&phone(ALICE), BOB);
    let first = office.notifies().remove(0);
    for presence in ["online", "busy", "online", "busy"] {
        office.is(&phone(BOB), presence);
    }
    assert!(office.notifies().is_empty());
    office.answer(&first, StatusCode::OK);
    let second = office.notifies();
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].tells(), "bob@test.com busy");
    // There and back again: nothing to tell.
    office.is(&phone(BOB), "online");
    office.is(&phone(BOB), "busy");
    office.answer(&second[0], StatusCode::OK);
    assert!(office.notifies().is_empty());
}

#[test]
fn each_subscription_on_its_own() {
    let mut office = Desk::new();
    office.watches(&phone(ALICE), BOB);
    office.watches(&desk(ALICE), BOB);
    let [silent, quick] = office.notifies().try_into().unwrap();
    assert_eq!(silent.to, "alice@test.com;device=phone");
    office.answer(&quick, StatusCode::OK);
    office.is(&phone(BOB), "online");
    let told = office.told();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].to, "alice@test.com;device=desk");
}

#[test]
fn no_answer_tells_the_newest_again_with_longer_and_longer_pauses() {
    let mut office = Desk::with_settings("{max_expire: 1d, pause: 5s, max_pause: 15s}");
    office.watches(&phone(ALICE), BOB);
    office.is(&phone(BOB), "busy");
    for (pause, code) in [(5, 408), (10, 503), (15, 408), (15, 408)] {
        let notify = office.notifies().remove(0);
        let code = if code == 408 { StatusCode::REQUEST_TIMEOUT } else { StatusCode::SERVICE_UNAVAILABLE };
        office.answer(&notify, code);
        office.is(&phone(BOB), "online");
        office.is(&phone(BOB), "away");
        office.harness.advance(Duration::from_secs(pause) - Duration::from_millis(1));
        assert!(office.notifies().is_empty(), "{pause}");
        office.harness.advance(Duration::from_millis(1));
    }
    let last = office.told();
    assert_eq!((last.len(), last[0].tells()), (1, "bob@test.com away".to_owned()));
    office.harness.advance(Duration::from_secs(60));
    assert!(office.told().is_empty());
    // From the begin again.
    office.is(&phone(BOB), "online");
    let notify = office.notifies().remove(0);
    office.answer(&notify, StatusCode::REQUEST_TIMEOUT);
    office.harness.advance(Duration::from_secs(5));
    assert_eq!(office.told().len(), 1);
}

#[test]
fn who_registers_again_is_told_at_once() {
    let mut office = Desk::new();
    for peer in [phone(ALICE), desk(ALICE)] {
        office.watches(&peer, BOB);
    }
    for notify in office.notifies() {
        office.answer(&notify, StatusCode::REQUEST_TIMEOUT);
    }
    office.is(&phone(ALICE), "online");
    let told = office.told();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].to, "alice@test.com;device=phone");
}

#[test]
fn who_is_not_there_loses_subscription_and_contact() {
    let mut office = Desk::new();
    office.is(&phone(ALICE), "online");
    office.is(&desk(ALICE), "online");
    office.watches(&phone(ALICE), BOB);
    office.watches(&phone(CAROL), ALICE);
    office.told();
    office.is(&phone(BOB), "online");
    let notify = office.notifies().remove(0);
    office.answer(&notify, StatusCode::TEMPORARILY_NOT_AVAILABLE);
    assert_eq!(office.contacts().lookup(ALICE).len(), 1);
    let told = office.told();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].body["devices"], json!([{"device": "desk", "state": "online"}]));
    office.is(&phone(BOB), "busy");
    assert!(office.told().is_empty());
}

/// A 480 is about the contact that the NOTIFY went to.
#[test]
fn who_registers_before_the_480_stays() {
    for (registers, left) in [(true, 1), (false, 0)] {
        let mut office = Desk::new();
        office.is(&phone(ALICE), "online");
        office.watches(&phone(ALICE), BOB);
        let notify = office.notifies().remove(0);
        if registers {
            office.harness.advance(Duration::from_secs(1));
            office.is(&phone(ALICE), "online");
        }
        office.answer(&notify, StatusCode::TEMPORARILY_NOT_AVAILABLE);
        assert_eq!(office.contacts().lookup(ALICE).len(), left);
        // The subscription is over all the same: its device makes another one when it is there again.
        office.is(&phone(BOB), "online");
        assert!(office.notifies().is_empty());
    }
    // Nor does it count for whoever was not registered then.
    let mut office = Desk::new();
    office.watches(&phone(ALICE), BOB);
    let notify = office.notifies().remove(0);
    office.is(&phone(ALICE), "online");
    office.answer(&notify, StatusCode::TEMPORARILY_NOT_AVAILABLE);
    assert_eq!(office.contacts().lookup(ALICE).len(), 1);
}

#[test]
fn subscriptions_of_a_user() {
    let mut office = Desk::with_settings("{subscriptions: 2, user_subscriptions: 3}");
    let code = |office: &mut Desk, peer: &Peer, user: &str, expire: u64| {
        let request = office.subscribe(peer, user, expire);
        let response = office.ask(peer, request);
        office.told();
        let reason = response.headers.text("Reason").map(|reason| reason.into_owned());
        assert_eq!(
            reason.is_some_and(|reason| reason == "Too many subscriptions"),
            response.code.as_u16() == 503
        );
        response.code.as_u16()
    };
    let (phone, desk, none) = (phone(ALICE), desk(ALICE), Peer::new(ALICE, None));
    assert_eq!(code(&mut office, &phone, BOB, 60), 200);
    assert_eq!(code(&mut office, &phone, CAROL, 60), 200);
    assert_eq!(code(&mut office, &desk, BOB, 90), 200);
    assert_eq!(code(&mut office, &desk, CAROL, 90), 503);
    assert_eq!(code(&mut office, &none, BOB, 90), 503);
    assert_eq!(code(&mut office, &desk, BOB, 90), 200, "what is there can be renewed");
    assert_eq!(
        code(&mut office, &crate::desk::phone(BOB), ALICE, 600),
        200,
        "others have places of their own"
    );
    // An end gives the place back: asked for,
    assert_eq!(code(&mut office, &phone, BOB, 0), 200);
    assert_eq!(code(&mut office, &phone, BOB, 0), 200, "which counts once");
    assert_eq!(code(&mut office, &none, BOB, 90), 200);
    assert_eq!(code(&mut office, &none, CAROL, 90), 503);
    // of time,
    office.harness.advance(Duration::from_secs(60));
    assert_eq!(office.told().len(), 1);
    assert_eq!(code(&mut office, &none, CAROL, 90), 200);
    assert_eq!(code(&mut office, &desk, CAROL, 90), 503);
    // or because the device is not there.
    office.is(&crate::desk::phone(BOB), "online");
    for notify in office.notifies() {
        let is_none = notify.to == ALICE;
        office.answer(&notify, if is_none { StatusCode::TEMPORARILY_NOT_AVAILABLE } else { StatusCode::OK });
    }
    assert_eq!(code(&mut office, &desk, CAROL, 90), 200);
    assert_eq!(code(&mut office, &phone, CAROL, 90), 503);
}

#[test]
fn who_does_not_want_it_is_told_no_more() {
    let mut office = Desk::new();
    office.is(&phone(ALICE), "online");
    office.watches(&phone(ALICE), BOB);
    let notify = office.notifies().remove(0);
    office.answer(&notify, StatusCode::NO_SUCH_TRANSACTION);
    office.is(&phone(BOB), "online");
    assert!(office.told().is_empty());
    assert_eq!(office.contacts().lookup(ALICE).len(), 1);
    // A dialog that ends without an answer means the same.
    office.watches(&phone(ALICE), BOB);
    let notify = office.notifies().remove(0);
    office.harness.ended(notify.dialog);
    office.is(&phone(BOB), "busy");
    assert!(office.told().is_empty());
}

#[test]
fn a_provisional_answer_is_none() {
    let mut office = Desk::new();
    office.watches(&phone(ALICE), BOB);
    let notify = office.notifies().remove(0);
    office.harness.answer(notify.dialog, rtcd_sdk::jsip::Method::Notify, StatusCode::SESSION_PROGRESS);
    office.is(&phone(BOB), "online");
    assert!(office.notifies().is_empty());
    office.answer(&notify, StatusCode::OK);
    assert_eq!(office.told().len(), 1);
}

#[test]
fn its_time_is_over() {
    let mut office = Desk::new();
    for (peer, expire) in [(phone(ALICE), 60), (desk(ALICE), 60), (phone(CAROL), 90)] {
        let request = office.subscribe(&peer, BOB, expire);
        office.ask(&peer, request);
    }
    let [on_phone, on_desk, of_carol] = office.notifies().try_into().unwrap();
    office.answer(&on_phone, StatusCode::OK);
    office.answer(&of_carol, StatusCode::REQUEST_TIMEOUT);
    office.harness.advance(Duration::from_secs(59));
    // Of Carol's tries, the last of which has no answer.
    for notify in office.notifies() {
        assert_eq!(notify.to, of_carol.to);
    }
    office.harness.advance(Duration::from_secs(1));
    let last = office.notifies();
    assert_eq!(last.len(), 1, "the one under way goes first: {last:?}");
    assert_eq!((&*last[0].to, &*last[0].state), (&*on_phone.to, "terminated;reason=timeout"));
    office.answer(&last[0], StatusCode::REQUEST_TIMEOUT);
    office.answer(&on_desk, StatusCode::REQUEST_TIMEOUT);
    let last = office.notifies();
    assert_eq!(last.len(), 1);
    assert_eq!((&*last[0].to, &*last[0].state), (&*on_desk.to, "terminated;reason=timeout"));
    office.answer(&last[0], StatusCode::OK);
    office.is(&phone(BOB), "online");
    assert!(office.notifies().is_empty());
}

#[test]
fn subscribed_again() {
    let mut office = Desk::new();
    let request = office.subscribe(&phone(ALICE), BOB, 10);
    office.ask(&phone(ALICE), request);
    assert_eq!(office.told().len(), 1);
    office.harness.advance(Duration::from_secs(9));
    // Whoever asks again may have lost what it was told: it is told again.
    let request = office.subscribe(&phone(ALICE), BOB, 10);
    office.ask(&phone(ALICE), request);
    let under_way = office.notifies().remove(0);
    office.harness.advance(Duration::from_secs(9));
    let request = office.subscribe(&phone(ALICE), BOB, 10);
    office.ask(&phone(ALICE), request);
    assert!(office.notifies().is_empty());
    office.answer(&under_way, StatusCode::OK);
    assert_eq!(office.told().len(), 1);
    // Between its end and the answer to what was under way.
    office.is(&phone(BOB), "online");
    let under_way = office.notifies().remove(0);
    office.harness.advance(Duration::from_secs(10));
    office.watches(&phone(ALICE), BOB);
    office.answer(&under_way, StatusCode::OK);
    let told = office.told();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].state, "active;expires=86400");
}

#[test]
fn refusals() {
    let mut office = Desk::with_settings("{max_expire: 1d, subscriptions: 2, all_subscriptions: 3}");
    let alice = phone(ALICE);
    let mut as_carol = office.subscribe(&alice, BOB, 60);
    as_carol.from = CAROL.into();
    office.ask(&alice, as_carol);
    let mut no_event = office.subscribe(&alice, BOB, 60);
    no_event.headers.remove("Event");
    office.ask(&alice, no_event);
    let mut other_event = office.subscribe(&alice, BOB, 60);
    other_event.headers.set_text("Event", "dialog");
    office.ask(&alice, other_event);
    let mut nobody = office.subscribe(&alice, BOB, 60);
    nobody.to = "".into();
    office.ask(&alice, nobody);
    let mut no_number = office.subscribe(&alice, BOB, 60);
    no_number.headers.set_text("Expire", "soon");
    office.ask(&alice, no_number);
    let mut not_there = office.subscribe(&alice, "nobody@test.com", 0);
    not_there.headers.set_number("Expire", 0);
    office.ask(&alice, not_there);
    office.harness.limit_mailboxes(0);
    let busy = office.subscribe(&alice, BOB, 60);
    office.ask(&alice, busy);
    office.harness.limit_mailboxes(usize::MAX);
    office.watches(&alice, BOB);
    office.watches(&alice, CAROL);
    let third = office.subscribe(&alice, "dave@test.com", 60);
    office.ask(&alice, third);
    let renewed = office.subscribe(&alice, CAROL, 60);
    office.ask(&alice, renewed);
    office.watches(&desk(ALICE), BOB);
    let fourth = office.subscribe(&phone(BOB), ALICE, 60);
    office.ask(&phone(BOB), fourth);
    insta::assert_snapshot!(office.harness.log());
}

#[test]
fn a_user_that_thousands_watch() {
    let mut office = Desk::new();
    for n in 0..1000 {
        let peer = phone(&format!("user-{n}@test.com"));
        office.watches(&peer, BOB);
    }
    assert_eq!(office.told().len(), 1000);
    office.harness.take_log();
    office.harness.hold();
    let bob = office.register(&phone(BOB), 60);
    office.harness.dial_from(&phone(BOB), bob);
    let other = office.subscribe(&desk(CAROL), CAROL, 60);
    office.harness.dial_from(&desk(CAROL), other);
    office.harness.release();
    let log = office.harness.take_log();
    let lines: Vec<_> = log.lines().filter(|line| line.starts_with('<')).collect();
    let answers: Vec<_> = (0..lines.len()).filter(|at| lines[*at].starts_with("< ")).collect();
    assert_eq!(lines.len(), 2 + 1000 + 1);
    assert!(answers.iter().all(|at| *at <= 256 + 2), "others wait for all of them: {answers:?}");
}

/// Many that are there again at once, each with much that waits for it: others have a turn between them.
#[test]
fn much_that_waits() {
    let mut office = Desk::new();
    let watchers: Vec<_> = (0..8).map(|n| phone(&format!("user-{n}@test.com"))).collect();
    for peer in &watchers {
        for n in 0..200 {
            office.watches(peer, &format!("watched-{n}@test.com"));
        }
    }
    for notify in office.notifies() {
        office.answer(&notify, StatusCode::REQUEST_TIMEOUT);
    }
    office.harness.hold();
    for peer in &watchers {
        let request = office.register(peer, 60);
        office.harness.dial_from(peer, request);
    }
    let (mut most, mut all) = (0, 0);
    while office.harness.step() {
        let sent = office.notifies().len();
        (most, all) = (most.max(sent), all + sent);
    }
    office.harness.release();
    all += office.notifies().len();
    assert_eq!(all, 8 * 200);
    assert!(most <= 2 * 200, "{most} in one turn");
}

/// A mailbox that is full loses no change.
#[test]
fn busy() {
    let mut office = Desk::new();
    office.watches(&phone(ALICE), BOB);
    office.told();
    office.harness.limit_mailboxes(0);
    office.is(&phone(BOB), "online");
    assert!(office.told().is_empty());
    office.harness.limit_mailboxes(usize::MAX);
    // As it is full of other mail in truth, that mail does this.
    office.call("GET", "/users");
    assert_eq!(office.told().len(), 1);
}
