//! `registrar.v1`.

use std::time::Duration;

use rtcd_sdk::Peer;
use rtcd_sdk::serde_json::json;

use crate::desk::{ALICE, BOB, Desk, desk, phone};

#[test]
fn users_and_contacts() {
    let mut office = Desk::new();
    assert_eq!(office.call("GET", "/users"), (200, json!({"code": 0, "msg": "OK", "users": []})));
    office.is(&Peer::new(BOB, None), "online");
    office.is(&phone(ALICE), "busy");
    office.harness.advance(Duration::from_millis(1500));
    let short = office.register(&desk(ALICE), 60);
    office.ask(&desk(ALICE), short);
    assert_eq!(office.call("GET", "/users"), (200, json!({"code": 0, "msg": "OK", "users": [ALICE, BOB]})));
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
