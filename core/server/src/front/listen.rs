//! All listeners are made here.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;

use super::Certificate;

/// A port that is bound.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(super) tcp: TcpListener,
    /// With it, all that comes must be TLS.
    pub(super) certificate: Option<Arc<Certificate>>,
}

impl Listener {
    pub(crate) async fn bind(address: SocketAddr, certificate: Option<Arc<Certificate>>) -> io::Result<Self> {
        Ok(Self { tcp: TcpListener::bind(address).await?, certificate })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}
