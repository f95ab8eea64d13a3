use std::collections::BTreeMap;
use std::mem;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rtcd_sdk::jsip::ByteString;
use rtcd_sdk::{Mailbox, Peer};
use rtcd_store::{Appended, Name, StoreError, StoredMessage};

use crate::counts::Counts;
use crate::mail::Mail;

/// What the courier has to know from others: that a user has registered, what the store has done. Mail would not do, for a mailbox
/// can be full, and a message whose receiver's registration was lost would lie in the store while the receiver waits. A note is never
/// lost: the courier reads the notes after each event, and there is one to come as long as its mailbox is full.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    left: Mutex<Left>,
    mailbox: OnceLock<Mailbox<Mail>>,
}

/// The notes, as the courier takes them.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// Devices that have registered; whether they were no contacts before. There are as many as contacts at most.
    pub(crate) registered: BTreeMap<Peer, bool>,
    /// What the store has done: as many as it was asked for.
    pub(crate) done: Vec<Done>,
    /// The courier has mail about them.
    told: bool,
}

/// The store has done something.
#[derive(Debug)]
pub(crate) enum Done {
    /// A message of this number was to be kept for its receiver.
    Appended {
        /// The message.
        number: u64,
        /// Where it is.
        result: Result<Appended, StoreError>,
    },
    /// What waits for a receiver was looked up.
    Found {
        /// The receiver.
        receiver: ByteString,
        /// The first of them.
        result: Result<Found, StoreError>,
    },
    /// Messages for a receiver were to be marked as delivered.
    Marked {
        /// The receiver.
        receiver: ByteString,
        /// Those that could not be.
        unmarked: Vec<Name>,
    },
}

/// What waits for a receiver.
#[derive(Debug)]
pub(crate) struct Found {
    /// How many, if they were counted.
    pub(crate) counts: Option<Counts>,
    /// Some of them, if they were read.
    pub(crate) page: Option<Page>,
}

/// Some of what waits for a receiver, in order.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) messages: Vec<StoredMessage>,
    /// Whether there are more behind these.
    pub(crate) more: bool,
}

impl Notes {
    /// Where the courier is told that there are notes.
    pub(crate) fn deliver_to(&self, mailbox: Mailbox<Mail>) {
        let _ = self.mailbox.set(mailbox);
    }

    /// A device has registered.
    pub(crate) fn registered(&self, peer: Peer, is_new: bool) {
        self.leave(|left| *left.registered.entry(peer).or_default() |= is_new);
    }

    /// The store has done something.
    pub(crate) fn done(&self, done: Done) {
        self.leave(|left| left.done.push(done));
    }

    /// Takes all notes; `None` if there are none.
    pub(crate) fn take(&self) -> Option<Left> {
        let left = mem::take(&mut *self.lock());
        (!left.registered.is_empty() || !left.done.is_empty()).then_some(left)
    }

    fn leave(&self, write: impl FnOnce(&mut Left)) {
        {
            let mut left = self.lock();
            write(&mut left);
            if mem::replace(&mut left.told, true) {
                return;
            }
        }
        // Not with the lock held: the mailbox is somebody else's.
        if self.mailbox.get().is_none_or(|mailbox| mailbox.send(Mail::Look).is_err()) {
            self.lock().told = false;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
