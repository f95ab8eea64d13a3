use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes that messages under way may hold: those that wait for the courier too, which it has not seen.
#[derive(Debug)]
pub(crate) struct Room {
    left: AtomicUsize,
}

/// A part of it, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Part {
    room: Arc<Room>,
    bytes: usize,
}

impl Room {
    pub(crate) fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(bytes) })
    }

    /// So many bytes, if they are left.
    pub(crate) fn take(self: &Arc<Self>, bytes: usize) -> Option<Part> {
        // Nothing else hangs on it, so any order will do.
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes))
            .is_ok()
            .then(|| Part { room: self.clone(), bytes })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.room.left.fetch_add(self.bytes, Ordering::Relaxed);
    }
}
