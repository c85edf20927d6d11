//! Makes texts from outside safe for a message: bounded in length, without control characters.
//!
//! It does not escape for terminals, which is the host's task.

/// Longest name of an organization in a message, in characters: more than a line of any report
/// shows.
const LONGEST_LABEL: usize = 100;

/// Longest domain name in a message, in bytes: DNS allows no longer one, and a message names up to
/// fifteen.
const LONGEST_DOMAIN: usize = 253;

/// Longest note of the host in a message, in characters: a sentence or two.
const LONGEST_NOTE: usize = 300;

/// Longest code of the vendor, in characters: the known ones have eleven to thirteen.
const LONGEST_CODE: usize = 64;

/// Returns a name without control and direction characters, shortened to a hundred characters.
pub fn label(text: &str) -> String {
    text.chars().filter(|c| !is_disruptive(*c)).take(LONGEST_LABEL).collect()
}

/// Returns a note of the host, cleaned like a label, shortened to three hundred characters.
pub fn note(text: &str) -> String {
    text.chars().filter(|c| !is_disruptive(*c)).take(LONGEST_NOTE).collect()
}

/// Returns the characters of a text that can be part of a domain name; letters beyond ASCII are
/// kept.
pub fn domain(text: &str) -> String {
    let mut length = 0;
    text.chars()
        .filter(|c| {
            c.is_ascii_alphanumeric()
                || matches!(c, '.' | '-' | '_')
                || !c.is_ascii() && !is_disruptive(*c)
        })
        .take_while(|c| {
            length += c.len_utf8();
            length <= LONGEST_DOMAIN
        })
        .collect()
}

/// Returns the code if it looks like one: short, and only of letters, digits, `.`, `_` and `-`.
pub fn code(text: &str) -> Option<String> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let fits = !text.is_empty() && text.len() <= LONGEST_CODE && text.bytes().all(known);
    fits.then(|| text.to_owned())
}

/// Returns the part after `scheme://`, if the text begins with it.
///
/// It works by characters, not by `str::find`: searching for a string takes eight kilobytes of the
/// component.
pub fn without_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    rest.strip_prefix("//").filter(|_| is_scheme)
}

/// Whether the text contains the word, ignoring the case of ASCII letters.
pub fn has_word(text: &str, word: &str) -> bool {
    text.as_bytes()
        .windows(word.len().max(1))
        .any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

/// Writes a number with a comma between groups of three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Control characters, and marks that change the direction of text.
fn is_disruptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_loses_control_characters_and_its_end() {
        assert_eq!(label("Ac\u{1b}[31mme\n\u{202e}"), "Ac[31mme");
        assert_eq!(label(&"x".repeat(500)).len(), 100);
    }

    #[test]
    fn a_note_keeps_its_sentence() {
        assert_eq!(note("no route\r\n to host"), "no route to host");
        assert_eq!(note(&"x".repeat(500)).len(), 300);
    }

    #[test]
    fn a_domain_keeps_letters_digits_dots_and_hyphens() {
        assert_eq!(domain("b\u{fc}cher.example <b>\u{7}"), "b\u{fc}cher.exampleb");
        assert_eq!(domain(&"a".repeat(300)).len(), 253);
        assert_eq!(domain(&"\u{20000}".repeat(300)).len(), 252);
    }

    #[test]
    fn only_what_looks_like_a_code_is_one() {
        assert_eq!(code("ADMIN-404-2").as_deref(), Some("ADMIN-404-2"));
        for refused in ["", "two words", "jane@acme.test", "<b>", &"9".repeat(65)] {
            assert_eq!(code(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_scheme_is_letters_before_two_slashes() {
        let rows = [
            ("https://a.test/", Some("a.test/")),
            ("HTTP://a.test", Some("a.test")),
            ("a.test/?u=http://b.test", None),
            ("a.test:8080//x", None),
            ("://a.test", None),
            ("a.test", None),
        ];
        for (text, rest) in rows {
            assert_eq!(without_scheme(text), rest, "{text}");
        }
    }

    #[test]
    fn a_word_is_found_in_any_case() {
        for text in ["scope", "Unauthorized; SCOPE does not match", "Scopes"] {
            assert!(has_word(text, "scope"), "{text}");
        }
        for text in ["", "scop", "s cope"] {
            assert!(!has_word(text, "scope"), "{text}");
        }
    }

    #[test]
    fn digits_are_grouped_by_three() {
        let rows = [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")];
        for (number, text) in rows {
            assert_eq!(grouped(number), text);
        }
    }
}
