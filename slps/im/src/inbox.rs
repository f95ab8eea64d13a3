use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::mem;
use std::time::{Duration, Instant};

use rtcd_sdk::jsip::{ByteString, StatusCode};
use rtcd_sdk::{LegId, Peer, Reply};
use rtcd_store::{Kind, Name, StoredMessage};
use slp_registrar::Contact;

use crate::counts::Counts;
use crate::mail::{Accepted, Refusal};
use crate::passed::{Passed, Why};
use crate::post::Post;
use crate::room::Part;

/// For how long a count is believed.
const COUNT_HOLDS: Duration = Duration::from_secs(10);

/// How often a message is sent to devices that are there, if they cannot take it, before the next one has its turn.
const TRIES: u32 = 3;

/// What is on its way to one receiver. It is there as long as something is, or as the receiver has a device.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pub(crate) backlog: Backlog,
    /// How many are stored and wait, as far as is known.
    pub(crate) stored: Counts,
    /// When they were counted.
    pub(crate) counted: Option<Instant>,
    /// How many are being stored.
    pub(crate) writing: Counts,
    /// What is stored is read from the first to the last of it, and again until nothing is found. This is the place of the last one that was
    /// read. It is not kept for the next time: the file may be another one then, with other messages in its places.
    pub(crate) read_to: u64,
    /// Something was found since the store was read from its beginning.
    pub(crate) has_found: bool,
    /// Something was stored since then.
    pub(crate) is_dirty: bool,
    /// What was taken, and is found all the same until it is marked as delivered.
    pub(crate) taken: BTreeSet<Name>,
    /// Those of them that are not being marked.
    pub(crate) unmarked: Vec<Name>,
    /// Some are being marked.
    pub(crate) is_marking: bool,
    /// The message that was sent to devices that are there, and was not taken.
    pub(crate) tried: Option<Tried>,
    /// What no device took, so that others had their turn.
    pub(crate) passed: Passed,
    /// Devices that could not be reached since they registered last, and until when they are registered.
    pub(crate) lost: BTreeMap<Peer, Instant>,
    /// What is stored and still with devices.
    pub(crate) late: BTreeMap<Name, u64>,
    /// How often a device has registered.
    pub(crate) registrations: u64,
    /// The devices do not answer: what is stored waits for one that registers.
    pub(crate) is_deaf: bool,
    /// When it is tried again by itself.
    pub(crate) again: Option<Instant>,
    /// Messages that are not yet delivered or being stored, by sender. The first of each is the one under way.
    pub(crate) queues: BTreeMap<ByteString, VecDeque<u64>>,
    /// Ids of what was delivered from the store and whose senders are not yet told.
    pub(crate) delivered: BTreeMap<String, Vec<String>>,
}

/// What is stored for a receiver, and what is done about it.
///
/// | backlog | a new message | next |
/// |---|---|---|
/// | Reading, at first or after a page | waits | Sending if something is there and a device is; Waiting if something is there; Clear; Unchecked if it fails, or finds only what was taken |
/// | Reading, after it has failed, or for too long | is tried; stored if another is | the same |
/// | Clear: but for what was passed over | is tried; stored if there is no device | Waiting when one is stored, and was not refused by all devices; Reading when a device registers, or what was passed over has rested |
/// | Unchecked | as in Clear | Waiting when one is stored; Reading when a device registers, or what was taken is marked, or after a while |
/// | Waiting | is stored | Reading when a device registers, answers late, or after a while |
/// | Sending, with more to come | is stored | Reading after the page; Waiting if no device takes one |
/// | Sending, the last of it | waits | the same |
#[derive(Debug, Default)]
pub(crate) enum Backlog {
    /// Nothing is stored but what was passed over.
    #[default]
    Clear,
    /// The store could not say, or finds what was taken.
    Unchecked,
    /// The store is being asked.
    Reading(Meanwhile),
    /// Something is stored, or being stored, and nobody takes it now.
    Waiting,
    /// It is being sent.
    Sending(Sending),
}

/// What becomes of new messages while the store is being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meanwhile {
    /// They wait for its answer.
    Wait,
    /// They do not: it may be long in coming.
    Try,
}

/// Stored messages under way.
#[derive(Debug)]
pub(crate) struct Sending {
    /// The first of them is with the devices.
    pub(crate) page: VecDeque<StoredMessage>,
    /// Whether there are more behind these.
    pub(crate) more: bool,
    /// The devices that have not answered yet.
    pub(crate) legs: Vec<LegId>,
    /// A device is there and cannot take it now.
    pub(crate) is_declined: bool,
    /// A device does not want it.
    pub(crate) is_refused: bool,
    /// A device could not be reached.
    pub(crate) is_unreached: bool,
    /// Devices that were there when it was sent, and could not be reached.
    pub(crate) fell: BTreeSet<Peer>,
    /// [`Inbox::registrations`] when it was sent.
    pub(crate) registrations: u64,
}

/// A stored message that was sent, and not taken.
#[derive(Debug)]
pub(crate) struct Tried {
    name: Name,
    /// How often devices could not take it.
    declined: u32,
    /// On how many registrations a device lost its connection over it.
    fell: BTreeMap<Peer, u32>,
}

/// What is to be done with the next message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Wait,
    Try,
    Store,
}

impl Sending {
    /// Whether it is a receipt that all devices have refused.
    pub(crate) fn is_unwanted_receipt(&self) -> bool {
        self.why() == Why::Refused && self.page.front().is_some_and(|message| message.kind == Kind::Receipt)
    }

    /// Why no device has taken it.
    fn why(&self) -> Why {
        if self.is_declined {
            Why::Declined
        } else if !self.fell.is_empty() {
            Why::Fell
        } else if self.is_unreached && self.is_refused {
            Why::Partly
        } else if self.is_unreached {
            Why::Unheard
        } else {
            Why::Refused
        }
    }
}

impl Tried {
    fn new(name: Name) -> Self {
        Self { name, declined: 0, fell: BTreeMap::new() }
    }

    /// It was sent once more; whether it has been often enough.
    fn once_more(&mut self, why: Why, fell: &BTreeSet<Peer>) -> bool {
        self.declined += u32::from(matches!(why, Why::Declined | Why::Partly));
        // Also while another one declines: that they come anew says nothing then.
        for peer in fell {
            *self.fell.entry(peer.clone()).or_default() += 1;
        }
        let has_fallen = self.fell.values().any(|times| *times >= TRIES);
        match why {
            Why::Refused => true,
            Why::Declined | Why::Partly => has_fallen || self.declined >= TRIES,
            Why::Fell => has_fallen,
            Why::Unheard => false,
        }
    }
}

impl Inbox {
    /// What is to be done with a new message.
    pub(crate) fn step(&self) -> Step {
        match &self.backlog {
            Backlog::Reading(Meanwhile::Try) if self.is_filling() => Step::Store,
            Backlog::Clear | Backlog::Unchecked | Backlog::Reading(Meanwhile::Try) => Step::Try,
            Backlog::Reading(Meanwhile::Wait) => Step::Wait,
            Backlog::Waiting => Step::Store,
            Backlog::Sending(sending) => {
                if sending.more {
                    Step::Store
                } else {
                    Step::Wait
                }
            }
        }
    }

    /// Whether nothing is stored or being stored, as far as is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.stored.all() == 0 && self.writing.all() == 0
    }

    /// Whether it was counted too long ago to be believed when a mailbox is full.
    pub(crate) fn is_count_stale(&self, now: Instant) -> bool {
        self.counted.is_none_or(|counted| counted + COUNT_HOLDS <= now)
    }

    /// Whether something was put into the store, or is being put, since it was read.
    pub(crate) fn is_filling(&self) -> bool {
        self.writing.all() > 0 || self.is_dirty
    }

    /// Whether a stored message is not to be sent now.
    pub(crate) fn is_left_out(&self, name: &Name) -> bool {
        self.taken.contains(name) || self.passed.contains(name)
    }

    /// All that was taken is marked, and will not be found again.
    pub(crate) fn forget_taken(&mut self) {
        if self.unmarked.is_empty() && !self.is_marking {
            self.taken.clear();
        }
    }

    /// No device has taken the first of what is at hand. Says why it is left where it is, if it is: so that it does not hold up the others for
    /// ever.
    pub(crate) fn pass_over(&mut self, now: Instant) -> Option<Why> {
        let Backlog::Sending(sending) = &mut self.backlog else { return None };
        let name = sending.page.front().map(StoredMessage::name)?;
        let before = self.tried.take().filter(|tried| tried.name == name);
        let mut tried = before.unwrap_or_else(|| Tried::new(name.clone()));
        let (why, fell) = (sending.why(), mem::take(&mut sending.fell));
        let is_over = tried.once_more(why, &fell) || self.passed.is_again(&name);
        if !is_over {
            self.tried = Some(tried);
            return None;
        }
        sending.page.pop_front();
        self.passed.pass(name, why, now);
        self.passed.blame(tried.fell.into_iter().filter(|(_, times)| *times >= TRIES).map(|(peer, _)| peer));
        sending.page.retain(|message| !self.passed.contains(&message.name()));
        Some(why)
    }

    /// A device that registers anew has its tries, if it is not the one that fell over what is tried.
    pub(crate) fn comes(&mut self, peer: &Peer) {
        self.tried.take_if(|tried| !tried.fell.contains_key(peer));
        // What is being read may have left them out.
        self.is_dirty |= self.passed.comes(peer);
    }

    /// Whether a device was there, as far as was known, when it was sent what it did not answer.
    pub(crate) fn loses(&mut self, contact: &Contact) -> bool {
        self.lost.insert(contact.peer.clone(), contact.expires) != Some(contact.expires)
    }

    /// Whether it can be forgotten, if the receiver has no device.
    pub(crate) fn is_idle(&self) -> bool {
        let rests = match &self.backlog {
            Backlog::Clear | Backlog::Unchecked | Backlog::Waiting => true,
            Backlog::Reading(_) | Backlog::Sending(_) => false,
        };
        rests
            && self.writing.all() == 0
            && self.queues.is_empty()
            && self.delivered.is_empty()
            && self.late.is_empty()
            && self.unmarked.is_empty()
            && !self.is_marking
    }

    /// The senders who have something here, in the order in which their messages came.
    pub(crate) fn senders(&self) -> Vec<ByteString> {
        let mut heads: Vec<_> =
            self.queues.iter().map(|(sender, queue)| (queue.front().copied(), sender.clone())).collect();
        heads.sort_unstable();
        heads.into_iter().map(|(_, sender)| sender).collect()
    }

    /// The message of a sender that is under way, or is to be.
    pub(crate) fn head(&self, sender: &str) -> Option<u64> {
        self.queues.get(sender)?.front().copied()
    }

    /// A message of a sender, mostly the first, is decided.
    pub(crate) fn remove(&mut self, sender: &str, number: u64) {
        let Some(queue) = self.queues.get_mut(sender) else { return };
        if let Some(at) = queue.iter().position(|waiting| *waiting == number) {
            queue.remove(at);
        }
        if queue.is_empty() {
            self.queues.remove(sender);
        }
    }
}

/// A message that is not done with.
#[derive(Debug)]
pub(crate) struct Moving {
    pub(crate) post: Post,
    pub(crate) stage: Stage,
    /// Who wants to know what becomes of it.
    pub(crate) reply: Option<Reply<Result<Accepted, Refusal>>>,
    /// What it takes of the room for messages, as long as it is here.
    pub(crate) _room: Option<Part>,
    /// The device that sent it.
    pub(crate) own: Option<Peer>,
    /// Devices of the receiver that have not answered yet.
    pub(crate) legs: Vec<LegId>,
    /// The devices do not want it: all that have answered.
    pub(crate) is_refused: bool,
    /// [`Inbox::registrations`] when it was sent.
    pub(crate) registrations: u64,
    /// When its patience is over.
    pub(crate) due: Instant,
    /// When its sender has to have an answer.
    pub(crate) last: Instant,
}

impl Moving {
    /// All devices that are there have it, and do not want it.
    pub(crate) fn is_unwanted(&self, inbox: &Inbox) -> bool {
        self.is_refused && self.legs.is_empty() && self.registrations == inbox.registrations
    }
}

/// How far a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It waits for its turn.
    Waits,
    /// It is with the receiver's devices.
    Live,
    /// It is being stored.
    Writing {
        /// A device has taken it meanwhile.
        is_taken: bool,
    },
    /// It is stored, and devices have not answered yet.
    Stored,
}

/// What a dialog with a device is for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Leg {
    pub(crate) what: What,
    /// The device, as it was registered when the dialog was opened.
    pub(crate) to: Option<Contact>,
}

#[derive(Debug, Clone, Default)]
pub(crate) enum What {
    /// A copy for another device of the sender: its answer does not matter.
    #[default]
    Copy,
    /// The message of this number.
    Live(u64),
    /// The stored message at hand for this receiver.
    Stored(ByteString),
}

/// What a device did with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Taken,
    /// It can be tried again.
    Unreached,
    /// The device is there, and cannot take it now.
    Declined,
    /// The device does not want it. Others may.
    Refused,
}

impl From<StatusCode> for Fate {
    fn from(code: StatusCode) -> Self {
        match code {
            code if code.is_success() => Self::Taken,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TEMPORARILY_NOT_AVAILABLE => Self::Unreached,
            StatusCode::SERVICE_UNAVAILABLE => Self::Declined,
            _ => Self::Refused,
        }
    }
}
