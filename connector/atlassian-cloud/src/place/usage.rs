//! Where the list of seats goes on: the cursor that the connector gives out in place of
//! Atlassian's.
//!
//! Nothing is remembered between calls, so a product that was listed before travels in it: on a
//! page with another one there is a note to make. It is a version, and a list of texts as JSON.
//!
//! ```text
//! u1["c2Vjb25k","Jira"]
//! u1["c2Vjb25k"]               no product was listed before, or its name is too long
//! ```
//!
//! What comes back must be exactly what could have been given out.

use smp_connector_kit::cursor::{Cursor, LONGEST};
use smp_connector_kit::json::{self, List, Text};

/// How a cursor begins.
pub(super) const BEGINNING: &str = "u1";

/// A place in the list of seats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsagePlace {
    /// Atlassian's cursor.
    pub cursor: Cursor,
    /// The name of a product that was listed before.
    pub product: Option<String>,
}

impl UsagePlace {
    /// Reads a cursor; none for one that was not given out by [`write()`].
    pub fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(BEGINNING)?;
        let List(texts) = json::read_page::<List<Text<'_>>>(rest.as_bytes()).ok()?;
        let mut texts = texts.into_iter().map(Text::into_string);
        let place = Self { cursor: Cursor::new(texts.next()?)?, product: texts.next() };
        let again = write(&place.cursor, place.product.as_deref());
        (again.as_deref() == Some(text)).then_some(place)
    }
}

/// The cursor for the page at Atlassian's cursor, behind one with this product; none if not even
/// Atlassian's cursor fits.
pub fn write(cursor: &Cursor, product: Option<&str>) -> Option<String> {
    let written = |product: Option<&str>| {
        let mut text = format!("{BEGINNING}[{}", json::quoted(cursor.as_str()));
        if let Some(product) = product {
            text.push(',');
            text.push_str(&json::quoted(product));
        }
        text.push(']');
        (text.len() <= LONGEST).then_some(text)
    };
    written(product).or_else(|| written(None))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::place::{self, Place};

    #[test]
    fn the_product_travels_while_it_fits() {
        let cursor = Cursor::new("c2Vjb25k".to_owned()).unwrap();
        let rows = [
            (Some("Jira".to_owned()), r#"u1["c2Vjb25k","Jira"]"#),
            (Some("x".repeat(LONGEST)), r#"u1["c2Vjb25k"]"#),
            (None, r#"u1["c2Vjb25k"]"#),
        ];
        for (product, text) in rows {
            assert_eq!(write(&cursor, product.as_deref()).as_deref(), Some(text));
        }
        let long = Cursor::new("c".repeat(LONGEST - 6)).unwrap();
        assert_eq!(write(&long, Some("Jira")).map(|text| text.len()), Some(LONGEST));
        assert_eq!(write(&Cursor::new("c".repeat(LONGEST - 5)).unwrap(), None), None);
    }

    #[test]
    fn what_was_not_given_out_is_refused() {
        let long = format!(r#"u1["{}"]"#, "c".repeat(LONGEST));
        let rows = [
            "",
            "c2Vjb25k",
            "u1",
            "u1[]",
            r#"u1[""]"#,
            r#"u1["c""#,
            r#"u1["c" ]"#,
            r#"u1["c",7]"#,
            r#"u1["c","p","q"]"#,
            r#"u1["\u0063"]"#,
            r#"u1{"c":1}"#,
            r#"u2["c"]"#,
            r#"e1n["c"]"#,
            r#"e1a["c"]"#,
            long.as_str(),
        ];
        for text in rows {
            assert_eq!(UsagePlace::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_cursor_of_the_seats_is_none_of_another_list() {
        let text = r#"u1["c2Vjb25k","Jira"]"#;
        assert!(place::is_ours(text) && Place::read(text).is_none());
    }

    proptest! {
        #[test]
        fn what_was_given_out_is_read_back(
            cursor in "\\PC{1,40}",
            product in proptest::option::of("\\PC{0,40}"),
        ) {
            let cursor = Cursor::new(cursor).unwrap();
            let text = write(&cursor, product.as_deref()).unwrap();
            prop_assert_eq!(UsagePlace::read(&text), Some(UsagePlace { cursor, product }));
        }

        #[test]
        fn any_text_is_a_place_that_is_written_alike_or_none(text in "u1\\[.{0,40}") {
            if let Some(UsagePlace { cursor, product }) = UsagePlace::read(&text) {
                prop_assert_eq!(write(&cursor, product.as_deref()), Some(text));
            }
        }
    }
}
