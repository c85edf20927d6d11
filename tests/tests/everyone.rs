//! Everyone in the organization, from the command through the component to a mock over HTTP: who
//! they are, what is asked, and what happens when something goes wrong between.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use smp_tests::harness::{Ended, Run};
use smp_tests::mock::{Builder, Call, Fault, Mock, Person, Situation, Total, When};

const SEARCH: &str = "POST /admin/v2/orgs/{organization-id}/directories/-/users/search";
const WORKSPACES: &str = "POST /admin/v2/orgs/{organization-id}/workspaces";

#[test]
fn a_collection_has_everyone_once_with_their_products() {
    for seed in [0, 3] {
        let mock = organization().seed(seed).start().unwrap();
        let ended = collect(&mock).args(["--format", "ndjson"]).end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let rows: BTreeMap<String, Value> = ended
            .lines()
            .into_iter()
            .map(|row| (row["id"].as_str().unwrap().to_owned(), row))
            .collect();
        let people = mock.expected_people();
        assert_eq!((rows.len(), people.len()), (150, 150));
        people.iter().for_each(|person| assert_row(&rows[&person.member.account_id], person));
    }
}

#[test]
fn the_search_is_asked_with_its_body_and_counted_before_and_after() {
    let mock = organization().start().unwrap();
    assert_eq!(collect(&mock).args(["--format", "ndjson"]).end().code, Some(0));
    let log = mock.log();
    let calls: Vec<Call> = log.iter().map(|request| request.call).collect();
    use Call::{Count, Search, Workspaces};
    assert_eq!(calls, [Count, Workspaces, Search, Search, Search, Search, Count]);
    let bodies: Vec<Value> = log
        .iter()
        .filter(|request| request.call == Search)
        .map(|request| serde_json::from_str(request.body.as_deref().unwrap()).unwrap())
        .collect();
    assert_eq!(bodies[0], json!({"limit": 100, "expand": ["productAccess"]}));
    for (body, request) in bodies[1..].iter().zip(&log[3..]) {
        let cursor = request.cursor.as_deref().unwrap();
        let expected = json!({"limit": 100, "expand": ["productAccess"], "cursor": cursor});
        assert_eq!(body, &expected);
    }
}

#[test]
fn what_goes_wrong_between_ends_with_the_same_list_or_with_a_failure() {
    use Call::{Count, Search, Workspaces};
    for (call, when, fault, code) in [
        (Count, When::Nth(2), Fault::Total(Total::Off(5)), "complete"),
        (Count, When::Nth(2), Fault::Total(Total::Off(-5)), "complete"),
        (Count, When::Always, Fault::Total(Total::Off(5)), "incomplete"),
        (Count, When::Nth(1), Fault::status(503), "complete"),
        (Count, When::Always, Fault::missing_scope(), "permission"),
        (Count, When::Always, Fault::Total(Total::Absent), "unexpected-response"),
        (Search, When::Nth(2), Fault::Drop, "complete"),
        (Search, When::Nth(2), Fault::Truncated, "complete"),
        (Search, When::From(2), Fault::Truncated, "unexpected-response"),
        (Search, When::Nth(2), Fault::CursorExpired, "complete"),
        (Search, When::Always, Fault::Duplicate, "complete"),
        (Search, When::Nth(2), Fault::EmptyPage, "complete"),
        (Search, When::Nth(3), Fault::SameCursor, "unexpected-response"),
        (Search, When::Always, Fault::access_denied(), "permission"),
        (Workspaces, When::Nth(1), Fault::rate_limited(0), "complete"),
        (Workspaces, When::Always, Fault::unauthorized(), "permission"),
        (Workspaces, When::Always, Fault::WrongTypes, "unexpected-response"),
    ] {
        let text = format!("{call:?} {when:?} {fault}");
        let mock = organization().fault(call, when, fault).start().unwrap();
        let ended = collect(&mock).args(["--format", "ndjson", "--json", "--max-wait", "20"]).end();
        if code == "complete" {
            assert_eq!(
                (ended.code, ended.lines().len()),
                (Some(0), 150),
                "{text}: {}",
                ended.stderr
            );
        } else {
            assert_eq!(ended.code, Some(1), "{text}: {}", ended.stderr);
            assert_eq!(ended.error()["code"], code, "{text}");
        }
    }
}

#[test]
fn a_validation_reads_what_a_collection_reads() {
    let mock = organization().start().unwrap();
    let ended = validate(&mock);
    assert_eq!((ended.code, &ended.json()["ready"]), (Some(0), &json!(true)), "{}", ended.stderr);
    let calls: BTreeSet<String> =
        mock.log().iter().map(|request| format!("{:?}", request.call)).collect();
    let expected = ["Count", "Keys", "Org", "Search", "Workspaces"];
    assert_eq!(calls.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    mock.set_situation(Situation::SiteAdmin);
    let ended = validate(&mock);
    assert_eq!((ended.code, &ended.json()["ready"]), (Some(1), &json!(false)));
}

#[test]
fn the_key_that_was_used_last_tells_when_it_ends() {
    let mock = organization().start().unwrap();
    let told = |ended: &Ended| ended.json()["credential_expires"].clone();
    assert_eq!(told(&validate(&mock)), "2027-01-19T12:00:00Z");
    mock.set_fault(Call::Keys, When::Always, Fault::missing_scope());
    let ended = validate(&mock);
    assert_eq!((told(&ended), &ended.json()["ready"]), (Value::Null, &json!(true)));
}

#[test]
fn an_organization_without_a_domain_has_external_people_all_the_same() {
    let mock = organization().situation(Situation::NoDomain).start().unwrap();
    let ended = collect(&mock).args(["--format", "ndjson"]).end();
    assert_eq!((ended.code, ended.lines().len()), (Some(0), 30), "{}", ended.stderr);
    assert!(ended.lines().iter().all(|row| row["affiliation"] == "external"));
}

#[test]
fn a_list_of_managed_accounts_notes_the_domain_that_waits() {
    let mock = organization().start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let run = Run::new("collect").at(&mock).args(["--format", "ndjson"]).file("--report", &report);
    let ended = run.end();
    assert_eq!((ended.code, ended.lines().len()), (Some(0), 120), "{}", ended.stderr);
    let report: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    let notes = report["notes"].as_array().unwrap();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0]["message"].as_str().unwrap().contains("example.net"), "{notes:?}");
    assert_eq!(mock.log().iter().filter(|request| request.call == Call::Domains).count(), 1);
}

/// 120 managed accounts, 30 external people, and 15 of them in two directories.
fn organization() -> Builder {
    Mock::builder().members(120).externals(30).page_size(50).seed(7)
}

fn collect(mock: &Mock) -> Run {
    for_everyone(Run::new("collect").at(mock))
}

fn validate(mock: &Mock) -> Ended {
    for_everyone(Run::new("validate").at(mock)).args(["--json"]).end()
}

fn for_everyone(run: Run) -> Run {
    run.args(["--set", "people=everyone", "--grant", SEARCH, "--grant", WORKSPACES])
}

/// Requires that a row says of a person what the mock does.
fn assert_row(row: &Value, person: &Person) {
    let member = &person.member;
    assert_eq!(row["email"].as_str(), member.email(), "{row}");
    assert_eq!(
        row["affiliation"],
        if person.is_external { "external" } else { "managed" },
        "{row}"
    );
    let status = match (member.account_status, person.status) {
        ("closed", _) => "closed",
        (_, "deactivated") => "inactive",
        (_, "not_invited") => "not-invited",
        (_, "for_deletion") => "for-deletion",
        (_, other) => other,
    };
    assert_eq!(row["status"], status, "{row}");
    let kind = match member.account_type {
        _ if person.is_service_account => "service-account",
        "atlassian" => "person",
        other => other,
    };
    assert_eq!(row["kind"], kind, "{row}");
    let products: Vec<&Value> = row["products"].as_array().unwrap().iter().collect();
    let keys: BTreeSet<&str> =
        products.iter().map(|product| product["key"].as_str().unwrap()).collect();
    let expected: BTreeSet<&str> = member.products().iter().map(|product| product.key).collect();
    assert_eq!(keys, expected, "{row}");
    for product in products {
        if product["key"] == "tomorrow-preview" {
            // It is not listed: its key and its cloud are all that is known.
            assert_eq!(product["name"], "tomorrow-preview");
            assert_eq!(product["site"], "6d2f0a1c-93b7-4c5e-8f12-000000000013");
        }
    }
}
