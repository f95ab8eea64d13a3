//! What is stored for a receiver is sent when it is there.

use std::collections::{BTreeSet, VecDeque};
use std::mem;

use rtcd_sdk::Peer;
use rtcd_sdk::prelude::*;
use rtcd_sdk::tracing::debug;
use rtcd_store::{Name, StoreError, StoredMessage};

use crate::counts::Counts;
use crate::courier::{Courier, begin};
use crate::inbox::{Backlog, Fate, Leg, Meanwhile, Sending, What};
use crate::notes::{Done, Found, Page};
use crate::passed::{Sign, Why};
use crate::post::{Post, stored_copy};

/// How many are read at once.
const PAGE: usize = 16;

/// How many bytes of them are kept at hand, if they are more than one.
const PAGE_BYTES: usize = 64 * 1024;

impl Courier {
    /// A device has registered.
    pub(crate) fn on_registered(&mut self, cx: &mut Cx<Leg>, peer: &Peer, is_new: bool) {
        let user = &ByteString::from(peer.user());
        let is_known = self.inboxes.contains_key(user);
        let inbox = self.inboxes.entry(user.clone()).or_default();
        inbox.registrations += 1;
        inbox.is_deaf = false;
        if is_new {
            inbox.comes(peer);
            if !inbox.lost.is_empty() {
                let contacts = self.contacts.lookup(user);
                inbox.lost.retain(|lost, _| contacts.iter().any(|contact| contact.peer == *lost));
            }
        }
        self.mark(cx, user);
        let Some(inbox) = self.inboxes.get(user) else { return };
        match inbox.backlog {
            Backlog::Clear if is_new || !is_known => self.read(cx, user, Meanwhile::Wait),
            Backlog::Waiting | Backlog::Unchecked => self.send_what_waits(cx, user),
            Backlog::Clear | Backlog::Reading(_) | Backlog::Sending(_) => {}
        }
        self.on_sign(cx, user, Sign::Registered);
    }

    /// Something has changed: what is stored is read and sent, if it rests and the receiver has a device that may take it.
    pub(crate) fn send_what_waits(&mut self, cx: &mut Cx<Leg>, receiver: &ByteString) {
        let meanwhile = match self.inboxes.get(receiver).map(|inbox| &inbox.backlog) {
            Some(Backlog::Waiting) => Meanwhile::Wait,
            Some(Backlog::Unchecked) => Meanwhile::Try,
            Some(Backlog::Clear | Backlog::Reading(_) | Backlog::Sending(_)) | None => return,
        };
        if self.may_send(receiver) {
            self.read(cx, receiver, meanwhile);
        }
    }

    pub(crate) fn may_send(&self, receiver: &ByteString) -> bool {
        self.inboxes.get(receiver).is_some_and(|inbox| !inbox.is_deaf)
            && !self.contacts.lookup(receiver).is_empty()
    }

    /// Looks up what is stored for a receiver; how many, if it is away.
    pub(crate) fn read(&mut self, cx: &mut Cx<Leg>, receiver: &ByteString, meanwhile: Meanwhile) {
        let Some(inbox) = self.inboxes.get_mut(receiver) else { return };
        inbox.read_to = 0;
        inbox.has_found = false;
        inbox.is_dirty = false;
        self.read_on(cx, receiver, meanwhile);
    }

    /// Looks up what is behind that which was read.
    fn read_on(&mut self, cx: &mut Cx<Leg>, receiver: &ByteString, meanwhile: Meanwhile) {
        let Some(inbox) = self.inboxes.get_mut(receiver) else { return };
        inbox.backlog = Backlog::Reading(meanwhile);
        let is_read = !self.contacts.lookup(receiver).is_empty();
        let is_counted = !is_read || inbox.is_count_stale(cx.now());
        let (store, user, after) = (self.store.clone(), receiver.to_string(), inbox.read_to);
        // Else it is cut when it is known what is left out: that does not make pages of one message each.
        let is_whole = inbox.passed.is_empty();
        let question = async move {
            let page =
                if is_read { Some(page(store.pending(&user, after, PAGE).await?, is_whole)) } else { None };
            let counts = if is_counted { Some(store.pending_counts(&user).await?.into()) } else { None };
            Ok(Found { counts, page })
        };
        let (notes, receiver) = (self.notes.clone(), receiver.clone());
        begin(cx, question, move |result| notes.done(Done::Found { receiver, result }));
    }

    /// The store has answered.
    pub(crate) fn on_found(
        &mut self,
        cx: &mut Cx<Leg>,
        receiver: &ByteString,
        result: Result<Found, StoreError>,
    ) {
        let may_send = self.may_send(receiver);
        let Some(inbox) = self.inboxes.get_mut(receiver) else { return };
        match result {
            Err(error) => {
                debug!(user = &**receiver, %error, "what is stored cannot be read");
                inbox.backlog = if inbox.is_filling() { Backlog::Waiting } else { Backlog::Unchecked };
                // What is known is not asked for again at once: it would fail again, and again.
                inbox.counted = Some(cx.now());
                self.ask_again(cx, receiver);
            }
            Ok(Found { counts, page }) => {
                if let Some(counts) = counts {
                    inbox.stored = counts;
                    inbox.counted = Some(cx.now());
                }
                match page {
                    Some(page) => return self.on_page(cx, receiver, page),
                    // A device came meanwhile, or a message.
                    None if may_send || inbox.stored.all() == 0 && inbox.is_dirty => {
                        return self.read(cx, receiver, Meanwhile::Wait);
                    }
                    None if inbox.is_empty() => inbox.backlog = Backlog::Clear,
                    None => {
                        inbox.backlog = Backlog::Waiting;
                        self.ask_again(cx, receiver);
                    }
                }
            }
        }
        self.serve(cx, receiver);
    }

    /// Some of what is stored, in order.
    fn on_page(&mut self, cx: &mut Cx<Leg>, receiver: &ByteString, page: Page) {
        let Page { messages: mut page, mut more } = page;
        let may_send = self.may_send(receiver);
        let Some(inbox) = self.inboxes.get_mut(receiver) else { return };
        inbox.read_to = page.last().map_or(inbox.read_to, |last| last.seq);
        page.retain(|message| !inbox.is_left_out(&message.name()));
        if cut(&mut page) {
            more = true;
            inbox.read_to = page.last().map_or(inbox.read_to, |last| last.seq);
        }
        inbox.forget_taken();
        inbox.has_found |= !page.is_empty();
        if !may_send && (inbox.has_found || more || inbox.is_dirty) {
            inbox.backlog = Backlog::Waiting;
            self.ask_again(cx, receiver);
        } else if !page.is_empty() {
            inbox.backlog = Backlog::Sending(Sending {
                more,
                page: VecDeque::from(page),
                legs: Vec::new(),
                is_declined: false,
                is_refused: false,
                is_unreached: false,
                fell: BTreeSet::new(),
                registrations: 0,
            });
            self.send_next(cx, receiver);
        } else if more {
            return self.read_on(cx, receiver, Meanwhile::Wait);
        } else if inbox.has_found || inbox.is_dirty {
            return self.read(cx, receiver, Meanwhile::Wait);
        } else if inbox.writing.all() > 0 {
            inbox.backlog = Backlog::Waiting;
            self.ask_again(cx, receiver);
        } else {
            inbox.passed.all_read();
            if inbox.passed.is_due(cx.now()) {
                inbox.passed.take_up(cx.now());
                return self.read(cx, receiver, Meanwhile::Wait);
            }
            if inbox.passed.is_empty() {
                inbox.stored = Counts::default();
            }
            inbox.is_deaf = false;
            // What is there is not known before all that was taken is marked: it is read once more then.
            inbox.backlog = if inbox.taken.is_empty() { Backlog::Clear } else { Backlog::Unchecked };
        }
        self.serve(cx, receiver);
    }

    /// Sends the first of what is at hand.
    fn send_next(&mut self, cx: &mut Cx<Leg>, receiver: &ByteString) {
        let contacts = self.contacts.lookup(receiver);
        loop {
            let Some(inbox) = self.inboxes.get_mut(receiver) else { return };
            let Backlog::Sending(sending) = &mut inbox.backlog else { return };
            let Some(message) = sending.page.front() else {
                let more = sending.more;
                self.tell_senders(cx, receiver);
                return if more {
                    self.read_on(cx, receiver, Meanwhile::Wait)
                } else {
                    self.read(cx, receiver, Meanwhile::Wait)
                };
            };
            if contacts.is_empty() {
                inbox.backlog = Backlog::Waiting;
                return self.tell_senders(cx, receiver);
            }
            sending.is_declined = false;
            sending.is_refused = false;
            sending.is_unreached = false;
            sending.fell.clear();
            sending.registrations = inbox.registrations;
            sending.legs.clear();
            for contact in &contacts {
                let copy = stored_copy(cx, &contact.peer, message);
                let leg = Leg { what: What::Stored(receiver.clone()), to: Some(contact.clone()) };
                match cx.open(leg, copy) {
                    Ok(leg) => sending.legs.push(leg),
                    Err(error) => debug!(peer = %contact.peer, %error, "a stored message cannot be sent"),
                }
            }
            if !sending.legs.is_empty() {
                return;
            }
            // There is nobody who could get it.
            inbox.pass_over(cx.now());
        }
    }

    /// A device answered to the stored message at hand, or never will.
    pub(crate) fn stored_answered(
        &mut self,
        cx: &mut Cx<Leg>,
        receiver: &ByteString,
        leg: LegId,
        fate: Fate,
        fell: Option<Peer>,
    ) {
        let Some(inbox) = self.inboxes.get_mut(receiver) else { return };
        let Backlog::Sending(sending) = &mut inbox.backlog else { return };
        let Some(at) = sending.legs.iter().position(|open| *open == leg) else { return };
        sending.legs.swap_remove(at);
        sending.is_declined |= fate == Fate::Declined;
        sending.is_refused |= fate == Fate::Refused;
        sending.is_unreached |= fate == Fate::Unreached;
        sending.fell.extend(fell);
        let registrations = sending.registrations;
        let is_last = sending.legs.is_empty();
        if fate == Fate::Taken {
            if let Some(message) = self.take_first(cx, receiver) {
                self.note_delivered(receiver, message.name());
            }
        } else if !is_last {
            return;
        } else if sending.is_unwanted_receipt() {
            // It tells only of others, and would take the place of a message.
            self.take_first(cx, receiver);
        } else if let Some(why @ (Why::Refused | Why::Declined | Why::Partly)) = inbox.pass_over(cx.now()) {
            // Devices are there, and may take the next one.
            debug!(user = &**receiver, ?why, "a stored message is passed over");
        } else if inbox.registrations == registrations {
            inbox.is_deaf = true;
            inbox.backlog = Backlog::Waiting;
            self.ask_again(cx, receiver);
            self.tell_senders(cx, receiver);
            return self.serve(cx, receiver);
        }
        self.send_next(cx, receiver);
        self.serve(cx, receiver);
    }

    /// The first of what is at hand is done with.
    fn take_first(&mut self, cx: &Cx<Leg>, receiver: &ByteString) -> Option<StoredMessage> {
        let inbox = self.inboxes.get_mut(receiver)?;
        let Backlog::Sending(sending) = &mut inbox.backlog else { return None };
        let message = sending.page.pop_front()?;
        sending.legs.clear();
        inbox.stored.take(&message.sender);
        inbox.passed.forget(&message.name());
        // If devices have had it since before it was stored, their answers do not matter any more.
        if let Some(number) = inbox.late.remove(&message.name()) {
            self.posts.remove(&number);
        }
        self.mark_taken(cx, receiver, message.name());
        Some(message)
    }

    /// A device has taken a message after it was stored.
    pub(crate) fn taken_late(&mut self, cx: &mut Cx<Leg>, post: &Post) {
        let (receiver, name) = (&post.receiver, post.name());
        let Some(inbox) = self.inboxes.get_mut(receiver) else { return };
        inbox.is_deaf = false;
        if inbox.taken.contains(&name) {
            return; // a repeat of it was taken
        }
        match &mut inbox.backlog {
            Backlog::Sending(sending) if sending.page.front().is_some_and(|first| first.name() == name) => {
                self.take_first(cx, receiver);
                self.note_delivered(receiver, name);
                self.send_next(cx, receiver);
                return self.serve(cx, receiver);
            }
            Backlog::Sending(sending) => sending.page.retain(|message| message.name() != name),
            Backlog::Clear | Backlog::Unchecked | Backlog::Reading(_) | Backlog::Waiting => {}
        }
        inbox.stored.take(&post.sender);
        inbox.passed.forget(&name);
        self.note_delivered(receiver, name.clone());
        self.mark_taken(cx, receiver, name);
        self.tell_senders(cx, receiver);
    }

    /// Marks a message as delivered, and those that could not be marked before.
    pub(crate) fn mark_taken(&mut self, cx: &Cx<Leg>, receiver: &ByteString, name: Name) {
        if let Some(inbox) = self.inboxes.get_mut(receiver) {
            inbox.taken.insert(name.clone());
            inbox.unmarked.push(name);
        }
        self.mark(cx, receiver);
    }

    /// Marks what is taken and not marked.
    fn mark(&mut self, cx: &Cx<Leg>, receiver: &ByteString) {
        let Some(inbox) = self.inboxes.get_mut(receiver) else { return };
        // What is taken while the store is at it goes together.
        if inbox.is_marking || inbox.unmarked.is_empty() {
            return;
        }
        inbox.is_marking = true;
        let names = mem::take(&mut inbox.unmarked);
        let (marked, notes) = (self.store.mark_delivered(receiver, names.clone()), self.notes.clone());
        let receiver = receiver.clone();
        begin(cx, marked, move |marked| {
            if let Err(error) = &marked {
                debug!(%error, "messages are not marked as delivered");
            }
            let unmarked = if marked.is_ok() { Vec::new() } else { names };
            notes.done(Done::Marked { receiver, unmarked });
        });
    }

    /// Messages are marked as delivered, or not: then it is tried again.
    pub(crate) fn on_marked(&mut self, cx: &mut Cx<Leg>, receiver: &ByteString, unmarked: Vec<Name>) {
        let Some(inbox) = self.inboxes.get_mut(receiver) else { return };
        inbox.is_marking = false;
        let is_done = unmarked.is_empty();
        inbox.unmarked.extend(unmarked);
        // What is being read now may have been read before they were marked.
        if !matches!(inbox.backlog, Backlog::Reading(_)) {
            inbox.forget_taken();
        }
        if is_done {
            self.mark(cx, receiver);
        } else {
            self.again(cx, receiver);
        }
        self.send_what_waits(cx, receiver);
    }

    /// A receiver whose devices did not answer, or whose store did not, is tried again; what was to be told of it, too.
    pub(crate) fn on_again(&mut self, cx: &mut Cx<Leg>, receiver: &ByteString) {
        if let Some(inbox) = self.inboxes.get_mut(receiver) {
            inbox.again = None;
            inbox.is_deaf = false;
            self.mark(cx, receiver);
            self.tell_senders(cx, receiver);
            self.send_what_waits(cx, receiver);
            self.on_rested(cx, receiver);
        }
    }
}

/// Some of what is stored, of which all is to be sent, or not.
fn page(mut messages: Vec<StoredMessage>, is_whole: bool) -> Page {
    let more = messages.len() >= PAGE;
    let is_cut = is_whole && cut(&mut messages);
    Page { more: more || is_cut, messages }
}

/// What is kept at hand of what was read. There are as many pages as receivers, and messages can be large. Whether there was more.
fn cut(page: &mut Vec<StoredMessage>) -> bool {
    let mut bytes = 0;
    let fits = page.iter().take_while(|message| {
        bytes += message.headers.len() + message.body.len();
        bytes <= PAGE_BYTES
    });
    let count = fits.count().max(1);
    let is_cut = count < page.len();
    page.truncate(count);
    page.shrink_to_fit();
    is_cut
}
