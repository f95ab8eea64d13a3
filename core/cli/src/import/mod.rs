//! `rtcd import`: turns gortc.ini into a rtcd.yaml. The YAML goes to standard output, what is to be said about it to standard
//! error, each with its line.

mod ini;
mod keys;
mod value;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ini::Line;
use keys::{KEYS, Target};

/// The file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}", file.display())]
pub(crate) struct ImportError {
    file: PathBuf,
    source: io::Error,
}

/// Prints the settings; failure if a line could not be used.
pub(crate) fn run(file: &Path) -> Result<ExitCode, ImportError> {
    let text = std::fs::read(file).map_err(|source| ImportError { file: file.to_owned(), source })?;
    let name = file.display().to_string();
    // An old file may hold any bytes; keys and values that are kept are ASCII.
    let Import { yaml, remarks, failed } = import(&name, &String::from_utf8_lossy(&text));
    print!("{yaml}");
    for remark in remarks {
        eprintln!("{remark}");
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What became of a file.
#[derive(Debug, Default)]
struct Import {
    yaml: String,
    /// What has no counterpart, and what could not be read.
    remarks: Vec<String>,
    /// Whether something could not be read.
    failed: bool,
}

/// A setting that was found.
struct Found {
    value: String,
    /// Where it comes from.
    comment: String,
}

fn import(name: &str, text: &str) -> Import {
    let mut import = Import::default();
    let mut found: BTreeMap<&str, Found> = BTreeMap::new();
    for (number, line) in ini::lines(text) {
        let place = format!("{name}:{number}");
        let entry = match line {
            Line::Entry(entry) => entry,
            Line::Bad(problem) => {
                import.fail(format!("{place}: {problem}"));
                continue;
            }
        };
        let what = entry.name();
        let Some(key) = KEYS.iter().find(|key| key.is(entry.section, entry.key)) else {
            import.fail(format!("{place}: {what}: gortc has no such setting"));
            continue;
        };
        let (setting, kind) = match key.target {
            Target::Setting(setting, kind) => (setting, kind),
            Target::Nothing(why) => {
                import.remarks.push(format!("{place}: {what}: no counterpart: {why}"));
                continue;
            }
        };
        // As gortc has it: nothing means the default.
        if entry.value.is_empty() {
            continue;
        }
        match kind.convert(entry.value) {
            Ok(value) => {
                let comment = format!("{what}, line {number}");
                if let Some(first) = found.insert(setting, Found { value, comment }) {
                    import.remarks.push(format!("{place}: {what}: takes the place of {}", first.comment));
                }
            }
            Err(problem) => import.fail(format!("{place}: {what}: {problem}")),
        }
    }
    for setting in ["api.listen", "api.tlslisten"] {
        if let Some(Found { value, comment }) = found.get(setting)
            && !value::is_loopback(value)
        {
            import.remarks.push(format!(
                "{name}: {comment}: others can reach {setting} {value}: rtcd starts only if api.token is set (or api.insecure: true)"
            ));
        }
    }
    import.yaml = yaml(name, &found);
    import
}

impl Import {
    fn fail(&mut self, remark: String) {
        self.remarks.push(remark);
        self.failed = true;
    }
}

/// The settings in the order of the table, by section.
fn yaml(name: &str, found: &BTreeMap<&str, Found>) -> String {
    let mut text =
        format!("# Settings of rtcd, from {name}. What is not here has its default: see conf/rtcd.yaml.\n");
    let mut last = "";
    for (section, key, Found { value, comment }) in keys::settings().filter_map(|setting| {
        let (section, key) = setting.split_once('.')?;
        Some((section, key, found.get(setting)?))
    }) {
        if section != last {
            let _ = writeln!(text, "\n{section}:");
            last = section;
        }
        let entry = format!("  {key}: {value}");
        let _ = writeln!(text, "{entry:<40}  # {comment}");
    }
    text
}

#[cfg(test)]
mod tests;
