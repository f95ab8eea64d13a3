//! What plots show: figures against something that grows.

use super::BenchError;
use super::figures::{Axis, Chart, Curve, Unit};
use super::measure::{Measure, Pick, cpu, memory};
use super::rows::{MANY, idle};
use super::server::Target;

/// Steps up to the lower of the two highest throughputs.
const STEPS: f64 = 8.0;

/// An open loop closer to the highest throughput of the closed one only shows that it is too much.
const JUST_UNDER: f64 = 0.95;

const TARGETS: [(&str, Target); 2] = [("echo", Target::Echo), ("rtcd", Target::Rtcd)];

impl Measure<'_> {
    /// Latency of MESSAGEs against their rate.
    pub(super) async fn latency_chart(&mut self) -> Result<Chart, BenchError> {
        let mut curves = ["echo p50", "echo p99", "rtcd p50", "rtcd p99"].map(Curve::new);
        let mut peaks = Vec::new();
        for (_, target) in TARGETS {
            peaks.push(self.most(target, MANY).await?);
        }
        let rates = rates(&peaks);
        for round in 1..=self.options.plot_rounds() {
            for rate in &rates {
                let pairs = curves.as_chunks_mut::<2>().0.iter_mut();
                for (((name, target), peak), [p50, p99]) in TARGETS.into_iter().zip(&peaks).zip(pairs) {
                    if *rate > peak * JUST_UNDER {
                        continue;
                    }
                    let work = self.timed(&format!("{MANY} --rate {rate}"));
                    let latency = self.load(target, &work).await?.latency;
                    p50.add(*rate, latency.p50_ms);
                    p99.add(*rate, latency.p99_ms);
                    self.tell(&format!("{rate}/s, round {round}: {name} {latency}"));
                }
            }
        }
        Ok(Chart {
            title: "Latency against offered load",
            file: "latency.svg",
            x: Axis { label: "messages/s, 200 connections", logarithmic: false, unit: Unit::PerSecond },
            y: Axis { label: "latency in ms", logarithmic: true, unit: Unit::Millis },
            curves: curves.into(),
        })
    }

    /// CPU time of a MESSAGE against connections, each of which has one in flight.
    pub(super) async fn cpu_chart(&mut self) -> Result<Chart, BenchError> {
        let counts: &[usize] =
            if self.options.quick { &[10, 100] } else { &[1, 10, 100, 1000, 2000, 5000, 10_000] };
        let timed = self.timed("");
        let work = |connections| {
            format!("--work message --connections {connections} --in-flight 1 --spread {timed}")
        };
        let curves = self.against_connections(counts, work, Unit::Micros, cpu).await?;
        Ok(Chart {
            title: "CPU time of a MESSAGE against connections",
            file: "cpu.svg",
            x: Axis { label: "connections, one in flight on each", logarithmic: true, unit: Unit::PerSecond },
            y: Axis { label: "CPU time of the server in µs", logarithmic: false, unit: Unit::Micros },
            curves,
        })
    }

    /// Memory of an idle connection against connections.
    pub(super) async fn memory_chart(&mut self) -> Result<Chart, BenchError> {
        let counts: &[usize] =
            if self.options.quick { &[100, 500] } else { &[100, 500, 1000, 2000, 5000, 10_000] };
        let curves = self.against_connections(counts, idle, Unit::Kib, memory).await?;
        Ok(Chart {
            title: "Memory of an idle connection against connections",
            file: "memory.svg",
            x: Axis { label: "idle connections", logarithmic: true, unit: Unit::PerSecond },
            y: Axis { label: "KiB for each", logarithmic: false, unit: Unit::Kib },
            curves,
        })
    }

    async fn against_connections(
        &mut self,
        counts: &[usize],
        work: impl Fn(usize) -> String,
        unit: Unit,
        pick: Pick,
    ) -> Result<Vec<Curve>, BenchError> {
        let mut curves = TARGETS.map(|(name, _)| Curve::new(name));
        for round in 1..=self.options.plot_rounds() {
            for &connections in counts {
                let work = work(connections);
                for ((name, target), curve) in TARGETS.into_iter().zip(&mut curves) {
                    let report = self.load(target, &work).await?;
                    let value = pick(&report).ok_or_else(|| BenchError::NoFigure(work.clone()))?;
                    curve.add(connections as f64, value);
                    let number = unit.number(value);
                    self.tell(&format!("{connections} connections, round {round}: {name} {number}{unit}"));
                }
            }
        }
        Ok(curves.into())
    }
}

/// Even steps to the lower of the highest throughputs, and wider ones from there to the higher one.
fn rates(peaks: &[f64]) -> Vec<f64> {
    let lower = peaks.iter().copied().fold(f64::INFINITY, f64::min);
    let higher = peaks.iter().copied().fold(0.0, f64::max);
    // Round numbers.
    let step = (lower / STEPS / 500.0).floor().max(1.0) * 500.0;
    let mut rates = Vec::new();
    let mut rate = step;
    while rate <= higher * JUST_UNDER {
        rates.push(rate);
        rate += if rate < lower { step } else { 3.0 * step };
    }
    rates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_close_where_both_servers_can_follow() {
        let expected = [2500.0, 5000.0, 7500.0, 10_000.0, 12_500.0, 15_000.0, 17_500.0, 20_000.0, 22_500.0];
        let (both, echo_alone) = expected.split_at(8);
        assert_eq!(rates(&[32_000.0, 20_500.0]), [both, echo_alone, &[30_000.0]].concat());
        assert_eq!(rates(&[900.0, 900.0]), [500.0]);
    }
}
