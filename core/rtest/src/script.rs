//! Scripts: a JSON array of stages, run in order over one WebSocket.
//!
//! | stage | fields |
//! |---|---|
//! | `send` | `value`: the message; `timeout`: sleep before sending; `vars`: fields filled from variables |
//! | `recv` | `value`: fields that the next frame must have; `timeout`; `option`; `vars`: variables taken from fields |
//! | `if` | `vars`: variable → regular expression; `goto`: a stage's `tag` |
//! | `end` | – |
//!
//! Any stage may carry a `tag`.

mod duration;
mod error;
mod fields;
mod stage;
mod vars;

use std::path::Path;
use std::sync::Arc;

use serde_json::value::RawValue;

pub use error::{FieldProblem, ScriptError, StageProblem};
pub(crate) use fields::Fields;
pub(crate) use stage::{Action, Stage};
pub(crate) use vars::{Template, Variable, Variables};

use stage::RawStage;

/// The text of a script, known to be good. Each run gets its stages from it.
#[derive(Debug, Clone)]
pub struct Script {
    text: Arc<str>,
    stages: Arc<[Stage]>,
}

impl Script {
    /// Reads and checks the script in the file `path`.
    pub fn load(path: &Path) -> Result<Self, ScriptError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ScriptError::Read { path: path.to_owned(), error })?;
        Self::parse(&text)
    }

    /// Checks the script `text`.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let stages = parse_stages(&numbered(text, 1))?.into();
        Ok(Self { text: text.into(), stages })
    }

    /// The stages of run `n`: `{n}` in the text stands for its number.
    pub(crate) fn stages(&self, n: u64) -> Result<Arc<[Stage]>, ScriptError> {
        if n == 1 || !self.text.contains(NUMBER) {
            return Ok(Arc::clone(&self.stages));
        }
        Ok(parse_stages(&numbered(&self.text, n))?.into())
    }
}

const NUMBER: &str = "{n}";

/// `text` with the run's number for each `{n}`.
pub(crate) fn numbered(text: &str, n: u64) -> String {
    text.replace(NUMBER, &n.to_string())
}

fn parse_stages(text: &str) -> Result<Vec<Stage>, ScriptError> {
    let raw: Vec<&RawValue> = serde_json::from_str(text).map_err(ScriptError::Json)?;
    if raw.is_empty() {
        return Err(ScriptError::Empty);
    }
    let blame = |index: usize| move |problem| ScriptError::Stage { stage: index + 1, problem };
    let mut stages = Vec::with_capacity(raw.len());
    for (index, text) in raw.into_iter().enumerate() {
        stages.push(RawStage::parse(text.get()).map_err(blame(index))?);
    }
    let tags: Vec<Option<String>> = stages.iter().map(|stage| stage.tag.clone()).collect();
    stages
        .into_iter()
        .enumerate()
        .map(|(index, stage)| stage.link(index, &tags).map_err(blame(index)))
        .collect()
}

#[cfg(test)]
mod tests;
