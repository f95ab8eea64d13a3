//! Where clients connect: the listener, the upgrade to WebSocket, the question whether to let them in.

mod auth;
mod listen;
mod upgrade;

use std::net::SocketAddr;

pub(crate) use auth::{Gate, headers};
pub(crate) use listen::serve;

use crate::actor::{Socket, WebSocket};

/// A new socket, on its way to its peer.
pub(crate) struct Attachment {
    pub(crate) ws: WebSocket,
    pub(crate) remote: SocketAddr,
    /// Connections count up as they come in: one that is let in late must not take over from a later one.
    pub(crate) number: u64,
}

impl Attachment {
    /// The socket, with so much room for what a slow reader has not taken yet, in bytes.
    pub(crate) fn into_socket(self, room: usize) -> Socket {
        Socket::new(self.ws, self.remote, room)
    }
}
