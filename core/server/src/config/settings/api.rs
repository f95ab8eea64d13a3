use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::types::{LogLevels, Network, Secret, address, optional, time};

/// The API side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiSettings {
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
    /// What a call must bear; empty: nothing.
    pub token: Secret,
    /// Listen on an address that others can reach, without a token.
    pub insecure: bool,
    /// How long a client may take to send the head of its HTTP request, and from one part of its body to the next.
    #[serde(with = "time")]
    pub clientheadertimeout: Duration,
    /// How long a connection may be idle.
    #[serde(with = "time")]
    pub keepalived: Duration,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Where the logs of this side go; empty: where all go.
    pub logfile: PathBuf,
    /// Levels of this side's logs; empty: those of all.
    pub loglevel: LogLevels,
    /// One JSON object for each HTTP request; empty: none.
    pub accessfile: PathBuf,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 2539)),
            tlslisten: None,
            cert: PathBuf::new(),
            key: PathBuf::new(),
            token: Secret::default(),
            insecure: false,
            clientheadertimeout: Duration::from_secs(10),
            keepalived: Duration::from_secs(60),
            trusted_proxies: Vec::new(),
            logfile: PathBuf::new(),
            loglevel: LogLevels::default(),
            accessfile: PathBuf::new(),
        }
    }
}
