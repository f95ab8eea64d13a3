//! Who is registered, for how long, and what others hear of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rtcd_sdk::Peer;
use rtcd_sdk::harness::Harness;
use rtcd_sdk::jsip::{Method, StatusCode};
use slp_registrar::{Event, Presence, Registrar};

use crate::desk::{ALICE, BOB, Desk, desk, phone};

#[test]
fn register_refresh_and_leave() {
    let mut office = Desk::new();
    let mut first = office.register(&phone(ALICE), 300);
    first.headers.remove("Expire");
    office.ask(&phone(ALICE), first);
    office.is(&desk(ALICE), "busy");
    office.is(&Peer::new(ALICE, None), "online");
    let refresh = office.register(&phone(ALICE), 90);
    office.ask(&phone(ALICE), refresh);
    let found: Vec<_> =
        office.contacts().lookup(ALICE).into_iter().map(|found| (found.peer, found.presence)).collect();
    let expected = [
        (Peer::new(ALICE, None), Presence::Online),
        (desk(ALICE), Presence::Busy),
        (phone(ALICE), Presence::Online),
    ];
    assert_eq!(found, expected);
    for peer in [&phone(ALICE), &desk(ALICE), &Peer::new(ALICE, None), &phone(BOB)] {
        office.leaves(peer);
    }
    assert!(office.contacts().lookup(ALICE).is_empty());
    assert_eq!(office.harness.tasks(), 0);
    insta::assert_snapshot!(office.harness.log());
}

#[test]
fn a_contact_that_is_not_refreshed_is_taken_out() {
    let mut office = Desk::new();
    let is_there = |office: &Desk, user: &str| !office.contacts().lookup(user).is_empty();
    let alice = office.register(&phone(ALICE), 60);
    office.ask(&phone(ALICE), alice);
    let bob = office.register(&phone(BOB), 90);
    office.ask(&phone(BOB), bob);
    office.harness.advance(Duration::from_secs(59));
    let refresh = office.register(&phone(ALICE), 60); // until 119 s
    office.ask(&phone(ALICE), refresh);
    office.harness.advance(Duration::from_secs(30));
    assert!(is_there(&office, BOB));
    office.harness.advance(Duration::from_secs(1));
    assert!(!is_there(&office, BOB) && is_there(&office, ALICE));
    let shorter = office.register(&phone(ALICE), 10); // until 100 s
    office.ask(&phone(ALICE), shorter);
    office.harness.advance(Duration::from_millis(9_999));
    assert!(is_there(&office, ALICE));
    office.harness.advance(Duration::from_millis(1));
    assert!(!is_there(&office, ALICE));
    office.harness.advance(Duration::from_secs(3600)); // nothing is left that could wake anybody
}

#[test]
fn many_that_expire_at_once_are_all_taken_out() {
    let mut office = Desk::new();
    for n in 0..1000 {
        let peer = phone(&format!("user-{n}@test.com"));
        office.is(&peer, "online");
    }
    office.harness.advance(Duration::from_secs(3600));
    assert_eq!(office.call("GET", "/users").1["users"].as_array().unwrap().len(), 0);
}

#[test]
fn refusals() {
    let mut office = Desk::with_settings("{contacts: 2, users: 2}");
    let mallory = phone("mallory@test.com");
    let mut as_alice = office.register(&mallory, 60);
    as_alice.from = ALICE.into();
    office.ask(&mallory, as_alice);
    let mut for_alice = office.register(&mallory, 60);
    for_alice.to = ALICE.into();
    office.ask(&mallory, for_alice);
    let mut strange = office.register(&mallory, 60);
    strange.headers.set_text("Presence", "sleepy");
    office.ask(&mallory, strange);
    let mut no_text = office.register(&mallory, 60);
    no_text.headers.set_number("Presence", 1);
    office.ask(&mallory, no_text);
    for expire in ["soon", ""] {
        let mut no_number = office.register(&mallory, 60);
        no_number.headers.set_text("Expire", expire);
        office.ask(&mallory, no_number);
    }
    let mut negative = office.register(&mallory, 60);
    negative.headers.set_json("Expire", &-1).unwrap();
    office.ask(&mallory, negative);
    for method in [Method::Invite, Method::Options, Method::Message, Method::Notify] {
        let request = office.harness.first(method, ALICE, BOB);
        office.ask(&phone(ALICE), request);
    }
    assert!(office.contacts().lookup("mallory@test.com").is_empty());
    // Over the limits: what is there can still be refreshed.
    office.is(&phone(ALICE), "online");
    office.is(&desk(ALICE), "online");
    let third = office.register(&Peer::new(ALICE, None), 60);
    office.ask(&Peer::new(ALICE, None), third);
    office.is(&desk(ALICE), "busy");
    office.is(&phone(BOB), "online");
    let third = office.register(&mallory, 60);
    office.ask(&mallory, third);
    office.is(&desk(BOB), "online");
    insta::assert_snapshot!(office.harness.log());
}

#[test]
fn parameters_of_from_and_to_do_not_count_and_fractions_are_rounded_up() {
    let mut office = Desk::new();
    let mut request = office.register(&phone(ALICE), 60);
    request.from = phone(ALICE).uri();
    request.to = " alice@test.com ".into();
    request.headers.set_json("Expire", &7.2).unwrap();
    let response = office.ask(&phone(ALICE), request);
    assert_eq!((response.code, response.headers.number("Expire")), (StatusCode::OK, Some(8)));
    office.harness.advance(Duration::from_millis(7_999));
    assert_eq!(office.contacts().lookup(ALICE).len(), 1);
    // A name that is no URI is a name.
    let peer = Peer::new("Al the great", None);
    office.is(&peer, "online");
    assert_eq!(office.contacts().lookup("Al the great").len(), 1);
}

/// Else it would be shown as another one's what they do, and others would get what is sent to them.
#[test]
fn who_looks_like_another_one_is_refused() {
    let mut office = Desk::new();
    let strange = [
        Peer::new("bob@test.com;x=1", None),
        phone("bob@test.com;x=1"),
        Peer::new("bob@test.com;device=phone", None),
        Peer::new("bob@test.com ", None),
        Peer::new("bob@test.com:80", None),
        Peer::new("Al; the great", None),
        phone("Al the great"), // its URI is a name of its own
    ];
    for peer in &strange {
        for field in [peer.user(), peer.as_str(), BOB] {
            for mut request in [office.register(peer, 60), office.subscribe(peer, ALICE, 60)] {
                request.from = field.into();
                if request.method == Method::Register {
                    request.to = field.into();
                }
                assert_eq!(office.ask(peer, request).code, StatusCode::FORBIDDEN, "{peer:?} as {field}");
            }
        }
    }
    assert_eq!(office.call("GET", "/users").1["users"].as_array().unwrap().len(), 0);
    office.is(&phone(ALICE), "online");
    assert!(office.told().is_empty());
}

#[test]
fn names_are_bounded() {
    let mut office = Desk::new();
    let (good, long) = ("x".repeat(256), "x".repeat(257));
    office.is(&phone(&good), "online");
    office.watches(&phone(&good), &good);
    let mut refused = Vec::new();
    for (peer, request) in [
        (phone(&long), office.register(&phone(&long), 60)),
        (phone(&long), office.subscribe(&phone(&long), ALICE, 60)),
        (phone(ALICE), office.subscribe(&phone(ALICE), &long, 60)),
        (phone(ALICE), office.subscribe(&phone(ALICE), &long, 0)),
    ] {
        let response = office.ask(&peer, request);
        refused.push((response.code.as_u16(), response.headers.text("Reason").unwrap().into_owned()));
    }
    let refusal = |field| (400, format!("{field}: longer than 256 bytes"));
    assert_eq!(refused, ["From", "From", "To", "To"].map(refusal));
}

/// For as long as the 200 says, and no longer.
#[test]
fn nobody_is_there_for_longer_than_an_hour() {
    let mut office = Desk::with_settings("");
    let register = office.register(&phone(ALICE), 86_400);
    let subscribe = office.subscribe(&phone(BOB), ALICE, 86_400);
    assert_eq!(office.ask(&phone(ALICE), register).headers.number("Expire"), Some(3600));
    assert_eq!(office.ask(&phone(BOB), subscribe).headers.number("Expire"), Some(3600));
    assert_eq!(office.told()[0].state, "active;expires=3600");
    office.harness.advance(Duration::from_millis(3_599_999));
    assert_eq!(office.contacts().lookup(ALICE).len(), 1);
    assert!(office.told().is_empty());
    office.harness.advance(Duration::from_millis(1));
    assert!(office.contacts().lookup(ALICE).is_empty());
    assert_eq!(office.told()[0].state, "terminated;reason=timeout");
    // What counts without Expire is no longer than that, either.
    let mut office = Desk::with_settings("{expire: 2h, max_expire: 90m}");
    let mut register = office.register(&phone(ALICE), 60);
    register.headers.remove("Expire");
    assert_eq!(office.ask(&phone(ALICE), register).headers.number("Expire"), Some(5400));
}

#[test]
fn ack_and_cancel_of_a_refused_invite_get_no_answer() {
    let mut harness = Harness::<Registrar>::new();
    let invite = harness.first(Method::Invite, ALICE, BOB);
    let dialog = harness.dial(invite);
    harness.send(dialog, Method::Cancel);
    harness.send(dialog, Method::Ack);
    assert_eq!(harness.sent(dialog).len(), 1);
}

/// What others hear, in order; a listener may look things up.
#[test]
fn listeners() {
    let mut office = Desk::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (write, contacts) = (heard.clone(), office.contacts());
    office.contacts().listen(move |event| {
        let (what, user, peer) = match event {
            Event::Registered { user, contact, is_new: true } => ("new", user, &contact.peer),
            Event::Registered { user, contact, .. } => ("again", user, &contact.peer),
            Event::Gone { user, peer } => ("gone", user, peer),
            other => unreachable!("{other:?}"),
        };
        let now = contacts.lookup(user).len();
        write.lock().unwrap().push(format!("{what} {peer}, {now} now"));
    });
    office.is(&phone(ALICE), "online");
    office.is(&phone(ALICE), "busy");
    office.is(&desk(ALICE), "online");
    office.leaves(&phone(ALICE));
    office.leaves(&phone(ALICE));
    office.gone(&phone(ALICE));
    let before = office.contacts().lookup(ALICE).remove(0);
    office.is(&desk(ALICE), "busy"); // at the same time, and for as long
    office.contacts().gone(&before);
    assert_eq!(office.contacts().lookup(ALICE).len(), 1, "it has registered since");
    office.gone(&desk(ALICE));
    let short = office.register(&phone(ALICE), 10);
    office.ask(&phone(ALICE), short);
    office.harness.advance(Duration::from_secs(10));
    insta::assert_snapshot!(heard.lock().unwrap().join("\n"), @r"
    new alice@test.com;device=phone, 1 now
    again alice@test.com;device=phone, 1 now
    new alice@test.com;device=desk, 2 now
    gone alice@test.com;device=phone, 1 now
    again alice@test.com;device=desk, 1 now
    gone alice@test.com;device=desk, 0 now
    new alice@test.com;device=phone, 1 now
    gone alice@test.com;device=phone, 0 now
    ");
}

/// Who hears of a registration may send to the device at once: its 200 left before.
#[test]
fn the_answer_comes_first() {
    let mut office = Desk::new();
    office.watches(&phone(BOB), ALICE);
    office.told();
    office.harness.take_log();
    office.harness.hold();
    let request = office.register(&phone(ALICE), 60);
    office.harness.dial_from(&phone(ALICE), request);
    office.harness.release();
    let log = office.harness.take_log();
    let (answer, notify) = (log.find("200 OK"), log.find("NOTIFY"));
    assert!(answer.is_some() && answer < notify, "{log}");
}

#[test]
fn settings() {
    let refused = |yaml| Harness::<Registrar>::try_with_settings(yaml).map(|_| ()).unwrap_err().to_string();
    let refusals =
        ["contacts: 0", "expire: 60", "max_expire: 0s", "contact: 1", "subscriptions: 0"].map(refused);
    insta::assert_snapshot!(refusals.join("\n"));
    assert!(Harness::<Registrar>::try_with_settings("# the defaults").is_ok());
}
