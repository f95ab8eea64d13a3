//! Names of new plugins.

use super::NewError;

/// One that is good for a folder, a crate, a route and a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name(String);

/// Names that mean something already: the service for what nothing else takes, and the APIs of the server itself.
const RESERVED: [&str; 8] =
    ["default", "apim", "slpm", "runtime", "healthz", "readyz", "metrics", "template-name"];

impl Name {
    /// Checks a name.
    pub(super) fn parse(name: String) -> Result<Self, NewError> {
        /// Enough, and short enough for a column.
        const LONGEST: usize = 40;
        let good = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
            && name.len() <= LONGEST;
        if !good {
            return Err(NewError::BadName(name));
        }
        if RESERVED.contains(&&*name) {
            return Err(NewError::Reserved(name));
        }
        Ok(Self(name))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of its type.
    pub(super) fn camel_case(&self) -> String {
        let words = self.0.split(['-', '_']);
        words
            .map(|word| {
                word.chars()
                    .take(1)
                    .map(|c| c.to_ascii_uppercase())
                    .chain(word.chars().skip(1))
                    .collect::<String>()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, camel_case) in
            [("hello", "Hello"), ("a", "A"), ("call-queue_2", "CallQueue2"), ("x--y", "XY")]
        {
            assert_eq!(Name::parse(name.to_owned()).unwrap().camel_case(), camel_case);
        }
        let long = "a".repeat(41);
        for name in
            ["", "Hello", "1st", "-x", "x-", "a b", "a.b", "a/b", "..", "ä", "default", "runtime", &long]
        {
            assert!(Name::parse(name.to_owned()).is_err(), "{name}");
        }
    }
}
