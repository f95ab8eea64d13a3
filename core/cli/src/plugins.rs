//! `rtcd plugins`: what is compiled in.

use rtcd_sdk::{registered_apis, registered_slps};
use serde_json::{Value, json};

use crate::table::table;

/// Prints a table, or JSON.
pub(crate) fn list(json: bool) {
    let slps: Vec<_> =
        registered_slps().into_iter().map(|entry| (entry.implementation, entry.package)).collect();
    let apis: Vec<_> =
        registered_apis().into_iter().map(|entry| (entry.implementation, entry.package)).collect();
    if json {
        println!("{:#}", json!({"slps": objects(&slps), "apis": objects(&apis)}));
        return;
    }
    let mut rows = vec![vec!["kind", "implementation", "crate"]];
    for (kind, entries) in [("slp", &slps), ("api", &apis)] {
        rows.extend(entries.iter().map(|(implementation, package)| vec![kind, *implementation, *package]));
    }
    print!("{}", table(&rows));
}

fn objects(entries: &[(&str, &str)]) -> Vec<Value> {
    entries
        .iter()
        .map(|(implementation, package)| json!({"implementation": implementation, "crate": package}))
        .collect()
}
