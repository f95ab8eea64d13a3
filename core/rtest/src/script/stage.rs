//! One stage: from JSON to what the runner needs.

use std::time::Duration;

use regex::Regex;
use serde_json::Value;
use serde_json::value::RawValue;

use super::duration::parse_duration;
use super::error::{FieldProblem, StageProblem};
use super::fields::Fields;
use super::vars::{Template, Variable};

/// One step of a script.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) action: Action,
    pub(crate) tag: Option<String>,
}

#[derive(Debug)]
pub(crate) enum Action {
    /// Sleep, then send.
    Send { value: Fields<Value>, sleep: Option<Duration>, vars: Vec<(String, Template)> },
    /// Wait for a frame that has these fields.
    Recv { value: Fields<Value>, timeout: Option<Duration>, option: bool, vars: Vec<(Variable, String)> },
    /// Go to the stage of that index if all variables match.
    If { vars: Vec<(Variable, Regex)>, goto: usize },
    /// The run is a success.
    End,
}

impl Stage {
    /// What a reader of the script looks for: `recv`, or `recv again` if it has that tag.
    pub(crate) fn label(&self) -> String {
        let kind = match self.action {
            Action::Send { .. } => "send",
            Action::Recv { .. } => "recv",
            Action::If { .. } => "if",
            Action::End => "end",
        };
        self.tag.as_ref().map_or_else(|| kind.to_owned(), |tag| format!("{kind} {tag}"))
    }
}

/// A stage whose `goto` is still a tag.
pub(super) struct RawStage {
    pub(super) tag: Option<String>,
    action: RawAction,
}

enum RawAction {
    Ready(Action),
    If { vars: Vec<(Variable, Regex)>, goto: String },
}

impl RawStage {
    /// Reads one stage. `text` is one JSON value.
    pub(super) fn parse(text: &str) -> Result<Self, StageProblem> {
        let mut fields = StageFields::parse(text)?;
        let kind = fields.string("type")?.ok_or(StageProblem::Missing("type"))?;
        let tag = fields.string("tag")?;
        let (kind, action) = match kind.as_str() {
            "send" => ("send", RawAction::Ready(fields.send()?)),
            "recv" => ("recv", RawAction::Ready(fields.recv()?)),
            "if" => ("if", fields.goto_if()?),
            "end" => ("end", RawAction::Ready(Action::End)),
            _ => return Err(field_problem("type", FieldProblem::StageType(kind))),
        };
        fields.finish(kind)?;
        Ok(Self { tag, action })
    }

    /// Finds where `goto` goes. `index` is the stage's own place in `tags`, which has the tag of each stage.
    pub(super) fn link(self, index: usize, tags: &[Option<String>]) -> Result<Stage, StageProblem> {
        let place = |tag: &str| tags.iter().position(|other| other.as_deref() == Some(tag));
        if let Some(tag) = &self.tag
            && let Some(first) = place(tag).filter(|first| *first < index)
        {
            let problem = FieldProblem::DoubleTag { tag: tag.clone(), first: first + 1 };
            return Err(field_problem("tag", problem));
        }
        let action = match self.action {
            RawAction::Ready(action) => action,
            RawAction::If { vars, goto } => match place(&goto) {
                Some(goto) => Action::If { vars, goto },
                None => return Err(field_problem("goto", FieldProblem::NoSuchTag(goto))),
            },
        };
        Ok(Stage { action, tag: self.tag })
    }
}

/// The fields of a stage that have not been read yet.
struct StageFields<'a>(Vec<(String, &'a RawValue)>);

impl<'a> StageFields<'a> {
    fn parse(text: &'a str) -> Result<Self, StageProblem> {
        let Fields(fields) = serde_json::from_str::<Fields<&RawValue>>(text)
            .map_err(|_not_an_object| StageProblem::NotAnObject(text.to_owned()))?;
        for (index, (name, _)) in fields.iter().enumerate() {
            if fields.iter().take(index).any(|(earlier, _)| earlier == name) {
                return Err(StageProblem::Double(name.clone()));
            }
        }
        Ok(Self(fields))
    }

    fn send(&mut self) -> Result<Action, StageProblem> {
        Ok(Action::Send {
            value: self.object("value")?.ok_or(StageProblem::Missing("value"))?,
            sleep: self.duration("timeout")?,
            vars: self.vars(|field, template| {
                let filled = Template::parse(&template).ok_or(FieldProblem::Variable(template))?;
                Ok((field, filled))
            })?,
        })
    }

    fn recv(&mut self) -> Result<Action, StageProblem> {
        Ok(Action::Recv {
            value: self.object("value")?.unwrap_or_default(),
            timeout: self.duration("timeout")?,
            option: self.boolean("option")?,
            vars: self.vars(|name, field| Ok((variable(name)?, field)))?,
        })
    }

    fn goto_if(&mut self) -> Result<RawAction, StageProblem> {
        let vars = self.vars(|name, pattern| {
            let regex = Regex::new(&pattern).map_err(|error| FieldProblem::Regex { pattern, error })?;
            Ok((variable(name)?, regex))
        })?;
        Ok(RawAction::If { vars, goto: self.string("goto")?.ok_or(StageProblem::Missing("goto"))? })
    }

    /// Nothing may be left.
    fn finish(self, kind: &'static str) -> Result<(), StageProblem> {
        let Some((field, _)) = self.0.into_iter().next() else { return Ok(()) };
        let known = match kind {
            "send" => "type, tag, value, timeout, vars",
            "recv" => "type, tag, value, timeout, option, vars",
            "if" => "type, tag, vars, goto",
            _ => "type, tag",
        };
        Err(StageProblem::Unknown { field, kind, known: known.to_owned() })
    }

    fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let index = self.0.iter().position(|(field, _)| field == name)?;
        Some(self.0.remove(index).1)
    }

    fn value(&mut self, name: &'static str) -> Result<Option<Value>, StageProblem> {
        let Some(raw) = self.take(name) else { return Ok(None) };
        serde_json::from_str(raw.get())
            .map(Some)
            .map_err(|error| field_problem(name, FieldProblem::Json(error)))
    }

    fn string(&mut self, name: &'static str) -> Result<Option<String>, StageProblem> {
        match self.value(name)? {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(got) => Err(field_problem(name, FieldProblem::Type { expected: "a string", got })),
        }
    }

    fn boolean(&mut self, name: &'static str) -> Result<bool, StageProblem> {
        match self.value(name)? {
            None => Ok(false),
            Some(Value::Bool(on)) => Ok(on),
            Some(got) => Err(field_problem(name, FieldProblem::Type { expected: "true or false", got })),
        }
    }

    fn duration(&mut self, name: &'static str) -> Result<Option<Duration>, StageProblem> {
        let Some(text) = self.string(name)? else { return Ok(None) };
        match parse_duration(&text) {
            Some(duration) => Ok(Some(duration)),
            None => Err(field_problem(name, FieldProblem::Duration(text))),
        }
    }

    fn object(&mut self, name: &'static str) -> Result<Option<Fields<Value>>, StageProblem> {
        let Some(raw) = self.take(name) else { return Ok(None) };
        match serde_json::from_str(raw.get()) {
            Ok(fields) => Ok(Some(fields)),
            Err(error) => Err(field_problem(
                name,
                match serde_json::from_str(raw.get()) {
                    Ok(got) if !matches!(got, Value::Object(_)) => {
                        FieldProblem::Type { expected: "an object", got }
                    }
                    _ => FieldProblem::Json(error),
                },
            )),
        }
    }

    fn vars<T>(
        &mut self,
        read: impl Fn(String, String) -> Result<T, FieldProblem>,
    ) -> Result<Vec<T>, StageProblem> {
        let Fields(vars) = self.object("vars")?.unwrap_or_default();
        let entry = |(name, value): (String, Value)| {
            let field = format!("vars.{name}");
            match value {
                Value::String(text) => read(name, text),
                got => Err(FieldProblem::Type { expected: "a string", got }),
            }
            .map_err(|problem| StageProblem::Field { field, problem })
        };
        vars.into_iter().map(entry).collect()
    }
}

fn variable(name: String) -> Result<Variable, FieldProblem> {
    Variable::parse(&name).ok_or(FieldProblem::Variable(name))
}

fn field_problem(field: &str, problem: FieldProblem) -> StageProblem {
    StageProblem::Field { field: field.to_owned(), problem }
}
