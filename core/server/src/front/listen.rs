//! All listeners are made here.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket};
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
    fn bind(
        what: &'static str,
        address: SocketAddr,
        certificate: Option<Arc<Certificate>>,
    ) -> Result<Self, StartError> {
        match listen(address) {
            Ok(tcp) => Ok(Self { tcp, certificate }),
            Err(source) => Err(StartError::Bind { what, address, source }),
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    /// Connections that may wait to be accepted, if the system lets them (`net.core.somaxconn`): after a break of the network
    /// all clients come back at once, and each that finds no room tries again only after a second or three.
    const WAITING: u32 = 65_535;
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // What is left of connections of an earlier server is no hindrance.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

/// The ports of a side, bound.
#[derive(Debug)]
pub(crate) struct Ports {
    plain: Listener,
    tls: Option<Listener>,
}

impl Ports {
    /// Binds the ports that two settings name; the second one, if it is there, needs the certificate.
    pub(crate) fn bind(
        [plain_setting, tls_setting]: [&'static str; 2],
        (plain, tls): (SocketAddr, Option<SocketAddr>),
        certificate: Option<Arc<Certificate>>,
    ) -> Result<Self, StartError> {
        let plain = Listener::bind(plain_setting, plain, None)?;
        let tls = match (tls, certificate) {
            (Some(address), Some(certificate)) => {
                Some(Listener::bind(tls_setting, address, Some(certificate))?)
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
            let (port, served_door) = (port?, door.clone());
            let spawned = &door.node.spawned;
            Some(spawned.spawn(Kind::Listener, Who::Named(name), WaitsFor::Connections, |doing| {
                serve(served_door, port, name, doing)
            }))
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
