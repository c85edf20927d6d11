//! `GET /admin/api-access/v1/orgs/{organization-id}/api-keys`: the API keys of the organization, and
//! when they end.
//!
//! [Documentation](https://developer.atlassian.com/cloud/admin/api-access/rest/api-group-api-keys/)

use smp_connector_kit::call::Route;
use smp_connector_kit::cursor::Cursor;
use smp_connector_kit::json::{Text, Unreadable};
use smp_connector_kit::{Host, Instant};

use super::list::{self, Entry};
use crate::config::Config;
use crate::dates::OddDates;
use crate::refusal::Refusal;

/// What the descriptor says of the call.
pub static ROUTE: Route = Route::get(
    "/admin/api-access/v1/orgs/{organization-id}/api-keys",
    "Reads when the API key ends, to warn in time; not needed to read the members",
    Some("read:keys:admin"),
)
.reading(&[super::DATE]);

/// A page of keys.
#[derive(Debug, PartialEq, Eq)]
pub struct KeysPage {
    /// The keys. One that had ended before the answer cannot have got it, and is left out.
    pub keys: Vec<Key>,
    /// Where the list goes on.
    pub next: Option<Cursor>,
}

/// An API key, of which nothing tells whether it is the one that is used here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// What it is called; may be empty.
    pub label: String,
    /// When it was used last.
    pub used: Option<Instant>,
    /// When it ends.
    pub ends: Option<Instant>,
}

/// Asks for a page, the first or the one at the cursor.
///
/// # Errors
///
/// When there is no such page, it cannot be read, or the key may not read it.
pub fn get(
    host: &mut dyn Host,
    config: &Config,
    asked: Option<&Cursor>,
) -> Result<KeysPage, Refusal> {
    super::get_dated(host, &ROUTE, config, asked, |body, answered| read(body, asked, answered.at))
}

/// Reads a page that was asked for with `asked`, of an answer of that date.
///
/// # Errors
///
/// When the answer is not one of this call.
pub fn read(
    body: &[u8],
    asked: Option<&Cursor>,
    answered: Option<Instant>,
) -> Result<KeysPage, Unreadable> {
    let (entries, next) = list::read(body, asked)?;
    let may_be_ours = |key: &Key| {
        let ends = key.ends.zip(answered);
        ends.is_none_or(|(ends, answered)| ends.seconds >= answered.seconds)
    };
    let keys = entries.map(|entry| key(entry, answered)).filter(may_be_ours).collect();
    Ok(KeysPage { keys, next })
}

/// A key, whose odd dates are unknown, like those of people.
fn key(entry: Entry<'_>, answered: Option<Instant>) -> Key {
    let mut odd = OddDates::default();
    let used = odd.read(&entry.last_active);
    Key {
        label: entry.label.map_or_else(String::new, Text::into_string),
        used: odd.come(used, answered),
        ends: odd.read(&entry.expires),
    }
}

impl Key {
    /// Whether it is called so.
    pub fn is_called(&self, name: &str) -> bool {
        self.label.trim() == name
    }
}

/// The key that is used here, as far as that can be told: the one that is called so, if it is told
/// what it is called; of several, the one that was used last; none where two may be it.
pub fn ours<'a>(keys: &'a [Key], name: Option<&str>) -> Option<&'a Key> {
    let candidates = || keys.iter().filter(|key| name.is_none_or(|name| key.is_called(name)));
    if candidates().count() == 1 {
        return candidates().next();
    }
    let newest = candidates().max_by_key(|key| key.used)?;
    let is_alone = candidates().filter(|key| key.used == newest.used).count() == 1;
    newest.used.is_some().then_some(newest).filter(|_| is_alone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use smp_connector_kit::testing::{Script, answer};
    use smp_connector_kit::time;

    use crate::testing::{Below, config};

    #[test]
    fn the_keys_are_asked_for_page_by_page() {
        let answer = || answer(200, r#"{"data":[]}"#);
        let mut host = Script::new().keys("", answer()).keys("?cursor=a%2Fb", answer());
        get(&mut host, &config(), None).unwrap();
        get(&mut host, &config(), Cursor::new("a/b".to_owned()).as_ref()).unwrap();
    }

    #[test]
    fn a_key_has_a_label_and_two_dates_or_not() {
        let body = br#"{"data":[{"id":"1","label":"SMP","createdAt":"2026-01-01T00:00:00Z",
            "expiresAt":"2026-11-20T10:15:30.000Z","lastActiveAt":"2026-11-20","createdBy":{"name":"x"},
            "scopes":["read:keys:admin"]},null,{"label":null,"expiresAt":"later"}],
            "links":{"next":"https://a.test/x?cursor=two"}}"#;
        let page = read(body, None, None).unwrap();
        let keys = [key("SMP", Some(1_795_132_800), Some(1_795_169_730)), key("", None, None)];
        let next = Cursor::new("two".to_owned());
        assert_eq!(page, KeysPage { keys: keys.to_vec(), next });
    }

    #[test]
    fn ours_is_the_one_that_is_called_so_or_was_used_last() {
        let (old, new) = (Some(1), Some(2));
        let rows: [(Vec<Key>, Option<&str>, Option<usize>); 11] = [
            (vec![], None, None),
            (vec![key("a", None, None)], None, Some(0)),
            (vec![key("a", old, None), key("b", new, None)], None, Some(1)),
            (vec![key("a", new, None), key("b", None, None)], None, Some(0)),
            (vec![key("a", new, None), key("b", new, None)], None, None),
            (vec![key("a", None, None), key("b", None, None)], None, None),
            (vec![key("a", old, None), key("b", new, None)], Some("a"), Some(0)),
            (vec![key("a ", None, None), key("b", new, None)], Some("a"), Some(0)),
            (vec![key("a", old, None), key("b", new, None)], Some("c"), None),
            (vec![key("a", old, None), key("a", new, None)], Some("a"), Some(1)),
            (vec![key("a", old, None), key("a", old, None)], Some("a"), None),
        ];
        for (keys, name, place) in rows {
            let expected = place.and_then(|place| keys.get(place));
            assert_eq!(ours(&keys, name), expected, "{keys:?} {name:?}");
        }
    }

    #[test]
    fn dates_that_cannot_be_are_unknown_and_a_key_that_ended_is_not_ours() {
        let answered = time::parse("2026-11-20T12:00:00Z");
        for (dates, read_as) in [
            (r#""expiresAt":"2026-11-20T11:59:59Z""#, None),
            (r#""expiresAt":"2026-11-20T12:00:00Z""#, Some((false, true))),
            (r#""expiresAt":"0001-01-01T00:00:00Z""#, Some((false, false))),
            (r#""expiresAt":"1970-01-01T00:00:00Z""#, Some((false, false))),
            (r#""lastActiveAt":"2026-11-20T11:00:00Z""#, Some((true, false))),
            (r#""lastActiveAt":1795172400,"expiresAt":{}"#, Some((false, false))),
            (r#""lastActiveAt":"2099-01-01T00:00:00Z""#, Some((false, false))),
            (r#""lastActiveAt":"1970-01-01T00:00:00Z""#, Some((false, false))),
        ] {
            let body = format!(r#"{{"data":[{{"label":"a",{dates}}}]}}"#);
            let page = read(body.as_bytes(), None, answered).unwrap();
            let keys = page.keys.first().map(|key| (key.used.is_some(), key.ends.is_some()));
            assert_eq!(keys, read_as, "{dates}");
        }
    }

    #[test]
    fn an_answer_without_a_list_is_none() {
        for body in ["{}", r#"{"data":null}"#, r#"{"data":{}}"#, r#"{"data":[{"label":7}]}"#] {
            assert!(
                matches!(read(body.as_bytes(), None, None), Err(Unreadable::Shape(_))),
                "{body}"
            );
        }
    }

    fn key(label: &str, used: Option<i64>, ends: Option<i64>) -> Key {
        let instant = |seconds: Option<i64>| seconds.map(time::from_unix_seconds);
        Key { label: label.to_owned(), used: instant(used), ends: instant(ends) }
    }
}
