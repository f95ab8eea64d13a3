use std::fmt;
use std::time::Duration;

/// By which a user may call the APIs for users, for a while: `Authorization: Bearer TEXT`. [`Cx::token`](crate::Cx::token) makes it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// What the client sends. Whoever has it is the user: it belongs into no log.
    pub text: String,
    /// How long it is good, from when it was made.
    pub lifetime: Duration,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}
