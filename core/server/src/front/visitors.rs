//! Who is here, and how often they come.
//!
//! What is known of an address vanishes when its last connection has gone and its buckets are full again, so the table holds at most
//! one entry for each connection, and for each that was tried within the last second.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::bucket::Bucket;
use super::refusal::Refusal;
use crate::config::LimitSettings;

/// All visitors of the RTC side, and how many the API side has.
#[derive(Debug)]
pub(crate) struct Visitors {
    seats: Arc<AtomicUsize>,
    seats_of_callers: Arc<AtomicUsize>,
    addresses: Arc<Mutex<Table>>,
    users: Mutex<Table>,
    /// Users are known by a number: their names can be long.
    hasher: RandomState,
}

impl Visitors {
    pub(crate) fn new() -> Self {
        Self {
            seats: Arc::default(),
            seats_of_callers: Arc::default(),
            addresses: Arc::default(),
            users: Mutex::default(),
            hasher: RandomState::new(),
        }
    }

    /// Counts a connection, until what this gives is dropped. So many may be here, and there are files for so many.
    pub(super) fn sit(&self, most: usize, files: usize) -> Result<Seat, Refusal> {
        Seat::take(&self.seats, (most, Refusal::Full), files)
    }

    /// The same of the API side.
    pub(super) fn sit_as_caller(&self, most: usize, files: usize) -> Result<Seat, Refusal> {
        Seat::take(&self.seats_of_callers, (most, Refusal::Callers), files)
    }

    /// Counts a connection of an address, until what this gives is dropped.
    pub(super) fn enter(&self, address: IpAddr, limits: &LimitSettings) -> Result<Pass, Refusal> {
        let now = Instant::now();
        let visitor = lock(&self.addresses).visit(key(address), now);
        // From here on it goes when the pass does.
        let pass = Pass { visitor, table: self.addresses.clone() };
        let most = limits.address_connections;
        if most > 0 && pass.visitor.connections.load(Relaxed) > most {
            return Err(Refusal::AddressConnections);
        }
        if limits.address_connects > 0 {
            pass.visitor.connects.take(now, limits.address_connects).map_err(Refusal::AddressConnects)?;
        }
        Ok(pass)
    }

    /// Counts a new connection of a user.
    pub(crate) fn connect(&self, user: &str, limits: &LimitSettings) -> Result<(), Refusal> {
        if limits.user_connects == 0 {
            return Ok(());
        }
        let now = Instant::now();
        let mut users = lock(&self.users);
        let visitor = users.visit(u128::from(self.hasher.hash_one(user)), now);
        let taken = visitor.connects.take(now, limits.user_connects);
        users.leave(&visitor, now);
        taken.map_err(Refusal::UserConnects)
    }

    /// Counts a call of a user.
    ///
    /// # Errors
    /// How long it takes until there may be another one.
    pub(crate) fn call(&self, user: &str, limits: &LimitSettings) -> Result<(), Duration> {
        if limits.user_requests == 0 {
            return Ok(());
        }
        let now = Instant::now();
        let mut users = lock(&self.users);
        let visitor = users.visit(u128::from(self.hasher.hash_one(user)), now);
        let taken = visitor.requests.take(now, limits.user_requests);
        users.leave(&visitor, now);
        taken
    }

    /// Connections that are open.
    pub(crate) fn connections(&self) -> usize {
        self.seats.load(Relaxed)
    }

    /// Addresses that are known.
    pub(crate) fn addresses(&self) -> usize {
        lock(&self.addresses).visitors.len()
    }
}

/// A connection that is counted.
#[derive(Debug)]
pub(crate) struct Seat(Arc<AtomicUsize>);

impl Seat {
    fn take(seats: &Arc<AtomicUsize>, (most, full): (usize, Refusal), files: usize) -> Result<Self, Refusal> {
        let seat = Self(seats.clone());
        // The seat gives it back in any case.
        match seat.0.fetch_add(1, Relaxed) {
            here if here >= most => Err(full),
            here if here >= files => Err(Refusal::Files),
            _ => Ok(seat),
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// A connection that is counted at its address.
#[derive(Debug)]
pub(crate) struct Pass {
    visitor: Arc<Visitor>,
    table: Arc<Mutex<Table>>,
}

impl Pass {
    /// Counts a request of this address.
    ///
    /// # Errors
    /// How long it takes until there may be another one.
    pub(crate) fn request(&self, now: Instant, rate: u32) -> Result<(), Duration> {
        self.visitor.requests.take(now, rate)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        lock(&self.table).leave(&self.visitor, Instant::now());
    }
}

/// What is known of an address, or of a user.
#[derive(Debug)]
struct Visitor {
    key: u128,
    /// Changed under the table's lock.
    connections: AtomicUsize,
    connects: Bucket,
    requests: Bucket,
}

impl Visitor {
    fn is_gone(&self, now: Instant) -> bool {
        self.connections.load(Relaxed) == 0 && self.connects.is_full(now) && self.requests.is_full(now)
    }
}

#[derive(Debug, Default)]
struct Table {
    visitors: HashMap<u128, Arc<Visitor>, foldhash::fast::RandomState>,
    /// Those that have gone and whose buckets fill, with the time when these are full at last.
    leaving: VecDeque<(Instant, u128)>,
}

impl Table {
    /// One more connection. What has gone meanwhile is forgotten.
    fn visit(&mut self, key: u128, now: Instant) -> Arc<Visitor> {
        while let Some((_, gone)) = self.leaving.pop_front_if(|(full_at, _)| *full_at <= now) {
            if self.visitors.get(&gone).is_some_and(|visitor| visitor.is_gone(now)) {
                self.visitors.remove(&gone);
            }
        }
        let visitor = self.visitors.entry(key).or_insert_with(|| {
            Arc::new(Visitor {
                key,
                connections: AtomicUsize::new(0),
                connects: Bucket::new(now),
                requests: Bucket::new(now),
            })
        });
        visitor.connections.fetch_add(1, Relaxed);
        visitor.clone()
    }

    fn leave(&mut self, visitor: &Visitor, now: Instant) {
        /// As much as a bucket holds.
        const FILL: Duration = Duration::from_secs(1);
        if visitor.connections.fetch_sub(1, Relaxed) > 1 {
            return;
        }
        if visitor.is_gone(now) {
            self.visitors.remove(&visitor.key);
        } else {
            self.leaving.push_back((now + FILL, visitor.key));
        }
    }
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What counts as one address: of IPv6 the first half, for whoever has one has all that begin like it.
fn key(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits() & !u128::from(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[tokio::test(start_paused = true)]
    async fn a_scan_leaves_nothing() {
        let visitors = Visitors::new();
        let limits = LimitSettings { address_connects: 1, ..LimitSettings::default() };
        for second in 0..20 {
            for number in 0..1000 {
                drop(visitors.enter(address(second * 1000 + number), &limits).unwrap());
                let refused = visitors.enter(address(second * 1000 + number), &limits).unwrap_err();
                assert_eq!(refused, Refusal::AddressConnects(Duration::from_secs(1)));
            }
            assert_eq!(visitors.addresses(), 1000);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        drop(visitors.enter(address(0), &LimitSettings::default()).unwrap());
        assert_eq!(visitors.addresses(), 0);
        assert!(lock(&visitors.addresses).leaving.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_here_stays_known() {
        let visitors = Visitors::new();
        let limits =
            LimitSettings { address_connections: 2, address_connects: 100, ..LimitSettings::default() };
        let first = visitors.enter(address(1), &limits).unwrap();
        let second = visitors.enter(address(1), &limits).unwrap();
        assert_eq!(visitors.enter(address(1), &limits).unwrap_err(), Refusal::AddressConnections);
        let _other = visitors.enter(address(2), &limits).unwrap();
        drop(first);
        let third = visitors.enter(address(1), &limits).unwrap();
        assert_eq!(visitors.enter(address(1), &limits).unwrap_err(), Refusal::AddressConnections);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(visitors.enter(address(1), &limits).unwrap_err(), Refusal::AddressConnections);
        drop((second, third));
        // Its buckets were full, so it went at once.
        assert_eq!(visitors.addresses(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn users_by_the_second() {
        let visitors = Visitors::new();
        let limits = LimitSettings { user_connects: 2, ..LimitSettings::default() };
        assert_eq!((0..10).filter(|_| visitors.connect("a", &limits).is_ok()).count(), 2);
        assert_eq!(visitors.connect("b", &limits), Ok(()));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(visitors.connect("a", &limits), Ok(()));
        assert_eq!(lock(&visitors.users).visitors.len(), 1);
    }

    #[test]
    fn seats() {
        let visitors = Visitors::new();
        let seat = visitors.sit(1, 1).unwrap();
        assert_eq!(visitors.sit(1, 1).unwrap_err(), Refusal::Full);
        assert_eq!(visitors.sit(2, 1).unwrap_err(), Refusal::Files);
        assert_eq!(visitors.connections(), 1);
        drop(seat);
        assert_eq!(visitors.connections(), 0);
    }

    #[test]
    fn one_address() {
        let same = |a: &str, b: &str| key(a.parse().unwrap()) == key(b.parse().unwrap());
        assert!(same("10.0.0.1", "::ffff:10.0.0.1"));
        assert!(same("2001:db8::1", "2001:db8::ffff:0:0:1"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(!same("10.0.0.1", "10.0.0.2"));
    }
}
