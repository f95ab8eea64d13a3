//! One line for each call that switches something, or would have.

use std::net::SocketAddr;

use axum::http::request::Parts;
use axum::http::{Method, StatusCode};

/// A switching call under way. Its line is written at its end.
pub(super) struct Audit(Option<Line>);

struct Line {
    who: String,
    remote: String,
    method: Method,
    path: String,
    /// None while there is no answer.
    status: Option<StatusCode>,
}

impl Audit {
    /// Of any call: those that switch nothing leave no line.
    pub(super) fn of(who: Option<&str>, remote: Option<SocketAddr>, parts: &Parts) -> Self {
        let path = parts.uri.path();
        let switches = matches!(parts.method, Method::POST | Method::DELETE)
            && (path.starts_with("/apim/") || path.starts_with("/slpm/"));
        Self(switches.then(|| Line {
            who: shown(who.unwrap_or("-"), 64),
            remote: remote.map_or_else(|| "-".to_owned(), |remote| remote.to_string()),
            method: parts.method.clone(),
            path: shown(parts.uri.path_and_query().map_or(path, |path| path.as_str()), 256),
            status: None,
        }))
    }

    pub(super) fn answered(&mut self, status: StatusCode) {
        if let Some(line) = &mut self.0 {
            line.status = Some(status);
        }
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        let Some(Line { who, remote, method, path, status }) = &self.0 else { return };
        // 0: the client was gone before its answer.
        let status = status.map_or(0, |status| status.as_u16());
        tracing::info!(target: "rtcd::audit", %who, %remote, %method, %path, status, "switch");
    }
}

/// A text from outside as a part of a line: it can neither end the line, nor look like another field of it, nor fill the log.
fn shown(text: &str, longest: usize) -> String {
    let mut shown = String::new();
    for letter in text.chars() {
        if shown.len() >= longest {
            shown += "…";
            break;
        }
        if letter.is_alphanumeric() || (letter.is_ascii_graphic() && letter != '"' && letter != '\\') {
            shown.push(letter);
        } else {
            shown.extend(letter.escape_unicode());
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_forges_a_line() {
        assert_eq!(shown("/slpm/v1/x?file=y", 256), "/slpm/v1/x?file=y");
        assert_eq!(shown("Zoë", 64), "Zoë");
        assert_eq!(shown("a\nb who=\"x\"\u{202e}", 256), r"a\u{a}b\u{20}who=\u{22}x\u{22}\u{202e}");
        assert_eq!(shown(&"x".repeat(300), 256), "x".repeat(256) + "…");
    }
}
