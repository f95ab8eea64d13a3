use std::time::Duration;

use rtcd_sdk::jsip::{Message, Method};
use rtcd_store::Kind;

use super::database::Slow;
use super::world::{ROOM, World};

#[test]
fn it_is_kept_before_the_sender_has_its_answer_and_anybody_hears_it() {
    let mut world = World::new(0);
    world.join("alice");
    world.join("bob");
    world.database().set_slow(Slow::Writes);
    let said = world.say("alice", "hello");
    world.harness.advance(Duration::from_secs(5));
    assert_eq!((world.code(said), world.heard()), (None, vec![]));
    world.database().set_slow(Slow::Nothing);
    world.harness.advance(Duration::ZERO);
    assert_eq!((world.code(said), world.heard()), (Some(200), vec!["bob: hello".to_owned()]));
    let [kept] = world.kept().try_into().unwrap();
    assert_eq!((&*kept.id, &*kept.sender, &*kept.receiver, kept.kind), ("hello", "alice", ROOM, Kind::Room));
}

#[test]
fn what_cannot_be_kept_is_refused_and_heard_by_nobody() {
    let mut world = World::new(0);
    world.join("alice");
    world.join("bob");
    world.database().set_full(true);
    let said = world.say("alice", "lost");
    assert_eq!((world.code(said), world.heard()), (Some(503), vec![]));
    // All else goes on.
    let join = world.join("carol");
    assert_eq!(world.code(join), Some(200));
    world.database().set_full(false);
    let said = world.say("alice", "kept");
    assert_eq!(world.code(said), Some(200));
    assert_eq!(world.heard(), ["bob: kept", "carol: kept"]);
    assert_eq!(world.kept().len(), 1);
    assert!(
        world.harness.log().contains("503 Service Unavailable 1 Reason=\"The message cannot be kept now\"")
    );
}

/// However long it takes to say no, and though no word of it gets into the mailbox of the rooms.
#[test]
fn what_is_refused_is_heard_by_nobody_though_the_rooms_are_busy() {
    let mut world = World::new(0);
    world.join("alice");
    world.join("bob");
    world.database().set_slow(Slow::Writes);
    world.database().set_full(true);
    let lost = world.say("alice", "lost");
    world.harness.advance(Duration::from_secs(60));
    assert_eq!((world.code(lost), world.heard()), (None, vec![]));
    world.harness.limit_mailboxes(0);
    world.database().set_slow(Slow::Nothing);
    world.harness.advance(Duration::from_secs(60));
    assert_eq!((world.code(lost), world.heard()), (Some(503), vec![]));
    world.harness.limit_mailboxes(usize::MAX);
    world.database().set_full(false);
    world.say("alice", "kept");
    assert_eq!(world.heard(), ["bob: kept"]);
}

/// The rooms may drop a question: when the server stops, or by a fault of their own. Then it was not done, and can be asked again.
#[test]
fn who_gets_no_answer_from_the_rooms_may_ask_again() {
    let mut world = World::new(0);
    world.join("alice");
    world.join("bob");
    world.database().set_panics(true);
    let lost = world.say("alice", "hello");
    assert!(world.harness.log().contains("503 Service Unavailable 1 Reason=\"The rooms gave no answer\""));
    world.database().set_panics(false);
    world.harness.advance(Duration::from_secs(60));
    assert_eq!((world.code(lost), world.heard()), (Some(503), vec![]));
    world.say("alice", "hello");
    assert_eq!(world.heard(), ["bob: hello"]);
}

/// Whoever says something again hears of the first time; so do all others, though no word of it gets through.
#[test]
fn a_repeat_has_its_first_date_though_the_rooms_are_busy() {
    let mut world = World::new(0);
    world.join("alice");
    world.join("bob");
    world.say("alice", "hello");
    assert_eq!(world.heard(), ["bob: hello"]);
    world.harness.advance(Duration::from_secs(9));
    world.database().set_slow(Slow::Writes);
    let again = world.say("alice", "hello");
    world.harness.limit_mailboxes(0);
    world.database().set_slow(Slow::Nothing);
    world.harness.advance(Duration::ZERO);
    assert_eq!((world.code(again), world.harness.opened().len()), (Some(200), 1));
    world.harness.advance(Duration::from_millis(200));
    let dates: Vec<_> =
        world.harness.opened().into_iter().map(|copy| date(&world.harness.sent(copy)[0])).collect();
    assert_eq!(dates, ["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z"]);
}

fn date(message: &Message) -> String {
    message.headers().text("Date").unwrap().into_owned()
}

/// One of three that wait for their commit fails: the others are heard, in order.
#[test]
fn one_that_fails_holds_up_no_other() {
    for failing in 0..3 {
        let mut world = World::new(0);
        world.join("alice");
        world.join("bob");
        let mut said = Vec::new();
        for n in 0..3 {
            // The first ones fail or not when it is their turn; the database is asked in order.
            world.database().set_full(n == failing);
            world.harness.hold();
            said.push(world.say("alice", &n.to_string()));
            while world.harness.step() {}
        }
        world.harness.release();
        let codes: Vec<_> = said.iter().map(|dialog| world.code(*dialog)).collect();
        let expected: Vec<_> = (0..3).map(|n| Some(if n == failing { 503 } else { 200 })).collect();
        assert_eq!(codes, expected);
        let heard: Vec<_> = (0..3).filter(|n| *n != failing).map(|n| format!("bob: {n}")).collect();
        assert_eq!(world.heard(), heard);
    }
}

#[test]
fn ids_dates_and_senders() {
    let mut world = World::new(0);
    world.join("alice@test.com;device=phone");
    world.join("bob");
    world.harness.advance(Duration::from_millis(1500));
    for id in ["", &"x".repeat(65), &"ö".repeat(64)] {
        let mut message = world.request(Method::Message, "alice@test.com;device=phone");
        message.headers.set_text("Message-ID", id).set_text("Body", "hello").set_text("Date", "yesterday");
        world.harness.dial(message);
    }
    let mut no_text = world.request(Method::Message, "alice@test.com;device=phone");
    no_text.headers.set_number("Message-ID", 7).set_text("Body", "hello");
    let last = world.harness.dial(no_text);
    let [Message::Response(answer)] = world.harness.sent(last) else { panic!("no answer") };
    assert_eq!(answer.headers.text("Message-ID").as_deref(), Some("id_3"));
    assert_eq!(answer.headers.text("Date").as_deref(), Some("2026-01-01T00:00:01.500Z"));
    let kept: Vec<_> = world.kept().into_iter().map(|kept| (kept.id, kept.sender)).collect();
    let ids = ["id_1", "id_2", &"ö".repeat(64), "id_3"];
    assert_eq!(kept, ids.map(|id| (id.to_owned(), "alice@test.com".to_owned())));
    let opened = world.harness.opened();
    for (dialog, id) in opened.iter().zip(ids) {
        let copy = world.harness.first_request(*dialog);
        assert_eq!(copy.headers.text("Message-ID").as_deref(), Some(id));
        assert_eq!(copy.headers.text("Date").as_deref(), Some("2026-01-01T00:00:01.500Z"));
    }
}

/// Whoever is not sure says it again with the same id: it is kept once, and heard with the first date.
#[test]
fn a_repeat_is_kept_once() {
    let mut world = World::new(0);
    world.join("alice");
    world.join("bob");
    world.say("alice", "hello");
    assert_eq!(world.heard(), ["bob: hello"]);
    world.harness.advance(Duration::from_secs(9));
    let again = world.say("alice", "hello");
    assert_eq!(world.code(again), Some(200));
    assert_eq!(date(&world.harness.sent(again)[0]), "2026-01-01T00:00:00.000Z");
    let copies = world.harness.opened();
    let dates: Vec<_> = copies.iter().map(|copy| date(&world.harness.sent(*copy)[0])).collect();
    assert_eq!(dates, ["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z"]);
    assert_eq!(world.kept().len(), 1);
}

#[test]
fn a_new_member_is_told_the_last_ones_in_order() {
    let mut world = World::new(3);
    world.join("alice");
    for text in ["1", "2", "3", "4", "5"] {
        world.say("alice", text);
    }
    world.harness.take_log();
    world.join("bob");
    insta::assert_snapshot!(world.harness.log());
    assert_eq!(world.heard(), ["bob: 3", "bob: 4", "bob: 5"]);
    // A refresh tells nothing; who left and comes back is new.
    world.join("bob");
    assert!(world.heard().is_empty());
    world.say("alice", "6");
    assert_eq!(world.heard(), ["bob: 6"]);
    let mut leave = world.request(Method::Subscribe, "bob");
    leave.headers.set_number("Expire", 0);
    world.harness.dial(leave);
    world.join("bob");
    assert_eq!(world.heard(), ["bob: 4", "bob: 5", "bob: 6"]);
}

#[test]
fn what_is_said_meanwhile_comes_after_and_once() {
    // Whether a read finds it or not.
    for slow in [Slow::Reads, Slow::Answers] {
        said_meanwhile(slow);
    }
}

fn said_meanwhile(slow: Slow) {
    let mut world = World::new(10);
    world.join("alice");
    world.say("alice", "1");
    // Under way to the disk when Bob comes: he hears it, whether he finds it there or not.
    world.database().set_slow(Slow::Writes);
    let two = world.say("alice", "2");
    world.join("bob");
    assert_eq!(world.heard(), ["bob: 1"]);
    world.database().set_slow(Slow::Nothing);
    world.harness.advance(Duration::ZERO);
    assert_eq!((world.code(two), world.heard()), (Some(200), vec!["bob: 2".to_owned()]));
    // Said while Carol waits for what was said before.
    world.database().set_slow(slow);
    let carol = world.join("carol");
    assert_eq!(world.code(carol), Some(200));
    world.say("alice", "3");
    assert_eq!(world.heard(), ["bob: 3"]);
    world.database().set_slow(Slow::Nothing);
    world.harness.advance(Duration::ZERO);
    assert_eq!(world.heard(), ["carol: 1", "carol: 2", "carol: 3"]);
    // What one says oneself, too, is not told as said before.
    world.database().set_slow(slow);
    world.join("erin");
    world.say("erin", "4");
    assert_eq!(world.heard(), ["alice: 4", "bob: 4", "carol: 4"]);
    world.database().set_slow(Slow::Nothing);
    world.harness.advance(Duration::ZERO);
    assert_eq!(world.heard(), ["erin: 1", "erin: 2", "erin: 3"]);
    // Not for who is no member any more, nor twice for who is one again.
    world.database().set_slow(slow);
    for expire in [3600, 0, 3600] {
        let mut request = world.request(Method::Subscribe, "dave");
        request.headers.set_number("Expire", expire);
        world.harness.dial(request);
    }
    world.database().set_slow(Slow::Nothing);
    world.harness.advance(Duration::ZERO);
    assert_eq!(world.heard(), ["dave: 1", "dave: 2", "dave: 3", "dave: 4"]);
}

#[test]
fn a_store_that_does_not_answer_holds_up_no_member_for_long() {
    let mut world = World::new(10);
    world.join("alice");
    world.say("alice", "1");
    world.database().set_slow(Slow::Reads);
    world.join("bob");
    world.say("alice", "2");
    world.harness.advance(Duration::from_millis(9_999));
    assert!(world.heard().is_empty());
    world.harness.advance(Duration::from_millis(1));
    assert_eq!(world.heard(), ["bob: 2"]);
    world.database().set_slow(Slow::Nothing);
    world.harness.advance(Duration::ZERO);
    assert!(world.heard().is_empty());
}

/// Whatever comes when: each member hears what was said before it came and after, in order, nothing twice, and not what it said.
#[test]
fn nothing_is_missed_or_heard_twice_by_who_comes() {
    for seed in 1..300 {
        drawn(seed);
    }
}

fn drawn(seed: u64) {
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = |below: usize| {
        random ^= random >> 12;
        random ^= random << 25;
        random ^= random >> 27;
        (random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below
    };
    let mut world = World::new(100);
    world.harness.hold();
    let (mut said, mut joins) = (0, Vec::new());
    for _ in 0..80 {
        let joined: Vec<_> =
            (0..joins.len()).filter(|member| world.code(joins[*member]) == Some(200)).collect();
        match draw(10) {
            0 if joins.len() < 5 => joins.push(world.join(&format!("member-{}", joins.len()))),
            1..=3 if said < 20 && !joined.is_empty() => {
                said += 1;
                world.say(&format!("member-{}", joined[draw(joined.len())]), &said.to_string());
            }
            4 => {
                world.database().set_slow([Slow::Nothing, Slow::Writes, Slow::Reads, Slow::Answers][draw(4)])
            }
            _ => {
                world.harness.step();
            }
        }
    }
    world.database().set_slow(Slow::Nothing);
    world.harness.release();
    let heard = world.heard();
    let kept: Vec<_> = world.kept().into_iter().map(|kept| (kept.sender, kept.id)).collect();
    assert_eq!(kept.len(), said);
    for member in 0..joins.len() {
        let name = format!("member-{member}");
        let of_member: Vec<_> =
            heard.iter().filter_map(|line| line.strip_prefix(&format!("{name}: "))).collect();
        let of_others: Vec<_> =
            kept.iter().filter(|(sender, _)| *sender != name).map(|(_, id)| id.as_str()).collect();
        assert_eq!(of_member, of_others, "seed {seed}, {name}");
    }
}

/// They are more than the store gives at once.
#[test]
fn large_ones_are_told_too() {
    let mut world = World::new(12);
    world.join("alice");
    for n in 0..20 {
        let mut message = world.request(Method::Message, "alice");
        message.headers.set_text("X-Large", &"x".repeat(60_000)).set_text("Body", &n.to_string());
        world.harness.dial(message);
    }
    world.join("bob");
    assert_eq!(world.heard(), (8..20).map(|n| format!("bob: {n}")).collect::<Vec<_>>());
}

#[test]
fn who_is_a_member() {
    let mut world = World::new(0);
    world.join("alice@test.com;device=phone");
    world.join("bob@test.com");
    for (room, user, is_member) in [
        (ROOM, "alice@test.com", true),
        (ROOM, "bob@test.com", true),
        (ROOM, "carol@test.com", false),
        (ROOM, "alice", false),
        ("room:9@test.com", "alice@test.com", false),
    ] {
        assert_eq!(world.has_member(room, user), is_member, "{user} in {room}");
    }
}

/// A name that may be a user's has no history, as with `keep: false`.
#[test]
fn of_other_names_than_those_of_rooms_nothing_is_kept() {
    let mut world = World::new(10);
    for (method, user) in
        [(Method::Subscribe, "alice"), (Method::Message, "alice"), (Method::Subscribe, "bob")]
    {
        let mut request = world.request(method, user);
        (request.uri, request.to) = ("bob@test.com".into(), "bob@test.com".into());
        request.headers.set_number("Expire", 60).set_text("Body", "hello");
        let dialog = world.harness.dial(request);
        let [Message::Response(response)] = world.harness.sent(dialog) else { panic!("one answer") };
        assert!(response.code.is_success() && !response.headers.contains("Message-ID"));
    }
    assert_eq!(world.heard(), Vec::<String>::new());
    let store = rtcd_store::Store::over(world.database());
    let page = rtcd_store::Page { before: None, after: None, limit: 100 };
    let room = rtcd_store::Conversation::room("bob@test.com");
    assert!(world.harness.block_on(store.history(&room, page)).unwrap().is_empty());
}
