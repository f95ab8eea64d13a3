//! What no device has taken goes to the store.

use rtcd_store::{Appended, StoreError};

use crate::agenda::Due;
use crate::courier::{Courier, CourierCx, answer, begin};
use crate::inbox::{Backlog, Meanwhile, Moving, Stage};
use crate::mail::{Accepted, Refusal};
use crate::notes::Done;
use crate::passed::Why;
use crate::post::Post;

impl Courier {
    /// Stores it. It stays where it is if it has to be counted anew whether there is room.
    pub(crate) fn store(&mut self, cx: &mut CourierCx, number: u64) {
        let Some(moving) = self.posts.get_mut(&number) else { return };
        let receiver = moving.post.receiver.clone();
        let Some(inbox) = self.inboxes.get_mut(&receiver) else { return };
        let of_sender = inbox.stored.of(&moving.post.sender) + inbox.writing.of(&moving.post.sender);
        let refusal = if inbox.stored.all() + inbox.writing.all() >= self.settings.max_stored.get() {
            Some(Refusal::Full)
        } else {
            (of_sender >= self.settings.share()).then_some(Refusal::Share)
        };
        if let Some(refusal) = refusal {
            // What was passed over may be gone: deleted, read, or taken when its sender sent it again.
            let rests = matches!(inbox.backlog, Backlog::Clear | Backlog::Unchecked | Backlog::Waiting);
            let is_stale = rests && inbox.is_count_stale(cx.now());
            if is_stale && moving.stage == Stage::Waits {
                return self.read(cx, &receiver, Meanwhile::Wait);
            }
            if let Some(moving) = self.take(number) {
                self.refuse(cx, moving, refusal);
            }
            if is_stale {
                self.read(cx, &receiver, Meanwhile::Wait);
            }
            return;
        }
        inbox.writing.add(&moving.post.sender);
        // What nobody wants who is there does not hold up the others.
        if matches!(inbox.backlog, Backlog::Clear | Backlog::Unchecked) && !moving.is_unwanted(inbox) {
            inbox.backlog = Backlog::Waiting;
        }
        inbox.remove(&moving.post.sender, number);
        self.agenda.remove(moving.due, Due::Patience(number));
        moving.stage = Stage::Writing { is_taken: false };
        // What the server says in a user's name has no bound of its own: there is as much of it as there were messages.
        let max = if moving.post.told.is_empty() { self.settings.max_waiting.get() } else { u64::MAX };
        let (kept, notes) = (self.store.append_within(moving.post.to_store(false), max), self.notes.clone());
        begin(cx, kept, move |result| {
            notes.done(Done::Appended { number, result });
        });
    }

    /// It is stored, or cannot be.
    pub(crate) fn on_appended(
        &mut self,
        cx: &mut CourierCx,
        number: u64,
        result: &Result<Appended, StoreError>,
    ) {
        let Some(mut moving) = self.posts.remove(&number) else { return };
        self.agenda.remove(moving.last, Due::Deadline(number));
        let receiver = moving.post.receiver.clone();
        let is_taken = moving.stage == Stage::Writing { is_taken: true };
        let accepted = match result {
            _ if is_taken => Some(Accepted::Delivered),
            Ok(Appended { date, .. }) => Some(Accepted::Stored { date: *date }),
            Err(_) => None,
        };
        if let Some(accepted) = accepted {
            answer(moving.reply.take(), Ok(accepted));
            self.copy_to_own(cx, &moving.post, moving.own.as_ref());
        }
        let Some(inbox) = self.inboxes.get_mut(&receiver) else { return };
        inbox.writing.take(&moving.post.sender);
        inbox.is_deaf &= !is_taken;
        match result {
            Ok(_) if is_taken => self.mark_taken(cx, &receiver, moving.post.name()),
            Ok(Appended { is_repeat, .. }) => {
                if !is_repeat {
                    inbox.stored.add(&moving.post.sender);
                }
                if moving.is_unwanted(inbox) {
                    inbox.passed.pass(moving.post.name(), Why::Refused, cx.now());
                    return;
                }
                inbox.is_dirty = true;
                if matches!(inbox.backlog, Backlog::Clear) {
                    // A device has registered while it was being stored.
                    inbox.backlog = Backlog::Waiting;
                }
                if !moving.legs.is_empty() {
                    moving.stage = Stage::Stored;
                    inbox.late.insert(moving.post.name(), number);
                    self.posts.insert(number, moving);
                }
                self.send_what_waits(cx, &receiver);
            }
            Err(error) => {
                if matches!(inbox.backlog, Backlog::Waiting) {
                    if inbox.is_empty() {
                        // It may be there all the same.
                        inbox.backlog = Backlog::Unchecked;
                    }
                    self.ask_again(cx, &receiver);
                }
                if !is_taken {
                    self.refuse(cx, moving, error.into());
                }
            }
        }
    }

    /// Nothing more is expected of the devices that have a message which is stored.
    pub(crate) fn not_late(&mut self, number: u64) -> Option<Post> {
        let Moving { post, .. } = self.posts.remove(&number)?;
        if let Some(inbox) = self.inboxes.get_mut(&post.receiver) {
            let name = post.name();
            // A repeat may have taken its place.
            if inbox.late.get(&name) == Some(&number) {
                inbox.late.remove(&name);
            }
        }
        Some(post)
    }
}
