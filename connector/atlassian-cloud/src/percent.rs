//! Percent-encoding of one query value, both ways.
//!
//! Not form encoding: a `+` is a plus sign. Encoding leaves only the unreserved characters of RFC 3986 as they
//! are, so whatever a cursor holds cannot end its value.

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// Appends `text`, percent-encoded.
pub fn encode_into(output: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            output.push(char::from(byte));
        } else {
            output.push('%');
            output.push(digit(byte >> 4));
            output.push(digit(byte & 15));
        }
    }
}

/// Decodes once. A `%` that begins no escape stands for itself; `None` when the bytes are not UTF-8.
pub fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        match (first, tail) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.push(value(*high) << 4 | value(*low));
                rest = after;
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

fn digit(nibble: u8) -> char {
    DIGITS.get(usize::from(nibble)).map_or('0', |&byte| char::from(byte))
}

fn value(hex_digit: u8) -> u8 {
    match hex_digit {
        b'0'..=b'9' => hex_digit - b'0',
        letter => (letter | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn everything_but_unreserved_characters_is_escaped() {
        let mut output = String::from("?cursor=");
        encode_into(&mut output, "aZ09-._~ +/=&%#\u{e9}");
        assert_eq!(output, "?cursor=aZ09-._~%20%2B%2F%3D%26%25%23%C3%A9");
    }

    #[test]
    fn decoding_happens_once_and_leaves_strays_alone() {
        let rows = [
            ("a%2Fb", "a/b"),
            ("a%2fb", "a/b"),
            ("a%252Fb", "a%2Fb"),
            ("a+b", "a+b"),
            ("100%", "100%"),
            ("%4", "%4"),
            ("%zz", "%zz"),
            ("%C3%A9", "\u{e9}"),
        ];
        for (text, decoded) in rows {
            assert_eq!(decode(text).as_deref(), Some(decoded), "{text}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        assert_eq!(decode("%FF%FE"), None);
    }

    proptest! {
        #[test]
        fn what_was_encoded_decodes_to_itself(text in any::<String>()) {
            let mut encoded = String::new();
            encode_into(&mut encoded, &text);
            prop_assert!(encoded.is_ascii());
            prop_assert_eq!(decode(&encoded), Some(text));
        }
    }
}
