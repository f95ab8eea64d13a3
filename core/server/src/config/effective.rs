//! The settings in force, and where each comes from, as people may see them.

use serde_json::Value;

use super::document::Problem;
use super::fields::{self, Origin, Origins};
use super::settings::{RESTART, SECRET, Settings};
use super::source::is_built_in;

/// Settings with their sources.
#[derive(Debug, Clone)]
pub(crate) struct Effective {
    file: String,
    origins: Origins,
}

/// One setting.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) value: Value,
    /// `default`, `FILE:LINE` or `environment NAME`.
    pub(crate) source: String,
    /// Whether a reload changes it.
    pub(crate) reloads: bool,
}

impl Effective {
    pub(super) fn new(file: &str, origins: Origins) -> Self {
        Self { file: file.to_owned(), origins }
    }

    /// Says where a problem with a setting's value is.
    pub(crate) fn place(&self, problem: Problem) -> Problem {
        match self.origins.get(&problem.field) {
            Some(Origin::Environment(variable)) => {
                Problem { file: format!("environment {variable}"), ..problem }
            }
            Some(Origin::Line(line)) => Problem { file: self.file.clone(), line: Some(*line), ..problem },
            None => Problem { file: self.file.clone(), ..problem },
        }
    }

    /// What is wrong with a file that was there and set something, and now is gone or sets nothing: nobody means that.
    pub(crate) fn lost_in(&self, new: &Self) -> Option<Problem> {
        let lines = |origins: &Origins| origins.values().any(|origin| matches!(origin, Origin::Line(_)));
        let text = if is_built_in(&new.file) && !is_built_in(&self.file) {
            "the file is gone"
        } else if lines(&self.origins) && !lines(&new.origins) {
            "the file sets nothing any more; restart to go back to the defaults"
        } else {
            return None;
        };
        Some(Problem { file: self.file.clone(), ..Problem::new("", text) })
    }

    /// Each setting; secrets are masked.
    pub(crate) fn entries(&self, settings: &Settings) -> Vec<Entry> {
        fields::all(settings)
            .into_iter()
            .map(|(key, value)| {
                let mut value = serde_json::to_value(value).unwrap_or_default();
                if key == "rtc.authurl" {
                    value = without_secrets(settings.rtc.authurl.clone());
                }
                let masked = SECRET.contains(&&*key) && value.as_str().is_some_and(|text| !text.is_empty());
                Entry {
                    value: if masked { Value::String("(secret)".to_owned()) } else { value },
                    source: match self.origins.get(&key) {
                        Some(Origin::Line(line)) => format!("{}:{line}", self.file),
                        Some(Origin::Environment(variable)) => format!("environment {variable}"),
                        None => "default".to_owned(),
                    },
                    reloads: !RESTART.contains(&&*key),
                    key,
                }
            })
            .collect()
    }
}

/// Passwords, and keys in a query, are nobody's business.
fn without_secrets(url: Option<reqwest::Url>) -> Value {
    let Some(mut url) = url else { return Value::String(String::new()) };
    // Both can only fail for URLs without a host, and there are none.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if url.query().is_some() {
        url.set_query(Some("(secret)"));
    }
    Value::String(url.to_string())
}
