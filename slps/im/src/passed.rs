//! What no device took, and what does not hold up the others therefore.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::time::{Duration, Instant};

use rtcd_sdk::Peer;
use rtcd_sdk::prelude::*;
use rtcd_store::Name;

use crate::agenda::Due;
use crate::courier::Courier;
use crate::inbox::{Backlog, Leg, Meanwhile};

/// How long a message rests after it was passed over for the first time; twice as long after each further one.
const REST: Duration = Duration::from_secs(60);

/// And at most.
const LONGEST: Duration = Duration::from_secs(3600);

/// The messages of a receiver that were passed over. They stay in the store, and are sent again when a device registers that was not there; or
/// when a device registers or takes something, but each of them after a rest.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    names: BTreeMap<Name, Rest>,
    /// None of them may be sent before this.
    next: Option<Instant>,
    /// They may be sent from then on: a device has shown that it is there.
    due: Option<Instant>,
    /// Some of them may be sent as soon as a device takes something.
    is_eager: bool,
    /// Those that are being sent again, and for which time. They have one try.
    again: BTreeMap<Name, u32>,
    /// Devices that lost their connection over one of them. That they come anew says nothing.
    fell: BTreeSet<Peer>,
}

/// When a message may be sent again.
#[derive(Debug)]
struct Rest {
    until: Instant,
    /// How often it was sent again.
    rounds: u32,
    /// It may be sent as soon as a device takes something.
    is_eager: bool,
}

/// Why a message is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// No device wants it.
    Refused,
    /// Devices are there, and could not take it.
    Declined,
    /// Some do not want it, and the others cannot be reached, as before.
    Partly,
    /// Devices lost their connections over it.
    Fell,
    /// It was sent again, and nobody is there.
    Unheard,
}

/// A device shows that it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It registered.
    Registered,
    /// It took a message.
    Took,
}

impl Passed {
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub(crate) fn contains(&self, name: &Name) -> bool {
        self.names.contains_key(name)
    }

    /// Whether it is sent again.
    pub(crate) fn is_again(&self, name: &Name) -> bool {
        self.again.contains_key(name)
    }

    /// Passes a message over.
    pub(crate) fn pass(&mut self, name: Name, why: Why, now: Instant) {
        let rounds = self.again.remove(&name).unwrap_or_default();
        let until = now + REST.saturating_mul(1 << rounds.min(8)).min(LONGEST);
        let is_eager = rounds == 0 && why == Why::Declined;
        self.next = Some(self.next.map_or(until, |next| next.min(until)));
        self.is_eager |= is_eager;
        self.names.insert(name, Rest { until, rounds, is_eager });
        // So are those that would be sent again after it.
        if why == Why::Unheard {
            for (name, rounds) in mem::take(&mut self.again) {
                self.names.insert(name, Rest { until, rounds, is_eager: false });
            }
        }
    }

    /// These lost their connections over one that is passed over.
    pub(crate) fn blame(&mut self, peers: impl IntoIterator<Item = Peer>) {
        self.fell.extend(peers);
    }

    /// A device registers that was not there; whether something has to be looked for again.
    pub(crate) fn comes(&mut self, peer: &Peer) -> bool {
        if self.fell.contains(peer) {
            return false;
        }
        !mem::take(self).names.is_empty()
    }

    /// A device shows that it is there. The time when they may be sent therefore, if it is another one than before.
    pub(crate) fn sees(&mut self, sign: Sign, now: Instant) -> Option<Instant> {
        if sign == Sign::Took && mem::take(&mut self.is_eager) {
            for rest in self.names.values_mut().filter(|rest| rest.is_eager) {
                rest.is_eager = false;
                rest.until = now;
                self.next = Some(now);
            }
        }
        let next = self.next?;
        if self.due.is_some_and(|due| due <= next) {
            return None;
        }
        self.due = Some(next);
        self.due
    }

    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// Those that have rested for long enough are found again.
    pub(crate) fn take_up(&mut self, now: Instant) {
        let again = self.names.extract_if(.., |_, rest| rest.until <= now);
        self.again.extend(again.map(|(name, rest)| (name, rest.rounds + 1)));
        self.next = self.names.values().map(|rest| rest.until).min();
        self.due = None;
    }

    /// It is done with.
    pub(crate) fn forget(&mut self, name: &Name) {
        self.names.remove(name);
        self.again.remove(name);
        if self.names.is_empty() && self.again.is_empty() {
            *self = Self::default();
        }
    }

    /// Nothing more is found in the store.
    pub(crate) fn all_read(&mut self) {
        self.again.clear();
        if self.names.is_empty() {
            *self = Self::default();
        }
    }
}

impl Courier {
    /// A device shows that it is there: what was passed over may be sent again, now or later.
    pub(crate) fn on_sign(&mut self, cx: &mut Cx<Leg>, user: &str, sign: Sign) {
        let Some((receiver, inbox)) = self.inboxes.get_key_value(user) else { return };
        if inbox.passed.is_empty() {
            return;
        }
        let receiver = receiver.clone();
        if let Some(inbox) = self.inboxes.get_mut(&receiver)
            && let Some(at) = inbox.passed.sees(sign, cx.now())
            && at > cx.now()
        {
            self.agenda.add(at, Due::Passed(receiver.clone()));
        }
        self.on_rested(cx, &receiver);
    }

    /// Sends again what was passed over, if it is time, and nothing else is to be sent.
    pub(crate) fn on_rested(&mut self, cx: &mut Cx<Leg>, receiver: &ByteString) {
        let may_send = self.may_send(receiver);
        if let Some(inbox) = self.inboxes.get_mut(receiver)
            && may_send
            && inbox.passed.is_due(cx.now())
            && matches!(inbox.backlog, Backlog::Clear)
        {
            inbox.passed.take_up(cx.now());
            self.read(cx, receiver, Meanwhile::Wait);
        }
    }
}
