//! Listings: a table of text for `curl`, JSON for programs that ask for it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use rtcd_sdk::{ApiError, Envelope};
use serde_json::{Map, Value};

use crate::logs::visible;

/// In which form a client wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Json,
}

impl Form {
    fn of(headers: &HeaderMap) -> Self {
        let json = headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.contains("application/json"));
        if json { Self::Json } else { Self::Text }
    }
}

impl<S: Sync> FromRequestParts<S> for Form {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.headers))
    }
}

/// A line of text: as it is, or as `msg` of an envelope.
pub(super) fn line(form: Form, text: String) -> Response {
    match form {
        Form::Text => (text + "\n").into_response(),
        Form::Json => Envelope::message(text).into_response(),
    }
}

/// An error: its text with the status, or the envelope.
pub(super) fn error(form: Form, error: ApiError, text: String) -> Response {
    let mut response = error.with_detail(text.clone()).into_response();
    if form == Form::Text {
        let status = response.status();
        response = (status, text + "\n").into_response();
    }
    response
}

/// A table.
pub(super) struct Table {
    /// Name of the list in JSON.
    pub(super) name: &'static str,
    pub(super) columns: &'static [&'static str],
    pub(super) rows: Vec<Vec<Value>>,
}

impl Table {
    pub(super) fn into_response(self, form: Form) -> Response {
        match form {
            Form::Text => self.text().into_response(),
            Form::Json => Envelope::ok().with(self.name, self.json()).into_response(),
        }
    }

    /// One object for each row; a column's name in lower case with `_`.
    pub(super) fn json(&self) -> Vec<Map<String, Value>> {
        let names: Vec<String> = self.columns.iter().map(|column| column.replace(' ', "_")).collect();
        self.rows.iter().map(|row| names.iter().cloned().zip(row.iter().cloned()).collect()).collect()
    }

    /// Columns padded to their widest cell.
    pub(super) fn text(&self) -> String {
        let cell = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => visible(text),
            other => other.to_string(),
        };
        let mut lines: Vec<Vec<String>> =
            vec![self.columns.iter().map(|column| (*column).to_owned()).collect()];
        lines.extend(self.rows.iter().map(|row| row.iter().map(cell).collect()));
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max()
            })
            .map(Option::unwrap_or_default)
            .collect();
        lines
            .into_iter()
            .map(|line| {
                let padded: Vec<String> =
                    line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
                padded.join("  ").trim_end().to_owned() + "\n"
            })
            .collect()
    }
}
