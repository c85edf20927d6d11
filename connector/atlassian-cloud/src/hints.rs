//! Holds each failure's hint against what a caller does about its kind: a hint that says to come
//! back has a kind that is worth coming back for, and no other hint has.
//!
//! The host makes the same of a failure; this is a test alone.

use smp_connector_kit::call::{self, Call, Trouble};
use smp_connector_kit::cursor::{BadLink, Cursor};
use smp_connector_kit::json::{Place, Unreadable};
use smp_connector_kit::testing::{Script, answer};
use smp_connector_kit::{
    Account, Exhausted, Failure, FailureKind, HttpError, Outcome, Response, Setting,
};

use crate::config::{Config, ORGANIZATION_ID, People};
use crate::endpoint::domains::{Domain, DomainState};
use crate::endpoint::{count, domains, org, search, users, workspaces};
use crate::flow::everyone;
use crate::flow::findings::{Findings, MembersFound};
use crate::refusal::{Asked, Refusal, foreign_cursor, other_organization};
use crate::sites::Sites;
use crate::testing::{self, Below};

const SCOPE: &str = r#"{"code":401,"message":"Unauthorized; scope does not match"}"#;

/// What the caller does next, as `wit/` defines the kinds: coming back promises something.
fn is_worth_coming_back(failure: &Failure) -> bool {
    match failure.kind {
        FailureKind::RateLimited | FailureKind::Upstream | FailureKind::CursorExpired => true,
        // Unless a setting is to blame.
        FailureKind::UnexpectedResponse => failure.setting.is_none(),
        FailureKind::InvalidSettings
        | FailureKind::Credentials
        | FailureKind::Permission
        | FailureKind::NotFound
        | FailureKind::NoMembers
        | FailureKind::Other => false,
    }
}

fn says_to_come_back(hint: &str) -> bool {
    // What follows is about the domains, and mends nothing by itself.
    let hint = hint.split("To have the domains looked up:").next().unwrap_or_default();
    ["Try again later", "Start the collection again"].iter().any(|words| hint.contains(words))
}

#[test]
fn a_hint_says_to_come_back_exactly_where_coming_back_promises_something() {
    let all = [of_answers(), of_no_answer(), of_what_cannot_be_read(), of_flows(), of_settings()];
    let all: Vec<Failure> = all.into_iter().flatten().collect();
    assert!(all.len() > 60, "{} failures", all.len());
    for failure in all {
        let (kind, hint) = (failure.kind, &failure.hint);
        assert_eq!(says_to_come_back(hint), is_worth_coming_back(&failure), "{kind:?}: {hint}");
    }
}

/// Its kind is that of an answer that is not known. The host knows its limit, and says so.
#[test]
fn only_of_an_answer_that_is_too_large_the_host_knows_better() {
    let [too_large] = &unanswered(HttpError::TooLarge(9))[..] else { panic!("one failure") };
    assert_eq!(too_large.hint, Asked::hint(Trouble::TooLarge));
    assert!(is_worth_coming_back(too_large) && !says_to_come_back(&too_large.hint));
}

fn of_answers() -> Vec<Failure> {
    let mut all = Vec::new();
    for status in [0, 100, 204, 206, 301, 304, 400, 401, 402, 403, 404, 405, 407, 408, 410, 415]
        .into_iter()
        .chain([422, 425, 429, 451, 500, 502, 503, 504, 599])
    {
        for body in [
            "",
            "<html>",
            SCOPE,
            r#"{"errors":[{"code":"ADMIN-400-1"}]}"#,
            r#"{"errors":[{"code":"ADMIN-404-2"}]}"#,
        ] {
            for (route, people) in [
                (&org::ROUTE, People::Managed),
                (&domains::ROUTE, People::Managed),
                (&users::ROUTE, People::Managed),
                (&org::ROUTE, People::Everyone),
                (&count::ROUTE, People::Everyone),
                (&workspaces::ROUTE, People::Everyone),
                (&search::ROUTE, People::Everyone),
            ] {
                let asked = Asked::for_page(route, people, Cursor::new("c".to_owned()).as_ref());
                all.extend(settled(refusal(&asked, answer(status, body))));
            }
        }
    }
    all
}

fn of_no_answer() -> Vec<Failure> {
    let exhausted = Exhausted { status: 503, retry_after_seconds: Some(9) };
    [
        HttpError::Denied("not granted".into()),
        HttpError::TimedOut,
        HttpError::ConnectionFailed("reset".into()),
        HttpError::Unavailable(exhausted),
        HttpError::RateLimited(exhausted),
        HttpError::Other("odd".into()),
    ]
    .into_iter()
    .flat_map(unanswered)
    .collect()
}

fn of_what_cannot_be_read() -> Vec<Failure> {
    let reasons = [
        Unreadable::Encoding,
        Unreadable::WebPage,
        Unreadable::Syntax,
        Unreadable::CutShort,
        Unreadable::Shape(Place::missing("data")),
        other_organization(),
        Unreadable::Next(BadLink::NoCursor),
        Unreadable::Next(BadLink::Malformed),
        Unreadable::Next(BadLink::TooLong),
        Unreadable::Next(BadLink::NotText),
        Unreadable::Next(BadLink::Repeated),
    ];
    let asked = Asked::for_page(&users::ROUTE, People::Managed, None);
    let read = |reason: Unreadable| {
        let mut host = Script::new().expect_get("/", answer(200, ""));
        let read = |_: &[u8]| Err::<(), _>(reason.clone());
        settled(call::get(&mut host, "/".to_owned(), &asked, read).unwrap_err())
    };
    reasons.into_iter().flat_map(read).collect()
}

fn of_flows() -> Vec<Failure> {
    let asked = Asked::for_page(&users::ROUTE, People::Managed, None);
    let mut all = vec![foreign_cursor(), call::endless(&asked, 50)];
    let domain = |state| Domain { name: "a.test".into(), state };
    let refused = unanswered(HttpError::TimedOut).into_iter().next();
    for domains in [
        None,
        Some(Ok(vec![])),
        Some(Ok(vec![domain(DomainState::Verified)])),
        Some(Ok(vec![domain(DomainState::Waiting)])),
        Some(Ok(vec![domain(DomainState::MissingToken)])),
        refused.map(Err),
    ] {
        all.extend(without_members(People::Managed, domains));
    }
    all.extend(without_members(People::Everyone, None));
    let people = answer(200, r#"{"data":[{"accountId":"a"}]}"#);
    let mut host = Script::new().searched(r#"{"limit":100,"expand":["productAccess"]}"#, people);
    let without = everyone::search(&mut host, &testing::everyone(), None, &Sites::default());
    all.push(without.unwrap_err());
    all
}

/// What a report says of an organization without members.
fn without_members(people: People, domains: Option<Result<Vec<Domain>, Failure>>) -> Vec<Failure> {
    let empty = MembersFound { seen: 0, has_person: false, has_more: false, total: None };
    let organization = Some(Ok(Account::new("a", "A")));
    let members = Some(Ok(empty));
    let findings = Findings { organization, domains, members, ..Findings::default() };
    let checks = findings.report(people).checks.into_iter();
    let failed = |outcome| match outcome {
        Outcome::Failed(failure) => Some(failure),
        _ => None,
    };
    checks.filter_map(|check| failed(check.outcome)).collect()
}

fn of_settings() -> Vec<Failure> {
    let long = "x".repeat(129);
    let values = ["", "ATCTT3xFfGN0abc", "a/b", "https://a.test/o/a", "acme.test", &long];
    let entered =
        |value: &str| [Setting { key: ORGANIZATION_ID.to_owned(), value: value.to_owned() }];
    let people = Setting { key: "people".to_owned(), value: "all".to_owned() };
    let chosen = testing::settings().into_iter().chain([people]).collect::<Vec<_>>();
    let refused = values.into_iter().map(|value| Config::read(&entered(value)).unwrap_err());
    refused.chain([Config::read(&chosen).unwrap_err()]).collect()
}

fn unanswered(error: HttpError) -> Vec<Failure> {
    settled(refusal(&Asked::for_page(&users::ROUTE, People::Managed, None), Err(error)))
}

fn refusal(asked: &Asked, answer: Result<Response, HttpError>) -> Refusal {
    let mut host = Script::new().expect_get("/", answer);
    call::get(&mut host, "/".to_owned(), asked, |_| Ok(())).unwrap_err()
}

/// What a refusal can become: one that is open becomes either.
fn settled(refusal: Refusal) -> Vec<Failure> {
    match refusal {
        Refusal::Final(failure) | Refusal::NothingThere(failure) => vec![failure],
        Refusal::Forbidden(forbidden) => {
            let refused = Failure::new(FailureKind::Credentials, "m", "h").into();
            let unclear = forbidden.clone().unclear(refused);
            vec![forbidden.clone().permission(), forbidden.not_found(), unclear]
        }
    }
}
