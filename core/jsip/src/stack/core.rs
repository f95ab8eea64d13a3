//! What all dialogs of a peer share.

use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytestring::ByteString;
use foldhash::fast::FixedState;

use super::admission::Gate;
use super::delivery::{Delivery, Owner, Place, Room};
use super::linger::{Answer, Linger};
use super::{Counters, Finished, Output, Side, StackConfig};
use crate::{CSeq, Method, Request, Response, StatusCode};

#[derive(Debug)]
pub(super) struct Core<T> {
    pub(super) config: Arc<StackConfig>,
    pub(super) counters: Counters,
    pub(super) finished: Vec<Finished>,
    pub(super) delivery: Delivery<T>,
    pub(super) linger: Linger,
    pub(super) gate: Gate,
    pub(super) sessions: usize,
    /// Requests of both sides without final response.
    pub(super) open: usize,
    /// Those of the peer among them.
    pub(super) received: usize,
    pub(super) bad_in_row: u32,
    hasher: FixedState,
    random: u64,
}

impl<T> Core<T> {
    pub(super) fn new(config: Arc<StackConfig>, seed: u64) -> Self {
        Self {
            config,
            counters: Counters::default(),
            finished: Vec::new(),
            delivery: Delivery::new(),
            linger: Linger::default(),
            gate: Gate::default(),
            sessions: 0,
            open: 0,
            received: 0,
            bad_in_row: 0,
            hasher: FixedState::with_seed(seed),
            random: seed,
        }
    }

    pub(super) fn hasher(&self) -> FixedState {
        self.hasher.clone()
    }

    /// The keyed hash by which a repeat of a request is known.
    pub(super) fn fingerprint(&self, frame: &str) -> u64 {
        self.hasher.hash_one(frame)
    }

    /// A CSeq for a request of the stack's own (the sequence is SplitMix64).
    pub(super) fn new_cseq(&mut self) -> CSeq {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        CSeq::from_random((mixed >> 32) as u32)
    }

    pub(super) fn transmit(&mut self, now: Instant, text: ByteString, owner: Owner, room: Room) -> Place {
        self.delivery.transmit((now, &self.config, &mut self.counters), text, owner, room)
    }

    /// Keeps a final response for repeats of its request.
    pub(super) fn keep(&mut self, now: Instant, fingerprint: u64, place: Place, answer: Answer) {
        self.linger.store(now, (self.config.linger, self.config.linger_max), fingerprint, place, answer);
    }

    /// What to keep of a final response.
    pub(super) fn memory(&self, from: &str, to: &str, response: &Response, text: &ByteString) -> Answer {
        if self.config.hop {
            // It may have to be given again without its request at hand.
            Answer::Text(Box::new(text.clone()))
        } else {
            Answer::new(from, to, response, || text.clone())
        }
    }

    /// The stack's own final response to a request that opens no transaction.
    pub(super) fn answer(&mut self, now: Instant, request: &Request, fingerprint: u64, response: &Response) {
        let text = response.encode();
        let answer = self.memory(&request.from, &request.to, response, &text);
        let place = self.transmit(now, text, Owner::Answer(fingerprint), Room::Reserved);
        self.keep(now, fingerprint, place, answer);
        self.finished(request.method, response.code, Side::Peer, Duration::ZERO);
    }

    /// Answers a request that is not let in, and forgets it.
    pub(super) fn turn_away(&mut self, now: Instant, method: Method, answer: ByteString) {
        self.counters.refused_overload += 1;
        self.transmit(now, answer, Owner::Nobody, Room::Reserved);
        self.finished(method, StatusCode::SERVICE_UNAVAILABLE, Side::Peer, Duration::ZERO);
    }

    /// A request has got its final response.
    pub(super) fn finished(&mut self, method: Method, code: StatusCode, from: Side, took: Duration) {
        /// More are not kept for a driver that does not ask.
        const KEPT: usize = 10_000;
        if self.finished.len() < KEPT {
            self.finished.push(Finished { method, code, from, took });
        }
    }

    /// An answer that is not kept for repeats.
    pub(super) fn reply(&mut self, now: Instant, response: &Response) {
        self.transmit(now, response.encode(), Owner::Nobody, Room::Reserved);
    }

    /// The final response again, for a repeat of its request.
    pub(super) fn repeat_answer(&mut self, now: Instant, text: ByteString, fingerprint: u64) {
        self.counters.repeats_answered += 1;
        if let Place::Sent(frame) = self.transmit(now, text, Owner::Answer(fingerprint), Room::Reserved) {
            self.linger.written(fingerprint, frame);
        }
    }

    pub(super) fn answer_code(
        &mut self,
        now: Instant,
        request: &Request,
        fingerprint: u64,
        code: StatusCode,
    ) {
        self.answer(now, request, fingerprint, &request.response(code));
    }

    pub(super) fn push(&mut self, output: Output<T>) {
        self.delivery.push(output);
    }
}
