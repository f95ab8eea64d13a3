//! Calls at twice the rate that the server can take, beside calls that are up.

use super::BenchError;
use super::figures::{Line, Reach, Unit};
use super::maker::Maker;
use super::measure::Measure;
use super::server::{Server, Target};
use crate::load::Report;

/// New calls between users; nobody waits longer for one. The server may find that there are too many before they fill the machine.
const CALLS: &str = "--work call2 --connections 200 --timeout 2 --refusals";

/// The same with a service that does next to nothing: here refusing is not much cheaper than serving.
const CHEAP: &str = "--work call --connections 200 --timeout 2 --refusals";

/// Parts of what the closed loop found, among which is the rate at which most calls are done in an open loop.
const RATES: [f64; 4] = [0.7, 0.8, 0.9, 1.0];

/// Calls that are up before the others come, and stay.
const RUNNING: &str = "--work session --connections 10 --rate 100";

/// What one state of the server showed.
struct Seen {
    /// The new calls; none when it is quiet.
    calls: Option<Report>,
    /// INFOs in the calls that are up.
    running: Report,
}

impl Measure<'_> {
    /// The load maker is to make twice the load: on processors that it shares with the server it would take the server's time
    /// away, and be late itself.
    pub(super) async fn overload(&mut self) -> Result<Vec<Line>, BenchError> {
        let before = self.place.part();
        let lines = self.overload_parted().await;
        self.place.join(before);
        lines
    }

    async fn overload_parted(&mut self) -> Result<Vec<Line>, BenchError> {
        let mut goodput =
            Line::new("calls between users done at twice the load of the peak", Unit::PerSecond)
                .against("peak")
                .reach(Reach::RatioAtLeast(0.9));
        let mut cheap =
            Line::new("calls with a service of no work, the same", Unit::PerSecond).against("peak");
        let mut refused = Line::new("calls refused with 503", Unit::PerSecond);
        let mut failed = Line::new("calls with neither in 2 s", Unit::PerSecond);
        let quantiles = ["p50", "p99"];
        let mut refusals =
            quantiles.map(|quantile| Line::new(format!("from INVITE to 503, {quantile}"), Unit::Millis));
        let mut let_in = quantiles.map(|quantile| {
            Line::new(format!("a call that was let in, {quantile}"), Unit::Millis).against("at the peak")
        });
        let mut busy = quantiles.map(|quantile| {
            Line::new(format!("INFO in a running call, at the peak, {quantile}"), Unit::Millis)
                .against("quiet")
        });
        let mut running = quantiles.map(|quantile| {
            Line::new(format!("INFO in a running call, twice that, {quantile}"), Unit::Millis)
                .against("quiet")
        });
        let [busiest, busiest_cheap] = [self.highest(CALLS).await?, self.highest(CHEAP).await?];
        for round in 1..=self.options.rounds() {
            let quiet = self.beside_running(None).await?;
            let (peak, over) = self.peak_and_beyond(CALLS, busiest).await?;
            let (highest, beyond) = (calls(&peak)?, calls(&over)?);
            let (cheap_peak, cheap_over) = self.peak_and_beyond(CHEAP, busiest_cheap).await?;
            let of_cheap = [calls(&cheap_peak)?, calls(&cheap_over)?].map(|report| report.units_per_second);
            cheap.add_pair(of_cheap[0], of_cheap[1]);
            self.tell_pair(&cheap, round, of_cheap[0], of_cheap[1]);

            goodput.add_pair(highest.units_per_second, beyond.units_per_second);
            self.tell_pair(&goodput, round, highest.units_per_second, beyond.units_per_second);
            let count = beyond.refused.map_or(0, |refused| refused.units);
            refused.add(count as f64 / beyond.seconds);
            let all_seconds = beyond.seconds + WARMUP as f64;
            failed.add(beyond.errors as f64 / all_seconds);
            self.tell(&format!("overload, round {round}: {count} refused, {} failed", beyond.errors));
            if let Some(latency) = beyond.refused.filter(|refused| refused.units > 0).map(|it| it.latency) {
                add(&mut refusals, [latency.p50_ms, latency.p99_ms]);
            }
            add_pairs(&mut let_in, highest, beyond);
            add_pairs(&mut busy, &quiet.running, &peak.running);
            add_pairs(&mut running, &quiet.running, &over.running);
        }
        let mut lines = vec![goodput, refused, failed, cheap];
        lines.extend([refusals, let_in, busy, running].into_iter().flatten());
        Ok(lines)
    }

    /// Units a second that a closed loop finds.
    async fn highest(&mut self, work: &'static str) -> Result<f64, BenchError> {
        let busiest = self.busiest(Target::Rtcd, work).await?;
        Ok(self.load(Target::Rtcd, &self.timed(&busiest)).await?.units_per_second)
    }

    /// Where most calls are done in an open loop, and at twice that load.
    async fn peak_and_beyond(&mut self, work: &str, highest: f64) -> Result<(Seen, Seen), BenchError> {
        let done = |seen: &Seen| seen.calls.as_ref().map_or(0.0, |report| report.units_per_second);
        let mut peak: Option<Seen> = None;
        for part in RATES {
            let seen =
                self.beside_running(Some(format!("{work} --rate {:.0}", (part * highest).max(1.0)))).await?;
            if peak.as_ref().is_none_or(|peak| done(peak) < done(&seen)) {
                peak = Some(seen);
            }
        }
        let peak = peak.ok_or_else(|| BenchError::NoFigure(work.to_owned()))?;
        let twice = format!("{work} --rate {:.0}", 2.0 * done(&peak).max(1.0));
        Ok((peak, self.beside_running(Some(twice)).await?))
    }

    /// Makes calls, or none, while others are up; all on a fresh server.
    async fn beside_running(&mut self, calls: Option<String>) -> Result<Seen, BenchError> {
        let server = Server::start(&self.place, Target::Rtcd).await?;
        let seconds = self.options.seconds();
        // It begins before the others and ends while they still call.
        let arguments = format!("{RUNNING} --warmup {} --seconds {seconds}", WARMUP + 1);
        let mut running = Maker::start(&self.place, &server, arguments.clone())?;
        running.begun().await?;
        let may_fail = calls.as_ref().is_some_and(|calls| calls.contains("--rate"));
        let made = calls.map(|calls| format!("{calls} --warmup {WARMUP} --seconds {}", seconds + 1));
        let calls = match &made {
            Some(arguments) => Some(Maker::start(&self.place, &server, arguments.clone())?.report().await?),
            None => None,
        };
        let running = running.report().await?;
        server.stop().await?;
        self.note_errors(Target::Rtcd, &arguments, &running);
        // Beyond its capacity, errors are what is measured.
        if let (Some(report), Some(made), false) = (&calls, &made, may_fail) {
            self.note_errors(Target::Rtcd, made, report);
        }
        Ok(Seen { calls, running })
    }
}

/// Seconds before anything is measured: long enough that what waits does not just begin to wait.
const WARMUP: u64 = 3;

fn calls(seen: &Seen) -> Result<&Report, BenchError> {
    seen.calls
        .as_ref()
        .filter(|report| report.units > 0)
        .ok_or_else(|| BenchError::NoFigure(CALLS.to_owned()))
}

fn add(lines: &mut [Line; 2], values: [f64; 2]) {
    for (line, value) in lines.iter_mut().zip(values) {
        line.add(value);
    }
}

/// p50 and p99 of both.
fn add_pairs(lines: &mut [Line; 2], baseline: &Report, report: &Report) {
    let quantiles = |report: &Report| [report.latency.p50_ms, report.latency.p99_ms];
    for (line, (before, value)) in
        lines.iter_mut().zip(quantiles(baseline).into_iter().zip(quantiles(report)))
    {
        line.add_pair(before, value);
    }
}
