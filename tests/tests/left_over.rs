//! Tests that unused answers of a fixture make the command fail, and that nothing is left that
//! could be mistaken for its result.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use smp_tests::harness::{Ended, Run, folder, names, read_json};
use tempfile::TempDir;

/// The first request of each command, by the end of its path.
const ORGANIZATION: &str = "g7h8j9k0m2n4";
/// The first page of two.
const FIRST_PAGE: &str = "/users";
/// The second page of two.
const SECOND_PAGE: &str = "users?cursor=two";

#[test]
fn an_answer_that_is_left_over_fails_every_command() {
    for command in ["validate", "connect", "collect"] {
        let whole = fixture(None);
        let ended = Run::new(command).file("--fixture", whole.path()).arg("--json").end();
        assert_eq!(ended.code, Some(0), "{command}: {}", ended.stderr);
        let left_over =
            fixture(Some(if command == "collect" { SECOND_PAGE } else { ORGANIZATION }));
        let ended = Run::new(command).file("--fixture", left_over.path()).arg("--json").end();
        assert_eq!(ended.code, Some(1), "{command}");
        assert!(
            ended.said("fixture").contains("an answer that was never requested: entry 5 GET "),
            "{command}: {}",
            ended.stderr
        );
        if command == "validate" {
            let document = ended.json();
            assert_eq!(
                (&document["ready"], &document["checks"][0]["code"]),
                (&json!(false), &json!("fixture"))
            );
        }
    }
}

#[test]
fn a_list_from_other_traffic_than_the_recorded_one_never_gets_its_name() {
    let (fixture, output) = (fixture(Some(SECOND_PAGE)), tempfile::tempdir().unwrap());
    for format in ["csv", "ndjson", "json"] {
        let run = Run::new("collect")
            .file("--fixture", fixture.path())
            .args(["--json", "--format", format]);
        let run = run
            .file("--output", &output.path().join("members"))
            .file("--report", &output.path().join("report.json"));
        let checkpoint = output.path().join("checkpoint");
        let ended =
            if format == "json" { run.end() } else { run.file("--checkpoint", &checkpoint).end() };
        assert_eq!(ended.code, Some(1), "{format}: {}", ended.stderr);
        assert_eq!(names(output.path()), ["report.json"], "{format}");
        let report = read_json(&output.path().join("report.json"));
        assert_eq!(
            (&report["outcome"], &report["error"]["code"]),
            (&json!("failed"), &json!("fixture")),
            "{format}"
        );
    }
    let shown =
        Run::new("collect").file("--fixture", fixture.path()).args(["--format", "json"]).end();
    assert!(
        serde_json::from_str::<Value>(&shown.stdout).is_err(),
        "it is not closed: {}",
        shown.stdout
    );
}

#[test]
fn a_resumed_run_is_held_to_what_comes_after_the_place_where_it_goes_on() {
    let members = vec!["members.csv".to_owned()];
    for (extra, code, left) in
        [(None, 0, members.clone()), (Some(FIRST_PAGE), 1, vec![]), (Some(SECOND_PAGE), 1, vec![])]
    {
        let (fixture, output) = (fixture(extra), tempfile::tempdir().unwrap());
        let stopped = collect(fixture.path(), output.path(), &["--limit", "pages=1"]);
        assert_eq!(stopped.code, Some(1), "{}", stopped.stderr);
        stopped.said("limit");
        assert!(
            names(output.path()).contains(&"checkpoint".to_owned()),
            "{:?}",
            names(output.path())
        );
        let ended = collect(fixture.path(), output.path(), &[]);
        let came = (ended.code, names(output.path()));
        assert_eq!(came, (Some(code), left), "{extra:?}: {}", ended.stderr);
        if code == 1 {
            let told = ended.said("fixture");
            assert!(told.contains("never requested: entry 5 GET "), "{extra:?}: {told}");
        }
    }
}

fn collect(fixture: &Path, output: &Path, arguments: &[&str]) -> Ended {
    let run = Run::new("collect").file("--fixture", fixture).arg("--json").args(arguments);
    run.file("--output", &output.join("members.csv"))
        .file("--checkpoint", &output.join("checkpoint"))
        .end()
}

/// The fixture of two pages; optionally with one more answer to the request with this ending.
fn fixture(left_over: Option<&str>) -> TempDir {
    let (from, to) = (folder("fixtures/members-on-two-pages"), tempfile::tempdir().unwrap());
    fs::copy(from.join("settings.json"), to.path().join("settings.json")).unwrap();
    let mut har = read_json(&from.join("traffic.har"));
    let entries = har["log"]["entries"].as_array_mut().unwrap();
    let ends = |entry: &&Value, end: &str| entry["request"]["url"].as_str().unwrap().ends_with(end);
    entries.extend(
        left_over.map(|end| entries.iter().find(|entry| ends(entry, end)).unwrap().clone()),
    );
    fs::write(to.path().join("traffic.har"), har.to_string()).unwrap();
    to
}
