//! Tests of the second connector, for another service: its fixtures have their expected outcomes,
//! and only its own files know it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::{Value, json};
use smp_tests::cases::Cases;
use smp_tests::harness::{Run, folder, test_component};

static CASES: LazyLock<Cases> =
    LazyLock::new(|| Cases::new(test_component("example"), folder("example-connector/fixtures")));

#[test]
fn every_fixture_comes_out_as_expected() {
    CASES.assert_as_expected();
}

#[test]
fn every_fixture_ends_in_its_own_code() {
    let rows = [
        ("maintenance-page", "upstream", "upstream"),
        ("nobody-there", "no-members", "no-members"),
        ("people-on-two-pages", "ready", "complete"),
        ("second-page-fails", "ready", "upstream"),
        ("token-not-accepted", "credentials", "credentials"),
        ("unknown-workspace", "not-found", "not-found"),
    ];
    assert_eq!(CASES.names(), rows.map(|(name, ..)| name.to_owned()));
    for (name, validates, collects) in rows {
        let came = CASES.played(name);
        let failed = came["validate"]["checks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|check| check["outcome"] == "failed");
        let validated = failed.map_or(
            if came["validate"]["ready"] == true { "ready" } else { "not ready" },
            |check| {
                assert_ne!(check["hint"], Value::Null, "{name}");
                check["code"].as_str().unwrap()
            },
        );
        let error = &came["collect"]["error"];
        let collected =
            error["code"].as_str().unwrap_or_else(|| came["collect"]["outcome"].as_str().unwrap());
        assert_eq!((validated, collected), (validates, collects), "{name}");
        assert_eq!(error["hint"].is_null(), error.is_null(), "{name}");
    }
}

#[test]
fn the_real_command_knows_it_as_well_as_the_other() {
    let run = |command: &str| Run::bare().arg(command).arg(test_component("example"));
    let inspected = run("inspect").arg("--json").end();
    assert_eq!(
        (inspected.code, &inspected.json()["descriptor"]["id"]),
        (Some(0), &json!("noticeboard")),
        "{}",
        inspected.stderr
    );
    let guide = run("guide").end();
    assert!(guide.code == Some(0) && guide.stdout.contains("New live token"), "{}", guide.stderr);
    let collected = run("collect")
        .args(["--format", "csv"])
        .file("--fixture", &CASES.folder("people-on-two-pages"))
        .end();
    let rows = [
        "email,name,role,last_seen,id,status,kind,affiliation,billable,products",
        "ada@acme.example,Ada Byron,\"Pins, Polls\",2026-01-02T00:00:00Z,u-1,,,,,Polls \
         2026-01-01T00:00:00Z; Pins 2026-01-02T00:00:00Z",
        ",Bao Trần,Pins,,u-2,,,,,Pins unknown",
        "chidi@acme.example,Chidi Okeke,,,u-3,,,,,",
        "dora@acme.example,'=Dora Marsh,Pins,2025-12-26T00:00:00Z,u-4,,,,,Pins \
         2025-12-25T00:00:00Z; Pins 2025-12-26T00:00:00Z",
        "eero@acme.example,,Polls,2025-01-01T00:00:00Z,u-5,,,,,Polls 2025-01-01T00:00:00Z",
    ];
    assert_eq!(collected.code, Some(0), "{}", collected.stderr);
    assert_eq!(collected.stdout.lines().collect::<Vec<_>>(), rows);
}

#[test]
fn a_token_of_the_wrong_kind_is_told_by_its_beginning() {
    let lonely = smp_tests::harness::Lonely::start();
    let run = Run::bare().arg("validate").arg(test_component("example")).args([
        "--json",
        "--upstream",
        &lonely.url(),
    ]);
    let ended = run
        .args(["--set", "workspace=nb_user_1234"])
        .env("TOKEN", "nb_live_1")
        .args(["--secret", "token=env:TOKEN"])
        .end();
    assert!(
        ended.code == Some(1) && ended.stdout.contains("belongs in the field Token"),
        "{} {}",
        ended.stdout,
        ended.stderr
    );
    assert!(!lonely.was_visited());
}

/// Most consecutive lines of code that two connectors may share: those that begin a function of
/// the kit's trait.
const MOST_IN_COMMON: usize = 5;

#[test]
fn what_two_connectors_need_stands_in_the_kit() {
    let [atlassian, okta, example] =
        ["../connector/atlassian-cloud/src", "../connector/okta/src", "example-connector/src"]
            .map(|sources| code(&folder(sources)));
    let lengths = [&atlassian, &okta, &example].map(Vec::len);
    let fewest = [1_000, 500, 200];
    assert!(lengths.iter().zip(fewest).all(|(length, few)| *length > few), "{lengths:?}");
    for (one, other) in [(&atlassian, &example), (&atlassian, &okta), (&okta, &example)] {
        let in_common = |run: &[String]| one.windows(run.len()).any(|lines| lines == run);
        for run in other.windows(MOST_IN_COMMON + 1) {
            assert!(!in_common(run), "stands in two connectors:\n{}", run.join("\n"));
        }
    }
}

/// The lines of code in a folder, without comments and lines of brackets only.
fn code(folder: &Path) -> Vec<String> {
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let lines = paths.iter().flat_map(|path| {
        if path.is_dir() {
            return code(path);
        }
        let text = fs::read_to_string(path).unwrap();
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
        lines.filter(|line| line.contains(char::is_alphanumeric)).map(str::to_owned).collect()
    });
    lines.collect()
}
