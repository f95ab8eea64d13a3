//! `conf/webhook.yaml`.

use std::collections::BTreeMap;
use std::time::Duration;

use rtcd_sdk::reqwest::Url;
use rtcd_sdk::serde::Deserialize;
use rtcd_sdk::{ApiContext, LoadError, humantime_serde};

/// What the file says.
#[derive(Deserialize)]
#[serde(crate = "rtcd_sdk::serde", deny_unknown_fields, default)]
struct File {
    hooks: BTreeMap<String, String>,
    #[serde(with = "humantime_serde")]
    timeout: Duration,
    max_answer: usize,
}

impl Default for File {
    fn default() -> Self {
        Self { hooks: BTreeMap::new(), timeout: Duration::from_secs(5), max_answer: 64 * 1024 }
    }
}

/// The same, checked.
pub(crate) struct Settings {
    /// Name → where it leads.
    pub(crate) hooks: BTreeMap<String, Url>,
    /// How long the other server's whole answer may take.
    pub(crate) timeout: Duration,
    /// How long its answer may be, in bytes.
    pub(crate) max_answer: usize,
}

impl Settings {
    pub(crate) fn read(cx: &ApiContext) -> Result<Self, LoadError> {
        let File { hooks, timeout, max_answer } = cx.settings()?;
        let checked = hooks.into_iter().map(|(name, url)| match Url::parse(&url) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok((name, url)),
            _ => Err(LoadError::Refused(format!(
                "conf/webhook.yaml: hooks.{name}: it is no http or https URL"
            ))),
        });
        Ok(Self { hooks: checked.collect::<Result<_, _>>()?, timeout, max_answer })
    }
}
