//! What became of each setting of gortc.

use super::ini::Section;
use super::value::Kind;

/// A setting of gortc.
pub(super) struct Key {
    section: Section,
    name: &'static str,
    pub(super) target: Target,
}

/// What it is here.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    /// This setting.
    Setting(&'static str, Kind),
    /// Nothing, and why.
    Nothing(&'static str),
}

impl Key {
    /// gortc reads names in any case.
    pub(super) fn is(&self, section: Section, name: &str) -> bool {
        self.section == section && self.name.eq_ignore_ascii_case(name)
    }
}

/// The settings that may be found, in the order in which they are written.
pub(super) fn settings() -> impl Iterator<Item = &'static str> {
    KEYS.iter().filter_map(|key| match key.target {
        Target::Setting(setting, _) => Some(setting),
        Target::Nothing(_) => None,
    })
}

const fn key(section: Section, name: &'static str, setting: &'static str, kind: Kind) -> Key {
    Key { section, name, target: Target::Setting(setting, kind) }
}

const fn nothing(section: Section, name: &'static str, why: &'static str) -> Key {
    Key { section, name, target: Target::Nothing(why) }
}

/// All of them. Those of one section of `rtcd.yaml` stand together.
pub(super) const KEYS: &[Key] = &[
    key(Section::Rtc, "listen", "rtc.listen", Kind::Address),
    key(Section::Rtc, "tlslisten", "rtc.tlslisten", Kind::Address),
    key(Section::Rtc, "cert", "rtc.cert", Kind::Text),
    key(Section::Rtc, "key", "rtc.key", Kind::Text),
    key(Section::Rtc, "location", "rtc.location", Kind::Path),
    key(Section::Rtc, "clientheadertimeout", "rtc.clientheadertimeout", Kind::Time),
    key(Section::Rtc, "authurl", "rtc.authurl", Kind::Text),
    key(Section::Rtc, "authtimeout", "rtc.authtimeout", Kind::Time),
    key(Section::Rtc, "logfile", "rtc.logfile", Kind::Text),
    key(Section::Rtc, "loglevel", "rtc.loglevel", Kind::Level),
    key(Section::Rtc, "accessfile", "rtc.accessfile", Kind::Text),
    nothing(
        Section::Rtc,
        "keepalived",
        "it is how long an HTTP connection may be idle, and here each becomes a WebSocket at once; \
         how soon a silent client is pinged is jsip.keepalive",
    ),
    key(Section::Api, "listen", "api.listen", Kind::Address),
    key(Section::Api, "tlslisten", "api.tlslisten", Kind::Address),
    key(Section::Api, "cert", "api.cert", Kind::Text),
    key(Section::Api, "key", "api.key", Kind::Text),
    key(Section::Api, "clientheadertimeout", "api.clientheadertimeout", Kind::Time),
    key(Section::Api, "keepalived", "api.keepalived", Kind::Time),
    key(Section::Api, "logfile", "api.logfile", Kind::Text),
    key(Section::Api, "loglevel", "api.loglevel", Kind::Level),
    key(Section::Api, "accessfile", "api.accessfile", Kind::Text),
    key(Section::Jsip, "realm", "jsip.realm", Kind::Realm),
    key(Section::Jsip, "location", "jsip.location", Kind::Path),
    key(Section::Jsip, "conntimeout", "jsip.conntimeout", Kind::Time),
    key(Section::Jsip, "retry", "jsip.retry", Kind::Count),
    key(Section::Jsip, "transtimer", "jsip.transtimer", Kind::Time),
    key(Section::Jsip, "prtimer", "jsip.prtimer", Kind::Time),
    key(Section::Jsip, "sessiontimer", "jsip.sessiontimer", Kind::Time),
    key(Section::Rtc, "qsize", "jsip.qsize", Kind::Count),
    nothing(Section::Jsip, "termnotify", "services are always told that a dialog has ended (on_end)"),
    key(Section::Jsip, "qsize", "limits.mailbox", Kind::Count),
    key(Section::Global, "loglevel", "log.level", Kind::Level),
    key(Section::Global, "logfile", "log.file", Kind::Text),
];
