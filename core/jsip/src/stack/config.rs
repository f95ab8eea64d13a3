use std::sync::Arc;
use std::time::Duration;

/// The limits and timers of a [`Stack`](super::Stack). The defaults are those of the protocol page.
///
/// The stack takes no time for longer than ten years, no `keepalive` for shorter than a millisecond, and no
/// `arrival_ping_frames` for less than 1: the clock would overflow, or the pings never end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StackConfig {
    /// How long a request other than INVITE waits for its first response, and a refused INVITE for its ACK.
    pub transtimer: Duration,
    /// How long a request waits after a provisional response; for an INVITE, since its last progress.
    pub prtimer: Duration,
    /// `Expire` of a session whose INVITE has none.
    pub sessiontimer: Duration,
    /// How long an accepted INVITE waits for its ACK.
    pub acktimer: Duration,
    /// How long a final response is kept for repeats of its request.
    pub linger: Duration,
    /// How many final responses are kept for repeats, per peer.
    pub linger_max: usize,
    /// How many new requests wait while the peer is away. Answers, ACK, CANCEL and BYE have room of their own.
    pub qsize: usize,
    /// The lowest `Expire` that is taken from a peer.
    pub min_expire: Duration,
    /// The highest `Expire`; a higher one is lowered to it.
    pub max_expire: Duration,
    /// After how long without a sign of life the peer is pinged.
    pub keepalive: Duration,
    /// After how long without a sign of life the socket is given up.
    pub dead_after: Duration,
    /// How long after a frame was sent the peer is asked, by a ping, what has arrived.
    pub arrival_ping_after: Duration,
    /// At how many frames that are not known to have arrived it is asked at once.
    pub arrival_ping_frames: u64,
    /// At how many bad frames in a row the socket is closed.
    pub max_bad_frames: u32,
    /// How many requests of the peer may be open at once; more are answered 503.
    pub max_transactions: usize,
    /// How many of them in one dialog.
    pub max_dialog_transactions: usize,
    /// How many dialogs there may be; a request that would open one more is answered 503.
    pub max_dialogs: usize,
    /// The longest message that is sent, in bytes. A longer request of the application is answered 513 at once; ACK, BYE, CANCEL and
    /// responses then leave without their other fields, and a 2xx as 500.
    pub max_message_size: usize,
    /// Whether the peer is another server: requests that leave for it get `Max-Forwards` 70 if they have none.
    pub hop: bool,
}

impl Default for StackConfig {
    fn default() -> Self {
        Self {
            transtimer: Duration::from_secs(5),
            prtimer: Duration::from_secs(60),
            sessiontimer: Duration::from_secs(600),
            acktimer: Duration::from_secs(32),
            linger: Duration::from_secs(32),
            linger_max: 256,
            qsize: 1024,
            min_expire: Duration::from_secs(5),
            max_expire: Duration::from_secs(24 * 60 * 60),
            keepalive: Duration::from_secs(25),
            dead_after: Duration::from_secs(50),
            arrival_ping_after: Duration::from_secs(1),
            arrival_ping_frames: 128,
            max_bad_frames: 100,
            max_transactions: 4096,
            max_dialog_transactions: 256,
            max_dialogs: 8192,
            max_message_size: 64 * 1024,
            hop: false,
        }
    }
}

const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
const SHORTEST_KEEPALIVE: Duration = Duration::from_millis(1);

/// The settings as the stack takes them: the same, if there is nothing that it could not work with.
pub(super) fn within_bounds(config: Arc<StackConfig>) -> Arc<StackConfig> {
    let mut bounded = StackConfig::clone(&config);
    for time in [
        &mut bounded.transtimer,
        &mut bounded.prtimer,
        &mut bounded.sessiontimer,
        &mut bounded.acktimer,
        &mut bounded.linger,
        &mut bounded.min_expire,
        &mut bounded.max_expire,
        &mut bounded.keepalive,
        &mut bounded.dead_after,
        &mut bounded.arrival_ping_after,
    ] {
        *time = LONGEST.min(*time);
    }
    bounded.keepalive = SHORTEST_KEEPALIVE.max(bounded.keepalive);
    bounded.arrival_ping_frames = bounded.arrival_ping_frames.max(1);
    if bounded == *config { config } else { Arc::new(bounded) }
}
