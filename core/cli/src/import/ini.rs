//! Reads ini text, line by line.

/// The parts of gortc.ini.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Global,
    Rtc,
    Api,
    Jsip,
    /// One that gortc does not have.
    Unknown,
}

/// `key = value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) section: Section,
    pub(super) header: &'a str,
    pub(super) key: &'a str,
    pub(super) value: &'a str,
}

/// A line that says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Entry(Entry<'a>),
    Bad(&'static str),
}

impl Section {
    fn of(header: &str) -> Self {
        let is = |name| header.eq_ignore_ascii_case(name);
        match () {
            () if is("global") || is("default") => Self::Global,
            () if is("RTCModule") => Self::Rtc,
            () if is("APIModule") => Self::Api,
            () if is("JSIPStack") => Self::Jsip,
            () => Self::Unknown,
        }
    }
}

impl Entry<'_> {
    /// How it is called in messages.
    pub(super) fn name(&self) -> String {
        if self.header.is_empty() { self.key.to_owned() } else { format!("[{}] {}", self.header, self.key) }
    }
}

/// The lines that say something, with their numbers. Keys before any section are global.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, Line<'_>)> {
    let mut header = "";
    let mut section = Section::Global;
    text.trim_start_matches('\u{feff}').lines().enumerate().filter_map(move |(index, line)| {
        let line = line.trim();
        let said = match line.as_bytes().first() {
            None | Some(b'#' | b';') => return None,
            Some(b'[') => {
                let Some(end) = line.find(']') else {
                    section = Section::Unknown;
                    return Some((index + 1, Line::Bad("a section's name ends with ]")));
                };
                header = line.get(1..end).unwrap_or_default().trim();
                section = Section::of(header);
                return (section == Section::Unknown)
                    .then_some((index + 1, Line::Bad("gortc has no such section: its keys are left out")));
            }
            // Said once, where the section begins.
            Some(_) if section == Section::Unknown => return None,
            Some(_) => match line.split_once('=') {
                Some((key, value)) if !key.trim().is_empty() => {
                    Line::Entry(Entry { section, header, key: key.trim(), value: unquoted(value.trim()) })
                }
                _ => Line::Bad("neither a section nor KEY = VALUE"),
            },
        };
        Some((index + 1, said))
    })
}

/// A value without quotes, and without the comment behind it.
fn unquoted(value: &str) -> &str {
    for quote in ['"', '\'', '`'] {
        if let Some((inside, _)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return inside;
        }
    }
    // A # within a word, as in a URL, is no comment.
    let comment = [" #", " ;", "\t#", "\t;"].iter().filter_map(|mark| value.find(mark)).min();
    let value = if value.starts_with(['#', ';']) { "" } else { value };
    value.get(..comment.unwrap_or(value.len())).unwrap_or_default().trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let cases = [
            ("a", "a"),
            ("a b ; c", "a b"),
            ("a\t# b", "a"),
            ("http://h/#x", "http://h/#x"),
            ("\"a ; b\" ; c", "a ; b"),
            ("'a", "'a"),
            ("; nothing", ""),
            ("", ""),
        ];
        for (text, value) in cases {
            assert_eq!(unquoted(text), value, "{text:?}");
        }
    }
}
