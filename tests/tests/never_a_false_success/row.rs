//! A row of the table of faults, and what every row requires of `collect` and `validate`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use smp_tests::harness::{Ended, KEY_VARIABLE, Run, names, read_json};
use smp_tests::mock::{Builder, DEFAULT_KEY, Mock, Situation};

use Validation::Ready;
use Wrong::{Key, Organization, Service, Silence, State};

/// What is wrong.
#[derive(Clone, Copy)]
pub(crate) enum Wrong {
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

/// The result of `validate`.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Validation {
    /// The same failure.
    Same,
    /// It reads only the first page, which is correct.
    Ready,
}

/// What is wrong; the code, words of the message and the hint, the setting; the result of
/// `validate`.
pub(crate) type Row =
    (Wrong, &'static str, &'static [&'static str], Option<&'static str>, Validation);

pub(crate) fn all_hold(rows: &[Row]) {
    for row in rows {
        hold(row);
    }
}

/// Tests a row with `collect` and `validate`. Returns the number of requests.
pub(crate) fn hold(row: &Row) -> u64 {
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
pub(crate) fn fails(row: &Row, ended: &Ended) {
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

pub(crate) fn is_the_first_failed_check(row: &Row, validation: &Ended) {
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

pub(crate) fn name(row: &Row) -> String {
    match row.0 {
        Organization(text) => format!("organization-id `{text}`"),
        Key(text) => format!("api-key `{text}`"),
        State(situation) => format!("{situation:?}"),
        Service(fault) | Silence(fault) => fault.to_owned(),
    }
}

/// An organization of three pages.
pub(crate) fn builder() -> Builder {
    Mock::builder().members(25).page_size(10)
}

pub(crate) fn mock_of(row: &Row) -> Mock {
    let mock = match row.0 {
        Organization(_) | Key(_) => builder(),
        State(situation) => builder().situation(situation),
        Service(fault) | Silence(fault) => builder().rule(fault.parse().unwrap()),
    };
    mock.start().unwrap()
}

/// The command with the mock, without waiting for recovery.
pub(crate) fn run(row: &Row, mock: &Mock, command: &str) -> Run {
    let run = Run::new(command).at(mock).args(["--json", "--max-wait", "0"]);
    let run = if command == "collect" { run.args(["--format", "ndjson"]) } else { run };
    match row.0 {
        Organization(id) => run.args(["--set", &format!("organization-id={id}")]),
        Key(key) => run.env(KEY_VARIABLE, key),
        Silence(_) => run.args(["--timeout", "1"]),
        State(_) | Service(_) => run,
    }
}

pub(crate) fn under(fault: &'static str, command: &str) -> Ended {
    let row = only(fault);
    run(&row, &mock_of(&row), command).end()
}

/// A row of which only the fault matters.
pub(crate) fn only(fault: &'static str) -> Row {
    (Service(fault), "", &[], None, Ready)
}

pub(crate) fn members(mock: &Mock) -> Vec<String> {
    mock.expected_members().into_iter().map(|member| member.account_id).collect()
}

pub(crate) fn ids(ended: &Ended) -> Vec<String> {
    ids_in(&ended.stdout)
}

pub(crate) fn ids_in(lines: &str) -> Vec<String> {
    lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
        .collect()
}
