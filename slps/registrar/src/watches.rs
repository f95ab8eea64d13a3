use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::mem;
use std::ops::Bound;
use std::sync::Arc;

use rtcd_sdk::Peer;
use rtcd_sdk::jsip::ByteString;

use crate::mail::WatchId;
use crate::presence::Document;
use crate::watch::Watch;

/// All subscriptions: by number, by who is watched, by who watches.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    by_id: HashMap<WatchId, Watch>,
    by_user: HashMap<ByteString, Watched>,
    by_peer: HashMap<Peer, BTreeMap<ByteString, WatchId>>,
    /// How many each user has, with all devices; never 0.
    counts: HashMap<ByteString, usize>,
    made: u64,
    /// Users of whom not all watchers have been looked at since they changed; they take turns.
    fan_outs: VecDeque<ByteString>,
}

/// A user that somebody watches.
#[derive(Debug)]
struct Watched {
    document: Arc<Document>,
    watches: BTreeSet<WatchId>,
    fan_out: FanOut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FanOut {
    Done,
    /// All up to this one have been looked at.
    After(Option<WatchId>),
}

impl Watches {
    pub(crate) fn find(&self, peer: &Peer, user: &str) -> Option<WatchId> {
        self.by_peer.get(peer)?.get(user).copied()
    }

    pub(crate) fn find_mut(&mut self, id: WatchId) -> Option<&mut Watch> {
        self.by_id.get_mut(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// How many a device has.
    pub(crate) fn len_of(&self, peer: &Peer) -> usize {
        self.by_peer.get(peer).map_or(0, BTreeMap::len)
    }

    /// How many a user has, with all devices.
    pub(crate) fn len_of_user(&self, user: &str) -> usize {
        self.counts.get(user).copied().unwrap_or(0)
    }

    /// Those of a device.
    pub(crate) fn of(&self, peer: &Peer) -> Vec<WatchId> {
        self.by_peer.get(peer).map(|watches| watches.values().copied().collect()).unwrap_or_default()
    }

    /// Adds one; the user's presence, if nobody watched it before, is as given.
    pub(crate) fn add(&mut self, watch: Watch, document: impl FnOnce(&str) -> Document) -> WatchId {
        self.made += 1;
        let id = WatchId(self.made);
        let watched = self.by_user.entry(watch.user.clone()).or_insert_with(|| Watched {
            document: Arc::new(document(&watch.user)),
            watches: BTreeSet::new(),
            fan_out: FanOut::Done,
        });
        watched.watches.insert(id);
        self.by_peer.entry(watch.peer.clone()).or_default().insert(watch.user.clone(), id);
        *self.counts.entry(ByteString::from(watch.peer.user())).or_default() += 1;
        self.by_id.insert(id, watch);
        id
    }

    pub(crate) fn remove(&mut self, id: WatchId) -> Option<Watch> {
        let watch = self.by_id.remove(&id)?;
        if let Some(watched) = self.by_user.get_mut(&watch.user) {
            watched.watches.remove(&id);
            if watched.watches.is_empty() {
                self.by_user.remove(&watch.user);
            }
        }
        if let Some(watches) = self.by_peer.get_mut(&watch.peer) {
            watches.remove(&watch.user);
            if watches.is_empty() {
                self.by_peer.remove(&watch.peer);
            }
        }
        if let Some(count) = self.counts.get_mut(watch.peer.user()) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(watch.peer.user());
            }
        }
        Some(watch)
    }

    /// The presence of a user that is watched.
    pub(crate) fn document(&self, user: &str) -> Option<Arc<Document>> {
        Some(self.by_user.get(user)?.document.clone())
    }

    /// A user's presence may have changed: if so, all that watch it are to be looked at.
    pub(crate) fn changed(&mut self, user: &str, document: impl FnOnce() -> Document) {
        let Some(watched) = self.by_user.get_mut(user) else { return };
        let document = document();
        if *watched.document == document {
            return;
        }
        watched.document = Arc::new(document);
        if mem::replace(&mut watched.fan_out, FanOut::After(None)) == FanOut::Done {
            self.fan_outs.push_back(ByteString::from(user));
        }
    }

    /// The next ones to look at, this many at most.
    pub(crate) fn next_turn(&mut self, budget: usize) -> Vec<WatchId> {
        // A user may be watched by nobody meanwhile, or by others anew.
        let Some(user) = self.fan_outs.pop_front() else { return Vec::new() };
        let Some(watched) = self.by_user.get_mut(&user) else { return Vec::new() };
        let FanOut::After(last) = watched.fan_out else { return Vec::new() };
        let from = last.map_or(Bound::Unbounded, Bound::Excluded);
        let ids: Vec<_> = watched.watches.range((from, Bound::Unbounded)).take(budget).copied().collect();
        if ids.len() < budget {
            watched.fan_out = FanOut::Done;
        } else {
            watched.fan_out = FanOut::After(ids.last().copied());
            self.fan_outs.push_back(user);
        }
        ids
    }

    /// Whether some are to be looked at.
    pub(crate) fn has_turns(&self) -> bool {
        !self.fan_outs.is_empty()
    }
}
