//! `conf/rtcd.yaml`: what an operator sets. Every key has a default, so an empty file will do.

mod api;
mod jsip;
mod limits;
mod log;
mod rtc;
mod server;
mod types;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use api::ApiSettings;
pub use jsip::JsipSettings;
pub use limits::LimitSettings;
pub use log::{LogFormat, LogSettings};
pub use rtc::RtcSettings;
pub use server::ServerSettings;
pub use types::{Location, LogLevels, Network, Realm, Secret};

use super::document::Problem;

/// All settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The process.
    pub server: ServerSettings,
    /// The RTC side: where clients connect.
    pub rtc: RtcSettings,
    /// The API side: where operators connect.
    pub api: ApiSettings,
    /// The protocol stack.
    pub jsip: JsipSettings,
    /// Bounds of queues, tasks and clients.
    pub limits: LimitSettings,
    /// Logs.
    pub log: LogSettings,
}

/// Keys that are read at start alone: a reload keeps what they were.
pub(crate) const RESTART: &[&str] = &[
    "server.state_dir",
    "server.pidfile",
    "rtc.listen",
    "rtc.tlslisten",
    "rtc.logfile",
    "rtc.accessfile",
    "api.listen",
    "api.tlslisten",
    "api.logfile",
    "api.accessfile",
    "jsip.realm",
    "limits.service_mailbox",
    "log.file",
    "log.format",
];

/// Keys whose values are shown to nobody.
pub(crate) const SECRET: &[&str] = &["api.token"];

impl Settings {
    /// Values that are good alone and do not go together.
    pub(crate) fn contradictions(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem = |field: &str, text: &str| problems.push(Problem::new(field, text));
        let (rtc, api) = (&self.rtc, &self.api);
        for (side, listen, cert, key) in [
            ("rtc", rtc.tlslisten.is_some(), &rtc.cert, &rtc.key),
            ("api", api.tlslisten.is_some(), &api.cert, &api.key),
        ] {
            let there = |path: &Path| !path.as_os_str().is_empty();
            if listen && !there(cert) {
                problem(&format!("{side}.cert"), "tlslisten needs a certificate");
            }
            if listen && !there(key) {
                problem(&format!("{side}.key"), "tlslisten needs the certificate's key");
            }
        }
        if self.jsip.min_expire > self.jsip.max_expire {
            problem("jsip.min_expire", "is more than max_expire");
        }
        let open = [("api.listen", Some(api.listen)), ("api.tlslisten", api.tlslisten)]
            .into_iter()
            .find(|(_, address)| address.is_some_and(|address| !address.ip().to_canonical().is_loopback()));
        if let Some((field, _)) = open
            && api.token.is_empty()
            && !api.insecure
        {
            problem(
                field,
                "others can reach this address: set api.token, or api.insecure: true if something else guards it",
            );
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Key and comment of each line of the file that operators read.
    fn written() -> Vec<(String, &'static str)> {
        let mut section = "";
        let mut keys = Vec::new();
        for line in include_str!("../../../../../conf/rtcd.yaml").lines() {
            let (text, comment) = line.split_once('#').unwrap_or((line, ""));
            let Some((key, _)) = text.split_once(':') else { continue };
            match key.strip_prefix("  ") {
                Some(key) => keys.push((format!("{section}.{key}"), comment.trim())),
                None => section = key,
            }
        }
        keys
    }

    #[test]
    fn the_file_names_each_key_with_a_comment_and_says_which_are_read_at_start_alone() {
        let written = written();
        let names: BTreeSet<String> = written.iter().map(|(key, _)| key.clone()).collect();
        let all = crate::config::fields::all(&Settings::default());
        assert_eq!(names, all.into_iter().map(|(key, _)| key).collect());
        for (key, comment) in written {
            assert!(!comment.is_empty(), "{key} has no comment");
            assert_eq!(comment.starts_with("[restart]"), RESTART.contains(&&*key), "{key}");
        }
    }
}
