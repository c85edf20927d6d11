//! Tests that every released component loads, and gives the same results as when it was released.
//! `released/README.md` says what must never be edited.
//!
//! `make freeze VERSION=…` adds a release; it runs the last test here with `FREEZE` set.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

use smp_tests::harness::{component, folder, names};
use smp_tests::released::{CASES, faults, freeze};

const WHAT_TO_DO: &str = "A connector that customers use works differently. Fix the host, not the \
                          folder: nothing below `tests/released/VERSION` is ever edited. An \
                          intended change is a new version of the contract, and the host still \
                          serves this one.";

#[test]
fn every_release_gives_what_it_gave() {
    let releases: Vec<String> = names(&folder("released"))
        .into_iter()
        .filter(|name| folder("released").join(name).is_dir())
        .collect();
    let faults: Vec<String> = releases
        .iter()
        .flat_map(|release| {
            faults(&folder("released").join(release))
                .unwrap()
                .into_iter()
                .map(move |fault| format!("{release}: {fault}"))
        })
        .collect();
    assert!(faults.is_empty(), "{}\n\n{WHAT_TO_DO}", faults.join("\n"));
}

#[test]
fn a_release_that_was_changed_or_gives_something_else_is_told() {
    let (_home, frozen) = a_frozen_case();
    assert_eq!(faults(&frozen).unwrap(), [""; 0]);
    let rewrite = |path: &str, change: &dyn Fn(String) -> String| {
        let path = frozen.join("expected").join(path);
        let before = fs::read_to_string(&path).unwrap();
        fs::write(&path, change(before.clone())).unwrap();
        (path, before)
    };
    for (path, change, told) in [
        (
            "no-total/expected.ndjson",
            (|text| text.replacen("\"email\":\"", "\"email\":\"x", 1)) as fn(String) -> String,
            "no-total/expected.ndjson: line 5",
        ),
        (
            "no-total/expected.ndjson",
            |text| text.lines().take(5).map(|line| format!("{line}\n")).collect(),
            "no-total/expected.ndjson: line 6",
        ),
        (
            "no-total/expected.ndjson",
            |text| text.replacen("\"code\":0", "\"code\":1", 1),
            "no-total/expected.ndjson: line 3",
        ),
        (
            "no-total/expected.ndjson",
            |text| text.replace("\"complete\"", "\"failed\""),
            "no-total/expected.ndjson: line 4",
        ),
        ("inspect.json", |text| text.replace("General Availability", "Beta"), "inspect.json: line"),
    ] {
        let (path, before) = rewrite(path, &change);
        let said = faults(&frozen).unwrap();
        assert!(
            said.len() == 2 && said[0].contains("SHA256SUMS") && said[1].starts_with(told),
            "{said:?}"
        );
        fs::write(path, before).unwrap();
    }
    fs::write(frozen.join("expected/more.json"), "{}").unwrap();
    assert_eq!(faults(&frozen).unwrap()[1], "more.json: nothing comes out any more");
}

#[test]
fn a_host_may_say_more_than_it_did_in_its_own_documents_and_not_less() {
    let (_home, frozen) = a_frozen_case();
    let path = frozen.join("expected/inspect.json");
    let whole = fs::read_to_string(&path).unwrap();
    // The stored document has less than today's.
    let less = whole.replacen("\"vendor\": \"Atlassian\",", "", 1);
    assert_ne!(less, whole);
    fs::write(&path, less).unwrap();
    assert_eq!(faults(&frozen).unwrap().len(), 1, "only the digest is another");
    fs::write(&path, whole.replacen("\"vendor\": ", "\"seller\": \"x\", \"vendor\": ", 1)).unwrap();
    assert_eq!(faults(&frozen).unwrap().len(), 2);
}

#[test]
fn nothing_is_frozen_over_what_is_there_or_under_another_version() {
    let (home, frozen) = a_frozen_case();
    let again = freeze(&component(), &version(), &folder("fixtures"), &["no-total"], &frozen)
        .unwrap_err()
        .to_string();
    assert!(again.ends_with("exists: a release is never frozen again"), "{again}");
    let target = home.path().join("9.9.9");
    let other = freeze(&component(), "9.9.9", &folder("fixtures"), &["no-total"], &target)
        .unwrap_err()
        .to_string();
    assert!(
        other.ends_with(&format!("is of version {}, not 9.9.9", version())) && !target.exists(),
        "{other}"
    );
}

/// With `FREEZE=VERSION` in the environment this adds a release; otherwise it checks that all of
/// its cases can be frozen.
#[test]
fn what_is_to_be_released_is_frozen_with_all_of_its_cases() {
    let home = tempfile::tempdir().unwrap();
    let (version, target) = match std::env::var("FREEZE") {
        Ok(version) => (version.clone(), folder("released").join(version)),
        Err(_) => (version(), home.path().join("frozen")),
    };
    let component = std::env::var_os("FREEZE_COMPONENT").map_or_else(component, PathBuf::from);
    freeze(&component, &version, &folder("fixtures"), &CASES, &target).unwrap();
    assert_eq!(names(&target.join("fixtures")), CASES);
    assert_eq!(faults(&target).unwrap(), [""; 0]);
}

fn a_frozen_case() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let frozen = home.path().join("frozen");
    freeze(&component(), &version(), &folder("fixtures"), &["no-total"], &frozen).unwrap();
    (home, frozen)
}

/// The version of the built component.
fn version() -> String {
    let inspected = smp_tests::harness::Run::new("inspect").arg("--json").end().json();
    inspected["descriptor"]["version"].as_str().unwrap().to_owned()
}

#[test]
fn the_digests_are_those_that_a_person_checks() {
    for release in names(&folder("released"))
        .iter()
        .map(|name| folder("released").join(name))
        .filter(|path| path.is_dir())
    {
        assert!(checked_by_hand(&release), "{}", release.display());
    }
}

/// The result of `sha256sum --check`, if that program exists.
fn checked_by_hand(folder: &Path) -> bool {
    let command = std::process::Command::new("sha256sum")
        .args(["--check", "--quiet", "SHA256SUMS"])
        .current_dir(folder)
        .output();
    command.map_or(true, |output| output.status.success())
}
