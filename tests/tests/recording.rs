//! `record`: what was recorded replays to the same result, tells nobody's name, and replaces nothing that was there.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use smp_tests::harness::{Run, names};
use smp_tests::mock::{DEFAULT_ORGANIZATION_ID, Mock};

#[test]
fn a_recording_replays_to_the_same_members_and_tells_nobodys_name() {
    let (mock, folder) = (Mock::builder().members(150).seed(5).start().unwrap(), tempfile::tempdir().unwrap());
    let fixture = folder.path().join("fixture");
    let recorded = Run::new("record").at(&mock).file("--output", &fixture).args(["--json"]).end();
    assert_eq!(
        (recorded.code, &recorded.json()["ready"], &recorded.json()["members"]),
        (Some(0), &json!(true), &json!(150)),
        "{recorded:?}"
    );
    let replay = |command: &str| Run::new(command).file("--fixture", &fixture);
    let validated = replay("validate").args(["--json"]).end();
    assert_eq!((validated.code, &validated.json()["ready"]), (Some(0), &json!(true)), "{}", validated.stderr);
    let connected = replay("connect").args(["--json"]).end();
    assert_eq!(connected.json(), json!({"id": DEFAULT_ORGANIZATION_ID, "name": mock.organization().name}), "{}", connected.stderr);
    let live = Run::new("collect").at(&mock).args(["--format", "ndjson"]).end().lines();
    let replayed = replay("collect").args(["--format", "ndjson"]).end().lines();
    assert_eq!(replayed.len(), live.len());
    for (live, replayed) in live.iter().zip(&replayed) {
        for key in ["role", "products", "last_seen", "status", "kind", "billable"] {
            assert_eq!(live[key], replayed[key], "{key}");
        }
        assert_eq!(live["email"].is_null(), replayed["email"].is_null());
        assert!(live["id"] != replayed["id"] && (live["email"].is_null() || live["email"] != replayed["email"]));
    }
    nobody_is_in(&fixture, &mock);
    assert_eq!(replay("collect").args(["--format", "csv"]).end().stdout, replay("collect").args(["--format", "csv"]).end().stdout);
}

#[test]
fn a_recording_never_writes_over_what_is_there() {
    let (mock, folder) = (Mock::builder().members(25).page_size(10).start().unwrap(), tempfile::tempdir().unwrap());
    let fixture = folder.path().join("fixture");
    fs::create_dir(&fixture).unwrap();
    fs::write(fixture.join("mine.txt"), "mine").unwrap();
    for (path, left) in [(fixture.clone(), vec!["mine.txt"]), (fixture.join("mine.txt"), vec!["mine.txt"])] {
        let ended = Run::new("record").at(&mock).file("--output", &path).args(["--json"]).end();
        assert_eq!((ended.code, ended.stdout.as_str(), names(&fixture)), (Some(1), "", left.iter().map(ToString::to_string).collect()));
        ended.said("output");
    }
    assert_eq!((mock.requests(), fs::read_to_string(fixture.join("mine.txt")).unwrap()), (0, "mine".to_owned()));
}

#[test]
fn a_fixture_asks_for_no_secret_and_one_that_is_missing_is_told() {
    for command in ["validate", "connect", "collect"] {
        let ended = Run::new(command).args(["--fixture", "/nonexistent", "--json"]).end();
        assert_eq!(ended.code, Some(1));
        assert!(ended.said("fixture").contains("/nonexistent"));
    }
}

/// No byte of the folder is of the key or of a person.
fn nobody_is_in(folder: &Path, mock: &Mock) {
    let mut personal = vec![mock.key().to_owned()];
    for member in mock.expected_members() {
        personal.push(member.account_id.clone());
        personal.extend(member.email().map(str::to_owned));
        // The name of an app is a product's, and `null` is a word of every file.
        if member.is_person() && member.name.trim().len() > 4 {
            let escaped = serde_json::to_string(member.name.trim()).unwrap();
            let twice = serde_json::to_string(&escaped).unwrap();
            personal.extend([member.name.trim().to_owned(), escaped, twice].map(|name| name.trim_matches(['"', '\\']).to_owned()));
        }
    }
    for path in files(folder) {
        let bytes = fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for value in &personal {
            assert!(!text.contains(value.as_str()), "{value:?} is in {}", path.display());
        }
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
