//! A room with a few hundred members who all answer at once: nothing is lost, sent twice or out of order.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod common;

use common::{Client, PATIENCE, Setup, TestServer, answer, fields, request};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::timeout;

const ROUTES: &str = "
slps: {default: chatroom}
routes: []
apis: {chatroom.v1: {impl: chatroom}}
hops: []
";

const ROOM: &str = "room:1@rtc.test";
const MEMBERS: usize = 300;

fn subscribe(user: &str, expire: u64) -> Value {
    let more = json!({"Expire": expire, "P-Asserted-Identity": user});
    fields(request("SUBSCRIBE", ROOM, user, &format!("subscribe-{expire}"), 1), more)
}

fn say(user: &str, n: u64) -> Value {
    let more = json!({"P-Asserted-Identity": user, "X-Number": n, "Body": "hello"});
    fields(request("MESSAGE", ROOM, user, &format!("say-{n}"), 1), more)
}

/// So many users with a socket each, all of them members.
async fn members(server: &TestServer, names: impl Iterator<Item = String>) -> Vec<Client> {
    let mut members = Vec::new();
    for name in names {
        let mut member = Client::connect(server, &name).await;
        let join = subscribe(&name, 600);
        member.send(&join).await;
        member.expect(answer(&join, 200)).await;
        members.push(member);
    }
    members
}

/// A member who hears so many messages, answers each at once, and notes who said what.
async fn hear(mut member: Client, count: usize) -> (Client, Vec<(String, u64)>) {
    let mut heard = Vec::new();
    while heard.len() < count {
        let message = timeout(PATIENCE, member.recv()).await.unwrap();
        if message["Type"] == "MESSAGE" {
            member.reply(&message, 200).await;
            heard.push((message["From"].as_str().unwrap().to_owned(), message["X-Number"].as_u64().unwrap()));
        }
    }
    (member, heard)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_members_answer_at_once() {
    const SAID: u64 = 10;
    let server = Setup::new().routes(ROUTES).settings("jsip: {transtimer: 60s}").start().await;
    let all = members(&server, (0..MEMBERS).map(|n| format!("member-{n}@client.test"))).await;
    let mut sender = members(&server, ["sender@client.test".to_owned()].into_iter()).await.remove(0);
    let mut hearing = JoinSet::new();
    for member in all {
        hearing.spawn(hear(member, SAID as usize));
    }
    for n in 0..SAID {
        sender.send(&say(&sender.user, n)).await;
    }
    // Each is a dialog of its own: its answer waits for no other's.
    for _ in 0..SAID {
        sender.expect(json!({"Code": 200})).await;
    }
    let expected: Vec<_> = (0..SAID).map(|n| (sender.user.clone(), n)).collect();
    let mut clients = vec![sender];
    while let Some(member) = timeout(PATIENCE, hearing.join_next()).await.unwrap() {
        let (member, heard) = member.unwrap();
        assert_eq!(heard, expected, "{}", member.user);
        clients.push(member);
    }
    assert_eq!(clients.len(), MEMBERS + 1);
    // A 408 would send a message again: closing, each finds that nothing more has come.
    server.end_with(clients).await;
}

/// What cannot be kept is refused, and nobody hears it; all else goes on. A room that keeps nothing does not care.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_store() {
    for keep in [true, false] {
        // The tables fit, with some small messages; the oldest of them give way. A large one does not.
        let setup = Setup::new().routes(ROUTES).service("store", "{max_size: 98304, timeout: 60s}");
        let setup = setup.service("chatroom", if keep { "{}" } else { "history: {keep: false}" });
        let server = setup.start().await;
        let names = ["sender@client.test", "member@client.test"].map(str::to_owned);
        let [mut sender, mut member] = members(&server, names.into_iter()).await.try_into().unwrap();
        let (mut accepted, mut refused) = (Vec::new(), 0);
        for n in 0..100 {
            let is_large = n % 5 == 4;
            let bytes = if is_large { 60_000 } else { 500 };
            sender.send(&fields(say(&sender.user, n), json!({"Body": "x".repeat(bytes)}))).await;
            let answer = timeout(PATIENCE, sender.recv()).await.unwrap();
            match answer["Code"].as_u64() {
                Some(200) => accepted.push(n),
                Some(503) => {
                    assert_eq!(
                        (&answer["Reason"], is_large),
                        (&json!("The message cannot be kept now"), true)
                    );
                    refused += 1;
                }
                _ => panic!("{answer}"),
            }
        }
        assert_eq!(refused, if keep { 20 } else { 0 });
        for n in &accepted {
            let message = timeout(PATIENCE, member.recv()).await.unwrap();
            assert_eq!(message["X-Number"], *n);
            member.reply(&message, 200).await;
        }
        let refresh = fields(subscribe(&sender.user, 600), json!({"DialogueID": "again"}));
        sender.send(&refresh).await;
        sender.expect(answer(&refresh, 200)).await;
        // Closing, the member finds that nothing more has come.
        server.end_with(vec![sender, member]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_members_speak_and_hear_in_one_order() {
    const FEW: usize = 20;
    const SAID: u64 = 20;
    let server = Setup::new().routes(ROUTES).settings("jsip: {transtimer: 60s}").start().await;
    let all = members(&server, (0..FEW).map(|n| format!("member-{n}@client.test"))).await;
    let mut hearing = JoinSet::new();
    for mut member in all {
        hearing.spawn(async move {
            for n in 0..SAID {
                member.send(&say(&member.user, n)).await;
            }
            hear(member, (FEW - 1) * SAID as usize).await
        });
    }
    let mut clients = Vec::new();
    let mut orders = Vec::new();
    while let Some(member) = timeout(PATIENCE, hearing.join_next()).await.unwrap() {
        let (member, heard) = member.unwrap();
        orders.push((member.user.clone(), heard));
        clients.push(member);
    }
    // Any two heard what others said in the same order: that in which the room took it.
    for (one, heard) in &orders {
        for (other, also) in &orders {
            let common = |heard: &[(String, u64)]| -> Vec<(String, u64)> {
                heard.iter().filter(|(from, _)| from != one && from != other).cloned().collect()
            };
            assert_eq!(common(heard), common(also), "{one} and {other}");
        }
    }
    server.until_all(&["dialogs", "transactions", "tasks"].map(|name| (name, 0))).await;
    for client in clients {
        // The answers to what was said may have come last.
        let rest = client.close_with(None).await;
        assert!(rest.iter().all(|message| message["Code"] == 200), "{rest:?}");
    }
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_does_not_read_holds_up_nobody() {
    let server = Setup::new().routes(ROUTES).start().await;
    let mut all = members(&server, (0..10).map(|n| format!("member-{n}@client.test"))).await;
    let mut sender = members(&server, ["sender@client.test".to_owned()].into_iter()).await.remove(0);
    let stuck = all.remove(0);
    for n in 0..50 {
        sender.send(&say(&sender.user, n)).await;
        sender.expect(answer(&say(&sender.user, n), 200)).await;
        for member in &mut all {
            let message = member.expect(json!({"Type": "MESSAGE", "X-Number": n})).await;
            member.reply(&message, 200).await;
        }
    }
    // He reads at last: all is there, in order.
    let (stuck, heard) = hear(stuck, 50).await;
    assert_eq!(heard.iter().map(|(_, n)| *n).collect::<Vec<_>>(), (0..50).collect::<Vec<_>>());
    server.end_with(all.into_iter().chain([sender, stuck])).await;
}
