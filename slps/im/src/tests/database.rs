use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use rtcd_store::{
    Asked, Conversation, ConversationSummary, Database, Failure, Memory, Page, StoredMessage, Write, Written,
};

/// A database that fails, or takes its time, as a test wants it.
#[derive(Debug, Default)]
pub(crate) struct Moody {
    memory: Mutex<Arc<Memory>>,
    mood: Arc<Mutex<Mood>>,
}

#[derive(Debug, Default)]
struct Mood {
    is_full: bool,
    is_dead: bool,
    is_slow: bool,
    is_unreadable: bool,
    is_broken: bool,
    waiting: Vec<Waker>,
}

impl Moody {
    /// Another file takes its place.
    pub(crate) fn replace(&self, memory: Arc<Memory>) {
        *self.memory.lock().unwrap() = memory;
    }

    fn memory(&self) -> Arc<Memory> {
        self.memory.lock().unwrap().clone()
    }

    /// It takes no more.
    pub(crate) fn set_full(&self, is_full: bool) {
        self.mood.lock().unwrap().is_full = is_full;
    }

    /// It can be neither read nor written.
    pub(crate) fn set_dead(&self, is_dead: bool) {
        self.mood.lock().unwrap().is_dead = is_dead;
    }

    /// It cannot be read, and says so at once, however slow it is.
    pub(crate) fn set_unreadable(&self, is_unreadable: bool) {
        self.mood.lock().unwrap().is_unreadable = is_unreadable;
    }

    /// Whoever asks panics.
    pub(crate) fn set_broken(&self, is_broken: bool) {
        self.mood.lock().unwrap().is_broken = is_broken;
    }

    /// It answers nothing until it is not slow any more.
    pub(crate) fn set_slow(&self, is_slow: bool) {
        let mut mood = self.mood.lock().unwrap();
        mood.is_slow = is_slow;
        if !is_slow {
            mood.waiting.drain(..).for_each(Waker::wake);
        }
    }

    fn asked<'a, T: Send + 'a>(&'a self, writes: bool, answer: Asked<'a, T>) -> Asked<'a, T> {
        Box::pin(async move {
            poll_fn(|cx| {
                let mut mood = self.mood.lock().unwrap();
                if mood.is_slow && (writes || !mood.is_unreadable) {
                    mood.waiting.push(cx.waker().clone());
                    return Poll::Pending;
                }
                Poll::Ready(())
            })
            .await;
            let is_broken = self.mood.lock().unwrap().is_broken;
            assert!(!is_broken, "a very bad day");
            let fails = {
                let mood = self.mood.lock().unwrap();
                mood.is_dead || if writes { mood.is_full } else { mood.is_unreadable }
            };
            if fails {
                return Err(Failure::Passing("a bad day".to_owned()));
            }
            answer.await
        })
    }
}

impl Database for Moody {
    fn write<'a>(&'a self, batch: &'a [Write]) -> Asked<'a, Vec<Written>> {
        self.asked(true, Box::pin(async move { self.memory().write(batch).await }))
    }

    fn forget(&self, date: u64, limit: usize) -> Asked<'_, u64> {
        let memory = self.memory();
        Box::pin(async move { memory.forget(date, limit).await })
    }

    fn check(&self) -> Asked<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn close(&self) -> Asked<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn pending<'a>(&'a self, receiver: &'a str, after: u64, limit: usize) -> Asked<'a, Vec<StoredMessage>> {
        self.asked(false, Box::pin(async move { self.memory().pending(receiver, after, limit).await }))
    }

    fn pending_counts<'a>(&'a self, receiver: &'a str) -> Asked<'a, BTreeMap<String, u64>> {
        self.asked(false, Box::pin(async move { self.memory().pending_counts(receiver).await }))
    }

    fn history<'a>(&'a self, conversation: &'a Conversation, page: Page) -> Asked<'a, Vec<StoredMessage>> {
        self.asked(false, Box::pin(async move { self.memory().history(conversation, page).await }))
    }

    fn conversations<'a>(
        &'a self,
        user: &'a str,
        before: Option<u64>,
        limit: usize,
    ) -> Asked<'a, Vec<ConversationSummary>> {
        self.asked(false, Box::pin(async move { self.memory().conversations(user, before, limit).await }))
    }
}
