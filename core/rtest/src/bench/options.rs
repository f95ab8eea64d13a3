//! What to measure, and how long.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// The page of this repository.
const PAGE: &str = "core/rtest/docs/performance.md";

/// The options of the comparison with the reference server.
#[derive(Debug, Clone, Args)]
pub struct BenchOptions {
    /// How many times each figure is measured [default: 5; with --quick 1]
    #[arg(long)]
    pub rounds: Option<NonZeroUsize>,
    /// How long one measurement takes, in seconds [default: 5; with --quick 1]
    #[arg(long)]
    pub seconds: Option<NonZeroU64>,
    /// Only these rows, separated by commas [default: all]
    #[arg(long, value_enum, value_delimiter = ',')]
    pub rows: Vec<Row>,
    /// Write the tables into this page, between its two marker comments, and the plots beside it
    #[arg(long, value_name = "PAGE", num_args = 0..=1, default_missing_value = PAGE, conflicts_with = "rows")]
    pub write: Option<PathBuf>,
    /// A trial: one short round with few connections
    #[arg(long)]
    pub quick: bool,
    /// Keep the server on the first half of the processors and the load maker on the other, by taskset; then a server on
    /// two processors has one worker thread
    #[arg(long)]
    pub pin: bool,
    /// The server's program [default: rtcd, beside this program]
    #[arg(long, value_name = "FILE")]
    pub server: Option<PathBuf>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Row {
    /// CPU time of a MESSAGE, in three shapes
    Message,
    /// CPU time of a call with one leg
    Call,
    /// CPU time of a delivery in a room of 100
    Chat,
    /// CPU time of a MESSAGE with two worker threads against one
    Threads,
    /// Memory of an idle connection
    Memory,
    /// Latency at half of the highest throughput
    Latency,
    /// From exec to the first answered MESSAGE
    Start,
    /// Calls at twice the highest throughput, and what becomes of those that are up
    Overload,
    /// Plot: latency against offered load
    LatencyPlot,
    /// Plot: CPU time of a MESSAGE against connections
    CpuPlot,
    /// Plot: memory of a connection against connections
    MemoryPlot,
}

impl BenchOptions {
    pub(super) fn rounds(&self) -> usize {
        self.rounds.map_or(if self.quick { 1 } else { 5 }, NonZeroUsize::get)
    }

    /// Plots have many points, so that a few rounds of each do.
    pub(super) fn plot_rounds(&self) -> usize {
        self.rounds().min(3)
    }

    pub(super) fn seconds(&self) -> u64 {
        self.seconds.map_or(if self.quick { 1 } else { 5 }, NonZeroU64::get)
    }

    /// The rows to measure, in the order of the page.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row> + use<> {
        let wanted = self.rows.clone();
        Row::value_variants().iter().copied().filter(move |row| wanted.is_empty() || wanted.contains(row))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn options(args: &[&str]) -> Result<BenchOptions, clap::Error> {
        match Cli::try_parse_from(["rtest", "bench"].iter().chain(args))?.command {
            Some(Command::Bench(options)) => Ok(options),
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn all_rows_many_rounds_nothing_written() {
        let options = options(&[]).unwrap();
        assert_eq!((options.rounds(), options.plot_rounds(), options.seconds()), (5, 3, 5));
        assert_eq!(options.rows().count(), Row::value_variants().len());
        assert_eq!(options.write, None);
    }

    #[test]
    fn a_trial_may_be_longer() {
        let quick = options(&["--quick"]).unwrap();
        assert_eq!((quick.rounds(), quick.seconds()), (1, 1));
        let quick = options(&["--quick", "--rounds", "2", "--seconds", "3"]).unwrap();
        assert_eq!((quick.rounds(), quick.plot_rounds(), quick.seconds()), (2, 2, 3));
    }

    #[test]
    fn rows_come_in_the_order_of_the_page() {
        let some = options(&["--rows", "start,message"]).unwrap();
        assert_eq!(some.rows().collect::<Vec<_>>(), [Row::Message, Row::Start]);
    }

    #[test]
    fn a_page_is_written_whole() {
        assert_eq!(options(&["--write"]).unwrap().write, Some(PAGE.into()));
        assert_eq!(options(&["--write", "other.md"]).unwrap().write, Some("other.md".into()));
        assert!(options(&["--write", "other.md", "--rows", "start"]).is_err());
        assert!(options(&["--rounds", "0"]).is_err());
        assert!(options(&["--rows", "nothing"]).is_err());
    }
}
