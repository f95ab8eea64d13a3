//! `im.v1`.

use rtcd_sdk::Peer;
use rtcd_sdk::axum::body::Body;
use rtcd_sdk::axum::http::Request;
use rtcd_sdk::harness::{Harness, call_api, signed_in};
use rtcd_sdk::jsip::Method;
use rtcd_sdk::serde_json::value::RawValue;
use rtcd_sdk::serde_json::{Value, json};

use super::office::{ALICE, BOB, CAROL};
use crate::{Im, ImApi};

fn get(user: &str, path: &str) -> Request<Body> {
    signed_in(user, Request::get(path).body(Body::empty()).unwrap())
}

fn say(harness: &mut Harness<Im>, from: &str, to: &str, text: &str) {
    let mut message = harness.first(Method::Message, from, to);
    message.headers.set_text("Message-ID", text).set_text("Body", text);
    let dialog = harness.dial_from(&Peer::new(from, None), message);
    harness.ended(dialog);
}

fn ids(answer: &Value) -> Vec<&str> {
    answer["messages"].as_array().unwrap().iter().map(|message| message["id"].as_str().unwrap()).collect()
}

#[test]
fn history_in_pages() {
    let mut harness = Harness::<Im>::new();
    for n in 1..=5 {
        let (from, to) = if n % 2 == 1 { (ALICE, BOB) } else { (BOB, ALICE) };
        say(&mut harness, from, to, &n.to_string());
    }
    say(&mut harness, ALICE, CAROL, "other");
    let mut call = |user: &str, path: &str| {
        let answer = harness.call_api::<ImApi>(get(user, path));
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    };
    let all = call(ALICE, "/history/bob@test.com");
    assert_eq!((ids(&all), &all["next"]), (vec!["1", "2", "3", "4", "5"], &json!(null)));
    assert_eq!(call(BOB, "/history/alice%40test.com"), all);
    let last = call(ALICE, "/history/bob@test.com?limit=2");
    assert_eq!((ids(&last), &last["next"]), (vec!["4", "5"], &json!(4)));
    let before = call(ALICE, "/history/bob@test.com?limit=2&before=4");
    assert_eq!((ids(&before), &before["next"]), (vec!["2", "3"], &json!(2)));
    let after = call(ALICE, "/history/bob@test.com?limit=2&after=1");
    assert_eq!((ids(&after), &after["next"]), (vec!["2", "3"], &json!(3)));
    // Nobody else sees them.
    assert_eq!(ids(&call(CAROL, "/history/bob@test.com")), Vec::<&str>::new());
    let mut first = all["messages"][0].clone();
    assert!(first["date"].as_str().is_some_and(|date| date.ends_with('Z')));
    first["date"] = json!("…");
    let expected = json!({"seq": 1, "id": "1", "from": ALICE, "to": BOB, "date": "…", "content_type": null, "body": "1", "state": "sent"});
    assert_eq!(first, expected);
}

/// A page ends before `limit` if its messages are large, and `next` goes on from there.
#[test]
fn large_messages_in_pages() {
    let mut harness = Harness::<Im>::new();
    for n in 0..12 {
        for (to, text) in [(BOB.to_owned(), n.to_string()), (format!("user{n}@test.com"), "large".to_owned())]
        {
            let mut message = harness.first(Method::Message, ALICE, &to);
            message.headers.set_text("Message-ID", &text).set_text("Body", &"x".repeat(60_000));
            let dialog = harness.dial_from(&Peer::new(ALICE, None), message);
            harness.ended(dialog);
        }
    }
    let mut walk = |path: &str, list: &str, place: fn(&Value) -> &Value| {
        let (mut pages, mut next) = (Vec::new(), String::new());
        loop {
            let answer = harness.call_api::<ImApi>(get(ALICE, &format!("{path}limit=200{next}"))).body;
            let page: Vec<_> =
                answer[list].as_array().unwrap().iter().map(|one| place(one).to_string()).collect();
            assert!(answer.to_string().len() < 400_000);
            pages.push(page);
            let cursor = if path.contains("after") { "after" } else { "before" };
            let Some(place) = answer["next"].as_u64() else { return pages };
            next = format!("&{cursor}={place}");
        }
    };
    let quoted = |ids: std::ops::Range<u32>| ids.map(|n| format!("\"{n}\"")).collect::<Vec<_>>();
    let back = walk("/history/bob@test.com?", "messages", |one| &one["id"]);
    assert_eq!(back, [quoted(7..12), quoted(2..7), quoted(0..2)]);
    let list = walk("/conversations?", "conversations", |one| &one["with"]);
    assert_eq!(list.iter().map(Vec::len).collect::<Vec<_>>(), [5, 5, 3]);
    let mut after = harness.call_api::<ImApi>(get(ALICE, "/history/bob@test.com?limit=200&after=0")).body;
    assert_eq!((ids(&after).join(" "), after["next"].take()), ("0 1 2 3 4".to_owned(), json!(9)));
}

#[test]
fn conversations_newest_first() {
    let mut harness = Harness::<Im>::new();
    say(&mut harness, BOB, ALICE, "1");
    say(&mut harness, ALICE, CAROL, "2");
    say(&mut harness, BOB, ALICE, "3");
    let answer = harness.call_api::<ImApi>(get(ALICE, "/conversations")).body;
    let seen: Vec<_> = answer["conversations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["with"].as_str().unwrap(),
                one["last"]["id"].as_str().unwrap(),
                one["unread"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(seen, [(BOB, "3", 2), (CAROL, "2", 0)]);
    let first = harness.call_api::<ImApi>(get(ALICE, "/conversations?limit=1")).body;
    assert_eq!(first["next"], 3);
    let second = harness.call_api::<ImApi>(get(ALICE, "/conversations?limit=1&before=3")).body;
    assert_eq!((&second["conversations"][0]["with"], &second["next"]), (&json!(CAROL), &json!(2)));
}

#[test]
fn what_is_refused() {
    let mut harness = Harness::<Im>::new();
    let unsigned = Request::get("/conversations").body(Body::empty()).unwrap();
    assert_eq!(harness.call_api::<ImApi>(unsigned).status, 401);
    assert_eq!(harness.call_api::<ImApi>(get(ALICE, "/history/bob@test.com?limit=x")).status, 400);
    assert_eq!(harness.call_api::<ImApi>(get(ALICE, "/history/bob@test.com?from=1")).status, 400);
    let rooms = harness.call_api::<ImApi>(get(ALICE, "/history/room:1@test.com"));
    assert_eq!(rooms.body, json!({"code": 102, "msg": "The rooms are not loaded"}));
    let alone = call_api::<ImApi>(get(ALICE, "/conversations"));
    assert_eq!(alone.body, json!({"code": 102, "msg": "The messages are not loaded"}));
}

/// What is no number or text elsewhere, too: the history says what the receiver was sent.
#[test]
fn a_body_stays_as_it_is() {
    let mut harness = Harness::<Im>::new();
    let bodies = ["12345678901234567890123", r#""\ud800""#, r#"{"b":1e999,"a":1.10}"#];
    for (n, body) in bodies.into_iter().enumerate() {
        let mut message = harness.first(Method::Message, ALICE, BOB);
        let body = RawValue::from_string(body.to_owned()).unwrap();
        let _ = message.headers.set_text("Message-ID", &n.to_string()).set_raw("Body", &body);
        let dialog = harness.dial_from(&Peer::new(ALICE, None), message);
        harness.ended(dialog);
    }
    for path in ["/history/bob@test.com", "/conversations"] {
        let answer = harness.call_api::<ImApi>(get(ALICE, path));
        assert_eq!(answer.status, 200);
        // It cannot be read as a `Value`.
        let text = answer.body.as_str().unwrap();
        let expected = if path == "/conversations" { &bodies[2..] } else { &bodies[..] };
        for body in expected {
            assert!(text.contains(&format!("\"body\":{body},")), "{text}");
        }
    }
}
