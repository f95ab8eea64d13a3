//! Who is here: the one way to another peer by its name. (A cluster's directory will stand in this place.)

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use papaya::Operation;

use rtcd_sdk::Peer;

use crate::actor::{Address, Name};

/// All actors of this node.
pub(crate) struct Directory {
    actors: papaya::HashMap<Name, Address, foldhash::quality::RandomState>,
    /// The same in the order in which they came: listings go through it page by page.
    order: Mutex<BTreeMap<u64, Address>>,
    /// A user's devices, in the order in which they came.
    devices: Mutex<HashMap<String, Vec<Address>>>,
    numbers: AtomicU64,
}

impl Directory {
    pub(crate) fn new() -> Self {
        Self {
            actors: papaya::HashMap::with_hasher(foldhash::quality::RandomState::default()),
            order: Mutex::default(),
            devices: Mutex::default(),
            numbers: AtomicU64::new(0),
        }
    }

    /// The peer of a user that has a socket or state here: that of the device, or else the one without a device, or the device that
    /// came last.
    pub(crate) fn user(&self, user: &str, device: Option<&str>) -> Option<Address> {
        let found = self.find(&Name::User(Peer::new(user, device)));
        if found.is_some() || device.is_some() {
            return found;
        }
        self.devices().get(user)?.last().cloned()
    }

    /// All peers of a user.
    pub(crate) fn all_of(&self, user: &str) -> Vec<Address> {
        let alone = self.find(&Name::User(Peer::new(user, None)));
        let devices = self.devices();
        alone.into_iter().chain(devices.get(user).into_iter().flatten().cloned()).collect()
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
                if let Some(user) = user_of_device(&address) {
                    self.devices().entry(user).or_default().push(address.clone());
                }
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
        let Some(user) = user_of_device(address) else { return };
        let mut devices = self.devices();
        if let Some(of_user) = devices.get_mut(&user) {
            of_user.retain(|there| !there.is(address));
            if of_user.is_empty() {
                devices.remove(&user);
            }
        }
    }

    /// The actor that came next after a number.
    pub(crate) fn after(&self, number: u64) -> Option<Address> {
        self.order().range((Bound::Excluded(number), Bound::Unbounded)).next().map(|(_, there)| there.clone())
    }

    fn devices(&self) -> MutexGuard<'_, HashMap<String, Vec<Address>>> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn order(&self) -> MutexGuard<'_, BTreeMap<u64, Address>> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All actors, in no order.
    pub(crate) fn all(&self) -> Vec<Address> {
        self.actors.pin().values().cloned().collect()
    }
}

/// The user, if this is the peer of a device.
fn user_of_device(address: &Address) -> Option<String> {
    let peer = address.name().peer()?;
    peer.device().map(|_| peer.user().to_owned())
}

/// Whether an actor was added to the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    Yes,
    No,
}
