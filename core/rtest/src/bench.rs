//! Compares the server with the reference server: the tables and plots of `docs/performance.md`.

mod document;
mod figures;
mod machine;
mod maker;
mod measure;
mod options;
mod overload;
mod pauses;
mod place;
mod plot;
mod rows;
mod server;
mod statistics;
mod sweep;
mod table;

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

pub use options::{BenchOptions, Row};

use crate::transcript::Transcript;
use figures::{Chart, Line};
use machine::Machine;
use measure::Measure;

/// Why nothing could be measured, or the result not be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The server is not built.
    #[error("no program {}: `cargo build --release -p rtcd` makes it, or --server names another", .0.display())]
    NoServer(PathBuf),
    /// The system refused something.
    #[error("cannot {what}: {error}")]
    Io {
        /// What was to be done.
        what: String,
        /// What the system said.
        error: io::Error,
    },
    /// A server ended before it listened.
    #[error("a server did not start: {0}")]
    NotStarted(String),
    /// A server gave no good answer to its first MESSAGE.
    #[error("a server did not answer: {0}")]
    Silent(String),
    /// A load run could not be made.
    #[error("`rtest load {arguments}` failed: {said}")]
    Load {
        /// Its arguments.
        arguments: String,
        /// What it said.
        said: String,
    },
    /// A load run has not the figure that it was made for.
    #[error("`rtest load {0}` has no such figure: was any unit done?")]
    NoFigure(String),
    /// The page has no place for the tables.
    #[error("{} has no markers `<!-- bench: begin -->` and `<!-- bench: end -->`", .0.display())]
    Markers(PathBuf),
    /// A plot cannot be drawn.
    #[error("cannot draw a plot: {0}")]
    Plot(String),
    /// Ended from outside.
    #[error("interrupted")]
    Interrupted,
}

impl BenchError {
    /// For `map_err`: what could not be done.
    fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { what: what.into(), error }
    }

    /// What a server that is gone has said is in the file `said`.
    fn not_started(said: &Path) -> Self {
        Self::NotStarted(std::fs::read_to_string(said).unwrap_or_default())
    }
}

/// What was measured.
#[derive(Debug, Default)]
struct Results {
    figures: Vec<Line>,
    overload: Vec<Line>,
    charts: Vec<Chart>,
    /// Errors of load runs, each of which is named.
    problems: Vec<String>,
}

/// Measures what `options` ask for, prints the tables, and writes them if that is wanted. Whether no load run had errors: a
/// figure that is not what it is to be is no failure. Ends early at `shutdown`; no server and no load maker stays behind.
pub async fn bench(
    options: BenchOptions,
    transcript: &Transcript,
    shutdown: impl Future<Output = ()>,
) -> Result<bool, BenchError> {
    tokio::select! {
        done = run(&options, transcript) => done,
        () = shutdown => Err(BenchError::Interrupted),
    }
}

async fn run(options: &BenchOptions, transcript: &Transcript) -> Result<bool, BenchError> {
    let mut measure = Measure::new(options, transcript)?;
    let mut results = Results::default();
    for row in options.rows() {
        match row {
            Row::Message => results.figures.extend(measure.messages().await?),
            Row::Call => results.figures.push(measure.calls().await?),
            Row::Chat => results.figures.extend(measure.chat().await?),
            Row::Threads => results.figures.push(measure.threads().await?),
            Row::Memory => results.figures.push(measure.memory().await?),
            Row::Latency => results.figures.extend(measure.latency().await?),
            Row::Start => results.figures.push(measure.starts().await?),
            Row::Overload => results.overload = measure.overload().await?,
            Row::LatencyPlot => results.charts.push(measure.latency_chart().await?),
            Row::CpuPlot => results.charts.push(measure.cpu_chart().await?),
            Row::MemoryPlot => results.charts.push(measure.memory_chart().await?),
        }
    }
    results.problems = measure.problems;
    let text = results.text(options, &Machine::here());
    for line in std::iter::once("").chain(text.lines()) {
        transcript.line(line);
    }
    if let Some(page) = &options.write {
        for chart in &results.charts {
            let file = page.with_file_name(chart.file);
            let svg = plot::svg(chart)?;
            std::fs::write(&file, svg).map_err(BenchError::io(format!("write {}", file.display())))?;
        }
        document::write(page, &text)?;
    }
    Ok(results.problems.is_empty())
}

impl Results {
    /// All of it, as Markdown.
    fn text(&self, options: &BenchOptions, machine: &Machine) -> String {
        let (rounds, seconds) = (options.rounds(), options.seconds());
        let pinned = if options.pin {
            "the server on the first half of the processors, the load maker on the other"
        } else {
            "server and load maker share the processors"
        };
        let mut text = format!(
            "{machine}; rounds: {rounds}, plots: {}; {seconds} s each; {pinned}.\n\
             A figure is the median of its rounds, with the least and the greatest.\n",
            options.plot_rounds()
        );
        // Writing to a String cannot fail.
        if !self.figures.is_empty() {
            let _ = write!(text, "\n### Figures\n\n{}", table::lines(&self.figures));
        }
        if !self.overload.is_empty() {
            let _ = write!(text, "\n### Overload\n\n{}", table::lines(&self.overload));
        }
        for chart in &self.charts {
            let Chart { title, file, .. } = chart;
            let _ = write!(text, "\n### {title}\n\n![{title}]({file})\n\n{}", table::chart(chart));
        }
        if !self.problems.is_empty() {
            text.push_str("\n### Load runs with errors\n\n");
        }
        for problem in &self.problems {
            let _ = writeln!(text, "- {problem}");
        }
        text
    }
}

#[cfg(test)]
mod tests;
