use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use rtcd_sdk::Peer;

/// Devices whose contact has changed and that nobody has looked at since: each once, however often it changes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes(Arc<Mutex<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    order: VecDeque<Peer>,
    known: HashSet<Peer>,
}

impl Changes {
    /// Whether it is the first one: then somebody is to be told.
    pub(crate) fn add(&self, peer: &Peer) -> bool {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let was_empty = queue.order.is_empty();
        if queue.known.insert(peer.clone()) {
            queue.order.push_back(peer.clone());
        }
        was_empty
    }

    /// Takes the oldest out.
    pub(crate) fn next(&self) -> Option<Peer> {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let peer = queue.order.pop_front()?;
        queue.known.remove(&peer);
        Some(peer)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).order.is_empty()
    }
}
