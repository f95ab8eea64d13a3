//! What the server says of itself.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, interval, timeout};

use crate::common::Program;

/// How long a server may take to let go of what has no more use: never waited out unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(120);

/// All that was spawned, whatever it is called.
const TASKS: &str = "rtcd_runtime_alive_tasks";

/// Sockets and all others.
const FILES: &str = "process_open_fds";

/// Connections to the API side, each of which is a task and an open file.
const CALLERS: &str = "rtcd_spawned{kind=\"caller\"}";

/// Each sample of `/metrics`.
#[derive(Debug)]
pub(crate) struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    pub(crate) async fn of(program: &Program) -> Self {
        let (status, text) = program.curl("GET", "/metrics").await;
        assert_eq!(status, 200);
        let samples = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        });
        Self(samples.collect())
    }

    pub(crate) fn value(&self, name: &str) -> f64 {
        *self.0.get(name).unwrap_or_else(|| panic!("no metric {name}"))
    }

    /// What there is now of what clients make.
    pub(crate) fn there_is(&self) -> BTreeMap<&str, f64> {
        let gauges = [
            "rtcd_connections",
            "rtcd_peers",
            "rtcd_dialogs",
            "rtcd_sessions",
            "rtcd_transactions",
            "rtcd_lingering",
            "rtcd_queued",
            "rtcd_tasks",
            "rtcd_related_ids",
            "rtcd_rtc_connections",
            "rtcd_client_addresses",
            TASKS,
            FILES,
        ];
        let mut there_is: BTreeMap<_, _> = self
            .0
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .filter(|(name, _)| {
                gauges.contains(name)
                    || name.starts_with("rtcd_spawned{")
                    || name.starts_with("rtcd_service_tasks{")
            })
            .collect();
        // Those who ask are no clients.
        let callers = there_is.remove(CALLERS).unwrap();
        for name in [TASKS, FILES] {
            *there_is.get_mut(name).unwrap() -= callers;
        }
        there_is
    }
}

/// A server before its first client.
#[derive(Debug)]
pub(crate) struct Fresh {
    gauges: Metrics,
}

impl Fresh {
    pub(crate) async fn look(program: &Program) -> Self {
        let gauges = Metrics::of(program).await;
        for (name, value) in gauges.there_is() {
            let is_its_own = ["listener", "reloader", "watch"].iter().any(|kind| name.contains(kind));
            assert!(value == 0.0 || is_its_own || [TASKS, FILES].contains(&name), "{name} {value}");
        }
        Self { gauges }
    }

    /// Waits until there is no more than there was before the first client.
    pub(crate) async fn again(&self, program: &Program) -> Duration {
        let since = Instant::now();
        let mut tick = interval(Duration::from_millis(50));
        let mut now = Metrics::of(program).await;
        let waited = timeout(PATIENCE, async {
            while now.there_is() != self.gauges.there_is() {
                tick.tick().await;
                now = Metrics::of(program).await;
            }
        });
        if waited.await.is_err() {
            let then = self.gauges.there_is();
            let left: Vec<_> =
                now.there_is().into_iter().filter(|(name, value)| then.get(name) != Some(value)).collect();
            panic!("left over: {left:?}");
        }
        since.elapsed()
    }
}
