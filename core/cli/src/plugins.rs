//! `rtcd plugins`: what is compiled in.

use rtcd_sdk::{registered_apis, registered_slps};
use serde_json::{Value, json};

use crate::table::table;

/// Prints a table, or JSON.
pub(crate) fn list(json: bool) {
    let slps: Vec<_> =
        registered_slps().into_iter().map(|entry| (entry.implementation, entry.package, None)).collect();
    let apis: Vec<_> = registered_apis()
        .into_iter()
        .map(|entry| (entry.implementation, entry.package, Some(entry.audience.name())))
        .collect();
    if json {
        println!("{:#}", json!({"slps": objects(&slps), "apis": objects(&apis)}));
        return;
    }
    let mut rows = vec![vec!["kind", "implementation", "audience", "crate"]];
    for (kind, entries) in [("slp", &slps), ("api", &apis)] {
        rows.extend(entries.iter().map(|(implementation, package, audience)| {
            vec![kind, *implementation, audience.unwrap_or_default(), *package]
        }));
    }
    print!("{}", table(&rows));
}

fn objects(entries: &[(&str, &str, Option<&str>)]) -> Vec<Value> {
    entries
        .iter()
        .map(|(implementation, package, audience)| {
            let mut entry = json!({"implementation": implementation, "crate": package});
            if let (Some(audience), Some(entry)) = (audience, entry.as_object_mut()) {
                entry.insert("audience".to_owned(), json!(audience));
            }
            entry
        })
        .collect()
}
