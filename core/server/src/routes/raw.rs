//! The table as it stands in the file.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_yaml::{Mapping, Value};

use crate::config::{Document, Problem, hint, mapping, read_value};

/// All of `routes.yaml`. Each section is required, so that a half-written file never passes.
#[derive(Debug, Clone)]
pub(crate) struct RawTable {
    pub(crate) document: Document,
    /// Name that messages are routed to → compiled-in implementation.
    pub(crate) slps: BTreeMap<String, String>,
    /// First match wins.
    pub(crate) routes: Vec<RawRule>,
    /// `NAME.vN` → implementation.
    pub(crate) apis: BTreeMap<String, RawApi>,
    /// `HOST:PORT` patterns of next hops that may be dialled.
    pub(crate) hops: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a rule, such as {when: {method: INVITE}, slp: NAME}")]
pub(crate) struct RawRule {
    pub(crate) when: RawWhen,
    pub(crate) slp: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "conditions, such as {method: INVITE}")]
pub(crate) struct RawWhen {
    pub(crate) method: Option<String>,
    pub(crate) request_uri: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) service_host: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an API, such as {impl: NAME}")]
pub(crate) struct RawApi {
    #[serde(rename = "impl")]
    pub(crate) implementation: String,
    #[serde(default = "enabled")]
    pub(crate) enabled: bool,
}

fn enabled() -> bool {
    true
}

const SECTIONS: [&str; 4] = ["slps", "routes", "apis", "hops"];

impl RawTable {
    /// Reads `routes.yaml`; all that is wrong with it is told at once. What it names is checked later.
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, Vec<Problem>> {
        let document = Document::parse(file, text)?;
        let top = mapping(&document).map_err(|problem| vec![problem])?;
        let mut problems = Vec::new();
        for key in top.keys() {
            let name = text_of(key);
            if !SECTIONS.contains(&&*name) {
                let hint = hint(&name, SECTIONS.iter().map(|name| (*name).to_owned()));
                problems.push(document.problem(name, format!("no such section{hint}")));
            }
        }
        let slps = entries(&document, top, "slps", &mut problems);
        let routes = list(&document, top, "routes", &mut problems);
        let apis = entries(&document, top, "apis", &mut problems);
        let hops = list(&document, top, "hops", &mut problems);
        let table = Self { slps, routes, apis, hops, document };
        if problems.is_empty() {
            return Ok(table);
        }
        // The names in what could be read are wrong or right all the same; those in rules only if all rules and services were read.
        let rules_can_tell = !problems
            .iter()
            .any(|problem| ["slps", "routes"].iter().any(|section| problem.field.starts_with(section)));
        let (_, names) = super::check(&table);
        problems.extend(
            names.into_iter().filter(|problem| rules_can_tell || !problem.field.starts_with("routes")),
        );
        Err(problems)
    }
}

fn section<'a>(
    document: &Document,
    top: &'a Mapping,
    name: &str,
    problems: &mut Vec<Problem>,
) -> Option<&'a Value> {
    let section = top.get(name);
    if section.is_none() {
        problems.push(document.problem(name, "is missing; slps, routes, apis and hops are all required"));
    }
    section
}

fn entries<T: DeserializeOwned>(
    document: &Document,
    top: &Mapping,
    name: &str,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, T> {
    let mut entries = BTreeMap::new();
    match section(document, top, name, problems) {
        Some(Value::Mapping(mapping)) => {
            for (key, value) in mapping {
                let key = text_of(key);
                match read_value(document, &format!("{name}.{key}"), value) {
                    Ok(value) => drop(entries.insert(key, value)),
                    Err(problem) => problems.push(problem),
                }
            }
        }
        Some(_) => problems.push(document.problem(name, "must be a mapping; {} for none")),
        None => {}
    }
    entries
}

fn list<T: DeserializeOwned>(
    document: &Document,
    top: &Mapping,
    name: &str,
    problems: &mut Vec<Problem>,
) -> Vec<T> {
    let mut items = Vec::new();
    match section(document, top, name, problems) {
        Some(Value::Sequence(values)) => {
            for (index, value) in values.iter().enumerate() {
                match read_value(document, &format!("{name}[{index}]"), value) {
                    Ok(item) => items.push(item),
                    Err(problem) => problems.push(problem),
                }
            }
        }
        Some(_) => problems.push(document.problem(name, "must be a list; [] for none")),
        None => {}
    }
    items
}

fn text_of(key: &Value) -> String {
    match key {
        Value::String(text) => text.clone(),
        other => serde_yaml::to_string(other).unwrap_or_default().trim_end().to_owned(),
    }
}
