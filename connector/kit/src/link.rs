//! The next page in a `Link` header, as [RFC 8288](https://www.rfc-editor.org/rfc/rfc8288) writes
//! it: `<https://api.vendor.example/people?after=x&limit=200>; rel="next"`.
//!
//! A response may have several such headers, and a header several links. Only the cursor is taken
//! from a link: its host and its path have no effect. A header that cannot be read is never taken
//! for the end of the list. The endpoint declares the header: `Route::reading(&["link"])`.

use crate::contract::Response;
use crate::cursor::{self, BadLink, Cursor};

/// The name of the header.
pub const LINK: &str = "link";

/// White space between the parts of a header.
const SPACE: [char; 2] = [' ', '\t'];

/// Reads the cursor of the next page: the query parameter `parameter` of the first link with the
/// relation `next`, in the response to a request with the cursor `asked`. Without such a link, the
/// list ends here.
///
/// # Errors
///
/// If a header cannot be read, or there is a next page that cannot be requested.
pub fn next(
    response: &Response,
    parameter: &str,
    asked: Option<&Cursor>,
) -> Result<Option<Cursor>, BadLink> {
    match target(response, "next")? {
        None => Ok(None),
        // Without a query it would be read as a bare cursor.
        Some(link) if !link.contains('?') => Err(BadLink::NoCursor),
        Some(link) => cursor::next(Some(link), parameter, asked),
    }
}

/// The target of the first link with this relation, which is compared without regard to case.
///
/// # Errors
///
/// [`BadLink::Malformed`] if a header cannot be read up to that link.
pub fn target<'r>(response: &'r Response, relation: &str) -> Result<Option<&'r str>, BadLink> {
    let headers = response.headers.iter().filter(|(name, _)| name == LINK);
    for (_, header) in headers {
        let mut rest = header.as_str();
        loop {
            // An element of a list may be empty.
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                break;
            }
            let (link, behind) = link(rest).ok_or(BadLink::Malformed)?;
            rest = behind;
            if link.has(relation) {
                return Ok(Some(link.target));
            }
        }
    }
    Ok(None)
}

/// A link of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Link<'h> {
    target: &'h str,
    /// Its relations, separated by spaces; of several parameters the first counts.
    relations: Option<&'h str>,
    /// Whether it is about another resource than the one that was requested.
    is_of_another: bool,
}

impl Link<'_> {
    fn has(&self, relation: &str) -> bool {
        let mut relations = self.relations.unwrap_or_default().split(SPACE);
        !self.is_of_another && relations.any(|one| one.eq_ignore_ascii_case(relation))
    }
}

/// The link at the beginning, and what stands behind it, from its comma on.
fn link(text: &str) -> Option<(Link<'_>, &str)> {
    let (target, mut rest) = text.strip_prefix('<')?.split_once('>')?;
    let mut link = Link { target, relations: None, is_of_another: false };
    loop {
        rest = rest.trim_start_matches(SPACE);
        if rest.is_empty() || rest.starts_with(',') {
            return Some((link, rest));
        }
        let (name, value, behind) = parameter(rest.strip_prefix(';')?)?;
        rest = behind;
        if name.eq_ignore_ascii_case("rel") {
            link.relations.get_or_insert(value);
        }
        link.is_of_another |= name.eq_ignore_ascii_case("anchor");
    }
}

/// The parameter at the beginning: its name, its value, and what stands behind it. Both may be
/// empty. A quoted value keeps its backslashes, which no relation has.
fn parameter(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = before(text.trim_start_matches(SPACE), &['=', ';', ',', ' ', '\t']);
    let rest = rest.trim_start_matches(SPACE);
    let Some(value) = rest.strip_prefix('=') else { return Some((name, "", rest)) };
    let value = value.trim_start_matches(SPACE);
    let Some(quoted) = value.strip_prefix('"') else {
        let (value, rest) = before(value, &[';', ',', ' ', '\t']);
        return Some((name, value, rest));
    };
    let mut is_escaped = false;
    let (end, _) = quoted.char_indices().find(|(_, sign)| {
        let ends = *sign == '"' && !is_escaped;
        is_escaped = *sign == '\\' && !is_escaped;
        ends
    })?;
    let (value, rest) = quoted.split_at_checked(end)?;
    Some((name, value, rest.strip_prefix('"')?))
}

/// The text before the first of these signs, and the rest from it on.
fn before<'t>(text: &'t str, signs: &[char]) -> (&'t str, &'t str) {
    text.find(signs).and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::answer_with;
    use proptest::prelude::*;

    const PAGE: &str = "https://acme.vendor.test/people?after=two&limit=200";

    #[test]
    fn the_next_page_is_found_in_every_form_of_the_header() {
        let rows = [
            "<{}>; rel=\"next\"",
            "<{}>;rel=next",
            "  <{}> ; REL = \"Next\" ",
            "<{}>; rel=\"last next\"",
            "<{}>; title=\"a, b; rel=x>\"; rel=\"next\"",
            "<{}>; title=\"a \\\" b\"; rel=\"next\"; type=\"text/html\"",
            "<{}>; hreflang; ;rel=next",
            "<{}>; rel=next; rel=prev",
            "<https://a.test/?after=0>; rel=\"self\", <{}>; rel=\"next\"",
            ", ,<https://a.test/?after=0>; rel=prev,<{}>; rel=next,",
            "<https://a.test/?after=0>; rel=next; anchor=\"#other\", <{}>; rel=next",
            "<https://a.test/a,b;c?after=0>; rel=\"self\", <{}>; rel=\"next\"",
            "<https://a.test/?after=0>, <{}>; rel=next",
        ];
        for row in rows {
            let header = row.replace("{}", PAGE);
            assert_eq!(given(&[&header]), Ok(Some("two".to_owned())), "{row}");
        }
    }

    #[test]
    fn a_link_may_stand_in_a_header_of_its_own() {
        let own = format!("<{PAGE}>; rel=\"next\"");
        let headers = ["<https://acme.vendor.test/people?limit=200>; rel=\"self\"", own.as_str()];
        assert_eq!(given(&headers), Ok(Some("two".to_owned())));
    }

    #[test]
    fn without_a_next_page_the_list_ends() {
        let rows: [&[&str]; 7] = [
            &[],
            &[""],
            &[" , "],
            &["<https://a.test/?after=1>; rel=\"self\""],
            &["<https://a.test/?after=1>; rel=\"nextish\""],
            &["<https://a.test/?after=1>; title=\"next\""],
            &["<https://a.test/?after=1>; rel=prev; rel=next"],
        ];
        for headers in rows {
            assert_eq!(given(headers), Ok(None), "{headers:?}");
        }
    }

    #[test]
    fn a_header_that_cannot_be_read_is_not_the_end() {
        let rows = [
            "https://a.test/?after=1; rel=next",
            "<https://a.test/?after=1",
            "<https://a.test/?after=1>; rel=\"next",
            "<https://a.test/?after=1> rel=next",
            "<https://a.test/?after=1>; rel=\"next\" x",
            "<https://a.test/>; rel=self; nonsense, x",
        ];
        for header in rows {
            assert_eq!(given(&[header]), Err(BadLink::Malformed), "{header}");
        }
    }

    #[test]
    fn only_the_cursor_of_a_link_counts() {
        let rows = [
            ("<https://evil.test/elsewhere?after=a%2Fb>; rel=next", Ok(Some("a/b".to_owned()))),
            ("<?after=x>; rel=next", Ok(Some("x".to_owned()))),
            ("</api/v1/users>; rel=next", Err(BadLink::NoCursor)),
            ("<two>; rel=next", Err(BadLink::NoCursor)),
            ("<https://a.test/?limit=200>; rel=next", Err(BadLink::NoCursor)),
            ("<https://a.test/?after=one>; rel=next", Err(BadLink::Repeated)),
        ];
        for (header, cursor) in rows {
            assert_eq!(given(&[header]), cursor, "{header}");
        }
    }

    #[test]
    fn other_headers_are_passed_over() {
        let response = answer_with(200, &[("x-link", "<?after=x>; rel=next")], "[]").unwrap();
        assert_eq!(target(&response, "next"), Ok(None));
    }

    proptest! {
        #[test]
        fn any_header_gives_a_cursor_or_a_reason(header in any::<String>()) {
            let _ = given(&[&header]);
        }

        #[test]
        fn any_header_of_the_right_signs_comes_to_an_end(
            header in "[<>;,=\"\\\\ relnxt?a-c]{0,60}",
        ) {
            let _ = given(&[&header]);
        }

        #[test]
        fn a_link_behind_any_other_is_found(title in "[ -~]{0,40}") {
            let title = title.replace('\\', "\\\\").replace('"', "\\\"");
            let header = format!("<?after=1>; rel=self; title=\"{title}\", <{PAGE}>; rel=next");
            prop_assert_eq!(given(&[&header]), Ok(Some("two".to_owned())));
        }
    }

    fn given(headers: &[&str]) -> Result<Option<String>, BadLink> {
        let headers: Vec<_> = headers.iter().map(|header| (LINK, *header)).collect();
        let response = answer_with(200, &headers, "[]").unwrap();
        let asked = Cursor::new("one".to_owned());
        Ok(next(&response, "after", asked.as_ref())?.map(Cursor::into_string))
    }
}
