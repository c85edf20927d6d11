//! Reads one page of members.
//!
//! ```text
//! settings, cursor ─▶ asking for the page ─┬─ it is the first ─▶ domains ─▶ page with a note
//!     │      │                             ├─ it is another one ──────────▶ page
//!     │      │                             ├─ 403 ─▶ standing ────────────▶ failure
//!     │      └─ everyone ─▶ everyone       └─ anything else ──────────────▶ failure
//!     └─ malformed ─▶ failure
//! ```
//!
//! The domains are looked at for the note alone: people of one that is not verified are missing
//! unseen. What cannot be looked at is not noted.
//!
//! Stateless: everything that a page depends on is in the settings and the cursor. A page without
//! members is a page.

use smp_connector_kit::cursor::Cursor;
use smp_connector_kit::{Advice, Failure, Host, Level, MemberPage, Setting, mend};

use super::standing::settled;
use super::{everyone, unverified};
use crate::config::{Config, People};
use crate::endpoint::domains;
use crate::endpoint::users::{self, UsersPage};
use crate::{place, refusal};

/// Reads the first page, or the one at the cursor.
///
/// # Errors
///
/// When a setting is malformed, the cursor is none, or the page cannot be read.
pub fn collect(
    host: &mut dyn Host,
    settings: &[Setting],
    cursor: Option<String>,
) -> Result<MemberPage, Failure> {
    let config = Config::read(settings)?;
    match config.people() {
        People::Managed => managed(host, &config, cursor),
        People::Everyone => everyone::page(host, &config, cursor),
    }
}

fn managed(
    host: &mut dyn Host,
    config: &Config,
    cursor: Option<String>,
) -> Result<MemberPage, Failure> {
    let cursor = cursor.map(|text| {
        let is_foreign = place::is_ours(&text);
        Cursor::new(text).filter(|_| !is_foreign).ok_or_else(refusal::foreign_cursor)
    });
    let cursor = cursor.transpose()?;
    let UsersPage { mut page, odd_dates, left_out } = users::get(host, config, cursor.as_ref())
        .map_err(|refusal| settled(host, config, refusal))?;
    // Where the whole list is empty, `validate` says why.
    let is_empty = page.members.is_empty() && page.next.is_none();
    if cursor.is_none() && !is_empty {
        page.notes.extend(missing(host, config));
    }
    page.notes.extend(odd_dates.note(host).into_iter().chain(mend::note(left_out)));
    Ok(page)
}

/// What there is to say of people who are missing unseen, as far as the first domains tell it.
fn missing(host: &mut dyn Host, config: &Config) -> Option<Advice> {
    match domains::get(host, config, None) {
        Ok(page) => unverified::note(&page.domains),
        Err(refusal) => {
            // A key may lack the scope, and the list is right without it.
            if !refusal.is_denial() {
                let failure = refusal.into_failure();
                host.log(Level::Warn, &format!("the domains are not known: {}", failure.message));
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smp_connector_kit::testing::{Script, answer};
    use smp_connector_kit::{FailureKind, HttpError, Response};

    use crate::testing::{Below, ORGANIZATION, dated, settings};

    const ONE: &str = r#"{"data":[{"account_id":"a"}]}"#;

    #[test]
    fn the_first_page_is_asked_for_without_a_cursor() {
        let body = r#"{"data":[{"account_id":"a"}],"links":{"next":"https://elsewhere.test/x?cursor=b%2F"},"meta":{"total":2}}"#;
        let mut host = Script::new()
            .at("/{org}/users", answer(200, body))
            .at("/{org}/domains", answer(200, r#"{"data":[]}"#));
        let page = collect(&mut host, &settings(), None).unwrap();
        assert_eq!((page.members.len(), page.total), (1, Some(2)));
        assert_eq!(page.notes, []);
        assert_eq!(page.next.as_deref(), Some("b/"));
        assert_eq!(host.lines, []);
    }

    #[test]
    fn a_further_page_is_asked_for_with_its_cursor() {
        let mut host = Script::new().at("/{org}/users?cursor=b%2F", answer(200, r#"{"data":[]}"#));
        let page = collect(&mut host, &settings(), Some("b/".to_owned())).unwrap();
        assert_eq!(page, MemberPage::default());
    }

    #[test]
    fn dates_that_mean_nothing_are_noted_and_cost_nothing_else() {
        let body = r#"{"data":[{"account_id":"a","last_active":"soon"},
            {"account_id":"b","last_active":"2026-11-22"},
            {"account_id":"c","last_active":"1970-01-01"}]}"#;
        let date = "Fri, 20 Nov 2026 10:15:30 GMT";
        let mut host =
            Script::new().at("/{org}/users", dated(date, body)).at("/{org}/domains", denied());
        let page = collect(&mut host, &settings(), None).unwrap();
        assert_eq!(page.members.len(), 3);
        assert!(page.members.iter().all(|member| member.last_seen.is_none()));
        let [note] = page.notes.as_slice() else { panic!("{:?}", page.notes) };
        assert!(note.message.contains("dates of last activity"), "{}", note.message);
        let [(Level::Warn, line)] = host.lines.as_slice() else { panic!("{:?}", host.lines) };
        let counts = "1 could not be read, 1 stand for never, 1 lie ahead";
        assert!(line.ends_with(counts), "{line}");
    }

    #[test]
    fn a_domain_that_is_not_verified_is_noted_on_the_first_page_alone() {
        let domains = r#"{"data":[{"attributes":{"name":"b.test","claim":{"status":"unverified"}}}],
            "links":{"next":"more"}}"#;
        let mut host = Script::new()
            .at("/{org}/users", answer(200, ONE))
            .at("/{org}/domains", answer(200, domains))
            .at("/{org}/users?cursor=2", answer(200, ONE));
        let page = collect(&mut host, &settings(), None).unwrap();
        let [note] = page.notes.as_slice() else { panic!("{:?}", page.notes) };
        assert!(note.message.contains("b.test"), "{}", note.message);
        let page = collect(&mut host, &settings(), Some("2".to_owned())).unwrap();
        assert_eq!(page.notes, []);
    }

    #[test]
    fn domains_that_may_not_be_read_are_no_matter() {
        for (refused, lines) in [
            (answer(401, ""), 0),
            (answer(401, r#"{"message":"scope"}"#), 0),
            (answer(403, ""), 0),
            (answer(404, ""), 0),
            (answer(404, r#"{"code":"ADMIN-404-2"}"#), 0),
            (answer(500, ""), 1),
            (answer(200, "<html>"), 1),
            (Err(HttpError::TimedOut), 1),
        ] {
            let mut host =
                Script::new().at("/{org}/users", answer(200, ONE)).at("/{org}/domains", refused);
            let page = collect(&mut host, &settings(), None).unwrap();
            assert_eq!((page.members.len(), page.notes), (1, vec![]));
            assert_eq!(host.lines.len(), lines, "{:?}", host.lines);
        }
    }

    #[test]
    fn an_empty_page_before_others_is_the_first_one_too() {
        let domains =
            r#"{"data":[{"attributes":{"name":"b.test","claim":{"status":"unverified"}}}]}"#;
        let mut host = Script::new()
            .at("/{org}/users", answer(200, r#"{"data":[],"links":{"next":"2"}}"#))
            .at("/{org}/domains", answer(200, domains));
        let page = collect(&mut host, &settings(), None).unwrap();
        assert_eq!((page.members.len(), page.notes.len()), (0, 1));
    }

    #[test]
    fn a_list_without_members_costs_no_second_request() {
        let mut host = Script::new().at("/{org}/users", answer(200, r#"{"data":[]}"#));
        assert_eq!(collect(&mut host, &settings(), None), Ok(MemberPage::default()));
    }

    #[test]
    fn what_is_wrong_from_the_start_costs_no_request() {
        let failure = collect(&mut Script::new(), &[], None).unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidSettings);
        for cursor in [String::new(), "x".repeat(8_193)] {
            let failure = collect(&mut Script::new(), &settings(), Some(cursor)).unwrap_err();
            assert_eq!(failure.kind, FailureKind::CursorExpired);
        }
    }

    #[test]
    fn a_403_is_looked_into() {
        let listed = format!(r#"{{"data":[{{"id":"{ORGANIZATION}"}}]}}"#);
        for (list, kind) in
            [(listed.as_str(), FailureKind::Permission), (r#"{"data":[]}"#, FailureKind::NotFound)]
        {
            let mut host =
                Script::new().at("/{org}/users", answer(403, "")).at("", answer(200, list));
            assert_eq!(collect(&mut host, &settings(), None).unwrap_err().kind, kind);
        }
    }

    #[test]
    fn a_refused_cursor_has_expired() {
        let body = r#"{"errors":[{"code":"ADMIN-400-1"}]}"#;
        let mut host = Script::new().at("/{org}/users?cursor=x", answer(400, body));
        let failure = collect(&mut host, &settings(), Some("x".to_owned())).unwrap_err();
        assert_eq!(failure.kind, FailureKind::CursorExpired);
        assert_eq!(failure.vendor_code.as_deref(), Some("ADMIN-400-1"));
    }

    #[test]
    fn the_cursor_that_was_asked_for_again_is_unexpected() {
        let mut host = Script::new().at(
            "/{org}/users?cursor=x",
            answer(200, r#"{"data":[],"links":{"next":"?cursor=x"}}"#),
        );
        let failure = collect(&mut host, &settings(), Some("x".to_owned())).unwrap_err();
        assert_eq!(failure.kind, FailureKind::UnexpectedResponse);
    }

    #[test]
    fn a_body_that_is_no_page_is_unexpected_and_never_shown() {
        let bodies: [&[u8]; 6] = [
            b"<html>jane@acme.test",
            br#"{"data":[{"account_id":"a","email":"jane@acme.test"#,
            br#"{"data":{"jane@acme.test":1}}"#,
            br#"{"data":[{"account_id":{"jane@acme.test":1},"name":"a"}]}"#,
            b"{\"data\":[{\"account_id\":\"a\",\"email\":\"jane@acme.test\xff\"}]}",
            br#"{"data":[{"email":"jane@acme.test"}]}"#,
        ];
        for body in bodies {
            let response = Response { status: 200, headers: Vec::new(), body: body.to_vec() };
            let mut host = Script::new().at("/{org}/users", Ok(response));
            let failure = collect(&mut host, &settings(), None).unwrap_err();
            assert_eq!(failure.kind, FailureKind::UnexpectedResponse);
            assert!(failure.message.contains("GET /admin/v1/orgs/{organization-id}/users"));
            assert!(!format!("{failure:?} {:?}", host.lines).contains("jane"));
        }
    }

    fn denied() -> Result<Response, HttpError> {
        answer(403, "")
    }
}
