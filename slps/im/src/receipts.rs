//! What was delivered from the store, and what was read.

use std::mem;

use rtcd_sdk::prelude::*;
use rtcd_sdk::tracing::debug;
use rtcd_store::{Kind, StoredMessage};

use crate::courier::{Courier, CourierCx, begin};
use crate::post::Post;

impl Courier {
    pub(crate) fn note_delivered(&mut self, message: StoredMessage) {
        let StoredMessage { id, sender, receiver, kind, .. } = message;
        if kind == Kind::Message
            && sender != receiver
            && let Some(inbox) = self.inboxes.get_mut(&*receiver)
        {
            inbox.delivered.entry(sender).or_default().push(id);
        }
    }

    /// Tells senders what was delivered from the store.
    pub(crate) fn tell_senders(&mut self, cx: &mut CourierCx, receiver: &ByteString) {
        let Some(inbox) = self.inboxes.get_mut(receiver) else { return };
        for (sender, ids) in mem::take(&mut inbox.delivered) {
            let receipt = Post::delivered(receiver, &sender, &ids, cx.unique_id(), crate::date(cx));
            self.accept(cx, receipt, None, None);
        }
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
