//! The dialogs of one peer: a slab of them, and who has which id.

use std::collections::HashMap;
use std::time::Instant;

use bytestring::ByteString;
use foldhash::fast::FixedState;
use slab::Slab;
use smallvec::SmallVec;

use super::delivery::Owner;
use super::session::Session;
use super::transaction::{State, Transaction};
use crate::{CSeq, DialogId, Method};

/// Names a dialog of one stack. The key of a dialog that has ended is never given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DialogKey {
    index: u32,
    generation: u32,
}

#[derive(Debug)]
pub(super) struct Dialog<T> {
    pub(super) key: DialogKey,
    pub(super) id: DialogId,
    /// The driver's tag, as long as somebody is bound.
    pub(super) tag: Option<T>,
    pub(super) session: Option<Box<Session>>,
    /// In the order of their requests.
    pub(super) transactions: SmallVec<[Transaction; 1]>,
    pub(super) since: Instant,
    /// The deadline that the timers know of.
    pub(super) armed: Option<Instant>,
    /// Whether it is on the list of those to arm.
    pub(super) touched: bool,
}

impl<T> Dialog<T> {
    /// Whether nothing is left of it.
    pub(super) fn is_over(&self) -> bool {
        self.session.is_none() && self.transactions.is_empty()
    }

    /// The open request of the peer.
    pub(super) fn received(&self, cseq: CSeq) -> Option<&Transaction> {
        self.transactions.iter().find(|open| open.cseq == cseq && open.is_received())
    }

    /// The INVITE of the peer that waits for its ACK.
    pub(super) fn answered(&self, cseq: CSeq) -> Option<&Transaction> {
        self.transactions.iter().find(|open| open.cseq == cseq && open.is_answered())
    }

    /// The open request of the application or of the session.
    pub(super) fn sent(&self, cseq: CSeq) -> Option<&Transaction> {
        self.transactions.iter().find(|open| open.cseq == cseq && open.is_sent())
    }

    /// The final response to an INVITE with this fingerprint whose ACK is still to come: it is at hand longer than any other.
    pub(super) fn unacknowledged(&self, repeat: u64) -> Option<ByteString> {
        self.transactions.iter().find_map(|transaction| match &transaction.state {
            State::Answered { fingerprint, response, .. } if *fingerprint == repeat => {
                Some(response.text.clone())
            }
            State::Answered { .. } | State::Received { .. } | State::Sent { .. } => None,
        })
    }

    /// When it has to be looked at next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let session = self.session.as_ref().map(|session| session.deadline());
        self.transactions.iter().filter_map(Transaction::deadline).chain(session).min()
    }

    /// What is unfinished, was written, and is not known to have arrived: for a new socket. Of a session that has ended,
    /// only BYE and CANCEL.
    pub(super) fn unfinished(&self, confirmed: u64, again: &mut Vec<(u64, ByteString, Owner)>) {
        for transaction in &self.transactions {
            let (sent, owner) = match &transaction.state {
                State::Received { provisional: Some(sent), .. } if transaction.method == Method::Invite => {
                    (sent, Owner::Provisional(self.key, transaction.cseq))
                }
                State::Received { .. } => continue,
                State::Answered { fingerprint, response, .. } => {
                    (response, Owner::Final(self.key, transaction.cseq, *fingerprint))
                }
                State::Sent { request, .. } => match transaction.method {
                    Method::Invite | Method::Info | Method::Update | Method::Prack | Method::Ack
                        if self.session.is_none() =>
                    {
                        continue;
                    }
                    Method::Invite
                    | Method::Ack
                    | Method::Bye
                    | Method::Cancel
                    | Method::Register
                    | Method::Options
                    | Method::Info
                    | Method::Update
                    | Method::Prack
                    | Method::Subscribe
                    | Method::Message
                    | Method::Notify => (request, Owner::Request(self.key, transaction.cseq)),
                },
            };
            if let Some(frame) = sent.unconfirmed(confirmed) {
                again.push((frame, sent.text.clone(), owner));
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct Dialogs<T> {
    slab: Slab<Dialog<T>>,
    ids: HashMap<DialogId, u32, FixedState>,
    next_generation: u32,
}

impl<T> Dialogs<T> {
    pub(super) fn new(hasher: FixedState) -> Self {
        Self { slab: Slab::new(), ids: HashMap::with_hasher(hasher), next_generation: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.slab.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Dialog<T>> {
        self.slab.iter().map(|(_, dialog)| dialog)
    }

    pub(super) fn find(&self, id: &str) -> Option<DialogKey> {
        let index = *self.ids.get(id)?;
        self.slab.get(index as usize).map(|dialog| dialog.key)
    }

    pub(super) fn get(&self, key: DialogKey) -> Option<&Dialog<T>> {
        self.slab.get(key.index as usize).filter(|dialog| dialog.key == key)
    }

    pub(super) fn get_mut(&mut self, key: DialogKey) -> Option<&mut Dialog<T>> {
        self.slab.get_mut(key.index as usize).filter(|dialog| dialog.key == key)
    }

    /// Adds a dialog; its id must be free.
    pub(super) fn insert(&mut self, id: DialogId, tag: Option<T>, now: Instant) -> DialogKey {
        if self.slab.capacity() == 0 {
            // Most peers have one dialog at a time; a vector would begin with room for four.
            self.slab = Slab::with_capacity(1);
        }
        let entry = self.slab.vacant_entry();
        // A peer has less than 2^32 dialogs: each takes far more than a byte.
        let index = u32::try_from(entry.key()).unwrap_or(u32::MAX);
        let key = DialogKey { index, generation: self.next_generation };
        self.next_generation = self.next_generation.wrapping_add(1);
        self.ids.insert(id.clone(), index);
        entry.insert(Dialog {
            key,
            id,
            tag,
            session: None,
            transactions: SmallVec::new(),
            since: now,
            armed: None,
            touched: false,
        });
        key
    }

    pub(super) fn remove(&mut self, key: DialogKey) -> Option<Dialog<T>> {
        self.get(key)?;
        let dialog = self.slab.try_remove(key.index as usize)?;
        self.ids.remove(dialog.id.as_str());
        Some(dialog)
    }

    /// Gives the memory of past dialogs back, if there are none now.
    pub(super) fn shrink(&mut self) {
        if self.slab.is_empty() && self.slab.capacity() > 0 {
            self.slab = Slab::new();
            self.ids = HashMap::with_hasher(self.ids.hasher().clone());
        }
    }
}
