use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::types::LogLevels;

/// Logs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSettings {
    /// The lowest level that is written, such as `info` or `info,jsip=debug`.
    pub level: LogLevels,
    /// For people or for machines.
    pub format: LogFormat,
    /// Where logs go; empty: to standard error.
    pub file: PathBuf,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for LogSettings {
    fn default() -> Self {
        let level = "info".parse().unwrap_or_default();
        Self { level, format: LogFormat::Text, file: PathBuf::new() }
    }
}
