//! Reads one page of members.
//!
//! ```text
//! settings, cursor ─▶ asking for the page ─┬─ it is there ───────▶ page
//!     │                                    ├─ 403 ─▶ standing ───▶ failure
//!     └─ malformed ─▶ failure              └─ anything else ─────▶ failure
//! ```
//!
//! Stateless: everything that a page depends on is in the settings and the cursor. A page without
//! members is a page.

use smp_connector_kit::cursor::Cursor;
use smp_connector_kit::{Failure, Host, Level, MemberPage, Setting};

use super::standing::settled;
use crate::config::Config;
use crate::endpoint::users::{self, UsersPage};
use crate::refusal;

/// Reads the first page, or the one at the cursor. Logs one line if points in time on it could not
/// be read.
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
    let organization = config.organization();
    let cursor = cursor.map(|text| Cursor::new(text).ok_or_else(refusal::foreign_cursor));
    let UsersPage { page, unreadable_times } =
        users::get(host, organization, cursor.transpose()?.as_ref())
            .map_err(|refusal| settled(host, organization, refusal))?;
    if unreadable_times > 0 {
        host.log(
            Level::Warn,
            &format!(
                "{unreadable_times} points in time of this page could not be read and are left out"
            ),
        );
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use smp_connector_kit::testing::{Script, answer};
    use smp_connector_kit::{FailureKind, Response};

    use crate::testing::{Below, ORGANIZATION, settings};

    #[test]
    fn the_first_page_is_asked_for_without_a_cursor() {
        let body = r#"{"data":[{"account_id":"a"}],"links":{"next":"https://elsewhere.test/x?cursor=b%2F"},"meta":{"total":2}}"#;
        let mut host = Script::new().at("/{org}/users", answer(200, body));
        let page = collect(&mut host, &settings(), None).unwrap();
        assert_eq!((page.members.len(), page.total), (1, Some(2)));
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
    fn times_that_cannot_be_read_are_logged_once_and_cost_nothing_else() {
        let body = r#"{"data":[{"account_id":"a","last_active":"soon"},{"account_id":"b","last_active":"later"}]}"#;
        let mut host = Script::new().at("/{org}/users", answer(200, body));
        assert_eq!(collect(&mut host, &settings(), None).unwrap().members.len(), 2);
        let line = "2 points in time of this page could not be read and are left out";
        assert_eq!(host.lines, [(Level::Warn, line.to_owned())]);
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
            br#"{"data":[{"account_id":"a","name":{"jane@acme.test":1}}]}"#,
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
}
