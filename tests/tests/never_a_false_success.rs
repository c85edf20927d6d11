//! Tests that no fault is ever reported as a success: a table of faults, each through the real
//! binary and real HTTP.
//!
//! A row ends with its own code and helpful words, from `collect` always and from `validate` if its
//! checks notice it. The form of every failure is checked in `fails`, once for all rows: a row has
//! only what is specific to it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use smp_tests::harness::{Ended, KEY_VARIABLE, Lonely, Run, names, read_json};
use smp_tests::mock::{
    Builder, Call, DEFAULT_KEY, DEFAULT_ORGANIZATION_ID, Fault, Mock, Situation, When,
};

/// What is wrong.
#[derive(Clone, Copy)]
enum Wrong {
    /// The Organization ID that was entered.
    Organization(&'static str),
    /// The key that was entered.
    Key(&'static str),
    /// The organization's state.
    State(Situation),
    /// The service, in the mock's fault grammar.
    Service(&'static str),
    /// The service, as before, with at most a second per request.
    Silence(&'static str),
}
use Wrong::{Key, Organization, Service, Silence, State};

/// The result of `validate`.
#[derive(Clone, Copy, PartialEq)]
enum Validation {
    /// The same failure.
    Same,
    /// It reads only the first page, which is correct.
    Ready,
}
use Validation::{Ready, Same};

/// What is wrong; the code, words of the message and the hint, the setting; the result of
/// `validate`.
type Row = (Wrong, &'static str, &'static [&'static str], Option<&'static str>, Validation);

const ID: Option<&str> = Some("organization-id");
const API_KEY: Option<&str> = Some("api-key");
const PASTED: &str = "https://admin.atlassian.com/o/7c2k9a41-5d0e-4h7b-9m36-e81f4j20b5ca/overview";
const USERS: &str = "GET /admin/v1/orgs/{organization-id}/users";
const SCOPES: &[&str] = &["scope", "read:orgs:admin", "read:accounts:admin", "read:domains:admin"];
const REFUSED: &[&str] = &["wrong", "expired", "revoked", "new"];
const FILTER: &[&str] = &["A web page answered", "not Atlassian", "proxy", "sign-in"];
const ADMIN: &[&str] = &["403", "organization admin", "site admin"];

#[test]
fn malformed_settings_are_refused_before_any_request() {
    let rows: &[Row] = &[
        (Organization(""), "invalid-settings", &["missing", "/o/"], ID, Same),
        (Organization("   "), "invalid-settings", &["missing", "/o/"], ID, Same),
        (Organization(PASTED), "invalid-settings", &["address", DEFAULT_ORGANIZATION_ID], ID, Same),
        (Organization("7c2k9a41/users"), "invalid-settings", &["path"], ID, Same),
        (Organization("../orgs"), "invalid-settings", &["path"], ID, Same),
        (Organization("my company"), "invalid-settings", &["characters"], ID, Same),
        (Organization("7c2k9a41?x=1"), "invalid-settings", &["characters"], ID, Same),
        (Organization(DEFAULT_KEY), "invalid-settings", &["key", "Api Key"], ID, Same),
        (Organization("ATATTsomebody"), "invalid-settings", &["key", "Api Key"], ID, Same),
        (Key(""), "invalid-settings", &["Api Key", "empty"], API_KEY, Same),
        (Key("two words"), "invalid-settings", &["Api Key"], API_KEY, Same),
    ];
    for row in rows {
        assert_eq!(hold(row), 0, "{}: a request was made", name(row));
    }
}

#[test]
fn a_key_that_is_not_accepted_or_may_too_little_is_told_apart() {
    let rows: &[Row] = &[
        (Key("ATCTTanother-key"), "credentials", REFUSED, API_KEY, Same),
        (
            Key("ATATTtoken-of-a-user"),
            "credentials",
            &["API token of a user", "wrong", "ATCTT"],
            API_KEY,
            Same,
        ),
        (Service("any:unauthorized"), "credentials", REFUSED, API_KEY, Same),
        (Service("any:status-401;body=wrapped"), "credentials", REFUSED, API_KEY, Same),
        (Service("any:status-401;body=bare"), "credentials", REFUSED, API_KEY, Same),
        (Service("any:status-401;body=access"), "credentials", REFUSED, API_KEY, Same),
        (Service("any:status-401;body=none"), "credentials", REFUSED, API_KEY, Same),
        (Service("users:unauthorized"), "credentials", REFUSED, API_KEY, Same),
        (Service("users:2:unauthorized"), "credentials", REFUSED, API_KEY, Ready),
        (Service("any:missing-scope"), "permission", SCOPES, API_KEY, Same),
        (Service("users:missing-scope"), "permission", SCOPES, API_KEY, Same),
        (
            Service("users:status-403;body=gateway;message=Forbidden; scope does not match"),
            "permission",
            SCOPES,
            API_KEY,
            Same,
        ),
        (
            Service("users:status-403;body=wrapped;message=the scope is missing"),
            "permission",
            SCOPES,
            API_KEY,
            Same,
        ),
        (
            Service("users:status-401;body=bare;message=the scope is missing"),
            "permission",
            SCOPES,
            API_KEY,
            Same,
        ),
        (
            Service("users:status-403;body=access;message=the scope is missing"),
            "permission",
            SCOPES,
            API_KEY,
            Same,
        ),
        (State(Situation::SiteAdmin), "permission", ADMIN, API_KEY, Same),
        (Service("users:access-denied"), "permission", ADMIN, API_KEY, Same),
        (Service("users:status-403;body=none"), "permission", ADMIN, API_KEY, Same),
        // The list of organizations is refused too: whether the organization is among them is
        // unknown.
        (Service("any:access-denied"), "permission", ADMIN, API_KEY, Same),
        (
            State(Situation::ForbiddenOrganization),
            "not-found",
            &["Organization ID", "403", "/o/"],
            ID,
            Same,
        ),
        (
            State(Situation::UnknownOrganization),
            "not-found",
            &["Organization ID", "404", "/o/"],
            ID,
            Same,
        ),
        (Organization("somebody-elses"), "not-found", &["Organization ID", "404", "/o/"], ID, Same),
        (
            Service("users:organization-not-found"),
            "not-found",
            &["Organization ID", "/o/"],
            ID,
            Same,
        ),
        (
            Service("any:no-route"),
            "unexpected-response",
            &["404", "GET /admin/v1/orgs/"],
            None,
            Same,
        ),
        (
            Service("users:status-404;body=wrapped;code=ADMIN-404-1"),
            "unexpected-response",
            &["404", USERS],
            None,
            Same,
        ),
    ];
    all_hold(rows);
}

#[test]
fn an_organization_without_members_is_told_what_is_missing() {
    let rows: &[Row] = &[
        (
            State(Situation::NoDomain),
            "no-members",
            &["no domain is verified", "days", "Domains"],
            None,
            Same,
        ),
        (
            State(Situation::Unverified),
            "no-members",
            &["example.com", "Waiting for verification"],
            None,
            Same,
        ),
        (State(Situation::MissingToken), "no-members", &["example.com", "token"], None, Same),
        (
            State(Situation::Unclaimed),
            "no-members",
            &["example.com", "claim", "at least one"],
            None,
            Same,
        ),
        (
            State(Situation::DomainsRefused),
            "no-members",
            &["could not be looked up", "VERIFIED", "claim"],
            API_KEY,
            Same,
        ),
    ];
    all_hold(rows);
}

#[test]
fn an_answer_that_is_none_is_no_empty_list() {
    let rows: &[Row] = &[
        (Service("users:html"), "unexpected-response", &[USERS, "web page", "proxy"], None, Same),
        (
            Service("any:html"),
            "unexpected-response",
            &["GET /admin/v1/orgs/", "web page", "proxy"],
            None,
            Same,
        ),
        (Service("users:2:html"), "unexpected-response", &[USERS, "web page"], None, Ready),
        (Service("users:truncated"), "unexpected-response", &[USERS, "cut short"], None, Same),
        (Service("users:3:truncated"), "unexpected-response", &[USERS, "cut short"], None, Ready),
        (Service("users:wrong-types"), "unexpected-response", &[USERS, "shape"], None, Same),
        (
            Service("any:wrong-types"),
            "unexpected-response",
            &["GET /admin/v1/orgs/", "shape"],
            None,
            Same,
        ),
        (Service("users:invalid-utf8"), "unexpected-response", &[USERS, "UTF-8"], None, Same),
        (Service("users:nested"), "unexpected-response", &[USERS], None, Same),
        (Service("users:empty-body"), "unexpected-response", &[USERS], None, Same),
        (
            Service("users:oversized;length=told"),
            "unexpected-response",
            &[USERS, "larger", "8,388,608"],
            None,
            Same,
        ),
        (
            Service("users:oversized;length=untold"),
            "unexpected-response",
            &[USERS, "larger", "8,388,608"],
            None,
            Same,
        ),
        (
            Service("users:gzip-bomb"),
            "unexpected-response",
            &[USERS, "larger", "8,388,608"],
            None,
            Same,
        ),
        (
            Service("users:redirect"),
            "unexpected-response",
            &[USERS, "redirect", "not followed"],
            None,
            Same,
        ),
        (Service("users:status-204;body=none"), "unexpected-response", &[USERS, "204"], None, Same),
        (
            Service("users:status-400;body=wrapped;code=ADMIN-400-4"),
            "unexpected-response",
            &[USERS, "400"],
            None,
            Same,
        ),
        (Service("users:status-407;body=html"), "unexpected-response", &[USERS, "407"], None, Same),
        (Service("users:status-401;body=html"), "unexpected-response", FILTER, None, Same),
        (Service("users:status-403;body=html"), "unexpected-response", FILTER, None, Same),
        (Service("any:status-403;body=html"), "unexpected-response", FILTER, None, Same),
        (Service("any:status-404;body=html"), "unexpected-response", FILTER, None, Same),
    ];
    all_hold(rows);
}

#[test]
fn a_service_that_does_not_answer_now_is_come_back_to() {
    let rows: &[Row] = &[
        (Service("users:status-429"), "rate-limited", &[USERS, "429", "later"], None, Same),
        (Service("any:status-429;retry-after=30"), "rate-limited", &["429", "later"], None, Same),
        (
            Service("users:2:status-429;retry-after=30"),
            "rate-limited",
            &[USERS, "429"],
            None,
            Ready,
        ),
        (Service("users:status-500"), "upstream", &[USERS, "500", "later"], None, Same),
        (Service("users:status-500;body=bare"), "upstream", &[USERS, "500"], None, Same),
        (Service("any:status-502"), "upstream", &["502", "status.atlassian.com"], None, Same),
        (
            Service("users:status-503;body=gateway;retry-after=120"),
            "upstream",
            &[USERS, "503"],
            None,
            Same,
        ),
        (Service("users:status-504;body=none"), "upstream", &[USERS, "504"], None, Same),
        (Service("users:2:status-503"), "upstream", &[USERS, "503"], None, Ready),
        (Service("any:drop"), "upstream", &["connection", "later"], None, Same),
        (Service("users:drop"), "upstream", &[USERS, "connection"], None, Same),
        (Service("users:drop-body"), "upstream", &[USERS, "connection"], None, Same),
        (Service("users:status-408"), "upstream", &[USERS, "408", "later"], None, Same),
        (Silence("any:stall"), "upstream", &["in time", "later"], None, Same),
        (Silence("users:stall-body"), "upstream", &["in time", "later"], None, Same),
    ];
    all_hold(rows);
}

#[test]
fn a_list_that_ends_wrongly_or_not_at_all_is_no_list() {
    let rows: &[Row] = &[
        (Service("users:same-cursor"), "unexpected-response", &[USERS, "never end"], None, Ready),
        (Service("users:2:same-cursor"), "unexpected-response", &[USERS, "never end"], None, Ready),
        (
            Service("users:endless"),
            "unexpected-response",
            &["nothing new", "does not end"],
            None,
            Ready,
        ),
        (
            Service("users:endless-empty"),
            "unexpected-response",
            &["nothing new", "does not end"],
            None,
            Ready,
        ),
        (
            Service("users:cursor-expired"),
            "cursor-expired",
            &["400", "from the beginning"],
            None,
            Ready,
        ),
        (Service("users:total;value=+3"), "incomplete", &["25 of 28", ".incomplete"], None, Ready),
        (Service("users:2:shifted;by=2"), "incomplete", &["23 of 25", ".incomplete"], None, Ready),
        (Service("users:3:empty-body"), "unexpected-response", &[USERS], None, Ready),
    ];
    all_hold(rows);
}

#[test]
fn a_list_that_has_nobody_and_no_end_is_found_out_by_the_validation_too() {
    let row: &Row = &(
        Service("users:endless-empty"),
        "unexpected-response",
        &["without an account", "does not end"],
        None,
        Same,
    );
    let mock = mock_of(row);
    mock.set_situation(Situation::Unclaimed);
    let validation = run(row, &mock, "validate").end();
    fails(row, &validation);
    is_the_first_failed_check(row, &validation);
    let collection = run(row, &mock, "collect").end();
    assert_eq!(
        (collection.code, &collection.error()["code"]),
        (Some(1), &json!("unexpected-response"))
    );
}

#[test]
fn when_to_come_back_is_told_in_seconds() {
    for (fault, seconds) in [
        ("users:status-429;retry-after=30", 30..=30),
        ("users:status-429;retry-after=date+90", 60..=91),
        ("users:status-429;reset=90", 60..=91),
        ("users:status-503;retry-after=120", 120..=120),
    ] {
        for command in ["collect", "validate"] {
            let wait = under(fault, command).error()["retry_after_s"].as_u64();
            assert!(
                wait.is_some_and(|wait| seconds.contains(&wait)),
                "{fault}, {command}: {wait:?}"
            );
        }
    }
    assert_eq!(under("users:status-429", "collect").error()["retry_after_s"], Value::Null);
}

#[test]
fn the_vendors_own_code_is_handed_on() {
    for (fault, code) in [
        ("users:organization-not-found", "ADMIN-404-2"),
        ("users:cursor-expired", "ADMIN-400-1"),
        ("any:not-allowed", "ADMIN-403-3"),
        ("users:status-401;body=bare", "ADMIN-401-2"),
    ] {
        assert_eq!(under(fault, "collect").error()["vendor_code"], code, "{fault}");
    }
}

#[test]
fn a_redirect_is_followed_nowhere_and_the_key_goes_nowhere_else() {
    let lonely = Lonely::start();
    for to in [format!("{}/admin/v1/orgs", lonely.url()), "/admin/v1/elsewhere".to_owned()] {
        let mock =
            builder().fault(Call::Users, When::Always, Fault::Redirect { to }).start().unwrap();
        let row: &Row =
            &(Service("users:redirect"), "unexpected-response", &["redirect", "302"], None, Same);
        fails(row, &run(row, &mock, "collect").end());
        fails(row, &run(row, &mock, "validate").end());
        assert!(mock.log().iter().all(|request| request.call != Call::Any), "{:?}", mock.log());
    }
    assert!(!lonely.was_visited());
}

#[test]
fn of_a_next_link_to_another_host_only_the_cursor_is_used() {
    let lonely = Lonely::start();
    let mock = builder()
        .fault(Call::Users, When::Always, Fault::NextElsewhere { origin: lonely.url() })
        .start()
        .unwrap();
    let ended = Run::new("collect").at(&mock).args(["--json", "--format", "ndjson"]).end();
    assert_eq!((ended.code, ids(&ended)), (Some(0), members(&mock)), "{}", ended.stderr);
    assert!(!lonely.was_visited());
}

#[test]
fn what_only_looks_wrong_is_collected_whole_and_once() {
    for (fault, duplicates) in [
        ("users:2:cursor-expired", 0),
        ("users:empty-page", 0),
        ("users:2:duplicate", 1),
        ("users:2:shifted;by=-4", 4),
        ("users:total;value=-3", 0),
        ("users:total;value=absent", 0),
        ("users:total;value=null", 0),
        ("users:2:total;value=+7", 0),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (row, report) = (only(fault), folder.path().join("report.json"));
        let mock = mock_of(&row);
        let ended = run(&row, &mock, "collect").file("--report", &report).end();
        assert_eq!(
            (ended.code, ids(&ended)),
            (Some(0), members(&mock)),
            "{fault}: {}",
            ended.stderr
        );
        let report = read_json(&report);
        assert_eq!(
            (&report["outcome"], &report["duplicates"]),
            (&json!("complete"), &json!(duplicates)),
            "{fault}"
        );
        assert_eq!(report["error"], Value::Null);
    }
}

#[test]
fn a_cursor_that_expires_for_good_costs_one_restart_and_no_more() {
    let row: &Row = &(Service("users:cursor-expired"), "cursor-expired", &[], None, Ready);
    let mock = mock_of(row);
    fails(row, &run(row, &mock, "collect").end());
    let log = mock.log();
    let pages = log.iter().filter(|request| request.call == Call::Users);
    let asked: Vec<bool> = pages.map(|request| request.cursor.is_some()).collect();
    assert_eq!(asked, [false, true, false, true]);
}

#[test]
fn what_is_worth_coming_back_to_stops_and_goes_on_where_it_was() {
    for fault in ["users:2-:status-429;retry-after=30", "users:3-:status-503", "users:2-:drop"] {
        let folder = tempfile::tempdir().unwrap();
        let (row, mock) = (only(fault), mock_of(&only(fault)));
        let again = || {
            let files = [
                ("--output", "members.ndjson"),
                ("--checkpoint", "members.checkpoint"),
                ("--report", "report.json"),
            ];
            files
                .iter()
                .fold(run(&row, &mock, "collect"), |run, (option, file)| {
                    run.file(option, &folder.path().join(file))
                })
                .end()
        };
        let stopped = again();
        assert_eq!(
            (stopped.code, &stopped.error()["retryable"]),
            (Some(3), &json!(true)),
            "{fault}: {}",
            stopped.stderr
        );
        assert_eq!(read_json(&folder.path().join("report.json"))["outcome"], "stopped");
        assert!(!folder.path().join("members.ndjson").exists());
        mock.clear_faults();
        assert_eq!(again().code, Some(0), "{fault}");
        assert_eq!(
            ids_in(&fs::read_to_string(folder.path().join("members.ndjson")).unwrap()),
            members(&mock),
            "{fault}"
        );
    }
}

fn all_hold(rows: &[Row]) {
    for row in rows {
        hold(row);
    }
}

/// Tests a row with `collect` and `validate`. Returns the number of requests.
fn hold(row: &Row) -> u64 {
    let (folder, mock) = (tempfile::tempdir().unwrap(), mock_of(row));
    let (output, report) =
        (folder.path().join("members.ndjson"), folder.path().join("report.json"));
    let collection =
        run(row, &mock, "collect").file("--output", &output).file("--report", &report).end();
    fails(row, &collection);
    nothing_is_left(folder.path(), &collection);
    let requests = mock.requests();
    let mock = mock_of(row);
    let validation = run(row, &mock, "validate").end();
    let ready = row.4 == Ready;
    assert_eq!(
        (validation.code, &validation.json()["ready"]),
        (Some(i32::from(!ready)), &json!(ready)),
        "{}: {validation:?}",
        name(row)
    );
    if !ready {
        fails(row, &validation);
        is_the_first_failed_check(row, &validation);
    }
    requests + mock.requests()
}

/// Requires that the failure matches the row, is complete, and reveals nothing that it should not.
fn fails(row: &Row, ended: &Ended) {
    let (_, code, words, setting, _) = row;
    let error = ended.error();
    assert_eq!(
        (ended.code, &error["code"]),
        (Some(1), &json!(code)),
        "{}: {}",
        name(row),
        ended.stderr
    );
    let keys: Vec<&String> = error.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "code",
            "message",
            "hint",
            "retryable",
            "setting",
            "vendor_code",
            "retry_after_s",
            "remedy"
        ]
    );
    let (message, hint) = (error["message"].as_str().unwrap(), error["hint"].as_str().unwrap());
    assert!(!message.is_empty() && !hint.is_empty(), "{}: {error}", name(row));
    for word in *words {
        assert!(
            format!("{message} {hint}").contains(word),
            "{}: `{word}` is missing: {error}",
            name(row)
        );
    }
    let passes =
        ["rate-limited", "upstream", "incomplete", "cursor-expired", "unexpected-response"]
            .contains(code);
    // An answer that is too large stays so: `collect` and `connect` name the limit.
    let is_too_large = message.contains("larger than the limit");
    assert!(is_too_large || error["retryable"] == passes, "{}: {error}", name(row));
    assert_eq!(error["setting"].as_str(), *setting, "{}: {error}", name(row));
    for secret in [
        DEFAULT_KEY,
        "ATATT",
        "ATCTTanother",
        "@example",
        "712020:",
        "<html",
        "doctype",
        "User has no permission",
    ] {
        let told = ended.stderr.replace("begins with ATATT", "");
        assert!(!told.contains(secret), "{}: `{secret}` is told: {}", name(row), ended.stderr);
    }
}

fn is_the_first_failed_check(row: &Row, validation: &Ended) {
    let (checks, error) = (validation.json()["checks"].clone(), validation.error());
    let first =
        checks.as_array().unwrap().iter().find(|check| check["outcome"] == "failed").unwrap();
    for key in ["code", "message", "hint", "setting", "retryable"] {
        assert_eq!(first[key], error[key], "{}: {key}", name(row));
    }
}

/// Requires that no file could be mistaken for a list, except for the report and the rows of an
/// incomplete list.
fn nothing_is_left(folder: &Path, collection: &Ended) {
    assert_eq!(collection.stdout, "");
    let error = collection.error();
    let files = names(folder);
    let report = read_json(&folder.join("report.json"));
    assert_eq!((&report["outcome"], &report["error"]), (&json!("failed"), &error));
    if error["code"] != "incomplete" {
        assert_eq!(files, ["report.json"]);
        return;
    }
    assert_eq!(files, ["members.ndjson.incomplete", "report.json"]);
    let rows = ids_in(&fs::read_to_string(folder.join("members.ndjson.incomplete")).unwrap());
    assert_eq!(report["members"], rows.len());
    assert!(
        error["message"].as_str().unwrap().contains(&format!("after {} of", rows.len())),
        "{error}"
    );
}

fn name(row: &Row) -> String {
    match row.0 {
        Organization(text) => format!("organization-id `{text}`"),
        Key(text) => format!("api-key `{text}`"),
        State(situation) => format!("{situation:?}"),
        Service(fault) | Silence(fault) => fault.to_owned(),
    }
}

/// An organization of three pages.
fn builder() -> Builder {
    Mock::builder().members(25).page_size(10)
}

fn mock_of(row: &Row) -> Mock {
    let mock = match row.0 {
        Organization(_) | Key(_) => builder(),
        State(situation) => builder().situation(situation),
        Service(fault) | Silence(fault) => builder().rule(fault.parse().unwrap()),
    };
    mock.start().unwrap()
}

/// The command with the mock, without waiting for recovery.
fn run(row: &Row, mock: &Mock, command: &str) -> Run {
    let run = Run::new(command).at(mock).args(["--json", "--max-wait", "0"]);
    let run = if command == "collect" { run.args(["--format", "ndjson"]) } else { run };
    match row.0 {
        Organization(id) => run.args(["--set", &format!("organization-id={id}")]),
        Key(key) => run.env(KEY_VARIABLE, key),
        Silence(_) => run.args(["--timeout", "1"]),
        State(_) | Service(_) => run,
    }
}

fn under(fault: &'static str, command: &str) -> Ended {
    let row = only(fault);
    run(&row, &mock_of(&row), command).end()
}

/// A row of which only the fault matters.
fn only(fault: &'static str) -> Row {
    (Service(fault), "", &[], None, Ready)
}

fn members(mock: &Mock) -> Vec<String> {
    mock.expected_members().into_iter().map(|member| member.account_id).collect()
}

fn ids(ended: &Ended) -> Vec<String> {
    ids_in(&ended.stdout)
}

fn ids_in(lines: &str) -> Vec<String> {
    lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
        .collect()
}
