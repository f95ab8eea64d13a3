//! The rows of the table.

use super::BenchError;
use super::figures::{Line, Reach, Unit};
use super::measure::{Measure, Side, cpu, memory};
use super::pauses;
use super::server::{Server, Target};

/// Connections, units in flight on each, and how many times the echo's CPU time may be used.
const MESSAGES: [(usize, usize, f64); 3] = [(16, 4, 2.5), (64, 16, 2.5), (1000, 1, 1.5)];

/// A delivery is one write and one read, as a MESSAGE of many connections with one in flight each is for the echo.
const DELIVERY: &str = "--work message --connections 1000 --in-flight 1 --spread";

/// Whose latency is measured. Its highest throughput is that of one unit in flight on each connection: in an open loop as in this closed
/// one, a frame mostly comes alone. Frames that come in batches of 64 are cheaper by a system call each, and half of their
/// throughput is more than either server can do of frames that come alone.
pub(super) const MANY: &str = "--work message --connections 200";

impl Measure<'_> {
    /// The reference server and rtcd with the same load.
    fn both(&self, work: &str) -> [Side; 2] {
        let arguments = self.timed(work);
        [("echo", Target::Echo), ("rtcd", Target::Rtcd)].map(|(name, target)| Side {
            name,
            target,
            arguments: arguments.clone(),
        })
    }

    pub(super) async fn messages(&mut self) -> Result<Vec<Line>, BenchError> {
        let mut lines = Vec::new();
        for (connections, in_flight, most) in MESSAGES {
            let title = format!("MESSAGE, {connections} × {in_flight}, CPU");
            let work = format!("--work message --connections {connections} --in-flight {in_flight} --spread");
            let line = self.compare(&title, Unit::Micros, self.both(&work), cpu).await?;
            lines.push(line.reach(Reach::RatioAtMost(most)));
        }
        Ok(lines)
    }

    pub(super) async fn calls(&mut self) -> Result<Line, BenchError> {
        let sides = self.both("--work call --connections 200 --in-flight 1");
        let line = self.compare("call, one leg, 200 × 1, CPU", Unit::Micros, sides, cpu).await?;
        Ok(line.reach(Reach::RatioAtMost(3.0)))
    }

    /// A room that keeps nothing, as the echo does; and one as it comes, which keeps each message before it hands it out.
    pub(super) async fn chat(&mut self) -> Result<Vec<Line>, BenchError> {
        self.place.settings("chatroom", Some("history: {keep: false}\n"))?;
        let line = self.deliveries("chat, a delivery, 100 members, CPU").await?;
        self.place.settings("chatroom", None)?;
        let kept = self.deliveries("the same, kept in the store, CPU").await?;
        Ok(vec![line.reach(Reach::RatioAtMost(1.5)), kept])
    }

    async fn deliveries(&mut self, title: &str) -> Result<Line, BenchError> {
        let echo = Side { name: "echo", target: Target::Echo, arguments: self.timed(DELIVERY) };
        let chat = self.timed("--work chat --connections 100 --senders 1 --in-flight 1");
        let rtcd = Side { name: "rtcd", target: Target::Rtcd, arguments: chat };
        self.compare(title, Unit::Micros, [echo, rtcd], cpu).await
    }

    pub(super) async fn threads(&mut self) -> Result<Line, BenchError> {
        let arguments = self.timed("--work message --connections 64 --in-flight 16");
        let sides = [("one thread", 1), ("two threads", 2)].map(|(name, threads)| Side {
            name,
            target: Target::Threads(threads),
            arguments: arguments.clone(),
        });
        let title = "MESSAGE, 64 × 16, two worker threads, CPU";
        Ok(self.compare(title, Unit::Micros, sides, cpu).await?.reach(Reach::RatioAtMost(1.15)))
    }

    pub(super) async fn memory(&mut self) -> Result<Line, BenchError> {
        let connections = if self.options.quick { 500 } else { 5000 };
        let title = format!("memory, {connections} idle connections, each");
        let arguments = idle(connections);
        let sides = [("echo", Target::Echo), ("rtcd", Target::Rtcd)].map(|(name, target)| Side {
            name,
            target,
            arguments: arguments.clone(),
        });
        Ok(self.compare(&title, Unit::Kib, sides, memory).await?.reach(Reach::AtMost(10.0)))
    }

    /// Each server at half of its own highest throughput, found just before; and what part of the time the machine withholds meanwhile.
    pub(super) async fn latency(&mut self) -> Result<Vec<Line>, BenchError> {
        let mut peak =
            Line::new("MESSAGE, 200 connections, highest throughput", Unit::PerSecond).against("echo");
        let mut half = ["p50", "p99"].map(|quantile| {
            Line::new(format!("MESSAGE, open loop at half of that, {quantile}"), Unit::Millis).against("echo")
        });
        let mut pauses = Line::new("pauses of over 1 ms in threads that only count", Unit::Percent);
        for round in 1..=self.options.rounds() {
            let withheld = pauses::withheld(pauses::TIME).await?;
            self.tell(&format!("{}, round {round}: {}%", pauses.title, Unit::Percent.number(withheld)));
            pauses.add(withheld);
            let [(echo_peak, echo), (rtcd_peak, rtcd)] =
                [self.peak_and_half(Target::Echo).await?, self.peak_and_half(Target::Rtcd).await?];
            peak.add_pair(echo_peak, rtcd_peak);
            self.tell_pair(&peak, round, echo_peak, rtcd_peak);
            for (line, (echo, rtcd)) in half.iter_mut().zip(echo.into_iter().zip(rtcd)) {
                line.add_pair(echo, rtcd);
                self.tell_pair(line, round, echo, rtcd);
            }
        }
        let [p50, p99] = half;
        Ok(vec![peak, p50, p99.reach(Reach::AtMost(1.0)), pauses])
    }

    /// The highest throughput, and p50 and p99 at half of it.
    async fn peak_and_half(&mut self, target: Target) -> Result<(f64, [f64; 2]), BenchError> {
        let peak = self.most(target, MANY).await?;
        let half = self.timed(&format!("{MANY} --rate {:.0}", (peak / 2.0).max(1.0)));
        let latency = self.load(target, &half).await?.latency;
        Ok((peak, [latency.p50_ms, latency.p99_ms]))
    }

    /// From exec to the first answered MESSAGE.
    pub(super) async fn starts(&mut self) -> Result<Line, BenchError> {
        let mut line = Line::new("start, to the first answer", Unit::Millis).against("echo");
        // They take no time, so there may be many.
        for round in 1..=2 * self.options.rounds() {
            let (echo, rtcd) = (self.start(Target::Echo).await?, self.start(Target::Rtcd).await?);
            line.add_pair(echo, rtcd);
            self.tell_pair(&line, round, echo, rtcd);
        }
        Ok(line.reach(Reach::AtMost(50.0)))
    }

    async fn start(&self, target: Target) -> Result<f64, BenchError> {
        let server = Server::start(&self.place, target).await?;
        let answered = server.first_answer().await?;
        server.stop().await?;
        Ok(answered.as_secs_f64() * 1e3)
    }
}

/// Opens connections, each of which sends one MESSAGE.
pub(super) fn idle(connections: usize) -> String {
    format!("--work idle --connections {connections} --spread --warmup 1 --seconds 1")
}
