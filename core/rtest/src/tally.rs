//! How many runs failed.

use std::fmt;

/// The outcome of a number of runs. It is printed as scripts that call `rtest` expect it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Runs that failed.
    pub failed: u64,
    /// Runs that ended as the script says.
    pub succeeded: u64,
}

impl Tally {
    pub(crate) fn count(&mut self, success: bool) {
        if success {
            self.succeeded += 1;
        } else {
            self.failed += 1;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed: {}, successd: {}", self.failed, self.succeeded)
    }
}
