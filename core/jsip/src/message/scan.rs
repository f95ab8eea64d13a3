//! Where the fields of a frame are, for frames as nearly all are written. `serde_json` reads any, at twice the cost.

use serde_json::value::RawValue;

use super::strict;

/// Calls `each` with the name of each field and the JSON text of its value. `None` if this is not JSON, or is written in a way
/// that is rare: an escape in a name, `\u` in a text, a number that is no plain integer, `true`, `false` or `null`. Some fields
/// may have been told by then.
pub(super) fn fields<'a>(frame: &'a str, mut each: impl FnMut(&'a str, &'a str)) -> Option<()> {
    let bytes = frame.as_bytes();
    let mut at = after(bytes, blanks(bytes, 0), b'{')?;
    loop {
        let start = after(bytes, blanks(bytes, at), b'"')?;
        let end = special(bytes, start)?;
        let name = frame.get(start..end)?;
        at = after(bytes, end, b'"')?;
        let start = blanks(bytes, after(bytes, blanks(bytes, at), b':')?);
        let end = value(frame, start)?;
        each(name, frame.get(start..end)?);
        at = blanks(bytes, end);
        match bytes.get(at)? {
            b',' => at += 1,
            b'}' => return (blanks(bytes, at + 1) == bytes.len()).then_some(()),
            _ => return None,
        }
    }
}

/// The place after this byte, if it is there.
fn after(bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
    (*bytes.get(at)? == byte).then_some(at + 1)
}

#[inline]
fn blanks(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\t' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The end of the value that begins here.
#[inline]
fn value(frame: &str, start: usize) -> Option<usize> {
    let bytes = frame.as_bytes();
    match bytes.get(start)? {
        b'"' => text(bytes, start + 1),
        b'1'..=b'9' => {
            let digits = bytes.get(start..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
            Some(start + digits)
        }
        b'0' => Some(start + 1),
        b'{' | b'[' => {
            let mut values = serde_json::Deserializer::from_str(frame.get(start..)?).into_iter::<&RawValue>();
            let value = values.next()?.ok()?.get();
            // Which error it is depends on what is around it.
            strict::check(value).ok()?;
            Some(start + value.len())
        }
        _ => None,
    }
}

/// The end of the string whose first character is here.
#[inline]
fn text(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at = special(bytes, at)?;
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => match bytes.get(at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                _ => return None,
            },
            _ => return None,
        }
    }
}

/// The place of the next quote, backslash or control character. Eight bytes at once: the lowest bit that is set in one of the
/// three masks is right, as borrows only go upwards.
#[inline(always)]
fn special(bytes: &[u8], start: usize) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let (chunks, tail) = bytes.get(start..)?.as_chunks::<8>();
    for (nth, chunk) in chunks.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let quote = zeros(word ^ (ONES * u64::from(b'"')));
        let backslash = zeros(word ^ (ONES * u64::from(b'\\')));
        let found = (control | quote | backslash) & HIGH;
        if found != 0 {
            return Some(start + nth * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let found = tail.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20));
    found.map(|at| bytes.len() - tail.len() + at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::decode::fields_by_serde;
    use super::*;

    fn scanned(frame: &str) -> Option<Vec<(&str, &str)>> {
        let mut found = Vec::new();
        fields(frame, |name, value| found.push((name, value)))?;
        Some(found)
    }

    #[test]
    fn common_frames() {
        let frame = concat!(
            " {\"Type\":\"MESSAGE\" , \"CSeq\" : 10,\n\t\"Zero\":0,\"Contact\":[\"a\",{\"b\":null}],",
            "\"Body\":\"v=0\\r\\n\\\"\u{e9}\u{1f600}\\\\ long enough for some chunks\",\"\":\"\"}\r\n "
        );
        let expected = [
            ("Type", "\"MESSAGE\""),
            ("CSeq", "10"),
            ("Zero", "0"),
            ("Contact", "[\"a\",{\"b\":null}]"),
            ("Body", "\"v=0\\r\\n\\\"\u{e9}\u{1f600}\\\\ long enough for some chunks\""),
            ("", "\"\""),
        ];
        assert_eq!(scanned(frame).unwrap(), expected);
    }

    #[test]
    fn each_byte_is_found_at_each_place() {
        for byte in 0..=0x7f_u8 {
            for place in 0..20 {
                let mut text = [b'x'; 20];
                text[place] = byte;
                let expected = (byte < 0x20 || byte == b'"' || byte == b'\\').then_some(place);
                assert_eq!(special(&text, 0), expected, "{byte} at {place}");
            }
        }
        assert_eq!(special("ÿ\u{80}é\u{1f600}漢字ÿ\u{7f}".as_bytes(), 0), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// What is found is what `serde_json` finds; where that sees an error, nothing is.
        #[test]
        fn as_serde_json(fields in proptest::collection::vec(field(), 0..6), rest in "([ \n]|[}\"a,]){0,1}") {
            let frame = format!("{{{}}}{rest}", fields.join(","));
            if let Some(found) = scanned(&frame) {
                let expected = fields_by_serde(&frame);
                prop_assert!(expected.is_ok(), "{frame}: {expected:?}");
                let expected = expected.unwrap();
                let expected: Vec<_> = expected.iter().map(|(name, value)| (&**name, *value)).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }

    /// A field that is JSON, or nearly.
    fn field() -> impl Strategy<Value = String> {
        let blank = || "[ \n\t\r]{0,1}";
        let good = prop_oneof![
            "\"[a-z\u{e9}]{0,12}\"",
            "\"([a-c ]|\\\\[nrt\"\\\\/b]){0,12}\"",
            "[1-9][0-9]{0,5}|0",
            "\\[(1|\"a\"|\\[\\]|\\{\"a\":0\\})(,(null|\"]\"|\\{\\}))?\\]",
        ];
        let odd = prop_oneof![
            "\"[a-c]{0,3}\\\\[u0x][0-9a-c]{0,5}\"",
            "\"[\u{0}-\u{22}\u{5c}a\u{7f}-\u{ff}]{0,10}\"",
            "[-+]?[0-9]{0,3}[.eE]?[0-9]{0,2}",
            "true|false|null|nul",
            "[\\[\\]{},\"a:1 ]{0,8}",
        ];
        let value = prop_oneof![9 => good, 1 => odd];
        let name = prop_oneof![19 => "[a-d]{0,3}", 1 => "[a\u{1f}\u{7f}\\\\\"]{0,2}"];
        (blank(), name, blank(), blank(), value, blank())
            .prop_map(|(a, name, b, c, value, d)| format!("{a}\"{name}\"{b}:{c}{value}{d}"))
    }
}
