//! Final responses kept for repeats of their requests.
//!
//! | event | what happens |
//! |---|---|
//! | a request of the peer gets its final response | kept, with a keyed hash of the request's text; at `linger_max` the oldest goes |
//! | the same text comes again | the same response is sent again |
//! | a pong to a later ping, the ACK of the INVITE, a clean close | the response is known to have arrived: forgotten |
//! | the socket is lost | nothing written on it can be known to have arrived any more: kept until `linger` |
//! | a new socket, and the peer is the next hop | given again: towards a hop this side is the client (protocol page, "Delivery") |
//! | `linger` is over | forgotten |

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytestring::ByteString;

use super::delivery::Place;
use crate::{Request, Response, StatusCode};

/// What is needed to give the same final response again.
#[derive(Debug)]
pub(super) enum Answer {
    /// A response that holds nothing but what it copies from its request: the repeat brings that along.
    Plain(StatusCode),
    /// Any other.
    Text(Box<ByteString>),
}

impl Answer {
    pub(super) fn text(&self, repeat: &Request) -> ByteString {
        match self {
            Self::Plain(code) => repeat.response(*code).encode(),
            Self::Text(text) => ByteString::clone(text),
        }
    }

    /// `text` is only called if the response cannot be made from its request.
    pub(super) fn new(from: &str, to: &str, response: &Response, text: impl FnOnce() -> ByteString) -> Self {
        let plain = response.headers.iter().len() == 0 && &*response.from == from && &*response.to == to;
        if plain { Self::Plain(response.code) } else { Self::Text(Box::new(text())) }
    }
}

/// Stands for the number of a frame that is not written yet.
const WAITING: u64 = u64::MAX;

#[derive(Debug)]
struct Entry {
    fingerprint: u64,
    frame: u64,
    expires: Instant,
    answer: Answer,
}

/// The ring. Oldest first.
#[derive(Debug, Default)]
pub(super) struct Linger {
    /// The low half of each entry's fingerprint: a look-up for a new request reads these alone.
    prints: VecDeque<u32>,
    entries: VecDeque<Entry>,
    /// What was written up to this frame, and is still here, was on a socket that is lost: no pong can confirm it.
    lost: u64,
}

impl Linger {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// When the oldest goes.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.entries.front().map(|entry| entry.expires)
    }

    pub(super) fn find(&self, fingerprint: u64) -> Option<&Answer> {
        self.entries.get(self.position(fingerprint)?).map(|entry| &entry.answer)
    }

    pub(super) fn store(
        &mut self,
        now: Instant,
        (linger, max): (Duration, usize),
        fingerprint: u64,
        place: Place,
        answer: Answer,
    ) {
        if max == 0 || linger.is_zero() {
            return;
        }
        while self.entries.len() >= max {
            self.entries.pop_front();
            self.prints.pop_front();
        }
        let frame = match place {
            Place::Sent(frame) => frame,
            Place::Waiting(_) => WAITING,
        };
        self.prints.push_back(low(fingerprint));
        self.entries.push_back(Entry { fingerprint, frame, expires: now + linger, answer });
    }

    /// The response was written, or written again, as this frame.
    pub(super) fn written(&mut self, fingerprint: u64, frame: u64) {
        if let Some(entry) = self.position(fingerprint).and_then(|at| self.entries.get_mut(at)) {
            entry.frame = frame;
        }
    }

    /// Another response was put in the place of one that had not left.
    pub(super) fn replace(&mut self, fingerprint: u64, text: ByteString) {
        if let Some(entry) = self.position(fingerprint).and_then(|at| self.entries.get_mut(at)) {
            entry.answer = Answer::Text(Box::new(text));
        }
    }

    /// The ACK came.
    pub(super) fn forget(&mut self, fingerprint: u64) {
        if let Some(at) = self.position(fingerprint) {
            self.entries.remove(at);
            self.prints.remove(at);
        }
    }

    /// All frames of this socket up to this one have arrived.
    pub(super) fn arrived(&mut self, frame: u64) {
        let lost = self.lost;
        self.retain(|entry| entry.frame > frame || entry.frame <= lost);
    }

    /// The client closed the socket after it had read all that was written.
    pub(super) fn arrived_cleanly(&mut self) {
        self.arrived(WAITING - 1);
    }

    /// The socket is lost; this many frames were written until now.
    pub(super) fn lost(&mut self, sent: u64) {
        self.lost = sent;
    }

    /// What was written and is not known to have arrived, with its fingerprint.
    pub(super) fn unconfirmed(&self) -> impl Iterator<Item = (u64, ByteString, u64)> {
        self.entries.iter().filter(|entry| entry.frame != WAITING).filter_map(|entry| match &entry.answer {
            Answer::Text(text) => Some((entry.frame, ByteString::clone(text), entry.fingerprint)),
            Answer::Plain(_) => None,
        })
    }

    pub(super) fn expire(&mut self, now: Instant) {
        if self.deadline().is_some_and(|oldest| oldest <= now) {
            self.retain(|entry| entry.expires > now);
        }
    }

    fn retain(&mut self, keep: impl Fn(&Entry) -> bool) {
        self.entries.retain(keep);
        self.prints.clear();
        if self.entries.is_empty() {
            // A quiet peer costs no memory.
            *self = Self { lost: self.lost, ..Self::default() };
        } else {
            self.prints.extend(self.entries.iter().map(|entry| low(entry.fingerprint)));
        }
    }

    fn position(&self, fingerprint: u64) -> Option<usize> {
        let print = low(fingerprint);
        let (front, back) = self.prints.as_slices();
        let hit = |slice: &[u32]| slice.contains(&print);
        if !hit(front) && !hit(back) {
            return None;
        }
        self.entries.iter().position(|entry| entry.fingerprint == fingerprint)
    }
}

fn low(fingerprint: u64) -> u32 {
    fingerprint as u32
}
