use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::types::time;

/// The process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerSettings {
    /// Where what is switched at run time is kept.
    pub state_dir: PathBuf,
    /// Where the process id stands; empty: `rtcd.pid` in `state_dir`.
    pub pidfile: PathBuf,
    /// How long a graceful stop waits for calls to end by themselves.
    #[serde(with = "time")]
    pub stop_timeout: Duration,
}

impl ServerSettings {
    /// Where the process id stands.
    pub fn pid_path(&self) -> PathBuf {
        if self.pidfile.as_os_str().is_empty() {
            self.state_dir.join("rtcd.pid")
        } else {
            self.pidfile.clone()
        }
    }
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            state_dir: PathBuf::from("state"),
            pidfile: PathBuf::new(),
            stop_timeout: Duration::from_secs(5),
        }
    }
}
