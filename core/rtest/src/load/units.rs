//! The units that one connection has in flight.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

/// Units by place. A place is used again; the number of its unit is not, so that a late answer is known as such.
#[derive(Debug)]
pub(super) struct Units<S> {
    /// In front of each DialogueID; no other connection of any run has the same.
    prefix: String,
    places: Vec<Option<Unit<S>>>,
    free: Vec<usize>,
    next_number: u64,
}

/// One unit in flight.
#[derive(Debug)]
pub(super) struct Unit<S> {
    number: u64,
    /// When it should have begun.
    pub(super) intended: Instant,
    /// Taken for lost then.
    deadline: Instant,
    pub(super) state: S,
}

/// Names a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    place: usize,
    number: u64,
}

/// A unit's DialogueID.
pub(super) struct Id<'a>(&'a str, Key);

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}.{}", self.0, self.1.place, self.1.number)
    }
}

impl<S> Units<S> {
    pub(super) fn new(prefix: String) -> Self {
        Self { prefix, places: Vec::new(), free: Vec::new(), next_number: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(super) fn add(&mut self, state: S, intended: Instant, deadline: Instant) -> Key {
        let number = self.next_number;
        self.next_number += 1;
        let unit = Some(Unit { number, intended, deadline, state });
        let place = self.free.pop().unwrap_or(self.places.len());
        match self.places.get_mut(place) {
            Some(old) => *old = unit,
            None => self.places.push(unit),
        }
        Key { place, number }
    }

    /// The DialogueID of a unit.
    pub(super) fn id(&self, key: Key) -> Id<'_> {
        Id(&self.prefix, key)
    }

    /// The unit in flight that has this DialogueID.
    pub(super) fn find(&mut self, id: &str) -> Option<(Key, &mut Unit<S>)> {
        let (place, number) = id.strip_prefix(&self.prefix)?.split_once('.')?;
        let key = Key { place: place.parse().ok()?, number: number.parse().ok()? };
        let unit = self.places.get_mut(key.place)?.as_mut().filter(|unit| unit.number == key.number)?;
        Some((key, unit))
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Unit<S>> {
        let unit = self.places.get_mut(key.place)?.take_if(|unit| unit.number == key.number)?;
        self.free.push(key.place);
        Some(unit)
    }

    /// Takes out the units whose time is over; their number.
    pub(super) fn expire(&mut self, now: Instant) -> usize {
        let mut lost = 0;
        for (place, unit) in self.places.iter_mut().enumerate() {
            if unit.take_if(|unit| unit.deadline <= now).is_some() {
                self.free.push(place);
                lost += 1;
            }
        }
        lost
    }

    /// How long ago the unit `key`, which is done, should have begun. It is in flight no longer.
    pub(super) fn finish(&mut self, key: Key, now: Instant) -> Duration {
        self.remove(key).map_or(Duration::ZERO, |unit| now.saturating_duration_since(unit.intended))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_place_is_used_again_but_no_id() {
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        let mut units = Units::new("p-".to_owned());
        let first = units.add('a', now, later);
        let second = units.add('b', now, now);
        let (first_id, second_id) = (units.id(first).to_string(), units.id(second).to_string());
        assert_eq!((first_id.as_str(), second_id.as_str()), ("p-0.0", "p-1.1"));
        assert_eq!(units.find(&second_id).map(|(key, unit)| (key, unit.state)), Some((second, 'b')));

        assert_eq!(units.expire(now), 1);
        assert_eq!((units.len(), units.find(&second_id).is_none()), (1, true));
        let third = units.add('c', now, later);
        assert_eq!(units.id(third).to_string(), "p-1.2");
        assert!(units.find(&second_id).is_none());
        assert!(units.remove(second).is_none());
        assert_eq!(units.finish(first, later), Duration::from_secs(1));
        assert_eq!(units.len(), 1);
        for unknown in ["", "p-", "p-0", "p-9.9", "q-1.2", "p-1.x"] {
            assert!(units.find(unknown).is_none(), "{unknown}");
        }
    }
}
