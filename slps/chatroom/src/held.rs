use std::sync::{Arc, OnceLock};

/// What becomes of a message that a room holds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is handed out; one that was kept earlier with the date of then.
    Heard { first_date: Option<u64> },
    /// Nobody hears it.
    Withdrawn,
}

/// Holds a message back until it is dropped. Then the room knows the verdict: it takes no mail, which might be lost.
#[derive(Debug)]
pub(crate) struct Held {
    shared: Arc<OnceLock<Verdict>>,
    verdict: Verdict,
}

/// The room's side of it.
#[derive(Debug)]
pub(crate) struct Pending(Arc<OnceLock<Verdict>>);

impl Held {
    /// What nobody decides on is withdrawn: its sender has no 200.
    pub(crate) fn new() -> (Self, Pending) {
        let shared = Arc::new(OnceLock::new());
        (Self { shared: shared.clone(), verdict: Verdict::Withdrawn }, Pending(shared))
    }

    pub(crate) fn decide(&mut self, verdict: Verdict) {
        self.verdict = verdict;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // It is dropped once.
        let _ = self.shared.set(self.verdict);
    }
}

impl Pending {
    /// The verdict, once it is known.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        self.0.get().copied()
    }
}
