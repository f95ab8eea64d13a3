//! What operators change while the server runs: which APIs and services are on, and all that a reload reads again.
//!
//! Writers come one by one, and wait for the disk; so they run on threads that may block. Readers never wait: a table or settings
//! in force is one immutable value, and a new one takes its place.

mod overlay;
mod reload;
mod shown;
mod switch;

use arc_swap::ArcSwap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use overlay::StateError;
pub(crate) use overlay::{Overlay, OverlayFile};
pub(crate) use reload::{Prepare, ReloadReport};
pub(crate) use shown::ShownTable;
pub(crate) use switch::SwitchError;

use crate::config::{Effective, Source};
use crate::logs::Logs;
use crate::node::Node;

/// APIs that are always there.
pub(crate) const BUILT_IN: [&str; 3] = ["apim.v1", "runtime.v1", "slpm.v1"];

/// The one that changes what is in force.
pub(crate) struct Control {
    node: Arc<Node>,
    source: Arc<dyn Source>,
    file: OverlayFile,
    /// Writers come one by one. What they start from is in the table in force.
    writer: Mutex<()>,
    shown: ArcSwap<Shown>,
    /// What else has to do with settings.
    followers: Vec<Arc<dyn Prepare>>,
    logs: Logs,
}

/// What people may see of settings and reloads, also while a reload is under way.
#[derive(Debug, Clone)]
struct Shown {
    effective: Effective,
    report: ReloadReport,
}

impl Control {
    pub(crate) fn new(
        node: Arc<Node>,
        source: Arc<dyn Source>,
        file: OverlayFile,
        effective: Effective,
        followers: Vec<Arc<dyn Prepare>>,
        logs: Logs,
    ) -> Self {
        let shown = ArcSwap::from_pointee(Shown { effective, report: ReloadReport::default() });
        Self { node, source, file, writer: Mutex::new(()), shown, followers, logs }
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    pub(crate) fn logs(&self) -> &Logs {
        &self.logs
    }

    /// Where the settings in force come from, and how the reloads went.
    pub(crate) fn report(&self) -> (Effective, ReloadReport) {
        let shown = self.shown.load();
        (shown.effective.clone(), shown.report.clone())
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}
