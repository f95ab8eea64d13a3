//! What is linked must be what lies in `slps/` and `apis/`.

use std::collections::{BTreeMap, BTreeSet};

use rtcd_sdk::{registered_apis, registered_slps};

use crate::EXPECTED;

/// The registry is not what it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// A plugin crate is there, but registers nothing.
    #[error("{0} registers no service and no API: is register_slp! or register_api! missing?")]
    Silent(String),
    /// Two crates took one name.
    #[error("{kind} {name} is registered by {first} and by {second}")]
    Twice {
        /// Service or API.
        kind: &'static str,
        /// The name.
        name: &'static str,
        /// One crate.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A crate that is no plugin of this workspace registers something.
    #[error("{0} registers a plugin, but does not lie in slps/ or apis/")]
    Stranger(&'static str),
}

/// Compares what is registered with what is expected.
///
/// # Errors
/// See [`LinkError`].
pub fn check_plugins() -> Result<(), LinkError> {
    let slps = registered_slps();
    let apis = registered_apis();
    let slps: Vec<_> = slps.iter().map(|entry| (entry.implementation, entry.package)).collect();
    let apis: Vec<_> = apis.iter().map(|entry| (entry.implementation, entry.package)).collect();
    for (kind, entries) in [("service", &slps), ("API", &apis)] {
        let mut names = BTreeMap::new();
        for (name, package) in entries {
            if let Some(first) = names.insert(*name, *package) {
                return Err(LinkError::Twice { kind, name, first, second: package });
            }
        }
    }
    let registered: BTreeSet<&str> = slps.iter().chain(&apis).map(|(_, package)| *package).collect();
    let expected: BTreeSet<&str> = EXPECTED.iter().copied().collect();
    if let Some(silent) = expected.difference(&registered).next() {
        return Err(LinkError::Silent((*silent).to_owned()));
    }
    match slps.iter().chain(&apis).find(|(_, package)| !expected.contains(package)) {
        Some((_, stranger)) => Err(LinkError::Stranger(stranger)),
        None => Ok(()),
    }
}
