//! The table as it stands in the file.

use std::collections::BTreeMap;

use serde::Deserialize;

/// All of `routes.yaml`. Each section is required, so that a half-written file never passes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTable {
    /// Name that messages are routed to → compiled-in implementation.
    pub(crate) slps: BTreeMap<String, String>,
    /// First match wins.
    pub(crate) routes: Vec<RawRule>,
    /// `NAME.vN` → implementation.
    pub(crate) apis: BTreeMap<String, RawApi>,
    /// `HOST:PORT` patterns of next hops that may be dialled.
    pub(crate) hops: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRule {
    pub(crate) when: RawWhen,
    pub(crate) slp: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawWhen {
    pub(crate) method: Option<String>,
    pub(crate) request_uri: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawApi {
    #[serde(rename = "impl")]
    pub(crate) implementation: String,
    #[serde(default = "enabled")]
    pub(crate) enabled: bool,
}

fn enabled() -> bool {
    true
}
