//! The protocol page: what goes over the wire, and what the server does about it. It is normative: code that differs is wrong.
//!
//! - [`messages`]: fields, bad input, `Expire`, `Max-Forwards`.
//! - [`transactions`]: a request and its responses, repeats, dialogs, limits.
//! - [`sessions`]: the states of a call.
//! - [`delivery`]: sockets that come and go, and what has arrived.

pub mod messages {
    #![doc = include_str!("../docs/messages.md")]
}

pub mod transactions {
    #![doc = include_str!("../docs/transactions.md")]
}

pub mod sessions {
    #![doc = include_str!("../docs/sessions.md")]
}

pub mod delivery {
    #![doc = include_str!("../docs/delivery.md")]
}
