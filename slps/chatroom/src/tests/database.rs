use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use rtcd_store::{
    Asked, Conversation, ConversationSummary, Database, Failure, Memory, Page, StoredMessage, Write, Written,
};

/// A database that fails, or takes its time, as a test wants it.
#[derive(Debug, Default)]
pub(super) struct Moody {
    memory: Memory,
    mood: Mutex<Mood>,
}

#[derive(Debug, Default)]
struct Mood {
    is_full: bool,
    panics: bool,
    slow: Slow,
    waiting: Vec<Waker>,
    /// Writes are done in the order in which they came.
    came: u64,
    done: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Slow {
    #[default]
    Nothing,
    Writes,
    /// A read finds what is there when it is done.
    Reads,
    /// A read finds what is there when it begins.
    Answers,
}

impl Moody {
    /// It takes no more.
    pub(super) fn set_full(&self, is_full: bool) {
        self.mood.lock().unwrap().is_full = is_full;
    }

    /// Whoever writes panics.
    pub(super) fn set_panics(&self, panics: bool) {
        self.mood.lock().unwrap().panics = panics;
    }

    /// What begins now is not done until something else, or nothing, is slow.
    pub(super) fn set_slow(&self, slow: Slow) {
        let mut mood = self.mood.lock().unwrap();
        mood.slow = slow;
        mood.waiting.drain(..).for_each(Waker::wake);
    }

    async fn until(&self, is_ready: impl Fn(&Mood) -> bool) {
        poll_fn(|cx| {
            let mut mood = self.mood.lock().unwrap();
            if is_ready(&mood) {
                return Poll::Ready(());
            }
            mood.waiting.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl Database for Moody {
    fn write<'a>(&'a self, batch: &'a [Write]) -> Asked<'a, Vec<Written>> {
        Box::pin(async move {
            let panics = self.mood.lock().unwrap().panics;
            assert!(!panics, "as the test wants it");
            let turn = {
                let mut mood = self.mood.lock().unwrap();
                mood.came += 1;
                mood.came
            };
            self.until(|mood| mood.slow != Slow::Writes && mood.done + 1 == turn).await;
            let is_full = {
                let mut mood = self.mood.lock().unwrap();
                mood.done += 1;
                mood.waiting.drain(..).for_each(Waker::wake);
                mood.is_full
            };
            if is_full {
                return Err(Failure::Passing("full".to_owned()));
            }
            self.memory.write(batch).await
        })
    }

    fn forget(&self, date: u64, limit: usize) -> Asked<'_, u64> {
        self.memory.forget(date, limit)
    }

    fn check(&self) -> Asked<'_, ()> {
        self.memory.check()
    }

    fn close(&self) -> Asked<'_, ()> {
        self.memory.close()
    }

    fn pending<'a>(&'a self, receiver: &'a str, after: u64, limit: usize) -> Asked<'a, Vec<StoredMessage>> {
        self.memory.pending(receiver, after, limit)
    }

    fn pending_counts<'a>(&'a self, receiver: &'a str) -> Asked<'a, BTreeMap<String, u64>> {
        self.memory.pending_counts(receiver)
    }

    fn history<'a>(&'a self, conversation: &'a Conversation, page: Page) -> Asked<'a, Vec<StoredMessage>> {
        Box::pin(async move {
            self.until(|mood| mood.slow != Slow::Reads).await;
            let found = self.memory.history(conversation, page).await;
            self.until(|mood| mood.slow != Slow::Answers).await;
            found
        })
    }

    fn conversations<'a>(
        &'a self,
        user: &'a str,
        before: Option<u64>,
        limit: usize,
    ) -> Asked<'a, Vec<ConversationSummary>> {
        self.memory.conversations(user, before, limit)
    }
}

/// The database of a test.
#[derive(Debug, Default)]
pub(super) struct Held(pub(super) Arc<Moody>);
