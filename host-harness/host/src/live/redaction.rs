//! Removes the key from what comes back: an answer may repeat it, also escaped for JSON or a URL.

/// Overwrites every occurrence of the key in the text, also if some of its characters are escaped
/// for JSON or a URL.
pub(super) fn redact(text: &mut [u8], key: &[u8]) {
    let Some(first) = key.first() else { return };
    let mut at = 0;
    while let Some(begin) = text
        .get(at..)
        .and_then(|rest| memchr::memchr3(*first, b'\\', b'%', rest))
        .map(|skipped| at + skipped)
    {
        at = begin + 1;
        if let Some(length) = text.get(begin..).and_then(|rest| occurrence(rest, key)) {
            at = begin + length;
            text.iter_mut().take(at).skip(begin).for_each(|byte| *byte = b'*');
        }
    }
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
    use super::*;

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
