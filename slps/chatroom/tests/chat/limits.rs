//! How many may be in rooms.

use std::time::Duration;

use crate::chat::{Chat, ROOM};
use rtcd_sdk::Peer;
use rtcd_sdk::jsip::{Message, Method};

impl Chat {
    /// What a connection of `user` is answered that joins a room for a member: code and reason.
    fn join_by(&mut self, user: &str, device: Option<&str>, room: &str, member: &str) -> (u16, String) {
        let mut join = self.subscribe(member, 60);
        (join.uri, join.to) = (room.into(), room.into());
        let dialog = self.harness.dial_from(&Peer::new(user, device), join);
        let [Message::Response(answer)] = self.harness.sent(dialog) else { unreachable!("one answer") };
        let seen =
            (answer.code.as_u16(), answer.headers.text("Reason").map(String::from).unwrap_or_default());
        self.harness.ended(dialog);
        seen
    }

    #[track_caller]
    fn is_in(&mut self, user: &str, room: &str, member: &str) {
        assert_eq!(self.join_by(user, None, room, member), (200, String::new()));
    }
}

fn refused(reason: &str) -> (u16, String) {
    (503, reason.to_owned())
}

#[test]
fn members_of_a_room() {
    let mut chat = Chat::with_settings("members: 2");
    chat.is_in("a", ROOM, "alice");
    chat.is_in("b", ROOM, "bob");
    assert_eq!(chat.join_by("c", None, ROOM, "carol"), refused("Too many members"));
    // Who is one stays one for longer; others have rooms of their own; a place that is free is free.
    chat.is_in("a", ROOM, "alice");
    chat.is_in("c", "room:2@test.com", "carol");
    chat.leave("bob");
    chat.is_in("c", ROOM, "carol");
}

#[test]
fn bytes_of_a_message() {
    let mut chat = Chat::of(&["alice", "bob"]);
    for (size, code, copies) in [(63 * 1024, 200, 1), (63 * 1024 + 1, 513, 1)] {
        let mut message = chat.request(Method::Message, "alice");
        message.headers.set_text("Body", "");
        let rest = size - message.encode().len();
        message.headers.set_text("Body", &"x".repeat(rest));
        assert_eq!(chat.ask(message), code);
        assert_eq!(chat.copies().len(), copies);
    }
}

#[test]
fn rooms() {
    let mut chat = Chat::with_settings("rooms: 2");
    chat.is_in("a", "room:1", "alice");
    chat.is_in("a", "room:2", "alice");
    assert_eq!(chat.join_by("a", None, "room:3", "alice"), refused("Too many rooms"));
    assert_eq!(chat.call("GET", "/rooms").1["rooms"].as_array().unwrap().len(), 2);
    chat.is_in("b", "room:2", "bob");
    assert_eq!(chat.call("DELETE", "/rooms/room:1/alice").0, 200);
    chat.is_in("a", "room:3", "alice");
}

/// Whoever they say they are, in whichever rooms and with whichever devices.
#[test]
fn memberships_by_one_user() {
    let mut chat = Chat::with_settings("memberships: 3");
    chat.is_in("gate", "room:1", "alice");
    chat.is_in("gate", "room:1", "bob");
    chat.is_in("gate", "room:2", "bob");
    let too_many = refused("Too many memberships");
    assert_eq!(chat.join_by("gate", None, "room:1", "carol"), too_many);
    assert_eq!(chat.join_by("gate", Some("phone"), "room:3", "alice"), too_many);
    assert_eq!(chat.call("GET", "/rooms").1["rooms"].as_array().unwrap().len(), 2);
    // They are not those of another one who speaks for the same, and those that are over do not count.
    chat.is_in("carol", "room:1", "bob");
    chat.is_in("carol", "room:2", "alice");
    assert_eq!(chat.join_by("gate", None, "room:1", "carol"), too_many);
    assert_eq!(chat.call("DELETE", "/rooms/room:1/bob").0, 200);
    chat.is_in("gate", "room:1", "carol");
    assert_eq!(chat.join_by("gate", None, "room:1", "dave"), too_many);
    chat.harness.advance(Duration::from_secs(60));
    for member in ["alice", "bob", "carol"] {
        chat.is_in("gate", "room:1", member);
    }
    assert_eq!(chat.join_by("gate", None, "room:1", "dave"), too_many);
}

#[test]
fn memberships_in_all() {
    let mut chat = Chat::with_settings("all_memberships: 2");
    chat.is_in("a", "room:1", "alice");
    chat.is_in("b", "room:2", "bob");
    assert_eq!(chat.join_by("c", None, "room:1", "carol"), refused("Too many memberships"));
    assert_eq!(chat.call("DELETE", "/rooms/room:1/alice").0, 200);
    chat.is_in("c", "room:1", "carol");
}

#[test]
fn names() {
    let mut chat = Chat::new();
    let refused = |field| (400, format!("{field}: longer than 256 bytes"));
    chat.is_in("a", &"x".repeat(256), "alice");
    assert_eq!(chat.join_by("a", None, &"x".repeat(257), "alice"), refused("To"));
    assert_eq!(chat.join_by("a", None, ROOM, &"x".repeat(257)), refused("P-Asserted-Identity"));
    // The nickname is nick-of-…
    chat.is_in("a", ROOM, &"x".repeat(248));
    assert_eq!(chat.join_by("a", None, ROOM, &"x".repeat(249)), refused("From"));
}
