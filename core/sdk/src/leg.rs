use std::collections::HashMap;
use std::ops::Deref;

use smallvec::SmallVec;

use crate::Peer;

/// One dialog of a task, with one peer. Never used again within the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LegId(u64);

impl LegId {
    /// The leg of the dialog that made the task.
    pub const FIRST: Self = Self(0);

    /// The n-th leg that the task itself opened. Odd, so that both sides can count on their own.
    pub(crate) fn opened(n: u64) -> Self {
        Self(n * 2 + 1)
    }

    /// The n-th leg that a peer opened: 0 is [`LegId::FIRST`].
    #[doc(hidden)]
    pub fn received(n: u64) -> Self {
        Self(n * 2)
    }
}

/// A message that came in on a leg.
#[derive(Debug)]
pub struct Incoming<M, L = ()> {
    /// Where to answer.
    pub leg: LegId,
    /// The tag that the plugin gave the leg.
    pub tag: L,
    /// Of a request: the user's peer that sent it, whatever its From says; `None` if another server did. `None` of a response.
    pub peer: Option<Peer>,
    /// The message.
    pub message: M,
}

impl<M, L> Deref for Incoming<M, L> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.message
    }
}

/// Values by leg: most tasks have one or two legs, a service task thousands.
#[derive(Debug)]
pub struct LegMap<V> {
    few: SmallVec<[(LegId, V); 2]>,
    many: Option<HashMap<LegId, V, foldhash::fast::FixedState>>,
}

impl<V> LegMap<V> {
    /// More than these are found by hash.
    const FEW: usize = 16;

    /// The value of a leg.
    pub fn find(&self, leg: LegId) -> Option<&V> {
        match &self.many {
            Some(many) => many.get(&leg),
            None => self.few.iter().find(|(id, _)| *id == leg).map(|(_, value)| value),
        }
    }

    /// The value of a leg, to change it.
    pub fn find_mut(&mut self, leg: LegId) -> Option<&mut V> {
        match &mut self.many {
            Some(many) => many.get_mut(&leg),
            None => self.few.iter_mut().find(|(id, _)| *id == leg).map(|(_, value)| value),
        }
    }

    /// Adds a leg that is not there yet.
    pub fn insert(&mut self, leg: LegId, value: V) {
        match &mut self.many {
            Some(many) => {
                many.insert(leg, value);
            }
            None if self.few.len() < Self::FEW => self.few.push((leg, value)),
            None => self.many.get_or_insert_default().extend(self.few.drain(..).chain([(leg, value)])),
        }
    }

    /// Takes a leg out.
    pub fn remove(&mut self, leg: LegId) -> Option<V> {
        match &mut self.many {
            Some(many) => many.remove(&leg),
            None => {
                let at = self.few.iter().position(|(id, _)| *id == leg)?;
                Some(self.few.swap_remove(at).1)
            }
        }
    }

    /// How many legs there are.
    pub fn len(&self) -> usize {
        self.many.as_ref().map_or(self.few.len(), HashMap::len)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All legs, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (LegId, &V)> {
        self.few
            .iter()
            .map(|(leg, value)| (*leg, value))
            .chain(self.many.iter().flatten().map(|(leg, value)| (*leg, value)))
    }
}

impl<V> Default for LegMap<V> {
    fn default() -> Self {
        Self { few: SmallVec::new(), many: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_are_found_and_taken() {
        let mut map = LegMap::default();
        for n in 0..100 {
            map.insert(LegId::opened(n), n);
            assert_eq!(map.len() as u64, n + 1);
        }
        for n in 0..100 {
            assert_eq!(map.find(LegId::opened(n)), Some(&n));
            assert_eq!(map.find(LegId::received(n)), None);
            assert_eq!(map.remove(LegId::opened(n)), Some(n));
            assert_eq!(map.remove(LegId::opened(n)), None);
        }
        assert!(map.is_empty());
    }
}
