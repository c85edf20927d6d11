//! One cell of csv: formulas made harmless, control characters written out, and what Excel would
//! take for another value than a text.

use std::borrow::Cow;

use super::Dialect;

/// The text as a cell, with formulas made harmless and control characters escaped.
pub(super) fn cell(text: &str, dialect: Dialect) -> Cow<'_, str> {
    // Most cells need no change, and are not copied.
    if is_harmless(text, dialect) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(disarmed(text, dialect))
    }
}

/// Whether a text stays as it is. Only its few special bytes are looked at.
fn is_harmless(text: &str, dialect: Dialect) -> bool {
    // All that begins a cell, and the first byte of each control character.
    let is_special = |byte: u8| matches!(byte, 0..=0x1f | b',' | b';' | 0x7f | 0xc2);
    let is_changed = |at: usize| {
        let mut rest = text.get(at..).unwrap_or_default().chars();
        rest.next().is_some_and(|sign| {
            is_written_out(sign) || (dialect.begins_cell(sign) && is_armed(rest.as_str(), false))
        })
    };
    let mut special = text.bytes().enumerate().filter(|(_, byte)| is_special(*byte));
    !is_armed(text, true) && !special.any(|(at, _)| is_changed(at))
}

fn disarmed(text: &str, dialect: Dialect) -> String {
    let mut safe = String::with_capacity(text.len() + 8);
    let mut begins_cell = true;
    for (start, character) in text.char_indices() {
        if begins_cell && is_armed(text.get(start..).unwrap_or_default(), start == 0) {
            safe.push('\'');
        }
        begins_cell = dialect.begins_cell(character);
        if is_written_out(character) {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    safe
}

fn is_written_out(character: char) -> bool {
    character.is_control() && !matches!(character, '\t' | '\r' | '\n')
}

/// Words that Excel shows as true or false, in the languages whose lists it also separates.
const BOOLEANS: [&str; 12] = [
    "true",
    "false",
    "wahr",
    "falsch",
    "vrai",
    "faux",
    "verdadero",
    "falso",
    "vero",
    "verdadeiro",
    "waar",
    "onwaar",
];

/// Most words beside digits: the month and the half of the day in a date.
const MOST_WORDS: usize = 2;

/// Longest text in bytes that Excel takes in a formula.
const LONGEST_KEPT: usize = 255;

/// Whether Excel might show another value than this text: a number, an amount, a date, a time, true
/// or false, or an error. Which words it takes for a month depends on its language, so any word
/// beside digits counts: a text that is kept without need shows as itself. Only signs that can be
/// neither a formula nor the end of a text are in it: no control character, even where it is white
/// space, since a tab or a line break ends the cell for some programs.
pub(super) fn is_taken_for_a_value(text: &str) -> bool {
    if text.len() > LONGEST_KEPT || text.contains(char::is_control) {
        return false;
    }
    if BOOLEANS.iter().any(|word| text.trim().eq_ignore_ascii_case(word)) {
        return true;
    }
    if let Some(error) = text.trim().strip_prefix('#') {
        let is_of_errors = |byte: u8| byte.is_ascii_alphanumeric() || b"/!?_".contains(&byte);
        return !error.is_empty() && error.bytes().all(is_of_errors);
    }
    let sign = |sign: char| ".,:/+- ()%'$€£¥¢₹₩₽₺\u{a0}\u{202f}".contains(sign);
    let is_of_values = |each: char| each.is_numeric() || each.is_alphabetic() || sign(each);
    let words = text.split(|each: char| !each.is_alphabetic()).filter(|word| !word.is_empty());
    // A program that splits at commas would find a cell with a sign in front.
    let splits = text.contains(',') && text.contains(['+', '-']);
    text.contains(char::is_numeric)
        && text.chars().all(is_of_values)
        && words.count() <= MOST_WORDS
        && !splits
}

/// Whether a spreadsheet that begins a cell here could calculate it. A leading apostrophe does not
/// change the result, so that a reader knows where to remove one. Nor does a quotation mark: a
/// spreadsheet with another separator may take it for its own.
pub(super) fn is_armed(text: &str, is_whole_cell: bool) -> bool {
    let first = text.chars().find(|&character| !is_passed_over(character));
    first.is_some_and(|character| {
        begins_formula(character) || (is_whole_cell && matches!(character, '\t' | '\r' | '\n'))
    })
}

pub(super) fn begins_formula(character: char) -> bool {
    matches!(character, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\u{2212}')
}

fn is_passed_over(character: char) -> bool {
    matches!(character, '\'' | '"')
        || (character.is_whitespace() && !character.is_control())
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_stays_as_it_is_if_nothing_in_it_is_to_be_changed(
            text in "[a=@;,'\"\t\n\u{0}\u{7f}\u{80}\u{9f}\u{a0}\u{c2}\u{200b}\u{2212}é ]{0,8}",
        ) {
            for dialect in Dialect::ALL {
                prop_assert_eq!(is_harmless(&text, dialect), disarmed(&text, dialect) == text);
            }
        }
    }

    #[test]
    fn no_cell_begins_a_formula() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("+49 30", "'+49 30"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1", "'  =1"),
            ("\u{a0}\u{200b}=1", "'\u{a0}\u{200b}=1"),
            ("＝1", "'＝1"),
            ("＋1", "'＋1"),
            ("－1", "'－1"),
            ("＠1", "'＠1"),
            ("\tx", "'\tx"),
            ("\rx", "'\rx"),
            ("\nx", "'\nx"),
            ("'=1", "''=1"),
            ("x;=1", "x;'=1"),
            ("x; =1", "x;' =1"),
            ("x\n=1", "x\n'=1"),
            ("x\t+1", "x\t'+1"),
            ("x;\"=1+1&\";y", "x;'\"=1+1&\";y"),
            ("x; \"\" =1", "x;' \"\" =1"),
            ("\"=1", "'\"=1"),
            ("a=1", "a=1"),
            ("Smith-Jones", "Smith-Jones"),
            ("O'Neil", "O'Neil"),
            ("'tHart", "'tHart"),
            ("a; b", "a; b"),
            ("a\nb", "a\nb"),
            ("", ""),
        ] {
            assert_eq!(cell(text, Dialect::Plain), expected, "{text:?}");
        }
    }

    #[test]
    fn control_characters_are_written_out_and_line_breaks_kept() {
        assert_eq!(
            cell("a\0b\u{1b}[31m\u{9b}\r\nc", Dialect::Plain),
            "a\\u{0}b\\u{1b}[31m\\u{9b}\r\nc"
        );
        assert_eq!(cell("\0=1", Dialect::Plain), "\\u{0}=1");
    }

    #[test]
    fn what_excel_may_read_as_another_value_is_kept_as_a_text() {
        for text in [
            "57e101",
            "0123",
            "1-2",
            "12:30",
            "1/2",
            "+49 30 1",
            "1,5",
            "-2",
            "MAR1",
            "mar-1",
            "1-Mar-2026",
            "März 5",
            "5 août",
            "Mar 5 2026 3:00 PM",
            "TRUE",
            "false",
            "Wahr",
            " VRAI ",
            "$5",
            "5 €",
            "(5)",
            "($5)",
            "1d5",
            "1E5",
            "1e-5",
            "12%",
            "1 1/2",
            "1'000",
            "1\u{a0}000",
            "１２",
            "a1",
            "#N/A",
            "#REF!",
            "#DIV/0!",
        ] {
            assert!(is_taken_for_a_value(text), "{text}");
        }
        for text in [
            "",
            "Ada",
            "5b10ac8d",
            "e",
            "-",
            "=1",
            "1=2",
            "1\"",
            "1,-2",
            "1;2",
            "March",
            "truely",
            "@1",
            "1\t2",
            "1\u{2212}2",
            "a1@acme.test",
            "Jira 2026-01-02T03:04:05Z",
            "#",
            "#a b",
            "# 1\"",
            "\t#a",
            "\u{b}#p",
            "true\n",
            &"1".repeat(256),
        ] {
            assert!(!is_taken_for_a_value(text), "{text}");
        }
    }
}
