//! The protocol state of one peer.
//!
//! # The loop
//! The driver feeds an input with the time, takes out all outputs in order, and arms one timer:
//!
//! ```
//! use std::sync::Arc;
//! use std::time::{Duration, Instant};
//! use jsip::{Message, Output, Stack, StackConfig, StatusCode};
//!
//! let mut stack: Stack<&str> = Stack::new(Arc::new(StackConfig::default()), 7);
//! let mut now = Instant::now();
//! stack.handle_attached(now);
//! stack.handle_frame(now, r#"{"Type":"MESSAGE","Request-URI":"echo","From":"a@b","To":"echo","DialogueID":"d","CSeq":1}"#);
//!
//! let mut written = Vec::new();
//! while let Some(output) = stack.poll_output() {
//!     match output {
//!         Output::Transmit(text) => written.push(text),
//!         Output::Ping(count) => written.push(count.to_string().into()),
//!         // Nobody is bound to a new dialog: the dispatcher finds who is responsible.
//!         Output::Deliver { dialog, tag, message: Message::Request(request) } => {
//!             assert_eq!(tag, None);
//!             stack.handle_bind(dialog, "echo");
//!             stack.handle_send(now, dialog, request.response(StatusCode::OK).into())?;
//!         }
//!         Output::Deliver { message: Message::Response(_), .. } => {}
//!         Output::DialogEnded { tag, .. } => assert_eq!(tag, "echo"),
//!         Output::Close(_) => stack.handle_detached(now, jsip::Detach::Lost),
//!     }
//! }
//! assert!(written[0].starts_with(r#"{"Type":"RESPONSE","Code":200,"Desc":"OK""#));
//!
//! // The next wake-up: the ping that asks whether the answer has arrived.
//! assert_eq!(stack.poll_timeout(), Some(now + Duration::from_secs(1)));
//! now += Duration::from_secs(1);
//! stack.handle_timeout(now);
//! assert_eq!(stack.poll_output(), Some(Output::Ping(1)));
//! stack.handle_arrived(now, 1);
//! assert!(stack.is_idle());
//! # Ok::<(), jsip::SendError>(())
//! ```
//!
//! - An input is one call of a `handle_…` method. After it, or after several that belong together, all outputs are taken out
//!   before the driver waits; then [`Stack::poll_timeout`] says until when.
//! - Outputs have one order. `Transmit`, `Ping` and `Close` are for the socket that is attached at that moment.
//! - `handle_timeout` may be called early, late or twice.
//! - A bad frame is the peer's fault and is answered or dropped; a [`SendError`] is the application's, and changes nothing;
//!   there is no input that panics.

mod admission;
mod config;
mod core;
mod counters;
mod delivery;
mod dialog;
mod error;
mod fields;
mod inspect;
mod linger;
mod output;
mod receive;
mod send;
mod session;
mod timers;
mod transaction;
mod turn;

use std::sync::Arc;
use std::time::Instant;

use bytestring::ByteString;

pub use admission::Admission;
pub use config::StackConfig;
pub use counters::{Counters, Counts, Finished};
pub use dialog::DialogKey;
pub use error::SendError;
pub use inspect::{DialogInfo, SessionInfo, TransactionInfo};
pub use output::{CloseReason, Detach, Output, Release, Side};

use self::core::Core;
use self::delivery::{Owner, Place, Room};
use self::dialog::Dialogs;
use self::timers::Timers;
use self::transaction::State;
use self::turn::Turn;
use crate::{CSeq, Method, Request};

/// The protocol state of one peer: its dialogs with their transactions and sessions, and what was sent to it.
///
/// `T` is the driver's tag of a dialog: it says to whom the dialog's messages go.
#[derive(Debug)]
pub struct Stack<T> {
    core: Core<T>,
    dialogs: Dialogs<T>,
    timers: Timers,
}

impl<T: Clone> Stack<T> {
    /// A peer that was not seen yet. `seed` is all the randomness there is: it keys the hashes, and the CSeqs of the stack's own
    /// requests follow from it.
    pub fn new(config: Arc<StackConfig>, seed: u64) -> Self {
        let core = Core::new(config::within_bounds(config), seed);
        Self { dialogs: Dialogs::new(core.hasher()), core, timers: Timers::default() }
    }

    /// Changes the limits; timers that run keep their time.
    pub fn set_config(&mut self, config: Arc<StackConfig>) {
        self.core.config = config::within_bounds(config);
    }

    /// Lets requests that open a dialog in, or no longer. What is open goes on.
    pub fn set_admission(&mut self, admission: Admission) {
        self.core.gate.set(admission);
    }

    /// A ping or another control frame of the peer: a sign of life.
    pub fn handle_alive(&mut self, now: Instant) {
        self.core.delivery.alive(now);
    }

    /// A pong whose payload is this number: so many frames of this socket have arrived.
    pub fn handle_arrived(&mut self, now: Instant, count: u64) {
        self.core.delivery.alive(now);
        let core = &mut self.core;
        let arrived = core.delivery.arrived((now, &core.config, &mut core.counters), count);
        if let Some(frame) = arrived {
            core.linger.arrived(frame);
        }
    }

    /// A new socket. One that is still attached is taken for lost. What is unfinished and not known to have arrived is sent
    /// again, then what waited.
    pub fn handle_attached(&mut self, now: Instant) {
        self.handle_detached(now, Detach::Lost);
        let (confirmed, mut again) = self.core.delivery.attach(now, &self.core.config);
        // Towards a next hop this side is the client, which repeats what is unfinished whether it has arrived or not: the
        // other side would not give its answers again. So it does with its own answers.
        let (confirmed, answers) = match self.core.config.hop {
            true => (0, Some(self.core.linger.unconfirmed())),
            false => (confirmed, None),
        };
        for dialog in self.dialogs.iter() {
            dialog.unfinished(confirmed, &mut again);
        }
        again.extend(
            answers.into_iter().flatten().map(|(frame, text, print)| (frame, text, Owner::Answer(print))),
        );
        again.sort_by_key(|(frame, ..)| *frame);
        // The answer to an INVITE that waits for its ACK was found twice.
        again.dedup_by_key(|(frame, ..)| *frame);
        self.core.bad_in_row = 0;
        self.core.counters.resent += again.len() as u64;
        for (_, text, owner) in again {
            self.write(now, text, owner);
        }
        for (text, owner, _) in self.core.delivery.take_waiting() {
            self.write(now, text, owner);
        }
    }

    /// The socket is gone. Nothing if none was attached.
    pub fn handle_detached(&mut self, _now: Instant, close: Detach) {
        if self.core.delivery.detach(close) {
            match close {
                Detach::Clean => self.core.linger.arrived_cleanly(),
                Detach::Lost => self.core.linger.lost(self.core.delivery.sent()),
            }
        }
    }

    /// Time has passed. Early and repeated calls do nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(key) = self.timers.pop(now, &mut self.dialogs) {
            self.with(now, key, |turn| turn.expire());
        }
        let core = &mut self.core;
        core.linger.expire(now);
        if core.delivery.expire(now, &core.config, &mut core.counters) {
            core.delivery.close(CloseReason::Silent);
            self.handle_detached(now, Detach::Lost);
        }
    }

    /// Gives the room back that is not used now. For a driver that is about to wait: a silent peer costs no more than it has to.
    pub fn shrink(&mut self) {
        let core = &mut self.core;
        core.delivery.shrink();
        if core.finished.is_empty() {
            core.finished = Vec::new();
        }
        self.dialogs.shrink();
        self.timers.shrink();
    }

    /// The next thing to do, in order.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output<T>> {
        self.core.delivery.pop()
    }

    /// When to call [`Stack::handle_timeout`] next.
    #[must_use]
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        let dialogs = self.timers.earliest(&mut self.dialogs);
        [dialogs, self.core.delivery.deadline(), self.core.linger.deadline()].into_iter().flatten().min()
    }

    /// Does something in a dialog's turn, and looks whether the dialog is over. `None` if there is no such dialog.
    fn with<R>(
        &mut self,
        now: Instant,
        key: DialogKey,
        act: impl FnOnce(&mut Turn<'_, T>) -> R,
    ) -> Option<R> {
        let dialog = self.dialogs.get_mut(key)?;
        let result = act(&mut Turn { now, dialog, core: &mut self.core });
        if dialog.is_over() {
            self.remove(key);
        } else if !dialog.touched {
            dialog.touched = true;
            self.timers.touch(key);
        }
        Some(result)
    }

    fn insert(&mut self, now: Instant, request: &Request, tag: Option<T>) -> DialogKey {
        self.core.counters.dialogs_opened += 1;
        let id = match request.method {
            // A call lasts: it must not keep its first frame alive.
            Method::Invite => request.dialog.detached(),
            Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Register
            | Method::Options
            | Method::Info
            | Method::Update
            | Method::Prack
            | Method::Subscribe
            | Method::Message
            | Method::Notify => request.dialog.clone(),
        };
        self.dialogs.insert(id, tag, now)
    }

    fn remove(&mut self, key: DialogKey) {
        let Some(dialog) = self.dialogs.remove(key) else { return };
        if let Some(deadline) = dialog.armed {
            self.timers.disarm(deadline, key);
        }
        self.core.counters.dialogs_ended += 1;
        if let Some(tag) = dialog.tag {
            self.core.push(Output::DialogEnded { dialog: key, tag });
        }
    }

    /// Writes a frame to a new socket, and tells its owner the number.
    fn write(&mut self, now: Instant, text: ByteString, owner: Owner) {
        let place = self.core.transmit(now, text, owner, Room::Reserved);
        let Place::Sent(frame) = place else { return };
        match owner {
            Owner::Request(key, cseq) => {
                if let Some(State::Sent { request, .. }) =
                    self.transaction(key, |open| open.cseq == cseq && open.is_sent())
                {
                    request.place = place;
                }
            }
            Owner::Provisional(key, cseq) => {
                if let Some(State::Received { provisional: Some(sent), .. }) =
                    self.transaction(key, |open| open.cseq == cseq && open.is_received())
                {
                    sent.place = place;
                }
            }
            Owner::Final(key, cseq, fingerprint) => {
                self.core.linger.written(fingerprint, frame);
                if let Some(State::Answered { response, .. }) =
                    self.transaction(key, |open| open.cseq == cseq && open.is_answered())
                {
                    response.place = place;
                }
            }
            Owner::Answer(fingerprint) => self.core.linger.written(fingerprint, frame),
            Owner::Ack(_) | Owner::Nobody => {}
        }
    }

    fn transaction(
        &mut self,
        key: DialogKey,
        which: impl Fn(&transaction::Transaction) -> bool,
    ) -> Option<&mut State> {
        let dialog = self.dialogs.get_mut(key)?;
        dialog.transactions.iter_mut().find(|open| which(open)).map(|open| &mut open.state)
    }

    /// The last provisional response again, for a repeat of its request.
    fn repeat_provisional(&mut self, now: Instant, key: DialogKey, cseq: CSeq, text: ByteString) {
        self.write(now, text, Owner::Provisional(key, cseq));
    }
}

impl<T> Stack<T> {
    /// A dialog's tag.
    pub fn tag(&self, dialog: DialogKey) -> Option<&T> {
        self.dialogs.get(dialog)?.tag.as_ref()
    }

    /// The dialog of this id.
    pub fn dialog(&self, id: &str) -> Option<DialogKey> {
        self.dialogs.find(id)
    }

    /// What there is now; costs nothing.
    pub fn counts(&self) -> Counts {
        Counts {
            dialogs: self.dialogs.len(),
            sessions: self.core.sessions,
            transactions: self.core.open,
            lingering: self.core.linger.len(),
            queued: self.core.delivery.queued(),
            unconfirmed: self.core.delivery.unconfirmed(),
        }
    }

    /// What happened so far, or since [`Stack::take_counters`].
    pub fn counters(&self) -> &Counters {
        &self.core.counters
    }

    /// What happened since the last call: what is not 0, each with its place in [`Counters::NAMES`].
    pub fn take_counters(&mut self, each: impl FnMut(usize, u64)) {
        self.core.counters.take(each);
    }

    /// The requests that got their final response since the last call, in order. If nobody asks, the first ten thousand are kept.
    pub fn drain_finished(&mut self) -> impl Iterator<Item = Finished> {
        self.core.finished.drain(..)
    }

    /// Whether a socket is attached.
    pub fn is_attached(&self) -> bool {
        self.core.delivery.is_attached()
    }

    /// Whether there is no dialog, nothing waits, and nothing lingers: all that is left is the socket.
    pub fn is_idle(&self) -> bool {
        self.dialogs.len() == 0 && self.core.delivery.queued() == 0 && self.core.linger.len() == 0
    }
}
