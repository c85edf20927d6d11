//! Seats, from the command through the component: what the table and the data say, what is asked
//! and granted, and how a run fails, stops and resumes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use serde_json::{Value, json};
use smp_tests::harness::{Ended, Run, component, folder, test_component};
use smp_tests::mock::{Builder, Call, Fault, Field, Mock, Total, When};

const WORKSPACES: &str = "POST /admin/v2/orgs/{organization-id}/workspaces";

#[test]
fn seats_are_shown_with_what_is_free_and_nothing_is_summed() {
    let ended = replayed("seats").end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for words in [
        "Jira            acme.atlassian.test",
        "98 of 120",
        "22 free",
        "57 of ?",
        "2 over",
        "(sandbox)",
        "no seats",
        "not told",
    ] {
        assert!(ended.stdout.contains(words), "{words}: {}", ended.stdout);
    }
    assert!(!ended.stdout.contains("160"), "a sum: {}", ended.stdout);
    assert!(ended.stderr.contains("a sum of seats over products is no bill"), "{}", ended.stderr);
    assert!(ended.stderr.contains("5 entries: 2 pages"), "{}", ended.stderr);
}

#[test]
fn data_has_every_key_and_null_for_what_is_not_told() {
    let ended = replayed("seats").args(["--format", "ndjson"]).end();
    let rows = ended.lines();
    assert_eq!(
        rows[0],
        json!({"key": "jira-software", "name": "Jira", "site": "acme.atlassian.test",
            "plan": "Premium", "purchased": 120, "used": 98, "sandbox": false})
    );
    assert_eq!(
        rows[4],
        json!({"key": "bitbucket", "name": "Bitbucket", "site": null, "plan": null,
            "purchased": null, "used": null, "sandbox": false})
    );
    let csv = replayed("seats").args(["--format", "csv"]).end().stdout;
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("key,name,site,plan,purchased,used,sandbox"));
    assert_eq!(lines.next(), Some("jira-software,Jira,acme.atlassian.test,Premium,120,98,false"));
    let list: Value =
        serde_json::from_str(&replayed("seats").args(["--format", "json"]).end().stdout).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 5);
}

#[test]
fn a_report_counts_entries_and_has_the_notes() {
    let folder = tempfile::tempdir().unwrap();
    let (report, output) = (folder.path().join("report.json"), folder.path().join("seats.csv"));
    let ended = replayed("seats").file("--report", &report).file("--output", &output).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let report: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    let figures = ["outcome", "members", "people", "total", "pages"].map(|key| &report[key]);
    assert_eq!(json!(figures), json!(["complete", 5, 0, 5, 2]));
    assert_eq!(report["notes"].as_array().unwrap().len(), 2);
    assert_eq!(std::fs::read_to_string(&output).unwrap().lines().count(), 6);
}

#[test]
fn an_incomplete_list_is_never_called_complete() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("seats.csv");
    let ended = replayed("seats-fewer-than-told").args(["--json"]).file("--output", &output).end();
    assert_eq!((ended.code, &ended.error()["code"]), (Some(1), &json!("incomplete")));
    assert!(!output.exists());
    assert!(output.with_extension("csv.incomplete").exists());
}

#[test]
fn a_connector_that_tells_no_usage_is_refused_before_anything_is_asked() {
    let run = Run::bare().arg("usage").arg(test_component("okta"));
    let ended = run.args(["--json"]).end();
    assert_eq!((ended.code, &ended.error()["code"]), (Some(1), &json!("component")));
    assert!(ended.error()["message"].as_str().unwrap().contains("does not tell usage"));
    // Built together with one that tells usage, it would export it too.
    let inspected =
        Run::bare().arg("inspect").arg(test_component("okta")).args(["--json"]).end().json();
    assert_eq!(inspected["exports"], json!(["smp:connector/connector@0.2.0"]));
}

#[test]
fn the_file_says_that_it_tells_usage() {
    let inspected = Run::bare().arg("inspect").arg(component()).args(["--json"]).end().json();
    let sets = inspected["descriptor"]["data_collected"].as_array().unwrap();
    assert!(sets.iter().any(|set| set["name"] == "usage"), "{sets:?}");
    let endpoints = inspected["descriptor"]["api"]["endpoints"].as_array().unwrap();
    let workspaces = endpoints
        .iter()
        .find(|endpoint| endpoint["path"].as_str().unwrap().ends_with("/workspaces"));
    assert_eq!(
        workspaces.unwrap()["when"],
        json!([{"setting": "people", "value": "everyone"}, "usage"])
    );
}

#[test]
fn a_mock_organization_has_each_entry_as_it_tells_it() {
    let mock = organization().start().unwrap();
    let ended = usage(&mock).args(["--format", "ndjson"]).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let told: Vec<Value> = mock
        .expected_seats()
        .into_iter()
        .map(|seats| {
            let number = |field: Field<u64>| match field {
                Field::Value(number) => json!(number),
                _ => Value::Null,
            };
            json!([seats.key, number(seats.purchased), number(seats.used)])
        })
        .collect();
    let rows: Vec<Value> = ended
        .lines()
        .iter()
        .map(|row| json!([row["key"], row["purchased"], row["used"]]))
        .collect();
    assert_eq!(rows, told);
    let sandboxes = ended.lines().iter().filter(|row| row["sandbox"] == true).count();
    assert_eq!(sandboxes, 1);
    let calls: Vec<Call> = mock.log().iter().map(|request| request.call).collect();
    assert_eq!(calls, vec![Call::Workspaces; rows.len().div_ceil(5)]);
}

#[test]
fn without_a_grant_nothing_is_sent_and_the_way_is_told() {
    let mock = organization().start().unwrap();
    let ended = Run::new("usage").at(&mock).args(["--json"]).end();
    assert_eq!((ended.code, &ended.error()["code"]), (Some(1), &json!("denied")));
    let hint = ended.error()["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains(&format!("--grant '{WORKSPACES}'")), "{hint}");
    assert_eq!(mock.log().len(), 0);
}

#[test]
fn members_are_collected_without_the_grant_that_only_usage_needs() {
    let mock = organization().start().unwrap();
    let ended = Run::new("collect").at(&mock).args(["--format", "ndjson", "--json"]).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!mock.log().iter().any(|request| request.call == Call::Workspaces));
}

#[test]
fn what_goes_wrong_between_ends_with_the_same_list_or_with_a_failure() {
    for (when, fault, code) in [
        (When::Nth(2), Fault::Drop, "complete"),
        (When::Nth(1), Fault::status(503), "complete"),
        (When::Nth(1), Fault::rate_limited(0), "complete"),
        (When::Nth(2), Fault::CursorExpired, "complete"),
        (When::Nth(2), Fault::EmptyPage, "complete"),
        (When::Always, Fault::Duplicate, "complete"),
        (When::Nth(3), Fault::SameCursor, "unexpected-response"),
        (When::Nth(2), Fault::Truncated, "complete"),
        (When::From(2), Fault::Truncated, "unexpected-response"),
        (When::Always, Fault::WrongTypes, "unexpected-response"),
        (When::Always, Fault::Total(Total::Off(1)), "incomplete"),
        (When::Always, Fault::missing_scope(), "permission"),
        (When::Always, Fault::unauthorized(), "permission"),
    ] {
        let text = format!("{when:?} {fault}");
        let mock = organization().fault(Call::Workspaces, when, fault).start().unwrap();
        let entries = mock.expected_seats().len();
        let ended = usage(&mock).args(["--format", "ndjson", "--json", "--max-wait", "20"]).end();
        if code == "complete" {
            assert_eq!(ended.code, Some(0), "{text}: {}", ended.stderr);
            assert_eq!(ended.lines().len(), entries, "{text}");
        } else {
            assert_eq!(ended.code, Some(1), "{text}: {}", ended.stderr);
            assert_eq!(ended.error()["code"], code, "{text}");
        }
    }
}

#[test]
fn a_run_that_stops_resumes_and_is_never_mixed_up_with_members() {
    let mock = organization().start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (output, checkpoint) =
        (folder.path().join("list.ndjson"), folder.path().join("checkpoint"));
    let files =
        |run: Run| run.file("--output", &output).file("--checkpoint", &checkpoint).args(["--json"]);
    mock.set_fault(Call::Workspaces, When::Nth(2), Fault::rate_limited(3_600));
    let stopped = files(usage(&mock)).end();
    assert_eq!((stopped.code, &stopped.error()["code"]), (Some(3), &json!("rate-limited")));
    assert!(!output.exists() && checkpoint.exists());
    let members = files(Run::new("collect").at(&mock)).end();
    assert_eq!((members.code, &members.error()["code"]), (Some(1), &json!("checkpoint")));
    let asked = mock.log().len();
    let resumed = files(usage(&mock)).end();
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    let rows = std::fs::read_to_string(&output).unwrap();
    assert_eq!(rows.lines().count(), mock.expected_seats().len());
    let pages = mock.expected_seats().len().div_ceil(5);
    assert_eq!(mock.log().len() - asked, pages - 1, "the first page is not read again");
    assert!(!checkpoint.exists());
}

#[test]
fn a_recording_has_usage_where_it_is_granted() {
    let mock = organization().start().unwrap();
    for granted in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let case = folder.path().join("case");
        let mut run = Run::new("record").at(&mock).file("--output", &case).args(["--json"]);
        if granted {
            run = run.args(["--grant", WORKSPACES]);
        }
        let ended: Ended = run.end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let entries = mock.expected_seats().len();
        let told = &ended.json()["usage"];
        assert_eq!(told["entries"], if granted { json!(entries) } else { Value::Null });
        let run = Run::new("usage").file("--fixture", &case);
        let replayed = run.args(["--format", "ndjson", "--json"]).end();
        if granted {
            assert_eq!((replayed.code, replayed.lines().len()), (Some(0), entries));
        } else {
            assert_eq!(replayed.code, Some(1), "{}", replayed.stderr);
            assert_eq!(replayed.error()["message"], "the fixture has no usage");
        }
    }
}

/// An organization whose product sites come on several pages.
fn organization() -> Builder {
    Mock::builder().members(40).page_size(5).seed(7)
}

fn usage(mock: &Mock) -> Run {
    Run::new("usage").at(mock).args(["--grant", WORKSPACES])
}

fn replayed(case: &str) -> Run {
    Run::new("usage").file("--fixture", &folder("fixtures").join(case))
}
