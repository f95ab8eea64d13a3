/// What happened so far; the numbers only grow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Text frames that came, bad ones too.
    pub frames_received: u64,
    /// Text frames that left, repeats too.
    pub frames_sent: u64,
    /// Pings that left.
    pub pings_sent: u64,
    /// Frames that are no message.
    pub bad_frames: u64,
    /// Frames that came while no socket was attached.
    pub ignored_frames: u64,
    /// Repeats of an open request.
    pub repeats: u64,
    /// Repeats of a finished request, answered from memory.
    pub repeats_answered: u64,
    /// Requests that have the key of an open request, but are another.
    pub collisions: u64,
    /// Responses that match no open request of this side: none there was, it is finished, or it came from the peer.
    pub dropped_responses: u64,
    /// ACKs that no INVITE waits for.
    pub dropped_acks: u64,
    /// Requests answered 481 or 491 because the session's state does not allow them.
    pub refused_by_state: u64,
    /// Requests answered 481 because there is no such dialog or session.
    pub refused_unknown: u64,
    /// Requests answered 400, 423 or 483 for a field.
    pub refused_fields: u64,
    /// Requests answered 503 because there is no room, of the peer and of the application.
    pub refused_room: u64,
    /// Messages of the application that were refused with an error.
    pub refused_sends: u64,
    /// Requests of the peer answered 408.
    pub timeouts_received: u64,
    /// Requests sent that had no final response in time.
    pub timeouts_sent: u64,
    /// Frames sent again on a new socket.
    pub resent: u64,
    /// Sessions ended because their timer ran out.
    pub expired_sessions: u64,
    /// Dialogs opened.
    pub dialogs_opened: u64,
    /// Dialogs ended.
    pub dialogs_ended: u64,
    /// Sessions opened.
    pub sessions_opened: u64,
    /// Transactions opened.
    pub transactions_opened: u64,
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
