//! Tests of `record`: a recording replays to the same result, contains no person's name, and
//! replaces no existing folder.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use smp_tests::harness::{Run, names, read_json};
use smp_tests::mock::{DEFAULT_ORGANIZATION_ID, Mock};

#[test]
fn a_recording_replays_to_the_same_members_and_tells_no_name() {
    let (mock, folder) =
        (Mock::builder().members(150).seed(5).start().unwrap(), tempfile::tempdir().unwrap());
    let fixture = folder.path().join("fixture");
    let recorded = Run::new("record").at(&mock).file("--output", &fixture).args(["--json"]).end();
    assert_eq!(
        (recorded.code, &recorded.json()["ready"], &recorded.json()["members"]),
        (Some(0), &json!(true), &json!(150)),
        "{recorded:?}"
    );
    let replay = |command: &str| Run::new(command).file("--fixture", &fixture);
    let validated = replay("validate").args(["--json"]).end();
    assert_eq!(
        (validated.code, &validated.json()["ready"]),
        (Some(0), &json!(true)),
        "{}",
        validated.stderr
    );
    let connected = replay("connect").args(["--json"]).end();
    assert_eq!(
        connected.json(),
        json!({"id": DEFAULT_ORGANIZATION_ID, "name": mock.organization().name}),
        "{}",
        connected.stderr
    );
    let live = Run::new("collect").at(&mock).args(["--format", "ndjson"]).end().lines();
    let replayed = replay("collect").args(["--format", "ndjson"]).end().lines();
    assert_eq!(replayed.len(), live.len());
    for (live, replayed) in live.iter().zip(&replayed) {
        for key in ["role", "products", "last_seen", "status", "kind", "billable"] {
            assert_eq!(live[key], replayed[key], "{key}");
        }
        assert_eq!(live["email"].is_null(), replayed["email"].is_null());
        assert!(
            live["id"] != replayed["id"]
                && (live["email"].is_null() || live["email"] != replayed["email"])
        );
    }
    assert_eq!(personal_in(&fixture, &mock), None);
    assert_eq!(
        replay("collect").args(["--format", "csv"]).end().stdout,
        replay("collect").args(["--format", "csv"]).end().stdout
    );
}

#[test]
fn people_whom_the_connector_did_not_read_are_replaced_and_what_is_kept_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let (case, to) = (folder.path().join("case"), folder.path().join("to"));
    fs::create_dir(&case).unwrap();
    let from = smp_tests::harness::folder("fixtures/members-on-two-pages");
    fs::copy(from.join("settings.json"), case.join("settings.json")).unwrap();
    let mut har = read_json(&from.join("traffic.har"));
    let record = |har: &Value, to: &Path| {
        fs::write(case.join("traffic.har"), har.to_string()).unwrap();
        let ended = Run::new("record").file("--fixture", &case).file("--output", to).end();
        let words = ended.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(ended.code, Some(0), "{words}");
        let texts = files(to).into_iter().map(|path| fs::read_to_string(path).unwrap());
        (words, texts.collect::<String>())
    };
    // An account that the connector cannot read, and fields that it does not know.
    har["log"]["entries"][3]["response"]["content"]["text"] = json!({
        "data": [{
            "account_id": "557058:zoe-quinn", "name": "Zoe Quinnington", "account_type": 7,
            "email": "zoe@acme.test", "job_title": "Chief of Quinnington", "bio": "likes snow",
        }, null],
        "meta": {"total": 1}, "links": {},
    })
    .to_string()
    .into();
    let (words, texts) = record(&har, &to);
    for personal in ["Quinnington", "zoe-quinn", "zoe@acme"] {
        assert!(!texts.contains(personal), "{personal}: {texts}");
    }
    assert!(texts.contains("likes snow"), "{texts}");
    assert!(words.contains("fields of people were kept: ") && words.contains("`bio`"), "{words}");
    assert!(words.contains("Look through `traffic.har`"), "{words}");
    har["log"]["entries"][3]["response"]["content"]["text"] =
        "{\"data\":[{\"name\":\"Zoe Quinnington\"".into();
    let (words, texts) = record(&har, &folder.path().join("cut"));
    assert!(texts.contains("Quinnington"), "{texts}");
    let left = "1 answer could not be read: names of other people in there stay";
    assert!(words.contains(left), "{words}");
    // JSON, and of a shape that the connector does not know.
    har["log"]["entries"][3]["response"]["content"]["text"] =
        r#"{"users":[{"displayName":"Zanzibar Quillfeather"}]}"#.into();
    let (words, texts) = record(&har, &folder.path().join("odd"));
    assert!(texts.contains("Quillfeather"), "{texts}");
    assert!(words.contains(left), "{words}");
    // A refusal, and a page that tells what went wrong beside the members.
    for (status, text) in [
        (400, r#"{"detail":"Zanzibar Quillfeather may not read this"}"#),
        (200, r#"{"data":[],"meta":{},"errors":[{"detail":"Zanzibar Quillfeather left"}]}"#),
    ] {
        har["log"]["entries"][3]["response"]["status"] = status.into();
        har["log"]["entries"][3]["response"]["content"]["text"] = text.into();
        let (words, texts) = record(&har, &folder.path().join(status.to_string()));
        assert!(texts.contains("Quillfeather"), "{texts}");
        assert!(words.contains(left), "{words}");
    }
}

#[test]
fn personal_data_is_kept_when_it_is_asked_for_and_the_key_never() {
    let (mock, folder) =
        (Mock::builder().members(30).start().unwrap(), tempfile::tempdir().unwrap());
    let fixture = folder.path().join("fixture");
    let recorded = Run::new("record")
        .at(&mock)
        .file("--output", &fixture)
        .args(["--keep-personal-data"])
        .end();
    assert_eq!(recorded.code, Some(0), "{}", recorded.stderr);
    assert_eq!(personal_in(&fixture, &mock), Some(mock.expected_members()[0].account_id.clone()));
    let live = Run::new("collect").at(&mock).args(["--format", "ndjson"]).end();
    assert_eq!(
        Run::new("collect").file("--fixture", &fixture).args(["--format", "ndjson"]).end().stdout,
        live.stdout
    );
}

#[test]
fn a_recording_never_writes_over_what_is_there() {
    let (mock, folder) =
        (Mock::builder().members(25).page_size(10).start().unwrap(), tempfile::tempdir().unwrap());
    let fixture = folder.path().join("fixture");
    fs::create_dir(&fixture).unwrap();
    fs::write(fixture.join("mine.txt"), "mine").unwrap();
    for (path, left) in
        [(fixture.clone(), vec!["mine.txt"]), (fixture.join("mine.txt"), vec!["mine.txt"])]
    {
        let ended = Run::new("record").at(&mock).file("--output", &path).args(["--json"]).end();
        assert_eq!(
            (ended.code, ended.stdout.as_str(), names(&fixture)),
            (Some(1), "", left.iter().map(ToString::to_string).collect())
        );
        ended.said("output");
    }
    assert_eq!(
        (mock.requests(), fs::read_to_string(fixture.join("mine.txt")).unwrap()),
        (0, "mine".to_owned())
    );
}

#[test]
fn a_run_that_gave_up_sooner_than_a_replay_would_tells_its_own_failure() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("case");
    // Nothing listens there any longer.
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let url = format!("http://{nobody}");
    let mock = Mock::builder().start().unwrap();
    let run = Run::new("record").for_organization_of(&mock).args(["--upstream", &url]);
    let ended = run.args(["--max-wait", "1", "--json"]).file("--output", &to).end();
    assert_eq!((ended.code, ended.stdout.as_str(), to.exists()), (Some(1), "", false));
    let said = ended.said("upstream");
    assert!(said.starts_with("nothing is kept, because the run ended in a way"), "{said}");
    assert!(said.contains("connection") && !said.contains("further answer"), "{said}");
}

#[test]
fn what_a_new_outcome_of_a_case_changes_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let case = copied("members-on-two-pages", folder.path());
    let record = |to: &str, more: &[&str]| {
        let run = Run::new("record").file("--fixture", &case);
        run.file("--output", &folder.path().join(to)).args(more).end()
    };
    let same = record("same", &["--keep-personal-data"]);
    let file = case.join("expected.json");
    let words = format!("The outcome is that of {}.\n", file.display());
    assert!(same.stderr.ends_with(&words), "{}", same.stderr);
    // As a connector with a misspelt name reads them.
    let traffic = case.join("traffic.har");
    let har = fs::read_to_string(&traffic).unwrap();
    fs::write(&traffic, har.replace("\\\"email\\\"", "\\\"emial\\\"")).unwrap();
    let other = record("other", &["--keep-personal-data"]);
    let words = format!("What it changes in {}:\n  no member has `email` any", file.display());
    assert!(other.stderr.contains(&words), "{}", other.stderr);
    let scripts = record("scripts", &["--keep-personal-data", "--json"]).json();
    let first = scripts["changes"][0].as_str().unwrap();
    assert!(first.starts_with("no member has `email` any longer: "), "{scripts}");
    // Made-up people are no change of the connector's.
    assert_eq!(record("made-up", &["--json"]).json()["changes"], Value::Null);
    // With what was renewed without a look at it, the check tells the same by itself.
    let ended = Run::new("check")
        .file("--fixtures", &folder.path().join("other"))
        .args(["--partial", "--json"])
        .end();
    let verdict = ended.json();
    let rules = verdict["rules"].as_array().unwrap();
    let note = rules.iter().find(|rule| rule["id"] == "fields-filled").unwrap();
    assert_eq!((ended.code, &note["outcome"]), (Some(0), &json!("note")), "{verdict}");
    let said = note["message"].as_str().unwrap();
    assert!(said.starts_with("no member has an e-mail address, and "), "{said}");
    assert!(said.contains("/emial`"), "{said}");
}

/// A copy of a fixture, in a folder of this name.
fn copied(name: &str, to: &Path) -> PathBuf {
    let (from, case) = (smp_tests::harness::folder("fixtures").join(name), to.join(name));
    fs::create_dir(&case).unwrap();
    for file in names(&from) {
        fs::copy(from.join(&file), case.join(&file)).unwrap();
    }
    case
}

#[test]
fn a_wider_limit_counts_for_what_is_expected_of_a_recording_too() {
    let folder = tempfile::tempdir().unwrap();
    let (large, again) = (folder.path().join("large"), folder.path().join("again"));
    fs::create_dir(&large).unwrap();
    let from = smp_tests::harness::folder("fixtures/members-on-two-pages");
    fs::copy(from.join("settings.json"), large.join("settings.json")).unwrap();
    let mut har = read_json(&from.join("traffic.har"));
    // A page beyond the usual 8 MiB.
    let text = &mut har["log"]["entries"][3]["response"]["content"]["text"];
    *text = format!("{}{}", text.as_str().unwrap(), " ".repeat(9 << 20)).into();
    fs::write(large.join("traffic.har"), har.to_string()).unwrap();
    let record = |limits: &[&str], to: &Path| {
        let limits = limits.iter().flat_map(|limit| ["--limit", limit]);
        Run::new("record")
            .file("--fixture", &large)
            .file("--output", to)
            .arg("--json")
            .args(limits)
            .end()
            .json()
    };
    assert!(
        record(&[], &folder.path().join("usual"))["error"]["message"]
            .as_str()
            .unwrap()
            .contains("large")
    );
    let recorded = record(&["response=16MiB"], &again);
    assert_eq!(recorded["error"], Value::Null);
    let expected = read_json(&again.join("expected.json"));
    assert_eq!(
        (&expected["collect"]["error"], &expected["collect"]["outcome"]),
        (&Value::Null, &json!("complete"))
    );
    assert_eq!(
        (&expected["collect"]["members"], expected["collect"]["rows"].as_array().unwrap().len()),
        (&recorded["members"], 5)
    );
}

#[test]
fn a_tighter_limit_counts_where_a_recording_is_expected_and_checked() {
    let (mock, folder) =
        (Mock::builder().members(25).page_size(10).start().unwrap(), tempfile::tempdir().unwrap());
    let fixture = folder.path().join("fixture");
    let recorded = Run::new("record")
        .at(&mock)
        .file("--output", &fixture)
        .args(["--json", "--limit", "pages=1"])
        .end();
    assert_eq!(
        (recorded.code, &recorded.json()["error"]["code"]),
        (Some(0), &json!("limit")),
        "{}",
        recorded.stderr
    );
    assert_eq!(
        read_json(&fixture.join("expected.json"))["collect"]["error"]["code"],
        json!("limit")
    );
    for (limits, outcome) in [(&["--limit", "pages=1"][..], "passed"), (&[], "failed")] {
        let checked =
            Run::new("check").file("--fixtures", &fixture).arg("--json").args(limits).end().json();
        let sound = checked["rules"]
            .as_array()
            .unwrap()
            .iter()
            .find(|rule| rule["id"] == "fixtures-sound")
            .unwrap();
        assert_eq!(sound["outcome"], outcome, "{limits:?}: {sound}");
    }
}

#[test]
fn a_recording_passes_the_check_as_it_is() {
    const DIRECTORIES: &str = "POST /admin/v2/orgs/{organization-id}/directories/-/users/search";
    const WORKSPACES: &str = "POST /admin/v2/orgs/{organization-id}/workspaces";
    // Members, domains and product sites on several pages each.
    let mock = Mock::builder().members(12).page_size(2).start().unwrap();
    for people in ["managed", "everyone"] {
        let folder = tempfile::tempdir().unwrap();
        let case = folder.path().join("case");
        let run = Run::new("record").at(&mock).file("--output", &case);
        let run = run.args(["--set", &format!("people={people}")]);
        let ended = run.args(["--grant", DIRECTORIES, "--grant", WORKSPACES]).end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let checked = Run::new("check").file("--fixtures", &case).arg("--json").end().json();
        let rules = checked["rules"].as_array().unwrap();
        let failed: Vec<&str> = rules
            .iter()
            .filter(|rule| rule["outcome"] == "failed")
            .map(|rule| rule["id"].as_str().unwrap())
            .collect();
        // One recording calls the endpoints of its settings alone.
        assert_eq!(failed, ["endpoints-covered"], "{people}");
    }
}

#[test]
fn a_fixture_asks_for_no_secret_and_one_that_is_missing_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["validate", "connect", "collect"] {
        let missing = folder.path().join("missing");
        let ended = Run::new(command).file("--fixture", &missing).args(["--json"]).end();
        assert_eq!(ended.code, Some(1));
        assert!(ended.said("fixture").contains(missing.to_str().unwrap()));
    }
}

/// The first key or personal value that is found in the folder's bytes.
fn personal_in(folder: &Path, mock: &Mock) -> Option<String> {
    let mut personal = vec![mock.key().to_owned()];
    for member in mock.expected_members() {
        personal.push(member.account_id.clone());
        personal.extend(member.email().map(str::to_owned));
        // The name of an app is a product's, and `null` is a word of every file.
        if member.is_person() && member.name.trim().len() > 4 {
            let escaped = serde_json::to_string(member.name.trim()).unwrap();
            let twice = serde_json::to_string(&escaped).unwrap();
            personal.extend(
                [member.name.trim().to_owned(), escaped, twice]
                    .map(|name| name.trim_matches(['"', '\\']).to_owned()),
            );
        }
    }
    let texts: Vec<String> = files(folder)
        .iter()
        .map(|path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned())
        .collect();
    personal.into_iter().find(|value| texts.iter().any(|text| text.contains(value.as_str())))
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
