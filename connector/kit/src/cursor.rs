//! Cursors: the position at which a list continues.
//!
//! A service gives the next one as a link or directly. Only the cursor is ever taken from a link,
//! so a link to another host has no effect. A cursor is opaque, not empty, and bounded.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::text;

/// Longest cursor, in bytes: the contract's bound.
pub const LONGEST: usize = 8_192;

/// Everything but the unreserved characters of RFC 3986, so that no character of a value can end
/// it.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A position in a list, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// Takes a cursor that the connector gave before. `None` if it cannot be one.
    pub fn new(text: String) -> Option<Self> {
        (!text.is_empty() && text.len() <= LONGEST).then_some(Self(text))
    }

    /// The cursor as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The cursor as an owned string.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// Why a link to the next page cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadLink {
    /// It is a link, and has no cursor.
    NoCursor,
    /// It stands in a header that cannot be read.
    Malformed,
    /// The cursor is longer than [`LONGEST`].
    TooLong,
    /// The cursor is not UTF-8.
    NotText,
    /// It is the cursor of the current request: the list would never end.
    Repeated,
}

/// Reads the cursor of the next page from a link that has it in its query as `parameter`, or from a
/// bare cursor, in the answer to a request with the cursor `asked`. An absent or empty one, or a
/// link with an empty one, is the end.
///
/// # Errors
///
/// If there is a next page that cannot be requested.
pub fn next(
    link: Option<&str>,
    parameter: &str,
    asked: Option<&Cursor>,
) -> Result<Option<Cursor>, BadLink> {
    let Some(link) = link.filter(|link| !link.is_empty()) else {
        return Ok(None);
    };
    let text = match query(link) {
        Some(query) => {
            let value = value_in(query, parameter).ok_or(BadLink::NoCursor)?;
            // As a link that is empty altogether.
            if value.is_empty() {
                return Ok(None);
            }
            // Three characters of an escape stand for one byte.
            if value.len() > 3 * LONGEST {
                return Err(BadLink::TooLong);
            }
            let decoded = percent_decode_str(value).decode_utf8();
            decoded.map_err(|_| BadLink::NotText)?.into_owned()
        }
        None if text::without_scheme(link).is_some() => return Err(BadLink::NoCursor),
        None if link.len() > LONGEST => return Err(BadLink::TooLong),
        None => link.to_owned(),
    };
    let is_too_long = text.len() > LONGEST;
    let reason = if is_too_long { BadLink::TooLong } else { BadLink::NoCursor };
    let cursor = Cursor::new(text).ok_or(reason)?;
    if asked == Some(&cursor) {
        return Err(BadLink::Repeated);
    }
    Ok(Some(cursor))
}

/// Appends the cursor to a path, as its query.
pub fn append_to(mut path: String, parameter: &str, cursor: Option<&Cursor>) -> String {
    if let Some(Cursor(text)) = cursor {
        path.extend(["?", parameter, "="]);
        path.extend(encoded(text));
    }
    path
}

/// A text, percent-encoded so that it is one value of a query or one segment of a path. Not form
/// encoding: a space is `%20`.
pub fn encoded(text: &str) -> impl Iterator<Item = &str> {
    utf8_percent_encode(text, RESERVED)
}

/// The query of a link. `None` if it has none, as a bare cursor.
fn query(link: &str) -> Option<&str> {
    let (_, query) = link.split_once('?')?;
    Some(query.split_once('#').map_or(query, |(query, _)| query))
}

fn value_in<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    // A parameter may stand without a value, and without the sign before it.
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.into_iter().find_map(|(key, value)| (key == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_cursor_is_taken_from_any_form_of_the_link() {
        let rows = [
            ("https://api.vendor.test/v1/users?cursor=abc", "abc"),
            ("https://elsewhere.test/?cursor=abc", "abc"),
            ("/v1/users?cursor=abc", "abc"),
            ("https://api.vendor.test/x?limit=5&cursor=abc&y=z#frag", "abc"),
            ("https://api.vendor.test/x?cursor=a%2Fb%3D%3D", "a/b=="),
            ("https://api.vendor.test/x?cursor=a%2fb", "a/b"),
            ("https://api.vendor.test/x?cursor=a%252Fb", "a%2Fb"),
            ("https://api.vendor.test/x?cursor=a=b+c", "a=b+c"),
            ("https://api.vendor.test/x?cursor=100%", "100%"),
            ("https://api.vendor.test/x?cursor=%zz%4", "%zz%4"),
            ("https://api.vendor.test/x?cursor=%C3%A9", "\u{e9}"),
            ("https://api.vendor.test/x?cursor=one&cursor=two", "one"),
            ("bare-cursor_1==", "bare-cursor_1=="),
            ("/bare/base64+==", "/bare/base64+=="),
            ("a%2Fb", "a%2Fb"),
        ];
        for (link, cursor) in rows {
            assert_eq!(given(link), Ok(Some(Cursor(cursor.to_owned()))), "{link}");
        }
    }

    #[test]
    fn no_link_is_the_end() {
        assert_eq!(next(None, "cursor", None), Ok(None));
        for link in [
            "",
            "https://api.vendor.test/x?cursor=",
            "?cursor=&limit=5",
            "?a=b&cursor=#c",
            "https://api.vendor.test/x?cursor",
            "?a&cursor&b",
        ] {
            assert_eq!(given(link), Ok(None), "{link}");
        }
    }

    #[test]
    fn a_link_that_leads_nowhere_is_told() {
        let long_escapes = format!("https://a.test/?cursor={}", "%41".repeat(LONGEST + 1));
        let long_value = format!("https://a.test/?cursor={}", "a".repeat(LONGEST + 1));
        let long_bare = "a".repeat(LONGEST + 1);
        let rows = [
            ("https://api.vendor.test/v1/users", BadLink::NoCursor),
            ("https://api.vendor.test/x?cursors=1", BadLink::NoCursor),
            ("https://api.vendor.test/x?a=b#?cursor=1", BadLink::NoCursor),
            ("https://api.vendor.test/x?cursor=%FF", BadLink::NotText),
            (long_escapes.as_str(), BadLink::TooLong),
            (long_value.as_str(), BadLink::TooLong),
            (long_bare.as_str(), BadLink::TooLong),
        ];
        for (link, reason) in rows {
            assert_eq!(given(link), Err(reason));
        }
    }

    #[test]
    fn the_longest_cursor_still_fits_in_both_forms() {
        let text = "/".repeat(LONGEST);
        let link = format!("https://a.test/?cursor={}", "%2F".repeat(LONGEST));
        assert_eq!(given(&text), Ok(Some(Cursor(text.clone()))));
        assert_eq!(given(&link), Ok(Some(Cursor(text))));
    }

    #[test]
    fn the_same_cursor_again_is_told_whatever_its_form() {
        let asked = Cursor("a/b".to_owned());
        for link in ["a/b", "https://a.test/?cursor=a%2Fb"] {
            let repeated = next(Some(link), "cursor", Some(&asked));
            assert_eq!(repeated, Err(BadLink::Repeated), "{link}");
        }
    }

    #[test]
    fn a_cursor_from_outside_is_bounded() {
        assert_eq!(Cursor::new(String::new()), None);
        assert_eq!(Cursor::new("a".repeat(LONGEST + 1)), None);
        assert!(Cursor::new("a".repeat(LONGEST)).is_some());
    }

    #[test]
    fn everything_but_unreserved_characters_is_escaped() {
        let cursor = Cursor("aZ09-._~ +/=&%#\u{e9}".to_owned());
        let path = append_to("/x".to_owned(), "after", Some(&cursor));
        assert_eq!(path, "/x?after=aZ09-._~%20%2B%2F%3D%26%25%23%C3%A9");
        assert_eq!(append_to("/x".to_owned(), "after", None), "/x");
    }

    proptest! {
        #[test]
        fn a_cursor_that_was_asked_for_comes_back_unchanged(text in "\\PC{1,200}") {
            let asked = Cursor(text);
            let path = append_to("https://a.test/x".to_owned(), "cursor", Some(&asked));
            prop_assert!(path.is_ascii());
            prop_assert_eq!(given(&path), Ok(Some(asked)));
        }

        #[test]
        fn any_link_gives_a_bounded_cursor_or_a_reason(link in any::<String>()) {
            if let Ok(Some(Cursor(text))) = given(&link) {
                prop_assert!(!text.is_empty() && text.len() <= LONGEST);
            }
        }
    }

    fn given(link: &str) -> Result<Option<Cursor>, BadLink> {
        next(Some(link), "cursor", None)
    }
}
