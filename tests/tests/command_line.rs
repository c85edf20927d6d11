//! Tests of the command's interface for scripts and people: exit codes, texts, formats, files and
//! options.
//!
//! Every test runs the real binary. Faults of the service are in `never_a_false_success`, recording
//! in `recording`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "command_line/lists.rs"]
mod lists;
#[path = "command_line/texts.rs"]
mod texts;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use serde_json::json;
use smp_tests::harness::{Run, component, names};
use smp_tests::mock::{Builder, Mock};

/// Looks like a key, and is in no environment: any occurrence was repeated from the input.
const TYPED: &str = "ATCTTtyped-by-mistake";

#[test]
fn a_wrong_command_line_is_told_in_words_and_sends_nothing() {
    let (mock, folder) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    for (name, text) in [
        ("syntax.toml", format!("organization-id = \"a\"\napi-key = {TYPED}\n")),
        ("number.toml", "organization-id = 17\n".into()),
        ("secret.toml", format!("api-key = \"{TYPED}\"\n")),
        ("unknown.toml", "organisation = \"a\"\n".into()),
        ("no.pem", "no certificate".into()),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let typed = |prefix: &str| format!("{prefix}{TYPED}");
    let rows: &[(&[&str], &[&str])] = &[
        (&["--frobnicate"], &["--frobnicate"]),
        (&[&typed("--api-key=")], &["--api-key"]),
        (&["--api-key", TYPED], &["--api-key"]),
        (&[TYPED], &["unexpected argument"]),
        (&["--set", "organisation=a"], &["`organisation`", "organization-id, api-key"]),
        (
            &["--set", &typed("api-key=")],
            &["secret", "--secret api-key=env:NAME", "consider a new one"],
        ),
        (&["--set", TYPED], &["KEY=VALUE"]),
        (&["--secret", &typed("api-key=")], &["KEY=env:NAME", "KEY=file:PATH"]),
        (&["--secret", TYPED], &["KEY=env:NAME", "KEY=file:PATH"]),
        (
            &["--secret", "organization-id=env:SMP_TEST_KEY"],
            &["`organization-id` is not a secret", "--set organization-id="],
        ),
        (&["--settings", "syntax.toml"], &["`syntax.toml`", "line 2"]),
        (&["--settings", "number.toml"], &["`organization-id`", "quotes"]),
        (&["--settings", "secret.toml"], &["secret", "--secret api-key=env:NAME"]),
        (&["--settings", "unknown.toml"], &["`organisation`"]),
        (&["--checkpoint", "members.checkpoint"], &["--output"]),
        (
            &["--output", "members", "--checkpoint", "c"],
            &["table", "--format csv", "--format ndjson"],
        ),
        (&["--output", "members.json", "--checkpoint", "c"], &["json", "--format ndjson"]),
        (
            &["--output", "members.csv", "--report", "members.csv"],
            &["`--output` and `--report` are the same file"],
        ),
        (
            &["--output", "members.csv", "--report", "./members.csv"],
            &["`--output` and `--report` are the same file"],
        ),
        (
            &["--output", "members.csv", "--checkpoint", "members.csv"],
            &["`--output` and `--checkpoint` are the same file"],
        ),
        (&["--output", ""], &["--output"]),
        (&["--format", "xml"], &["xml", "table", "csv", "ndjson", "json"]),
        (&["--upstream", "http://10.0.0.1"], &["this machine", "https"]),
        (&["--upstream", "http://localhost.example.test"], &["this machine", "https"]),
        (&["--upstream", "https://api.example.test/admin"], &["leave out"]),
        (&["--upstream", &format!("https://me:{TYPED}@api.example.test")], &["leave out"]),
        (&[&format!("--allow-origin=https://me:{TYPED}@api.example.test")], &["leave out"]),
        (&["--upstream", "ftp://127.0.0.1"], &["scheme"]),
        (&["--upstream", "api.example.test"], &["not a URL"]),
        (&["--allow-origin", "https://api.atlassian.com/admin"], &["leave out"]),
        (
            &["--allow-origin"],
            &["a value is required", "Write `--allow-origin https://HOST`, or leave it out."],
        ),
        (
            &["--allow-origin", ""],
            &["'--allow-origin <URL>'", "Write `--allow-origin https://HOST`, or leave it out."],
        ),
        (&["--upstream="], &["Write `--upstream https://HOST`, or leave it out."]),
        (&["--rate", "0"], &["requests a second"]),
        (&["--rate=-1"], &["requests a second"]),
        (&["--rate", "inf"], &["requests a second"]),
        (&["--max-wait", "-1"], &["-1"]),
        (&["--max-wait=-1"], &["seconds", "0"]),
        (&["--max-wait", "NaN"], &["seconds"]),
        (&["--timeout", "0"], &["seconds above 0"]),
        (&["--accept-shortfall", "0"], &["0 is not in 1.."]),
        (&["--accept-shortfall", "some"], &["some"]),
        (
            &["--upstream", "https://127.0.0.1:9", "--ca-file", "no.pem"],
            &["`--ca-file no.pem`", "PEM"],
        ),
        (&["--upstream", &mock.url(), "--fixture", "."], &["--upstream", "--fixture"]),
    ];
    for (arguments, words) in rows {
        for json in [&[][..], &["--json"]] {
            let run = Run::new("collect")
                .for_organization_of(&mock)
                .args(*arguments)
                .args(json)
                .within(folder.path());
            let ended = run.end();
            assert_eq!(
                (ended.code, ended.stdout.as_str()),
                (Some(2), ""),
                "{arguments:?}: {}",
                ended.stderr
            );
            let told =
                if json.is_empty() { ended.stderr.clone() } else { ended.said("invalid-settings") };
            let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
            for word in *words {
                assert!(told.contains(word), "{arguments:?}: `{word}` is missing: {told}");
            }
            assert!(!ended.stderr.contains(TYPED), "{arguments:?}: {}", ended.stderr);
        }
    }
    assert_eq!(mock.requests(), 0);
    assert_eq!(
        names(folder.path()),
        ["no.pem", "number.toml", "secret.toml", "syntax.toml", "unknown.toml"]
    );
}

#[test]
fn what_the_command_line_names_and_is_not_there_is_a_failure_of_one_code() {
    let (mock, folder) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    let rows: &[(&[&str], &str, &str)] = &[
        (&["--secret", "api-key=env:NOT_SET_AT_ALL"], "invalid-settings", "`NOT_SET_AT_ALL`"),
        (&["--secret", "api-key=file:nowhere"], "invalid-settings", "`nowhere`"),
        (&["--settings", "nowhere.toml"], "invalid-settings", "`nowhere.toml`"),
        (&["--settings", "."], "invalid-settings", "`.`"),
        (&["--ca-file", "nowhere.pem"], "invalid-settings", "`nowhere.pem`"),
        (&["--trust", "nowhere.toml"], "invalid-settings", "`nowhere.toml`"),
        (&["--trust", "."], "invalid-settings", "`.`"),
        (&["--output", "nowhere/list"], "output", "`nowhere/list`"),
        (&["--report", "nowhere/report"], "output", "`nowhere/report`"),
        (
            &["--format", "csv", "--output", "list", "--checkpoint", "nowhere/checkpoint"],
            "checkpoint",
            "`nowhere/checkpoint`",
        ),
    ];
    for (arguments, code, words) in rows {
        let run = Run::new("collect").at(&mock).args(*arguments).arg("--json");
        let ended = run.within(folder.path()).end();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{arguments:?}");
        let told = ended.said(code);
        assert!(told.contains(words), "{arguments:?}: {told}");
    }
    let connector = component();
    let connector = connector.to_str().unwrap();
    let others: [(&[&str], &str); 2] =
        [(&["nowhere.wasm"], "component"), (&[connector, "--fixture", "nowhere"], "fixture")];
    for (arguments, code) in others {
        let run = Run::bare().arg("collect").args(arguments).arg("--json");
        let ended = run.within(folder.path()).end();
        assert_eq!(ended.code, Some(1), "{arguments:?}: {}", ended.stderr);
        assert!(ended.said(code).contains("nowhere"), "{arguments:?}: {}", ended.stderr);
    }
    assert_eq!((mock.requests(), names(folder.path())), (0, vec![]));
}

#[test]
fn a_command_that_is_missing_or_unknown_is_wrong_usage_and_help_is_not() {
    for arguments in
        [&[][..], &["frobnicate"], &["inspect"], &["collect"], &["guide", "--json", "x.wasm"]]
    {
        let ended = Run::bare().args(arguments).end();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ended.stderr.contains("Usage"), "{arguments:?}: {}", ended.stderr);
    }
    for arguments in [["--help"], ["--version"], ["help"]] {
        assert_eq!(Run::bare().args(arguments).end().code, Some(0), "{arguments:?}");
    }
}

#[test]
fn an_argument_that_is_no_text_is_wrong_usage() {
    let ended =
        Run::new("collect").arg(OsStr::from_bytes(b"--set=\xff\xfe")).args(["--json"]).end();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
    ended.said("invalid-settings");
}

#[test]
fn settings_and_the_key_come_from_files_and_the_command_line_wins() {
    let (mock, folder) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    let id = &mock.organization().id;
    fs::write(folder.path().join("settings.toml"), "organization-id = \"somebody-elses\"\n")
        .unwrap();
    fs::write(folder.path().join("key.txt"), format!("  {}\r\n", mock.key())).unwrap();
    let source = [
        "--upstream",
        &mock.url(),
        "--settings",
        "settings.toml",
        "--secret",
        "api-key=file:key.txt",
        "--json",
    ];
    let other = Run::new("connect").args(source).within(folder.path()).end();
    assert_eq!(
        (other.code, &other.error()["code"]),
        (Some(1), &json!("not-found")),
        "{}",
        other.stderr
    );
    let own = Run::new("connect")
        .args(source)
        .args(["--set", &format!("organization-id= {id} ")])
        .within(folder.path())
        .end();
    assert_eq!(own.json(), json!({"id": id, "name": mock.organization().name}), "{}", own.stderr);
}

#[test]
fn without_a_terminal_a_missing_secret_is_a_setting_to_correct() {
    let mock = organization().start().unwrap();
    for command in ["validate", "connect", "collect"] {
        let ended = Run::new(command)
            .args(["--upstream", &mock.url(), "--set", "organization-id=a", "--json"])
            .end();
        ended.said("invalid-settings");
        assert_eq!(
            (ended.code, &ended.error()["setting"]),
            (Some(1), &json!("api-key")),
            "{command}"
        );
    }
    assert_eq!(mock.requests(), 0);
}

#[test]
fn a_file_that_is_no_connector_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let core = b"\0asm\x01\0\0\0".to_vec();
    let built = fs::read(component()).unwrap();
    for (name, bytes, words) in [
        ("core.wasm", core, &["core WebAssembly module", "smp-harness seal"][..]),
        ("garbage.wasm", b"<html>no such page</html>".to_vec(), &["not WebAssembly"]),
        ("empty.wasm", Vec::new(), &["empty"]),
        (
            "torn.wasm",
            built[..built.len() / 2].to_vec(),
            &["cannot be compiled", "Build the component again"],
        ),
        ("nowhere.wasm", Vec::new(), &["nowhere.wasm", "make component"]),
    ] {
        let path = folder.path().join(name);
        if name != "nowhere.wasm" {
            fs::write(&path, bytes).unwrap();
        }
        for command in ["inspect", "validate", "collect"] {
            let ended =
                Run::bare().args([command.as_ref(), path.as_os_str(), "--json".as_ref()]).end();
            let told = ended.said("component");
            assert_eq!(
                (ended.code, ended.stdout.is_empty()),
                (Some(1), command != "validate"),
                "{command} {name}"
            );
            assert!(command != "validate" || ended.json()["ready"] == false, "{name}");
            for word in words {
                assert!(told.contains(word), "{command} {name}: `{word}` is missing: {told}");
            }
        }
    }
}

fn organization() -> Builder {
    Mock::builder().members(25).page_size(10)
}
