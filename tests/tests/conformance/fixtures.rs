//! Tests with fixtures that are malformed, have another expected outcome, or are missing.

use std::io::Read;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use smp_tests::harness::{Run, component, folder, test_component};

use crate::setup::{case, checked, finding, rule, with_outcome};

/// The requests of the harmless connector in a validation and a collection.
const PEOPLE: (&str, &str) = ("/people", "[]");

#[test]
fn a_fixture_that_does_not_fit_is_named_with_the_reason() {
    let ended = checked("tame", case("acme", &[], None).path(), &[]);
    let (outcome, told) = finding(&ended, "fixtures-sound");
    assert_eq!(outcome, "failed");
    assert!(
        told.starts_with("case: the fixture has no answer to GET /v1/orgs/acme/people"),
        "{told}"
    );
    let left_over = checked("tame", case("acme", &[PEOPLE, PEOPLE], None).path(), &[]);
    assert!(
        finding(&left_over, "fixtures-sound")
            .1
            .starts_with("case: the fixture has an answer that was never requested")
    );
    for unshown in
        ["fixtures-expected", "endpoints-covered", "repeatable", "no-crash", "resumable", "memory"]
    {
        let rule = rule(&left_over, unshown);
        assert_eq!(
            (rule["outcome"].as_str(), rule["message"].as_str()),
            (Some("skipped"), Some("Skipped: no fixture could be played."))
        );
        assert!(rule["hint"].as_str().unwrap().starts_with("Fix the fixture"), "{rule}");
    }
}

#[test]
fn traffic_of_another_origin_is_told_where_it_does_not_fit() {
    let told = |expected, rule: &str| {
        let folder = case("acme", &[PEOPLE], expected);
        let traffic = folder.path().join("case/traffic.har");
        let har = std::fs::read_to_string(&traffic).unwrap();
        let old = har.replace("\"/v1/", "\"https://old.test/v1/");
        std::fs::write(&traffic, old).unwrap();
        finding(&checked("tame", folder.path(), &[]), rule).1
    };
    let moved = "; it was recorded at https://old.test, and the connector asks for https://";
    let expected = json!({"validate": {"ready": false}});
    assert!(told(Some(&expected), "fixtures-expected").contains(moved));
    assert_eq!(told(None, "fixtures-sound"), "");
}

#[test]
fn a_folder_beside_cases_that_is_none_is_named() {
    let folder = case("acme", &[PEOPLE], None);
    std::fs::create_dir(folder.path().join("mistyped")).unwrap();
    std::fs::write(folder.path().join("mistyped/trafic.har"), "{}").unwrap();
    let (outcome, told) = finding(&checked("tame", folder.path(), &[]), "fixtures-sound");
    assert!(outcome == "failed" && told.starts_with("mistyped: "), "{told}");
}

#[test]
fn what_differs_from_the_expectation_is_named_by_its_place_with_both_values() {
    let expected = json!({"validate": {"ready": false}});
    let (outcome, told) = finding(
        &checked("tame", case("acme", &[PEOPLE], Some(&expected)).path(), &[]),
        "fixtures-expected",
    );
    assert_eq!(
        (outcome.as_str(), told.as_str()),
        ("failed", "case: at `/validate/ready` there is true, expected was false")
    );
}

#[test]
fn a_fixture_without_expectation_is_a_warning_and_an_endpoint_without_fixture_fails() {
    let ended = checked("tame", case("acme", &[PEOPLE], None).path(), &[]);
    assert_eq!(
        finding(&ended, "fixtures-told"),
        ("warning".into(), "case has no expected.json".into())
    );
    assert_eq!(finding(&ended, "fixtures-expected").0, "skipped");
    let expected =
        ("failed".into(), "`GET /v1/orgs/{organization-id}` is called in no fixture".into());
    assert_eq!(finding(&ended, "endpoints-covered"), expected);
}

#[test]
fn without_fixtures_the_verdict_says_that_only_the_file_was_looked_at() {
    let check =
        |arguments: &[&str]| Run::bare().arg("check").arg(component()).args(arguments).end();
    let people = check(&[]);
    assert_eq!(people.code, Some(0), "{}", people.stderr);
    assert!(people.stdout.ends_with(
        " Only the file itself was checked: without fixtures nothing shows what it does.\n"
    ));
    assert!(people.stdout.contains("→ Give fixtures with `--fixtures DIR`"), "{}", people.stdout);
    let scripts = check(&["--json"]);
    assert_eq!((scripts.code, scripts.json()["passed"].as_bool()), (Some(0), Some(true)));
    assert_eq!(with_outcome(&scripts, "skipped").len(), 21);
    assert_eq!(with_outcome(&scripts, "failed"), [""; 0]);
    let strict = check(&["--json", "--strict"]);
    assert_eq!(strict.code, Some(1));
    assert!(
        strict
            .said("contract")
            .starts_with("the rule `fixtures-sound` is not kept: Only a fixture can show it")
    );
}

#[test]
fn a_folder_without_fixtures_is_told() {
    let empty = tempfile::tempdir().unwrap();
    for (given, reason) in [
        (empty.path().to_owned(), "there is no fixture in the folder"),
        (folder("no-such"), "cannot be read"),
    ] {
        let ended = Run::new("check").file("--fixtures", &given).arg("--json").end();
        assert_eq!(ended.code, Some(1));
        let said = ended.said("invalid-settings");
        assert!(said.contains(reason) && said.contains("settings.json and traffic.har"), "{said}");
        assert_eq!(ended.stdout, "");
    }
}

#[test]
fn a_check_that_is_stopped_says_so_at_any_moment() {
    let hangs = case(
        "hangs",
        &[
            ("", r#"{"id":"acme"}"#),
            ("/people", r#"{"people":["ada"],"next":null}"#),
            ("/titles", "{}"),
        ],
        None,
    );
    for after in [0, 40, 150, 400, 900].map(Duration::from_millis) {
        let run = Run::bare()
            .arg("check")
            .arg(test_component("careless"))
            .file("--fixtures", hangs.path())
            .arg("--json");
        let mut check = run.start();
        await_handlers(&check);
        std::thread::sleep(after);
        kill_process(Pid::from_child(&check), Signal::INT).unwrap();
        let stopped = Instant::now();
        while check.try_wait().unwrap().is_none() {
            assert!(
                stopped.elapsed() < Duration::from_secs(5),
                "it goes on, stopped after {after:?}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        let mut said = String::new();
        check.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(
            said.starts_with(r#"{"error":{"code":"interrupted","#) && said.lines().count() == 1,
            "{after:?}: {said}"
        );
        assert_eq!(check.wait().unwrap().code(), Some(1));
    }
}

/// Waits until the process catches the signal of Ctrl-C.
fn await_handlers(check: &Child) {
    let status = format!("/proc/{}/status", check.id());
    let catches = || {
        let status = std::fs::read_to_string(&status).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() & 0b10 != 0
    };
    let begun = Instant::now();
    while !catches() {
        assert!(begun.elapsed() < Duration::from_secs(10), "it never listens");
        std::thread::sleep(Duration::from_millis(1));
    }
}
