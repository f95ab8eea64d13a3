//! Adds one line to `Cargo.toml` and one to `routes.yaml`; all else stays as it is, comments too.

use serde_yaml::{Mapping, Value};

use super::Kind;

/// A file is not as it is expected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EditError {
    #[error("has no [dependencies]")]
    NoDependencies,
    #[error("has {0} already: take another name")]
    Taken(String),
    #[error("is no YAML: {0}")]
    NotYaml(serde_yaml::Error),
    #[error("has no section {0}: write it first ({0}: {{}})")]
    NoSection(&'static str),
    #[error(
        "the section {0} is not written so that a line can be added to it: write an entry a line below `{0}:`"
    )]
    Form(&'static str),
}

/// Whether this is the manifest of the package rtcd.
pub(super) fn is_root_manifest(text: &str) -> bool {
    let mut inside = false;
    text.lines().any(|line| {
        if line.starts_with('[') {
            inside = line.trim() == "[package]";
        }
        inside && key(line) == "name" && line.split('"').nth(1) == Some("rtcd")
    })
}

/// `Cargo.toml` with the crate among the plugins.
pub(super) fn link(text: &str, kind: Kind, name: &str) -> Result<String, EditError> {
    let package = format!("{}-{name}", kind.prefix());
    let new = format!("{package} = {{ path = \"{}/{name}\" }}", kind.folder());
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let start =
        lines.iter().position(|line| line.trim() == "[dependencies]").ok_or(EditError::NoDependencies)? + 1;
    let section =
        lines.iter().skip(start).position(|line| line.starts_with('[')).map_or(lines.len(), |n| start + n);
    let inside = || lines.iter().enumerate().take(section).skip(start);
    if inside().any(|(_, line)| [&*package, &*format!("{package}.workspace")].contains(&key(line))) {
        return Err(EditError::Taken(format!("the dependency {package}")));
    }
    // Among the plugins in their order, or else at the end of the section.
    let first = inside().find(|(_, line)| line.starts_with("# Plugins")).map_or(start, |(at, _)| at + 1);
    let plugins =
        || inside().skip_while(|(at, _)| *at < first).take_while(|(_, line)| !line.trim().is_empty());
    let at = if first > start {
        let after = plugins().find(|(_, line)| !line.starts_with('#') && key(line) > &*package);
        after.or_else(|| plugins().last().map(|(at, line)| (at + 1, line))).map_or(first, |(at, _)| at)
    } else {
        inside().rfind(|(_, line)| !line.trim().is_empty()).map_or(start, |(at, _)| at + 1)
    };
    Ok(with_line(&lines, at, &new))
}

/// `routes.yaml` with the name bound.
pub(super) fn bind(text: &str, kind: Kind, name: &str) -> Result<String, EditError> {
    let section = kind.folder();
    let (entry, value) = match kind {
        Kind::Slp => (name.to_owned(), name.to_owned()),
        Kind::Api => (format!("{name}.v1"), format!("{{ impl: {name} }}")),
    };
    let mut expected: Mapping = serde_yaml::from_str(text).map_err(EditError::NotYaml)?;
    let bindings = match expected.get_mut(section) {
        Some(Value::Mapping(bindings)) => bindings,
        Some(empty @ Value::Null) => {
            *empty = Value::Mapping(Mapping::new());
            empty.as_mapping_mut().ok_or(EditError::Form(section))?
        }
        Some(_) => return Err(EditError::Form(section)),
        None => return Err(EditError::NoSection(section)),
    };
    let parsed = serde_yaml::from_str(&value).map_err(EditError::NotYaml)?;
    if bindings.insert(Value::String(entry.clone()), parsed).is_some() {
        return Err(EditError::Taken(format!("{section}.{entry}")));
    }
    let edited = insert(text, section, &format!("{entry}: {value}")).ok_or(EditError::Form(section))?;
    // Whatever the text was like: what comes out must be what was there, and the new binding.
    match serde_yaml::from_str::<Mapping>(&edited) {
        Ok(edited_value) if edited_value == expected => Ok(edited),
        _ => Err(EditError::Form(section)),
    }
}

/// The text with an entry at the end of a section.
fn insert(text: &str, section: &str, entry: &str) -> Option<String> {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = lines.iter().position(|line| line.split(':').next() == Some(section) && line.contains(':'))?;
    let head = *lines.get(at)?;
    let inline = head.trim_end().split_once(':')?.1.trim_start();
    if !inline.is_empty() && !inline.starts_with('#') {
        // `slps: {a: b}`, or a comment behind it.
        let close = head.rfind('}')?;
        let before = head.get(..close)?.trim_end();
        let comma = if before.ends_with('{') { "" } else { ", " };
        let space = if head.get(..close)?.ends_with(' ') && !comma.is_empty() { " " } else { "" };
        let line = format!("{before}{comma}{entry}{space}{}", head.get(close..)?);
        *lines.get_mut(at)? = &line;
        return Some(lines.concat());
    }
    let is_entry = |line: &&str| {
        let trimmed = line.trim();
        !trimmed.is_empty() && !trimmed.starts_with('#')
    };
    let mut indent = "  ";
    let mut end = at + 1;
    for (index, line) in lines.iter().enumerate().skip(at + 1).filter(|(_, line)| is_entry(line)) {
        if !line.starts_with([' ', '\t']) {
            break;
        }
        if end == at + 1 {
            indent = line.get(..line.len() - line.trim_start().len())?;
        }
        end = index + 1;
    }
    Some(with_line(&lines, end, &format!("{indent}{entry}")))
}

fn with_line(lines: &[&str], at: usize, new: &str) -> String {
    let end = if lines.iter().any(|line| line.ends_with("\r\n")) { "\r\n" } else { "\n" };
    let (before, after) = lines.split_at_checked(at).unwrap_or((lines, &[]));
    let mut text = before.concat();
    if !text.is_empty() && !text.ends_with('\n') {
        text += end;
    }
    text + new + end + &after.concat()
}

fn key(line: &str) -> &str {
    line.split('=').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The only line that is new.
    fn added<'a>(old: &str, new: &'a str) -> &'a str {
        let at = old.lines().zip(new.lines()).take_while(|(old, new)| old == new).count();
        let rest: Vec<_> = new.lines().skip(at + 1).collect();
        assert_eq!(rest, old.lines().skip(at).collect::<Vec<_>>());
        new.lines().nth(at).unwrap()
    }

    #[test]
    fn the_repository() {
        let manifest = include_str!("../../../../Cargo.toml");
        let routes = include_str!("../../../../routes.yaml");
        assert!(is_root_manifest(manifest));
        assert!(!is_root_manifest(include_str!("../../Cargo.toml")));
        for name in ["aaa", "mmm", "zzz"] {
            let linked = link(manifest, Kind::Slp, name).unwrap();
            assert_eq!(added(manifest, &linked), format!("slp-{name} = {{ path = \"slps/{name}\" }}"));
            let linked = link(manifest, Kind::Api, name).unwrap();
            assert_eq!(added(manifest, &linked), format!("api-{name} = {{ path = \"apis/{name}\" }}"));
            let bound = bind(routes, Kind::Slp, name).unwrap();
            assert_eq!(added(routes, &bound), format!("  {name}: {name}"));
            let bound = bind(routes, Kind::Api, name).unwrap();
            assert_eq!(added(routes, &bound), format!("  {name}.v1: {{ impl: {name} }}"));
        }
    }

    #[test]
    fn manifests() {
        let cases = [
            (
                "[dependencies]\na = 1\n\n[x]\n",
                Ok("[dependencies]\na = 1\nslp-n = { path = \"slps/n\" }\n\n[x]\n"),
            ),
            ("[dependencies]\na = 1", Ok("[dependencies]\na = 1\nslp-n = { path = \"slps/n\" }\n")),
            (
                "[dependencies]\r\n# Plugins:\r\nslp-m = 1\r\nslp-o = 1\r\n",
                Ok(
                    "[dependencies]\r\n# Plugins:\r\nslp-m = 1\r\nslp-n = { path = \"slps/n\" }\r\nslp-o = 1\r\n",
                ),
            ),
            ("[dependencies]\n# Plugins\n", Ok("[dependencies]\n# Plugins\nslp-n = { path = \"slps/n\" }\n")),
            (
                "[dependencies]\nslp-n.workspace = true\n",
                Err("has the dependency slp-n already: take another name"),
            ),
            ("[package]\n", Err("has no [dependencies]")),
        ];
        for (text, expected) in cases {
            let edited = link(text, Kind::Slp, "n").map_err(|error| error.to_string());
            assert_eq!(edited.as_deref().map_err(|error| &**error), expected, "{text:?}");
        }
    }

    #[test]
    fn routes() {
        let cases = [
            ("slps: {}\n", "slps: {n: n}\n"),
            ("slps: { a: b } # c\n", "slps: { a: b, n: n } # c\n"),
            ("slps: {a: b}\napis: {}\n", "slps: {a: b, n: n}\napis: {}\n"),
            ("slps:\nroutes: []\n", "slps:\n  n: n\nroutes: []\n"),
            (
                "slps: # names\n    a: b # a\n\n# rules\nroutes: []\n",
                "slps: # names\n    a: b # a\n    n: n\n\n# rules\nroutes: []\n",
            ),
            ("routes: []\nslps:\n  a: b", "routes: []\nslps:\n  a: b\n  n: n\n"),
            ("slps:\n  a: b\n\n  # last\n  c: d\n", "slps:\n  a: b\n\n  # last\n  c: d\n  n: n\n"),
        ];
        for (text, expected) in cases {
            assert_eq!(bind(text, Kind::Slp, "n").unwrap(), expected, "{text:?}");
        }
        let api = bind("apis:\n  a.v1: { impl: b }\n", Kind::Api, "n").unwrap();
        assert_eq!(api, "apis:\n  a.v1: { impl: b }\n  n.v1: { impl: n }\n");
    }

    #[test]
    fn routes_that_stay_as_they_are() {
        let mut seen = String::new();
        for text in [
            "",
            "slps: {n: x}\n",
            "slps: {a: b,\n  c: d}\n",
            "slps: {a: b} # {}\n",
            "slps: []\n",
            "slps: [\n",
            "routes: []\n",
            "\"slps\":\n  a: b\n",
            "{slps: {}}\n",
            "- slps\n",
        ] {
            seen += &format!("{text:?}\n  {}\n", bind(text, Kind::Slp, "n").unwrap_err());
        }
        insta::assert_snapshot!(seen);
    }
}
