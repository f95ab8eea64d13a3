//! Who is here: the one way to another peer by its name. (A cluster's directory will stand in this place.)

use std::sync::Arc;

use papaya::{HashMap, Operation};

use crate::actor::{Address, Name};

/// All actors of this node.
pub(crate) struct Directory {
    actors: HashMap<Name, Address, foldhash::quality::RandomState>,
}

impl Directory {
    pub(crate) fn new() -> Self {
        Self { actors: HashMap::with_hasher(foldhash::quality::RandomState::default()) }
    }

    /// The peer of a user that has a socket or state here.
    pub(crate) fn user(&self, user: &str) -> Option<Address> {
        self.find(&Name::User(Arc::from(user)))
    }

    pub(crate) fn find(&self, name: &Name) -> Option<Address> {
        self.actors.pin().get(name).cloned()
    }

    /// The actor of this name, or the one that `make` gives. `make` may be called in vain.
    pub(crate) fn find_or_add(&self, name: &Name, make: impl Fn() -> Address) -> (Address, Added) {
        let actors = self.actors.pin();
        if let Some(address) = actors.get(name) {
            return (address.clone(), Added::No);
        }
        let address = make();
        match actors.try_insert(name.clone(), address.clone()) {
            Ok(_) => (address, Added::Yes),
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
