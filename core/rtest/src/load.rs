//! Makes load and measures what it costs.

mod call;
mod chat;
mod connection;
mod histogram;
mod message;
mod open;
mod options;
mod pacer;
mod process;
mod report;
mod session;
mod stats;
mod units;
mod wire;
mod work;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, interval_at, sleep, timeout};

pub use options::{LoadOptions, Work};
pub use report::{Latency, ProcessReport, Refused, Report};

use crate::transcript::Transcript;
use connection::Phase;
use open::Fleet;
use pacer::Pacer;
use process::Usage;
use report::{Measured, Snapshot};
use stats::Stats;
use work::Shared;

const SECOND: Duration = Duration::from_secs(1);

/// How often the end of the last units is looked for.
const DRAIN_STEP: Duration = Duration::from_millis(10);

/// How long closing may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a load run could not be made. What goes wrong within one is counted, not returned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Options that do not fit together.
    #[error("{0}")]
    Options(&'static str),
    /// The server's process cannot be looked at.
    #[error("cannot read the use of process {pid}: {error}")]
    Process {
        /// Its id.
        pid: u32,
        /// What the system said.
        error: io::Error,
    },
    /// No connection was ready.
    #[error("no connection is ready: {0}")]
    NoConnection(String),
    /// The JSON file cannot be written.
    #[error("cannot write {}: {error}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// Makes the load that `options` ask for. Prints a line each second. Ends early at `shutdown`.
pub async fn load(
    options: LoadOptions,
    transcript: &Transcript,
    shutdown: impl Future<Output = ()>,
) -> Result<Report, LoadError> {
    if let Some(problem) = options.problem() {
        return Err(LoadError::Options(problem));
    }
    let before = server_usage(&options)?;
    let shared = Arc::new(Shared { options, stats: Stats::new() });
    let (options, stats) = (&shared.options, &shared.stats);
    let (phase, watched) = watch::channel(Phase::Opening);

    let fleet = Fleet::open(&shared, &watched).await;
    if fleet.ready == 0 {
        let kinds: Vec<String> = stats.error_kinds().into_keys().collect();
        return Err(LoadError::NoConnection(kinds.join("; ")));
    }
    transcript.line(&format!("{} connections", fleet.ready));

    let start = Instant::now();
    // Set once, here.
    let _ = fleet.start.set(start);
    phase.send_replace(Phase::Running);
    let pacer = options.rate.map(|rate| Pacer::start(start, rate, fleet.wakers));
    let mut progress = Progress::new(&shared, transcript);
    tokio::select! {
        () = progress.watch(start) => {}
        () = shutdown => {}
    }
    let to = snapshot(&shared);
    let from = progress.from.unwrap_or(to);
    stats.record(false);
    drop(pacer);

    phase.send_replace(Phase::Draining);
    // What began in the last moment has its full time, too.
    let _ = timeout(options.timeout(), async {
        while stats.in_flight() > 0 {
            sleep(DRAIN_STEP).await;
        }
    })
    .await;
    stats.fail(usize::try_from(stats.in_flight()).unwrap_or(0), "timeout");
    phase.send_replace(Phase::Closing);
    let _ = timeout(CLOSE_TIMEOUT, fleet.tasks.join_all()).await;

    let Progress { each_second, stalled_seconds, .. } = progress;
    let measured =
        Measured { options, stats, connected: fleet.ready, before, from, to, each_second, stalled_seconds };
    let report = measured.report();
    if let Some(path) = &options.json {
        write_json(path, &report).map_err(|error| LoadError::Json { path: path.clone(), error })?;
    }
    Ok(report)
}

/// Looks at the counters each second.
struct Progress<'a> {
    shared: &'a Shared,
    transcript: &'a Transcript,
    /// The counters when the measured time began.
    from: Option<Snapshot>,
    each_second: Vec<u64>,
    stalled_seconds: usize,
}

impl<'a> Progress<'a> {
    fn new(shared: &'a Shared, transcript: &'a Transcript) -> Self {
        Self { shared, transcript, from: None, each_second: Vec::new(), stalled_seconds: 0 }
    }

    /// From `start` to the end of the measured time.
    async fn watch(&mut self, start: Instant) {
        let Shared { options, stats } = self.shared;
        let mut tick = interval_at(start + SECOND, SECOND);
        let mut last = stats.units();
        for second in 1..=options.warmup + options.seconds {
            if second == options.warmup + 1 {
                self.from = Some(snapshot(self.shared));
                stats.record(true);
            }
            tick.tick().await;
            let units = stats.units();
            let done = units - last;
            last = units;
            self.line(second, done);
            if second > options.warmup {
                self.each_second.push(done);
            }
            if done == 0 && options.work != Work::Idle {
                self.stalled_seconds += 1;
                self.transcript.line("warning: no unit was done in this second");
            }
        }
    }

    fn line(&self, second: u64, done: u64) {
        let Shared { options, stats } = self.shared;
        let label = if second <= options.warmup { " (warm-up)" } else { "" };
        let refused =
            if options.refusals { format!(" {} refused,", stats.refusals()) } else { String::new() };
        let (errors, in_flight) = (stats.errors(), stats.in_flight());
        self.transcript.line(&format!(
            "{second:4} s{label}  {done} units/s,{refused} {errors} errors, {in_flight} in flight"
        ));
    }
}

fn snapshot(shared: &Shared) -> Snapshot {
    Snapshot {
        moment: Instant::now(),
        units: shared.stats.units(),
        refused: shared.stats.refusals(),
        // A server that has gone shows in the errors.
        server: server_usage(&shared.options).ok().flatten(),
        client: Usage::of(std::process::id()).ok(),
    }
}

fn server_usage(options: &LoadOptions) -> Result<Option<Usage>, LoadError> {
    let usage = |pid| Usage::of(pid).map_err(|error| LoadError::Process { pid, error });
    options.pid.map(usage).transpose()
}

fn write_json(path: &Path, report: &Report) -> io::Result<()> {
    std::fs::write(path, serde_json::to_string_pretty(report)? + "\n")
}

#[cfg(test)]
mod tests;
