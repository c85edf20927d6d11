//! Target `answers`: the connector's core, natively, with a host whose answers come from the input.
//!
//! An input is a call (`collect`, `collect CURSOR`, `connect` or `validate`, and for everyone in the
//! organization `everyone`, `everyone CURSOR` or `everyone-validate`, and for seats `usage` or
//! `usage CURSOR`) and one part for each answer: a line with the status and headers, or with the
//! reason why there was none, and the body.
//! The last answer is repeated for all further requests. `{n}` in a body is the number of the
//! request, so that a list can be endless.
//!
//! Property: a call ends within its number of requests, and sends only requests that the host's
//! policy permits. A failure has a message and a hint. No text of a body gets into them or into a
//! log: seeds have `~` and `@` in their values, which no text of the connector has. A page is JSON,
//! agrees with its body, and keeps the contract. The same answers give the same result.

use std::collections::BTreeSet;

use atlassian_cloud::AtlassianCloud;
use atlassian_cloud::config::{Config, EVERYONE, ORGANIZATION_ID, PEOPLE};
use atlassian_cloud::endpoint::{domains, org, orgs, users, workspaces};
use atlassian_cloud::error_body::ErrorBody;
use serde::de::IgnoredAny;
use serde_json::Value;
use smp_connector_kit::json::Unreadable;
use smp_connector_kit::{
    Account, Connector, Exhausted, Failure, Host, HttpError, Instant, Level, MemberPage, Outcome,
    Report, Request, Response, Setting, UsagePage,
};
use smp_host::http::policy::Policy;
use smp_host::http::transport;
use smp_host::limits::{LONGEST_CURSOR, Limits};

use super::parts::{first_line, parts};
use super::policy::connectors_own;

/// Texts with a meaning for the connector.
pub const DICTIONARY: &[&str] = &[
    "\u{1e}",
    "\n",
    "collect",
    "connect",
    "validate",
    "everyone",
    "everyone-validate",
    "e1n[\"c\",\"jira::site/1\",\"Jira\",\"a.test\"]",
    "usage",
    "usage u1[\"c\",\"~Jira\"]",
    "200",
    "403",
    "404",
    "400",
    "429 retry-after: 7",
    "timed-out",
    "too-large 9",
    "rate-limited 3",
    "\"data\":",
    "\"links\":{\"next\":\"https://x.test/?cursor=a%2Fb\"}",
    "\"links\":{\"next\":\"{n}\"}",
    "\"meta\":{\"total\":2}",
    "\"account_id\":\"~a@\"",
    "\"account_type\":\"app\"",
    "\"account_status\":\"closed\"",
    "\"product_access\":[{\"key\":\"jira\",\"name\":\"~Jira\",\"url\":\"https://a.test/\",\"last_active\":\"2026-01-01T00:00:00Z\"}]",
    "\"last_active\":\"2026-01-01\"",
    "\"access_billable\":true",
    "\"count\":2",
    "\"accountId\":\"~a@\"",
    "\"claimStatus\":\"unmanaged\"",
    "\"productAccess\":[{\"key\":\"jira\",\"id\":\"ari:cloud:jira::site/~1\",\"lastActiveTimestamp\":\"2026-01-01T00:00:00Z\"}]",
    "\"typeKey\":\"jira\",\"hostUrl\":\"https://~a.test/\"",
    "\"usage\":100,\"capacity\":120",
    "\"usage\":7.0,\"capacity\":-1",
    "\"sandbox\":{\"type\":\"CHILD\"}",
    "\"relationships\":{\"e\":[{\"attributes\":{\"key\":\"jira\",\"plan\":\"~Free\",\"planKey\":\"free\"}}]}",
    "\"label\":\"~key\",\"expiresAt\":\"2027-01-01\"",
    "\"errors\":[{\"code\":\"ADMIN-400-1\"}]",
    "\"code\":\"ADMIN-404-2\"",
    "\"detail\":\"scope ~@\"",
    "\"attributes\":{\"name\":\"~acme@\",\"claim\":{\"status\":\"verified\"}}",
    "{}",
    "[]",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "null",
    "\"",
    "\\u0000",
    "\\ud83d\\ude00",
    "\\n",
    "<html>",
    "\u{feff}",
    "\u{202e}",
];

/// The organization of every input, as in the fixtures.
const ORGANIZATION: &str = "1f7c2a9e-5b3d-4e8f-a6c1-g7h8j9k0m2n4";

/// Most requests of a call for one result: the call itself, and ten pages of organizations; for
/// everyone besides the number of people, twice, and the product sites.
const MOST_OF_ONE: usize = 1 + 10 + 2 + 10;

/// Most requests of `validate`: the organization, its domains or its product sites, pages without
/// members, the organizations of the key, the keys, and the number of people.
const MOST_OF_ALL: usize = 1 + 10 + 50 + 10 + 10 + 1;

/// Runs the target.
pub fn run(data: &[u8]) {
    let mut parts = parts(data);
    let (call, _) = first_line(parts.next().unwrap_or_default());
    let answers: Vec<Answer> = parts.map(Answer::read).collect();
    let (ended, script) = play(&call, &answers);
    let (again, other) = play(&call, &answers);
    assert_eq!((&ended, &script.requests, &script.lines), (&again, &other.requests, &other.lines));
    script.lines.iter().for_each(|line| assert_own(line));
    match &ended {
        Ended::Page(Ok(page)) => assert_page(page, &script),
        Ended::Usage(Ok(page)) => assert_usage(page, &script),
        Ended::Account(Ok(account)) => assert_eq!(account.id, ORGANIZATION),
        Ended::Page(Err(failure)) | Ended::Usage(Err(failure)) | Ended::Account(Err(failure)) => {
            assert_failure(failure)
        }
        Ended::Report(report) => assert_report(report),
    }
    for Answer { body, .. } in &answers {
        assert_json(body);
        let organization = Config::read(&settings()).expect("settings").organization().clone();
        drop((
            org::read(body, &organization),
            orgs::read(body, &organization, None),
            ErrorBody::read(body),
        ));
        if workspaces::usage::read(body, None).is_ok() {
            assert!(serde_json::from_slice::<IgnoredAny>(body).is_ok(), "read, and no JSON");
        }
        if let Ok(page) = domains::read(body, None) {
            page.domains.iter().for_each(|domain| assert_own(&domain.name));
        }
    }
}

/// A page that was read is JSON, and invalid UTF-8 is reported as such.
fn assert_json(body: &[u8]) {
    match users::read(body, None, None) {
        Ok(_) => assert!(serde_json::from_slice::<IgnoredAny>(body).is_ok(), "read, and no JSON"),
        Err(Unreadable::Encoding) => {
            assert!(std::str::from_utf8(body).is_err(), "UTF-8, and not read")
        }
        Err(_) => {}
    }
}

/// The outcome of the call.
#[derive(Debug, PartialEq)]
enum Ended {
    Page(Result<MemberPage, Failure>),
    Usage(Result<UsagePage, Failure>),
    Account(Result<Account, Failure>),
    Report(Report),
}

fn play<'a>(call: &str, answers: &'a [Answer]) -> (Ended, Script<'a>) {
    let (call, cursor) =
        call.split_once(' ').map_or((call, None), |(call, cursor)| (call, Some(cursor.to_owned())));
    let (is_everyone, is_usage) = (call.starts_with("everyone"), call == "usage");
    let mut script = Script {
        answers,
        most: MOST_OF_ONE,
        policy: (!is_everyone && !is_usage).then(|| connectors_own(ORGANIZATION)),
        requests: Vec::new(),
        page: 0,
        lines: Vec::new(),
    };
    let mut settings = settings().to_vec();
    if is_everyone {
        settings.push(Setting { key: PEOPLE.to_owned(), value: EVERYONE.to_owned() });
    }
    let ended = match call {
        "connect" => Ended::Account(AtlassianCloud::connect(&mut script, &settings)),
        "validate" | "everyone-validate" => {
            script.most = MOST_OF_ALL;
            Ended::Report(AtlassianCloud::validate(&mut script, &settings))
        }
        "usage" => Ended::Usage(AtlassianCloud::collect_usage(&mut script, &settings, cursor)),
        _ => Ended::Page(AtlassianCloud::collect(&mut script, &settings, cursor)),
    };
    (ended, script)
}

fn settings() -> [Setting; 1] {
    [Setting { key: ORGANIZATION_ID.to_owned(), value: ORGANIZATION.to_owned() }]
}

/// Requires that all texts of a failure are the connector's own.
fn assert_failure(failure: &Failure) {
    assert!(!failure.message.trim().is_empty() && !failure.hint.trim().is_empty(), "{failure:?}");
    assert_own(&failure.message);
    assert_own(&failure.hint);
    failure.vendor_code.iter().for_each(|code| {
        assert!(!code.is_empty() && code.len() <= 64 && !code.contains(['~', '@']), "{code}")
    });
}

fn assert_report(report: &Report) {
    let ids: Vec<&str> = report.checks.iter().map(|check| check.id.as_str()).collect();
    let ids = ids.strip_suffix(&["key-end"]).unwrap_or(&ids);
    assert!(
        ids == ["settings", "organization", "domains", "members"]
            || ids == ["settings", "organization", "domains", "count", "sites", "members"],
        "{ids:?}"
    );
    for check in &report.checks {
        match &check.outcome {
            // Only this text has a name from an answer: the organization's.
            Outcome::Passed(text) if check.id == "organization" => {
                assert!(text.len() <= longest_text() && !has_controls(text), "{text:?}")
            }
            Outcome::Passed(text) | Outcome::Skipped(text) => assert_own(text),
            Outcome::Warning(advice) => {
                [&advice.message, &advice.hint].into_iter().for_each(|text| assert_own(text))
            }
            Outcome::Failed(failure) => assert_failure(failure),
        }
    }
}

/// Requires that a text has nothing from a body, and is short enough for the host.
fn assert_own(text: &str) {
    assert!(!text.contains(['~', '@']), "something of a body is in: {text:?}");
    assert!(text.len() <= longest_text(), "{} bytes: {text:?}", text.len());
    assert!(!has_controls(text), "{text:?}");
}

/// The longest text that the host accepts from a component.
fn longest_text() -> usize {
    Limits::default().text
}

fn has_controls(text: &str) -> bool {
    text.chars()
        .any(|character| character.is_control() || ('\u{202a}'..='\u{202e}').contains(&character))
}

/// Requires that a page keeps the contract, and agrees with its body.
fn assert_page(page: &MemberPage, script: &Script<'_>) {
    let cursor = page.next.as_ref();
    assert!(cursor.is_none_or(|cursor| !cursor.is_empty() && cursor.len() <= LONGEST_CURSOR));
    let distinct = |index: usize| page.products[..index].contains(&page.products[index]);
    assert!(!(0..page.products.len()).any(distinct), "a product twice: {page:?}");
    for member in &page.members {
        assert!(!member.id.is_empty() && member.email.as_deref() != Some(""), "{member:?}");
        let used: BTreeSet<u32> = member.uses.iter().map(|used| used.product).collect();
        assert_eq!(used.len(), member.uses.len(), "a use twice: {member:?}");
        let uses: Vec<_> =
            member.uses.iter().map(|used| &page.products[used.product as usize]).collect();
        let mut names: Vec<&str> = uses
            .iter()
            .map(|product| product.name.as_str())
            .filter(|name| !name.is_empty())
            .collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(member.role, names.join(", "));
        let instants: Vec<Instant> =
            member.uses.iter().filter_map(|used| used.last_active).collect();
        assert!(
            instants
                .iter()
                .chain(&member.last_seen)
                .all(|instant| instant.nanoseconds < 1_000_000_000),
            "{member:?}"
        );
        assert!(instants.into_iter().max() <= member.last_seen, "{member:?}");
    }
    for note in &page.notes {
        [&note.message, &note.hint].into_iter().for_each(|text| assert_own(text));
    }
    let Some(Answer { body, .. }) = script.given(script.page) else {
        panic!("a page out of nothing")
    };
    assert_json(&body);
    let Ok(told) = serde_json::from_slice::<Value>(&body) else { return };
    // Of a repeated key, one of them `null`, the two readers may use different ones.
    let Some(list) = told["data"].as_array() else { return };
    if script.policy.is_none() {
        // Somebody may be there several times, and is one member.
        let ids: BTreeSet<&str> =
            list.iter().filter_map(|person| person["accountId"].as_str()).collect();
        assert!(page.members.len() <= list.len() && page.members.len() >= ids.len());
        return;
    }
    assert_eq!(list.len(), page.members.len());
    for (user, member) in list.iter().zip(&page.members) {
        let same = |key: &str, ours: Option<&str>| {
            user[key].as_str().is_none_or(|theirs| theirs == ours.unwrap_or_default())
        };
        assert!(
            same("account_id", Some(&member.id)) && same("email", member.email.as_deref()),
            "{user} {member:?}"
        );
        let named = user["name"].as_str().filter(|name| !name.is_empty());
        assert!(named.is_none_or(|name| name == member.name), "{user} {member:?}");
    }
}

/// Requires that a page of seats keeps the contract, and agrees with its body.
fn assert_usage(page: &UsagePage, script: &Script<'_>) {
    let cursor = page.next.as_ref();
    assert!(cursor.is_none_or(|cursor| !cursor.is_empty() && cursor.len() <= LONGEST_CURSOR));
    assert!(page.notes.len() <= 2, "{:?}", page.notes);
    for note in &page.notes {
        [&note.message, &note.hint].into_iter().for_each(|text| assert_own(text));
    }
    let Some(Answer { body, .. }) = script.given(script.page) else {
        panic!("a page out of nothing")
    };
    let told: Value = serde_json::from_slice(&body).expect("a page that was read is JSON");
    let list = told["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    assert_eq!(list.len(), page.entries.len(), "{told}");
    // Of a field that is there twice, the connector takes the first, and this reader the last.
    let text = String::from_utf8_lossy(&body);
    let is_plain = !text.contains("\\u")
        && ["attributes", "capacity", "usage", "id"]
            .iter()
            .all(|field| text.matches(&format!("\"{field}\"")).count() <= list.len());
    for (workspace, entry) in list.iter().zip(&page.entries).filter(|_| is_plain) {
        assert!(!entry.id.is_empty() && !entry.product.name.is_empty(), "{entry:?}");
        assert_eq!(workspace["id"].as_str(), Some(entry.id.as_str()));
        let seats = |field: &str| {
            let number = &workspace["attributes"][field];
            number.as_u64().or(number.as_f64().map(|number| number as u64))
        };
        let (purchased, used) = (seats("capacity"), seats("usage"));
        assert_eq!((entry.purchased, entry.used), (purchased, used), "{workspace}");
    }
}

/// A host that answers from the input.
struct Script<'a> {
    answers: &'a [Answer],
    most: usize,
    /// None for everyone and for seats: only that the endpoint is declared is looked at then.
    policy: Option<Policy>,
    requests: Vec<String>,
    /// Number of the last request for a page of members, or of seats.
    page: usize,
    lines: Vec<String>,
}

impl Script<'_> {
    /// The answer to a request, counted from 1.
    fn given(&self, number: usize) -> Option<Answer> {
        let answer = self.answers.get(number - 1).or(self.answers.last())?;
        let body = match std::str::from_utf8(&answer.body) {
            Ok(text) if text.contains("{n}") => {
                text.replace("{n}", &number.to_string()).into_bytes()
            }
            _ => answer.body.clone(),
        };
        Some(Answer { body, ..answer.clone() })
    }
}

impl Host for Script<'_> {
    fn send(&mut self, request: &Request) -> Result<Response, HttpError> {
        let path_and_query = request.path_with_query.clone();
        let path = path_and_query.split('?').next().unwrap_or_default();
        let template = path.replace(ORGANIZATION, "{organization-id}");
        let endpoints = AtlassianCloud::describe().api.endpoints;
        let is_declared = endpoints
            .iter()
            .any(|endpoint| endpoint.method == request.method && endpoint.path == template);
        assert!(is_declared, "not declared: {request:?}");
        if ["/users", "/users/search", "/workspaces"].iter().any(|end| path.ends_with(end)) {
            self.page = self.requests.len() + 1;
        }
        let request = transport::Request {
            method: transport::Method::Get,
            path_and_query,
            body: None,
            headers: std::sync::Arc::default(),
        };
        let permitted = self.policy.as_ref().is_none_or(|policy| policy.check(&request).is_ok());
        assert!(permitted, "denied: {request:?}");
        self.requests.push(request.path_and_query);
        let number = self.requests.len();
        assert!(number <= self.most, "more than {} requests: {:?}", self.most, self.requests);
        let Answer { head, body } = self.given(number).ok_or(HttpError::TimedOut)?;
        head.map(|(status, headers)| Response { status, headers, body })
    }

    fn log(&mut self, _: Level, message: &str) {
        self.lines.push(message.to_owned());
    }
}

/// An answer of the input.
#[derive(Clone)]
struct Answer {
    head: Result<(u16, Vec<(String, String)>), HttpError>,
    body: Vec<u8>,
}

impl Answer {
    fn read(part: &[u8]) -> Self {
        let (line, body) = first_line(part);
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        // The host's note is its own: it may be shown, and is distinct from a body's text.
        let note = rest.replace(['~', '@'], "");
        let number = || rest.trim().parse().ok();
        let exhausted = |status| Exhausted { status, retry_after_seconds: number() };
        let head = match word {
            "timed-out" => Err(HttpError::TimedOut),
            "too-large" => Err(HttpError::TooLarge(number().unwrap_or(u64::MAX))),
            "rate-limited" => Err(HttpError::RateLimited(exhausted(429))),
            "unavailable" => Err(HttpError::Unavailable(exhausted(503))),
            "failed" => Err(HttpError::ConnectionFailed(note)),
            "denied" => Err(HttpError::Denied(note)),
            "other" => Err(HttpError::Other(note)),
            status => {
                let header = |text: &str| {
                    text.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()))
                };
                Ok((status.parse().unwrap_or(200), rest.split("; ").filter_map(header).collect()))
            }
        };
        Self { head, body: body.to_vec() }
    }
}
