use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::types::{Location, Realm, time};

/// The protocol stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JsipSettings {
    /// The name of this node, unique among the servers that talk to each other. Empty: a random one at each start.
    pub realm: Realm,
    /// The path of the WebSocket of other servers.
    pub location: Location,
    /// How long a request waits for its first response.
    #[serde(with = "time")]
    pub transtimer: Duration,
    /// How long it waits after a provisional response; an INVITE, since its last progress.
    #[serde(with = "time")]
    pub prtimer: Duration,
    /// `Expire` of a session whose INVITE has none.
    #[serde(with = "time")]
    pub sessiontimer: Duration,
    /// How long an accepted INVITE waits for its ACK.
    #[serde(with = "time")]
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
    #[serde(with = "time")]
    pub away_grace: Duration,
    /// After how long without a sign of life a client is pinged; after twice that it is given up.
    #[serde(with = "time")]
    pub keepalive: Duration,
    /// At how many bad frames in a row a socket is closed.
    pub max_bad_frames: u32,
    /// How long one try to reach a next hop may take.
    #[serde(with = "time")]
    pub conntimeout: Duration,
    /// How many times a next hop is tried.
    pub retry: u32,
}

impl Default for JsipSettings {
    fn default() -> Self {
        Self {
            realm: Realm::default(),
            location: Location::default(),
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
