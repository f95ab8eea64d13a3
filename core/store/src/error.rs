/// The store did not do what it was asked. Answer 503.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// More waits to be written than the queue takes.
    #[error("the store is busy")]
    Busy,
    /// So much of this sender waits that this message is not kept.
    #[error("too much of this sender waits")]
    TooMuch,
    /// The database cannot, and why: the disk is full, the file is gone, there was no answer in time.
    ///
    /// A write that got this may still have been done. Append it again with the same id: it is kept once.
    #[error("the store is not available: {0}")]
    Unavailable(String),
}

/// Why a database could not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// It may be able to do it next time, as it is: the disk is full, somebody else holds a lock.
    #[error("{0}")]
    Passing(String),
    /// There is no room left: the disk is full, or the database has all that it may take. Less may still fit.
    #[error("{0}")]
    Full(String),
    /// It must be opened again: the file is not the one that was opened, or no database.
    #[error("{0}")]
    Dead(String),
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        Self::Unavailable(failure.to_string())
    }
}
