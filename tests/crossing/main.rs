//! Whatever crosses in a two-leg call: every order in which the messages on its links can be delivered, on a virtual clock. At the end no leg
//! is up, each request has one final answer, and who has accepted, or was accepted, got a BYE.
#![expect(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod party;
mod world;

use std::collections::HashMap;
use std::time::Duration;

use party::{Act, Manners};
use world::{ALICE, BOB, Link, State, World};

const POLITE: Manners = Manners { acks: true, hangs_up: true };
/// Confirms, and leaves the rest to the timers.
const LAZY: Manners = Manners { acks: true, hangs_up: false };
/// Does not even confirm.
const RUDE: Manners = Manners { acks: false, hangs_up: false };

/// More states than these of one crossing are too many for a test, or a loop.
const STATES: usize = 100_000;

/// Plays a crossing in every order, depth first. Gives the number of orders.
///
/// Orders that lead to the same state go on in the same ways, so that each state is gone on from once: what it is depends on nothing but the
/// order in which each stack and the call got what they got.
fn every_order(what: &str, begin: impl Fn() -> World) -> u64 {
    let mut search = Search { what, begin: &begin, path: Vec::new(), known: HashMap::new() };
    let orders = search.visit();
    println!("{what}: {orders} orders of {} states", search.known.len());
    orders
}

struct Search<'a> {
    what: &'a str,
    begin: &'a dyn Fn() -> World,
    path: Vec<Link>,
    /// State → the orders that lead on from it.
    known: HashMap<State, u64>,
}

impl Search<'_> {
    /// Goes on from where the path leads in all ways; gives how many there are to the end.
    fn visit(&mut self) -> u64 {
        let mut world = (self.begin)();
        for link in &self.path {
            world.step(*link);
        }
        let state = world.state();
        if let Some(orders) = self.known.get(&state) {
            return *orders;
        }
        let links = world.links();
        if links.is_empty() {
            self.end(world);
        }
        let mut orders = u64::from(links.is_empty());
        for link in links {
            self.path.push(link);
            orders += self.visit();
            self.path.pop();
        }
        self.known.insert(state, orders);
        assert!(self.known.len() < STATES, "{}: too many states", self.what);
        orders
    }

    fn end(&self, mut world: World) {
        world.run_out();
        if let Err(problem) = world.check() {
            panic!("{}, by {:?}: {problem}", self.what, self.path);
        }
    }
}

/// What Alice and Bob do at the same time while it rings.
fn while_it_rings(alice: &[Act], bob: &[Act], manners: Manners) -> u64 {
    every_order(&format!("{alice:?} {bob:?} {manners:?}"), || {
        let mut world = World::new(manners, 300);
        do_all(&mut world, alice, bob);
        world
    })
}

/// The same in a call that was accepted.
fn while_they_talk(alice: &[Act], bob: &[Act], manners: Manners) -> u64 {
    every_order(&format!("talking {alice:?} {bob:?} {manners:?}"), || {
        let mut world = talking(manners, 300);
        do_all(&mut world, alice, bob);
        world
    })
}

fn talking(manners: Manners, expire: u64) -> World {
    let mut world = World::new(manners, expire);
    world.act(BOB, Act::Accept);
    world.settle();
    world
}

fn do_all(world: &mut World, alice: &[Act], bob: &[Act]) {
    for act in alice {
        world.act(ALICE, *act);
    }
    for act in bob {
        world.act(BOB, *act);
    }
}

#[test]
fn cancel_and_acceptance() {
    let mut orders = 0;
    for manners in [POLITE, LAZY, RUDE] {
        orders += while_it_rings(&[Act::Cancel], &[Act::Accept], manners);
        orders += while_it_rings(&[Act::Cancel], &[Act::Ring, Act::Accept], manners);
        orders += while_it_rings(&[Act::Cancel], &[Act::Decline], manners);
        orders += while_it_rings(&[Act::Bye], &[Act::Accept], manners);
        orders += while_it_rings(&[Act::Bye], &[Act::Ring, Act::Accept], manners);
        orders += while_it_rings(&[Act::Bye], &[Act::Decline], manners);
    }
    assert!(orders > 100, "{orders}");
}

#[test]
fn acceptance_and_the_end_of_patience() {
    // The INVITE's time is over at both stacks: each answers its side with 408, or takes the INVITE back.
    let mut orders = 0;
    for manners in [POLITE, LAZY, RUDE] {
        for (alice, bob) in [
            (&[][..], &[][..]),
            (&[], &[Act::Accept]),
            (&[], &[Act::Ring]),
            (&[], &[Act::Ring, Act::Accept]),
            (&[], &[Act::Decline]),
            (&[Act::Cancel], &[]),
            (&[Act::Cancel], &[Act::Accept]),
            (&[Act::Bye], &[Act::Accept]),
        ] {
            orders += every_order(&format!("408 {alice:?} {bob:?} {manners:?}"), || {
                let mut world = World::new(manners, 300);
                world.wait(Duration::from_secs(60));
                do_all(&mut world, alice, bob);
                world
            });
        }
    }
    assert!(orders > 100, "{orders}");
}

#[test]
fn both_hang_up() {
    let mut orders = 0;
    for manners in [POLITE, RUDE] {
        orders += while_they_talk(&[Act::Bye], &[Act::Bye], manners);
        orders += while_they_talk(&[Act::Bye], &[Act::Info, Act::Bye], manners);
        // She hangs up before she knows that he has accepted, and he at once.
        orders += while_it_rings(&[], &[Act::Accept, Act::Bye], manners);
        orders += while_it_rings(&[Act::Cancel], &[Act::Accept, Act::Bye], manners);
        orders += while_it_rings(&[Act::Bye], &[Act::Accept, Act::Bye], manners);
    }
    assert!(orders > 100, "{orders}");
}

#[test]
fn a_session_timer_and_a_bye() {
    const EXPIRE: u64 = 300;
    let mut orders = 0;
    for manners in [POLITE, LAZY] {
        for (alice, bob) in [
            (&[][..], &[][..]),
            (&[Act::Bye], &[]),
            (&[], &[Act::Bye]),
            (&[Act::Update], &[Act::Bye]),
            (&[Act::Bye], &[Act::Bye]),
        ] {
            // Alice has not refreshed her leg; his is refreshed at the same moment.
            orders += every_order(&format!("session timer {alice:?} {bob:?} {manners:?}"), || {
                let mut world = talking(manners, EXPIRE);
                world.wait(Duration::from_secs(EXPIRE));
                do_all(&mut world, alice, bob);
                world
            });
        }
    }
    assert!(orders > 100, "{orders}");
}

#[test]
fn an_acceptance_that_is_never_confirmed() {
    let mut orders = 0;
    for (alice, bob) in
        [(&[][..], &[][..]), (&[Act::Bye], &[]), (&[], &[Act::Bye]), (&[Act::Bye], &[Act::Bye])]
    {
        orders += every_order(&format!("acktimer {alice:?} {bob:?}"), || {
            let mut world = talking(RUDE, 300);
            world.wait(Duration::from_secs(32));
            do_all(&mut world, alice, bob);
            world
        });
    }
    assert!(orders > 100, "{orders}");
}

#[test]
fn other_requests_in_between() {
    let mut orders = 0;
    orders += while_it_rings(&[Act::Info, Act::Cancel], &[Act::Accept], POLITE);
    orders += while_it_rings(&[Act::Cancel], &[Act::Info, Act::Accept], LAZY);
    orders += every_order("early PRACK", || {
        let mut world = World::new(POLITE, 300);
        world.act(BOB, Act::Ring);
        world.settle();
        do_all(&mut world, &[Act::Prack, Act::Cancel], &[Act::Accept]);
        world
    });
    orders += every_order("early UPDATE", || {
        let mut world = World::new(POLITE, 300);
        world.act(BOB, Act::Ring);
        world.settle();
        do_all(&mut world, &[Act::Update], &[Act::Update]);
        world
    });
    orders += while_they_talk(&[Act::ReInvite], &[Act::Bye], POLITE);
    orders += while_they_talk(&[Act::Bye], &[Act::ReInvite], POLITE);
    orders += while_they_talk(&[Act::ReInvite], &[Act::ReInvite], POLITE);
    orders += while_they_talk(&[Act::ReInvite, Act::Bye], &[], POLITE);
    assert!(orders > 100, "{orders}");
}
