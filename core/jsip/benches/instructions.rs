//! How many instructions a message costs, counted by callgrind: `cargo bench -p jsip --bench instructions`.
//!
//! It needs valgrind, and gungraun's runner of the version that Cargo.lock has:
//! `cargo install gungraun-runner --version 0.20.0 --locked`.
//!
//! # The limits
//! The bench fails if a unit takes 5 % more instructions than `core/testkit/src/units.rs` has for it. The count does not depend
//! on the machine's speed or load. The margin is for another version of rustc or of the C library, and for processors without
//! AVX2, on which copying takes more instructions. Other architectures have no limits.
//!
//! Who makes a unit cheaper writes the new number there, so that the gain is kept. A higher number goes with the reason why
//! that much more has to be done for each message; "it was over the limit" is none.

#![allow(missing_docs, reason = "the macros make items without")]

use gungraun::prelude::*;
use gungraun::{Callgrind, EventKind};
use rtcd_testkit::units::{self, Unit, Work};

#[library_benchmark(setup = Unit::prepare)]
#[bench::decode_message(args = (&units::DECODE_MESSAGE), config = limit(&units::DECODE_MESSAGE))]
#[bench::decode_invite(args = (&units::DECODE_INVITE), config = limit(&units::DECODE_INVITE))]
#[bench::parse_uri(args = (&units::PARSE_URI), config = limit(&units::PARSE_URI))]
#[bench::encode_response(args = (&units::ENCODE_RESPONSE), config = limit(&units::ENCODE_RESPONSE))]
#[bench::message_in(args = (&units::MESSAGE_IN), config = limit(&units::MESSAGE_IN))]
#[bench::message_out(args = (&units::MESSAGE_OUT), config = limit(&units::MESSAGE_OUT))]
#[bench::call(args = (&units::CALL), config = limit(&units::CALL))]
#[bench::pong(args = (&units::PONG), config = limit(&units::PONG))]
#[bench::refused(args = (&units::REFUSED), config = limit(&units::REFUSED))]
#[bench::reconnect(args = (&units::RECONNECT), config = limit(&units::RECONNECT))]
fn count(mut work: Work) -> Work {
    work();
    // What is returned is dropped when nothing is counted any more.
    work
}

fn limit(unit: &Unit) -> LibraryBenchmarkConfig {
    let limit = unit.instructions * unit.times * 105 / 100;
    let mut config = LibraryBenchmarkConfig::default();
    if cfg!(target_arch = "x86_64") {
        config.tool(Callgrind::default().hard_limits([(EventKind::Ir, limit)]));
    }
    config
}

library_benchmark_group!(name = stack, benchmarks = count);
main!(library_benchmark_groups = stack);
