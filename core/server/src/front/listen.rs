//! All listeners are made here.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::accept::{Door, serve};
use super::{Certificate, Handler};
use crate::run::StartError;
use crate::spawn::{Kind, WaitsFor, Who};

/// A port that is bound.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) tcp: TcpListener,
    /// With it, all that comes must be TLS.
    pub(super) certificate: Option<Arc<Certificate>>,
}

impl Listener {
    async fn bind(
        what: &'static str,
        address: SocketAddr,
        certificate: Option<Arc<Certificate>>,
    ) -> Result<Self, StartError> {
        match TcpListener::bind(address).await {
            Ok(tcp) => Ok(Self { tcp, certificate }),
            Err(source) => Err(StartError::Bind { what, address, source }),
        }
    }
}

/// The ports of a side, bound.
#[derive(Debug)]
pub(crate) struct Ports {
    plain: Listener,
    tls: Option<Listener>,
}

impl Ports {
    /// Binds the ports that two settings name; the second one, if it is there, needs the certificate.
    pub(crate) async fn bind(
        [plain_setting, tls_setting]: [&'static str; 2],
        (plain, tls): (SocketAddr, Option<SocketAddr>),
        certificate: Option<Arc<Certificate>>,
    ) -> Result<Self, StartError> {
        let plain = Listener::bind(plain_setting, plain, None).await?;
        let tls = match (tls, certificate) {
            (Some(address), Some(certificate)) => {
                Some(Listener::bind(tls_setting, address, Some(certificate)).await?)
            }
            (None, _) | (_, None) => None,
        };
        Ok(Self { plain, tls })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.plain.tcp.local_addr()
    }

    pub(crate) fn tls_address(&self) -> io::Result<Option<SocketAddr>> {
        self.tls.as_ref().map(|tls| tls.tcp.local_addr()).transpose()
    }

    /// Serves until what this gives is dropped.
    pub(crate) fn open<H: Handler>(self, door: Door<H>) -> Accepting {
        let door = Arc::new(door);
        let ports = [Some(self.plain), self.tls].into_iter().zip(door.side.names());
        let accepting = ports.filter_map(|(port, name)| {
            let serving = serve(door.clone(), port?);
            let spawned = &door.node.spawned;
            Some(spawned.spawn(Kind::Listener, Who::Named(name), WaitsFor::Connections, |_| serving))
        });
        Accepting(accepting.collect())
    }
}

/// A side that takes connections in, until this is dropped.
#[derive(Debug)]
pub(crate) struct Accepting(Vec<JoinHandle<()>>);

impl Drop for Accepting {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}
