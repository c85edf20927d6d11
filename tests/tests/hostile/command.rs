//! Tests of the real command with hostile components: it ends in time, with its own exit code and a
//! failure that scripts can read.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use smp_tests::harness::{Ended, Run, test_component};

use crate::made;

#[test]
fn whatever_a_component_does_the_command_ends_with_a_failure_of_its_own() {
    let quick = &["--limit", "cpu=200ms"][..];
    let rows: &[(&str, &str, &str, &[&str], &str)] = &[
        ("validate", "endless-loop", "", quick, "limit"),
        ("collect", "endless-loop", "", quick, "limit"),
        ("inspect", "endless-describe", "", quick, "limit"),
        ("guide", "endless-describe", "", quick, "limit"),
        (
            "connect",
            "endless-host-calls",
            "",
            &["--limit", "cpu=200ms", "--limit", "requests=1"],
            "limit",
        ),
        ("connect", "deep-recursion", "", &[], "limit"),
        ("collect", "deep-recursion", "", &[], "trap"),
        ("collect", "memory-bomb", "greed", &[], "limit"),
        ("collect", "handle-bomb", "", &[], "limit"),
        ("collect", "giant-list", "200000", &[], "limit"),
        ("collect", "giant-texts", "name", &[], "limit"),
        ("connect", "giant-texts", "message", &[], "limit"),
        ("inspect", "giant-descriptor", "", &[], "limit"),
        ("collect", "other-paths", "/v1/orgs/globex/people", &[], "denied"),
        ("validate", "posts", "", &[], "denied"),
        ("collect", "lying-descriptor", "", &[], "denied"),
        ("collect", "endless-pages", "circle", &[], "unexpected-response"),
        ("collect", "endless-pages", "news", &["--limit", "pages=100"], "limit"),
        ("validate", "traps", "", &[], "trap"),
        ("connect", "traps", "", &[], "trap"),
        ("collect", "traps", "", &[], "trap"),
        ("inspect", "trap-in-describe", "", &[], "trap"),
        ("collect", "panics", "", &[], "trap"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (command, component, attack, options, code) in rows {
        let began = Instant::now();
        let run = on_fixture(command, component, attack, folder.path()).args(*options);
        let ended = if *command == "guide" { run.end() } else { run.arg("--json").end() };
        let what = format!("{command} {component} {attack}: {:?} {}", ended.code, ended.stderr);
        assert_eq!(ended.code, Some(1), "{what}");
        if *command != "guide" {
            assert_eq!(code_of(&ended), *code, "{what}");
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{what}");
    }
}

#[test]
fn a_file_that_is_no_component_ends_every_command_with_a_failure_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("core module", made::core_module()),
        (
            "foreign import",
            made::beside_a_dummy("(import \"wasi:cli/environment@0.2.0\" (instance))"),
        ),
        ("cut short", fs::read(test_component("tame")).unwrap()[..10_000].to_vec()),
        ("deep", made::nested(20_000)),
        ("another version", made::dummy_of_another_contract(&[("@0.2.0", "@9.9.9")])),
    ];
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        // A component that is slow to compile is so for each command.
        let commands =
            if name == "deep" { &["inspect"][..] } else { &["inspect", "validate", "collect"] };
        for command in commands.iter().copied() {
            let run = Run::bare().arg(command).arg(&path).arg("--json");
            let run = if command == "inspect" {
                run
            } else {
                run.args(["--set", "organization-id=acme"])
            };
            let ended = run.end();
            assert_eq!(ended.code, Some(1), "{command} {name}: {}", ended.stderr);
            assert_eq!(code_of(&ended), "component", "{command} {name}: {}", ended.stderr);
        }
    }
}

/// A command with a fixture: any number of pages of people, and the organization.
pub(crate) fn on_fixture(command: &str, component: &str, attack: &str, folder: &Path) -> Run {
    let run = Run::bare().arg(command).arg(test_component(component));
    if ["inspect", "guide"].contains(&command) {
        return run;
    }
    let entry = |path: &str| {
        json!({"request": {"method": "GET", "url": format!("https://api.tame.example/v1/orgs/acme{path}")},
               "response": {"status": 200, "content": {"mimeType": "application/json", "text": "{}"}}})
    };
    fs::write(
        folder.join("settings.json"),
        json!({"organization-id": "acme", "attack": attack}).to_string(),
    )
    .unwrap();
    fs::write(
        folder.join("traffic.har"),
        json!({"log": {"entries": [entry(""), entry("/people")]}}).to_string(),
    )
    .unwrap();
    run.file("--fixture", folder)
}

/// The code of the failure, wherever the command reports it.
fn code_of(ended: &Ended) -> String {
    let told = match ended.stderr.lines().last() {
        Some(line) if line.starts_with('{') => ended.error()["code"].clone(),
        _ => ended.json()["checks"][0]["code"].clone(),
    };
    told.as_str().unwrap_or_default().to_owned()
}
