//! A call goes on whatever happens to the sockets.

use tokio::sync::watch;
use tokio::time::timeout;

use crate::common::{PATIENCE, Setup, TestServer};
use crate::phone::{Job, Phone, Record};
use crate::proxy::Proxy;

/// What each says.
const SAY: u64 = 100;
/// How often a socket is cut.
const CUTS: u32 = 20;

/// A call in which Alice's line is cut, and Bob's this often. What both say has numbers. Gives how many
/// messages came to Alice again.
async fn call(server: &TestServer, seed: u64, bobs_cuts: u32) -> u64 {
    let (alice, bob) = (format!("alice-{seed}@client.test"), format!("bob-{seed}@client.test"));
    let job = |user: &String, other: &String, calls| Job {
        user: user.clone(),
        other: other.clone(),
        calls,
        say: SAY,
        hear: SAY,
    };
    let bobs = Proxy::start(server.rtc, !seed, bobs_cuts).await;
    let callee = Phone::new(bobs.address, job(&bob, &alice, false));
    let alices = Proxy::start(server.rtc, seed, CUTS).await;
    let caller = Phone::new(alices.address, job(&alice, &bob, true));
    let (stop, stopped) = watch::channel(false);
    let (mut bobs_record, mut alices_record) = (callee.record(), caller.record());
    let bob = tokio::spawn(callee.run(stopped.clone()));
    wait(seed, "Bob is there", &mut bobs_record, |record| !record.finals.is_empty()).await;
    let alice = tokio::spawn(caller.run(stopped));
    wait(seed, "Alice has hung up", &mut alices_record, |record| record.over).await;
    wait(seed, "Bob has heard it", &mut bobs_record, |record| record.over).await;
    server.until_all(&[("sessions", 0), ("transactions", 0)]).await;
    stop.send(true).unwrap();
    let (alice, bob) = (alice.await.unwrap(), bob.await.unwrap());
    let all: Vec<u64> = (1..=SAY).collect();
    for (name, record) in [("Alice", &alice), ("Bob", &bob)] {
        assert_eq!(record.heard, all, "seed {seed}: {name} heard");
        assert_eq!(record.finals.len() as u64, record.asked, "seed {seed}: {name} asked {record:?}");
        assert!(record.finals.values().all(|codes| *codes == [200]), "seed {seed}: {name} {record:?}");
    }
    // A connection is cut after 2000 bytes each way on average, and what both say is many times that. So this many cuts were made,
    // whatever the speed; how many connections got beyond the upgrade depends on it.
    assert!(alices.connections() > 10, "seed {seed}: {alices:?} {alice:?}");
    if bobs_cuts == 0 {
        assert_eq!((bob.connections, bob.repeats), (1, 0), "seed {seed}: {bob:?}");
    }
    alice.repeats
}

async fn wait(seed: u64, what: &str, record: &mut watch::Receiver<Record>, done: impl Fn(&Record) -> bool) {
    let waited =
        timeout(PATIENCE, record.wait_for(|record| done(record))).await.is_ok_and(|seen| seen.is_ok());
    assert!(waited, "seed {seed}: never: {what}: {:?}", record.borrow());
}

/// Timers that play no part, and time to come back.
const SETTINGS: &str = "jsip: {transtimer: 60s, linger: 5s, away_grace: 5s}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_line_is_cut_again_and_again() {
    let server = Setup::new().settings(SETTINGS).start().await;
    let mut repeats = 0;
    for seed in 1..=8 {
        repeats += call(&server, seed, 0).await;
    }
    assert!(repeats > 0, "there was something to send again");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_lines_are_cut_again_and_again() {
    let server = Setup::new().settings(SETTINGS).start().await;
    let mut repeats = 0;
    for seed in 101..=108 {
        repeats += call(&server, seed, CUTS).await;
    }
    assert!(repeats > 0, "there was something to send again");
    server.end().await;
}
