use std::time::Duration;

use super::Side;
use crate::{Method, StatusCode};

macro_rules! counters {
    ($($(#[doc = $help:literal])+ $name:ident,)+) => {
        /// What happened so far; the numbers only grow.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Counters {
            $($(#[doc = $help])+ pub $name: u64,)+
        }

        impl Counters {
            /// Their names, and what each counts.
            pub const NAMES: &'static [(&'static str, &'static str)] =
                &[$((stringify!($name), concat!($($help),+)),)+];

            /// Takes out what is not 0, each with its place in [`Counters::NAMES`].
            pub(super) fn take(&mut self, mut each: impl FnMut(usize, u64)) {
                for (at, value) in [$(&mut self.$name),+].into_iter().enumerate() {
                    if *value != 0 {
                        each(at, std::mem::take(value));
                    }
                }
            }
        }
    };
}

counters! {
    /// Text frames that came, bad ones too.
    frames_received,
    /// Text frames that left, repeats too.
    frames_sent,
    /// Pings that left.
    pings_sent,
    /// Frames that are no message.
    bad_frames,
    /// Frames that came while no socket was attached.
    ignored_frames,
    /// Repeats of an open request.
    repeats,
    /// Repeats of a finished request, answered from memory.
    repeats_answered,
    /// Requests that have the key of an open request, but are another.
    collisions,
    /// Responses that match no open request of this side: none there was, it is finished, or it came from the peer.
    dropped_responses,
    /// ACKs that no INVITE waits for.
    dropped_acks,
    /// Requests answered 481 or 491 because the session's state does not allow them.
    refused_by_state,
    /// Requests answered 481 because there is no such dialog or session.
    refused_unknown,
    /// Requests answered 400, 423 or 483 for a field.
    refused_fields,
    /// Requests answered 503 because there is no room, of the peer and of the application.
    refused_room,
    /// Requests answered 503 because no new dialogs are let in for the moment.
    refused_overload,
    /// Messages of the application that were refused with an error.
    refused_sends,
    /// Requests of the peer answered 408.
    timeouts_received,
    /// Requests sent that had no final response in time.
    timeouts_sent,
    /// Final responses that waited too long for a peer that is away.
    waited_in_vain,
    /// Frames sent again on a new socket.
    resent,
    /// Sessions ended because their timer ran out.
    expired_sessions,
    /// Dialogs opened.
    dialogs_opened,
    /// Dialogs ended.
    dialogs_ended,
    /// Sessions opened.
    sessions_opened,
    /// Transactions opened.
    transactions_opened,
}

/// A request that has got its final response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finished {
    /// Its method.
    pub method: Method,
    /// The response.
    pub code: StatusCode,
    /// Who sent the request.
    pub from: Side,
    /// How long it took.
    pub took: Duration,
}

/// What there is now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Dialogs.
    pub dialogs: usize,
    /// Sessions.
    pub sessions: usize,
    /// Requests without final response, of both sides.
    pub transactions: usize,
    /// Final responses kept for repeats.
    pub lingering: usize,
    /// Frames that wait for a socket.
    pub queued: usize,
    /// Frames sent that are not known to have arrived.
    pub unconfirmed: u64,
}
