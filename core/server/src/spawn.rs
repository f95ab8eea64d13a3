//! The tasks of the process that are no actors: each is spawned with a kind and a name, and listed while it lives.
//!
//! What lives long and in large numbers, an actor for each peer and the tasks that it hosts, is not listed here: the directory
//! knows them, and they are asked. So an idle connection costs nothing here.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::ops::Bound;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::actor::{Name, TaskKey};

/// All listed tasks. A clone is the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spawned(Arc<Listed>);

#[derive(Debug, Default)]
struct Listed {
    numbers: AtomicU64,
    entries: Mutex<BTreeMap<u64, Arc<Entry>>>,
    live: [AtomicI64; Kind::ALL.len()],
}

/// What a task is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Accepts connections.
    Listener,
    /// An HTTP connection of a client, until it is a WebSocket.
    Connection,
    /// An HTTP connection to the API side.
    Caller,
    /// Turns a connection into a WebSocket.
    Upgrade,
    /// Says goodbye on a WebSocket.
    Closer,
    /// Dials a next hop.
    Dial,
    /// A handler that waits.
    Handler,
    /// Reads settings again when it is told to.
    Reloader,
    /// Looks whether there is too much work.
    Watch,
}

impl Kind {
    pub(crate) const ALL: [Self; 9] = [
        Self::Listener,
        Self::Connection,
        Self::Caller,
        Self::Upgrade,
        Self::Closer,
        Self::Dial,
        Self::Handler,
        Self::Reloader,
        Self::Watch,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Connection => "connection",
            Self::Caller => "caller",
            Self::Upgrade => "upgrade",
            Self::Closer => "closer",
            Self::Dial => "dial",
            Self::Handler => "handler",
            Self::Reloader => "reloader",
            Self::Watch => "watch",
        }
    }
}

/// Whose task it is. Made into text only when somebody looks.
#[derive(Debug, Clone)]
pub(crate) enum Who {
    Named(&'static str),
    Remote(SocketAddr),
    Actor(Name),
    Task(Name, TaskKey),
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::Remote(address) => fmt::Display::fmt(address, f),
            Self::Actor(name) => fmt::Display::fmt(name, f),
            Self::Task(home, key) => write!(f, "{key} of {home}"),
        }
    }
}

/// What a task waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitsFor {
    Connections,
    Handshake,
    Request,
    Answer,
    Hook,
    Upgrade,
    Goodbye,
    Pause,
    Hop,
    Home,
    Handler,
    Signal,
}

impl WaitsFor {
    const ALL: [Self; 12] = [
        Self::Connections,
        Self::Handshake,
        Self::Request,
        Self::Answer,
        Self::Hook,
        Self::Upgrade,
        Self::Goodbye,
        Self::Pause,
        Self::Hop,
        Self::Home,
        Self::Handler,
        Self::Signal,
    ];

    fn text(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Handshake => "the client's part of the TLS handshake",
            Self::Answer => "an API's answer",
            Self::Request => "an HTTP request, or its answer to be read",
            Self::Hook => "the answer of the authentication hook",
            Self::Upgrade => "the connection to be free for a WebSocket",
            Self::Goodbye => "the other side's goodbye",
            Self::Pause => "the pause before the next try",
            Self::Hop => "the hop's answer",
            Self::Home => "its home, to do what it sent",
            Self::Handler => "what the handler awaits",
            Self::Signal => "an operator's signal",
        }
    }
}

/// A task that is listed.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    who: Who,
    since: Instant,
    waits_for: AtomicU8,
}

impl Entry {
    pub(crate) fn name(&self) -> String {
        self.who.to_string()
    }

    pub(crate) fn age_seconds(&self) -> u64 {
        self.since.elapsed().as_secs()
    }

    pub(crate) fn waits_for(&self) -> &'static str {
        let at = usize::from(self.waits_for.load(Relaxed));
        WaitsFor::ALL.get(at).map_or("", |waits_for| waits_for.text())
    }
}

/// By this a task says what it waits for now.
#[derive(Debug, Clone)]
pub(crate) struct Doing(Arc<Entry>);

impl Doing {
    pub(crate) fn waits_for(&self, what: WaitsFor) {
        self.0.waits_for.store(what as u8, Relaxed);
    }
}

impl Spawned {
    /// Spawns a task and lists it until it ends.
    pub(crate) fn spawn<F>(
        &self,
        kind: Kind,
        who: Who,
        waits_for: WaitsFor,
        task: impl FnOnce(Doing) -> F,
    ) -> JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let entry =
            Arc::new(Entry { kind, who, since: Instant::now(), waits_for: AtomicU8::new(waits_for as u8) });
        let number = self.0.numbers.fetch_add(1, Relaxed) + 1;
        self.0.entries().insert(number, entry.clone());
        self.0.count(kind, 1);
        let listed = Listing { number, kind, list: self.0.clone() };
        tokio::spawn(task(Doing(entry)).map(move |()| drop(listed)))
    }

    /// Live tasks of a kind.
    pub(crate) fn live(&self, kind: Kind) -> i64 {
        self.0.live.get(kind as usize).map_or(0, |live| live.load(Relaxed))
    }

    /// So many tasks of a kind, or of all, in the order in which they were spawned; those after a number.
    pub(crate) fn after(&self, number: u64, kind: Option<Kind>, most: usize) -> Vec<(u64, Arc<Entry>)> {
        /// So many are looked at before others may spawn again.
        const LOOK: usize = 256;
        let mut found = Vec::new();
        let mut last = number;
        loop {
            let entries = self.0.entries();
            let mut looked = 0;
            for (number, entry) in
                entries.range((Bound::Excluded(last), Bound::Unbounded)).take(LOOK.min(most))
            {
                looked += 1;
                last = *number;
                if kind.is_none_or(|kind| kind == entry.kind) {
                    found.push((*number, entry.clone()));
                }
                if found.len() >= most {
                    return found;
                }
            }
            if looked == 0 {
                return found;
            }
        }
    }
}

impl Listed {
    fn entries(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, kind: Kind, change: i64) {
        if let Some(live) = self.live.get(kind as usize) {
            live.fetch_add(change, Relaxed);
        }
    }
}

/// Takes its task off the list, however that ends.
struct Listing {
    number: u64,
    kind: Kind,
    list: Arc<Listed>,
}

impl Drop for Listing {
    fn drop(&mut self) {
        self.list.entries().remove(&self.number);
        self.list.count(self.kind, -1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tasks_are_listed_while_they_live() {
        let spawned = Spawned::default();
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let closer = spawned.spawn(Kind::Closer, Who::Named("one"), WaitsFor::Goodbye, async |doing| {
            doing.waits_for(WaitsFor::Hop);
            let _ = ended.await;
        });
        let never = spawned.spawn(Kind::Dial, Who::Named("two"), WaitsFor::Pause, |_| std::future::pending());
        let panics =
            spawned.spawn(Kind::Dial, Who::Named("three"), WaitsFor::Pause, async |_| panic!("a test"));
        assert!(panics.await.is_err());
        let list = |kind| -> Vec<_> {
            spawned
                .after(0, kind, 10)
                .into_iter()
                .map(|(number, entry)| (number, entry.name(), entry.waits_for()))
                .collect()
        };
        let two = (2, "two".to_owned(), "the pause before the next try");
        assert_eq!(list(None), [(1, "one".to_owned(), "the hop's answer"), two.clone()]);
        assert_eq!(list(Some(Kind::Dial)), std::slice::from_ref(&two));
        assert_eq!(spawned.after(0, None, 1).len(), 1);
        assert_eq!(spawned.after(1, None, 1).len(), 1);
        end.send(()).unwrap();
        closer.await.unwrap();
        assert_eq!(list(None), [two]);
        never.abort();
        assert!(never.await.is_err());
        assert_eq!(list(None), []);
        assert_eq!((spawned.live(Kind::Closer), spawned.live(Kind::Dial)), (0, 0));
    }
}
