//! Three users, two devices each, and whatever happens in whatever order: a subscription never has two NOTIFYs under way, and when
//! all is answered each subscriber knows what is true.

use std::collections::BTreeMap;
use std::time::Duration;

use rtcd_sdk::Peer;
use rtcd_sdk::jsip::StatusCode;
use rtcd_sdk::serde_json::Value;

use crate::desk::{ALICE, BOB, CAROL, Desk, Notify, desk, phone};

const USERS: [&str; 3] = [ALICE, BOB, CAROL];

#[test]
fn in_the_end_each_knows_what_is_true() {
    for seed in 1..200 {
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
    let peers: Vec<_> = USERS.into_iter().flat_map(|user| [desk(user), phone(user)]).collect();
    let mut office = Desk::with_settings("{max_expire: 1d, pause: 1s, max_pause: 3s}");
    let mut under_way: Vec<Notify> = Vec::new();
    // What each was told last by a NOTIFY that it answered 200.
    let mut known: BTreeMap<(String, String), Value> = BTreeMap::new();
    for peer in &peers {
        for user in USERS.into_iter().filter(|user| *user != peer.user()) {
            office.watches(peer, user);
        }
    }
    for _ in 0..150 {
        let peer: &Peer = &peers[draw(peers.len())];
        match draw(8) {
            0 => office.leaves(peer),
            1 | 2 => office.is(peer, ["online", "busy", "away"][draw(3)]),
            3 => {
                let short = office.register(peer, 1 + draw(3) as u64);
                office.ask(peer, short);
            }
            4 => office.harness.advance(Duration::from_millis(draw(2000) as u64)),
            5 => office.watches(peer, USERS.into_iter().find(|user| *user != peer.user()).unwrap_or(ALICE)),
            _ if under_way.is_empty() => {}
            _ => {
                let notify = under_way.swap_remove(draw(under_way.len()));
                let code = [
                    StatusCode::OK,
                    StatusCode::OK,
                    StatusCode::REQUEST_TIMEOUT,
                    StatusCode::SERVICE_UNAVAILABLE,
                ][draw(4)];
                answer(&mut office, &mut known, &notify, code);
            }
        }
        collect(&mut office, &mut under_way, seed);
    }
    // All is answered, and all pauses are over; what expires does so within a minute.
    for _ in 0..60 {
        while !under_way.is_empty() {
            answer(&mut office, &mut known, &under_way.remove(0), StatusCode::OK);
            collect(&mut office, &mut under_way, seed);
        }
        office.harness.advance(Duration::from_secs(1));
        collect(&mut office, &mut under_way, seed);
    }
    assert!(under_way.is_empty());
    for watched in USERS {
        // Who watches now is told what is true.
        office.watches(&phone("judge@test.com"), watched);
        let truth = office.told().remove(0).body;
        for peer in peers.iter().filter(|peer| peer.user() != watched) {
            let told = known.get(&(peer.to_string(), watched.to_owned()));
            assert_eq!(told, Some(&truth), "seed {seed}: {peer} of {watched}");
        }
    }
}

fn answer(
    office: &mut Desk,
    known: &mut BTreeMap<(String, String), Value>,
    notify: &Notify,
    code: StatusCode,
) {
    if code == StatusCode::OK {
        let user = notify.body["user"].as_str().unwrap().to_owned();
        known.insert((notify.to.clone(), user), notify.body.clone());
    }
    office.answer(notify, code);
}

/// Adds what was sent since.
fn collect(office: &mut Desk, under_way: &mut Vec<Notify>, seed: u64) {
    for notify in office.notifies() {
        let is_alone =
            under_way.iter().all(|other| other.to != notify.to || other.body["user"] != notify.body["user"]);
        assert!(is_alone, "seed {seed}: {notify:?}");
        under_way.push(notify);
    }
}
