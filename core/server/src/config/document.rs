//! A YAML file: its value, and in which line each of its fields stands.

use std::collections::BTreeMap;
use std::fmt;

use saphyr_parser::{Event, Parser};
use serde_yaml::Value;

use super::source::is_built_in;

/// Something is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, or where else the value came from.
    pub file: String,
    /// The line, from 1, if it is known.
    pub line: Option<usize>,
    /// The field, such as `rtc.listen`; empty if the file as a whole is meant.
    pub field: String,
    /// What is wrong.
    pub text: String,
}

impl Problem {
    pub(crate) fn new(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self { file: String::new(), line: None, field: field.into(), text: text.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.field.is_empty() {
            write!(f, ": {}", self.field)?;
        }
        write!(f, ": {}", self.text)
    }
}

/// What was read from a file.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    file: String,
    pub(crate) value: Value,
    lines: BTreeMap<String, usize>,
}

impl Document {
    /// Where a field stands: `FILE:LINE`.
    pub(crate) fn line_of(&self, field: &str) -> String {
        match self.lines.get(field) {
            Some(line) => format!("{}:{line}", self.file),
            None => self.file.clone(),
        }
    }

    /// Reads YAML. A file of comments alone counts as an empty mapping.
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, Vec<Problem>> {
        let (lines, twice) = lines(text);
        if !twice.is_empty() {
            return Err(twice
                .into_iter()
                .map(|(field, line)| Problem {
                    file: file.to_owned(),
                    line: Some(line),
                    text: "stands here for the second time".to_owned(),
                    field,
                })
                .collect());
        }
        let value = serde_yaml::from_str(text).map_err(|error: serde_yaml::Error| {
            let line = error.location().map(|location| location.line());
            let text = error.to_string();
            // The line stands in front already.
            let text = text.split(" at line ").next().unwrap_or_default().to_owned();
            vec![Problem { file: file.to_owned(), line, field: String::new(), text }]
        })?;
        let value = match value {
            Value::Null => Value::Mapping(serde_yaml::Mapping::new()),
            value => value,
        };
        Ok(Self { file: file.to_owned(), value, lines })
    }

    /// The line of a field, or of the nearest field around it.
    pub(crate) fn line(&self, field: &str) -> Option<usize> {
        let mut field = field;
        loop {
            if let Some(line) = self.lines.get(field) {
                return Some(*line);
            }
            field = field.get(..field.rfind(['.', '['])?)?;
        }
    }

    /// What is wrong if this file was there and now is gone.
    pub(crate) fn lost_in(&self, new: &Self) -> Option<Problem> {
        let gone = is_built_in(&new.file) && !is_built_in(&self.file);
        gone.then(|| Problem { file: self.file.clone(), ..Problem::new("", "the file is gone") })
    }

    /// A problem with this file.
    pub(crate) fn problem(&self, field: impl Into<String>, text: impl Into<String>) -> Problem {
        self.place(Problem::new(field, text))
    }

    /// Says where a problem is.
    pub(crate) fn place(&self, problem: Problem) -> Problem {
        Problem { file: self.file.clone(), line: self.line(&problem.field), ..problem }
    }
}

/// A mapping or a sequence that is being read.
enum Open {
    Mapping { path: String, key: Option<String> },
    Sequence { path: String, index: usize },
}

/// Lines of all fields; and the fields that stand there twice. What cannot be parsed is left to the other parser to tell.
fn lines(text: &str) -> (BTreeMap<String, usize>, Vec<(String, usize)>) {
    let mut lines = BTreeMap::new();
    let mut twice = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else { break };
        let scalar = match event {
            Event::Scalar(text, ..) => Some(text),
            Event::Alias(_) => None,
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                let path = value_path(&mut open, &mut lines, span.start.line());
                open.push(match event {
                    Event::MappingStart(..) => Open::Mapping { path, key: None },
                    _ => Open::Sequence { path, index: 0 },
                });
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => {
                open.pop();
                continue;
            }
            _ => continue,
        };
        match open.last_mut() {
            Some(Open::Mapping { path, key: key @ None }) => {
                let name = scalar.map(|text| text.into_owned()).unwrap_or_default();
                let field = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let line = span.start.line();
                if lines.insert(field.clone(), line).is_some() {
                    twice.push((field, line));
                }
                *key = Some(name);
            }
            _ => drop(value_path(&mut open, &mut lines, span.start.line())),
        }
    }
    (lines, twice)
}

/// The path of a value that begins here.
fn value_path(open: &mut [Open], lines: &mut BTreeMap<String, usize>, line: usize) -> String {
    match open.last_mut() {
        Some(Open::Mapping { path, key }) => {
            let key = key.take().unwrap_or_default();
            if path.is_empty() { key } else { format!("{path}.{key}") }
        }
        Some(Open::Sequence { path, index }) => {
            let path = format!("{path}[{index}]");
            *index += 1;
            lines.insert(path.clone(), line);
            path
        }
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_has_its_line() {
        let text = "# a comment\na:\n  b: 1\n  c: {d: 2,\n    e: [x, y]}\nf:\n- g: 3\n  h: 4\n- i\n";
        let document = Document::parse("f", text).unwrap();
        let lines: Vec<_> = document.lines.iter().map(|(field, line)| format!("{field} {line}")).collect();
        assert_eq!(
            lines,
            [
                "a 2",
                "a.b 3",
                "a.c 4",
                "a.c.d 4",
                "a.c.e 5",
                "a.c.e[0] 5",
                "a.c.e[1] 5",
                "f 6",
                "f[0] 7",
                "f[0].g 7",
                "f[0].h 8",
                "f[1] 9"
            ]
        );
        assert_eq!(document.line("a.c.nothing"), Some(4));
        assert_eq!(document.line("nothing"), None);
    }

    #[test]
    fn a_key_that_stands_twice() {
        let problems = Document::parse("f", "a: 1\nb: {c: 1, c: 2}\na: 2\n").unwrap_err();
        let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            ["f:2: b.c: stands here for the second time", "f:3: a: stands here for the second time"]
        );
    }

    #[test]
    fn no_yaml() {
        let problems = Document::parse("f", "a: 1\nb: [\n").unwrap_err();
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].line, Some(3), "{problems:?}");
    }
}
