//! Where lines about runs go.

use std::fmt;
use std::io::Write;
use std::sync::Arc;

/// Takes the lines that a run prints: what was sent, what was received, what went wrong.
#[derive(Clone)]
pub struct Transcript(Arc<dyn Fn(&str) + Send + Sync>);

impl Transcript {
    /// Gives each line, without its line end, to `print`.
    pub fn new(print: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(print))
    }

    /// Prints to standard output. Control characters are escaped; a closed output is no error.
    pub fn stdout() -> Self {
        Self::new(|line| {
            let _ = writeln!(std::io::stdout().lock(), "{}", printable(line));
        })
    }

    pub(crate) fn line(&self, line: &str) {
        (self.0)(line);
    }
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transcript")
    }
}

/// What a peer sends must not drive the terminal.
fn printable(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        if c.is_control() && c != '\t' {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(printable("a\tb\n\u{1b}[0mé"), "a\tb\\n\\u{1b}[0mé");
    }
}
