//! What a load run has shown.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::histogram::Histogram;
use super::options::{LoadOptions, Work};
use super::process::Usage;
use super::stats::Stats;

/// The result of a load run. Field names are those of the JSON file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// What was done.
    pub work: Work,
    /// Connections that were to be open.
    pub connections: usize,
    /// Connections that were ready when the units began.
    pub connected: usize,
    /// Closed loop: units in flight on each connection.
    pub in_flight: Option<usize>,
    /// Open loop: beginnings per second.
    pub rate: Option<f64>,
    /// Bytes of each Body.
    pub body: usize,
    /// Length of the measured time in seconds.
    pub seconds: f64,
    /// Units that were done in it.
    pub units: u64,
    /// Units per second.
    pub units_per_second: f64,
    /// Units of each second.
    pub each_second: Vec<u64>,
    /// Seconds in which no unit was done.
    pub stalled_seconds: usize,
    /// Units that were refused in the measured time, if that was allowed.
    pub refused: Option<Refused>,
    /// Errors from start to end.
    pub errors: u64,
    /// Errors by kind.
    pub error_kinds: BTreeMap<String, u64>,
    /// Latency of the measured units.
    pub latency: Latency,
    /// The server's process, if it is known.
    pub server: Option<ProcessReport>,
    /// CPU time of the load maker itself, in µs per unit.
    pub client_cpu_us_per_unit: Option<f64>,
}

/// Units that a server refused with 503.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Refused {
    /// How many.
    pub units: u64,
    /// From when a unit should have begun to the 503.
    pub latency: Latency,
}

/// Latency in milliseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Latency {
    /// Half of the units took no longer.
    pub p50_ms: f64,
    /// 99 % took no longer.
    pub p99_ms: f64,
    /// 99.9 % took no longer.
    pub p999_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

/// What the server's process used.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ProcessReport {
    /// Its id.
    pub pid: u32,
    /// CPU time, user and system, in the measured time.
    pub cpu_seconds: f64,
    /// The same in µs per unit.
    pub cpu_us_per_unit: Option<f64>,
    /// Resident memory before the connections were opened, in KiB.
    pub rss_before_kib: u64,
    /// The same at the end of the measured time, connections open.
    pub rss_after_kib: u64,
    /// The difference for each connection.
    pub rss_per_connection_kib: f64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Snapshot {
    pub(super) moment: tokio::time::Instant,
    pub(super) units: u64,
    pub(super) refused: u64,
    pub(super) server: Option<Usage>,
    pub(super) client: Option<Usage>,
}

/// What was measured, from which a report is made.
pub(super) struct Measured<'a> {
    pub(super) options: &'a LoadOptions,
    pub(super) stats: &'a Stats,
    pub(super) connected: usize,
    /// The server before there were connections.
    pub(super) before: Option<Usage>,
    pub(super) from: Snapshot,
    pub(super) to: Snapshot,
    pub(super) each_second: Vec<u64>,
    pub(super) stalled_seconds: usize,
}

impl Measured<'_> {
    pub(super) fn report(self) -> Report {
        let Self { options, stats, from, to, .. } = self;
        let units = to.units - from.units;
        let seconds = (to.moment - from.moment).as_secs_f64();
        let per_unit = |from: Usage, to: Usage| {
            (units > 0).then(|| to.cpu.saturating_sub(from.cpu).as_secs_f64() * 1e6 / units as f64)
        };
        Report {
            work: options.work,
            connections: options.connections.get(),
            connected: self.connected,
            in_flight: options.rate.is_none().then_some(options.in_flight.get()),
            rate: options.rate,
            body: options.body,
            seconds,
            units,
            units_per_second: if seconds > 0.0 { units as f64 / seconds } else { 0.0 },
            each_second: self.each_second,
            stalled_seconds: self.stalled_seconds,
            refused: options.refusals.then(|| Refused {
                units: to.refused - from.refused,
                latency: Latency::of(&stats.refusal_latency),
            }),
            errors: stats.errors(),
            error_kinds: stats.error_kinds(),
            latency: Latency::of(&stats.latency),
            server: options.pid.zip(self.before).zip(from.server.zip(to.server)).map(
                |((pid, before), (from, to))| ProcessReport {
                    pid,
                    cpu_seconds: to.cpu.saturating_sub(from.cpu).as_secs_f64(),
                    cpu_us_per_unit: per_unit(from, to),
                    rss_before_kib: before.rss,
                    rss_after_kib: to.rss,
                    rss_per_connection_kib: (to.rss as f64 - before.rss as f64)
                        / self.connected.max(1) as f64,
                },
            ),
            client_cpu_us_per_unit: from.client.zip(to.client).and_then(|(from, to)| per_unit(from, to)),
        }
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

impl Latency {
    fn of(histogram: &Histogram) -> Self {
        let quantile = |share| millis(histogram.quantile(share));
        Self {
            p50_ms: quantile(0.5),
            p99_ms: quantile(0.99),
            p999_ms: quantile(0.999),
            max_ms: millis(histogram.max()),
        }
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50_ms, p99_ms, p999_ms, max_ms } = self;
        write!(f, "p50 {p50_ms:.3} ms, p99 {p99_ms:.3} ms, p99.9 {p999_ms:.3} ms, max {max_ms:.3} ms")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "units    {} in {:.2} s, {:.0}/s", self.units, self.seconds, self.units_per_second)?;
        writeln!(f, "latency  {}", self.latency)?;
        if let Some(refused) = &self.refused {
            writeln!(f, "refused  {}; {}", refused.units, refused.latency)?;
        }
        if let Some(server) = &self.server {
            write!(f, "server   CPU {:.2} s", server.cpu_seconds)?;
            if let Some(cpu) = server.cpu_us_per_unit {
                write!(f, ", {cpu:.2} µs per unit")?;
            }
            writeln!(
                f,
                "; RSS {} KiB before, {} KiB after, {:.1} KiB per connection",
                server.rss_before_kib, server.rss_after_kib, server.rss_per_connection_kib
            )?;
        }
        if let Some(cpu) = self.client_cpu_us_per_unit {
            writeln!(f, "rtest    CPU {cpu:.2} µs per unit")?;
        }
        if self.stalled_seconds > 0 {
            writeln!(f, "stalled  {} s without a unit", self.stalled_seconds)?;
        }
        write!(f, "errors   {}", self.errors)?;
        for (kind, count) in &self.error_kinds {
            write!(f, "\n  {count} × {kind}")?;
        }
        Ok(())
    }
}
