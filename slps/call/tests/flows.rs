//! What passes from leg to leg, and what becomes of crossings, step by step.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test")]

use rtcd_sdk::harness::{Dialog, Harness};
use rtcd_sdk::jsip::{Message, Method, Request, StatusCode};
use slp_call::Call;

/// A call from Alice to Bob, as it goes on by words: `a:BYE` is a request of Alice, `b:180` a response of Bob to the last INVITE that
/// he got, `b:200/INFO` one to the last INFO, `a:end` the end of Alice's leg.
struct Ladder {
    harness: Harness<Call>,
    alice: Dialog,
    bob: Dialog,
}

impl Ladder {
    fn new() -> Self {
        let mut harness = Harness::new();
        let mut invite = harness.first(Method::Invite, "alice@test.com", "bob@test.com");
        invite.headers.set_number("Expire", 300).set_text("Body", "offer");
        let alice = harness.dial(invite);
        let bob = harness.opened()[0];
        Self { harness, alice, bob }
    }

    fn play(mut self, words: &str) -> Self {
        for word in words.split_whitespace() {
            let (side, what) = word.split_once(':').unwrap();
            let dialog = if side == "a" { self.alice } else { self.bob };
            if what == "end" {
                self.harness.ended(dialog);
            } else if let Some(method) = Method::from_name(what) {
                self.harness.send(dialog, method);
            } else {
                let (code, method) = what.split_once('/').unwrap_or((what, "INVITE"));
                let code = StatusCode::new(code.parse().unwrap()).unwrap();
                self.harness.answer(dialog, Method::from_name(method).unwrap(), code);
            }
        }
        self
    }

    #[track_caller]
    fn assert_over(mut self) -> String {
        self.harness.ended(self.alice);
        self.harness.ended(self.bob);
        assert_eq!(self.harness.tasks(), 0, "{}", self.harness.log());
        self.harness.take_log()
    }
}

#[test]
fn a_whole_call() {
    let log = Ladder::new()
        .play("b:180 a:PRACK b:200/PRACK b:UPDATE a:200/UPDATE b:183 b:200 a:ACK a:INFO b:200/INFO b:INFO a:200/INFO")
        .play("a:INVITE b:180 b:200")
        .harness
        .take_log();
    insta::assert_snapshot!(log);
}

#[test]
fn a_reinvite_of_either_side_with_its_ack() {
    let mut ladder = Ladder::new().play("b:200 a:ACK");
    ladder.harness.take_log();
    for (sender, receiver) in [(ladder.alice, ladder.bob), (ladder.bob, ladder.alice)] {
        let invite = ladder.harness.next(sender, Method::Invite);
        ladder.harness.request(sender, invite.clone());
        ladder.harness.answer(receiver, Method::Invite, StatusCode::RINGING);
        ladder.harness.answer(receiver, Method::Invite, StatusCode::OK);
        let mut ack = ladder.harness.next(sender, Method::Ack);
        ack.related = Some(invite.cseq);
        ladder.harness.request(sender, ack);
        // One that is refused: the stack has its ACK.
        ladder.harness.send(sender, Method::Invite);
        ladder.harness.answer(receiver, Method::Invite, StatusCode::NOT_ACCEPTABLE_HERE);
    }
    let ladder = ladder.play("b:BYE");
    insta::assert_snapshot!(ladder.assert_over());
}

#[test]
fn an_ack_without_related_id_is_for_the_oldest_invite() {
    let mut ladder = Ladder::new().play("b:200");
    let mut ack = ladder.harness.next(ladder.alice, Method::Ack);
    ack.related = None;
    ladder.harness.request(ladder.alice, ack);
    let Message::Request(passed) = ladder.harness.sent(ladder.bob).last().unwrap() else { unreachable!() };
    let invite = ladder.harness.first_request(ladder.bob);
    assert_eq!((passed.method, passed.related), (Method::Ack, Some(invite.cseq)));
}

#[test]
fn all_fields_and_headers_pass_both_ways() {
    let mut harness = Harness::<Call>::new();
    let message = Message::decode(
        r#"{"Type":"INVITE","Request-URI":"bob@test.com","From":"alice@test.com","To":"robert@test.com","DialogueID":"d","CSeq":7,
            "Router":"bob@node;type=call, bob@next;x=1","P-Asserted-Identity":"alice@test.com","X-Count":1.50e3,"Body":{"b":[1, 2]}}"#,
    );
    let Message::Request(invite) = message.unwrap() else { unreachable!() };
    let alice = harness.dial(invite.clone());
    let bob = harness.opened()[0];
    let passed = harness.first_request(bob).clone();
    assert_ne!((&passed.dialog, passed.cseq), (&invite.dialog, invite.cseq));
    let expected = Request {
        dialog: passed.dialog.clone(),
        cseq: passed.cseq,
        router: Some("bob@next;x=1".into()),
        ..invite.clone()
    };
    assert_eq!(passed, expected);

    let mut ringing = harness.response_to(bob, Method::Invite, StatusCode::RINGING);
    ringing.headers.set_text("P-Asserted-Identity", "bob@test.com").set_text("Body", "answer");
    harness.response(bob, ringing.clone());
    let Message::Response(back) = &harness.sent(alice)[0] else { unreachable!() };
    assert_eq!((back.cseq, &back.dialog, &back.to), (invite.cseq, &invite.dialog, &invite.to));
    assert_eq!(back.headers, ringing.headers);

    let mut bye = harness.next(alice, Method::Bye);
    bye.headers.set_text("Reason", "busy elsewhere");
    harness.answer(bob, Method::Invite, StatusCode::OK);
    harness.request(alice, bye);
    assert!(harness.log().ends_with(" Reason=\"busy elsewhere\"\n"), "{}", harness.log());
}

#[test]
fn a_later_request_without_its_fields_is_filled_from_the_invite() {
    let mut ladder = Ladder::new().play("b:200 a:ACK");
    let mut info = ladder.harness.next(ladder.bob, Method::Info);
    (info.uri, info.from, info.to) = ("".into(), "".into(), "".into());
    ladder.harness.request(ladder.bob, info);
    assert!(ladder.harness.log().ends_with("< in_1 INFO 1003 bob@test.com from alice@test.com\n"));
}

#[test]
fn only_an_invite_makes_a_call() {
    let mut harness = Harness::<Call>::new();
    for method in [Method::Message, Method::Options, Method::Notify, Method::Subscribe, Method::Register] {
        let request = harness.first(method, "alice@test.com", "bob@test.com");
        let dialog = harness.dial(request);
        harness.ended(dialog);
    }
    assert_eq!(harness.tasks(), 0);
    insta::assert_snapshot!(harness.log());
}

#[test]
fn an_invite_that_cannot_be_sent() {
    let mut harness = Harness::<Call>::new();
    let invite = harness.first(Method::Invite, "", "bob@test.com");
    harness.dial(invite);
    assert!(harness.log().ends_with("< in_1 400 Bad Request 1 Reason=\"a request needs From\"\n"));
}

#[test]
fn crossings() {
    let table = [
        ("nobody of that name", "b:480"),
        ("declined", "b:180 b:603"),
        ("the callee's stack gives up", "b:180 b:408"),
        ("cancelled", "b:180 a:CANCEL b:487"),
        ("CANCEL before anything", "a:CANCEL b:487"),
        ("CANCEL crosses the callee's 200", "b:180 a:CANCEL b:200"),
        ("CANCEL crosses the 200 that was passed on", "b:200 a:CANCEL"),
        ("CANCEL crosses a refusal", "b:486 a:CANCEL"),
        ("CANCEL meets a late 180", "a:CANCEL b:180 b:487"),
        ("CANCEL, and the callee's stack gives up", "a:CANCEL b:408"),
        ("CANCEL with a PRACK under way", "b:180 a:PRACK a:CANCEL b:487"),
        ("CANCEL with an INFO of the callee under way", "b:180 b:INFO a:CANCEL b:487"),
        ("requests of a call that is cancelled", "a:CANCEL b:UPDATE a:INFO b:487 b:INFO"),
        ("a refusal with a PRACK under way", "b:180 a:PRACK b:486 b:200/PRACK"),
        ("the callee's leg is gone before an answer", "b:180 b:BYE"),
        ("BYE of the caller", "b:200 a:ACK a:BYE"),
        ("BYE of the callee", "b:200 a:ACK b:BYE"),
        ("BYE of the caller before the ACK", "b:200 a:BYE"),
        ("BYE of the callee before the ACK", "b:200 b:BYE"),
        ("BYE of the callee crosses the ACK", "b:200 b:BYE a:ACK"),
        ("BYE of the callee crosses CANCEL", "b:200 b:BYE a:CANCEL"),
        ("both BYE at once", "b:200 a:ACK a:BYE b:BYE"),
        ("BYE crosses the other's re-INVITE", "b:200 a:ACK a:INVITE b:BYE"),
        ("BYE crosses an answer to the own re-INVITE", "b:200 a:ACK a:INVITE a:BYE b:200"),
        ("BYE with a re-INVITE of the other under way", "b:200 a:ACK b:INVITE a:BYE"),
        ("BYE before the ACK of a re-INVITE", "b:200 a:ACK a:INVITE b:200 b:BYE a:ACK"),
        ("BYE crosses an INFO", "b:200 a:ACK a:INFO b:BYE b:200/INFO"),
        ("both re-INVITE at once", "b:200 a:ACK a:INVITE b:INVITE b:491 a:491"),
        ("a leg that ends without a word", "b:200 a:ACK b:end"),
        ("a caller that ends without a word", "b:180 a:end b:200"),
    ];
    let mut text = String::new();
    for (name, words) in table {
        text += &format!("# {name}: {words}\n{}\n", Ladder::new().play(words).assert_over());
    }
    insta::assert_snapshot!(text);
}
