use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::ready;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::backend::{Asked, Database, Write, Written};
use crate::message::{MAX_PAGE, page_of};
use crate::{
    Appended, Conversation, ConversationSummary, Kind, Name, NewMessage, Page, State, StoredMessage,
};

/// Beyond so many messages the oldest that waits for nobody is forgotten; the oldest of all, if all wait.
const MAX_MESSAGES: usize = 100_000;

/// A database in plain memory, for tests and for a server without a state directory. Its answers are there at the first poll,
/// whatever runtime there is or is not.
#[derive(Debug, Default)]
pub struct Memory {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    messages: BTreeMap<u64, StoredMessage>,
    places: HashMap<Key, u64>,
    last: u64,
    /// Those that wait for nobody.
    settled: BTreeSet<u64>,
    /// What waits of each sender, and of which kind.
    waiting: HashMap<(String, Kind), u64>,
}

/// Receiver and name.
type Key = (String, Name);

impl Memory {
    /// With numbers that begin after this one; else they begin with 1.
    pub fn after(seq: u64) -> Self {
        Self { tables: Mutex::new(Tables { last: seq, ..Tables::default() }) }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // No change is left half done by a panic.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer<'a, T: Send + 'a>(value: T) -> Asked<'a, T> {
    Box::pin(ready(Ok(value)))
}

impl Database for Memory {
    fn write<'a>(&'a self, batch: &'a [Write]) -> Asked<'a, Vec<Written>> {
        Box::pin(async {
            let mut tables = self.tables();
            Ok(batch.iter().map(|write| tables.write(write)).collect())
        })
    }

    fn forget(&self, date: u64, limit: usize) -> Asked<'_, u64> {
        let mut tables = self.tables();
        let old: Vec<u64> =
            tables.messages.values().filter(|m| m.date < date).take(limit).map(|m| m.seq).collect();
        old.iter().for_each(|seq| tables.remove(*seq));
        answer(old.len() as u64)
    }

    fn check(&self) -> Asked<'_, ()> {
        answer(())
    }

    fn close(&self) -> Asked<'_, ()> {
        answer(())
    }

    fn pending<'a>(&'a self, receiver: &'a str, after: u64, limit: usize) -> Asked<'a, Vec<StoredMessage>> {
        let tables = self.tables();
        let later = tables.messages.range(after.saturating_add(1)..).map(|(_, message)| message);
        answer(later.filter(|m| waits(m, receiver)).take(limit.min(MAX_PAGE)).cloned().collect())
    }

    fn pending_counts<'a>(&'a self, receiver: &'a str) -> Asked<'a, BTreeMap<String, u64>> {
        let mut counts = BTreeMap::new();
        for message in self.tables().messages.values().filter(|m| waits(m, receiver)) {
            *counts.entry(message.sender.clone()).or_default() += 1;
        }
        answer(counts)
    }

    fn history<'a>(&'a self, conversation: &'a Conversation, page: Page) -> Asked<'a, Vec<StoredMessage>> {
        let tables = self.tables();
        let within = tables.messages.values().filter(|m| {
            m.conversation == *conversation
                && m.kind != Kind::Receipt
                && page.before.is_none_or(|before| m.seq < before)
                && page.after.is_none_or(|after| m.seq > after)
        });
        answer(match page.after {
            Some(_) => page_of(within.cloned(), page.limit, StoredMessage::size),
            None => {
                let mut newest = page_of(within.rev().cloned(), page.limit, StoredMessage::size);
                newest.reverse();
                newest
            }
        })
    }

    fn conversations<'a>(
        &'a self,
        user: &'a str,
        before: Option<u64>,
        limit: usize,
    ) -> Asked<'a, Vec<ConversationSummary>> {
        let tables = self.tables();
        let mut summaries: Vec<ConversationSummary> = Vec::new();
        let own = |m: &&StoredMessage| m.kind == Kind::Message && (m.sender == user || m.receiver == user);
        for message in tables.messages.values().rev().filter(own) {
            let with = if message.sender == user { &message.receiver } else { &message.sender };
            let index = summaries.iter().position(|summary| summary.with == *with).unwrap_or_else(|| {
                summaries.push(ConversationSummary { with: with.clone(), last: message.clone(), unread: 0 });
                summaries.len() - 1
            });
            let is_unread = message.receiver == user && message.state < State::Read;
            if let Some(summary) = summaries.get_mut(index).filter(|_| is_unread) {
                summary.unread += 1;
            }
        }
        summaries.retain(|summary| before.is_none_or(|before| summary.last.seq < before));
        answer(page_of(summaries.into_iter(), limit, |summary| summary.last.size()))
    }
}

fn waits(message: &StoredMessage, receiver: &str) -> bool {
    message.receiver == receiver && message.waits()
}

impl Tables {
    fn write(&mut self, write: &Write) -> Written {
        match write {
            Write::Append(message) => Written::Appended(self.append(message)),
            Write::AppendWithin(message, max) => self.append_within(message, *max),
            Write::Delivered { receiver, names } => {
                for name in names.iter().filter(|name| name.kind != Kind::Room) {
                    let place = self.places.get(&(receiver.clone(), name.clone()));
                    if let Some(seq) = place.copied() {
                        self.advance(seq, State::Delivered);
                    }
                }
                Written::Delivered
            }
            Write::Read { receiver, sender, ids } => {
                Written::Read(ids.iter().filter(|id| self.read(receiver, sender, id)).cloned().collect())
            }
        }
    }

    fn append(&mut self, message: &NewMessage) -> Appended {
        // A repeat uses up a number too, as in SQLite.
        self.last += 1;
        if let Some(stored) = self.repeat(message) {
            return stored;
        }
        self.places.insert((message.receiver.clone(), message.name()), self.last);
        let stored = StoredMessage::new(self.last, message.clone());
        if stored.waits() {
            *self.waiting.entry((stored.sender.clone(), stored.kind)).or_default() += stored.waiting_bytes();
        } else {
            self.settled.insert(self.last);
        }
        self.messages.insert(self.last, stored);
        if self.messages.len() > MAX_MESSAGES
            && let Some(oldest) = self.settled.first().or_else(|| self.messages.keys().next())
        {
            self.remove(*oldest);
        }
        Appended { seq: self.last, date: message.date, is_repeat: false }
    }

    fn append_within(&mut self, message: &NewMessage, max: u64) -> Written {
        let waiting = self.waiting.get(&(message.sender.clone(), message.kind)).copied().unwrap_or_default();
        if !message.waits() || waiting + message.waiting_bytes() <= max {
            return Written::Appended(self.append(message));
        }
        self.repeat(message).map_or(Written::TooMuch, Written::Appended)
    }

    /// What is there already.
    fn repeat(&mut self, message: &NewMessage) -> Option<Appended> {
        let seq = *self.places.get(&(message.receiver.clone(), message.name()))?;
        self.advance(seq, message.state());
        let StoredMessage { seq, date, .. } = *self.messages.get(&seq)?;
        Some(Appended { seq, date, is_repeat: true })
    }

    fn advance(&mut self, seq: u64, state: State) {
        let Some(message) = self.messages.get_mut(&seq) else { return };
        let waited =
            message.waits().then(|| ((message.sender.clone(), message.kind), message.waiting_bytes()));
        message.state = message.state.max(state);
        if let Some((whose, bytes)) = waited.filter(|_| !message.waits()) {
            self.settled.insert(seq);
            self.waits_no_more(&whose, bytes);
        }
    }

    fn waits_no_more(&mut self, whose: &(String, Kind), bytes: u64) {
        let Some(waiting) = self.waiting.get_mut(whose) else { return };
        *waiting = waiting.saturating_sub(bytes);
        if *waiting == 0 {
            self.waiting.remove(whose);
        }
    }

    /// Whether it was not read before.
    fn read(&mut self, receiver: &str, sender: &str, id: &str) -> bool {
        let name = Name { sender: sender.to_owned(), id: id.to_owned(), kind: Kind::Message };
        let key = (receiver.to_owned(), name);
        let stored = self.places.get(&key).and_then(|seq| self.messages.get(seq));
        let Some(seq) = stored.filter(|m| m.state < State::Read).map(|m| m.seq) else {
            return false;
        };
        self.advance(seq, State::Read);
        true
    }

    fn remove(&mut self, seq: u64) {
        self.settled.remove(&seq);
        if let Some(message) = self.messages.remove(&seq) {
            if message.waits() {
                self.waits_no_more(&(message.sender.clone(), message.kind), message.waiting_bytes());
            }
            let name = message.name();
            self.places.remove(&(message.receiver, name));
        }
    }
}
