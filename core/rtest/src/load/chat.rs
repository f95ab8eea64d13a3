//! A room: some members send, all others get each message.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::task::AtomicWaker;
use tokio::time::Instant;

use super::units::Units;
use super::wire::{Fixed, Incoming, quoted};
use super::work::{Turn, Work};

/// What the members of a room know of each other.
#[derive(Debug)]
pub(super) struct Room {
    /// Messages carry their time since then.
    epoch: Instant,
    /// Members that get each message.
    others: u64,
    senders: Vec<SenderCount>,
}

/// The deliveries of one sender's messages.
#[derive(Debug, Default)]
struct SenderCount {
    delivered: AtomicU64,
    waker: Arc<AtomicWaker>,
}

impl Room {
    pub(super) fn new(epoch: Instant, members: usize, senders: usize) -> Self {
        let senders = (0..senders).map(|_| SenderCount::default()).collect();
        Self { epoch, others: members.saturating_sub(1) as u64, senders }
    }

    /// Wakes sender `index` when a message of its own has reached everyone.
    pub(super) fn waker(&self, index: usize) -> Option<Arc<AtomicWaker>> {
        self.senders.get(index).map(|count| Arc::clone(&count.waker))
    }
}

/// A member of a room.
#[derive(Debug)]
pub(super) struct Member {
    room: Arc<Room>,
    fixed: Fixed,
    /// Number of this member.
    index: usize,
    state: State,
    /// The last message from each sender.
    seen: HashMap<usize, u64>,
    /// MESSAGEs without a final response, and the SUBSCRIBE.
    units: Units<Request>,
    /// MESSAGEs sent.
    sent: u64,
    /// Deliveries that are not waited for any longer.
    given_up: u64,
    /// Deliveries at the last look, and when that changed.
    progress: (u64, Instant),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Request {
    Subscribe,
    Message,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Joining,
    In,
    Leaving,
    Out,
}

impl Member {
    pub(super) fn new(room: Arc<Room>, prefix: String, fixed: Fixed, index: usize) -> Self {
        let progress = (0, room.epoch);
        Self {
            room,
            fixed,
            index,
            state: State::Joining,
            seen: HashMap::new(),
            units: Units::new(prefix),
            sent: 0,
            given_up: 0,
            progress,
        }
    }

    fn subscribe(&mut self, expire: u64, turn: &mut Turn<'_>) {
        let key = self.units.add(Request::Subscribe, turn.now, turn.deadline(turn.now));
        let expire = format!(r#","Expire":{expire}"#);
        turn.send(self.fixed.request("SUBSCRIBE", self.units.id(key), 1, &expire));
    }

    fn delivered(&self) -> u64 {
        self.room.senders.get(self.index).map_or(0, |count| count.delivered.load(Ordering::Relaxed))
    }

    /// Deliveries of this member's messages that are still to come.
    fn outstanding(&self) -> u64 {
        (self.sent * self.room.others).saturating_sub(self.delivered() + self.given_up)
    }

    fn on_delivery(&mut self, message: &Incoming<'_>, turn: &mut Turn<'_>) {
        turn.send(message.response(200, "OK"));
        let mut parts = message.body().splitn(4, '.').map(str::parse::<u64>);
        let (Some(Ok(sender)), Some(Ok(number)), Some(Ok(nanos))) =
            (parts.next(), parts.next(), parts.next())
        else {
            return turn.stats().error(1, "delivery of a message that nobody sent");
        };
        let sender = sender as usize;
        let Some(count) = self.room.senders.get(sender) else {
            return turn.stats().error(1, "delivery of a message that nobody sent");
        };
        let last = self.seen.insert(sender, number).unwrap_or(0);
        if number <= last {
            self.seen.insert(sender, last);
            return turn.stats().error(1, "delivery twice or out of order");
        }
        turn.stats().error((number - last - 1) as usize, "delivery lost or out of order");
        let sent = self.room.epoch + std::time::Duration::from_nanos(nanos);
        turn.stats().done(turn.now.saturating_duration_since(sent));
        let delivered = count.delivered.fetch_add(1, Ordering::Relaxed) + 1;
        if delivered.is_multiple_of(self.room.others) {
            count.waker.wake();
        }
    }
}

impl Work for Member {
    fn open(&mut self, turn: &mut Turn<'_>) {
        self.subscribe(turn.shared.options.expire(), turn);
    }

    fn is_ready(&self) -> bool {
        self.state == State::In
    }

    fn in_flight(&self) -> usize {
        self.units.len().max(self.outstanding().div_ceil(self.room.others) as usize)
    }

    fn begin(&mut self, intended: Instant, turn: &mut Turn<'_>) {
        self.sent += 1;
        let key = self.units.add(Request::Message, intended, turn.deadline(intended));
        turn.stats().begin(self.room.others as usize);
        let nanos = intended.saturating_duration_since(self.room.epoch).as_nanos();
        let mut body = String::new();
        // Writing to a String cannot fail.
        let _ = write!(body, "{}.{}.{nanos}.", self.index, self.sent);
        while body.len() < turn.shared.options.body {
            body.push('x');
        }
        let rest = format!(r#","Body":{}"#, quoted(&body));
        turn.send(self.fixed.request("MESSAGE", self.units.id(key), 1, &rest));
    }

    fn on_message(&mut self, message: &Incoming<'_>, turn: &mut Turn<'_>) {
        if message.kind == "MESSAGE" {
            return self.on_delivery(message, turn);
        }
        let open = if message.is_response() { self.units.find(message.dialogue_id()) } else { None };
        let Some((key, unit)) = open else { return turn.unexpected(message) };
        match (unit.state, message.code) {
            (_, 100..=199) => return,
            (Request::Message, 200) => {}
            (Request::Subscribe, 200) => {
                self.state = if self.state == State::Joining { State::In } else { State::Out };
            }
            (Request::Message, code) => {
                // It was delivered to nobody.
                self.given_up += self.room.others;
                turn.stats().fail(self.room.others as usize, &format!("unexpected code {code} to MESSAGE"));
            }
            (Request::Subscribe, code) => {
                turn.stats().error(1, &format!("unexpected code {code} to SUBSCRIBE"));
            }
        }
        self.units.remove(key);
    }

    fn expire(&mut self, turn: &mut Turn<'_>) {
        turn.stats().error(self.units.expire(turn.now), "timeout of the sender's request");
        let delivered = self.delivered();
        if delivered != self.progress.0 || self.outstanding() == 0 {
            self.progress = (delivered, turn.now);
        } else if turn.now >= self.progress.1 + turn.shared.options.timeout() {
            turn.stats().fail(self.abandon(), "timeout");
        }
    }

    fn abandon(&mut self) -> usize {
        let outstanding = self.outstanding();
        self.given_up += outstanding;
        outstanding as usize
    }

    fn leave(&mut self, turn: &mut Turn<'_>) {
        self.state = State::Leaving;
        self.subscribe(0, turn);
    }

    fn has_left(&self) -> bool {
        self.state == State::Out
    }
}
