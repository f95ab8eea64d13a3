#![doc = include_str!("../docs/rtest.md")]

mod bench;
pub mod cli;
mod demo;
mod dial;
mod echo;
mod frames;
mod hostile;
mod load;
mod runner;
mod script;
mod tally;
mod transcript;
mod uac;
mod uas;

pub use bench::{BenchError, BenchOptions, Row, bench};
pub use demo::{DemoError, demo};
pub use dial::DialError;
pub use echo::echo;
pub use hostile::hostile;
pub use load::{Latency, LoadError, LoadOptions, ProcessReport, Refused, Report, Work, load};
pub use script::{FieldProblem, Script, ScriptError, StageProblem};
pub use tally::Tally;
pub use transcript::Transcript;
pub use uac::Uac;
pub use uas::Uas;
