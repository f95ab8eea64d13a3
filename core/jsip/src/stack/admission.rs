use crate::Headers;

/// Whether requests that would open a dialog are let in. A driver that has too much to do closes it: what is running goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Admission {
    /// They are.
    #[default]
    Open,
    /// They get 503 at once, and nothing of them is kept, not even for their repeats (RFC 3261, 8.2.7): to refuse must cost much
    /// less than to serve.
    Closed {
        /// After how many seconds the peer may try again.
        retry_after: u64,
    },
}

/// The admission, with what its answers say.
#[derive(Debug, Default)]
pub(super) struct Gate {
    admission: Admission,
    headers: Headers,
}

impl Gate {
    pub(super) fn set(&mut self, admission: Admission) {
        if self.admission == admission {
            return;
        }
        self.admission = admission;
        self.headers = Headers::default();
        match admission {
            Admission::Open => {}
            Admission::Closed { retry_after } => {
                self.headers.set_number("Retry-After", retry_after);
            }
        }
    }

    /// What an answer says to a request that is not let in.
    pub(super) fn refuses(&self) -> Option<&Headers> {
        match self.admission {
            Admission::Open => None,
            Admission::Closed { .. } => Some(&self.headers),
        }
    }
}
