use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::types::{self, Location, LogLevels, Network, address, optional, time};
use rtcd_sdk::Glob;

/// The RTC side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RtcSettings {
    /// Address and port.
    #[serde(with = "address")]
    pub listen: SocketAddr,
    /// Address and port for TLS.
    #[serde(with = "optional")]
    pub tlslisten: Option<SocketAddr>,
    /// PEM file of the certificate and its chain.
    pub cert: PathBuf,
    /// PEM file of the certificate's key.
    pub key: PathBuf,
    /// The path of the WebSocket.
    pub location: Location,
    /// How long a client may take to send the head of its HTTP request.
    #[serde(with = "time")]
    pub clientheadertimeout: Duration,
    /// Origins of web pages that may connect; none: all.
    pub origins: Vec<Glob>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// The largest text frame, in bytes.
    pub max_message_size: usize,
    /// How many bytes may wait for a reader that does not read before it is cut off; for one that does, 8 times as many.
    pub max_write_buffer: usize,
    /// How long a write may stall before the reader is cut off.
    #[serde(with = "time")]
    pub write_stall: Duration,
    /// Where to ask whether a connection is let in; none: all are.
    #[serde(serialize_with = "types::url_text", deserialize_with = "types::url")]
    pub authurl: Option<reqwest::Url>,
    /// How long to wait for that answer. No answer: not let in.
    #[serde(with = "time")]
    pub authtimeout: Duration,
    /// How many such questions may be open at once; more connections get 503.
    pub max_auth: usize,
    /// How long a token is good by which a user calls APIs.
    #[serde(with = "time")]
    pub token_lifetime: Duration,
    /// Whether the page that comes with the server is served.
    pub demo: bool,
    /// Where the logs of this side go; empty: where all go.
    pub logfile: PathBuf,
    /// Levels of this side's logs; empty: those of all.
    pub loglevel: LogLevels,
    /// One JSON object for each HTTP request; empty: none.
    pub accessfile: PathBuf,
}

impl Default for RtcSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 8080)),
            tlslisten: None,
            cert: PathBuf::new(),
            key: PathBuf::new(),
            location: Location::default(),
            clientheadertimeout: Duration::from_secs(10),
            origins: Vec::new(),
            trusted_proxies: Vec::new(),
            max_message_size: 64 * 1024,
            max_write_buffer: 1024 * 1024,
            write_stall: Duration::from_secs(10),
            authurl: None,
            authtimeout: Duration::from_secs(3),
            max_auth: 256,
            token_lifetime: Duration::from_secs(10 * 60),
            demo: true,
            logfile: PathBuf::new(),
            loglevel: LogLevels::default(),
            accessfile: PathBuf::new(),
        }
    }
}
