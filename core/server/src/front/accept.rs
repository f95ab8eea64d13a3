//! Takes connections in.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

use super::client::is_trusted;
use super::connection::connection;
use super::listen::Listener;
use super::refusal::Refusal;
use super::visitors::{Pass, Seat};
use super::{Certificate, Handler, Side, Stream, files};
use crate::logs::LogFile;
use crate::node::Node;
use crate::spawn::{Doing, WaitsFor, Who};

/// How long such a connection may take to say what it wants.
const REFUSAL: Duration = Duration::from_secs(2);

/// A side, as all its connections know it.
pub(crate) struct Door<H> {
    pub(super) node: Arc<Node>,
    pub(super) side: Side,
    pub(super) handler: H,
    pub(super) access: Option<LogFile>,
    /// For connections that are open only to be told that they are refused. More are closed without a word.
    refusing: Arc<Semaphore>,
}

impl<H: Handler> Door<H> {
    pub(crate) fn new(node: Arc<Node>, side: Side, access: Option<LogFile>, handler: H) -> Self {
        Self { node, side, handler, access, refusing: Arc::new(Semaphore::new(files::room_to_refuse(side))) }
    }
}

/// A connection, as the door sees it.
pub(super) struct Arrival {
    pub(super) peer: SocketAddr,
    /// Connections count up as they come in.
    pub(super) number: u64,
    pub(super) admission: Admission,
}

pub(super) enum Admission {
    /// Let in, and counted at its address.
    Known(Arc<Pass>),
    /// Let in. Who it is, each request tells; or nobody counts here.
    Unknown,
    /// It is told so, and that is all.
    Refused(Refusal, #[expect(dead_code, reason = "held until it has been told")] OwnedSemaphorePermit),
}

/// Serves until it is dropped; connections that are up go on.
pub(super) async fn serve<H: Handler>(
    door: Arc<Door<H>>,
    listener: Listener,
    name: &'static str,
    doing: Doing,
) {
    /// How long accepting rests when the process has no descriptors left, or no memory.
    const REST: Duration = Duration::from_millis(100);
    // Since when nothing could be accepted.
    let mut failing: Option<Instant> = None;
    loop {
        match listener.tcp.accept().await {
            Ok((tcp, mut peer)) => {
                if let Some(since) = failing.take() {
                    doing.waits_for(WaitsFor::Connections);
                    tracing::info!(port = name, took = ?since.elapsed(), "accepts connections again");
                }
                peer.set_ip(peer.ip().to_canonical());
                let Some((seat, admission)) = door.admit(peer) else {
                    door.node.gauges.dropped_connections.fetch_add(1, Relaxed);
                    continue;
                };
                // Small frames must not wait for an acknowledgement. A socket that refuses is closing.
                let _ = tcp.set_nodelay(true);
                let arrival = Arrival { peer, number: door.node.next_connection(), admission };
                let certificate = listener.certificate.clone();
                let task_door = door.clone();
                door.node.spawned.spawn(door.side.kind(), Who::Remote(peer), WaitsFor::Request, |doing| {
                    greet(task_door, certificate, (tcp, seat), arrival, doing)
                });
            }
            Err(error) => {
                door.node.gauges.accept_errors.fetch_add(1, Relaxed);
                if is_of_one_connection(&error) {
                    continue;
                }
                // Not at each try: that would fill the disk.
                failing.get_or_insert_with(|| {
                    tracing::warn!(port = name, %error, "cannot accept connections; tries again and again");
                    doing.waits_for(WaitsFor::Pause);
                    Instant::now()
                });
                sleep(REST).await;
            }
        }
    }
}

/// Whether the connection that would have been accepted is broken, and nothing else.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

impl<H: Handler> Door<H> {
    /// Whether a connection is let in; `None` if it is not even told.
    fn admit(&self, peer: SocketAddr) -> Option<(Option<Seat>, Admission)> {
        let live = self.node.live();
        let (limits, visitors) = (&live.settings.limits, &self.node.visitors);
        let admitted = match self.side {
            Side::Rtc => visitors.sit(limits.connections, files::room()).and_then(|seat| {
                let admission = if is_trusted(peer.ip(), self.side.trusted_proxies(&live.settings)) {
                    Admission::Unknown
                } else {
                    Admission::Known(Arc::new(visitors.enter(peer.ip(), limits)?))
                };
                Ok((Some(seat), admission))
            }),
            Side::Api => visitors
                .sit_as_caller(limits.api_connections, files::room_for_callers())
                .map(|seat| (Some(seat), Admission::Unknown)),
        };
        match admitted {
            Ok(admitted) => Some(admitted),
            Err(refusal) => {
                let permit = self.refusing.clone().try_acquire_owned().ok()?;
                Some((None, Admission::Refused(refusal, permit)))
            }
        }
    }

    pub(super) fn header_timeout(&self, admission: &Admission) -> Duration {
        let patience = self.side.header_timeout(&self.node.live().settings);
        match admission {
            Admission::Known(_) | Admission::Unknown => patience,
            Admission::Refused(..) => patience.min(REFUSAL),
        }
    }
}

async fn greet<H: Handler>(
    door: Arc<Door<H>>,
    certificate: Option<Arc<Certificate>>,
    (tcp, seat): (TcpStream, Option<Seat>),
    arrival: Arrival,
    doing: Doing,
) {
    let stream = match certificate {
        None => Stream::plain(tcp),
        Some(certificate) => {
            let patience = door.header_timeout(&arrival.admission);
            doing.waits_for(WaitsFor::Handshake);
            let Some(stream) = certificate.greet(tcp, patience, &door.node.gauges).await else { return };
            doing.waits_for(WaitsFor::Request);
            stream
        }
    };
    connection(door, stream.seated(seat), arrival, doing).await;
}
