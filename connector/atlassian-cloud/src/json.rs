//! Reads answers: JSON, borrowed from the body, lenient about what is absent and strict about what is there.
//!
//! An object is an object: never an array in its place. Every field may be absent or `null`, which is the same; a
//! field of the wrong type makes the answer unreadable, and so does nesting beyond 127 levels, also in fields that
//! are passed over. The first thing that is wrong is the one that counts. Nothing of the body gets into the reason.

mod input;
mod place;

pub use self::input::{Input, Kind};
pub(crate) use self::place::object;
pub use self::place::{Count, List, Place, Text, Word, begin, null};
use crate::cursor::BadLink;

/// Why an answer cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// It is no UTF-8.
    Encoding,
    /// It is a web page.
    WebPage,
    /// It is no JSON, or nested too deep.
    Syntax,
    /// It ends in the middle, or is empty.
    CutShort,
    /// It is JSON of another shape.
    Shape,
    /// It is about another organization than the one that was asked for.
    OtherOrganization,
    /// The next page cannot be asked for.
    Next(BadLink),
}

/// Reads a body as a whole; `null` leaves everything absent.
///
/// # Errors
///
/// When it is not a `T` and nothing but a `T`.
pub fn read<'de, T: Place<'de> + Default>(body: &'de [u8]) -> Result<T, Unreadable> {
    let text = std::str::from_utf8(body).map_err(|_| Unreadable::Encoding)?;
    if text.trim_start().starts_with('<') {
        return Err(Unreadable::WebPage);
    }
    let mut value = T::default();
    let mut input = Input::new(text);
    value.read(&mut input)?;
    input.end()?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    object! {
        struct Thing<'a> {
            name: Option<Text<'a>> = b"name",
            size: Option<Count> = b"size",
            parts: List<Part> = b"parts",
        }
    }

    object! {
        struct Part {
            on: Option<bool> = b"on",
        }
    }

    #[test]
    fn fields_are_read_and_others_passed_over() {
        let body = br#"{"x":{"y":[1,-2,3.5,true,null,"a\n"]},"name":"n","size":3,"parts":[{"on":true},{}]}"#;
        let thing: Thing<'_> = read(body).unwrap();
        assert_eq!(thing.name.unwrap().into_string(), "n");
        assert_eq!(thing.size.unwrap().0, Some(3));
        let parts: Vec<Option<bool>> = thing.parts.items.iter().map(|part| part.on).collect();
        assert_eq!(parts, [Some(true), None]);
    }

    #[test]
    fn a_string_without_escapes_is_not_copied() {
        let thing: Thing<'_> = read(br#"{"name":"plain"}"#).unwrap();
        assert!(matches!(thing.name.unwrap().0, Cow::Borrowed("plain")));
        let thing: Thing<'_> = read(br#"{"n\u0061me":"a\u0062c"}"#).unwrap();
        assert_eq!(thing.name.unwrap().as_str(), "abc");
    }

    #[test]
    fn null_is_absent() {
        let thing: Thing<'_> = read(br#"{"name":null,"size":null,"parts":null}"#).unwrap();
        assert!(thing.name.is_none() && thing.size.is_none() && !thing.parts.is_there);
    }

    #[test]
    fn a_count_is_no_other_number() {
        for number in ["-1", "1.5", "1e3", "18446744073709551616"] {
            let body = format!(r#"{{"size":{number}}}"#);
            let thing: Thing<'_> = read(body.as_bytes()).unwrap();
            assert_eq!(thing.size.unwrap().0, None, "{number}");
        }
    }

    #[test]
    fn what_is_no_thing_is_told_by_what_it_is() {
        let rows: [(&[u8], Unreadable); 17] = [
            (b"", Unreadable::CutShort),
            (b" \n", Unreadable::CutShort),
            (br#"{"name":"a"#, Unreadable::CutShort),
            (br#"{"x":[{"#, Unreadable::CutShort),
            (b"<!doctype html><p>Down", Unreadable::WebPage),
            (b"\r\n <html>", Unreadable::WebPage),
            (b"nonsense", Unreadable::Syntax),
            (b"{} {}", Unreadable::Syntax),
            (br#"{"name":"a\qb"}"#, Unreadable::Syntax),
            (b"\xef\xbb\xbf{}", Unreadable::Syntax),
            (b"[]", Unreadable::Shape),
            (br#"["n"]"#, Unreadable::Shape),
            (br#"{"name":7}"#, Unreadable::Shape),
            (br#"{"size":"7"}"#, Unreadable::Shape),
            (br#"{"parts":[[true]]}"#, Unreadable::Shape),
            (br#"{"name":"a","name":"b"}"#, Unreadable::Shape),
            (b"{\"x\":\"\xff\"}", Unreadable::Encoding),
        ];
        for (body, reason) in rows {
            let text = String::from_utf8_lossy(body);
            assert_eq!(read::<Thing<'_>>(body).err(), Some(reason), "{text}");
        }
    }

    #[test]
    fn absurd_nesting_is_refused_wherever_it_is() {
        let deep = 100_000;
        let arrays = "[".repeat(deep) + &"]".repeat(deep);
        let objects = r#"{"a":"#.repeat(deep) + "1" + &"}".repeat(deep);
        for value in [&arrays, &objects] {
            for field in ["name", "size", "parts", "ignored"] {
                let body = format!(r#"{{"{field}":{value}}}"#);
                let reason = read::<Thing<'_>>(body.as_bytes()).err();
                assert!(matches!(reason, Some(Unreadable::Syntax | Unreadable::Shape)), "{reason:?}");
            }
            assert!(read::<Thing<'_>>(value.as_bytes()).is_err());
        }
    }
}
