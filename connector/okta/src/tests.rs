//! Tests of the calls, from settings to records.

use smp_connector_kit::testing::{Script, answer, answer_with};
use smp_connector_kit::{HttpError, Response};

use super::*;

const ORG: &str = r#"{"id":"00o1","companyName":"Acme","subdomain":"acme"}"#;
const USER: &str = r#"[{"id":"00u1","status":"ACTIVE"}]"#;
const NEXT: &str = "<https://acme.okta.com/api/v1/users?after=two&limit=200>; rel=\"next\"";

#[test]
fn ready_means_that_somebody_was_read() {
    for (links, message) in [
        (&[][..], "People: 1."),
        (&[("link", NEXT)], "People on the first page: 1, and more follow."),
    ] {
        let mut host = script(answer(200, ORG)).expect_get(USERS, answer_with(200, links, USER));
        let report = Okta::validate(&mut host, &settings("acme"));
        let expected = [
            "passed: The Site can be part of an address.",
            "passed: The organization is called Acme.",
            &format!("passed: {message}"),
        ];
        assert_eq!(outcomes(&report), expected);
    }
}

#[test]
fn an_empty_page_in_between_is_read_over_and_a_list_of_them_does_not_hang() {
    let empty = || answer_with(200, &[("link", NEXT)], "[]");
    let mut host =
        script(answer(200, ORG)).expect_get(USERS, empty()).expect_get(SECOND, answer(200, USER));
    let report = Okta::validate(&mut host, &settings("acme"));
    assert_eq!(outcomes(&report)[2], "passed: People: 1.");

    let mut host = script(answer(200, ORG)).expect_get(USERS, empty());
    for page in 1..MOST_EMPTY_PAGES {
        let link = format!("<?after={page}>; rel=next");
        let cursor = if page == 1 { "two".to_owned() } else { (page - 1).to_string() };
        host = host.expect_get(
            &format!("{USERS}&after={cursor}"),
            answer_with(200, &[("link", &link)], "[]"),
        );
    }
    let report = Okta::validate(&mut host, &settings("acme"));
    assert!(
        outcomes(&report)[2].starts_with("failed FailureKind::UnexpectedResponse"),
        "{report:?}"
    );
}

#[test]
fn an_organization_without_users_is_not_ready() {
    let mut host = script(answer(200, ORG)).expect_get(USERS, answer(200, "[]"));
    let report = Okta::validate(&mut host, &settings("acme"));
    assert!(outcomes(&report)[2].starts_with("failed FailureKind::NoMembers"), "{report:?}");
}

#[test]
fn what_cannot_be_reached_is_skipped() {
    let report = Okta::validate(&mut Script::new(), &settings("acme.okta.com"));
    let skipped = "skipped: Skipped, because a check before it failed.";
    assert!(outcomes(&report)[0].starts_with("failed FailureKind::InvalidSettings"), "{report:?}");
    assert_eq!(outcomes(&report)[1..], [skipped, skipped]);

    let report = Okta::validate(&mut script(answer(401, "")), &settings("acme"));
    assert!(outcomes(&report)[1].starts_with("failed FailureKind::Credentials"), "{report:?}");
    assert_eq!(outcomes(&report)[2], skipped);
}

#[test]
fn a_token_that_may_read_the_organization_but_no_user_is_not_ready() {
    let mut host = script(answer(200, ORG)).expect_get(USERS, answer(403, ""));
    let report = Okta::validate(&mut host, &settings("acme"));
    assert!(outcomes(&report)[2].starts_with("failed FailureKind::Permission"), "{report:?}");
}

#[test]
fn the_address_of_the_admin_console_is_doubted_and_tried() {
    let report = Okta::validate(&mut script(answer(404, "")), &settings("acme-admin"));
    assert!(outcomes(&report)[0].starts_with("warning"), "{report:?}");
    assert!(outcomes(&report)[1].starts_with("failed FailureKind::NotFound"), "{report:?}");
}

#[test]
fn the_account_is_the_organization() {
    let account = Okta::connect(&mut script(answer(200, ORG)), &settings("acme"));
    assert_eq!(account, Ok(Account::new("00o1", "Acme")));
    let failure = Okta::connect(&mut Script::new(), &[]).unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidSettings);
}

#[test]
fn a_page_depends_on_the_settings_and_the_cursor() {
    let mut host = Script::new().expect_get(SECOND, answer(200, USER));
    let page = Okta::collect(&mut host, &settings("acme"), Some("two".to_owned())).unwrap();
    assert_eq!((page.members.len(), page.next), (1, None));
    for (settings, cursor, kind) in [
        (settings(""), None, FailureKind::InvalidSettings),
        (settings("acme"), Some(String::new()), FailureKind::CursorExpired),
        (settings("acme"), Some("x".repeat(8_193)), FailureKind::CursorExpired),
    ] {
        let failure = Okta::collect(&mut Script::new(), &settings, cursor).unwrap_err();
        assert_eq!(failure.kind, kind);
    }
}

const USERS: &str = "/api/v1/users?limit=200";
const SECOND: &str = "/api/v1/users?limit=200&after=two";

/// A host that expects the request for the organization.
fn script(org: Result<Response, HttpError>) -> Script {
    Script::new().expect_get("/api/v1/org", org)
}

fn settings(site: &str) -> Vec<Setting> {
    vec![Setting { key: SITE.to_owned(), value: site.to_owned() }]
}

fn outcomes(report: &Report) -> Vec<String> {
    let outcome = |check: &Check| match &check.outcome {
        Outcome::Passed(text) => format!("passed: {text}"),
        Outcome::Warning(advice) => format!("warning: {}", advice.message),
        Outcome::Failed(failure) => format!("failed {:?}: {}", failure.kind, failure.message),
        Outcome::Skipped(text) => format!("skipped: {text}"),
    };
    report.checks.iter().map(outcome).collect()
}
