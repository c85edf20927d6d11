//! Removes the key from what comes back: an answer may repeat it, also escaped for JSON or a URL,
//! or for one inside the other.

use std::ops::Range;

/// How many layers of escaping are undone. A log line in JSON in JSON, in a URL, has four.
const LAYERS: u32 = 4;

/// Bytes in which deeper layers are looked at in one go, which bounds the memory for that.
const PIECE: usize = 1024 * 1024;

/// Most bytes that a character of the key takes in text of several layers, as services write it.
const WIDEST: usize = 32;

/// Overwrites every occurrence of the key in the text, also if some of its characters are escaped
/// for JSON or a URL, several times over.
pub(super) fn redact(text: &mut [u8], key: &[u8]) {
    for found in occurrences(text, key) {
        blank(text, found);
    }
    redact_deeper(text, key);
}

/// Looks below the first layer, where there is one: around signs of an escape that are escaped.
fn redact_deeper(text: &mut [u8], key: &[u8]) {
    let around = key.len().saturating_mul(WIDEST);
    let mut at = 0;
    while let Some(sign) = text.get(at..).and_then(escaped_sign).map(|skipped| at + skipped) {
        let begin = sign.saturating_sub(around);
        let end = sign.saturating_add(PIECE).saturating_add(around).min(text.len());
        let Some(piece) = text.get(begin..end) else { return };
        let mut found = Vec::new();
        below(piece, &|at| at, key, LAYERS - 1, &mut found);
        for Range { start, end } in found {
            blank(text, begin + start..begin + end);
        }
        at = sign.saturating_add(PIECE).max(sign + 1);
    }
}

/// Finds the key in what a text says once a layer is undone, and in what that says; as ranges of
/// the outermost text, of which `outer` gives the place of each byte.
fn below(
    text: &[u8],
    outer: &dyn Fn(usize) -> usize,
    key: &[u8],
    layers: u32,
    found: &mut Vec<Range<usize>>,
) {
    for layer in [(b'\\', of_json as Undo), (b'%', of_url)] {
        let Some(inner) = undone(text, layer) else { continue };
        let place = |at: usize| outer(inner.place(at));
        let ranges = occurrences(&inner.text, key).into_iter();
        found.extend(ranges.map(|Range { start, end }| place(start)..place(end)));
        if layers > 1 && escaped_sign(text).is_some() {
            below(&inner.text, &place, key, layers - 1, found);
        }
    }
}

/// Reads the byte that an escape at the start of a text encodes, and how many bytes it takes.
type Undo = fn(&[u8]) -> Option<(u8, usize)>;

/// A text without one layer of escaping.
struct Undone {
    text: Vec<u8>,
    /// Behind each escape, and at the start: the place in this text, and in the escaped one.
    runs: Vec<(usize, usize)>,
}

impl Undone {
    /// Where a byte of this text begins in the escaped one.
    fn place(&self, at: usize) -> usize {
        let run = self.runs.partition_point(|(begin, _)| *begin <= at).checked_sub(1);
        let (begin, place) = run.and_then(|run| self.runs.get(run)).copied().unwrap_or_default();
        place + (at - begin)
    }
}

/// The text without one layer of escaping, of which every escape begins with the sign. `None` if
/// nothing is escaped.
fn undone(text: &[u8], (sign, undo): (u8, Undo)) -> Option<Undone> {
    let (mut inner, mut runs) = (Vec::new(), vec![(0, 0)]);
    let (mut copied, mut at) = (0, 0);
    while let Some(begin) =
        text.get(at..).and_then(|rest| memchr::memchr(sign, rest)).map(|skipped| at + skipped)
    {
        let Some((byte, taken)) = text.get(begin..).and_then(undo) else {
            at = begin + 1;
            continue;
        };
        inner.extend_from_slice(text.get(copied..begin).unwrap_or_default());
        inner.push(byte);
        at = begin + taken;
        copied = at;
        runs.push((inner.len(), at));
    }
    inner.extend_from_slice(text.get(copied..).unwrap_or_default());
    (inner.len() < text.len()).then_some(Undone { text: inner, runs })
}

fn of_json(text: &[u8]) -> Option<(u8, usize)> {
    match text {
        [b'\\', b'u', ..] => {
            text.get(..6).and_then(unescaped).map(|byte| (byte, 6)).or(Some((b'u', 2)))
        }
        [b'\\', byte, ..] => Some((*byte, 2)),
        _ => None,
    }
}

fn of_url(text: &[u8]) -> Option<(u8, usize)> {
    text.get(..3).filter(|text| text.first() == Some(&b'%')).and_then(unescaped).map(|it| (it, 3))
}

/// Where the first sign of an escape stands that is itself escaped.
fn escaped_sign(text: &[u8]) -> Option<usize> {
    let is_sign = |at: &usize| {
        let rest = text.get(*at..).unwrap_or_default();
        [2, 3, 6].into_iter().any(|taken| {
            let byte = rest.get(..taken).and_then(unescaped);
            matches!(byte, Some(b'\\' | b'%'))
        })
    };
    memchr::memchr2_iter(b'\\', b'%', text).find(is_sign)
}

fn blank(text: &mut [u8], range: Range<usize>) {
    text.iter_mut().take(range.end).skip(range.start).for_each(|byte| *byte = b'*');
}

/// Every occurrence of the key in a text, with at most one layer of escaping.
fn occurrences(text: &[u8], key: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let Some(first) = key.first() else { return found };
    let mut at = 0;
    while let Some(begin) = text
        .get(at..)
        .and_then(|rest| memchr::memchr3(*first, b'\\', b'%', rest))
        .map(|skipped| at + skipped)
    {
        at = begin + 1;
        if let Some(length) = text.get(begin..).and_then(|rest| occurrence(rest, key)) {
            at = begin + length;
            found.push(begin..at);
        }
    }
    found
}

/// Number of bytes that the key takes at the start of the text, if the text begins with it. All
/// ways to read the text are followed at once: `\u` may be an escaped `u`, or begin `\u0075`.
fn occurrence(text: &[u8], key: &[u8]) -> Option<usize> {
    let (first, others) = key.split_first()?;
    let read = |length: usize, expected: u8| {
        let rest = text.get(length..).unwrap_or_default();
        let taken = [1, 2, 3, 6].into_iter();
        let fits = move |taken: &usize| rest.get(..*taken).and_then(unescaped) == Some(expected);
        taken.filter(fits).map(move |taken| length + taken)
    };
    let mut lengths: Vec<usize> = read(0, *first).collect();
    for expected in others {
        if lengths.is_empty() {
            return None;
        }
        lengths = lengths.iter().flat_map(|length| read(*length, *expected)).collect();
        lengths.sort_unstable();
        lengths.dedup();
    }
    lengths.last().copied()
}

/// The byte that these bytes encode: themselves, `\/`, `%2F` or `\u002f`.
fn unescaped(bytes: &[u8]) -> Option<u8> {
    let hexadecimal =
        |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    match bytes {
        [byte] | [b'\\', byte] => Some(*byte),
        [b'%', digits @ ..] | [b'\\', b'u', b'0', b'0', digits @ ..] if digits.len() == 2 => {
            hexadecimal(digits)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_layer_is_undone_as_byte_by_byte(text in "[a\\\\%u02fé]{0,40}") {
            let text = text.as_bytes();
            for (sign, undo) in [(b'\\', of_json as Undo), (b'%', of_url)] {
                let (mut inner, mut places, mut at) = (vec![], vec![], 0);
                while at < text.len() {
                    let (byte, taken) = undo(&text[at..]).unwrap_or((text[at], 1));
                    inner.push(byte);
                    places.push(at);
                    at += taken;
                }
                places.push(at);
                let told = undone(text, (sign, undo));
                prop_assert_eq!(told.is_some(), inner.len() < text.len());
                if let Some(told) = told {
                    let place = |at: usize| told.place(at);
                    let told_places: Vec<usize> = (0..=inner.len()).map(place).collect();
                    prop_assert_eq!((&told.text, told_places), (&inner, places));
                }
            }
        }
    }

    #[test]
    fn the_key_is_redacted_from_a_body() {
        let mut body = b"{\"a\":\"ATCTTkey\",\"b\":\"xATCTTkeyATCTTke\"}".to_vec();
        redact(&mut body, b"ATCTTkey");
        assert_eq!(
            String::from_utf8(body).unwrap(),
            "{\"a\":\"********\",\"b\":\"x********ATCTTke\"}"
        );
    }

    #[test]
    fn the_key_is_redacted_however_it_is_escaped() {
        for (written, redacted) in [
            ("k/=y", "****"),
            (r"k\/=y", "*****"),
            (r"k\u002f\u003Dy", "**************"),
            ("k%2F%3dy", "********"),
            (r"\u006b/=y", "*********"),
            ("kk/=yy k/=", "k****y k/="),
            (r"k\/\", r"k\/\"),
            ("%k/=y", "%****"),
        ] {
            let mut text = written.as_bytes().to_vec();
            redact(&mut text, b"k/=y");
            assert_eq!(String::from_utf8(text).unwrap(), redacted, "{written}");
        }
    }

    #[test]
    fn the_key_is_redacted_below_several_layers_of_escaping() {
        let json = |sign: char| format!("\\u{:04x}", u32::from(sign));
        let url = |sign: char| format!("%{:02x}", u32::from(sign));
        let each = |text: &str, escape: &dyn Fn(char) -> String| -> String {
            text.chars().map(escape).collect()
        };
        let signs = |text: &str, escape: &dyn Fn(char) -> String| -> String {
            let one = |sign: char| match sign {
                '\\' | '%' | '=' => escape(sign),
                _ => sign.to_string(),
            };
            text.chars().map(one).collect()
        };
        let bars = |text: &str| text.replace('\\', "\\\\");
        let key = "ATCTT3x%u0025=F\\f=1A";
        for text in [
            signs(key, &url),
            signs(&signs(key, &url), &url),
            signs(&signs(&signs(key, &url), &url), &url),
            signs(&signs(key, &url), &json),
            signs(&signs(key, &json), &url),
            bars(&signs(key, &json)),
            bars(&bars(&bars(&signs(key, &json)))),
            bars(&signs(&signs(key, &url), &json)),
            each(&each(key, &url), &json),
            each(&each(key, &json), &url),
            bars(&each(key, &json)),
        ] {
            let mut body = format!("{{\"a\":\"<{text}>\"}}").into_bytes();
            redact(&mut body, key.as_bytes());
            let body = String::from_utf8(body).unwrap();
            assert_eq!(body, format!("{{\"a\":\"<{}>\"}}", "*".repeat(text.len())), "{text}");
        }
        for text in [r"C:\\users\\ATCTT3x and 100%25", r"\\\\\\", "%2525%5c"] {
            let mut body = text.as_bytes().to_vec();
            redact(&mut body, key.as_bytes());
            assert_eq!(String::from_utf8(body).unwrap(), text);
        }
    }

    #[test]
    fn the_key_is_found_wherever_the_pieces_are_cut() {
        let key = "ATCTT3xFf=1A2B";
        let written = key.replace('=', "%253D");
        for before in [0, PIECE - 20, PIECE - 7, PIECE, PIECE + 3, 2 * PIECE + 440] {
            let mut body = format!("%25{}{written}%25", "x".repeat(before)).into_bytes();
            redact(&mut body, key.as_bytes());
            let rest = body.get(3 + before..).unwrap();
            assert_eq!(rest, format!("{}%25", "*".repeat(written.len())).as_bytes(), "{before}");
        }
    }

    #[test]
    fn a_letter_that_also_begins_an_escape_is_redacted_in_every_form() {
        let key = "ATCTTu0075u%25";
        let escaped = |sign: char| format!("\\u{:04x}", u32::from(sign));
        let percent = |sign: char| format!("%{:02X}", u32::from(sign));
        let whole = key.chars().map(escaped).collect::<String>();
        let only_u =
            key.chars().map(|sign| if sign == 'u' { escaped(sign) } else { sign.to_string() });
        let bars = key.chars().map(|sign| format!("\\{sign}")).collect::<String>();
        let texts = [whole, only_u.collect(), bars, key.chars().map(percent).collect()];
        for text in texts {
            let mut body = format!("<{text}>").into_bytes();
            redact(&mut body, key.as_bytes());
            assert_eq!(String::from_utf8(body).unwrap(), format!("<{}>", "*".repeat(text.len())));
        }
    }
}
