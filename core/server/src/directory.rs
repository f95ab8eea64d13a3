//! Who is here: the one way to another peer by its name. (A cluster's directory will stand in this place.)

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use papaya::{HashMap, Operation};

use crate::actor::{Address, Name};

/// All actors of this node.
pub(crate) struct Directory {
    actors: HashMap<Name, Address, foldhash::quality::RandomState>,
    /// The same in the order in which they came: listings go through it page by page.
    order: Mutex<BTreeMap<u64, Address>>,
    numbers: AtomicU64,
}

impl Directory {
    pub(crate) fn new() -> Self {
        Self {
            actors: HashMap::with_hasher(foldhash::quality::RandomState::default()),
            order: Mutex::default(),
            numbers: AtomicU64::new(0),
        }
    }

    /// The peer of a user that has a socket or state here.
    pub(crate) fn user(&self, user: &str) -> Option<Address> {
        self.find(&Name::User(Arc::from(user)))
    }

    pub(crate) fn find(&self, name: &Name) -> Option<Address> {
        self.actors.pin().get(name).cloned()
    }

    /// A number that no actor has had.
    pub(crate) fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Relaxed) + 1
    }

    /// The actor of this name, or the one that `make` gives for a number. `make` may be called in vain.
    pub(crate) fn find_or_add(&self, name: &Name, make: impl Fn(u64) -> Address) -> (Address, Added) {
        let actors = self.actors.pin();
        if let Some(address) = actors.get(name) {
            return (address.clone(), Added::No);
        }
        let address = make(self.next_number());
        match actors.try_insert(name.clone(), address.clone()) {
            Ok(_) => {
                self.order().insert(address.number(), address.clone());
                (address, Added::Yes)
            }
            Err(taken) => (taken.current.clone(), Added::No),
        }
    }

    /// Takes an actor out, if it is the one that stands under its name.
    pub(crate) fn remove(&self, address: &Address) {
        let actors = self.actors.pin();
        actors.compute(address.name().clone(), |entry| match entry {
            Some((_, there)) if there.is(address) => Operation::Remove,
            Some(_) | None => Operation::<Address, ()>::Abort(()),
        });
        self.order().remove(&address.number());
    }

    /// The actor that came next after a number.
    pub(crate) fn after(&self, number: u64) -> Option<Address> {
        self.order().range((Bound::Excluded(number), Bound::Unbounded)).next().map(|(_, there)| there.clone())
    }

    fn order(&self) -> MutexGuard<'_, BTreeMap<u64, Address>> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All actors, in no order.
    pub(crate) fn all(&self) -> Vec<Address> {
        self.actors.pin().values().cloned().collect()
    }
}

/// Whether an actor was added to the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    Yes,
    No,
}
