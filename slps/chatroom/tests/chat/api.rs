//! `chatroom.v1`.

use crate::chat::{Chat, ROOM};
use rtcd_sdk::serde_json::json;

#[test]
fn rooms_and_members() {
    let mut chat = Chat::new();
    assert_eq!(chat.call("GET", "/rooms"), (200, json!({"code": 0, "msg": "OK", "rooms": []})));
    chat.join("alice");
    chat.join("bob");
    let mut other = chat.subscribe("alice", 60);
    (other.uri, other.to) = ("a/room%".into(), "a/room%".into());
    chat.ask(other);
    assert_eq!(
        chat.call("GET", "/rooms"),
        (200, json!({"code": 0, "msg": "OK", "rooms": ["a/room%", ROOM]}))
    );
    let members = json!({"code": 0, "msg": "OK", ROOM: {"alice": "nick-of-alice", "bob": "nick-of-bob"}});
    assert_eq!(chat.call("GET", "/rooms/room:888@test.com"), (200, members.clone()));
    assert_eq!(chat.call("GET", "/rooms/room%3A888%40test.com"), (200, members));
    assert_eq!(
        chat.call("GET", "/rooms/a%2Froom%25"),
        (200, json!({"code": 0, "msg": "OK", "a/room%": {"alice": "nick-of-alice"}}))
    );
}

#[test]
fn delete_takes_a_member_out() {
    let mut chat = Chat::of(&["alice", "bob@test.com"]);
    assert_eq!(
        chat.call("DELETE", "/rooms/room:888@test.com/bob%40test.com"),
        (200, json!({"code": 0, "msg": "OK"}))
    );
    assert_eq!(chat.members(), json!({"alice": "nick-of-alice"}));
    chat.say("alice", "hello");
    assert!(chat.copies().is_empty());
    assert_eq!(chat.call("DELETE", "/rooms/room:888@test.com/alice").0, 200);
    assert_eq!(chat.call("GET", "/rooms").1["rooms"], json!([]));
}

#[test]
fn what_is_not_there() {
    let mut chat = Chat::of(&["alice"]);
    let no_room = (404, json!({"code": 101, "msg": "Room Not Exist"}));
    assert_eq!(chat.call("GET", "/rooms/nowhere"), no_room);
    assert_eq!(chat.call("DELETE", "/rooms/nowhere/alice"), no_room);
    let no_user = (404, json!({"code": 102, "msg": "User Not Exist"}));
    assert_eq!(chat.call("DELETE", "/rooms/room:888@test.com/bob"), no_user);
}

#[test]
fn busy() {
    let mut chat = Chat::new();
    chat.harness.limit_mailboxes(0);
    assert_eq!(chat.call("GET", "/rooms"), (503, json!({"code": 103, "msg": "Too many requests"})));
}

#[test]
fn without_the_service() {
    let request = rtcd_sdk::axum::http::Request::get("/rooms").body(rtcd_sdk::axum::body::Body::empty());
    let answer = rtcd_sdk::harness::call_api::<slp_chatroom::ChatRoomApi>(request.unwrap_or_default());
    assert_eq!(answer.body, json!({"code": 103, "msg": "The chat room service is not loaded"}));
}
