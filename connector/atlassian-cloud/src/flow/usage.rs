//! Reads one page of the product sites with their seats: the same list for each choice
//! of `people`.
//!
//! ```text
//! settings, cursor ─▶ asking for the page ─┬─ it is read ────────────────▶ page with notes
//!         │                                ├─ 401, 403 ─▶ standing ──────▶ failure
//!         └─ malformed ─▶ failure          └─ anything else ─────────────▶ failure
//! ```
//!
//! Stateless: everything that a page depends on is in the settings and the cursor. A page without
//! product sites is a page.

use smp_connector_kit::{Advice, Failure, Host, Setting, UsagePage};

use super::standing::settled;
use crate::config::Config;
use crate::endpoint::workspaces::usage::{self, SeatsPage};
use crate::place::usage::{UsagePlace, write};
use crate::refusal;

/// Reads the first page, or the one at the cursor.
///
/// # Errors
///
/// When a setting is malformed, the cursor is none of this list, or the page cannot be read.
pub fn collect(
    host: &mut dyn Host,
    settings: &[Setting],
    cursor: Option<String>,
) -> Result<UsagePage, Failure> {
    let config = Config::read(settings)?;
    let place = cursor.map(|text| UsagePlace::read(&text).ok_or_else(refusal::foreign_cursor));
    let place = place.transpose()?;
    let (asked, before) = place.map_or((None, None), |place| (Some(place.cursor), place.product));
    let SeatsPage { entries, next, total } = usage::get(host, &config, asked.as_ref())
        .map_err(|refusal| settled(host, &config, refusal))?;
    let names = entries.iter().map(|entry| entry.product.name.as_str());
    let mut names = before.as_deref().into_iter().chain(names);
    let first = names.next();
    let mut notes = Vec::new();
    if names.any(|name| Some(name) != first) {
        notes.push(note(
            "A collection of Atlassian products (Teamwork, Service, Strategy) bills a person once \
             over its products: a sum of seats over products is no bill.",
            "Compare each product for itself. What is billed stands under Billing at \
             admin.atlassian.com.",
        ));
    }
    if entries.iter().any(|entry| entry.sandbox == Some(true)) {
        notes.push(note(
            "Sandboxes are listed too: they hold no seats of their own.",
            "Leave sandboxes out when you count seats.",
        ));
    }
    let next = next.and_then(|next| write(&next, first));
    Ok(UsagePage { entries, next, total, notes })
}

fn note(message: &str, hint: &str) -> Advice {
    Advice { message: message.to_owned(), hint: hint.to_owned(), setting: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smp_connector_kit::testing::{Script, answer};
    use smp_connector_kit::{FailureKind, HttpError, Response};

    use crate::testing::{Below, ORGANIZATION, settings, settings_for_everyone};

    const FIRST: &str = r#"{"limit":1000}"#;
    const SECOND: &str = r#"{"cursor":"two"}"#;
    const CALL: &str = "POST /admin/v2/orgs/{organization-id}/workspaces";

    #[test]
    fn a_page_has_its_entries_where_it_goes_on_and_how_many_there_are() {
        for settings in [settings(), settings_for_everyone()] {
            let mut host = Script::new()
                .listed(FIRST, page(&["jira"], r#","links":{"next":"https://x.test/?cursor=two"}"#))
                .listed(SECOND, page(&["jira"], r#","links":{"next":null},"meta":{"total":2}"#));
            let first = collect(&mut host, &settings, None).unwrap();
            assert_eq!((first.entries.len(), first.total), (1, None));
            assert_eq!(first.next.as_deref(), Some(r#"u1["two","Jira"]"#));
            let second = collect(&mut host, &settings, first.next).unwrap();
            assert_eq!((second.next, second.total), (None, Some(2)));
            assert_eq!((first.notes, second.notes), (vec![], vec![]));
        }
    }

    #[test]
    fn an_organization_without_product_sites_has_an_empty_page() {
        for (rest, total) in [("", None), (r#","meta":{"total":0}"#, Some(0))] {
            let mut host = Script::new().listed(FIRST, page(&[], rest));
            let page = collect(&mut host, &settings(), None);
            assert_eq!(page, Ok(UsagePage { total, ..UsagePage::default() }));
        }
    }

    #[test]
    fn several_products_are_noted_to_be_no_bill_in_sum() {
        let rows: [(&[&str], bool); 4] = [
            (&[], false),
            (&["jira", "jira", "jira-software"], false),
            (&["jira", "confluence"], true),
            (&["jira", "jira", "loom", "confluence"], true),
        ];
        for (products, is_noted) in rows {
            let mut host = Script::new().listed(FIRST, page(products, ""));
            let page = collect(&mut host, &settings(), None).unwrap();
            assert_eq!(page.notes.len(), usize::from(is_noted), "{products:?}");
            for note in page.notes {
                assert!(note.message.contains("a sum of seats over products is no bill"));
                assert!(!note.hint.is_empty());
            }
        }
    }

    #[test]
    fn products_on_different_pages_are_noted_too() {
        for (cursor, products, notes) in [
            (r#"u1["two","Jira"]"#, ["jira"].as_slice(), 0),
            (r#"u1["two","Jira"]"#, &["confluence"], 1),
            (r#"u1["two"]"#, &["confluence"], 0),
            (r#"u1["two","Jira"]"#, &[], 0),
        ] {
            let mut host =
                Script::new().listed(SECOND, page(products, r#","links":{"next":"three"}"#));
            let page = collect(&mut host, &settings(), Some(cursor.to_owned())).unwrap();
            assert_eq!(page.notes.len(), notes, "{cursor} {products:?}");
            let product = if cursor.contains("Jira") { "Jira" } else { "Confluence" };
            assert_eq!(page.next, Some(format!(r#"u1["three","{product}"]"#)));
        }
    }

    #[test]
    fn sandboxes_are_noted_to_hold_no_seats() {
        for (words, notes) in
            [(["NONE", "NONE"], 0), (["NONE", "CHILD"], 1), (["CHILD", "CHILD"], 1)]
        {
            let [first, second] = words.map(|word| {
                format!(
                    r#"{{"id":"ari:cloud:jira::1","attributes":{{"sandbox":{{"type":"{word}"}}}}}}"#
                )
            });
            let body = format!(r#"{{"data":[{first},{second}]}}"#);
            let mut host = Script::new().listed(FIRST, answer(200, &body));
            let page = collect(&mut host, &settings(), None).unwrap();
            assert_eq!(page.notes.len(), notes, "{words:?}");
            for note in page.notes {
                assert!(note.message.contains("no seats of their own"), "{}", note.message);
            }
        }
    }

    #[test]
    fn a_key_without_the_scope_is_told_which_it_lacks() {
        let listed = format!(r#"{{"data":[{{"id":"{ORGANIZATION}"}}]}}"#);
        let scope = r#"{"code":401,"message":"Unauthorized; scope does not match"}"#;
        for (settings, others) in [
            (settings(), ["read:accounts:admin", "read:domains:admin"].as_slice()),
            (settings_for_everyone(), &["read:directories:admin"]),
        ] {
            for (status, body) in [(401, ""), (403, ""), (401, scope), (403, scope)] {
                let mut host = Script::new().listed(FIRST, answer(status, body));
                if body.is_empty() {
                    host = host.at("", answer(200, &listed));
                }
                let failure = collect(&mut host, &settings, None).unwrap_err();
                assert_eq!(failure.kind, FailureKind::Permission);
                assert_eq!(failure.setting.as_deref(), Some("api-key"));
                assert!(failure.message.contains(CALL), "{}", failure.message);
                let said = format!("{} {}", failure.message, failure.hint);
                assert!(said.matches("read:workspaces:admin").count() >= 2, "{said}");
                for word in others.iter().chain(&["read:orgs:admin", "without scopes"]) {
                    assert!(failure.hint.contains(word), "{word}: {said}");
                }
            }
        }
    }

    #[test]
    fn every_refusal_has_its_kind() {
        use FailureKind::{
            Credentials, NotFound, Permission, RateLimited, UnexpectedResponse, Upstream,
        };
        let none = r#"{"data":[]}"#;
        for (status, body, organizations, kind) in [
            (401, "", Some((401, "")), Credentials),
            (401, "", Some((403, "")), Permission),
            (403, "", Some((200, none)), NotFound),
            (401, "", Some((200, none)), NotFound),
            (404, r#"{"code":"ADMIN-404-2"}"#, None, NotFound),
            (404, "failed to match any route", None, UnexpectedResponse),
            (400, r#"{"code":"ADMIN-400-24"}"#, None, UnexpectedResponse),
            (400, r#"{"code":"ADMIN-400-1"}"#, None, UnexpectedResponse),
            (429, "", None, RateLimited),
            (503, "<html>", None, Upstream),
            (302, "", None, UnexpectedResponse),
            (200, "<html>", None, UnexpectedResponse),
            (200, "", None, UnexpectedResponse),
            (200, r#"{"data":[{"id":"i","attributes":{"usage":-1}}]}"#, None, UnexpectedResponse),
        ] {
            let mut host = Script::new().listed(FIRST, answer(status, body));
            if let Some((status, body)) = organizations {
                host = host.at("", answer(status, body));
            }
            let failure = collect(&mut host, &settings(), None).unwrap_err();
            assert_eq!(failure.kind, kind, "{status} {body}");
            assert!(!failure.hint.is_empty());
        }
        let mut host = Script::new().listed(FIRST, Err(HttpError::TimedOut));
        assert_eq!(collect(&mut host, &settings(), None).unwrap_err().kind, Upstream);
    }

    #[test]
    fn a_refused_key_is_told_every_scope_that_it_needs() {
        let mut host = Script::new().listed(FIRST, answer(401, "")).at("", answer(401, ""));
        let hint = collect(&mut host, &settings(), None).unwrap_err().hint;
        for scope in ["read:accounts:admin", "read:domains:admin", "read:workspaces:admin"] {
            assert!(hint.contains(scope), "{scope}: {hint}");
        }
    }

    #[test]
    fn a_refused_cursor_has_expired() {
        let body = r#"{"errors":[{"code":"ADMIN-400-1"}]}"#;
        let mut host = Script::new().listed(SECOND, answer(400, body));
        let cursor = Some(r#"u1["two"]"#.to_owned());
        let failure = collect(&mut host, &settings(), cursor).unwrap_err();
        assert_eq!(failure.kind, FailureKind::CursorExpired);
        assert_eq!(failure.vendor_code.as_deref(), Some("ADMIN-400-1"));
        assert!(!failure.hint.contains("members"), "{}", failure.hint);
    }

    #[test]
    fn a_cursor_of_another_list_is_refused_in_all() {
        for cursor in ["", "c2Vjb25k", r#"e1a["two"]"#, r#"e1n["two"]"#, r#"u1["two""#] {
            for settings in [settings(), settings_for_everyone()] {
                let cursor = Some(cursor.to_owned());
                let failure = collect(&mut Script::new(), &settings, cursor).unwrap_err();
                assert_eq!(failure.kind, FailureKind::CursorExpired);
            }
        }
        for settings in [settings(), settings_for_everyone()] {
            let cursor = Some(r#"u1["two","Jira"]"#.to_owned());
            let failure = crate::flow::collect::collect(&mut Script::new(), &settings, cursor);
            assert_eq!(failure.unwrap_err().kind, FailureKind::CursorExpired);
        }
    }

    #[test]
    fn what_is_wrong_from_the_start_costs_no_request() {
        let failure = collect(&mut Script::new(), &[], None).unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidSettings);
    }

    #[test]
    fn nothing_of_an_answer_gets_into_a_failure() {
        for body in [
            r#"{"data":[{"id":{"jane@acme.test":1}}]}"#,
            r#"{"data":{"jane@acme.test":1}}"#,
            r#"{"data":[{"name":"jane@acme.test"}]}"#,
            "<html>jane@acme.test",
        ] {
            let mut host = Script::new().listed(FIRST, answer(200, body));
            let failure = collect(&mut host, &settings(), None).unwrap_err();
            assert_eq!(failure.kind, FailureKind::UnexpectedResponse);
            assert!(failure.message.contains(CALL), "{}", failure.message);
            assert!(!format!("{failure:?} {:?}", host.lines).contains("jane"));
        }
    }

    /// A page of product sites with these keys of products, and what follows the list.
    fn page(products: &[&str], rest: &str) -> Result<Response, HttpError> {
        let entries: Vec<String> = products
            .iter()
            .enumerate()
            .map(|(place, key)| format!(r#"{{"id":"ari:cloud:{key}::site/{place}"}}"#))
            .collect();
        answer(200, &format!(r#"{{"data":[{}]{rest}}}"#, entries.join(",")))
    }
}
