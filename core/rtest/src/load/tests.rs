//! What a connection makes of what it receives, without a connection.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Parser;
use serde_json::Value;

use super::call::{Callee, Caller};
use super::chat::{Member, Room};
use super::message::Messages;
use super::session::Session;
use super::wire::{Fixed, Incoming};
use super::work::{Turn, Work as _};
use super::*;
use crate::cli::{Cli, Command};

/// A work and all that it needs.
struct Bench<W> {
    work: W,
    shared: Shared,
    now: Instant,
}

impl<W: work::Work> Bench<W> {
    fn new(work: W) -> Self {
        let cli = Cli::try_parse_from(["rtest", "load", "--timeout", "5"]).unwrap();
        let Some(Command::Load(options)) = cli.command else { panic!() };
        Self { work, shared: Shared { options, stats: Stats::new() }, now: Instant::now() }
    }

    /// Does `step`; gives what it sends.
    fn turn(&mut self, step: impl FnOnce(&mut W, &mut Turn<'_>)) -> Vec<Value> {
        let mut out = Vec::new();
        step(&mut self.work, &mut Turn { now: self.now, out: &mut out, shared: &self.shared });
        out.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    /// One that takes refusals.
    fn lenient(work: W) -> Self {
        let mut bench = Self::new(work);
        bench.shared.options.refusals = true;
        bench
    }

    fn begin(&mut self) -> Vec<Value> {
        self.turn(|work, turn| work.begin(turn.now, turn))
    }

    fn receive(&mut self, text: &str) -> Vec<Value> {
        let message = Incoming::parse(text).unwrap();
        self.turn(|work, turn| work.on_message(&message, turn))
    }

    /// Receives the response `code` to `request`.
    fn answer(&mut self, request: &Value, code: u16) -> Vec<Value> {
        let text = request.to_string();
        self.receive(&Incoming::parse(&text).unwrap().response(code, "x"))
    }

    fn counts(&self) -> (u64, i64, BTreeMap<String, u64>) {
        (self.shared.stats.units(), self.shared.stats.in_flight(), self.shared.stats.error_kinds())
    }
}

fn kinds<const N: usize>(kinds: [(&str, u64); N]) -> BTreeMap<String, u64> {
    kinds.into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect()
}

fn fixed() -> Fixed {
    Fixed::new("b@h", "a@h", "b@h", "", "")
}

fn types(messages: &[Value]) -> Vec<String> {
    let name = |message: &Value| match &message["Code"] {
        Value::Null => message["Type"].as_str().unwrap().to_owned(),
        code => code.to_string(),
    };
    messages.iter().map(name).collect()
}

#[tokio::test(start_paused = true)]
async fn messages() {
    let mut bench = Bench::new(Messages::new("p-".to_owned(), fixed(), false));
    let sent: Vec<Value> = (0..4).flat_map(|_| bench.begin()).collect();
    assert_eq!(types(&sent), ["MESSAGE"; 4]);
    bench.answer(&sent[0], 100);
    assert_eq!(bench.counts(), (0, 4, kinds([])));
    bench.answer(&sent[0], 200);
    bench.answer(&sent[1], 503);
    assert_eq!(bench.counts(), (1, 2, kinds([("unexpected code 503", 1)])));
    bench.answer(&sent[0], 200);
    assert!(bench.receive(r#"{"Type":"ACK","DialogueID":"p-2.2","CSeq":1,"From":"a","To":"b"}"#).is_empty());
    bench.now += Duration::from_secs(5);
    bench.turn(|work, turn| work.expire(turn));
    let expected = [
        ("unexpected code 503", 1),
        ("answer to nothing open (late or double)", 1),
        ("unexpected ACK", 1),
        ("timeout", 2),
    ];
    assert_eq!(bench.counts(), (1, 0, kinds(expected)));
}

#[tokio::test(start_paused = true)]
async fn a_call_with_both_ends() {
    let mut caller = Bench::new(Caller::new("p-".to_owned(), fixed(), fixed()));
    let mut callee = Bench::new(Callee::default());
    let invite = caller.begin();
    let answers = callee.receive(&invite[0].to_string());
    assert_eq!(
        (types(&invite), types(&answers)),
        (vec!["INVITE".to_owned()], vec!["180".into(), "200".into()])
    );
    assert!(caller.receive(&answers[0].to_string()).is_empty());
    let end = caller.receive(&answers[1].to_string());
    assert_eq!(types(&end), ["ACK", "BYE"]);
    assert_eq!(end[0]["RelatedID"], invite[0]["CSeq"]);
    assert!(callee.receive(&end[0].to_string()).is_empty());
    let last = callee.receive(&end[1].to_string());
    assert!(caller.receive(&last[0].to_string()).is_empty());
    assert_eq!(caller.counts(), (1, 0, kinds([])));
    callee.turn(|work, turn| work.leave(turn));
    assert_eq!(callee.counts(), (0, 0, kinds([])));
}

#[tokio::test(start_paused = true)]
async fn calls_that_go_wrong() {
    let mut caller = Bench::new(Caller::new("p-".to_owned(), fixed(), fixed()));
    let refused = caller.begin();
    assert_eq!(types(&caller.answer(&refused[0], 480)), ["ACK"]);
    let broken = caller.begin();
    let end = caller.answer(&broken[0], 200);
    assert!(caller.answer(&end[1], 481).is_empty());
    let bye = r#"{"Type":"BYE","DialogueID":"x","CSeq":1,"From":"a","To":"b"}"#;
    assert_eq!(types(&caller.receive(bye)), ["200"]);
    let expected =
        [("unexpected code 480 to INVITE", 1), ("unexpected code 481 to BYE", 1), ("unexpected BYE", 1)];
    assert_eq!(caller.counts(), (0, 0, kinds(expected)));

    let mut callee = Bench::new(Callee::default());
    callee.receive(&refused[0].to_string());
    callee.turn(|work, turn| work.leave(turn));
    assert_eq!(callee.counts().2, kinds([("answered call without ACK", 1)]));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_no_error_if_it_may_be() {
    let mut caller = Bench::lenient(Caller::new("p-".to_owned(), fixed(), fixed()));
    let refused = caller.begin();
    assert_eq!(types(&caller.answer(&refused[0], 503)), ["ACK"]);
    let broken = caller.begin();
    let end = caller.answer(&broken[0], 200);
    caller.answer(&end[1], 503);
    assert_eq!(caller.shared.stats.refusals(), 1);
    assert_eq!(caller.counts(), (0, 0, kinds([("unexpected code 503 to BYE", 1)])));

    for (mut bench, refusals, errors) in [
        (Bench::lenient(Messages::new("p-".to_owned(), fixed(), false)), 1, kinds([])),
        (Bench::new(Messages::new("p-".to_owned(), fixed(), false)), 0, kinds([("unexpected code 503", 1)])),
    ] {
        let message = bench.begin();
        bench.answer(&message[0], 503);
        assert_eq!((bench.shared.stats.refusals(), bench.counts()), (refusals, (0, 0, errors)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_and_what_is_sent_in_it() {
    let mut session = Bench::new(Session::new("d".to_owned(), fixed(), fixed(), fixed()));
    let invite = session.turn(|work, turn| work.open(turn));
    assert!(session.answer(&invite[0], 180).is_empty());
    assert!(!session.work.is_ready());
    let ack = session.answer(&invite[0], 200);
    assert_eq!((types(&ack), &ack[0]["RelatedID"]), (vec!["ACK".to_owned()], &invite[0]["CSeq"]));
    assert!(session.work.is_ready());

    let (first, second, lost) = (session.begin(), session.begin(), session.begin());
    assert_eq!(types(&first), ["INFO"]);
    assert_eq!(first[0]["DialogueID"], invite[0]["DialogueID"]);
    assert_eq!(session.work.in_flight(), 3);
    session.answer(&second[0], 200);
    session.answer(&first[0], 481);
    session.answer(&first[0], 200);
    session.now += Duration::from_secs(5);
    session.turn(|work, turn| work.expire(turn));
    session.answer(&lost[0], 200);
    let late = "answer to nothing open (late or double)";
    let expected = kinds([("timeout", 1), ("unexpected code 481 to INFO", 1), (late, 2)]);
    assert_eq!(session.counts(), (1, 0, expected));

    let bye = session.turn(|work, turn| work.leave(turn));
    assert!(!session.work.has_left());
    session.answer(&bye[0], 200);
    assert!(session.work.has_left());
}

#[tokio::test(start_paused = true)]
async fn a_session_that_does_not_open() {
    let mut session = Bench::lenient(Session::new("d".to_owned(), fixed(), fixed(), fixed()));
    let invite = session.turn(|work, turn| work.open(turn));
    assert_eq!(types(&session.answer(&invite[0], 503)), ["ACK"]);
    assert!(!session.work.is_ready());
    assert!(session.turn(|work, turn| work.leave(turn)).is_empty());
    assert_eq!(session.counts(), (0, 0, kinds([("unexpected code 503 to INVITE", 1)])));
}

#[tokio::test(start_paused = true)]
async fn a_room_of_three() {
    let room = Arc::new(Room::new(Instant::now(), 3, 1));
    let member = |index| Bench::new(Member::new(Arc::clone(&room), format!("{index}-"), fixed(), index));
    let (mut sender, mut one, mut two) = (member(0), member(1), member(2));
    let subscribe = sender.turn(|work, turn| work.open(turn));
    assert!(!sender.work.is_ready());
    sender.answer(&subscribe[0], 200);
    assert!(sender.work.is_ready());

    let sent = sender.begin();
    assert_eq!(sent[0]["Body"].as_str().unwrap().len(), 64);
    assert_eq!((sender.work.in_flight(), sender.counts().1), (1, 2));
    sender.answer(&sent[0], 200);
    let delivery = sent[0].to_string();
    assert_eq!(types(&one.receive(&delivery)), ["200"]);
    assert_eq!(sender.work.in_flight(), 1);
    assert_eq!(types(&two.receive(&delivery)), ["200"]);
    assert_eq!(sender.work.in_flight(), 0);

    two.receive(&delivery);
    two.receive(r#"{"Type":"MESSAGE","DialogueID":"x","CSeq":1,"From":"a","To":"b","Body":"hello"}"#);
    sender.begin();
    let third = sender.begin();
    two.receive(&third[0].to_string());
    let expected = [
        ("delivery twice or out of order", 1),
        ("delivery of a message that nobody sent", 1),
        ("delivery lost or out of order", 1),
    ];
    assert_eq!((two.counts().0, two.counts().2), (2, kinds(expected)));

    // Two messages for two members each, of which one has come: nothing more comes.
    sender.turn(|work, turn| work.expire(turn));
    sender.now += Duration::from_secs(5);
    sender.turn(|work, turn| work.expire(turn));
    assert_eq!(sender.counts().2, kinds([("timeout", 3), ("timeout of the sender's request", 2)]));
    assert_eq!(sender.work.in_flight(), 0);
    let refused = sender.begin();
    sender.answer(&refused[0], 404);
    assert_eq!(sender.work.in_flight(), 0);

    let leave = sender.turn(|work, turn| work.leave(turn));
    assert_eq!(leave[0]["Expire"], 0);
    assert!(!sender.work.has_left());
    sender.answer(&leave[0], 200);
    assert!(sender.work.has_left());
}
