//! Services that go wrong, and what tasks may do: a fault is answered, ends its own task, and nothing else.
#![expect(clippy::panic, clippy::indexing_slicing, clippy::unwrap_used, reason = "a test")]

#[path = "../common/mod.rs"]
mod common;
mod services;

use common::{Client, Healthy, Setup, TestServer, ack, answer, fields, request};
use serde_json::{Value, json};

const ROUTES: &str = "
slps: {default: faulty, faulty: faulty, unborn: unborn, keep: keep, call: call}
routes:
  - {when: {method: INVITE, request_uri: '*@*'}, slp: call}
apis: {}
hops: []
";

const ALICE: &str = "alice@client.test";
const BOB: &str = "bob@client.test";
const CAROL: &str = "carol@client.test";

async fn start(settings: &str) -> TestServer {
    Setup::new().routes(ROUTES).settings(settings).start().await
}

fn first(method: &str, case: &str) -> Value {
    request(method, case, ALICE, &format!("{method} {case}"), 1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_is_answered_500_and_all_else_goes_on() {
    let server = start("{}").await;
    let mut healthy = Healthy::start(&server).await;
    let mut alice = Client::connect(&server, ALICE).await;
    for case in ["panic", "panic later", "fail"] {
        let message = first("MESSAGE", case);
        alice.send(&message).await;
        alice.expect(answer(&message, 500)).await;
        let invite = first("INVITE", case);
        alice.send(&invite).await;
        let failed = alice.expect(answer(&invite, 500)).await;
        alice.send(&ack(&failed, 2)).await;
        healthy.check().await;
    }
    let message = fields(first("MESSAGE", "x"), json!({"Router": "x@rtc.test;type=unborn"}));
    alice.send(&message).await;
    alice.expect(answer(&message, 500)).await;
    healthy.end().await;
    server.end_with([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_in_a_session_ends_it() {
    let server = start("{}").await;
    let healthy = Healthy::start(&server).await;
    let mut alice = Client::connect(&server, ALICE).await;
    let invite = first("INVITE", "ring, then panic");
    alice.send(&invite).await;
    alice.expect(answer(&invite, 180)).await;
    let failed = alice.expect(answer(&invite, 500)).await;
    alice.send(&ack(&failed, 2)).await;

    let invite = first("INVITE", "answer, panic at INFO");
    alice.send(&invite).await;
    let accepted = alice.expect(answer(&invite, 200)).await;
    alice.send(&ack(&accepted, 2)).await;
    let info = fields(invite.clone(), json!({"Type": "INFO", "CSeq": 3}));
    alice.send(&info).await;
    alice.expect(answer(&info, 500)).await;
    let bye = alice.expect(json!({"Type": "BYE", "DialogueID": invite["DialogueID"]})).await;
    alice.reply(&bye, 200).await;
    healthy.end().await;
    server.end_with([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_takes_too_long_is_ended() {
    let server = start("limits: {handler_timeout: 300ms, away_queue: 2}").await;
    let mut healthy = Healthy::start(&server).await;
    let mut alice = Client::connect(&server, ALICE).await;
    let sent: Vec<_> = (1..=5).map(|cseq| fields(first("MESSAGE", "sleep"), json!({"CSeq": cseq}))).collect();
    for message in &sent {
        alice.send(message).await;
    }
    // One is being handled, two wait; what is beyond is refused at once, and the rest when the time is over.
    for (cseq, code) in [(4, 503), (5, 503), (1, 500), (2, 500), (3, 500)] {
        alice.expect(json!({"CSeq": cseq, "Code": code})).await;
    }
    healthy.check().await;
    let invite = first("INVITE", "sleep");
    alice.send(&invite).await;
    let failed = alice.expect(answer(&invite, 500)).await;
    alice.send(&ack(&failed, 2)).await;
    healthy.end().await;
    server.end_with([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_answer_leaves_it_to_the_timers() {
    let server = start("jsip: {transtimer: 300ms, prtimer: 600ms}").await;
    let mut alice = Client::connect(&server, ALICE).await;
    let message = first("MESSAGE", "nothing");
    alice.send(&message).await;
    alice.expect(answer(&message, 408)).await;
    for case in ["nothing", "ring, then stay"] {
        let invite = first("INVITE", case);
        alice.send(&invite).await;
        let mut late = alice.recv().await;
        if case != "nothing" {
            assert_eq!(late["Code"], 180);
            late = alice.recv().await;
        }
        assert_eq!(late["Code"], 408);
        alice.send(&ack(&late, 2)).await;
    }
    server.end_with([alice]).await;
}

/// Alice's request makes a task that calls Bob and Carol: their INVITEs. Bob answers, and the task ends.
async fn two_legs(server: &TestServer, case: &str, code: u16) {
    let mut alice = Client::connect(server, ALICE).await;
    let mut bob = Client::connect(server, BOB).await;
    let mut carol = Client::connect(server, CAROL).await;
    let mut healthy = Healthy::start(server).await;
    let message = first("MESSAGE", case);
    alice.send(&message).await;
    let to_bob = bob.expect(json!({"Type": "INVITE", "From": "faulty"})).await;
    let to_carol = carol.expect(json!({"Type": "INVITE", "From": "faulty"})).await;
    carol.reply(&to_carol, 180).await;
    bob.reply(&to_bob, 200).await;
    // Bob's session is up and gets a BYE, Carol's is taken back.
    let bye = bob.expect(json!({"Type": "BYE", "DialogueID": to_bob["DialogueID"]})).await;
    bob.reply(&bye, 200).await;
    let cancel = carol.expect(json!({"Type": "CANCEL", "RelatedID": to_carol["CSeq"]})).await;
    healthy.check().await;
    carol.reply(&cancel, 200).await;
    carol.reply(&to_carol, 487).await;
    carol.expect(json!({"Type": "ACK", "RelatedID": to_carol["CSeq"]})).await;
    alice.expect(answer(&message, code)).await;
    healthy.end().await;
    for client in [bob, carol] {
        client.close().await;
    }
    alice.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_dies_leaves_no_leg() {
    let server = start("{}").await;
    two_legs(&server, "two legs", 500).await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_finishes_leaves_no_leg_either() {
    let server = start("jsip: {transtimer: 2s}").await;
    two_legs(&server, "two legs, finish", 408).await;
    let mut alice = Client::connect(&server, ALICE).await;
    let invite = first("INVITE", "answer and finish");
    alice.send(&invite).await;
    let accepted = alice.expect(answer(&invite, 200)).await;
    let bye = alice.expect(json!({"Type": "BYE"})).await;
    alice.send(&ack(&accepted, 2)).await;
    alice.reply(&bye, 200).await;
    server.end_with([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_leg_is_told() {
    let server = start("{}").await;
    let mut alice = Client::connect(&server, ALICE).await;
    let mut bob = Client::connect(&server, BOB).await;
    for method in ["MESSAGE", "INVITE"] {
        let opening = first(method, "answer");
        alice.send(&opening).await;
        let accepted = alice.expect(answer(&opening, 200)).await;
        if method == "INVITE" {
            alice.send(&ack(&accepted, 2)).await;
            // A MESSAGE in the session's dialog does not end it.
            let message = fields(opening.clone(), json!({"Type": "MESSAGE", "CSeq": 3}));
            alice.send(&message).await;
            alice.expect(answer(&message, 200)).await;
            let bye = fields(opening.clone(), json!({"Type": "BYE", "CSeq": 4}));
            alice.send(&bye).await;
            alice.expect(answer(&bye, 200)).await;
        }
        let term = bob.expect(json!({"Type": "MESSAGE", "Body": "the leg with tag 0 has ended"})).await;
        bob.reply(&term, 200).await;
    }
    let message = first("MESSAGE", "panic at the end");
    alice.send(&message).await;
    alice.expect(answer(&message, 200)).await;
    server.end_with([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timers_come_due_unless_taken_back() {
    let server = start("{}").await;
    let mut alice = Client::connect(&server, ALICE).await;
    for (case, code) in [("timers", 200), ("panic at a timer", 500)] {
        let message = first("MESSAGE", case);
        alice.send(&message).await;
        alice.expect(answer(&message, code)).await;
    }
    server.end_with([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_related_id_brings_dialogs_of_others() {
    let server = start("{}").await;
    let mut alice = Client::connect(&server, ALICE).await;
    let mut bob = Client::connect(&server, BOB).await;
    let message = first("MESSAGE", "relate");
    alice.send(&message).await;
    let made = alice.expect(answer(&message, 200)).await;
    let id = made["Body"].as_str().unwrap_or_default();
    let router = format!("bob@rtc.test;relid={id}");
    assert!(id.starts_with("relrtc.test+"), "{id}");
    let related = |method: &str, from: &str, dialog: &str| {
        fields(request(method, "anything", from, dialog, 1), json!({"Router": router}))
    };
    // From the task's own peer, from another one, and again after the task's peer has left.
    let own = related("MESSAGE", ALICE, "own");
    alice.send(&own).await;
    alice.expect(fields(answer(&own, 200), json!({"Body": "1 of 7"}))).await;
    let call = related("INVITE", BOB, "call");
    bob.send(&call).await;
    let accepted = bob.expect(fields(answer(&call, 200), json!({"Body": "2 of 7"}))).await;
    bob.send(&ack(&accepted, 2)).await;
    alice.close().await;
    let info = request("INFO", "anything", BOB, "call", 3);
    bob.send(&info).await;
    bob.expect(fields(answer(&info, 200), json!({"Body": "4 of 7"}))).await; // the third was the ACK
    let bye = request("BYE", "anything", BOB, "call", 4);
    bob.send(&bye).await;
    bob.expect(answer(&bye, 200)).await;
    // The id has an end with its task.
    let last = fields(related("MESSAGE", BOB, "last"), json!({"Request-URI": "finish"}));
    bob.send(&last).await;
    bob.expect(fields(answer(&last, 200), json!({"Body": "6 of 7"}))).await;
    server.until("tasks", 0).await;
    let late = related("MESSAGE", BOB, "late");
    bob.send(&late).await;
    bob.expect(fields(answer(&late, 404), json!({"Reason": "No such relid"}))).await;
    server.end_with([bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_task_keeps_what_it_knows() {
    let server = start("{}").await;
    let mut alice = Client::connect(&server, ALICE).await;
    let mut bob = Client::connect(&server, BOB).await;
    let (mut counted, mut dialog) = (0, Value::Null);
    for (what, code) in [
        ("add", 200),
        ("panic", 500),
        ("add", 200),
        ("panic later", 500),
        ("fail", 500),
        ("call", 200),
        ("panic", 500),
        ("add", 200),
    ] {
        counted += 1;
        let message = fields(
            request("MESSAGE", what, ALICE, &format!("keep-{counted}"), 1),
            json!({"Router": "x@keep.rtc.test"}),
        );
        alice.send(&message).await;
        let count = if code == 200 { json!(counted) } else { Value::Null };
        let answered = alice.expect(answer(&message, code)).await;
        assert_eq!(answered["X-Count"], count, "{what}");
        if what == "call" {
            let invite = bob.expect(json!({"Type": "INVITE", "From": "keeper"})).await;
            bob.reply(&invite, 200).await;
            bob.expect(json!({"Type": "ACK"})).await;
            dialog = invite["DialogueID"].clone();
        }
    }
    // Its legs outlive its faults, as all that it has.
    let bye = request("BYE", BOB, "keeper", dialog.as_str().unwrap_or_default(), 1);
    bob.send(&bye).await;
    bob.expect(answer(&bye, 200)).await;
    server.end_with([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_over_a_limit_gets_503() {
    let server = start("{limits: {task_legs: 3, dialogs: 3, transactions: 4}, jsip: {transtimer: 1s}}").await;
    let healthy = Healthy::start(&server).await;
    let mut alice = Client::connect(&server, ALICE).await;
    let mut bob = Client::connect(&server, BOB).await;
    // A task's dialogs: one is Alice's.
    let message = first("MESSAGE", "many legs");
    alice.send(&message).await;
    for _ in 0..2 {
        let one = bob.expect(json!({"Type": "MESSAGE", "From": "faulty"})).await;
        bob.reply(&one, 200).await;
    }
    alice.expect(fields(answer(&message, 200), json!({"X-Refused": 2}))).await;
    // A peer's dialogs.
    let sent: Vec<_> = (0..5)
        .map(|n| fields(first("MESSAGE", "nothing"), json!({"DialogueID": format!("d-{n}")})))
        .collect();
    for message in &sent {
        alice.send(message).await;
    }
    for (n, code) in [(3, 503), (4, 503), (0, 408), (1, 408), (2, 408)] {
        alice.expect(answer(&sent[n], code)).await;
    }
    // A peer's transactions.
    let sent: Vec<_> =
        (1..7).map(|cseq| fields(first("MESSAGE", "nothing"), json!({"CSeq": cseq, "X-Again": 1}))).collect();
    for message in &sent {
        alice.send(message).await;
    }
    for (n, code) in [(4, 503), (5, 503), (0, 408), (1, 408), (2, 408), (3, 408)] {
        alice.expect(answer(&sent[n], code)).await;
    }
    healthy.end().await;
    server.end_with([alice, bob]).await;
}

/// What operators see of a service: `used`, `using`.
async fn counted(server: &TestServer, service: &str) -> (u64, u64) {
    let (_, listing) = server.api("GET", "/slpm/v1/slps").await;
    let row = listing["slps"].as_array().unwrap().iter().find(|row| row["slp"] == service).unwrap();
    (row["used"].as_u64().unwrap(), row["using"].as_u64().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn used_and_using_are_true_whatever_goes_wrong() {
    let server = start("{limits: {handler_timeout: 2s}, jsip: {transtimer: 1s}}").await;
    let mut alice = Client::connect(&server, ALICE).await;
    assert_eq!(counted(&server, "default").await, (0, 0));
    // While a handler waits, it is seen waiting.
    alice.send(&first("MESSAGE", "sleep")).await;
    server.until("tasks", 1).await;
    assert_eq!(counted(&server, "default").await, (0, 1));
    let (_, stack) = server.api("GET", "/runtime/v1/stack?kind=handler").await;
    assert_eq!(stack["stack"][0]["name"], format!("task 0.1 of {ALICE}"), "{stack}");
    assert_eq!(stack["stack"][0]["waits_for"], "what the handler awaits");
    let (_, stack) = server.api("GET", "/runtime/v1/stack?kind=task").await;
    let tasks = stack["stack"].as_array().unwrap();
    let its = tasks.iter().find(|task| task["name"].as_str().unwrap().ends_with(ALICE)).unwrap();
    assert_eq!(its["waits_for"], "its handler");
    // Its client goes, and comes again.
    alice.close().await;
    let mut alice = Client::connect(&server, ALICE).await;
    for case in ["panic", "fail", "panic later", "panic at the end"] {
        alice.send(&first("MESSAGE", case)).await;
    }
    let unborn = fields(first("MESSAGE", "x"), json!({"Router": "x@rtc.test;type=unborn"}));
    alice.send(&unborn).await;
    // Each of them is answered in its own time.
    while alice.recv().await["DialogueID"] != unborn["DialogueID"] {}
    server.until_all(&[("tasks", 0), ("dialogs", 0)]).await;
    assert_eq!(counted(&server, "default").await, (5, 0));
    assert_eq!(counted(&server, "unborn").await, (0, 0));
    let (_, stack) = server.api("GET", "/runtime/v1/stack?kind=handler").await;
    assert_eq!(stack["stack"], json!([]));
    let (_, text) = server.curl("GET", "/metrics").await;
    for line in [
        r#"rtcd_dispatched_total{to="failed"} 1"#,
        r#"rtcd_task_faults_total{why="failed"} 1"#,
        r#"rtcd_service_tasks{service="default",implementation="faulty"} 0"#,
        r#"rtcd_service_tasks_ended_total{service="default",implementation="faulty"} 5"#,
    ] {
        assert!(text.contains(&format!("{line}\n")), "{line}\n{text}");
    }
    drop(alice);
    server.end().await;
}
