//! `registrar.v1`.

use std::time::Duration;

use rtcd_sdk::Peer;
use rtcd_sdk::serde_json::json;

use crate::desk::{ALICE, BOB, Desk, desk, phone};

#[test]
fn users_and_contacts() {
    let mut office = Desk::new();
    assert_eq!(
        office.call("GET", "/users"),
        (200, json!({"code": 0, "msg": "OK", "users": [], "next": null}))
    );
    office.is(&Peer::new(BOB, None), "online");
    office.is(&phone(ALICE), "busy");
    office.harness.advance(Duration::from_millis(1500));
    let short = office.register(&desk(ALICE), 60);
    office.ask(&desk(ALICE), short);
    assert_eq!(
        office.call("GET", "/users"),
        (200, json!({"code": 0, "msg": "OK", "users": [ALICE, BOB], "next": null}))
    );
    let alice = json!({"code": 0, "msg": "OK", "user": ALICE, "state": "busy", "contacts": [
        {"contact": "alice@test.com;device=desk", "device": "desk", "state": "online", "expires": 60},
        {"contact": "alice@test.com;device=phone", "device": "phone", "state": "busy", "expires": 3599},
    ]});
    assert_eq!(office.call("GET", "/users/alice@test.com"), (200, alice.clone()));
    assert_eq!(office.call("GET", "/users/alice%40test.com"), (200, alice));
    let bob = json!({"code": 0, "msg": "OK", "user": BOB, "state": "online", "contacts": [
        {"contact": BOB, "device": null, "state": "online", "expires": 3599},
    ]});
    assert_eq!(office.call("GET", "/users/bob@test.com"), (200, bob));
}

#[test]
fn users_in_pages() {
    let mut office = Desk::new();
    let name = |n: usize| format!("user {n:04}@test.com");
    for n in (0..1002).rev() {
        office.is(&phone(&name(n)), "online");
        office.is(&desk(&name(n)), "online");
    }
    let page = |office: &mut Desk, path: &str| {
        let (status, body) = office.call("GET", path);
        assert_eq!(status, 200, "{body}");
        let users = body["users"].as_array().unwrap();
        let range = (users.first().cloned(), users.last().cloned(), users.len());
        (range, body["next"].as_str().map(str::to_owned))
    };
    let users = |from: usize, to: usize| (Some(json!(name(from))), Some(json!(name(to))), to + 1 - from);
    assert_eq!(page(&mut office, "/users"), (users(0, 99), Some(name(99))));
    assert_eq!(page(&mut office, "/users?limit=0"), (users(0, 0), Some(name(0))));
    assert_eq!(page(&mut office, "/users?limit=1001"), (users(0, 999), Some(name(999))));
    let next = "/users?limit=2&after=user%200999@test.com";
    assert_eq!(page(&mut office, next), (users(1000, 1001), None));
    // Who comes and goes is on the page where the name belongs, and need not be there for it.
    office.leaves(&phone(&name(1000)));
    assert_eq!(page(&mut office, next), (users(1000, 1001), None));
    office.leaves(&desk(&name(1000)));
    office.gone(&phone(&name(999)));
    office.gone(&desk(&name(999)));
    assert_eq!(page(&mut office, next), (users(1001, 1001), None));
    assert_eq!(page(&mut office, "/users?after=user%201001@test.com"), ((None, None, 0), None));
    assert_eq!(office.call("GET", "/users?limit=all").0, 400);
}

#[test]
fn delete_takes_contacts_out() {
    let mut office = Desk::new();
    let ok = (200, json!({"code": 0, "msg": "OK"}));
    for peer in [Peer::new(ALICE, None), phone(ALICE), desk(ALICE), Peer::new(BOB, Some("a/b %"))] {
        office.is(&peer, "online");
    }
    assert_eq!(office.call("DELETE", "/users/alice@test.com/phone"), ok);
    assert_eq!(office.contacts().lookup(ALICE).len(), 2);
    assert_eq!(office.call("DELETE", "/users/alice@test.com"), ok);
    assert_eq!(office.call("DELETE", "/users/bob%40test.com/a%2Fb%20%25"), ok);
    assert_eq!(office.call("GET", "/users").1["users"], json!([]));
}

#[test]
fn what_is_not_there() {
    let mut office = Desk::new();
    office.is(&phone(ALICE), "online");
    let no_user = (404, json!({"code": 101, "msg": "The user has no contact"}));
    assert_eq!(office.call("GET", "/users/bob@test.com"), no_user);
    assert_eq!(office.call("DELETE", "/users/bob@test.com"), no_user);
    let no_device = (404, json!({"code": 102, "msg": "The user has no such device"}));
    assert_eq!(office.call("DELETE", "/users/alice@test.com/desk"), no_device);
    assert_eq!(office.call("DELETE", "/users/bob@test.com/phone"), no_device);
}

#[test]
fn busy() {
    let mut office = Desk::new();
    office.harness.limit_mailboxes(0);
    assert_eq!(office.call("GET", "/users"), (503, json!({"code": 103, "msg": "Too many requests"})));
}

#[test]
fn without_the_service() {
    let request = rtcd_sdk::axum::http::Request::get("/users").body(rtcd_sdk::axum::body::Body::empty());
    let answer = rtcd_sdk::harness::call_api::<slp_registrar::RegistrarApi>(request.unwrap_or_default());
    assert_eq!(answer.body, json!({"code": 103, "msg": "The registrar is not loaded"}));
}
