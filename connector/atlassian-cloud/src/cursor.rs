//! Cursors: where a list goes on.
//!
//! The vendor gives the next one as `links.next`: a full URL in some calls, a bare cursor in others. Only the
//! cursor is ever taken, so a link to another host leads nowhere. A cursor is opaque, not empty, and bounded.

use crate::{percent, text};

/// Longest cursor, in bytes: the contract's bound, some fifty times the longest that was seen.
pub const LONGEST: usize = 8_192;

/// A place in a list, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// Takes a cursor that the connector gave out before; `None` if it cannot have done so.
    pub fn new(text: String) -> Option<Self> {
        (!text.is_empty() && text.len() <= LONGEST).then_some(Self(text))
    }

    /// The cursor as text.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// Why a `links.next` leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadLink {
    /// It is a link, and has no cursor.
    NoCursor,
    /// The cursor is longer than [`LONGEST`].
    TooLong,
    /// The cursor is not UTF-8.
    NotText,
    /// It is the cursor that was just asked for: the list would never end.
    Repeated,
}

/// Reads `links.next` of the answer to a request that was made with the cursor `asked`. Absent and empty are the end.
///
/// # Errors
///
/// When there is a next page that cannot be asked for.
pub fn next(link: Option<&str>, asked: Option<&Cursor>) -> Result<Option<Cursor>, BadLink> {
    let Some(link) = link.filter(|link| !link.is_empty()) else {
        return Ok(None);
    };
    let text = match query(link) {
        Some(query) => {
            let value = parameter(query, "cursor").ok_or(BadLink::NoCursor)?;
            // Three characters of an escape stand for one byte.
            if value.len() > 3 * LONGEST {
                return Err(BadLink::TooLong);
            }
            percent::decode(value).ok_or(BadLink::NotText)?
        }
        None if is_url(link) => return Err(BadLink::NoCursor),
        None => bounded(link)?.to_owned(),
    };
    if bounded(&text)?.is_empty() {
        return Err(BadLink::NoCursor);
    }
    let cursor = Cursor(text);
    if asked == Some(&cursor) {
        return Err(BadLink::Repeated);
    }
    Ok(Some(cursor))
}

/// Puts the cursor behind a path, as its query.
pub fn append_to(mut path: String, cursor: Option<&Cursor>) -> String {
    if let Some(Cursor(text)) = cursor {
        path.push_str("?cursor=");
        percent::encode_into(&mut path, text);
    }
    path
}

fn bounded(text: &str) -> Result<&str, BadLink> {
    if text.len() > LONGEST {
        return Err(BadLink::TooLong);
    }
    Ok(text)
}

/// The query of a link; `None` when it has none, as a bare cursor.
fn query(link: &str) -> Option<&str> {
    let (_, query) = link.split_once('?')?;
    Some(query.split_once('#').map_or(query, |(query, _)| query))
}

fn is_url(link: &str) -> bool {
    text::without_scheme(link).is_some()
}

fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').filter_map(|pair| pair.split_once('=')).find_map(|(key, value)| (key == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_cursor_is_taken_from_any_form_of_the_link() {
        let rows = [
            ("https://api.atlassian.com/admin/v1/orgs/o/users?cursor=abc", "abc"),
            ("https://elsewhere.test/?cursor=abc", "abc"),
            ("/admin/v1/orgs/o/users?cursor=abc", "abc"),
            ("https://api.atlassian.com/x?limit=5&cursor=abc&y=z#frag", "abc"),
            ("https://api.atlassian.com/x?cursor=a%2Fb%3D%3D", "a/b=="),
            ("https://api.atlassian.com/x?cursor=a%252Fb", "a%2Fb"),
            ("https://api.atlassian.com/x?cursor=a=b+c", "a=b+c"),
            ("https://api.atlassian.com/x?cursor=one&cursor=two", "one"),
            ("bare-cursor_1==", "bare-cursor_1=="),
            ("/bare/base64+==", "/bare/base64+=="),
            ("a%2Fb", "a%2Fb"),
        ];
        for (link, cursor) in rows {
            assert_eq!(next(Some(link), None), Ok(Some(Cursor(cursor.to_owned()))), "{link}");
        }
    }

    #[test]
    fn no_link_is_the_end() {
        assert_eq!(next(None, None), Ok(None));
        assert_eq!(next(Some(""), None), Ok(None));
    }

    #[test]
    fn a_link_that_leads_nowhere_is_told() {
        let long_escapes = format!("https://a.test/?cursor={}", "%41".repeat(LONGEST + 1));
        let long_bare = "a".repeat(LONGEST + 1);
        let rows = [
            ("https://api.atlassian.com/admin/v1/orgs/o/users", BadLink::NoCursor),
            ("https://api.atlassian.com/x?cursor=", BadLink::NoCursor),
            ("https://api.atlassian.com/x?cursors=1", BadLink::NoCursor),
            ("https://api.atlassian.com/x?a=b#?cursor=1", BadLink::NoCursor),
            ("https://api.atlassian.com/x?cursor=%FF", BadLink::NotText),
            (long_escapes.as_str(), BadLink::TooLong),
            (long_bare.as_str(), BadLink::TooLong),
        ];
        for (link, reason) in rows {
            assert_eq!(next(Some(link), None), Err(reason));
        }
    }

    #[test]
    fn the_longest_cursor_still_fits_in_both_forms() {
        let text = "/".repeat(LONGEST);
        let link = format!("https://a.test/?cursor={}", "%2F".repeat(LONGEST));
        assert_eq!(next(Some(&text), None), Ok(Some(Cursor(text.clone()))));
        assert_eq!(next(Some(&link), None), Ok(Some(Cursor(text))));
    }

    #[test]
    fn the_same_cursor_again_is_told_whatever_its_form() {
        let asked = Cursor("a/b".to_owned());
        for link in ["a/b", "https://a.test/?cursor=a%2Fb"] {
            assert_eq!(next(Some(link), Some(&asked)), Err(BadLink::Repeated), "{link}");
        }
    }

    #[test]
    fn a_cursor_from_outside_is_bounded() {
        assert_eq!(Cursor::new(String::new()), None);
        assert_eq!(Cursor::new("a".repeat(LONGEST + 1)), None);
        assert!(Cursor::new("a".repeat(LONGEST)).is_some());
    }

    proptest! {
        #[test]
        fn a_cursor_that_was_asked_for_comes_back_unchanged(text in "\\PC{1,200}") {
            let asked = Cursor(text);
            let path = append_to("https://a.test/x".to_owned(), Some(&asked));
            prop_assert_eq!(next(Some(&path), None), Ok(Some(asked)));
        }

        #[test]
        fn any_link_gives_a_bounded_cursor_or_a_reason(link in any::<String>()) {
            if let Ok(Some(Cursor(text))) = next(Some(&link), None) {
                prop_assert!(!text.is_empty() && text.len() <= LONGEST);
            }
        }
    }
}
