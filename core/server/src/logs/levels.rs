//! What is written: levels by module, which a reload changes.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Filter};

use super::Side;
use crate::config::{LogLevels, Settings};

/// The target of audit lines.
const AUDIT: &str = "rtcd::audit";

/// The levels in force.
#[derive(Debug)]
pub(super) struct Levels(ArcSwap<Table>);

/// Levels of all, and those that the sides have of their own.
#[derive(Debug, Clone)]
pub(super) struct Table {
    all: Targets,
    rtc: Option<Targets>,
    api: Option<Targets>,
}

impl Levels {
    pub(super) fn new(settings: &Settings) -> Self {
        Self(ArcSwap::from_pointee(Table::new(settings)))
    }

    /// Puts other levels in force.
    pub(super) fn set(&self, table: Table) {
        self.0.store(Arc::new(table));
        // Each place that logs remembers whether anybody wants to hear it.
        tracing::callsite::rebuild_interest_cache();
    }
}

impl Table {
    pub(super) fn new(settings: &Settings) -> Self {
        let own = |levels: &LogLevels| (!levels.as_str().is_empty()).then(|| levels.targets().clone());
        Self {
            all: settings.log.level.targets().clone(),
            rtc: own(&settings.rtc.loglevel),
            api: own(&settings.api.loglevel),
        }
    }

    fn lets_pass(&self, metadata: &Metadata<'_>) -> bool {
        let (target, level) = (metadata.target(), metadata.level());
        // Who switched what is not a matter of taste.
        if target == AUDIT && *level <= tracing::Level::INFO {
            return true;
        }
        let own = match Side::of(target) {
            Side::Rtc => self.rtc.as_ref(),
            Side::Api => self.api.as_ref(),
            Side::Rest => None,
        };
        let by_all = || self.all.would_enable(target, level);
        match own {
            // One that names modules alone says nothing about the others.
            Some(own) => own.would_enable(target, level) || (own.default_level().is_none() && by_all()),
            None => by_all(),
        }
    }

    fn highest(&self) -> Option<LevelFilter> {
        [Some(&self.all), self.rtc.as_ref(), self.api.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(Filter::<Registry>::max_level_hint)
            .chain([LevelFilter::INFO])
            .max()
    }
}

/// The filter of the one layer. (A `reload::Layer` would do the same behind a lock.)
#[derive(Debug, Clone)]
pub(super) struct ByLevels(pub(super) Arc<Levels>);

impl<S: Subscriber> Filter<S> for ByLevels {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.0.0.load().lets_pass(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.0.0.load().lets_pass(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.0.0.load().highest()
    }
}
