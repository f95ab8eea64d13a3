//! What load to make.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

/// Addresses that `--spread` connects from.
const SOURCES: usize = 32;

/// The options of a load run.
#[derive(Debug, Clone, Args)]
pub struct LoadOptions {
    /// Where to connect, ws://HOST:PORT/PATH; the userid is added
    #[arg(long, default_value = "ws://127.0.0.1:8080/rtc")]
    pub url: String,
    /// What the connections do
    #[arg(long, value_enum, default_value_t = Work::Message)]
    pub work: Work,
    /// How many connections; for call2 one half calls the other, for chat they are the members of one room
    #[arg(long, default_value = "16")]
    pub connections: NonZeroUsize,
    /// Closed loop: each connection that begins units keeps so many in flight
    #[arg(long, value_name = "UNITS", default_value = "1", conflicts_with = "rate")]
    pub in_flight: NonZeroUsize,
    /// Open loop: so many units (chat: messages) a second from all connections together, whatever is in flight;
    /// latency counts from the moment when a unit was to begin
    #[arg(long, value_name = "PER_SECOND", value_parser = positive)]
    pub rate: Option<f64>,
    /// How long to measure, in seconds
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// How long to run before that, in seconds
    #[arg(long, default_value_t = 1)]
    pub warmup: u64,
    /// How long a unit may take, in seconds; then it is an error
    #[arg(long, default_value_t = 10)]
    pub timeout: u64,
    /// Count a 503 to a MESSAGE or to an INVITE as a refusal, with a latency of its own, and not as an error
    #[arg(long)]
    pub refusals: bool,
    /// Length of the Body of each MESSAGE, INVITE or INFO, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 64)]
    pub body: usize,
    /// How many members of the room send
    #[arg(long, value_name = "MEMBERS", default_value = "1")]
    pub senders: NonZeroUsize,
    /// The Request-URI [default: a case of the service `conformance`, or a room]
    #[arg(long, value_name = "URI")]
    pub to: Option<String>,
    /// The Router of what opens a dialog; empty for none [default: the service that the work needs]
    #[arg(long, value_name = "URI")]
    pub router: Option<String>,
    /// Part of each user's name, so that load makers beside each other do not take each other's users
    /// [default: load and the process id]
    #[arg(long)]
    pub name: Option<String>,
    /// Connect from several 127.0.0.x addresses and with no linger, so that ports do not run out
    #[arg(long)]
    pub spread: bool,
    /// The server's process, to measure its CPU time and memory
    #[arg(long)]
    pub pid: Option<u32>,
    /// Write the result to this file too, as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Threads that make the load [default: half of the processors]
    #[arg(long)]
    pub threads: Option<NonZeroUsize>,
}

/// What the connections do, and what one unit of it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// A MESSAGE and its 200
    Message,
    /// A call with the server: INVITE, 180, 200, ACK, BYE, 200
    Call,
    /// A call between two users: the same on both legs
    Call2,
    /// In one call of each connection with the server: an INFO and its 200
    Session,
    /// A delivery of a message to a member of a room, and its 200
    Chat,
    /// One MESSAGE each, then silence: for the memory of an idle connection
    Idle,
}

impl LoadOptions {
    /// What does not fit together.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let connections = self.connections.get();
        match self.work {
            Work::Call2 if !connections.is_multiple_of(2) => {
                Some("--work call2 needs an even number of connections")
            }
            Work::Chat if connections < 2 => Some("--work chat needs two connections at least"),
            Work::Chat if self.senders > self.connections => Some("--senders is more than --connections"),
            Work::Idle if self.rate.is_some() => Some("--work idle has no --rate"),
            Work::Message | Work::Call | Work::Call2 | Work::Session | Work::Chat | Work::Idle => None,
        }
    }

    pub(super) fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("load{}", std::process::id()))
    }

    pub(super) fn request_uri(&self) -> String {
        self.to.clone().unwrap_or_else(|| match self.work {
            Work::Message | Work::Idle => "Recv_MESSAGE".to_owned(),
            Work::Call | Work::Call2 => "Recv_INVITE_Session_Timeout".to_owned(),
            Work::Session => "Recv_INFO".to_owned(),
            Work::Chat => format!("room:{}@chat.local", self.name()),
        })
    }

    pub(super) fn router(&self) -> &str {
        self.router.as_deref().unwrap_or(match self.work {
            Work::Message | Work::Idle | Work::Call | Work::Session => "x@h;type=conformance",
            Work::Call2 => "",
            Work::Chat => "room@h;type=default",
        })
    }

    pub(super) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    /// How long a session must last that is opened before the first unit, in seconds. One whose load maker was killed is gone soon
    /// after.
    pub(super) fn expire(&self) -> u64 {
        self.warmup + self.seconds + 2 * self.timeout + 60
    }

    /// The address that connection `index` connects from, if it matters.
    pub(super) fn source(&self, index: usize) -> Option<IpAddr> {
        let last = u8::try_from(index % SOURCES).unwrap_or(0) + 1;
        self.spread.then(|| Ipv4Addr::new(127, 0, 0, last).into())
    }

    /// The URL for a user. Its name needs no escapes.
    pub(super) fn url_of(&self, user: &str) -> String {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{separator}userid={user}", self.url)
    }
}

fn positive(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|rate: &f64| rate.is_finite() && *rate > 0.0)
        .ok_or_else(|| "not a positive number".into())
}
