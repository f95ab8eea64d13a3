//! Related ids: with the directory the only thing that peers share. (A cluster's will stand in this place.)

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use papaya::HashMap;
use rtcd_sdk::host::RelatedKey;

use crate::actor::{Address, TaskKey};

/// Where a related id leads.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) home: Address,
    pub(crate) task: TaskKey,
    pub(crate) key: RelatedKey,
    /// Counts the legs that peers opened with the task.
    pub(crate) received: Arc<AtomicU64>,
}

/// All related ids of this node.
pub(crate) struct RelatedIds {
    ids: HashMap<String, Target, foldhash::quality::RandomState>,
}

impl RelatedIds {
    pub(crate) fn new() -> Self {
        Self { ids: HashMap::with_hasher(foldhash::quality::RandomState::default()) }
    }

    pub(crate) fn add(&self, id: String, target: Target) {
        self.ids.pin().insert(id, target);
    }

    pub(crate) fn find(&self, id: &str) -> Option<Target> {
        self.ids.pin().get(id).cloned()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.ids.pin().len()
    }

    pub(crate) fn remove(&self, id: &str) {
        self.ids.pin().remove(id);
    }
}
