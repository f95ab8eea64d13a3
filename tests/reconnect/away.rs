//! A user who is not there: what waits, what is sent again, what is not.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::common::{Client, Setup, TestServer, ack, answer, fields, request};

pub(crate) const ALICE: &str = "alice@client.test";
pub(crate) const BOB: &str = "bob@client.test";

pub(crate) async fn start(settings: &str) -> TestServer {
    Setup::new().settings("jsip: {away_grace: 2s, linger: 2s}").settings(settings).start().await
}

/// Alice's INVITE to Bob with this number.
pub(crate) fn call(n: u64) -> Value {
    fields(request("INVITE", BOB, ALICE, &format!("call-{n}"), 1), json!({"X-Number": n}))
}

/// Nothing was on its way before this.
pub(crate) async fn fence(client: &mut Client, cseq: u64) {
    let message = request("MESSAGE", "Recv_MESSAGE", &client.user, "fence", cseq);
    client.send(&message).await;
    client.expect(answer(&message, 200)).await;
}

/// So many calls reach Bob in order, and he takes none.
async fn decline(alice: &mut Client, bob: &mut Client, calls: u64) {
    let mut invites = Vec::new();
    for n in 0..calls {
        invites.push(bob.expect(json!({"Type": "INVITE", "X-Number": n})).await);
    }
    for (n, invite) in (0..).zip(&invites) {
        bob.reply(invite, 486).await;
        bob.expect(json!({"Type": "ACK", "RelatedID": invite["CSeq"]})).await;
        let refused = alice.expect(answer(&call(n), 486)).await;
        alice.send(&ack(&refused, 2)).await;
    }
}

/// Loses the socket without a word.
async fn lose(server: &TestServer, client: Client, left: i64) {
    drop(client);
    server.until("connections", left).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_to_an_absent_user_waits_in_order() {
    const MANY: u64 = 50;
    let server = start("{}").await;
    let mut alice = Client::connect(&server, ALICE).await;
    let bob = Client::connect(&server, BOB).await;
    lose(&server, bob, 1).await;
    for n in 0..MANY {
        alice.send(&call(n)).await;
    }
    server.until("queued", MANY as i64).await;
    let mut bob = Client::connect(&server, BOB).await;
    decline(&mut alice, &mut bob, MANY).await;
    server.end_with([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_of_an_absent_user_has_an_end() {
    let server = start("jsip: {qsize: 3}").await;
    let mut alice = Client::connect(&server, ALICE).await;
    let bob = Client::connect(&server, BOB).await;
    lose(&server, bob, 1).await;
    for n in 0..5 {
        alice.send(&call(n)).await;
    }
    for n in 3..5 {
        let refused = alice.expect(answer(&call(n), 503)).await;
        alice.send(&ack(&refused, 2)).await;
    }
    let mut bob = Client::connect(&server, BOB).await;
    decline(&mut alice, &mut bob, 3).await;
    server.end_with([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_over_waits_no_more() {
    let server = start("jsip: {transtimer: 500ms}").await;
    let mut alice = Client::connect(&server, ALICE).await;
    let bob = Client::connect(&server, BOB).await;
    lose(&server, bob, 1).await;
    // The server's MESSAGE to Bob waits until its time is over.
    let start = fields(request("MESSAGE", "Send_MESSAGE", BOB, "start", 1), json!({}));
    alice.send(&start).await;
    alice.expect(answer(&start, 200)).await;
    server.until_all(&[("queued", 0), ("transactions", 0), ("tasks", 0)]).await;
    let mut bob = Client::connect(&server, BOB).await;
    fence(&mut bob, 1).await;
    server.end_with([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_is_there_as_soon_as_it_is_told_so() {
    const MANY: u64 = 200;
    let server = start("{}").await;
    let mut alice = Client::connect(&server, ALICE).await;
    let mut others = Vec::new();
    for n in 0..MANY {
        let name = format!("user{n}@client.test");
        // Its 101 is here, and nothing else is waited for.
        let mut other = Client::connect(&server, &name).await;
        let invite = request("INVITE", &name, ALICE, &format!("call-{n}"), 1);
        alice.send(&invite).await;
        let invited = other.expect(json!({"Type": "INVITE"})).await;
        other.reply(&invited, 486).await;
        let refused = alice.expect(answer(&invite, 486)).await;
        alice.send(&ack(&refused, 2)).await;
        other.expect(json!({"Type": "ACK"})).await;
        others.push(other);
    }
    server.end_with(others.into_iter().chain([alice])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_left_long_ago_is_not_there() {
    let server = start("jsip: {away_grace: 300ms}").await;
    let mut alice = Client::connect(&server, ALICE).await;
    let bob = Client::connect(&server, BOB).await;
    bob.close().await;
    server.until("peers", 1).await;
    alice.send(&call(1)).await;
    let refused = alice.expect(answer(&call(1), 480)).await;
    alice.send(&ack(&refused, 2)).await;
    server.end_with([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_lost_its_socket_is_no_contact_after_a_while() {
    const ROUTES: &str = "
slps: {default: conformance, conformance: conformance, registrar: registrar}
routes: [{when: {method: REGISTER}, slp: registrar}, {when: {method: SUBSCRIBE}, slp: registrar}]
apis: {}
hops: []
";
    let server =
        Setup::new().settings("jsip: {away_grace: 300ms, linger: 100ms}").routes(ROUTES).start().await;
    let mut alice = Client::connect(&server, ALICE).await;
    let mut bob = Client::connect(&server, BOB).await;
    let register = fields(request("REGISTER", BOB, BOB, "register", 1), json!({"Expire": 600}));
    bob.send(&register).await;
    bob.expect(answer(&register, 200)).await;
    let subscribe = fields(
        request("SUBSCRIBE", BOB, ALICE, "subscribe", 1),
        json!({"To": BOB, "Event": "presence", "Expire": 600}),
    );
    alice.send(&subscribe).await;
    alice.expect(answer(&subscribe, 200)).await;
    let online = alice.expect(json!({"Type": "NOTIFY"})).await;
    assert_eq!(online["Body"]["state"], "online");
    alice.reply(&online, 200).await;
    drop(bob);
    let away = alice.expect(json!({"Type": "NOTIFY"})).await;
    assert_eq!(away["Body"]["state"], "away");
    alice.reply(&away, 200).await;
    server.end_with([alice]).await;
}

/// Bob gets Alice's INVITE and leaves in some way; whether it comes again when he is back.
async fn comes_again(leave: Option<Option<CloseCode>>) -> bool {
    let server = start("{}").await;
    let mut alice = Client::connect(&server, ALICE).await;
    let mut bob = Client::connect(&server, BOB).await;
    alice.send(&call(1)).await;
    let invite = bob.expect(json!({"Type": "INVITE"})).await;
    match leave {
        Some(code) => drop(bob.close_with(code).await),
        None => drop(bob),
    }
    server.until("connections", 1).await;
    let mut bob = Client::connect(&server, BOB).await;
    let probe = request("MESSAGE", "Recv_MESSAGE", BOB, "fence", 1);
    bob.send(&probe).await;
    let mut first = bob.recv().await;
    let again = first == invite;
    if again {
        first = bob.recv().await;
    }
    assert_eq!(first["DialogueID"], "fence", "{first}");
    // He can answer all the same.
    bob.reply(&invite, 486).await;
    bob.expect(json!({"Type": "ACK", "RelatedID": invite["CSeq"]})).await;
    let refused = alice.expect(answer(&call(1), 486)).await;
    alice.send(&ack(&refused, 2)).await;
    server.end_with([alice, bob]).await;
    again
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_after_a_clean_close_nothing_is_sent_again() {
    let ends = [
        (Some(Some(CloseCode::Normal)), false),
        (Some(Some(CloseCode::Away)), false),
        (Some(None), false),
        (None, true),
        (Some(Some(CloseCode::Error)), true),
        (Some(Some(CloseCode::Policy)), true),
        (Some(Some(CloseCode::Library(4000))), true),
    ];
    let runs = ends.map(|(leave, again)| (leave, again, tokio::spawn(comes_again(leave))));
    for (leave, again, run) in runs {
        assert_eq!(run.await.unwrap(), again, "{leave:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_arrived_is_not_sent_again() {
    let server = start("{}").await;
    let mut alice = Client::connect(&server, ALICE).await;
    let mut bob = Client::connect(&server, BOB).await;
    alice.send(&call(1)).await;
    let invite = bob.expect(json!({"Type": "INVITE"})).await;
    // Tungstenite has answered the ping when it reads on; the pong leaves with the next message.
    assert!(
        matches!(bob.frame().await, tokio_tungstenite::tungstenite::Message::Ping(count) if count == "1")
    );
    fence(&mut bob, 1).await;
    lose(&server, bob, 1).await;
    let mut bob = Client::connect(&server, BOB).await;
    fence(&mut bob, 2).await;
    bob.reply(&invite, 200).await;
    let accepted = alice.expect(answer(&call(1), 200)).await;
    // The 200 waits for its ACK: it comes again, as does the ACK that Bob does not get.
    lose(&server, alice, 1).await;
    let mut alice = Client::connect(&server, ALICE).await;
    assert_eq!(alice.recv().await, accepted);
    lose(&server, bob, 1).await;
    alice.send(&ack(&accepted, 2)).await;
    server.until("queued", 1).await;
    let mut bob = Client::connect(&server, BOB).await;
    let acknowledged = bob.expect(json!({"Type": "ACK", "RelatedID": invite["CSeq"]})).await;
    lose(&server, bob, 1).await;
    let mut bob = Client::connect(&server, BOB).await;
    assert_eq!(bob.recv().await, acknowledged);
    let bye = fields(call(1), json!({"Type": "BYE", "CSeq": 3}));
    alice.send(&bye).await;
    alice.expect(answer(&bye, 200)).await;
    // Of the ended session only the BYE is still of interest.
    let far_bye = bob.expect(json!({"Type": "BYE"})).await;
    lose(&server, bob, 1).await;
    let mut bob = Client::connect(&server, BOB).await;
    assert_eq!(bob.recv().await, far_bye);
    bob.reply(&far_bye, 200).await;
    server.end_with([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_provisional_is_sent_again_and_a_repeat_gets_it_too() {
    let server = start("{}").await;
    let mut alice = Client::connect(&server, ALICE).await;
    let mut bob = Client::connect(&server, BOB).await;
    alice.send(&call(1)).await;
    let invite = bob.expect(json!({"Type": "INVITE"})).await;
    for code in [180, 183] {
        bob.reply(&invite, code).await;
        alice.expect(answer(&call(1), code)).await;
    }
    lose(&server, alice, 1).await;
    let mut alice = Client::connect(&server, ALICE).await;
    alice.expect(answer(&call(1), 183)).await;
    alice.send(&call(1)).await;
    alice.expect(answer(&call(1), 183)).await;
    // With the same key but not the same bytes it is nobody's.
    alice.send(&fields(call(1), json!({"X-Other": true}))).await;
    fence(&mut alice, 1).await;
    bob.reply(&invite, 404).await;
    bob.expect(json!({"Type": "ACK"})).await;
    let refused = alice.expect(answer(&call(1), 404)).await;
    // A repeat after the end gets the same answer, without asking Bob.
    alice.send(&call(1)).await;
    assert_eq!(alice.recv().await, refused);
    alice.send(&ack(&refused, 2)).await;
    fence(&mut bob, 1).await;
    server.end_with([alice, bob]).await;
}
