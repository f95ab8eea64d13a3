//! Whatever crosses: no leg stays up, and each request has one final answer.
//!
//! Two clients, a protocol stack for each, and the call between them; every message travels through a queue, and a schedule drawn by
//! a seed says which queue moves next, or which client does something on its own. All is told by the seed.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod client;
mod world;

use std::time::Duration;

use self::client::{Act, Phone};
use self::world::World;

fn check(caller: &[Act], callee: &[Act], seed: u64) {
    let mut world = World::new(caller, callee, seed);
    world.run();
    let told = |world: &World| format!("seed {seed}\n{}\n{}", world.told, world.call.log());

    // At rest, and without any timer: both phones say the same, and both legs are up or none is.
    let [alice, bob] = &world.legs;
    let phones = (alice.client.phone, bob.client.phone);
    let agree = match phones {
        (Phone::Up, bob) => bob == Phone::Up,
        (_, Phone::Up) => false,
        _ => true,
    };
    assert!(agree, "{phones:?} {}", told(&world));
    let sessions = (alice.stack.counts().sessions, bob.stack.counts().sessions);
    assert_eq!(sessions.0, sessions.1, "{}", told(&world));
    if alice.client.phone == Phone::Over {
        assert_eq!((sessions.0, world.call.tasks()), (0, 0), "{}", told(&world));
    }

    // After all timers: nothing is left, and every request has one final answer.
    for _ in 0..200 {
        world.pass_time(Duration::from_secs(10));
        world.run();
    }
    for leg in &world.legs {
        let counts = leg.stack.counts();
        assert_eq!((counts.sessions, counts.dialogs, counts.transactions), (0, 0, 0), "{}", told(&world));
        for (cseq, method) in &leg.client.asked {
            let finals = leg.client.finals.get(cseq).copied().unwrap_or_default();
            assert_eq!(finals, 1, "{} {method} {cseq} {}", leg.client.name, told(&world));
        }
    }
    assert_eq!(world.call.tasks(), 0, "{}", told(&world));
}

/// Schedules of each case.
const SEEDS: u64 = 300;

#[test]
fn no_leg_is_left_up() {
    use Act::{Accept, Bye, Cancel, Decline, Info, Prack, ReInvite, Ring, Update, Wait};
    let cases: &[(&[Act], &[Act])] = &[
        (&[Cancel], &[Accept]),
        (&[Cancel], &[Ring, Accept]),
        (&[Cancel], &[Ring, Decline]),
        (&[Cancel, Bye], &[Accept, Bye]),
        (&[Cancel, Prack, Info], &[Ring, Accept, Info]),
        (&[Cancel, Update], &[Ring, Accept, Update]),
        (&[Prack, Info], &[Ring, Decline, Update]),
        (&[Bye], &[Accept]),
        (&[], &[Accept, Bye]),
        (&[Bye], &[Accept, Bye]),
        (&[Bye, Info], &[Accept, Bye, Info]),
        (&[ReInvite], &[Accept, ReInvite, Bye]),
        (&[ReInvite, Bye], &[Accept, ReInvite]),
        (&[ReInvite, Bye, Info], &[Ring, Accept, ReInvite, Bye, Info]),
        (&[Wait], &[Ring, Accept]),
        (&[Wait, Cancel], &[Ring, Accept, Bye]),
        (&[Wait, Bye], &[Accept, Decline]),
        (&[Wait], &[Wait]),
    ];
    for (caller, callee) in cases {
        for seed in 0..SEEDS {
            check(caller, callee, seed);
        }
    }
}
