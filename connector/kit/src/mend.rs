//! Mends an answer that one odd value makes unreadable, so that a list is not lost for it: the rest
//! is read as it is.
//!
//! | oddity | read as |
//! |---|---|
//! | half of a surrogate pair in a text, `\ud83d` | U+FFFD |
//! | a number in place of a text, `"name": 20260101` | its digits |
//! | another value of the wrong kind in an entry of a list, `"email": {}` | not there, if few |
//! | a field of an entry that is there twice, the second time no list or object | the first one |
//!
//! An answer that can be read costs nothing for it. What is mended is counted, and logged once for
//! an answer; of what is left out the reader is told, for a note. Anything else stays unreadable:
//! an entry of another kind, what it is known by, a list or an object that is none or is there
//! twice, and bytes that are no UTF-8.

use crate::contract::{Advice, Level};
use crate::host::Host;
use crate::json::Unreadable;

/// Most oddities of an answer, each of which is one more reading: more than a page has members.
const MOST: usize = 256;
/// Most values of an answer that are left out: an answer with more is of another shape.
const MOST_LEFT_OUT: usize = 8;

/// The note on a page of which so many values were left out: always the same, so that a collection
/// says it once.
#[must_use]
pub fn note(left_out: usize) -> Option<Advice> {
    (left_out > 0).then(|| Advice {
        message: "Some values are left out: they are of another kind than the service documents."
            .to_owned(),
        hint: "Nothing is wrong with your settings, and no one is missing: what such a value says, \
               for example of a product or a date, counts as not told. If it stays, send this message to the support of your SaaS management \
               platform: the connector has to learn this answer."
            .to_owned(),
        setting: None,
    })
}

/// What was mended in an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Mended {
    halves: usize,
    numbers: usize,
    left_out: usize,
    twice: usize,
    /// Where the last number was put into quotation marks.
    quoted: Option<usize>,
}

impl Mended {
    /// Mends what the answer could not be read for. Returns whether it may be readable now.
    pub(crate) fn mend(&mut self, body: &mut Vec<u8>, reason: &Unreadable) -> bool {
        match reason {
            Unreadable::Syntax if self.halves == 0 => {
                self.halves = replace_halves(body);
                self.halves > 0
            }
            Unreadable::Shape(place) if self.twice + self.numbers + self.left_out < MOST => {
                if let Some(at) = place.is_twice() {
                    self.twice += 1;
                    return !has_parts(body, at) && rename(body, at);
                }
                match place.is_odd() {
                    Some((at, true)) => {
                        self.numbers += 1;
                        self.quoted = Some(at);
                        quote(body, at)
                    }
                    Some((at, false)) if self.left_out < MOST_LEFT_OUT => {
                        // No text was wanted, and the number is none either.
                        self.numbers -= usize::from(self.quoted.take() == Some(at));
                        self.left_out += 1;
                        name_before(body, at).is_some_and(|name| rename(body, name))
                    }
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// How many values are left out.
    pub(crate) fn left_out(&self) -> usize {
        self.left_out
    }

    /// Logs what was mended, if anything was.
    pub(crate) fn log(&self, host: &mut dyn Host, route: &dyn std::fmt::Display) {
        if *self == Self::default() {
            return;
        }
        let counts = [
            (self.halves, "half of a character", "halves of a character"),
            (self.numbers, "number in place of a text", "numbers in place of a text"),
            (self.left_out, "value of another kind left out", "values of another kind left out"),
            (self.twice, "field that is there twice", "fields that are there twice"),
        ];
        let told = counts.iter().filter(|(count, ..)| *count > 0);
        let told: Vec<String> = told
            .map(|(count, one, more)| format!("{count} {}", if *count == 1 { one } else { more }))
            .collect();
        let text =
            format!("the answer to {route} has odd values, which are mended: {}", told.join(", "));
        host.log(Level::Warn, &text);
    }
}

/// Replaces halves of surrogate pairs, which are as long as what takes their place.
fn replace_halves(body: &mut [u8]) -> usize {
    let (mut at, mut replaced) = (0, 0);
    while let Some(byte) = body.get(at) {
        if *byte != b'\\' {
            at += 1;
            continue;
        }
        let is_pair = match unit(body, at) {
            Some(0xd800..=0xdbff) => matches!(unit(body, at + 6), Some(0xdc00..=0xdfff)),
            Some(0xdc00..=0xdfff) => false,
            _ => {
                at += 2;
                continue;
            }
        };
        if is_pair {
            at += 12;
            continue;
        }
        if let Some(half) = body.get_mut(at..at + 6) {
            half.copy_from_slice(b"\\ufffd");
            replaced += 1;
        }
        at += 6;
    }
    replaced
}

/// The code unit of the escape that begins here.
fn unit(body: &[u8], at: usize) -> Option<u32> {
    let digits = body.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
}

/// Where the name begins of the field whose value begins here.
fn name_before(body: &[u8], value: usize) -> Option<usize> {
    let name = body.get(..value)?.trim_ascii_end().strip_suffix(b":")?.trim_ascii_end();
    name.strip_suffix(b"\"")?.iter().rposition(|byte| *byte == b'"')
}

/// Whether the value is a list or an object of the field whose name begins here.
fn has_parts(body: &[u8], name: usize) -> bool {
    let mut is_escaped = false;
    let ends = |byte: &u8| {
        let ends = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        ends
    };
    let Some(name) = body.get(name + 1..) else { return false };
    let after = name.iter().position(ends).and_then(|end| name.get(end + 1..)).unwrap_or_default();
    let first = after.iter().find(|byte| !byte.is_ascii_whitespace() && **byte != b':');
    matches!(first, Some(b'[' | b'{'))
}

/// Gives the field whose name begins here one that no answer has.
fn rename(body: &mut [u8], at: usize) -> bool {
    let Some([b'"', name @ ..]) = body.get_mut(at..) else { return false };
    let mut is_escaped = false;
    for byte in name {
        let ends = *byte == b'"' && !is_escaped;
        if ends {
            return true;
        }
        is_escaped = *byte == b'\\' && !is_escaped;
        *byte = b'~';
    }
    false
}

/// Puts the number that begins here into quotation marks.
fn quote(body: &mut Vec<u8>, at: usize) -> bool {
    let is_of_number = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let Some(number) = body.get(at..) else { return false };
    let length = number.iter().take_while(|byte| is_of_number(byte)).count();
    if length == 0 {
        return false;
    }
    body.insert(at + length, b'"');
    body.insert(at, b'"');
    true
}

#[cfg(test)]
mod tests;
