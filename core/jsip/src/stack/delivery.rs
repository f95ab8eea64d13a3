//! What leaves: frames with their numbers, the pings that ask for them, and the queue of an absent peer.
//!
//! | event | what happens |
//! |---|---|
//! | a frame leaves, a socket is attached | it is transmitted and gets the next number |
//! | a frame leaves, none is attached | it waits, in order |
//! | a final response has waited for 2 × `prtimer` | it goes: the peer may never come back |
//! | a second after a frame was sent | a ping, if none is under way: its payload counts the frames of this socket |
//! | 128 frames unconfirmed | the same at once |
//! | a pong | the frames that its ping counted have arrived |
//! | 25 s without a sign of life | a ping |
//! | 50 s without | the socket is given up |
//! | a new socket | what is unfinished and not confirmed is sent again, in its old order; then what waits |

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use bytestring::ByteString;

use super::{CloseReason, Counters, Detach, DialogKey, Output, StackConfig};
use crate::CSeq;

/// Where a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Written, as the frame of this number. Numbers run on over all sockets of the peer.
    Sent(u64),
    /// In the queue.
    Waiting(u64),
}

/// A frame that may have to be sent again.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) text: ByteString,
    pub(super) place: Place,
}

impl Sent {
    /// The frame's number, if it was written and is not known to have arrived.
    pub(super) fn unconfirmed(&self, confirmed: u64) -> Option<u64> {
        match self.place {
            Place::Sent(frame) => (frame > confirmed).then_some(frame),
            Place::Waiting(_) => None,
        }
    }
}

/// Who has to know the number of a frame once it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// A request that waits for its final response.
    Request(DialogKey, CSeq),
    /// A provisional response.
    Provisional(DialogKey, CSeq),
    /// The final response to an INVITE, with the request's fingerprint.
    Final(DialogKey, CSeq, u64),
    /// Any other final response, with its request's fingerprint.
    Answer(u64),
    /// An ACK.
    Ack(DialogKey),
    /// Nobody.
    Nobody,
}

impl Owner {
    /// Whether it is a final response.
    fn is_final(self) -> bool {
        match self {
            Self::Final(..) | Self::Answer(_) => true,
            Self::Request(..) | Self::Provisional(..) | Self::Ack(_) | Self::Nobody => false,
        }
    }
}

/// How long a final response waits for its peer: until that has given up what it asked, whatever it was.
fn patience(config: &StackConfig) -> Duration {
    (2 * config.prtimer).max(config.acktimer).max(config.linger)
}

/// What competes for room in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// A new request.
    Shared,
    /// What ends or answers something that was let in: it is never without room.
    Reserved,
}

#[derive(Debug)]
struct Waiting {
    text: ByteString,
    owner: Owner,
    room: Room,
    /// Until when it waits, if nothing else ends that.
    until: Option<Instant>,
}

#[derive(Debug)]
struct Ack {
    frame: u64,
    dialog: DialogKey,
    text: ByteString,
}

/// How many ACKs are remembered for a new socket; more than this many are not under way within one ping.
const MAX_ACKS: usize = 256;

#[derive(Debug)]
struct Socket {
    /// How many frames had been sent before this socket.
    before: u64,
    last_life: Instant,
    /// When to look at `last_life`. Not moved by each frame: looked at again when it fires.
    check: Instant,
    probe: Probe,
}

/// The ping that asks what has arrived.
#[derive(Debug, Clone, Copy)]
enum Probe {
    /// All that was sent has arrived.
    Quiet,
    /// To be sent then.
    Due(Instant),
    /// Sent; its pong confirms the frames up to this one.
    UnderWay(u64),
}

#[derive(Debug)]
pub(super) struct Delivery<T> {
    outputs: VecDeque<Output<T>>,
    socket: Option<Socket>,
    sent: u64,
    /// The frames up to this one have arrived, or are no longer asked for.
    confirmed: u64,
    waiting: BTreeMap<u64, Waiting>,
    /// The ACKs among them: a session that ends finds its own without a walk through the queue.
    waiting_acks: BTreeSet<(DialogKey, u64)>,
    /// When to look whether this one has waited too long: final responses have nothing else that takes them out.
    overdue: VecDeque<(Instant, u64)>,
    next_ticket: u64,
    waiting_requests: usize,
    acks: VecDeque<Ack>,
}

impl<T> Delivery<T> {
    pub(super) fn new() -> Self {
        Self {
            outputs: VecDeque::new(),
            socket: None,
            sent: 0,
            confirmed: 0,
            waiting: BTreeMap::new(),
            waiting_acks: BTreeSet::new(),
            overdue: VecDeque::new(),
            next_ticket: 0,
            waiting_requests: 0,
            acks: VecDeque::new(),
        }
    }

    pub(super) fn push(&mut self, output: Output<T>) {
        self.outputs.push_back(output);
    }

    pub(super) fn pop(&mut self) -> Option<Output<T>> {
        self.outputs.pop_front()
    }

    pub(super) fn is_attached(&self) -> bool {
        self.socket.is_some()
    }

    /// How many frames were written, on all sockets.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    pub(super) fn queued(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn unconfirmed(&self) -> u64 {
        self.sent - self.confirmed
    }

    /// Whether a new request can leave or wait.
    pub(super) fn has_room(&self, config: &StackConfig) -> bool {
        self.socket.is_some() || self.waiting_requests < config.qsize
    }

    /// Sends a frame, or has it wait.
    pub(super) fn transmit(
        &mut self,
        (now, config, counters): (Instant, &StackConfig, &mut Counters),
        text: ByteString,
        owner: Owner,
        room: Room,
    ) -> Place {
        let Some(socket) = &mut self.socket else {
            let ticket = self.next_ticket;
            self.next_ticket += 1;
            self.waiting_requests += usize::from(room == Room::Shared);
            if let Owner::Ack(dialog) = owner {
                self.waiting_acks.insert((dialog, ticket));
            }
            let until = owner.is_final().then(|| now + patience(config));
            self.overdue.extend(until.map(|until| (until, ticket)));
            self.waiting.insert(ticket, Waiting { text, owner, room, until });
            return Place::Waiting(ticket);
        };
        self.sent += 1;
        counters.frames_sent += 1;
        if let Owner::Ack(dialog) = owner {
            if self.acks.len() >= MAX_ACKS {
                self.acks.pop_front();
            }
            self.acks.push_back(Ack { frame: self.sent, dialog, text: text.clone() });
        }
        self.outputs.push_back(Output::Transmit(text));
        match socket.probe {
            Probe::Quiet => socket.probe = Probe::Due(now + config.arrival_ping_after),
            Probe::Due(_) | Probe::UnderWay(_) => {}
        }
        if self.sent - self.confirmed >= config.arrival_ping_frames {
            self.probe_at_once(counters);
        }
        Place::Sent(self.sent)
    }

    /// Takes a frame out of the queue: what it belongs to has ended, or a newer one stands for it.
    pub(super) fn take_back(&mut self, place: Place) {
        match place {
            Place::Sent(_) => {}
            Place::Waiting(ticket) => {
                // No ACK is: those go by their dialog.
                if let Some(waiting) = self.waiting.remove(&ticket) {
                    self.waiting_requests -= usize::from(waiting.room == Room::Shared);
                }
            }
        }
    }

    /// Puts another text in the place of a frame that waits. Returns whether it does.
    pub(super) fn replace(
        &mut self,
        (now, config): (Instant, &StackConfig),
        place: Place,
        text: &ByteString,
    ) -> bool {
        let Place::Waiting(ticket) = place else { return false };
        match self.waiting.get_mut(&ticket) {
            Some(waiting) => {
                waiting.text = text.clone();
                let until = now + patience(config);
                waiting.until = Some(until);
                self.overdue.push_back((until, ticket));
                true
            }
            None => false,
        }
    }

    /// Takes out all that waits.
    pub(super) fn take_waiting(&mut self) -> Vec<(ByteString, Owner, Room)> {
        self.waiting_requests = 0;
        self.waiting_acks.clear();
        self.overdue = VecDeque::new();
        std::mem::take(&mut self.waiting)
            .into_values()
            .map(|waiting| (waiting.text, waiting.owner, waiting.room))
            .collect()
    }

    /// The session of these ACKs has ended: they are not sent any more, nor again.
    pub(super) fn forget_acks(&mut self, dialog: DialogKey) {
        self.acks.retain(|ack| ack.dialog != dialog);
        while let Some(&own) = self.waiting_acks.range((dialog, 0)..=(dialog, u64::MAX)).next() {
            self.waiting_acks.remove(&own);
            self.waiting.remove(&own.1);
        }
    }

    /// Opens the way to a new socket, and returns up to which frame all had arrived on the old ones, with the ACKs that had not.
    pub(super) fn attach(
        &mut self,
        now: Instant,
        config: &StackConfig,
    ) -> (u64, Vec<(u64, ByteString, Owner)>) {
        let confirmed = std::mem::replace(&mut self.confirmed, self.sent);
        self.socket = Some(Socket {
            before: self.sent,
            last_life: now,
            check: now + config.keepalive,
            probe: Probe::Quiet,
        });
        let acks = std::mem::take(&mut self.acks)
            .into_iter()
            .filter(|ack| ack.frame > confirmed)
            .map(|ack| (ack.frame, ack.text, Owner::Ack(ack.dialog)))
            .collect();
        (confirmed, acks)
    }

    /// Whether there was a socket.
    pub(super) fn detach(&mut self, close: Detach) -> bool {
        let was_attached = self.socket.take().is_some();
        match close {
            Detach::Clean if was_attached => {
                self.confirmed = self.sent;
                self.acks.clear();
            }
            Detach::Clean | Detach::Lost => {}
        }
        was_attached
    }

    /// A sign of life. Returns whether a socket is attached.
    pub(super) fn alive(&mut self, now: Instant) -> bool {
        match &mut self.socket {
            Some(socket) => {
                socket.last_life = now;
                true
            }
            None => false,
        }
    }

    /// A pong that counts this many frames of the socket: returns the number of the last frame that it confirms. One that
    /// counts more than there were is nobody's pong.
    pub(super) fn arrived(
        &mut self,
        (now, config, counters): (Instant, &StackConfig, &mut Counters),
        count: u64,
    ) -> Option<u64> {
        let socket = self.socket.as_mut()?;
        let frame = socket.before.checked_add(count).filter(|frame| *frame <= self.sent)?;
        self.confirmed = self.confirmed.max(frame);
        while self.acks.front().is_some_and(|ack| ack.frame <= frame) {
            self.acks.pop_front();
        }
        match socket.probe {
            Probe::UnderWay(end) if frame < end => {}
            Probe::Quiet | Probe::Due(_) | Probe::UnderWay(_) => {
                let unconfirmed = self.sent - self.confirmed;
                socket.probe = match socket.probe {
                    _ if unconfirmed == 0 => Probe::Quiet,
                    Probe::Due(at) => Probe::Due(at),
                    Probe::Quiet | Probe::UnderWay(_) => Probe::Due(now + config.arrival_ping_after),
                };
                if unconfirmed >= config.arrival_ping_frames {
                    self.probe_at_once(counters);
                }
            }
        }
        Some(frame)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let Some(socket) = &self.socket else { return self.overdue.front().map(|(at, _)| *at) };
        Some(match socket.probe {
            Probe::Due(at) => socket.check.min(at),
            Probe::Quiet | Probe::UnderWay(_) => socket.check,
        })
    }

    /// Sends the pings that are due. Says whether the peer has given no sign of life for `dead_after`.
    pub(super) fn expire(&mut self, now: Instant, config: &StackConfig, counters: &mut Counters) -> bool {
        self.drop_overdue(now, counters);
        let Some(socket) = &mut self.socket else { return false };
        if socket.check <= now {
            let dead = socket.last_life + config.dead_after;
            let quiet = socket.last_life + config.keepalive;
            if dead <= now {
                return true;
            }
            if quiet <= now {
                socket.check = dead.min(now + config.keepalive);
                self.ping(counters);
            } else {
                socket.check = quiet.min(dead);
            }
        }
        match self.socket.as_ref().map(|socket| socket.probe) {
            Some(Probe::Due(at)) if at <= now => self.ping(counters),
            Some(Probe::Quiet | Probe::Due(_) | Probe::UnderWay(_)) | None => {}
        }
        false
    }

    fn drop_overdue(&mut self, now: Instant, counters: &mut Counters) {
        while let Some((_, ticket)) = self.overdue.pop_front_if(|(at, _)| *at <= now) {
            if self
                .waiting
                .get(&ticket)
                .is_some_and(|waiting| waiting.until.is_some_and(|until| until <= now))
            {
                self.waiting.remove(&ticket);
                counters.waited_in_vain += 1;
            }
        }
    }

    pub(super) fn close(&mut self, reason: CloseReason) {
        self.outputs.push_back(Output::Close(reason));
    }

    fn probe_at_once(&mut self, counters: &mut Counters) {
        match self.socket.as_ref().map(|socket| socket.probe) {
            Some(Probe::Quiet | Probe::Due(_)) => self.ping(counters),
            Some(Probe::UnderWay(_)) | None => {}
        }
    }

    fn ping(&mut self, counters: &mut Counters) {
        let Some(socket) = &mut self.socket else { return };
        counters.pings_sent += 1;
        socket.probe = Probe::UnderWay(self.sent);
        self.outputs.push_back(Output::Ping(self.sent - socket.before));
    }

    pub(super) fn shrink(&mut self) {
        if self.outputs.is_empty() {
            self.outputs = VecDeque::new();
        }
        if self.acks.is_empty() {
            self.acks = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::dialog::Dialogs;
    use crate::{DialogId, Method};

    /// However many frames wait, a session that ends looks at its own ACKs alone.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test has no clock; the time does not matter")]
    fn waiting_acks_are_found_by_their_dialog() {
        let now = Instant::now();
        let mut dialogs = Dialogs::<()>::new(foldhash::fast::FixedState::with_seed(1));
        let mut key = |id: &'static str| dialogs.insert(DialogId::new(id).unwrap(), None, now);
        let keys = [key("a"), key("b"), key("c")];
        let (config, mut counters) = (StackConfig::default(), Counters::default());
        let mut delivery = Delivery::<()>::new();
        for dialog in keys.into_iter().chain(keys) {
            for owner in [Owner::Ack(dialog), Owner::Nobody] {
                let text = ByteString::from_static(Method::Ack.name());
                delivery.transmit((now, &config, &mut counters), text, owner, Room::Reserved);
            }
        }
        assert_eq!(delivery.waiting_acks.len(), 6);
        for (dialog, left) in keys.into_iter().zip([4, 2, 0]) {
            delivery.forget_acks(dialog);
            assert_eq!((delivery.waiting_acks.len(), delivery.queued()), (left, 6 + left));
        }
        delivery.transmit(
            (now, &config, &mut counters),
            ByteString::new(),
            Owner::Ack(keys[0]),
            Room::Reserved,
        );
        assert_eq!(delivery.take_waiting().len(), 7);
        assert!(delivery.waiting_acks.is_empty());
    }
}
