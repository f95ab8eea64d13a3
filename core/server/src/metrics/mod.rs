//! Numbers for Prometheus.
//!
//! What happens often is counted in sharded counters of the server's own, once a turn (`tally`); a scrape reads them and what else
//! there is, and writes it with the encoder of `prometheus-client`. Its own counters would do for what happens seldom; but its
//! histograms take a lock for each observation, and each of its counters is one cell that all threads share.

mod events;
mod export;
mod process;
mod tally;
mod write;

use std::sync::Arc;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

pub(crate) use self::events::Events;
use self::export::Scrape;
pub(crate) use self::tally::{Dispatched, Dispatches, Tally};
use crate::control::Control;

/// All metrics as they are now. Reads files of the system.
pub(crate) fn text(control: &Arc<Control>) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Scrape(control.clone())));
    let mut text = String::new();
    if let Err(error) = encode(&mut text, &registry) {
        tracing::error!(%error, "metrics cannot be written");
    }
    text
}
