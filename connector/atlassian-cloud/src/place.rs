//! Where the list of everyone goes on: the cursor that the connector gives out in place of
//! Atlassian's.
//!
//! Nothing is remembered between calls, so the names of the product sites travel in it while they
//! fit. It is a version, and a list of texts as JSON: Atlassian's cursor, then an id, a product and
//! an address for each site.
//!
//! ```text
//! e1n["c2Vjb25k","confluence::site/7f3c","Confluence","acme.atlassian.net"]     with the names
//! e1a["c2Vjb25k"]                                            the names are to be asked for again
//! ```
//!
//! What comes back must be exactly what could have been given out. `usage` has the place in the
//! list of seats.

pub mod usage;

use smp_connector_kit::cursor::{Cursor, LONGEST};
use smp_connector_kit::json::{self, List, Text};

use crate::sites::{Site, Sites};

/// How a cursor with the names begins.
const WITH_NAMES: &str = "e1n";

/// How a cursor begins that is too long with them.
const WITHOUT_NAMES: &str = "e1a";

/// A place in the list of everyone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Atlassian's cursor.
    pub cursor: Cursor,
    /// The product sites; none where they did not fit.
    pub sites: Option<Sites>,
}

impl Place {
    /// Reads a cursor; none for one that was not given out by [`write()`].
    pub fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(WITH_NAMES).or_else(|| text.strip_prefix(WITHOUT_NAMES))?;
        let List(texts) = json::read_page::<List<Text<'_>>>(rest.as_bytes()).ok()?;
        let (cursor, names) = texts.split_first()?;
        let mut sites = Sites::default();
        let (entries, rest) = names.as_chunks::<3>();
        for [id, product, address] in entries {
            let [product, address] = [product, address].map(|text| text.as_str().to_owned());
            sites.0.insert(id.as_str().to_owned(), Site { product, address });
        }
        let has_names = text.starts_with(WITH_NAMES);
        let place = Self {
            cursor: Cursor::new(cursor.as_str().to_owned())?,
            sites: has_names.then_some(sites),
        };
        let again = written(&place.cursor, place.sites.as_ref());
        (rest.is_empty() && again == text && text.len() <= LONGEST).then_some(place)
    }
}

/// The cursor for the page at Atlassian's cursor, with the names of the sites if they fit; none if
/// not even Atlassian's cursor fits.
pub fn write(cursor: &Cursor, sites: &Sites) -> Option<String> {
    let fits = |text: &String| text.len() <= LONGEST;
    Some(written(cursor, Some(sites)))
        .filter(fits)
        .or_else(|| Some(written(cursor, None)).filter(fits))
}

/// Whether a cursor is one of this list, or of the seats: Atlassian's own, which stand for places
/// in the list of managed accounts, have no bracket.
pub fn is_ours(text: &str) -> bool {
    [WITH_NAMES, WITHOUT_NAMES, usage::BEGINNING]
        .iter()
        .any(|beginning| text.strip_prefix(beginning).is_some_and(|rest| rest.starts_with('[')))
}

fn written(cursor: &Cursor, sites: Option<&Sites>) -> String {
    let mut text = String::from(if sites.is_some() { WITH_NAMES } else { WITHOUT_NAMES });
    text.push('[');
    text.push_str(&json::quoted(cursor.as_str()));
    for (id, Site { product, address }) in sites.into_iter().flat_map(|sites| &sites.0) {
        for part in [id, product, address] {
            text.push(',');
            text.push_str(&json::quoted(part));
        }
    }
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_names_travel_while_they_fit() {
        let cursor = Cursor::new("c2Vjb25k".to_owned()).unwrap();
        let text = write(&cursor, &sites(1)).unwrap();
        let expected = r#"e1n["c2Vjb25k","confluence::site/0","Confluence","acme.atlassian.net"]"#;
        assert_eq!(text, expected);
        let text = write(&cursor, &sites(1_000)).unwrap();
        assert_eq!(text, r#"e1a["c2Vjb25k"]"#);
        assert_eq!(Place::read(&text), Some(Place { cursor, sites: None }));
    }

    #[test]
    fn no_cursor_is_longer_than_the_contract_permits() {
        for length in [1, 8_000, LONGEST - 7, LONGEST - 6, LONGEST] {
            let cursor = Cursor::new("c".repeat(length)).unwrap();
            let text = write(&cursor, &sites(1));
            assert_eq!(text.is_some(), length + 7 <= LONGEST, "{length}");
            assert!(text.is_none_or(|text| text.len() <= LONGEST));
        }
    }

    #[test]
    fn what_was_not_given_out_is_refused() {
        let long = format!(r#"e1a["{}"]"#, "c".repeat(LONGEST));
        let rows = [
            "",
            "c2Vjb25k",
            "e1n",
            "e1a[]",
            r#"e1a[""]"#,
            r#"e1a["c","i","p","a"]"#,
            r#"e1n["c","i","p"]"#,
            r#"e1n["c","i","p",7]"#,
            r#"e1n["c" ,"i","p","a"]"#,
            r#"e1n["c","j","p","a","i","p","a"]"#,
            r#"e1n["c","i","p","a","i","p","a"]"#,
            r#"e1n["c"],"#,
            r#"e2n["c"]"#,
            r#"e1n["\u0063"]"#,
            r#"e1n{"c":1}"#,
            long.as_str(),
        ];
        for text in rows {
            assert_eq!(Place::read(text), None, "{text}");
        }
        assert!(Place::read(r#"e1n["c"]"#).is_some_and(|place| place.sites.is_some()));
    }

    #[test]
    fn a_cursor_of_the_other_list_is_told_apart() {
        assert!(is_ours(r#"e1n["c"]"#) && is_ours(r#"e1a["c"]"#));
        for text in ["", "c2Vjb25k", "e1n", "e1a=", "[]"] {
            assert!(!is_ours(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_was_given_out_comes_back(
            cursor in "\\PC{1,50}",
            names in prop::collection::vec(any::<(String, String, String)>(), 0..20),
        ) {
            let mut sites = Sites::default();
            for (id, product, address) in names {
                sites.add(&id, Site { product, address });
            }
            let cursor = Cursor::new(cursor).unwrap();
            let text = write(&cursor, &sites).unwrap();
            let place = Place::read(&text).unwrap();
            prop_assert_eq!(&place.cursor, &cursor);
            prop_assert!(place.sites.is_none_or(|read| read == sites));
        }

        #[test]
        fn no_text_is_too_much(text in "(e1[na])?\\PC{0,60}") {
            if Place::read(&text).is_some() {
                prop_assert!(is_ours(&text));
            }
        }
    }

    fn sites(number: usize) -> Sites {
        let mut sites = Sites::default();
        for number in 0..number {
            let (product, address) = ("Confluence".to_owned(), "acme.atlassian.net".to_owned());
            let id = format!("ari:cloud:confluence::site/{number}");
            sites.add(&id, Site { product, address });
        }
        sites
    }
}
