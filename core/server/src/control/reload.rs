//! Reading all files again: all or nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::SystemTime;

use super::{Control, Shown};
use crate::config::{Config, ConfigErrors, Problem, Settings, keep_what_needs_a_restart};
use crate::routes::RouteTable;

/// Something that follows the settings. Preparing may fail and changes nothing; what it gives back cannot fail.
pub(crate) trait Prepare: Send + Sync {
    /// Gets ready for new settings.
    fn prepare(&self, settings: &Settings) -> Result<Box<dyn FnOnce() + Send>, Vec<Problem>>;
}

/// How the reloads so far went.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReloadReport {
    /// Reloads that changed what is in force.
    pub(crate) good: u64,
    /// Reloads that changed nothing, because something was wrong.
    pub(crate) bad: u64,
    /// When the last one was.
    pub(crate) last: Option<SystemTime>,
    /// What was wrong with the last one; empty if it was good.
    pub(crate) problems: Vec<String>,
    /// Keys whose new values wait for a restart.
    pub(crate) need_restart: Vec<&'static str>,
}

impl Control {
    /// Reads settings and routes again and puts them in force, if nothing is wrong with any of them. Blocks on the disk.
    ///
    /// # Errors
    /// All that is wrong; nothing has changed.
    pub(crate) fn reload(&self) -> Result<(), ConfigErrors> {
        let _writer = self.lock();
        #[expect(clippy::disallowed_methods, reason = "shown to people; no decision depends on it")]
        let now = SystemTime::now();
        let Shown { mut effective, mut report } = Shown::clone(&self.shown.load());
        report.last = Some(now);
        let gauges = &self.node.gauges;
        let result = match self.prepare() {
            Ok((config, table, need_restart, commits)) => {
                for commit in commits {
                    commit();
                }
                self.node.set_settings(config.settings);
                self.node.routes().store(Arc::new(table));
                effective = config.effective;
                report.good += 1;
                report.problems.clear();
                gauges.reloads.fetch_add(1, Relaxed);
                if !need_restart.is_empty() {
                    tracing::warn!(
                        keys = need_restart.join(" "),
                        "these keys are read at start alone; their new values wait for a restart"
                    );
                }
                report.need_restart = need_restart;
                tracing::info!("settings and routes were read again");
                Ok(())
            }
            Err(errors) => {
                for problem in &errors.0 {
                    tracing::error!(%problem, "not reloaded; all stays as it was");
                }
                report.bad += 1;
                report.problems = errors.0.iter().map(ToString::to_string).collect();
                gauges.bad_reloads.fetch_add(1, Relaxed);
                Err(errors)
            }
        };
        self.shown.store(Arc::new(Shown { effective, report }));
        result
    }

    #[expect(clippy::type_complexity, reason = "used once, by the function above")]
    fn prepare(
        &self,
    ) -> Result<(Config, RouteTable, Vec<&'static str>, Vec<Box<dyn FnOnce() + Send>>), ConfigErrors> {
        let in_force = self.node.routes().load_full();
        let mut config = Config::load(self.source.clone())?;
        let (settings, need_restart) =
            keep_what_needs_a_restart(&self.node.live().settings, &config.settings);
        config.settings = settings;
        // What was good in the file may not be so beside what stays until a restart, such as a public address without a token.
        let mut problems: Vec<Problem> = config
            .settings
            .contradictions()
            .into_iter()
            .map(|problem| config.effective.place(problem))
            .collect();
        problems.extend(self.shown.load().effective.lost_in(&config.effective));
        problems.extend(in_force.raw.document.lost_in(&config.routes.document));
        let mut commits = Vec::new();
        for follower in &self.followers {
            match follower.prepare(&config.settings) {
                Ok(commit) => commits.push(commit),
                Err(found) => {
                    problems.extend(found.into_iter().map(|problem| config.effective.place(problem)));
                }
            }
        }
        // Services are loaded last, for that cannot be undone.
        if !problems.is_empty() {
            problems.extend(crate::routes::check(&config.routes).1);
            return Err(ConfigErrors(problems));
        }
        let table = RouteTable::build(&config.routes, &in_force.overlay, self.node.services())
            .map_err(ConfigErrors)?;
        Ok((config, table, need_restart, commits))
    }
}
