//! Takes connections in.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::connection::connection;
use super::{Handler, Listener, Side, Stream};
use crate::node::Node;

/// A side, as all its connections know it.
pub(crate) struct Door<H> {
    pub(super) node: Arc<Node>,
    pub(super) side: Side,
    pub(super) handler: H,
}

impl<H: Handler> Door<H> {
    pub(crate) fn new(node: Arc<Node>, side: Side, handler: H) -> Self {
        Self { node, side, handler }
    }
}

/// Serves until it is dropped; connections that are up go on.
pub(crate) async fn serve<H: Handler>(door: Arc<Door<H>>, listener: Listener) {
    /// How long accepting rests when the process has no descriptors left.
    const REST: Duration = Duration::from_millis(100);
    loop {
        match listener.tcp.accept().await {
            Ok((tcp, mut remote)) => {
                // Small frames must not wait for an acknowledgement. A socket that refuses is closing.
                let _ = tcp.set_nodelay(true);
                remote.set_ip(remote.ip().to_canonical());
                tokio::spawn(connection(door.clone(), Stream::plain(tcp), remote));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept");
                sleep(REST).await;
            }
        }
    }
}
