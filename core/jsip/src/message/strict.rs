//! What JSON allows and JSIP does not: deep nesting, and a key twice in one object.

use std::borrow::Cow;

use smallvec::SmallVec;

/// How deep objects and arrays may nest in a message, its own braces counted.
pub const MAX_DEPTH: usize = 32;

/// Checks a value that is known to be well-formed JSON and lies in the message's own object.
pub(super) fn check(value: &str) -> Result<(), &'static str> {
    if !value.starts_with(['{', '[']) {
        return Ok(());
    }
    let bytes = value.as_bytes();
    // Per open bracket: where its keys begin in `keys`, or `None` for an array.
    let mut open: SmallVec<[Option<usize>; 8]> = SmallVec::new();
    let mut keys: SmallVec<[&str; 8]> = SmallVec::new();
    let mut key_next = false;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => {
                open.push((byte == b'{').then_some(keys.len()));
                if open.len() >= MAX_DEPTH {
                    return Err("nested deeper than 32");
                }
                key_next = byte == b'{';
            }
            b'}' | b']' => {
                if let Some(Some(start)) = open.pop() {
                    if repeats(keys.get(start..).unwrap_or_default()) {
                        return Err("has a key twice");
                    }
                    keys.truncate(start);
                }
                key_next = false;
            }
            b',' => key_next = matches!(open.last(), Some(Some(_))),
            b'"' => {
                let end = string_end(bytes, at);
                if key_next {
                    keys.push(value.get(at..=end).unwrap_or_default());
                    key_next = false;
                }
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// Whether two names are the same, for any number of them in `n log n`.
pub(super) fn repeats_name<'a>(mut names: impl ExactSizeIterator<Item = &'a str> + Clone) -> Option<&'a str> {
    /// So few are compared one with another, without a copy.
    const FEW: usize = 8;
    if names.len() <= FEW {
        return std::iter::from_fn(|| names.next().map(|name| (name, names.clone())))
            .find_map(|(name, mut later)| later.any(|other| other == name).then_some(name));
    }
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.array_windows().find(|[a, b]| a == b).map(|[a, _]| *a)
}

fn repeats(quoted: &[&str]) -> bool {
    if quoted.len() < 2 {
        return false;
    }
    let mut names: Vec<Cow<'_, str>> = quoted.iter().map(|key| unquoted(key)).collect();
    names.sort_unstable();
    names.array_windows().any(|[a, b]| a == b)
}

fn unquoted(key: &str) -> Cow<'_, str> {
    if key.contains('\\') {
        // A key that no reader can decode is compared as it stands.
        serde_json::from_str::<String>(key).map_or(Cow::Borrowed(key), Cow::Owned)
    } else {
        Cow::Borrowed(key.trim_matches('"'))
    }
}

/// Where the string that begins at `start` has its closing quote.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_the_message_itself() {
        let nest = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(check(&nest(31)), Ok(()));
        assert_eq!(check(&nest(32)), Err("nested deeper than 32"));
        assert_eq!(check(r#""[[[[""#), Ok(()));
    }

    #[test]
    fn keys_are_compared_within_their_object() {
        for good in [
            r#"{"a":{"a":1},"b":{"a":"a"},"c":["a","a",{"a":1}]}"#,
            r#"["a","a",{"a":"a","b":"\"a\":"}]"#,
            r#"{"":"a","a":""}"#,
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            r#"{"a":1,"a":2}"#,
            r#"[{"x":{"a":1,"b":[{}],"a":2}}]"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{ "a" : [1,{"q":2}] , "a" : 1 }"#,
        ] {
            assert_eq!(check(bad), Err("has a key twice"), "{bad}");
        }
    }
}
