//! The validation against scripted hosts: each row of "never a false yes" that its checks meet.

use smp_connector_kit::testing::{Script, answer};
use smp_connector_kit::{Check, FailureKind, HttpError, Outcome, Setting, time};

use super::*;
use crate::config::{KEY_NAME, ORGANIZATION_ID};
use crate::testing::{Below, ORGANIZATION, settings, settings_for_everyone};

const ORG: &str = r#"{"data":{"id":null,"attributes":{"name":"Acme"}}}"#;
const VERIFIED: &str =
    r#"{"data":[{"attributes":{"name":"acme.test","claim":{"type":"dns","status":"verified"}}}]}"#;
const NO_DOMAIN: &str = r#"{"data":[]}"#;
const PEOPLE: &str = r#"{"data":[{"account_id":"a","account_type":"atlassian"}],"meta":{"total":1234},"links":{"next":"n"}}"#;
const SITES: &str = r#"{"limit":1000}"#;
const FIRST: &str = r#"{"limit":100,"expand":["productAccess"]}"#;
const SECOND: &str = r#"{"limit":100,"expand":["productAccess"],"cursor":"2"}"#;
const NO_USER: &str = r#"{"data":[],"meta":{"total":0}}"#;

#[test]
fn an_organization_with_members_is_ready() {
    let report = checked(VERIFIED, PEOPLE);
    assert_eq!(
        shown(&report),
        [
            "settings passed The Organization ID is of the usual shape.",
            "organization passed The organization is called Acme.",
            "domains passed Verified: acme.test.",
            "members passed There are 1,234 managed accounts.",
        ]
    );
    assert!(is_ready(&report));
}

#[test]
fn malformed_settings_cost_no_request() {
    let report = validate(&mut Script::new(), &[]);
    assert_eq!(failure(&report, "settings").setting.as_deref(), Some(ORGANIZATION_ID));
    assert!(!is_ready(&report));
}

#[test]
fn an_unusual_organization_id_is_a_warning() {
    let settings = [Setting { key: ORGANIZATION_ID.to_owned(), value: "acme".to_owned() }];
    let mut host = Script::new()
        .at("/acme", answer(200, ORG))
        .at("/acme/domains", answer(200, VERIFIED))
        .at("/acme/users", answer(200, PEOPLE))
        .expect_get("/admin/api-access/v1/orgs/acme/api-keys", answer(404, ""));
    let report = validate(&mut host, &settings);
    assert!(matches!(check(&report, "settings").outcome, Outcome::Warning(_)));
    assert!(is_ready(&report));
}

#[test]
fn a_failure_at_the_organization_skips_the_rest() {
    let rows = [
        (answer(401, ""), FailureKind::Credentials),
        (answer(403, r#"{"message":"scope"}"#), FailureKind::Permission),
        (answer(404, r#"{"errors":[{"code":"ADMIN-404-2"}]}"#), FailureKind::NotFound),
        (answer(404, ""), FailureKind::UnexpectedResponse),
        (answer(302, ""), FailureKind::UnexpectedResponse),
        (answer(200, "<html>"), FailureKind::UnexpectedResponse),
        (answer(200, r#"{"data":{"id":"another"}}"#), FailureKind::UnexpectedResponse),
        (Err(HttpError::TimedOut), FailureKind::Upstream),
    ];
    for (answer, kind) in rows {
        let report = validate(&mut Script::new().at("/{org}", answer), &settings());
        assert_eq!(failure(&report, "organization").kind, kind);
        for id in ["domains", "members"] {
            assert!(matches!(check(&report, id).outcome, Outcome::Skipped(_)));
        }
        assert!(!is_ready(&report));
    }
}

#[test]
fn a_403_at_the_organization_is_looked_into() {
    let listed = format!(r#"{{"data":[{{"id":"{ORGANIZATION}"}}]}}"#);
    for (list, kind) in
        [(listed.as_str(), FailureKind::Permission), (r#"{"data":[]}"#, FailureKind::NotFound)]
    {
        let mut host = Script::new().at("/{org}", answer(403, "")).at("", answer(200, list));
        let report = validate(&mut host, &settings());
        assert_eq!(failure(&report, "organization").kind, kind);
        assert!(!is_ready(&report));
    }
}

#[test]
fn a_403_at_the_members_is_looked_into() {
    let list = format!(r#"{{"data":[{{"id":"{ORGANIZATION}"}}]}}"#);
    let mut host =
        up_to_members(VERIFIED).at("/{org}/users", answer(403, "")).at("", answer(200, &list));
    let report = validate(&mut host, &settings());
    assert_eq!(failure(&report, "members").kind, FailureKind::Permission);
    assert!(!is_ready(&report));
}

#[test]
fn a_failure_at_the_members_is_not_ready() {
    let rows = [
        (answer(401, r#"{"code":401,"message":"scope does not match"}"#), FailureKind::Permission),
        (answer(200, "{}"), FailureKind::UnexpectedResponse),
        (answer(500, ""), FailureKind::Upstream),
        (answer(429, ""), FailureKind::RateLimited),
    ];
    for (answer, kind) in rows {
        let report = validate(&mut up_to_members(VERIFIED).at("/{org}/users", answer), &settings());
        assert_eq!(failure(&report, "members").kind, kind);
        assert!(!is_ready(&report));
    }
}

#[test]
fn an_empty_list_is_no_members_for_the_reason_that_the_domains_give() {
    let missing = VERIFIED.replace("verified", "missing_token");
    let waiting = VERIFIED.replace("verified", "unverified");
    let rows = [
        (NO_DOMAIN, "because no domain is verified."),
        (waiting.as_str(), "Waiting for verification: acme.test."),
        (missing.as_str(), "Verification token missing: acme.test."),
        (VERIFIED, "acme.test is verified, but no account was claimed."),
    ];
    for (domains, message) in rows {
        let report = checked(domains, NO_USER);
        let failure = failure(&report, "members");
        assert_eq!(failure.kind, FailureKind::NoMembers);
        assert!(failure.message.contains(message), "{}", failure.message);
        assert!(!is_ready(&report));
    }
}

#[test]
fn domains_that_cannot_be_looked_up_are_a_warning_while_there_are_members() {
    for refused in [
        answer(403, ""),
        answer(401, ""),
        answer(500, ""),
        answer(200, "<html>"),
        Err(HttpError::TimedOut),
    ] {
        let mut host = Script::new()
            .at("/{org}", answer(200, ORG))
            .at("/{org}/domains", refused)
            .at("/{org}/users", answer(200, PEOPLE))
            .keys("", answer(403, ""));
        let report = validate(&mut host, &settings());
        assert!(matches!(check(&report, "domains").outcome, Outcome::Warning(_)));
        assert!(is_ready(&report));
    }
}

#[test]
fn domains_that_cannot_be_looked_up_are_named_when_there_are_no_members() {
    let mut host = Script::new()
        .at("/{org}", answer(200, ORG))
        .at("/{org}/domains", answer(403, ""))
        .at("/{org}/users", answer(200, NO_USER));
    let report = validate(&mut host, &settings());
    let failure = failure(&report, "members");
    assert_eq!(failure.kind, FailureKind::NoMembers);
    assert!(failure.message.contains("the domains could not be looked up"), "{}", failure.message);
}

#[test]
fn domains_are_read_page_by_page_up_to_a_bound() {
    let mut host = Script::new().at("/{org}", answer(200, ORG));
    for page in 0..MOST_DOMAIN_PAGES {
        let path = if page == 0 {
            "/{org}/domains".to_owned()
        } else {
            format!("/{{org}}/domains?cursor={page}")
        };
        host = host
            .at(&path, answer(200, &format!(r#"{{"data":[],"links":{{"next":"{}"}}}}"#, page + 1)));
    }
    let mut host = host.at("/{org}/users", answer(200, PEOPLE)).keys("", answer(401, ""));
    let report = validate(&mut host, &settings());
    assert!(is_ready(&report));
}

#[test]
fn domains_that_were_read_count_though_a_later_page_fails() {
    let first = VERIFIED.replace("]}", r#"],"links":{"next":"2"}}"#);
    let mut host = Script::new()
        .at("/{org}", answer(200, ORG))
        .at("/{org}/domains", answer(200, &first))
        .at("/{org}/domains?cursor=2", answer(500, ""))
        .at("/{org}/users", answer(200, PEOPLE))
        .keys("", answer(403, ""));
    let report = validate(&mut host, &settings());
    assert!(is_ready(&report));
    let Outcome::Warning(advice) = &check(&report, "domains").outcome else { panic!("no warning") };
    let said = "Verified: acme.test. Further domains could not be looked up.";
    assert!(advice.message.starts_with(said), "{}", advice.message);
}

#[test]
fn an_empty_page_with_a_next_one_is_followed_to_a_member() {
    let mut host = up_to_members(VERIFIED)
        .at("/{org}/users", answer(200, r#"{"data":[],"links":{"next":"2"}}"#))
        .at("/{org}/users?cursor=2", answer(200, PEOPLE))
        .keys("", answer(403, ""));
    assert!(is_ready(&validate(&mut host, &settings())));
}

#[test]
fn empty_pages_without_end_are_not_ready() {
    let mut host = up_to_members(VERIFIED);
    for page in 0..MOST_EMPTY_PAGES {
        let path = if page == 0 {
            "/{org}/users".to_owned()
        } else {
            format!("/{{org}}/users?cursor={page}")
        };
        host = host
            .at(&path, answer(200, &format!(r#"{{"data":[],"links":{{"next":"{}"}}}}"#, page + 1)));
    }
    let report = validate(&mut host, &settings());
    assert_eq!(failure(&report, "members").kind, FailureKind::UnexpectedResponse);
}

#[test]
fn members_of_which_none_is_a_person_are_a_warning() {
    let bots = r#"{"data":[{"account_id":"a","account_type":"app"},{"account_id":"b","account_type":"customer"}]}"#;
    let report = checked(VERIFIED, bots);
    assert!(matches!(check(&report, "members").outcome, Outcome::Warning(_)));
    let unknown = r#"{"data":[{"account_id":"a","account_type":"app"},{"account_id":"b"}]}"#;
    assert!(matches!(check(&checked(VERIFIED, unknown), "members").outcome, Outcome::Passed(_)));
}

#[test]
fn every_failure_and_every_advice_has_a_hint() {
    for report in
        [validate(&mut Script::new(), &[]), checked(NO_DOMAIN, NO_USER), checked(VERIFIED, "{}")]
    {
        for check in &report.checks {
            match &check.outcome {
                Outcome::Passed(text) | Outcome::Skipped(text) => assert!(!text.is_empty()),
                Outcome::Warning(advice) => {
                    assert!(!advice.message.is_empty() && !advice.hint.is_empty())
                }
                Outcome::Failed(failure) => {
                    assert!(!failure.message.is_empty() && !failure.hint.is_empty())
                }
            }
        }
    }
}

#[test]
fn the_end_of_the_key_is_told_and_is_no_reason_against() {
    let key = r#"{"label":"SMP","expiresAt":"2026-11-20T10:15:30Z"}"#;
    let mut host = up_to_members(VERIFIED)
        .at("/{org}/users", answer(200, PEOPLE))
        .keys("", answer(200, &format!(r#"{{"data":[{key}]}}"#)));
    let report = validate(&mut host, &settings());
    assert!(is_ready(&report));
    assert_eq!(report.credential_expires, time::parse("2026-11-20T10:15:30Z"));
}

#[test]
fn of_keys_that_may_be_ours_no_end_is_told_and_of_a_wrong_name_there_is_a_warning() {
    let twice = r#"{"data":[{"label":"a"},{"label":"a"}]}"#;
    let name = |name: &str| Setting { key: KEY_NAME.to_owned(), value: name.to_owned() };
    for (settings, is_warned) in [
        (settings(), false),
        (settings().into_iter().chain([name("a")]).collect(), false),
        (settings().into_iter().chain([name("b")]).collect::<Vec<_>>(), true),
    ] {
        let mut host = up_to_members(VERIFIED)
            .at("/{org}/users", answer(200, PEOPLE))
            .keys("", answer(200, twice));
        let report = validate(&mut host, &settings);
        assert!(is_ready(&report) && report.credential_expires.is_none());
        let check = check(&report, "key-end");
        assert_eq!(check.setting.as_deref(), Some(KEY_NAME));
        assert_eq!(matches!(check.outcome, Outcome::Warning(_)), is_warned);
    }
}

#[test]
fn keys_that_cannot_be_read_are_told_and_are_no_reason_against() {
    for odd in [answer(500, ""), answer(200, "{}"), Err(HttpError::TimedOut)] {
        let mut host =
            up_to_members(VERIFIED).at("/{org}/users", answer(200, PEOPLE)).keys("", odd);
        let report = validate(&mut host, &settings());
        assert!(is_ready(&report));
        assert_eq!(report.credential_expires, None);
        assert!(matches!(check(&report, "key-end").outcome, Outcome::Skipped(_)));
    }
}

#[test]
fn everyone_is_ready_when_all_that_a_collection_reads_was_read() {
    let mut host = up_to_people()
        .searched(FIRST, answer(200, r#"{"data":[],"links":{"next":"2"}}"#))
        .searched(SECOND, answer(200, r#"{"data":[{"accountId":"a","productAccess":[]}]}"#))
        .keys("", answer(403, ""));
    let report = validate(&mut host, &settings_for_everyone());
    assert!(is_ready(&report));
    let shown = shown(&report);
    assert_eq!(
        (&shown[3..], check(&report, "domains").required),
        (
            &[
                "count passed They count 1,234 accounts.".to_owned(),
                "sites passed Product sites with a name: 1.".to_owned(),
                "members passed There are 1,234 accounts.".to_owned(),
            ][..],
            false
        )
    );
    assert!(matches!(check(&report, "domains").outcome, Outcome::Skipped(_)));
}

#[test]
fn everyone_is_not_ready_where_a_call_of_the_collection_fails() {
    let count = "/{org}/directories/-/users/count";
    for (odd, kind) in [
        (answer(403, r#"{"message":"scope"}"#), FailureKind::Permission),
        (answer(500, ""), FailureKind::Upstream),
        (answer(200, "{}"), FailureKind::UnexpectedResponse),
    ] {
        let mut host = Script::new().at("/{org}", answer(200, ORG)).at_v2(count, odd.clone());
        let report = validate(&mut host, &settings_for_everyone());
        assert_eq!((failure(&report, "count").kind, is_ready(&report)), (kind, false));
        let mut host = Script::new()
            .at("/{org}", answer(200, ORG))
            .at_v2(count, answer(200, r#"{"count":1}"#))
            .listed(SITES, odd.clone());
        let report = validate(&mut host, &settings_for_everyone());
        assert_eq!((failure(&report, "sites").kind, is_ready(&report)), (kind, false));
        let mut host = up_to_people().searched(FIRST, odd);
        let report = validate(&mut host, &settings_for_everyone());
        assert_eq!((failure(&report, "members").kind, is_ready(&report)), (kind, false));
    }
}

#[test]
fn without_people_or_products_everyone_is_not_ready() {
    for (number, people, kind) in [
        (0, r#"{"data":[]}"#, FailureKind::NoMembers),
        (5, r#"{"data":[]}"#, FailureKind::UnexpectedResponse),
        (1, r#"{"data":[{"accountId":"a"}]}"#, FailureKind::Other),
    ] {
        let mut host = up_to_people_of(number).searched(FIRST, answer(200, people));
        let report = validate(&mut host, &settings_for_everyone());
        assert_eq!((failure(&report, "members").kind, is_ready(&report)), (kind, false));
        assert!(!failure(&report, "members").hint.is_empty());
    }
}

#[test]
fn empty_pages_without_end_are_not_ready_for_everyone() {
    let mut host = up_to_people();
    for page in 0..MOST_EMPTY_PAGES {
        let body =
            if page == 0 { FIRST.to_owned() } else { SECOND.replace('2', &page.to_string()) };
        let next = format!(r#"{{"data":[],"links":{{"next":"{}"}}}}"#, page + 1);
        host = host.searched(&body, answer(200, &next));
    }
    let report = validate(&mut host, &settings_for_everyone());
    assert_eq!(failure(&report, "members").kind, FailureKind::UnexpectedResponse);
}

#[test]
fn service_accounts_are_no_people() {
    let bots = r#"{"data":[{"accountId":"a","email":"x@serviceaccount.atlassian.com",
        "productAccess":[]}]}"#;
    let mut host = up_to_people().searched(FIRST, answer(200, bots)).keys("", answer(403, ""));
    let report = validate(&mut host, &settings_for_everyone());
    let Outcome::Warning(advice) = &check(&report, "members").outcome else { panic!("{report:?}") };
    assert!(advice.message.contains("no person is among"), "{}", advice.message);
}

fn up_to_people() -> Script {
    up_to_people_of(1_234)
}

fn up_to_people_of(number: u64) -> Script {
    let sites = r#"{"data":[{"id":"ari:cloud:jira::site/1"}]}"#;
    Script::new()
        .at("/{org}", answer(200, ORG))
        .at_v2("/{org}/directories/-/users/count", answer(200, &format!(r#"{{"count":{number}}}"#)))
        .listed(SITES, answer(200, sites))
}

fn checked(domains: &str, users: &str) -> Report {
    let host = up_to_members(domains).at("/{org}/users", answer(200, users));
    let is_asked = users.contains("account_id");
    let mut host = if is_asked { host.keys("", answer(403, "")) } else { host };
    validate(&mut host, &settings())
}

fn up_to_members(domains: &str) -> Script {
    Script::new().at("/{org}", answer(200, ORG)).at("/{org}/domains", answer(200, domains))
}

fn check<'a>(report: &'a Report, id: &str) -> &'a Check {
    report.checks.iter().find(|check| check.id == id).unwrap()
}

fn failure<'a>(report: &'a Report, id: &str) -> &'a Failure {
    match &check(report, id).outcome {
        Outcome::Failed(failure) => failure,
        other => panic!("{id}: {other:?}"),
    }
}

/// The host's rule: no check failed, and no required one was skipped.
fn is_ready(report: &Report) -> bool {
    report.checks.iter().all(|check| match check.outcome {
        Outcome::Passed(_) | Outcome::Warning(_) => true,
        Outcome::Failed(_) => false,
        Outcome::Skipped(_) => !check.required,
    })
}

fn shown(report: &Report) -> Vec<String> {
    report
        .checks
        .iter()
        .map(|check| match &check.outcome {
            Outcome::Passed(text) => format!("{} passed {text}", check.id),
            other => format!("{} {other:?}", check.id),
        })
        .collect()
}
