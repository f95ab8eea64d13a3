use std::error::Error;
use std::fmt;

/// What a handler of a plugin gives back.
pub type Outcome = Result<(), Fault>;

/// The plugin cannot go on: its task ends, open requests get 500, live sessions a BYE.
///
/// Any error becomes one by `?`.
pub struct Fault(Box<dyn Error + Send + Sync>);

impl Fault {
    /// A fault that is told by a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().into())
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Fault {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
