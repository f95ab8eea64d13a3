//! Variables: `$name`, taken from fields of a received message and put into those of a sent one.

use std::collections::HashMap;

use serde_json::Value;

/// The name of a variable, with its `$`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Variable(String);

impl Variable {
    /// `text` as a variable, if all of it is one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        (variable_len(text) == Some(text.len())).then(|| Self(text.to_owned()))
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }
}

/// The length in bytes of the variable that `text` begins with.
fn variable_len(text: &str) -> Option<usize> {
    let name = text.strip_prefix('$')?;
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return None;
    }
    let len = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
    Some(1 + len)
}

/// What a `send` stage fills a field with: one variable, or a text with variables in it.
#[derive(Debug, Clone)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Variable(Variable),
}

impl Template {
    /// Cuts `text` into variables and the text between them; nothing if there is no variable.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let len = variable_len(rest).unwrap_or_else(|| first.len_utf8());
            let (head, tail) = rest.split_at(len);
            match Variable::parse(head) {
                Some(variable) => {
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(Part::Variable(variable));
                }
                None => plain.push_str(head),
            }
            rest = tail;
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        parts.iter().any(|part| matches!(part, Part::Variable(_))).then_some(Self(parts))
    }
}

/// The variables of one run with their values.
#[derive(Debug, Default)]
pub(crate) struct Variables(HashMap<String, Value>);

impl Variables {
    pub(crate) fn set(&mut self, variable: &Variable, value: Value) {
        self.0.insert(variable.0.clone(), value);
    }

    /// The value as text: a string as it is, anything else as JSON. Nothing if it has no value yet.
    pub(crate) fn text(&self, variable: &Variable) -> Option<String> {
        self.0.get(&variable.0).map(as_text)
    }

    /// `template` with its variables filled in. A lone variable keeps its type. `Err` names the one that has no value.
    pub(crate) fn fill(&self, template: &Template) -> Result<Value, Variable> {
        let known = |variable: &Variable| self.0.get(&variable.0).ok_or_else(|| variable.clone());
        if let [Part::Variable(variable)] = template.0.as_slice() {
            return known(variable).cloned();
        }
        let mut text = String::new();
        for part in &template.0 {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Variable(variable) => text.push_str(&as_text(known(variable)?)),
            }
        }
        Ok(Value::String(text))
    }

    /// `value` with each string in it that is the name of a known variable replaced by that variable's value.
    pub(crate) fn replace(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.0.get(text).unwrap_or(value).clone(),
            Value::Array(items) => items.iter().map(|item| self.replace(item)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, item)| (name.clone(), self.replace(item))).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }
}

fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            other.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names() {
        for good in ["$x", "$_", "$a1", "$Call_2"] {
            assert!(Variable::parse(good).is_some(), "{good}");
        }
        for bad in ["", "$", "x", "$1", "$x-y", "$x ", " $x", "$$x"] {
            assert!(Variable::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn fills_templates() {
        let mut vars = Variables::default();
        vars.set(&Variable::parse("$n").unwrap(), json!(7));
        vars.set(&Variable::parse("$who").unwrap(), json!("alex"));
        let fill = |text: &str| vars.fill(&Template::parse(text).unwrap()).map_err(|v| v.0);
        assert_eq!(fill("$n"), Ok(json!(7)));
        assert_eq!(fill("$who@host"), Ok(json!("alex@host")));
        assert_eq!(fill("a$n-$who$n"), Ok(json!("a7-alex7")));
        assert_eq!(fill("$5 $who"), Ok(json!("$5 alex")));
        assert_eq!(fill("x$none"), Err("$none".to_owned()));
        assert!(Template::parse("costs $5").is_none());
    }

    #[test]
    fn replaces_whole_strings_at_any_depth() {
        let mut vars = Variables::default();
        vars.set(&Variable::parse("$n").unwrap(), json!(7));
        let value = json!({"a": "$n", "b": ["$n", "$n!", "$m"], "c": 1});
        assert_eq!(vars.replace(&value), json!({"a": 7, "b": [7, "$n!", "$m"], "c": 1}));
    }
}
