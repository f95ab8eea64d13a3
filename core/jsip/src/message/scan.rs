//! Finds the fields of a frame in one pass, without copies: much cheaper than serde's way through a map of raw values.
//!
//! It takes a part of JSON, and exactly as a whole reader takes it: an object whose keys have no escapes, and whose numbers are
//! plain integers. Any other text is left to the whole reader, which also has the words for what is wrong with it.

use serde_json::value::RawValue;

/// The JSON text of a field's value, and whether it is a string with escapes in it (or holds one).
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) text: &'a str,
    pub(super) escaped: bool,
}

impl<'a> Value<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, escaped: text.contains('\\') }
    }
}

/// Tells each field of the object that `frame` is. `None`: it is to be read by a whole reader, and what was told is void.
#[inline]
pub(super) fn fields<'a>(frame: &'a str, mut each: impl FnMut(&'a str, Value<'a>)) -> Option<()> {
    let mut scanner = Scanner { frame, at: 0 };
    scanner.take(b'{')?;
    scanner.blanks();
    if scanner.byte()? == b'}' {
        scanner.at += 1;
    } else {
        loop {
            let key = scanner.string().filter(|key| !key.escaped)?;
            scanner.take(b':')?;
            scanner.blanks();
            let value = scanner.value()?;
            each(key.text.get(1..key.text.len() - 1)?, value);
            scanner.blanks();
            match scanner.byte()? {
                b',' => scanner.at += 1,
                b'}' => {
                    scanner.at += 1;
                    break;
                }
                _ => return None,
            }
            scanner.blanks();
        }
    }
    scanner.blanks();
    (scanner.at == frame.len()).then_some(())
}

struct Scanner<'a> {
    frame: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    #[inline]
    fn byte(&self) -> Option<u8> {
        self.frame.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
    }

    #[inline]
    fn take(&mut self, byte: u8) -> Option<()> {
        self.blanks();
        (self.byte()? == byte).then(|| self.at += 1)
    }

    fn value(&mut self) -> Option<Value<'a>> {
        let start = self.at;
        match self.byte()? {
            b'"' => return self.string(),
            b'0'..=b'9' => {
                while let Some(b'0'..=b'9') = self.byte() {
                    self.at += 1;
                }
                // What follows is checked by the caller: no fraction, no exponent.
                let leading_zero = self.frame.as_bytes().get(start) == Some(&b'0');
                if leading_zero && self.at > start + 1 {
                    return None;
                }
            }
            b'{' | b'[' => {
                let rest = self.frame.get(start..)?;
                let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
                let value = values.next()?.ok()?.get();
                self.at += value.len();
                return Some(Value { text: value, escaped: false });
            }
            _ => {
                let rest = self.frame.get(start..)?;
                self.at += ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word))?.len();
            }
        }
        Some(Value { text: self.frame.get(start..self.at)?, escaped: false })
    }

    /// A string with its quotes.
    #[inline]
    fn string(&mut self) -> Option<Value<'a>> {
        self.take(b'"')?;
        let start = self.at - 1;
        let mut escaped = false;
        loop {
            self.at += plain(self.frame.as_bytes().get(self.at..)?);
            match self.byte()? {
                b'"' => {
                    self.at += 1;
                    return Some(Value { text: self.frame.get(start..self.at)?, escaped });
                }
                b'\\' => {
                    escaped = true;
                    self.at += escape(self.frame.as_bytes().get(self.at + 1..)?)?;
                }
                _ => return None,
            }
        }
    }
}

/// How long the escape is whose backslash is before these bytes. Whether a `\u` is a character is not asked here.
fn escape(rest: &[u8]) -> Option<usize> {
    match rest {
        [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => Some(2),
        [b'u', digits @ ..] => digits.get(..4)?.iter().all(u8::is_ascii_hexdigit).then_some(6),
        _ => None,
    }
}

/// How many bytes come before the first that a JSON string does not hold as it is: a quote, a backslash, a control character.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> usize {
    let mut at = 0;
    // Most strings end within two words.
    while at < 16
        && let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>)
    {
        let found = special_bytes(u64::from_le_bytes(*chunk));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    // Long texts in big steps, which compile to vector instructions.
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<32>) {
        if chunk.iter().fold(false, |found, byte| found | is_special(*byte)) {
            break;
        }
        at += 32;
    }
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let found = special_bytes(u64::from_le_bytes(*chunk));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let tail = bytes.get(at..).unwrap_or_default();
    at + tail.iter().position(|byte| is_special(*byte)).unwrap_or(tail.len())
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The top bit of the first special byte, at least, of eight. What lies above the first may be wrong: a borrow runs upwards.
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let is = |byte: u8| {
        let same = word ^ (ONES * u64::from(byte));
        same.wrapping_sub(ONES) & !same
    };
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (control | is(b'"') | is(b'\\')) & (ONES << 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_finds_the_first_special_byte_at_any_place() {
        for length in 0..80 {
            for special in [b'"', b'\\', 0, 0x1f] {
                for at in 0..length {
                    for filler in [b' ', b'!', b'#', b'[', b']', 0x7f, 0x80, 0xff, 0xa2, 0xdc] {
                        let mut bytes = vec![filler; length];
                        assert_eq!(plain(&bytes), length);
                        bytes[at] = special;
                        assert_eq!(plain(&bytes), at);
                        bytes[length - 1] = b'"';
                        assert_eq!(plain(&bytes), at);
                    }
                }
            }
        }
    }

    /// What the scanner takes, a whole reader takes, and finds the same in it.
    #[test]
    fn it_takes_nothing_that_a_whole_reader_does_not() {
        let parts = [
            "1",
            "0",
            "01",
            "-1",
            "1.5",
            "1e3",
            "true",
            "tru",
            "null",
            "nulls",
            "{}",
            "[1,]",
            "[1]",
            "\"a\"",
            "\"\\n\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\ud800\"",
            "\"\u{1}\"",
            "\"",
            "{\"a\":[{}]}",
            "\"é\"",
            "",
            " 7 ",
            "[[]",
            "1 2",
        ];
        let mut taken = 0;
        for key in ["\"k\"", "\"\\u006b\"", "k", "\"k\" ", "\"\"", "\"k\n\""] {
            for value in parts {
                for end in ["}", "", ",}", "} ", "}x", "]"] {
                    let text = format!(" {{ {key}:{value}{end}");
                    let mut found = Vec::new();
                    let scanned = fields(&text, |key, value| found.push((key, value.text)));
                    let whole: Result<std::collections::BTreeMap<String, &RawValue>, _> =
                        serde_json::from_str(&text);
                    if scanned.is_some() {
                        let whole = whole.unwrap();
                        assert!(
                            whole.iter().map(|(key, value)| (key.as_str(), value.get())).eq(found),
                            "{text}"
                        );
                        taken += 1;
                    }
                }
            }
        }
        assert_eq!(taken, 72);
        assert!(fields(" {} ", |_, _| {}).is_some());
        assert!(fields("", |_, _| {}).is_none());
    }
}
