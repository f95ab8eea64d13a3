//! Where log lines go.

use rtcd_server::{LogFormat, LogSettings};
use tracing_subscriber::EnvFilter;

/// Starts the logs of this process.
pub(crate) fn start(log: &LogSettings) {
    let filter = EnvFilter::new(log.level.as_str());
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => logs.init(),
        LogFormat::Json => logs.json().init(),
    }
}
