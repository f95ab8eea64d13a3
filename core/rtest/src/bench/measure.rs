//! Runs of the load maker against servers, each in a fresh process.

use super::figures::{Line, Unit};
use super::maker::Maker;
use super::place::Place;
use super::server::{Server, Target};
use super::{BenchError, BenchOptions};
use crate::load::Report;
use crate::transcript::Transcript;

/// Units in flight on each connection with which the highest throughput is looked for.
const IN_FLIGHT: [usize; 5] = [4, 8, 16, 32, 64];

/// Takes a figure out of a report.
pub(super) type Pick = fn(&Report) -> Option<f64>;

/// One side of a comparison.
#[derive(Debug, Clone)]
pub(super) struct Side {
    pub(super) name: &'static str,
    pub(super) target: Target,
    /// Of the load maker, separated by blanks.
    pub(super) arguments: String,
}

#[derive(Debug)]
pub(super) struct Measure<'a> {
    pub(super) options: &'a BenchOptions,
    pub(super) place: Place,
    transcript: &'a Transcript,
    /// Load runs that had errors.
    pub(super) problems: Vec<String>,
    /// With how many units in flight which server does most of which work.
    busiest: Vec<(Target, &'static str, usize)>,
}

impl<'a> Measure<'a> {
    pub(super) fn new(options: &'a BenchOptions, transcript: &'a Transcript) -> Result<Self, BenchError> {
        Ok(Self {
            options,
            place: Place::new(options)?,
            transcript,
            problems: Vec::new(),
            busiest: Vec::new(),
        })
    }

    pub(super) fn tell(&self, line: &str) {
        self.transcript.line(line);
    }

    /// How long a load run is to measure.
    pub(super) fn timed(&self, work: &str) -> String {
        format!("{work} --seconds {}", self.options.seconds())
    }

    /// Measures both sides in each round, one after the other, so that what the machine does meanwhile disturbs both.
    pub(super) async fn compare(
        &mut self,
        title: &str,
        unit: Unit,
        sides: [Side; 2],
        pick: Pick,
    ) -> Result<Line, BenchError> {
        let [baseline, compared] = sides;
        let mut line = Line::new(title, unit).against(baseline.name);
        for round in 1..=self.options.rounds() {
            let before = self.figure(&baseline, pick).await?;
            let value = self.figure(&compared, pick).await?;
            line.add_pair(before, value);
            self.tell_pair(&line, round, before, value);
        }
        Ok(line)
    }

    /// A line about the last round of `line`.
    pub(super) fn tell_pair(&self, line: &Line, round: usize, before: f64, value: f64) {
        let (unit, name) = (line.unit, line.baseline.as_ref().map_or("", |baseline| baseline.name));
        self.tell(&format!(
            "{}, round {round}: {name} {}{unit}, rtcd {}{unit}, ratio {:.2}",
            line.title,
            unit.number(before),
            unit.number(value),
            value / before
        ));
    }

    async fn figure(&mut self, side: &Side, pick: Pick) -> Result<f64, BenchError> {
        let report = self.load(side.target, &side.arguments).await?;
        pick(&report).ok_or_else(|| BenchError::NoFigure(side.arguments.clone()))
    }

    /// The throughput of `work` in a closed loop with one unit in flight on each connection.
    pub(super) async fn most(&mut self, target: Target, work: &str) -> Result<f64, BenchError> {
        let arguments = self.timed(&format!("{work} --in-flight 1"));
        Ok(self.load(target, &arguments).await?.units_per_second)
    }

    /// `work` with so many units in flight that `target` does most of it: the more there are, the more go into one read and one
    /// write, until something else is in the way. Looked for once.
    pub(super) async fn busiest(&mut self, target: Target, work: &'static str) -> Result<String, BenchError> {
        let known = self.busiest.iter().find(|known| (known.0, known.1) == (target, work));
        let in_flight = match known {
            Some(&(_, _, in_flight)) => in_flight,
            None => {
                let (mut best, mut most) = (0, 0.0);
                for in_flight in IN_FLIGHT {
                    let arguments = self.timed(&format!("{work} --in-flight {in_flight}"));
                    let throughput = self.load(target, &arguments).await?.units_per_second;
                    self.tell(&format!("{target:?}, {work} --in-flight {in_flight}: {throughput:.0}/s"));
                    if throughput > most {
                        (best, most) = (in_flight, throughput);
                    }
                }
                self.busiest.push((target, work, best));
                best
            }
        };
        Ok(format!("{work} --in-flight {in_flight}"))
    }

    /// Makes load for a fresh server.
    pub(super) async fn load(&mut self, target: Target, arguments: &str) -> Result<Report, BenchError> {
        let server = Server::start(&self.place, target).await?;
        let maker = Maker::start(&self.place, &server, arguments.to_owned())?;
        let report = maker.report().await?;
        server.stop().await?;
        self.note_errors(target, arguments, &report);
        Ok(report)
    }

    /// A figure of a run that had errors is not to be trusted.
    pub(super) fn note_errors(&mut self, target: Target, arguments: &str, report: &Report) {
        if report.errors == 0 {
            return;
        }
        let kinds: Vec<String> =
            report.error_kinds.iter().map(|(kind, count)| format!("{count} × {kind}")).collect();
        let problem = format!("{target:?}, `rtest load {arguments}`: {}", kinds.join("; "));
        self.tell(&problem);
        self.problems.push(problem);
    }
}

/// CPU time of the server in µs per unit.
pub(super) fn cpu(report: &Report) -> Option<f64> {
    report.server?.cpu_us_per_unit
}

/// Resident memory of the server in KiB for each connection.
pub(super) fn memory(report: &Report) -> Option<f64> {
    Some(report.server?.rss_per_connection_kib)
}
