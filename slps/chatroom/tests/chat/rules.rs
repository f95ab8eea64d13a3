//! Who gets which answer, and who is a member.

use std::time::Duration;

use crate::chat::{Chat, ROOM};
use rtcd_sdk::Peer;
use rtcd_sdk::harness::Harness;
use rtcd_sdk::jsip::{Message, Method};
use rtcd_sdk::serde_json::json;
use slp_chatroom::ChatRoom;

#[test]
fn join_refresh_and_leave() {
    let mut chat = Chat::new();
    chat.join("alice");
    chat.join("bob");
    chat.leave("alice");
    assert_eq!(chat.members(), json!({"bob": "nick-of-bob"}));
    chat.leave("bob");
    assert_eq!(chat.call("GET", "/rooms").1["rooms"], json!([]));
    assert_eq!(chat.harness.tasks(), 0);
    insta::assert_snapshot!(chat.harness.log());
}

#[test]
fn the_nickname_is_that_of_the_subscribe_that_joined() {
    let mut chat = Chat::of(&["alice"]);
    let mut refresh = chat.subscribe("alice", 60);
    refresh.from = "another-nick".into();
    assert_eq!(chat.ask(refresh), 200);
    assert_eq!(chat.members(), json!({"alice": "nick-of-alice"}));
    chat.leave("alice");
    let mut join = chat.subscribe("alice", 60);
    join.from = "another-nick".into();
    assert_eq!(chat.ask(join), 200);
    assert_eq!(chat.members(), json!({"alice": "another-nick"}));
}

#[test]
fn nobody_speaks_for_another_one_if_connections_count() {
    let mut chat = Chat::with_settings("identity: connection");
    for (user, device, identity, code) in [
        ("alice@test.com", None, "alice@test.com", 200),
        ("alice@test.com", Some("phone"), "alice@test.com;device=phone", 200),
        ("alice@test.com", None, "bob@test.com", 403),
        ("bob@test.com;x=1", None, "bob@test.com", 403),
        ("bob@test.com;x=1", None, "bob@test.com;x=1", 403),
        ("bob@test.com ", None, "bob@test.com ", 403),
        ("bob@test.com;x@y", None, "bob@test.com;x@y", 403),
    ] {
        let peer = Peer::new(user, device);
        for (method, expire) in [(Method::Subscribe, 60), (Method::Message, 0), (Method::Subscribe, 0)] {
            let mut request = chat.request(method, identity);
            if method == Method::Subscribe {
                request.headers.set_number("Expire", expire);
            }
            assert_eq!(chat.ask_from(&peer, request), code, "{user} as {identity}: {method:?}");
        }
    }
}

#[test]
fn a_member_that_is_not_refreshed_is_dropped() {
    let mut chat = Chat::new();
    for (user, expire) in [("alice", 60), ("bob", 90), ("carol", 30)] {
        let join = chat.subscribe(user, expire);
        assert_eq!(chat.ask(join), 200);
    }
    chat.harness.advance(Duration::from_secs(29));
    let refresh = chat.subscribe("carol", 31); // until 60 s
    assert_eq!(chat.ask(refresh), 200);
    let shorter = chat.subscribe("bob", 1); // until 30 s
    assert_eq!(chat.ask(shorter), 200);
    chat.harness.advance(Duration::from_millis(999));
    assert_eq!(chat.members().as_object().unwrap().len(), 3);
    chat.harness.advance(Duration::from_millis(1));
    assert_eq!(chat.members().as_object().unwrap().keys().collect::<Vec<_>>(), ["alice", "carol"]);
    chat.harness.advance(Duration::from_secs(30));
    assert_eq!(chat.call("GET", "/rooms").1["rooms"], json!([]));
    let message = chat.request(Method::Message, "alice");
    assert_eq!(chat.ask(message), 404);
}

#[test]
fn many_that_expire_at_once_are_all_dropped() {
    let mut chat = Chat::new();
    for n in 0..1000 {
        chat.join(&format!("user-{n}"));
    }
    chat.harness.advance(Duration::from_secs(3600));
    assert_eq!(chat.call("GET", "/rooms").1["rooms"], json!([]));
}

#[test]
fn refusals() {
    let mut chat = Chat::of(&["alice"]);
    let mut no_expire = chat.subscribe("bob", 60);
    no_expire.headers.remove("Expire");
    chat.ask(no_expire);
    let mut neither = chat.subscribe("bob", 60);
    neither.headers.remove("Expire").remove("P-Asserted-Identity");
    chat.ask(neither);
    let mut no_number = chat.subscribe("bob", 60);
    no_number.headers.set_text("Expire", "soon");
    chat.ask(no_number);
    let mut nobody = chat.subscribe("bob", 60);
    nobody.headers.remove("P-Asserted-Identity");
    chat.ask(nobody);
    let mut nobody_leaves = chat.subscribe("", 0);
    nobody_leaves.headers.set_number("P-Asserted-Identity", 1);
    chat.ask(nobody_leaves);
    let mut nobody_speaks = chat.request(Method::Message, "bob");
    nobody_speaks.headers.remove("P-Asserted-Identity");
    chat.ask(nobody_speaks);
    let mut elsewhere = chat.subscribe("alice", 0);
    elsewhere.to = "room:1@test.com".into();
    chat.ask(elsewhere);
    let mut speaks_elsewhere = chat.request(Method::Message, "alice");
    speaks_elsewhere.to = "room:1@test.com".into();
    chat.ask(speaks_elsewhere);
    let stranger = chat.subscribe("bob", 0);
    chat.ask(stranger);
    let strange = chat.request(Method::Message, "bob");
    chat.ask(strange);
    for method in [Method::Invite, Method::Options, Method::Register, Method::Notify] {
        let request = chat.request(method, "alice");
        chat.ask(request);
    }
    let mut no_room = chat.subscribe("bob", 60);
    no_room.to = "".into();
    chat.ask(no_room);
    let mut no_sender = chat.request(Method::Message, "alice");
    no_sender.from = "".into();
    chat.ask(no_sender);
    assert!(chat.harness.opened().is_empty());
    insta::assert_snapshot!(chat.harness.log());
}

#[test]
fn ack_and_cancel_of_a_refused_invite_get_no_answer() {
    let mut harness = Harness::<ChatRoom>::new();
    let invite = harness.first(Method::Invite, "alice", ROOM);
    let dialog = harness.dial(invite);
    harness.send(dialog, Method::Cancel);
    harness.send(dialog, Method::Ack);
    assert_eq!(harness.sent(dialog).len(), 1);
}

#[test]
fn busy() {
    let mut chat = Chat::of(&["alice"]);
    chat.harness.limit_mailboxes(0);
    let message = chat.request(Method::Message, "alice");
    assert_eq!(chat.ask(message), 503);
    let refresh = chat.subscribe("alice", 60);
    assert_eq!(chat.ask(refresh), 503);
}

#[test]
fn two_rooms_know_nothing_of_each_other() {
    let mut chat = Chat::of(&["alice", "bob"]);
    for user in ["alice", "carol"] {
        let mut join = chat.subscribe(user, 60);
        join.to = "room:1@test.com".into();
        assert_eq!(chat.ask(join), 200);
    }
    chat.say("alice", "hello");
    assert_eq!(chat.copies(), [("bob".to_owned(), "hello".to_owned())]);
    chat.leave("alice");
    let mut message = chat.request(Method::Message, "alice");
    message.to = "room:1@test.com".into();
    assert_eq!(chat.ask(message), 200);
    assert_eq!(chat.copies_to("carol").len(), 1);
}

#[test]
fn a_copy_is_as_it_was_sent_but_for_its_own_fields() {
    let mut chat = Chat::of(&["alice", "bob"]);
    let message = Message::decode(
        r#"{"Type":"MESSAGE","Request-URI":"chatroom.test.com","From":"Al <alice>","To":"room:888@test.com","DialogueID":"d","CSeq":7,
            "Router":"edge.test.com;type=chatroom, bob@node.test.com","P-Asserted-Identity":"alice","X-N":1.50e3,"Body":{"text" : "hi"}}"#,
    );
    let Message::Request(message) = message.unwrap() else { unreachable!() };
    chat.ask(message);
    insta::assert_snapshot!(chat.harness.log());
}

/// By way of one room nobody makes another of a user's name, whose copies would look as if from user to user.
#[test]
fn to_is_a_room() {
    let mut chat = Chat::new();
    let table = [
        ("room:888@test.com", "", "bob@test.com", 400),
        ("room:888@test.com;x", "", "", 400),
        ("room:888@test.com", "", "room:7@test.com", 200),
        ("lobby@test.com;type=chatroom", "", "lobby@test.com", 200),
        ("lobby", "", "lobby", 200),
        ("lobby;type=chatroom", "", "hall", 400),
        ("chatroom.test.com", "edge.test.com;type=chatroom", "hall", 200),
    ];
    for (uri, router, to, code) in table {
        let mut join = chat.subscribe("bob", 60);
        (join.uri, join.to) = (uri.into(), to.into());
        join.router = (!router.is_empty()).then(|| router.into());
        let mut message = chat.request(Method::Message, "bob");
        (message.uri, message.to, message.router) = (join.uri.clone(), join.to.clone(), join.router.clone());
        assert_eq!([chat.ask(join), chat.ask(message)], [code, code], "{uri} {router} {to}");
    }
}

#[test]
fn settings() {
    let refused = |yaml| Harness::<ChatRoom>::try_with_settings(yaml).map(|_| ()).unwrap_err().to_string();
    let refusals = [
        "qsize: 0",
        "transtimer: 5",
        "max_pause: 1",
        "members: 0",
        "rooms: 0",
        "memberships: 0",
        "all_memberships: no",
        "qzise: 1",
    ]
    .map(refused);
    insta::assert_snapshot!(refusals.join("\n"));
    assert!(Harness::<ChatRoom>::try_with_settings("# the defaults").is_ok());
}
