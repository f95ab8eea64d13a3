use std::fmt;

/// For whom an API is, and so where it is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Operators and their programs: below `/{name}/{version}/` on the API port.
    Admin,
    /// Users who are signed in: below `/api/{name}/{version}/` on the RTC port, where their clients connect.
    User,
}

impl Audience {
    /// `admin` or `user`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::User => "user",
        }
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
