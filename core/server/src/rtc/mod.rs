//! Where clients connect: the upgrade to WebSocket, the question whether to let them in; beside it APIs for users, and the page.

mod auth;
mod reception;
mod upgrade;

use std::net::SocketAddr;
use std::sync::Arc;

pub(crate) use auth::{Gate, headers};
pub(crate) use reception::Reception;
pub(crate) use upgrade::is_allowed;

use crate::actor::{Socket, WebSocket};
use crate::front::Pass;

/// A new socket, on its way to its peer.
pub(crate) struct Attachment {
    pub(crate) ws: WebSocket,
    pub(crate) remote: SocketAddr,
    /// Connections count up as they come in: one that is let in late must not take over from a later one.
    pub(crate) number: u64,
    /// Counts a client at its address; none for a hop.
    pub(crate) pass: Option<Arc<Pass>>,
}

impl Attachment {
    /// The socket, with so much room for what a slow reader has not taken yet, in bytes.
    pub(crate) fn into_socket(self, room: usize) -> Socket {
        Socket::new(self.ws, self.remote, self.pass, room)
    }
}
