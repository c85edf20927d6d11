//! Tests with a component that hunts for the key, at a server that repeats the key in every answer.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use smp_host::http::origin::Origin;
use smp_host::http::policy::Grants;
use smp_host::live::{LiveClient, LiveOptions};
use smp_host::settings::{SecretText, Settings};
use smp_tests::harness::{KEY_VARIABLE, Run, test_component};

use crate::echo::{Echo, Manner};
use crate::search::{
    KEY, assert_files_without_key, assert_streams_without_key, assert_without_key,
};
use crate::setup::{Setup, and_another_tenant_is_served};

const MANNERS: [Manner; 4] =
    [Manner::Data, Manner::Escaped, Manner::Error(400), Manner::Error(401)];
const STARS: &str = "****************";

#[test]
fn nothing_that_it_hands_over_or_logs_has_the_key_in_it() {
    for attack in ["", "path"] {
        for manner in MANNERS {
            let server = Echo::start(manner);
            let stage = hunting(&server, attack);
            let came = [
                format!("{:?}", stage.validate()),
                format!("{:?}", stage.connect()),
                format!("{:?}", stage.collect()),
            ];
            let logged = stage.heard.lines();
            assert!(server.repeated() > 0, "{attack} {manner:?}: the key was not sent");
            assert!(
                logged.iter().any(|line| line.contains(STARS)),
                "{attack} {manner:?}: no answer was heard: {logged:?}"
            );
            assert!(
                attack == "path" || came.iter().all(|text| text.contains("*")),
                "{manner:?}: nothing was passed on: {came:?}"
            );
            for text in came.iter().chain(&logged) {
                assert_without_key("what it hands over", text);
            }
        }
    }
    and_another_tenant_is_served();
}

#[test]
fn nothing_that_the_command_writes_has_the_key_in_it() {
    for attack in ["", "path"] {
        for command in ["validate", "connect", "collect", "record"] {
            let (server, folder) = (Echo::start(Manner::Data), tempfile::tempdir().unwrap());
            let ended = talkative(command, folder.path()).args([
                "--upstream",
                &server.url(),
                "--rate",
                "off",
                "--max-wait",
                "0",
            ]);
            let secret = format!("api-key=env:{KEY_VARIABLE}");
            let ended = ended.env(KEY_VARIABLE, KEY).args([
                "--secret",
                &secret,
                "--set",
                "organization-id=acme",
            ]);
            let ended = ended.args(["--set", &format!("attack={attack}")]).end();
            assert!(
                matches!(ended.code, Some(0 | 1)),
                "{command} {attack}: {:?} {}",
                ended.code,
                ended.stderr
            );
            assert!(
                server.repeated() > 0 && ended.stderr.contains(STARS),
                "{command} {attack}: {}",
                ended.stderr
            );
            assert_streams_without_key(command, &ended);
            assert_files_without_key(folder.path());
        }
    }
}

/// The hunter, with a real client and the key.
fn hunting(server: &Echo, attack: &str) -> Setup {
    let mut stage = Setup::attacking("key-hunter", attack);
    let values = stage
        .checked
        .public
        .iter()
        .map(|setting| (setting.key.clone(), setting.value.clone()))
        .collect();
    let secrets = [("api-key".to_owned(), SecretText::new(KEY.to_owned()))].into();
    stage.checked = Settings { values, secrets }.check(stage.plugin.descriptor(), true).unwrap();
    let origin = Origin::parse(&server.url()).unwrap();
    stage.grants = Grants::reading(origin.clone(), stage.plugin.descriptor());
    let options = LiveOptions {
        timeout: Duration::from_secs(10),
        largest_body: stage.limits.response,
        extra_roots: None,
        system_proxy: false,
        private_network: true,
        ranges: Vec::new(),
        user_agent: String::new(),
    };
    let live =
        LiveClient::new(&options).unwrap().transport(origin, stage.checked.credential.clone());
    stage.answered_by(Arc::new(live))
}

/// A command that writes all its files into this folder, with all of its output.
fn talkative(command: &str, folder: &Path) -> Run {
    fs::create_dir_all(folder).unwrap();
    let run = Run::bare()
        .arg(command)
        .arg(test_component("key-hunter"))
        .arg("--verbose")
        .env("RUST_LOG", "trace");
    match command {
        "collect" => run
            .args(["--format", "ndjson"])
            .file("--output", &folder.join("members"))
            .file("--report", &folder.join("report")),
        "record" => run.arg("--keep-personal-data").file("--output", &folder.join("fixture")),
        _ => run,
    }
}
