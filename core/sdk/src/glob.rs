//! Patterns in which `*` stands for any text.

use serde::{Deserialize, Serialize};

/// A pattern in which `*` stands for any text, also none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Glob(String);

impl Glob {
    /// A pattern. Every text is one.
    pub fn new(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }

    /// Whether the pattern covers the whole text.
    pub fn matches(&self, text: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
        let mut parts: Vec<_> = parts.collect();
        let Some(last) = parts.pop() else { return rest.is_empty() };
        for part in parts {
            match rest.split_once(part) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, good, bad) in [
            ("room:*", &["room:", "room:8@a"][..], &["Room:8", "xroom:8"][..]),
            ("*@*", &["a@b", "@"], &["ab", ""]),
            ("*.edge.net:80*", &["a.edge.net:80", "x.edge.net:8080"], &["edge.net:80"]),
            ("", &[""], &["a"]),
            ("*", &["", "a"], &[]),
            ("a*b*c", &["abc", "aXbYc", "abbc"], &["ac", "acb", "abcd"]),
            ("ab*ba", &["abba", "ab-ba"], &["aba"]),
        ] {
            let glob = Glob::new(pattern);
            assert!(good.iter().all(|text| glob.matches(text)), "{pattern}");
            assert!(!bad.iter().any(|text| glob.matches(text)), "{pattern}");
        }
    }
}
