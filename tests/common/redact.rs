//! What differs between two runs, as names that do not: in order of appearance.

use std::collections::HashMap;

use regex::{Captures, Regex};

/// Ids that the server makes.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    names: HashMap<String, String>,
    counts: HashMap<&'static str, usize>,
}

impl Redactor {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// `dlg_…` → `dlg_1`, `rel…` → `rel_1`, a CSeq of the server (a random 32-bit number) → `c1`; the seconds
    /// that a subscription has left → N; a token → `<token>`; a `Message-ID`
    /// of the server → `id_1`, a `Date` → `<date>`.
    pub(crate) fn redact(&mut self, text: &str) -> String {
        let ids = Regex::new(r"\b(dlg_|rel)[A-Za-z0-9.-]+[_+][0-9a-f]{32}\b").unwrap();
        let text = ids.replace_all(text, |found: &Captures<'_>| match &found[1] {
            "dlg_" => self.name("dlg_", &found[0]),
            _ => self.name("rel_", &found[0]),
        });
        let cseqs = Regex::new(r#""(CSeq|RelatedID)":(\d{4,})"#).unwrap();
        let text = cseqs.replace_all(&text, |found: &Captures<'_>| {
            format!("\"{}\":{}", &found[1], self.name("c", &found[2]))
        });
        let message_ids = Regex::new(r#""Message-ID":"([0-9a-f-]{32,36})""#).unwrap();
        let text = message_ids.replace_all(&text, |found: &Captures<'_>| {
            format!("\"Message-ID\":\"{}\"", self.name("id_", &found[1]))
        });
        let dates = Regex::new(r#""Date":"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}Z""#).unwrap();
        let text = dates.replace_all(&text, r#""Date":"<date>""#);
        let tokens = Regex::new(r#""Token":"[^"]+""#).unwrap();
        let text = tokens.replace_all(&text, r#""Token":"<token>""#);
        // How slow the machine is.
        let left = Regex::new(r"active;expires=\d+").unwrap();
        left.replace_all(&text, "active;expires=N").into_owned()
    }

    fn name(&mut self, kind: &'static str, id: &str) -> String {
        if let Some(name) = self.names.get(id) {
            return name.clone();
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let name = format!("{kind}{count}");
        self.names.insert(id.to_owned(), name.clone());
        name
    }
}
