//! Programs of events from both ends, drawn at random, on a virtual clock. What has to hold is said by a referee that sees only
//! what goes in and comes out.
//!
//! 2,000 programs of each kind run with the other tests; `RTCD_PROGRAMS=100000 cargo test --release -p jsip --test programs` runs
//! more.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests are tests")]

mod pair;
mod program;
mod referee;

use proptest::test_runner::{Config, TestRunner};

/// Runs as many programs as asked for, and shows the smallest that fails.
fn run<S: proptest::strategy::Strategy>(strategy: &S, test: impl Fn(S::Value)) {
    let cases = match std::env::var("RTCD_PROGRAMS") {
        Ok(cases) => cases.parse().expect("RTCD_PROGRAMS is a number"),
        Err(_) => 2_000,
    };
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let result = TestRunner::new(config).run(strategy, |program| {
        test(program);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// One final answer per request; every session and transaction ends by itself, within its longest timer; nothing is left but what
/// lingers, and that goes too; nothing is sent or delivered after the end.
#[test]
fn one_stack_between_a_peer_and_an_application_that_do_anything() {
    run(&program::programs(), |program| {
        let mut referee = referee::Referee::new();
        for event in program {
            referee.play(&event);
        }
        referee.silence();
    });
}

/// Two stacks, a server's and a client's, over sockets that are cut at any frame: no message is lost or seen twice.
#[test]
fn two_stacks_over_sockets_that_break() {
    run(&pair::programs(), |program| pair::play(&program));
}
