//! Where log lines go.

use rtcd_server::{LogFormat, LogSettings};
use tracing_subscriber::EnvFilter;

use crate::serve::ServeError;

/// Starts the logs of this process.
pub(crate) fn start(log: &LogSettings) -> Result<(), ServeError> {
    let filter = EnvFilter::try_new(&log.level).map_err(|error| ServeError::LogLevel(error.to_string()))?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => logs.init(),
        LogFormat::Json => logs.json().init(),
    }
    Ok(())
}
