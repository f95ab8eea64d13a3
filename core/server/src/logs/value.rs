//! Values in lines of logs. What comes from outside may hold anything: it is cut, and cannot leave its place in the line.

use std::fmt::{self, Write};

/// Bytes of a value that are shown.
const SHOWN: usize = 1024;

/// A value, cut to what is shown.
#[derive(Debug, Default)]
pub(super) struct Value {
    text: String,
    /// Bytes that are not shown.
    cut: usize,
}

impl Value {
    pub(super) fn of(value: impl fmt::Display) -> Self {
        let mut cut = Self::default();
        // What cannot be formatted shows as far as it went.
        let _ = write!(cut, "{value}");
        cut
    }

    pub(super) fn of_debug(value: &dyn fmt::Debug) -> Self {
        Self::of(format_args!("{value:?}"))
    }

    /// Bare if it is a word, else in quotation marks.
    pub(super) fn write_text(&self, to: &mut dyn Write) -> fmt::Result {
        let word = |letter: char| !letter.is_whitespace() && !matches!(letter, '"' | '=' | '{' | '}' | '\\');
        let bare = !self.text.is_empty()
            && self.cut == 0
            && self.text.chars().all(|letter| word(letter) && !is_hidden(letter));
        if bare {
            return to.write_str(&self.text);
        }
        to.write_char('"')?;
        for letter in self.text.chars() {
            match letter {
                '"' | '\\' => write!(to, "\\{letter}")?,
                letter => write_plain(letter, to)?,
            }
        }
        self.write_rest(to)?;
        to.write_char('"')
    }

    /// As it is, except for what people would not see.
    pub(super) fn write_message(&self, to: &mut dyn Write) -> fmt::Result {
        self.text.chars().try_for_each(|letter| write_plain(letter, to))?;
        self.write_rest(to)
    }

    /// As a JSON string.
    pub(super) fn write_json(&self, to: &mut dyn Write) -> fmt::Result {
        to.write_char('"')?;
        for letter in self.text.chars() {
            match letter {
                '"' | '\\' => write!(to, "\\{letter}")?,
                letter if is_hidden(letter) => {
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        write!(to, "\\u{unit:04x}")?;
                    }
                }
                letter => to.write_char(letter)?,
            }
        }
        self.write_rest(to)?;
        to.write_char('"')
    }

    fn write_rest(&self, to: &mut dyn Write) -> fmt::Result {
        if self.cut == 0 { Ok(()) } else { write!(to, "… and {} bytes more", self.cut) }
    }
}

impl Write for Value {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = if self.cut == 0 { SHOWN - self.text.len() } else { 0 };
        let at = text.floor_char_boundary(room.min(text.len()));
        let (shown, cut) = text.split_at(at);
        self.text.push_str(shown);
        self.cut += cut.len();
        Ok(())
    }
}

/// Whether a text can stand in a line as it is.
pub(super) fn is_word(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'=' | b'{' | b'}' | b'\\');
    !text.is_empty() && text.len() <= SHOWN && text.bytes().all(plain)
}

/// A text that may come from outside, for a listing: it stays on its line and in its place.
pub(crate) fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    // Writing to a string does not fail.
    let _ = text.chars().try_for_each(|letter| write_plain(letter, &mut visible));
    visible
}

/// A text that may come from outside, cut to what is shown, as a JSON string.
pub(crate) fn json_string(text: impl fmt::Display) -> String {
    let mut string = String::new();
    // Writing to a string does not fail.
    let _ = Value::of(text).write_json(&mut string);
    string
}

fn write_plain(letter: char, to: &mut dyn Write) -> fmt::Result {
    if is_hidden(letter) { write!(to, "{}", letter.escape_default()) } else { to.write_char(letter) }
}

/// What moves the cursor, ends a line, changes colours or the direction of reading, or cannot be seen.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}
