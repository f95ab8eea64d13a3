use std::fmt;

/// What a request asks for (RFC 3261, 7.1, and its extensions).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// Opens a session, or changes one.
    Invite,
    /// Confirms that the final response to an INVITE arrived.
    Ack,
    /// Ends a session.
    Bye,
    /// Takes back an INVITE that has no final response.
    Cancel,
    /// Says where a user is.
    Register,
    /// Asks what a service can do.
    Options,
    /// Carries something within a session (RFC 6086).
    Info,
    /// Changes a session before or after it is answered (RFC 3311); here also its keep-alive.
    Update,
    /// Confirms a provisional response (RFC 3262).
    Prack,
    /// Asks for notifications (RFC 6665).
    Subscribe,
    /// Carries a text (RFC 3428).
    Message,
    /// Carries a notification (RFC 6665).
    Notify,
}

impl Method {
    /// All methods, in the order of the protocol page.
    pub const ALL: [Self; 12] = [
        Self::Invite,
        Self::Ack,
        Self::Bye,
        Self::Cancel,
        Self::Register,
        Self::Options,
        Self::Info,
        Self::Update,
        Self::Prack,
        Self::Subscribe,
        Self::Message,
        Self::Notify,
    ];

    /// The method of this name, as field `Type` has it.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "INVITE" => Self::Invite,
            "ACK" => Self::Ack,
            "BYE" => Self::Bye,
            "CANCEL" => Self::Cancel,
            "REGISTER" => Self::Register,
            "OPTIONS" => Self::Options,
            "INFO" => Self::Info,
            "UPDATE" => Self::Update,
            "PRACK" => Self::Prack,
            "SUBSCRIBE" => Self::Subscribe,
            "MESSAGE" => Self::Message,
            "NOTIFY" => Self::Notify,
            _ => return None,
        })
    }

    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invite => "INVITE",
            Self::Ack => "ACK",
            Self::Bye => "BYE",
            Self::Cancel => "CANCEL",
            Self::Register => "REGISTER",
            Self::Options => "OPTIONS",
            Self::Info => "INFO",
            Self::Update => "UPDATE",
            Self::Prack => "PRACK",
            Self::Subscribe => "SUBSCRIBE",
            Self::Message => "MESSAGE",
            Self::Notify => "NOTIFY",
        }
    }

    /// Whether a request of this method names another one by `RelatedID`.
    pub fn has_related(self) -> bool {
        matches!(self, Self::Ack | Self::Cancel)
    }

    /// Whether a request of this method may open a dialog.
    pub fn opens_dialog(self) -> bool {
        match self {
            Self::Invite
            | Self::Register
            | Self::Options
            | Self::Message
            | Self::Subscribe
            | Self::Notify => true,
            Self::Ack | Self::Bye | Self::Cancel | Self::Info | Self::Update | Self::Prack => false,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for method in Method::ALL {
            assert_eq!(Method::from_name(method.name()), Some(method));
        }
        assert_eq!(Method::from_name("TERM"), None);
        assert_eq!(Method::from_name("RESPONSE"), None);
        assert_eq!(Method::from_name("invite"), None);
    }
}
