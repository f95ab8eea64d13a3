//! What one user sends never reaches another's dialog, whatever ids it carries.
#![expect(clippy::indexing_slicing, reason = "a test")]

mod common;

use common::{Client, TestServer, ack, answer, fields, request};
use serde_json::json;

const ALICE: &str = "alice@client.test";
const BOB: &str = "bob@client.test";
const EVE: &str = "eve@client.test";

/// A user who knows the ids of all, and what she has sent so far.
struct Eve {
    client: Client,
    round: u64,
}

impl Eve {
    async fn new(server: &TestServer) -> Self {
        Self { client: Client::connect(server, EVE).await, round: 0 }
    }

    /// Sends all that could do harm in a dialog in which this CSeq is known, and gets the answers that an unknown dialog gets.
    async fn attack(&mut self, dialog: &str, cseqs: &[u64]) {
        self.round += 1;
        // None may be a repeat of another round's: that gets the same answer again from memory.
        let round = json!({"X-Round": self.round});
        for cseq in cseqs.iter().copied().chain([77_001]) {
            for method in ["BYE", "CANCEL", "INFO", "UPDATE", "PRACK"] {
                let attack =
                    fields(request(method, BOB, ALICE, dialog, cseq), json!({"RelatedID": cseqs[0]}));
                self.client.send(&fields(attack.clone(), round.clone())).await;
                self.client.expect(answer(&attack, 481)).await;
            }
            for code in [100, 180, 200, 202, 404, 487] {
                self.client.send(&answer(&request("", BOB, ALICE, dialog, cseq), code)).await;
            }
            let stray = fields(request("ACK", BOB, ALICE, dialog, 77_002), json!({"RelatedID": cseq}));
            self.client.send(&stray).await;
            self.client.send(&fields(stray, json!({"RelatedID": null, "CSeq": cseq}))).await;
            // These two open a dialog of their own.
            let message = request("MESSAGE", "Recv_MESSAGE", EVE, dialog, cseq);
            self.client.send(&fields(message.clone(), round.clone())).await;
            self.client.expect(answer(&message, 200)).await;
            let call = request("INVITE", "Recv_CANCEL", EVE, dialog, cseq);
            self.client.send(&fields(call.clone(), round.clone())).await;
            let cancel = request("CANCEL", "Recv_CANCEL", EVE, dialog, 77_003);
            self.client
                .send(&fields(fields(cancel.clone(), json!({"RelatedID": cseq})), round.clone()))
                .await;
            self.client.expect(answer(&cancel, 200)).await;
            let terminated = self.client.expect(answer(&call, 487)).await;
            self.client.send(&ack(&terminated, 77_004)).await;
        }
        // Nothing else came back.
        let fence = request("MESSAGE", "Recv_MESSAGE", EVE, "fence", self.round);
        self.client.send(&fence).await;
        self.client.expect(answer(&fence, 200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_goes_on_whatever_a_stranger_sends_in_its_dialogs() {
    let server = TestServer::start().await;
    let mut alice = Client::connect(&server, ALICE).await;
    let mut bob = Client::connect(&server, BOB).await;
    let mut eve = Eve::new(&server).await;
    let call = request("INVITE", BOB, ALICE, "call", 1);
    alice.send(&call).await;
    let invite = bob.expect(json!({"Type": "INVITE"})).await;
    let (far, far_cseq) = (invite["DialogueID"].as_str().unwrap(), invite["CSeq"].as_u64().unwrap());

    eve.attack("call", &[1]).await;
    eve.attack(far, &[far_cseq]).await;
    bob.reply(&invite, 180).await;
    alice.expect(answer(&call, 180)).await;
    let prack = request("PRACK", BOB, ALICE, "call", 2);
    alice.send(&prack).await;
    let far_prack = bob.expect(json!({"Type": "PRACK"})).await;
    let prack_cseq = far_prack["CSeq"].as_u64().unwrap();
    eve.attack("call", &[1, 2]).await;
    eve.attack(far, &[far_cseq, prack_cseq]).await;
    bob.reply(&far_prack, 200).await;
    alice.expect(answer(&prack, 200)).await;

    bob.reply(&invite, 200).await;
    let accepted = alice.expect(answer(&call, 200)).await;
    eve.attack("call", &[1, 3]).await;
    eve.attack(far, &[far_cseq]).await;
    alice.send(&ack(&accepted, 3)).await;
    bob.expect(json!({"Type": "ACK", "RelatedID": far_cseq})).await;
    eve.attack("call", &[1, 4]).await;
    eve.attack(far, &[far_cseq]).await;

    for cseq in 5..8 {
        let info = request("INFO", BOB, ALICE, "call", cseq);
        alice.send(&info).await;
        let far_info = bob.expect(json!({"Type": "INFO"})).await;
        eve.attack(far, &[far_info["CSeq"].as_u64().unwrap()]).await;
        bob.reply(&far_info, 200).await;
        alice.expect(answer(&info, 200)).await;
    }
    // A user who is in the call has no part in the other leg either.
    for (client, dialog) in [(&mut bob, "call"), (&mut alice, far)] {
        let bye = request("BYE", BOB, ALICE, dialog, 9);
        client.send(&bye).await;
        client.expect(answer(&bye, 481)).await;
    }
    let bye = request("BYE", BOB, ALICE, "call", 9);
    alice.send(&bye).await;
    alice.expect(answer(&bye, 200)).await;
    let far_bye = bob.expect(json!({"Type": "BYE"})).await;
    eve.attack(far, &[far_bye["CSeq"].as_u64().unwrap()]).await;
    bob.reply(&far_bye, 200).await;
    server.end_with([alice, bob, eve.client]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_of_the_server_goes_on_too() {
    let server = TestServer::start().await;
    let mut alice = Client::connect(&server, ALICE).await;
    let mut eve = Eve::new(&server).await;
    let start = request("MESSAGE", "Send_INVITE_Session_Timeout", ALICE, "start", 1);
    alice.send(&start).await;
    alice.expect(answer(&start, 200)).await;
    let invite = alice.expect(json!({"Type": "INVITE"})).await;
    let (dialog, cseq) = (invite["DialogueID"].as_str().unwrap(), invite["CSeq"].as_u64().unwrap());
    eve.attack(dialog, &[cseq]).await;
    alice.reply(&invite, 200).await;
    alice.expect(json!({"Type": "ACK", "RelatedID": cseq})).await;
    eve.attack(dialog, &[cseq]).await;
    let bye = request("BYE", ALICE, "x", dialog, 5);
    alice.send(&bye).await;
    alice.expect(answer(&bye, 200)).await;
    server.end_with([alice, eve.client]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_bytes_from_another_user_are_that_users_own() {
    let server = TestServer::start().await;
    let mut alice = Client::connect(&server, ALICE).await;
    let mut bob = Client::connect(&server, BOB).await;
    let mut eve = Client::connect(&server, EVE).await;
    let call = request("INVITE", BOB, ALICE, "call", 1);
    let mut far = Vec::new();
    for client in [&mut alice, &mut eve] {
        client.send(&call).await;
        far.push(bob.expect(json!({"Type": "INVITE", "From": ALICE})).await);
    }
    assert_ne!(far[0]["DialogueID"], far[1]["DialogueID"]);
    for (client, invite) in [(&mut alice, &far[0]), (&mut eve, &far[1])] {
        bob.reply(invite, 200).await;
        let accepted = client.expect(answer(&call, 200)).await;
        client.send(&ack(&accepted, 2)).await;
        bob.expect(json!({"Type": "ACK", "DialogueID": invite["DialogueID"]})).await;
    }
    // Eve's BYE, in Alice's very words, ends Eve's call alone.
    let bye = request("BYE", BOB, ALICE, "call", 3);
    eve.send(&bye).await;
    eve.expect(answer(&bye, 200)).await;
    let ended = bob.expect(json!({"Type": "BYE", "DialogueID": far[1]["DialogueID"]})).await;
    bob.reply(&ended, 200).await;
    let info = request("INFO", BOB, ALICE, "call", 4);
    alice.send(&info).await;
    let passed = bob.expect(json!({"Type": "INFO", "DialogueID": far[0]["DialogueID"]})).await;
    bob.reply(&passed, 200).await;
    alice.expect(answer(&info, 200)).await;
    alice.send(&bye).await;
    alice.expect(answer(&bye, 200)).await;
    let ended = bob.expect(json!({"Type": "BYE", "DialogueID": far[0]["DialogueID"]})).await;
    bob.reply(&ended, 200).await;
    server.end_with([alice, bob, eve]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_users_with_one_dialogue_id_both_get_to_the_end() {
    let server = TestServer::start().await;
    let mut callers = Vec::new();
    let mut callees = Vec::new();
    for name in ["a", "b"] {
        callers.push(Client::connect(&server, &format!("{name}-caller@client.test")).await);
        callees.push(Client::connect(&server, &format!("{name}-callee@client.test")).await);
    }
    let words = |n: usize, method: &str, cseq: u64| {
        let (from, uri) = (
            ["a-caller@client.test", "b-caller@client.test"],
            ["a-callee@client.test", "b-callee@client.test"],
        );
        request(method, uri[n], from[n], "one-id", cseq)
    };
    // Step by step, the two take turns.
    let mut far = Vec::new();
    for n in 0..2 {
        callers[n].send(&words(n, "INVITE", 1)).await;
        far.push(callees[n].expect(json!({"Type": "INVITE", "From": callers[n].user})).await);
    }
    for n in 0..2 {
        callees[n].reply(&far[n], 180).await;
        callers[n].expect(answer(&words(n, "INVITE", 1), 180)).await;
    }
    for n in [1, 0] {
        callees[n].reply(&far[n], 200).await;
        let accepted = callers[n].expect(answer(&words(n, "INVITE", 1), 200)).await;
        callers[n].send(&ack(&accepted, 2)).await;
        callees[n].expect(json!({"Type": "ACK", "RelatedID": far[n]["CSeq"]})).await;
    }
    for cseq in 3..6 {
        for (n, caller) in callers.iter_mut().enumerate() {
            caller.send(&words(n, "INFO", cseq)).await;
        }
        for n in 0..2 {
            let info = callees[n].expect(json!({"Type": "INFO", "DialogueID": far[n]["DialogueID"]})).await;
            callees[n].reply(&info, 200).await;
            callers[n].expect(answer(&words(n, "INFO", cseq), 200)).await;
        }
    }
    for (n, caller) in callers.iter_mut().enumerate() {
        caller.send(&words(n, "BYE", 6)).await;
        caller.expect(answer(&words(n, "BYE", 6), 200)).await;
        let bye = callees[n].expect(json!({"Type": "BYE", "DialogueID": far[n]["DialogueID"]})).await;
        callees[n].reply(&bye, 200).await;
    }
    server.end_with(callers.into_iter().chain(callees)).await;
}
