//! What was delivered from the store, and what was read.

use std::mem;

use rtcd_sdk::prelude::*;
use rtcd_sdk::tracing::debug;
use rtcd_store::{Kind, Name};

use crate::courier::{Courier, CourierCx, answer, begin};
use crate::inbox::{Backlog, Inbox, Moving};
use crate::mail::Refusal;
use crate::post::Post;

/// Ids in one receipt.
const TOLD: usize = 100;

/// Ids of messages to one receiver whose senders could not be told and will be.
const UNTOLD: usize = 1000;

impl Courier {
    /// A device has taken a message from the store: its sender is to be told.
    pub(crate) fn note_delivered(&mut self, receiver: &ByteString, name: Name) {
        if name.kind == Kind::Message
            && name.sender != **receiver
            && let Some(inbox) = self.inboxes.get_mut(receiver)
        {
            inbox.delivered.entry(name.sender).or_default().push(name.id);
        }
    }

    /// Tells senders what was delivered from the store.
    pub(crate) fn tell_senders(&mut self, cx: &mut CourierCx, receiver: &ByteString) {
        let Some(inbox) = self.inboxes.get_mut(receiver) else { return };
        for (sender, ids) in mem::take(&mut inbox.delivered) {
            for ids in ids.chunks(TOLD) {
                let receipt =
                    Post::delivered(receiver, &sender, ids.to_vec(), cx.unique_id(), crate::date(cx));
                self.accept(cx, receipt, None, None);
            }
        }
    }

    /// A message is not taken. If the server itself says something by it, it says it again in a while.
    pub(crate) fn refuse(&mut self, cx: &CourierCx, moving: Moving, refusal: Refusal) {
        let Moving { post, reply, .. } = moving;
        answer(reply, Err(refusal));
        if post.told.is_empty() || !matches!(refusal, Refusal::Busy | Refusal::NoStore) {
            return;
        }
        let inbox = self
            .inboxes
            .entry(post.sender.clone())
            .or_insert_with(|| Inbox { backlog: Backlog::Unchecked, ..Inbox::default() });
        let room = UNTOLD.saturating_sub(inbox.delivered.values().map(Vec::len).sum());
        inbox
            .delivered
            .entry(post.receiver.to_string())
            .or_default()
            .extend(post.told.into_iter().take(room));
        self.again(cx, &post.sender);
    }

    pub(crate) fn mark_read(&self, cx: &CourierCx, post: &Post) {
        // Who reads has received what it names.
        let marked = self.store.mark_read(&post.sender, &post.receiver, post.read.clone());
        begin(cx, marked, |marked| {
            if let Err(error) = marked {
                debug!(%error, "messages are not marked as read");
            }
        });
    }
}
