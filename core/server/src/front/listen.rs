//! All listeners are made here.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

/// A port that is bound.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(super) tcp: TcpListener,
}

impl Listener {
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<Self> {
        Ok(Self { tcp: TcpListener::bind(address).await? })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}
