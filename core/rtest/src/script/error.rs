//! What can be wrong with a script file.

use std::io;
use std::path::PathBuf;

use serde_json::Value;

/// Why a script cannot be run. Errors in a stage name its number (from 1) and its field.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// The file cannot be read.
    #[error("cannot read the script {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The text is not JSON, or not an array.
    #[error("the script is not a JSON array of stages: {0}")]
    Json(serde_json::Error),
    /// The array is empty.
    #[error("the script has no stages")]
    Empty,
    /// A stage is wrong.
    #[error("stage {stage}: {problem}")]
    Stage {
        /// The stage's number, from 1.
        stage: usize,
        /// What is wrong with it.
        problem: StageProblem,
    },
}

/// What is wrong with one stage.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageProblem {
    /// The stage is no JSON object.
    #[error("expected an object, got {0}")]
    NotAnObject(String),
    /// A field that this type of stage needs is not there.
    #[error("field `{0}` is missing")]
    Missing(&'static str),
    /// The field stands twice.
    #[error("field `{0}` stands twice")]
    Double(String),
    /// No stage, or not this type of stage, has such a field.
    #[error("field `{field}` does not belong to a stage of type `{kind}`, which has {known}")]
    Unknown {
        /// The field.
        field: String,
        /// The stage's type.
        kind: &'static str,
        /// The fields that it may have.
        known: String,
    },
    /// A field has a value that cannot be used.
    #[error("field `{field}`: {problem}")]
    Field {
        /// The field; for a part of `vars` with the part's name.
        field: String,
        /// What is wrong with its value.
        problem: FieldProblem,
    },
}

/// What is wrong with the value of a field.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FieldProblem {
    /// Another JSON type is needed.
    #[error("expected {expected}, got {got}")]
    Type {
        /// What is needed.
        expected: &'static str,
        /// What is there.
        got: Value,
    },
    /// The JSON is beyond what can be read (nested too deeply).
    #[error("{0}")]
    Json(serde_json::Error),
    /// A `type` that does not exist.
    #[error("`{0}` is none of send, recv, if, end")]
    StageType(String),
    /// Not a duration.
    #[error("`{0}` is no duration such as 10s, 500ms or 1m30s")]
    Duration(String),
    /// Not the name of a variable.
    #[error("`{0}` is no variable such as $cseq")]
    Variable(String),
    /// A `goto` to a tag that no stage has.
    #[error("no stage has the tag `{0}`")]
    NoSuchTag(String),
    /// A tag that an earlier stage has.
    #[error("stage {first} has the tag `{tag}` already")]
    DoubleTag {
        /// The tag.
        tag: String,
        /// The number of the stage that has it.
        first: usize,
    },
    /// Not a regular expression.
    #[error("`{pattern}` is no regular expression: {error}")]
    Regex {
        /// The text.
        pattern: String,
        /// What is wrong with it.
        error: regex::Error,
    },
}
