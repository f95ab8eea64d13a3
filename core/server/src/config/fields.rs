//! Reads settings field by field, so that all that is wrong is told at once, and it is known where each value comes from.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_yaml::{Mapping, Value};

use super::document::{Document, Problem};
use super::settings::{RESTART, SECRET, Settings};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A line of the file.
    Line(usize),
    /// This variable of the environment.
    Environment(String),
}

/// Settings as they were read: field → origin. What is not there has its default.
pub(crate) type Origins = BTreeMap<String, Origin>;

/// The beginning of the names of variables that override a key: `RTCD_RTC_LISTEN` is `rtc.listen`.
pub(crate) const PREFIX: &str = "RTCD_";

/// Reads `rtcd.yaml`, then the variables over it.
pub(crate) fn read(
    document: &Document,
    environment: &[(String, String)],
) -> Result<(Settings, Origins), Vec<Problem>> {
    let defaults = tree(&Settings::default());
    let mut problems = Vec::new();
    let mut good = defaults.clone();
    let mut origins = Origins::new();
    for (field, value) in leaves(&document.value, &defaults) {
        match try_one(&defaults, &field, &value) {
            Ok(()) => {
                put(&mut good, &field, value);
                origins.insert(field.clone(), Origin::Line(document.line(&field).unwrap_or_default()));
            }
            Err(text) => problems.push(document.problem(field, text)),
        }
    }
    let fields: Vec<String> = leaves(&defaults, &defaults).into_iter().map(|(field, _)| field).collect();
    let sections: Vec<String> = fields
        .iter()
        .filter_map(|field| Some(format!("{}_", field.split_once('.')?.0.to_uppercase())))
        .collect();
    for (variable, text) in environment {
        let Some(name) = variable.strip_prefix(PREFIX) else { continue };
        // Other programs may use the prefix too; what begins like a section is meant for this one.
        if !sections.iter().any(|section| name.starts_with(section)) {
            continue;
        }
        let wrong = |field: &str, text: String| Problem {
            file: format!("environment {variable}"),
            line: None,
            field: field.to_owned(),
            text,
        };
        let Some(field) = fields.iter().find(|field| variable_of(field) == *variable) else {
            let hint = hint(variable, fields.iter().map(|field| variable_of(field)));
            problems.push(wrong("", format!("no key has this name{hint}")));
            continue;
        };
        match value_of(&defaults, field, text) {
            Ok(value) => {
                put(&mut good, field, value);
                origins.insert(field.clone(), Origin::Environment(variable.clone()));
            }
            Err(text) => problems.push(wrong(field, text)),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let settings: Settings =
        serde_yaml::from_value(good).map_err(|error| vec![document.problem("", error.to_string())])?;
    let place = |problem: Problem| match origins.get(&problem.field) {
        Some(Origin::Environment(variable)) => Problem { file: format!("environment {variable}"), ..problem },
        _ => document.place(problem),
    };
    let contradictions: Vec<Problem> = settings.contradictions().into_iter().map(place).collect();
    if contradictions.is_empty() { Ok((settings, origins)) } else { Err(contradictions) }
}

/// New settings with the old values of the keys that are read at start alone; and the names of those that differ.
pub(crate) fn keep_what_needs_a_restart(old: &Settings, new: &Settings) -> (Settings, Vec<&'static str>) {
    let (old_tree, mut tree) = (tree(old), tree(new));
    let mut kept = Vec::new();
    for field in RESTART {
        let (was, is) = (find(&old_tree, field), find(&tree, field));
        if let Some(was) = was
            && Some(was) != is
        {
            kept.push(*field);
            put(&mut tree, field, was.clone());
        }
    }
    // Both were read from such a tree, so this one reads too.
    (serde_yaml::from_value(tree).unwrap_or_else(|_| old.clone()), kept)
}

/// All fields with their values, in order.
pub(crate) fn all(settings: &Settings) -> Vec<(String, Value)> {
    let tree = tree(settings);
    leaves(&tree, &tree)
}

fn tree(settings: &Settings) -> Value {
    serde_yaml::to_value(settings).unwrap_or_default()
}

/// The variable that overrides a field.
fn variable_of(field: &str) -> String {
    format!("{PREFIX}{}", field.to_uppercase().replace('.', "_"))
}

/// A variable's value: a text as it is, a list of YAML or with commas, anything else as YAML.
fn value_of(defaults: &Value, field: &str, text: &str) -> Result<Value, String> {
    let yaml = serde_yaml::from_str(text);
    let value = match (find(defaults, field), yaml) {
        (Some(Value::String(_)), _) => Value::String(text.to_owned()),
        (Some(Value::Sequence(_)), Ok(list @ Value::Sequence(_))) => list,
        (Some(Value::Sequence(_)), _) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Value::Sequence(parts.map(|part| Value::String(part.to_owned())).collect())
        }
        (_, yaml) => yaml.unwrap_or_else(|_| Value::String(text.to_owned())),
    };
    try_one(defaults, field, &value).map(|()| value)
}

/// Whether one value fits its field, all others being as they are by default.
fn try_one(defaults: &Value, field: &str, value: &Value) -> Result<(), String> {
    if field.is_empty() {
        return Err("must be a mapping of sections, such as rtc and api".to_owned());
    }
    let mut path = field.split('.');
    let (section, key) = (path.next().unwrap_or_default(), path.next());
    let Some(known) = defaults.get(section) else {
        return Err(format!("no such key{}", hint(section, keys(defaults))));
    };
    let Some(key) = key else {
        return Err("must be a mapping of keys".to_owned());
    };
    if known.get(key).is_none() {
        return Err(format!("no such key{}", hint(key, keys(known))));
    }
    let mut tried = defaults.clone();
    put(&mut tried, field, value.clone());
    match serde_yaml::from_value::<Settings>(tried) {
        Ok(_) => Ok(()),
        Err(error) => {
            if SECRET.contains(&field) && !matches!(value, Value::String(_)) {
                // The error would tell the value.
                return Err("must be a text; put it in quotes".to_owned());
            }
            // The path stands in front already.
            let text = error.to_string();
            Err(in_words(text.strip_prefix(&format!("{field}: ")).unwrap_or(&text)))
        }
    }
}

/// What is expected, for people who do not know Rust.
fn in_words(text: &str) -> String {
    text.replace("expected usize", "expected a whole number from 0")
        .replace("expected u32", "expected a whole number from 0 to 4294967295")
        .replace("expected a sequence", "expected a list, such as [a, b]")
        .replace("expected a duration", "expected a time, such as 500ms, 3s, 24h")
}

/// ` (did you mean X?)`, if something is near.
pub(crate) fn hint(name: &str, known: impl Iterator<Item = String>) -> String {
    /// As near as a slip of the pen.
    const NEAR: f64 = 0.75;
    let near = known
        .map(|known| (strsim::jaro_winkler(name, &known), known))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    near.map(|(_, known)| format!(" (did you mean {known}?)")).unwrap_or_default()
}

/// Reads a value of a document; the problem names the field.
pub(crate) fn read_value<T: DeserializeOwned>(
    document: &Document,
    field: &str,
    value: &Value,
) -> Result<T, Problem> {
    serde_yaml::from_value(value.clone()).map_err(|error| document.problem(field, error.to_string()))
}

fn keys(value: &Value) -> impl Iterator<Item = String> {
    let mapping = value.as_mapping().cloned().unwrap_or_default();
    mapping.into_iter().filter_map(|(key, _)| key.as_str().map(ToOwned::to_owned))
}

/// Fields and values, two levels deep. A section that is no mapping, or an unknown one, counts as a field itself.
fn leaves(value: &Value, known: &Value) -> Vec<(String, Value)> {
    let name = |key: &Value| match key {
        Value::String(key) => key.clone(),
        other => serde_yaml::to_string(other).unwrap_or_default().trim_end().to_owned(),
    };
    let Value::Mapping(sections) = value else {
        return vec![(String::new(), value.clone())];
    };
    let mut leaves = Vec::new();
    for (section, value) in sections {
        let section = name(section);
        match value {
            Value::Mapping(keys) if known.get(&section).is_some() => {
                leaves.extend(
                    keys.iter().map(|(key, value)| (format!("{section}.{}", name(key)), value.clone())),
                );
            }
            // A section whose keys are all commented out.
            Value::Null if known.get(&section).is_some() => {}
            value => leaves.push((section, value.clone())),
        }
    }
    leaves
}

fn find<'a>(tree: &'a Value, field: &str) -> Option<&'a Value> {
    field.split('.').try_fold(tree, |tree, key| tree.get(key))
}

fn put(tree: &mut Value, field: &str, value: Value) {
    let Some((section, key)) = field.split_once('.') else { return };
    if let Some(Value::Mapping(section)) = tree.get_mut(section) {
        section.insert(Value::String(key.to_owned()), value);
    }
}

/// The top of a file must be a mapping.
pub(crate) fn mapping(document: &Document) -> Result<&Mapping, Problem> {
    document.value.as_mapping().ok_or_else(|| document.problem("", "must be a mapping of keys"))
}
