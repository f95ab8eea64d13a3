//! The contacts of all users: what other services look up.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::mem;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rtcd_sdk::Peer;
use rtcd_sdk::jsip::ByteString;

use crate::mail::Refusal;
use crate::presence::Presence;

/// Who is registered, and with which devices: one value for the whole process, by `load.shared::<Contacts>()`.
///
/// All of it is quick and waits for nobody. A contact whose time is over is taken out by the registrar, so what is found here is
/// there now, as far as anybody knows: a device that lost its network is a contact until its time is over, or until somebody
/// who had a 480 from it says [`gone`](Self::gone).
#[derive(Default)]
pub struct Contacts {
    book: Mutex<Book>,
    listeners: Mutex<Vec<Listener>>,
}

/// A device of a user that is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Where it is reached: [`Peer::uri`] is the Request-URI.
    pub peer: Peer,
    /// What it said of itself.
    pub presence: Presence,
    /// Until when it is registered.
    pub expires: Instant,
}

/// What [`Contacts::listen`] hears. It comes after the change, and two that cross may come in either order: what is true is what
/// [`Contacts::lookup`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A device has registered, and has its answer.
    Registered {
        /// Whose it is.
        user: ByteString,
        /// The device.
        contact: Contact,
        /// Whether it was no contact before.
        is_new: bool,
    },
    /// A device is no contact any more.
    Gone {
        /// Whose it was.
        user: ByteString,
        /// The device.
        peer: Peer,
    },
}

/// How much may be registered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) users: usize,
    pub(crate) contacts_per_user: usize,
}

type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

#[derive(Default)]
struct Book {
    /// Never without a contact; those of a user by device.
    users: HashMap<ByteString, Vec<Contact>>,
    /// The same users, in order.
    names: BTreeSet<ByteString>,
    expiry: BTreeSet<(Instant, Peer)>,
}

impl Contacts {
    /// The contacts of a user, sorted by device. None: the user is away.
    pub fn lookup(&self, user: &str) -> Vec<Contact> {
        self.book().users.get(user).cloned().unwrap_or_default()
    }

    /// From now on calls this for each event, in the task that brought it about: it must be as quick as a mail to somebody.
    pub fn listen(&self, listener: impl Fn(&Event) + Send + Sync + 'static) {
        lock(&self.listeners).push(Arc::new(listener));
    }

    /// Registers a device, or gives it more time or another presence, as its REGISTER would, without limits.
    pub fn register(&self, contact: Contact) {
        let is_new = self.book().put(contact.clone());
        self.announce(&Event::registered(contact, is_new));
    }

    /// Somebody saw that a device is not there: a 480 to what was sent to this contact. It is none any more, unless it has registered
    /// since.
    pub fn gone(&self, contact: &Contact) {
        let taken = {
            let mut book = self.book();
            let is_there = book.find(&contact.peer) == Some(contact);
            is_there.then(|| book.take(&contact.peer)).flatten()
        };
        if let Some(event) = taken {
            self.announce(&event);
        }
    }

    /// The server has forgotten a peer.
    pub(crate) fn peer_gone(&self, peer: &Peer) {
        if let Some(event) = self.take(peer) {
            self.announce(&event);
        }
    }

    /// What REGISTER does; the event is to be [announced](Self::announce) when the device has its answer.
    pub(crate) fn put(&self, contact: Contact, limits: Limits) -> Result<Event, Refusal> {
        let mut book = self.book();
        match book.users.get(contact.peer.user()) {
            Some(contacts) => {
                let is_known = contacts.iter().any(|known| known.peer == contact.peer);
                if !is_known && contacts.len() >= limits.contacts_per_user {
                    return Err(Refusal::TooManyContacts);
                }
            }
            None if book.users.len() >= limits.users => return Err(Refusal::TooManyUsers),
            None => {}
        }
        let is_new = book.put(contact.clone());
        Ok(Event::registered(contact, is_new))
    }

    /// Takes a contact out; the event is to be announced.
    pub(crate) fn take(&self, peer: &Peer) -> Option<Event> {
        self.book().take(peer)
    }

    /// Takes out contacts whose time is over, this many at most.
    pub(crate) fn expire(&self, now: Instant, budget: usize) {
        for _ in 0..budget {
            let Some(event) = self.book().take_expired(now) else { return };
            self.announce(&event);
        }
    }

    /// When the next contact's time is over.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.book().expiry.first().map(|(at, _)| *at)
    }

    pub(crate) fn find(&self, peer: &Peer) -> Option<Contact> {
        self.book().find(peer).cloned()
    }

    /// Users with a contact, sorted: those after this one, so many at most.
    pub(crate) fn users(&self, after: &str, limit: usize) -> Vec<ByteString> {
        let after = (Bound::Excluded(after), Bound::Unbounded);
        self.book().names.range::<str, _>(after).take(limit).cloned().collect()
    }

    pub(crate) fn announce(&self, event: &Event) {
        // Without the lock: a listener may look something up.
        let listeners = lock(&self.listeners).clone();
        for listener in listeners {
            listener(event);
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.book)
    }
}

impl Book {
    fn find(&self, peer: &Peer) -> Option<&Contact> {
        self.users.get(peer.user())?.iter().find(|known| known.peer == *peer)
    }

    /// Whether the contact is new.
    fn put(&mut self, contact: Contact) -> bool {
        self.expiry.insert((contact.expires, contact.peer.clone()));
        let contacts = match self.users.get_mut(contact.peer.user()) {
            Some(contacts) => contacts,
            None => {
                let user = ByteString::from(contact.peer.user());
                self.names.insert(user.clone());
                self.users.entry(user).or_default()
            }
        };
        let known = contacts.iter_mut().find(|known| known.peer == contact.peer);
        match known {
            Some(known) => {
                let before = mem::replace(known, contact);
                if before.expires != known.expires {
                    self.expiry.remove(&(before.expires, before.peer));
                }
                false
            }
            None => {
                let at = contacts.partition_point(|other| other.peer.device() < contact.peer.device());
                contacts.insert(at, contact);
                true
            }
        }
    }

    fn take(&mut self, peer: &Peer) -> Option<Event> {
        let contacts = self.users.get_mut(peer.user())?;
        let at = contacts.iter().position(|known| known.peer == *peer)?;
        let Contact { peer, expires, .. } = contacts.remove(at);
        let user = ByteString::from(peer.user());
        if contacts.is_empty() {
            self.users.remove(&user);
            self.names.remove(&user);
        }
        let entry = (expires, peer);
        self.expiry.remove(&entry);
        Some(Event::Gone { user, peer: entry.1 })
    }

    fn take_expired(&mut self, now: Instant) -> Option<Event> {
        let (at, peer) = self.expiry.first()?;
        if *at > now {
            return None;
        }
        let peer = peer.clone();
        self.take(&peer)
    }
}

impl Event {
    /// The device that it is about.
    pub fn peer(&self) -> &Peer {
        match self {
            Self::Registered { contact, .. } => &contact.peer,
            Self::Gone { peer, .. } => peer,
        }
    }

    fn registered(contact: Contact, is_new: bool) -> Self {
        Self::Registered { user: ByteString::from(contact.peer.user()), contact, is_new }
    }
}

impl fmt::Debug for Contacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contacts").field("users", &self.book().users.len()).finish_non_exhaustive()
    }
}

/// What was held is whole at any time: nothing here panics halfway.
fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
