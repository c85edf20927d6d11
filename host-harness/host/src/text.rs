//! Makes text from outside safe to show: characters that control a terminal or a log are escaped.

use std::borrow::Cow;

/// The text with every control character, bidirectional override and line separator written as
/// `\u{…}`.
///
/// Line breaks are escaped too: the result is one line.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_active) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_active(character) {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// The text escaped as by [`escaped`], shortened to this many characters, with an ellipsis if it
/// was shortened.
#[must_use]
pub fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => escaped(text),
        Some((end, _)) => Cow::Owned(format!("{}…", escaped(text.get(..end).unwrap_or_default()))),
    }
}

/// Whether the character steers a terminal, a pager or a reader's eye instead of being shown.
#[must_use]
pub fn is_active(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A counted noun, as `1 page` and `20,000 pages`.
#[must_use]
pub fn counted(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(u64::try_from(number).unwrap_or(u64::MAX)))
}

/// A number with separated thousands, as `20,000`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A size, rounded for people and exact.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => format!("{} KiB ({} bytes)", bytes.div_ceil(1_024), grouped(bytes)),
        _ => format!("{} MiB ({} bytes)", grouped(bytes.div_ceil(1_048_576)), grouped(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_of_any_script_stays_as_it_is() {
        for text in ["Zoë O'Neil", "张伟", "مريم", "👩‍💻", ""] {
            assert_eq!(escaped(text), text);
        }
    }

    #[test]
    fn what_steers_a_terminal_is_written_out() {
        assert_eq!(escaped("a\u{1b}[31mred"), "a\\u{1b}[31mred");
        assert_eq!(escaped("two\nlines\r\t"), "two\\u{a}lines\\u{d}\\u{9}");
        assert_eq!(escaped("\u{202e}gpj.exe\u{9b}"), "\\u{202e}gpj.exe\\u{9b}");
        assert_eq!(escaped("a\u{e0020}\u{e007f}b"), "a\\u{e0020}\\u{e007f}b");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(shortened("äöü", 2), "äö…");
        assert_eq!(shortened("äöü", 3), "äöü");
    }

    #[test]
    fn thousands_are_set_apart() {
        for (number, expected) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (20_000, "20,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(grouped(number), expected);
        }
    }

    #[test]
    fn sizes_are_told_for_people_and_exactly() {
        for (bytes, expected) in
            [(0, "0 bytes"), (1_024, "1 KiB (1,024 bytes)"), (1_048_577, "2 MiB (1,048,577 bytes)")]
        {
            assert_eq!(size(bytes), expected);
        }
    }
}
