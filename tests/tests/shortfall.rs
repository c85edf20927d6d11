//! Tests of a list that is always shorter than the total which the service states: it is
//! incomplete until an operator accepts exactly that shortfall.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;

use serde_json::{Value, json};
use smp_tests::harness::{Ended, Run, names, read_json};
use smp_tests::mock::Mock;

/// A service that counts one account which it never lists.
fn one_too_many() -> Mock {
    let rule = "users:total;value=+1".parse().unwrap();
    Mock::builder().members(25).page_size(10).rule(rule).start().unwrap()
}

struct Setup {
    mock: Mock,
    home: tempfile::TempDir,
}

impl Setup {
    fn new() -> Self {
        Self { mock: one_too_many(), home: tempfile::tempdir().unwrap() }
    }

    /// Collects, and reads the report.
    fn collect(&self, arguments: &[&str]) -> (Ended, Value) {
        let run = Run::new("collect").at(&self.mock).args(["--json", "--output", "list.ndjson"]);
        let run = run.args(["--report", "report.json"]).args(arguments).within(self.home.path());
        (run.end(), read_json(&self.home.path().join("report.json")))
    }
}

#[test]
fn the_same_shortfall_twice_is_told_and_can_be_accepted() {
    let setup = Setup::new();
    let (first, report) = setup.collect(&[]);
    assert_eq!((first.code, &report["shortfall"]), (Some(1), &json!(1)), "{}", first.stderr);
    let said = first.said("incomplete");
    assert!(said.contains("25 of 26") && !said.contains("run before"), "{said}");

    let (second, report) = setup.collect(&[]);
    assert_eq!((second.code, &report["outcome"]), (Some(1), &json!("failed")));
    let said = second.said("incomplete");
    for words in ["as many are missing as in the run before", "`--accept-shortfall 1`"] {
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(second.error()["retryable"], true);

    let (third, report) = setup.collect(&["--accept-shortfall", "1"]);
    assert_eq!(third.code, Some(0), "{}", third.stderr);
    let told = (&report["outcome"], &report["total"], &report["shortfall"]);
    assert_eq!(told, (&json!("complete"), &json!(26), &json!(1)));
    let words = "states 26 members and listed 25";
    let notes = report["notes"].as_array().unwrap();
    let has_words = |note: &&Value| note["message"].as_str().unwrap().contains(words);
    assert_eq!(notes.iter().filter(has_words).count(), 1, "{report}");
    assert!(third.stderr.contains(words), "{}", third.stderr);
    let list = fs::read_to_string(setup.home.path().join("list.ndjson")).unwrap();
    assert_eq!(list.lines().count(), 25);
    assert_eq!(names(setup.home.path()), ["list.ndjson", "report.json"]);
}

#[test]
fn another_shortfall_than_the_accepted_one_is_incomplete() {
    let setup = Setup::new();
    let (ended, report) = setup.collect(&["--accept-shortfall", "2"]);
    assert_eq!((ended.code, &report["outcome"]), (Some(1), &json!("failed")), "{}", ended.stderr);
    let said = ended.said("incomplete");
    assert!(said.contains("1 are missing, and a shortfall of exactly 2 was accepted"), "{said}");
    assert_eq!(names(setup.home.path()), ["list.ndjson.incomplete", "report.json"]);
}

#[test]
fn a_list_that_lacks_nothing_needs_no_acceptance_and_has_no_note() {
    let mock = Mock::builder().members(25).page_size(10).start().unwrap();
    let setup = Setup { mock, home: tempfile::tempdir().unwrap() };
    let (ended, report) = setup.collect(&["--accept-shortfall", "1"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let others = report["notes"].as_array().unwrap().iter();
    let accepted = |note: &&Value| note["message"].as_str().unwrap().contains("shortfall");
    assert_eq!((report.get("shortfall"), others.filter(accepted).count()), (None, 0));
}

#[test]
fn a_file_that_is_no_report_is_no_shortfall_before() {
    for text in ["", "{", "[]", r#"{"shortfall":"1"}"#, r#"{"shortfall":2}"#] {
        let setup = Setup::new();
        fs::write(setup.home.path().join("report.json"), text).unwrap();
        let (ended, _) = setup.collect(&[]);
        assert!(!ended.said("incomplete").contains("run before"), "{text}: {}", ended.stderr);
    }
}
