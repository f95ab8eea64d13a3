//! Runs the stages of one script over one WebSocket.

use std::fmt;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::frames::{Frame, FrameError, Frames};
use crate::script::{Action, Fields, Stage, Template, Variable, Variables};
use crate::transcript::Transcript;

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
#[error("stage {number} ({label}): {problem}")]
pub(crate) struct RunError {
    /// The stage's number, from 1.
    number: usize,
    label: String,
    problem: RunProblem,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum RunProblem {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("expected a text frame, got a binary one of {0} bytes")]
    Binary(usize),
    #[error("expected a JSON object, got {0}")]
    NotAnObject(String),
    #[error("{}", list(.0))]
    Mismatch(Vec<Mismatch>),
    #[error("field `{field}`: the variable {variable} has no value")]
    NoValue { field: String, variable: String },
    #[error("field `{field}`, for {variable}, is not in the message")]
    NoField { field: String, variable: String },
    #[error("cannot write the message: {0}")]
    Json(serde_json::Error),
    #[error("goes round for ever: nothing is sent or received between the same `if` stages")]
    Endless,
}

/// A field that is not as the script says.
#[derive(Debug)]
pub(crate) struct Mismatch {
    field: String,
    expected: Value,
    got: Option<Value>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "field `{}`: expected {}, got ", self.field, self.expected)?;
        match &self.got {
            Some(got) => write!(f, "{got}"),
            None => f.write_str("nothing"),
        }
    }
}

fn list(mismatches: &[Mismatch]) -> String {
    mismatches.iter().map(Mismatch::to_string).collect::<Vec<_>>().join("; ")
}

/// One run of a script.
pub(crate) struct Run<'a, S> {
    frames: &'a mut Frames<S>,
    transcript: &'a Transcript,
    /// The run's number, in front of each line.
    n: u64,
    variables: Variables,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Run<'a, S> {
    pub(crate) fn new(frames: &'a mut Frames<S>, transcript: &'a Transcript, n: u64) -> Self {
        Self { frames, transcript, n, variables: Variables::default() }
    }

    /// Runs `stages` to the end of the script, an `end` stage or the first failure.
    pub(crate) async fn play(mut self, stages: &[Stage]) -> Result<(), RunError> {
        let mut next = 0;
        let mut jumps = 0;
        while let Some(stage) = stages.get(next) {
            let number = next + 1;
            let blame = |problem| RunError { number, label: stage.label(), problem };
            next += 1;
            match &stage.action {
                Action::Send { value, sleep, vars } => {
                    let message = self.compose(value, vars).map_err(blame)?;
                    if let Some(length) = sleep {
                        self.frames.sleep(*length).await;
                    }
                    self.say(format_args!("> {message}"));
                    self.frames.send(message).await.map_err(|error| blame(error.into()))?;
                    jumps = 0;
                }
                Action::Recv { value, timeout, option, vars } => {
                    let received = match self.frames.next(*timeout).await {
                        Err(FrameError::TimedOut(length)) if *option => {
                            self.say(format_args!(
                                "stage {number} ({}): nothing came in {length:?}; it is optional",
                                stage.label()
                            ));
                            continue;
                        }
                        other => other.map_err(|error| blame(error.into()))?,
                    };
                    self.check(received, value, vars).map_err(blame)?;
                    jumps = 0;
                }
                Action::If { vars, goto } => {
                    let matches = |(variable, regex): &(Variable, regex::Regex)| {
                        self.variables.text(variable).is_some_and(|text| regex.is_match(&text))
                    };
                    if vars.iter().all(matches) {
                        next = *goto;
                        jumps += 1;
                        if jumps > stages.len() {
                            return Err(blame(RunProblem::Endless));
                        }
                    }
                }
                Action::End => return Ok(()),
            }
        }
        Ok(())
    }

    /// The text of the message that a `send` stage sends.
    fn compose(&self, value: &Fields<Value>, vars: &[(String, Template)]) -> Result<String, RunProblem> {
        let mut fields: Vec<(String, Value)> =
            value.0.iter().map(|(name, value)| (name.clone(), self.variables.replace(value))).collect();
        for (field, template) in vars {
            let filled = self.variables.fill(template).map_err(|variable| RunProblem::NoValue {
                field: field.clone(),
                variable: variable.name().to_owned(),
            })?;
            match fields.iter_mut().find(|(name, _)| name == field) {
                Some((_, value)) => *value = filled,
                None => fields.push((field.clone(), filled)),
            }
        }
        serde_json::to_string(&Fields(fields)).map_err(RunProblem::Json)
    }

    /// Compares a received frame with what a `recv` stage expects, then takes the variables.
    fn check(
        &mut self,
        frame: Frame,
        expected: &Fields<Value>,
        vars: &[(Variable, String)],
    ) -> Result<(), RunProblem> {
        let text = match frame {
            Frame::Text(text) => text,
            Frame::Binary(len) => return Err(RunProblem::Binary(len)),
        };
        self.say(format_args!("< {text}"));
        let Ok(Value::Object(message)) = serde_json::from_str(&text) else {
            return Err(RunProblem::NotAnObject(text));
        };
        let mismatch = |(field, expected): &(String, Value)| {
            let expected = self.variables.replace(expected);
            let got = message.get(field);
            (got != Some(&expected)).then(|| Mismatch { field: field.clone(), expected, got: got.cloned() })
        };
        let mismatches: Vec<_> = expected.0.iter().filter_map(mismatch).collect();
        if !mismatches.is_empty() {
            return Err(RunProblem::Mismatch(mismatches));
        }
        for (variable, field) in vars {
            let Some(value) = message.get(field) else {
                let variable = variable.name().to_owned();
                return Err(RunProblem::NoField { field: field.clone(), variable });
            };
            self.variables.set(variable, value.clone());
        }
        Ok(())
    }

    fn say(&self, what: fmt::Arguments<'_>) {
        self.transcript.line(&format!("[{}] {what}", self.n));
    }
}

#[cfg(test)]
mod tests;
