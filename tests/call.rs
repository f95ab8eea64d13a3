//! Two-leg calls between two sockets: what passes from leg to leg, and what each leg's stack does for itself.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod common;

use common::{Client, Log, Setup, TestServer, ack, answer, fields, request};
use serde_json::{Value, json};

const ALICE: &str = "alice@client.test";
const BOB: &str = "bob@client.test";

/// Two users, and the log of both.
struct Pair {
    server: TestServer,
    alice: Client,
    bob: Client,
    log: Log,
}

impl Pair {
    async fn new() -> Self {
        Self::with("{}").await
    }

    async fn with(settings: &str) -> Self {
        let server = Setup::new().settings(settings).start().await;
        let log = Log::new();
        let alice = Client::logged(&server, ALICE, &log).await;
        let bob = Client::logged(&server, BOB, &log).await;
        Self { server, alice, bob, log }
    }

    /// A request of Alice in her leg.
    async fn alice_sends(&mut self, method: &str, cseq: u64, more: Value) -> Value {
        let message = fields(request(method, BOB, ALICE, "call", cseq), more);
        self.alice.send(&message).await;
        message
    }

    /// A request of Bob in his leg, which this INVITE opened.
    async fn bob_sends(&mut self, invite: &Value, method: &str, cseq: u64, more: Value) -> Value {
        let dialog = invite["DialogueID"].as_str().unwrap();
        let message = fields(request(method, BOB, ALICE, dialog, cseq), more);
        self.bob.send(&message).await;
        message
    }

    /// Alice's INVITE, and Bob's.
    async fn invite(&mut self) -> (Value, Value) {
        let sent = self.alice_sends("INVITE", 1, json!({})).await;
        (sent, self.bob.expect(json!({"Type": "INVITE"})).await)
    }

    /// A call that is up: Alice's INVITE, and Bob's.
    async fn talk(&mut self, more: Value) -> (Value, Value) {
        let sent = self.alice_sends("INVITE", 1, more).await;
        let invite = self.bob.expect(json!({"Type": "INVITE"})).await;
        self.bob.reply(&invite, 200).await;
        let accepted = self.alice.expect(json!({"Code": 200})).await;
        self.alice.send(&ack(&accepted, 2)).await;
        self.bob.expect(json!({"Type": "ACK", "RelatedID": invite["CSeq"]})).await;
        (sent, invite)
    }

    /// Alice hangs up.
    async fn alice_hangs_up(&mut self, cseq: u64) {
        self.alice_sends("BYE", cseq, json!({})).await;
        self.alice.expect(json!({"Code": 200, "CSeq": cseq})).await;
        let bye = self.bob.expect(json!({"Type": "BYE"})).await;
        self.bob.reply(&bye, 200).await;
    }

    /// Ends, and gives the log of the flow.
    async fn end(self) -> String {
        self.server.end_with([self.alice, self.bob]).await;
        self.log.redacted()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_call() {
    let mut pair = Pair::new().await;
    // As text: what passes must pass digit for digit.
    pair.alice
        .send_text(
            r#"{"Type":"INVITE","Request-URI":"bob@client.test","From":"alice@client.test","To":"robert@client.test","DialogueID":"call","CSeq":1,"Expire":300,"Router":"x@rtc.test;type=call","P-Asserted-Identity":"6666@client.test","X-Number":1.50e3,"X-Big":12345678901234567890.10,"Content-Type":"sdp","Body":{"offer":[1, 2.0,{"x":null}],"é":"\u00e9\t"}}"#,
        )
        .await;
    let invite = pair.bob.expect(json!({"Type": "INVITE", "To": "robert@client.test"})).await;
    assert!(invite.get("Router").is_none());
    pair.bob.reply_with(&invite, 180, json!({"P-Asserted-Identity": "bob", "Body": "early"})).await;
    pair.alice.expect(json!({"Code": 180, "Body": "early"})).await;

    pair.alice_sends("PRACK", 2, json!({"Body": {"rack": 1}})).await;
    let prack = pair.bob.expect(json!({"Type": "PRACK", "Body": {"rack": 1}})).await;
    pair.bob.reply(&prack, 200).await;
    pair.alice.expect(json!({"Code": 200, "CSeq": 2})).await;
    pair.bob_sends(&invite, "UPDATE", 1, json!({"Body": "bob's"})).await;
    let update = pair.alice.expect(json!({"Type": "UPDATE", "Body": "bob's"})).await;
    pair.alice.reply_with(&update, 200, json!({"Body": "alice's"})).await;
    pair.bob.expect(json!({"Code": 200, "CSeq": 1, "Body": "alice's"})).await;
    pair.alice_sends("UPDATE", 3, json!({})).await;
    let update = pair.bob.expect(json!({"Type": "UPDATE"})).await;
    pair.bob.reply(&update, 200).await;
    pair.alice.expect(json!({"Code": 200, "CSeq": 3})).await;

    pair.bob.reply(&invite, 183).await;
    pair.alice.expect(json!({"Code": 183})).await;
    pair.bob.reply_with(&invite, 200, json!({"Body": ["answer"]})).await;
    let accepted = pair.alice.expect(json!({"Code": 200, "CSeq": 1, "Body": ["answer"]})).await;
    pair.alice.send(&fields(ack(&accepted, 4), json!({"Body": "confirmed"}))).await;
    pair.bob.expect(json!({"Type": "ACK", "RelatedID": invite["CSeq"], "Body": "confirmed"})).await;

    pair.alice_sends("INFO", 5, json!({"Body": "from alice"})).await;
    let info = pair.bob.expect(json!({"Type": "INFO", "Body": "from alice"})).await;
    pair.bob.reply_with(&info, 200, json!({"X-Seen": true})).await;
    pair.alice.expect(json!({"Code": 200, "CSeq": 5, "X-Seen": true})).await;
    pair.bob_sends(&invite, "INFO", 2, json!({"Body": "from bob"})).await;
    let info = pair.alice.expect(json!({"Type": "INFO", "Body": "from bob"})).await;
    pair.alice.reply(&info, 404).await;
    pair.bob.expect(json!({"Code": 404, "CSeq": 2})).await;

    pair.bob_sends(&invite, "BYE", 3, json!({"Reason": "enough"})).await;
    pair.bob.expect(json!({"Code": 200, "CSeq": 3})).await;
    let bye = pair.alice.expect(json!({"Type": "BYE", "Reason": "enough"})).await;
    pair.alice.reply(&bye, 200).await;
    insta::assert_snapshot!(pair.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_in_the_calls_dialog_does_not_end_it() {
    let mut pair = Pair::new().await;
    let (_, invite) = pair.talk(json!({})).await;
    for (cseq, method) in [(3, "MESSAGE"), (4, "OPTIONS"), (5, "INFO"), (6, "NOTIFY")] {
        pair.alice_sends(method, cseq, json!({"X-Number": cseq})).await;
        let passed = pair.bob.expect(json!({"Type": method, "X-Number": cseq})).await;
        assert_eq!(passed["DialogueID"], invite["DialogueID"]);
        pair.bob.reply(&passed, 200).await;
        pair.alice.expect(json!({"Code": 200, "CSeq": cseq})).await;
    }
    pair.alice_hangs_up(7).await;
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn re_invites_of_both_sides() {
    let mut pair = Pair::new().await;
    let (_, invite) = pair.talk(json!({})).await;

    pair.alice_sends("INVITE", 3, json!({"Body": "hold"})).await;
    let again = pair.bob.expect(json!({"Type": "INVITE", "Body": "hold"})).await;
    // Bob's own, while Alice's is open, is for later.
    let crossing = pair.bob_sends(&invite, "INVITE", 1, json!({})).await;
    let refused = pair.bob.expect(fields(answer(&crossing, 491), json!({}))).await;
    pair.bob.send(&ack(&refused, 2)).await;
    pair.bob.reply_with(&again, 200, json!({"Body": "held"})).await;
    let accepted = pair.alice.expect(json!({"Code": 200, "CSeq": 3, "Body": "held"})).await;
    pair.alice.send(&ack(&accepted, 4)).await;
    pair.bob.expect(json!({"Type": "ACK", "RelatedID": again["CSeq"]})).await;

    pair.bob_sends(&invite, "INVITE", 3, json!({})).await;
    let again = pair.alice.expect(json!({"Type": "INVITE"})).await;
    pair.alice.reply(&again, 180).await;
    pair.bob.expect(json!({"Code": 180, "CSeq": 3})).await;
    pair.alice.reply(&again, 200).await;
    let accepted = pair.bob.expect(json!({"Code": 200, "CSeq": 3})).await;
    pair.bob.send(&ack(&accepted, 4)).await;
    pair.alice.expect(json!({"Type": "ACK", "RelatedID": again["CSeq"]})).await;

    // One that is refused: the call goes on as it was.
    pair.alice_sends("INVITE", 5, json!({})).await;
    let again = pair.bob.expect(json!({"Type": "INVITE"})).await;
    pair.bob.reply_with(&again, 488, json!({"Reason": "no video"})).await;
    pair.bob.expect(json!({"Type": "ACK", "RelatedID": again["CSeq"]})).await;
    let refused = pair.alice.expect(json!({"Code": 488, "CSeq": 5, "Reason": "no video"})).await;
    pair.alice.send(&ack(&refused, 6)).await;
    pair.alice_hangs_up(7).await;
    insta::assert_snapshot!(pair.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_such_user() {
    let mut pair = Pair::new().await;
    let invite = request("INVITE", "carol@client.test", ALICE, "call", 1);
    pair.alice.send(&invite).await;
    let refused = pair.alice.expect(answer(&invite, 480)).await;
    pair.alice.send(&ack(&refused, 2)).await;
    insta::assert_snapshot!(pair.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn busy() {
    let mut pair = Pair::new().await;
    let (_, invite) = pair.invite().await;
    pair.bob.reply_with(&invite, 486, json!({"Reason": "on the phone", "Retry-After": 60})).await;
    pair.bob.expect(json!({"Type": "ACK", "RelatedID": invite["CSeq"]})).await;
    let refused = pair.alice.expect(json!({"Code": 486, "Reason": "on the phone", "Retry-After": 60})).await;
    pair.alice.send(&ack(&refused, 2)).await;
    insta::assert_snapshot!(pair.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_while_it_rings() {
    let mut pair = Pair::new().await;
    let (_, invite) = pair.invite().await;
    pair.bob.reply(&invite, 180).await;
    pair.alice.expect(json!({"Code": 180})).await;
    pair.alice_sends("CANCEL", 2, json!({"RelatedID": 1, "Reason": "changed my mind"})).await;
    pair.alice.expect(json!({"Code": 200, "CSeq": 2})).await;
    let terminated = pair.alice.expect(json!({"Code": 487, "CSeq": 1})).await;
    pair.alice.send(&ack(&terminated, 3)).await;
    let cancel = pair.bob.expect(json!({"Type": "CANCEL", "RelatedID": invite["CSeq"]})).await;
    pair.bob.reply(&cancel, 200).await;
    pair.bob.reply(&invite, 487).await;
    pair.bob.expect(json!({"Type": "ACK", "RelatedID": invite["CSeq"]})).await;
    insta::assert_snapshot!(pair.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bye_while_it_rings_is_a_cancel() {
    let mut pair = Pair::new().await;
    let (_, invite) = pair.invite().await;
    pair.alice_sends("BYE", 2, json!({})).await;
    pair.alice.expect(json!({"Code": 200, "CSeq": 2})).await;
    let terminated = pair.alice.expect(json!({"Code": 487, "CSeq": 1})).await;
    pair.alice.send(&ack(&terminated, 3)).await;
    let cancel = pair.bob.expect(json!({"Type": "CANCEL", "RelatedID": invite["CSeq"]})).await;
    // Bob has answered at the same time.
    pair.bob.reply(&invite, 200).await;
    pair.bob.expect(json!({"Type": "ACK", "RelatedID": invite["CSeq"]})).await;
    let bye = pair.bob.expect(json!({"Type": "BYE"})).await;
    pair.bob.reply(&cancel, 200).await;
    pair.bob.reply(&bye, 200).await;
    insta::assert_snapshot!(pair.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_answers() {
    let mut pair = Pair::with("jsip: {prtimer: 1s}").await;
    let (_, invite) = pair.invite().await;
    let cancel = pair.bob.expect(json!({"Type": "CANCEL", "RelatedID": invite["CSeq"]})).await;
    pair.bob.reply(&cancel, 200).await;
    pair.bob.reply(&invite, 487).await;
    pair.bob.expect(json!({"Type": "ACK", "RelatedID": invite["CSeq"]})).await;
    let late = pair.alice.expect(json!({"Code": 408, "CSeq": 1})).await;
    pair.alice.send(&ack(&late, 2)).await;
    insta::assert_snapshot!(pair.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_acceptance_is_never_confirmed() {
    let mut pair = Pair::with("jsip: {acktimer: 500ms}").await;
    let (_, invite) = pair.invite().await;
    pair.bob.reply(&invite, 200).await;
    pair.alice.expect(json!({"Code": 200, "CSeq": 1})).await;
    for client in [&mut pair.alice, &mut pair.bob] {
        // Whose stack is first does not matter: Bob may get his ACK from the call or not at all.
        let mut message = client.recv().await;
        if message["Type"] == "ACK" {
            message = client.recv().await;
        }
        assert_eq!(message["Type"], "BYE", "{message}");
        client.reply(&message, 200).await;
    }
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_caller_does_not_refresh_its_leg() {
    let mut pair = Pair::with("jsip: {min_expire: 1s}").await;
    pair.talk(json!({"Expire": 6})).await;
    // Bob's leg is refreshed by the server, Alice's has to be by Alice.
    let mut updates = 0;
    loop {
        let message = pair.bob.recv().await;
        pair.bob.reply(&message, 200).await;
        match message["Type"].as_str() {
            Some("UPDATE") => updates += 1,
            Some("BYE") => break,
            _ => panic!("{message}"),
        }
        assert_eq!(message["Expire"], 6);
    }
    assert!(updates > 0);
    let bye = pair.alice.expect(json!({"Type": "BYE"})).await;
    pair.alice.reply(&bye, 200).await;
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_callee_does_not_answer_refreshes() {
    let mut pair = Pair::with("jsip: {min_expire: 1s, transtimer: 1s}").await;
    pair.talk(json!({"Expire": 6})).await;
    for cseq in 3..6 {
        pair.bob.expect(json!({"Type": "UPDATE", "Expire": 6})).await;
        // It is answered here, and goes no further.
        pair.alice_sends("UPDATE", cseq, json!({})).await;
        pair.alice.expect(json!({"Code": 200, "CSeq": cseq})).await;
    }
    let bye = pair.bob.expect(json!({"Type": "BYE"})).await;
    pair.bob.reply(&bye, 200).await;
    let bye = pair.alice.expect(json!({"Type": "BYE"})).await;
    pair.alice.reply(&bye, 200).await;
    insta::assert_snapshot!(pair.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_calls_itself() {
    let server = TestServer::start().await;
    let log = Log::new();
    let mut alice = Client::logged(&server, ALICE, &log).await;
    let invite = request("INVITE", ALICE, ALICE, "call", 1);
    alice.send(&invite).await;
    let other = alice.expect(json!({"Type": "INVITE", "To": ALICE})).await;
    assert_ne!(other["DialogueID"], "call");
    alice.reply(&other, 200).await;
    let accepted = alice.expect(answer(&invite, 200)).await;
    alice.send(&ack(&accepted, 2)).await;
    alice.expect(json!({"Type": "ACK", "RelatedID": other["CSeq"]})).await;
    alice.send(&request("BYE", ALICE, ALICE, "call", 3)).await;
    alice.expect(json!({"Code": 200, "DialogueID": "call", "CSeq": 3})).await;
    let bye = alice.expect(json!({"Type": "BYE", "DialogueID": other["DialogueID"]})).await;
    alice.reply(&bye, 200).await;
    server.end_with([alice]).await;
    insta::assert_snapshot!(log.redacted());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_between_the_same_two() {
    let mut pair = Pair::new().await;
    let mut calls = Vec::new();
    for n in 0..20 {
        let dialog = format!("call-{n}");
        pair.alice.send(&fields(request("INVITE", BOB, ALICE, &dialog, 1), json!({"X-Call": n}))).await;
        let invite = pair.bob.expect(json!({"Type": "INVITE", "X-Call": n})).await;
        pair.bob.reply(&invite, 200).await;
        let accepted = pair.alice.expect(json!({"Code": 200, "DialogueID": dialog})).await;
        pair.alice.send(&ack(&accepted, 2)).await;
        pair.bob.expect(json!({"Type": "ACK", "DialogueID": invite["DialogueID"]})).await;
        calls.push((dialog, invite));
    }
    pair.server.until("sessions", 40).await;
    // The last one first, and from both sides.
    for (n, (dialog, invite)) in calls.iter().enumerate().rev() {
        let (from, to) =
            if n % 2 == 0 { (&mut pair.alice, &mut pair.bob) } else { (&mut pair.bob, &mut pair.alice) };
        let (near, far) = match n % 2 {
            0 => (&json!(dialog), &invite["DialogueID"]),
            _ => (&invite["DialogueID"], &json!(dialog)),
        };
        from.send(&request("BYE", BOB, ALICE, near.as_str().unwrap(), 9)).await;
        from.expect(json!({"Code": 200, "DialogueID": near, "CSeq": 9})).await;
        let bye = to.expect(json!({"Type": "BYE", "DialogueID": far})).await;
        to.reply(&bye, 200).await;
    }
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_as_long_as_may_be_is_refused_if_it_gets_longer_on_its_way() {
    let Pair { server, mut alice, mut bob, .. } = Pair::new().await;
    let invite = |id: &str| request("INVITE", BOB, ALICE, id, 1);
    let with_body = |message: Value, size: usize| {
        let bare = fields(message.clone(), json!({"Body": ""})).to_string().len();
        fields(message, json!({"Body": "x".repeat(size - bare)}))
    };
    // Bob's copy has an id that is longer than this one.
    let long = with_body(invite("a"), 64 * 1024);
    alice.send(&long).await;
    alice.expect(json!({"Code": 513, "DialogueID": "a"})).await;
    alice.send(&ack(&invite("a"), 2)).await;
    // So does a 200, if Alice's id is the longer one.
    for (id, size, code) in [("b", 63 * 1024, 200), (&*"c".repeat(100), 64 * 1024, 500)] {
        alice.send(&with_body(invite(id), 63 * 1024)).await;
        let copy = bob.expect(json!({"Type": "INVITE"})).await;
        bob.send(&with_body(answer(&copy, 200), size)).await;
        let answer = alice.expect(json!({"Code": code, "DialogueID": id})).await;
        alice.send(&ack(&answer, 2)).await;
        // Bob's leg of the one that is refused is ended, too.
        bob.expect(json!({"Type": "ACK"})).await;
        if code == 200 {
            alice.send(&request("BYE", BOB, ALICE, id, 3)).await;
            alice.expect(json!({"Code": 200, "CSeq": 3})).await;
        }
        let bye = bob.expect(json!({"Type": "BYE"})).await;
        bob.reply(&bye, 200).await;
    }
    server.end_with([alice, bob]).await;
}
