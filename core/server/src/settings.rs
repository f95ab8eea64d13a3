//! `conf/rtcd.yaml`: what an operator sets. Every key has a default, so an empty file will do.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;

/// All settings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The RTC side: where clients connect.
    pub rtc: RtcSettings,
    /// The API side: where operators connect.
    pub api: ApiSettings,
    /// The protocol stack.
    pub jsip: JsipSettings,
    /// Bounds of queues and tasks.
    pub limits: LimitSettings,
    /// Logs.
    pub log: LogSettings,
}

/// The RTC side.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RtcSettings {
    /// Address and port.
    pub listen: SocketAddr,
    /// The path of the WebSocket.
    pub location: String,
    /// How long a client may take to send the head of its HTTP request.
    #[serde(with = "humantime_serde")]
    pub clientheadertimeout: Duration,
    /// The largest text frame, in bytes.
    pub max_message_size: usize,
    /// How many bytes may wait for a reader that does not read before it is cut off; for one that does, 8 times as many.
    pub max_write_buffer: usize,
    /// How long a write may stall before the reader is cut off.
    #[serde(with = "humantime_serde")]
    pub write_stall: Duration,
    /// Where to ask whether a connection is let in; empty: nowhere, all are.
    pub authurl: String,
    /// How long to wait for that answer. No answer: not let in.
    #[serde(with = "humantime_serde")]
    pub authtimeout: Duration,
    /// How many such questions may be open at once; more connections get 503.
    pub max_auth: usize,
}

/// The API side.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiSettings {
    /// Address and port. Keep it on loopback: there is no authentication here yet.
    pub listen: SocketAddr,
}

/// The protocol stack.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JsipSettings {
    /// The name of this node, unique among the servers that talk to each other. Empty: a random one at each start.
    pub realm: String,
    /// How long a request waits for its first response.
    #[serde(with = "humantime_serde")]
    pub transtimer: Duration,
    /// How long it waits after a provisional response; an INVITE, since its last progress.
    #[serde(with = "humantime_serde")]
    pub prtimer: Duration,
    /// `Expire` of a session whose INVITE has none.
    #[serde(with = "humantime_serde")]
    pub sessiontimer: Duration,
    /// How long an accepted INVITE waits for its ACK.
    #[serde(with = "humantime_serde")]
    pub acktimer: Duration,
    /// How long a final response is kept for repeats of its request.
    #[serde(with = "humantime_serde")]
    pub linger: Duration,
    /// The lowest `Expire` that is taken.
    #[serde(with = "humantime_serde")]
    pub min_expire: Duration,
    /// The highest `Expire`.
    #[serde(with = "humantime_serde")]
    pub max_expire: Duration,
    /// How many requests wait for a peer that is away.
    pub qsize: usize,
    /// How long a peer without socket, dialogs and queue is remembered.
    #[serde(with = "humantime_serde")]
    pub away_grace: Duration,
    /// After how long without a sign of life a client is pinged; after twice that it is given up.
    #[serde(with = "humantime_serde")]
    pub keepalive: Duration,
    /// At how many bad frames in a row a socket is closed.
    pub max_bad_frames: u32,
    /// How long one try to reach a next hop may take.
    #[serde(with = "humantime_serde")]
    pub conntimeout: Duration,
    /// How many times a next hop is tried.
    pub retry: u32,
}

/// Bounds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// How long a handler of a service may take.
    #[serde(with = "humantime_serde")]
    pub handler_timeout: Duration,
    /// New requests that wait for a task whose handler waits; more get 503.
    pub away_queue: usize,
    /// New requests from other peers that wait for a peer's actor; more get 503.
    pub mailbox: usize,
    /// The same for a service task.
    pub service_mailbox: usize,
    /// Dialogs of one task; what would open one more gets 503.
    pub task_legs: usize,
    /// Open requests of one peer; more get 503.
    pub transactions: usize,
    /// Dialogs of one peer; what would open one more gets 503.
    pub dialogs: usize,
}

/// Logs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSettings {
    /// The lowest level that is written, such as `info` or `info,jsip=debug`.
    pub level: String,
    /// For people or for machines.
    pub format: LogFormat,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for RtcSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 8080)),
            location: "/rtc".to_owned(),
            clientheadertimeout: Duration::from_secs(10),
            max_message_size: 64 * 1024,
            max_write_buffer: 1024 * 1024,
            write_stall: Duration::from_secs(10),
            authurl: String::new(),
            authtimeout: Duration::from_secs(3),
            max_auth: 256,
        }
    }
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 2539)) }
    }
}

impl Default for JsipSettings {
    fn default() -> Self {
        Self {
            realm: String::new(),
            transtimer: Duration::from_secs(5),
            prtimer: Duration::from_secs(60),
            sessiontimer: Duration::from_secs(600),
            acktimer: Duration::from_secs(32),
            linger: Duration::from_secs(32),
            min_expire: Duration::from_secs(5),
            max_expire: Duration::from_secs(24 * 60 * 60),
            qsize: 1024,
            away_grace: Duration::from_secs(32),
            keepalive: Duration::from_secs(25),
            max_bad_frames: 100,
            conntimeout: Duration::from_secs(3),
            retry: 10,
        }
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            handler_timeout: Duration::from_secs(30),
            away_queue: 64,
            mailbox: 1024,
            service_mailbox: 65_536,
            task_legs: 1024,
            transactions: 4096,
            dialogs: 8192,
        }
    }
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

/// A settings file or a routing table cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct ConfigError {
    /// The file.
    pub file: String,
    /// Field, line and what is wrong there.
    pub problem: String,
}

impl Settings {
    /// Reads `rtcd.yaml`.
    ///
    /// # Errors
    /// If the text is no YAML, or a key or value does not fit.
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        let settings: Self = parse_yaml(file, text)?;
        let problems = settings.problems();
        if !problems.is_empty() {
            return Err(ConfigError { file: file.to_owned(), problem: problems.join("; ") });
        }
        Ok(settings)
    }
}

impl Settings {
    /// Values that fit their type and would not work.
    fn problems(&self) -> Vec<String> {
        /// Long enough for anybody, and short enough for a clock.
        const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
        let Self { rtc, jsip, .. } = self;
        let mut problems = Vec::new();
        if !rtc.location.starts_with('/') {
            problems.push("rtc.location: must begin with /".to_owned());
        }
        if !rtc.authurl.is_empty() && reqwest::Url::parse(&rtc.authurl).is_err() {
            problems.push("rtc.authurl: is no URL".to_owned());
        }
        if !jsip.realm.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        {
            problems.push("jsip.realm: has only letters, digits, ., - and _".to_owned());
        }
        let durations = [
            ("rtc.clientheadertimeout", rtc.clientheadertimeout),
            ("rtc.write_stall", rtc.write_stall),
            ("jsip.transtimer", jsip.transtimer),
            ("jsip.prtimer", jsip.prtimer),
            ("jsip.sessiontimer", jsip.sessiontimer),
            ("jsip.acktimer", jsip.acktimer),
            ("jsip.away_grace", jsip.away_grace),
            ("jsip.keepalive", jsip.keepalive),
            ("jsip.conntimeout", jsip.conntimeout),
            ("limits.handler_timeout", self.limits.handler_timeout),
        ];
        for (key, duration) in durations {
            if duration < Duration::from_millis(1) || duration > YEAR {
                problems.push(format!("{key}: must be from 1ms to 365 days"));
            }
        }
        problems
    }
}

/// Reads YAML; a file of comments alone counts as empty.
pub(crate) fn parse_yaml<T: for<'a> Deserialize<'a>>(file: &str, text: &str) -> Result<T, ConfigError> {
    let blank = text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    serde_yaml::from_str(if blank { "{}" } else { text })
        .map_err(|error| ConfigError { file: file.to_owned(), problem: error.to_string() })
}
