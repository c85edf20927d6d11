//! Tests that every limit is an option, and that reaching one ends the run with its name and a way
//! out. The limits against hostile components are tested in `hostile`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use smp_host::limits::Bound;
use smp_tests::harness::{Ended, Run};
use smp_tests::mock::{Builder, Call, Fault, Mock, When};

#[test]
fn a_limit_that_is_reached_ends_the_run_and_says_which_it_was() {
    let mock = organization().start().unwrap();
    for limit in [
        "stack=2KiB",
        "instances=1",
        "table-elements=10",
        "memory=64KiB",
        "call-bytes=2KiB",
        "requests=0",
        "text=16",
        "member-text=8",
        "entries=1",
        "page-members=9",
        "pages=2",
        "members=24",
    ] {
        let ended = collect(&mock, &[limit]);
        assert_eq!(ended.code, Some(1), "{limit}: {}", ended.stderr);
        let (name, told) = (limit.split('=').next().unwrap(), ended.said("limit"));
        assert_eq!(ended.error()["retryable"], false, "{limit}: {told}");
        assert!(
            told.contains(&format!("the limit `{name}` is "))
                && told.contains(&format!("`--limit {name}=…`")),
            "{limit}: {told}"
        );
    }
}

#[test]
fn a_body_beyond_the_limit_is_not_read_packed_or_not() {
    for builder in [organization(), organization().gzip()] {
        let ended = collect(&builder.start().unwrap(), &["response=1KiB"]);
        let told = ended.said("unexpected-response");
        assert!(
            ended.code == Some(1)
                && told.contains("1,024 bytes")
                && told.contains("The limit `response` is 1 KiB"),
            "{told}"
        );
    }
}

#[test]
fn the_time_of_a_call_and_of_a_run_is_bounded() {
    let slow = || {
        organization()
            .fault(Call::Users, When::Always, Fault::Slow(Duration::from_millis(250)))
            .start()
            .unwrap()
    };
    let mock = slow();
    let ended = collect(&mock, &["call-time=100ms"]);
    assert!(
        ended.code == Some(1) && ended.said("limit").contains("the limit `call-time` is 100 ms"),
        "{}",
        ended.stderr
    );
    // Each call alone is within its limit.
    let ended = collect(&mock, &["run-time=400ms"]);
    assert!(
        ended.code == Some(1) && ended.said("limit").contains("the limit `run-time` is 400 ms"),
        "{}",
        ended.stderr
    );
    assert_eq!(collect(&mock, &["run-time=60s", "call-time=60s"]).code, Some(0));
}

#[test]
fn a_collection_that_met_a_limit_goes_on_when_the_limit_is_wider() {
    let (mock, folder) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    let run = |limits: &[&str]| {
        let limits = limits.iter().flat_map(|limit| ["--limit", limit]);
        let run = Run::new("collect")
            .at(&mock)
            .args(limits)
            .args(["--json"])
            .file("--output", &folder.path().join("members.csv"));
        run.file("--checkpoint", &folder.path().join("members.checkpoint"))
            .file("--report", &folder.path().join("report.json"))
            .end()
    };
    for limit in ["members=15", "pages=2"] {
        let ended = run(&[limit]);
        assert!(
            ended.code == Some(1) && ended.said("limit").contains("run the same command again"),
            "{}",
            ended.stderr
        );
        assert!(!folder.path().join("members.csv").exists());
    }
    let before = mock.requests();
    assert_eq!(run(&[]).code, Some(0));
    assert_eq!(mock.requests() - before, 1, "only the last page was asked for");
    assert_eq!(
        std::fs::read_to_string(folder.path().join("members.csv")).unwrap().lines().count(),
        1 + 25
    );
}

#[test]
fn every_limit_is_listed_with_its_reason() {
    let ended = Run::bare().args(["limits", "--json"]).end();
    let listed = ended.json();
    let names: Vec<&str> =
        listed.as_array().unwrap().iter().map(|limit| limit["name"].as_str().unwrap()).collect();
    assert_eq!(names, Bound::ALL.iter().map(|bound| bound.name()).collect::<Vec<_>>());
    let shown = Run::bare().arg("limits").end().stdout;
    for limit in listed.as_array().unwrap() {
        let (name, value) = (limit["name"].as_str().unwrap(), limit["default"].as_str().unwrap());
        assert!(
            shown
                .lines()
                .any(|line| line.starts_with(&format!(" {name} ")) && line.contains(value)),
            "{name}: {shown}"
        );
    }
}

#[test]
fn a_limit_that_is_none_is_wrong_usage_with_the_way_out() {
    for (limit, words) in [
        ("memory", "for example memory=128MiB"),
        ("fuel=1", "`smp-harness limits` lists them"),
        ("memory=lots", "`64MiB`"),
        ("cpu=0", "`10s`"),
        ("=", "`smp-harness limits` lists them"),
        ("memory=0", "the limit `memory` must be at least 64 KiB: with less no connector can run"),
        ("pages=0", "at least 1"),
    ] {
        let ended = Run::new("inspect").args(["--limit", limit]).end();
        assert!(ended.code == Some(2) && ended.stderr.contains(words), "{limit}: {}", ended.stderr);
    }
}

#[test]
fn a_limit_that_is_given_twice_is_wrong_usage_also_with_the_same_value() {
    for second in ["memory=64MiB", "memory=128MiB"] {
        let ended = Run::new("inspect")
            .args(["--limit", "memory=64MiB", "--limit", "cpu=1s", "--limit", second, "--json"])
            .end();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
        assert!(
            ended.said("invalid-settings").contains("the limit `memory` is given twice"),
            "{}",
            ended.stderr
        );
    }
}

fn organization() -> Builder {
    Mock::builder().members(25).page_size(10)
}

fn collect(mock: &Mock, limits: &[&str]) -> Ended {
    let limits = limits.iter().flat_map(|limit| ["--limit", limit]);
    Run::new("collect")
        .at(mock)
        .args(["--max-wait", "0", "--format", "ndjson", "--json"])
        .args(limits)
        .end()
}
