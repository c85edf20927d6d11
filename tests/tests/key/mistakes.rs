//! Tests of the key in the wrong place: the typed text is refused, and not repeated to a reader of
//! the log.

use std::fs;

use smp_tests::harness::{KEY_VARIABLE, Run};
use smp_tests::mock::Mock;

use crate::search::{KEY, assert_streams_without_key, organization};

/// Runs with these arguments in place of the secret or a setting, and requires a refusal without a
/// request.
fn refused(mock: &Mock, arguments: &[&str], code: i32) {
    for json in [&[][..], &["--json"]] {
        // If the mistake is not about the secret, a secret is given.
        let run = Run::new("validate")
            .env(KEY_VARIABLE, "ATCTTanother-key")
            .args(["--upstream", &mock.url()]);
        let ended = run.args(arguments).args(json).end();
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.stderr);
        assert_streams_without_key(&format!("{arguments:?}"), &ended);
        assert!(!ended.stderr.is_empty() || !ended.stdout.is_empty());
    }
    assert_eq!(mock.requests(), 0);
}

#[test]
fn the_key_in_the_place_of_what_names_it_is_refused_and_not_repeated() {
    let mock = organization().start().unwrap();
    let organization = format!("organization-id={}", mock.organization().id);
    for secret in
        ["api-key=KEY", "api-key=env:KEY", "api-key=file:KEY", "KEY", "KEY=env:HOME", "api-key:KEY"]
    {
        refused(&mock, &["--set", &organization, "--secret", &secret.replace("KEY", KEY)], 2);
    }
}

#[test]
fn the_key_as_a_plain_setting_is_refused_and_not_repeated() {
    let mock = organization().start().unwrap();
    for (setting, code) in
        [("api-key=KEY", 2), ("KEY", 2), ("KEY=1", 2), ("organization-id=KEY", 1)]
    {
        let secret = format!("api-key=env:{KEY_VARIABLE}");
        refused(&mock, &["--set", &setting.replace("KEY", KEY), "--secret", &secret], code);
    }
}

#[test]
fn the_key_as_an_argument_of_its_own_is_refused_and_not_repeated() {
    let mock = organization().start().unwrap();
    for argument in [
        KEY.to_owned(),
        format!("--api-key={KEY}"),
        format!("--rate={KEY}"),
        format!("--allow-origin={KEY}"),
    ] {
        refused(&mock, &[&argument], 2);
    }
    let ended = Run::bare().arg(KEY).end();
    assert_eq!(ended.code, Some(2));
    assert_streams_without_key("the key as a command", &ended);
}

#[test]
fn the_key_as_the_value_of_any_option_is_refused_and_not_repeated() {
    let (mock, folder) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    let settings = folder.path().join("settings.toml");
    fs::write(&settings, "organization-id = \"acme\"\n").unwrap();
    let (settings, secret) = (settings.to_str().unwrap(), format!("api-key=env:{KEY_VARIABLE}"));
    // The other key has no prefix that the connector knows: it is recognized as the given one.
    let odd = "0ddKey9f8e7d6c5b4a39281706f5e4d3c2b1a0uQ";
    for key in [KEY, odd] {
        for option in [
            &["--output", "KEY"][..],
            &["--output=/nonexistent/KEY"],
            &["--report", "KEY"],
            &["--checkpoint", "KEY.json"],
            &["--ca-file", "KEY"],
            &["--settings", "KEY"],
            &["--grant", "KEY"],
            &["--grant", "POST /v1/KEY"],
            &["--limit", "KEY"],
            &["--format", "KEY"],
        ] {
            let option: Vec<String> = option.iter().map(|text| text.replace("KEY", key)).collect();
            for json in [&[][..], &["--json"]] {
                let run = Run::new("collect").env(KEY_VARIABLE, key).within(folder.path());
                let run = run.args(["--settings", settings, "--secret", &secret]);
                let run = run.args(["--upstream", &mock.url()]);
                let ended = run.args(&option).args(json).end();
                // A folder that is not there is found before the connector, which knows its keys.
                let code = if option[0].contains("/nonexistent/") { 1 } else { 2 };
                assert_eq!(ended.code, Some(code), "{option:?}: {}", ended.stderr);
                let said = format!("{}{}", ended.stdout, ended.stderr);
                assert!(!said.contains(&key[8..]), "{option:?}: {said}");
            }
        }
    }
    assert_eq!(mock.requests(), 0);
    // Nothing is known of a connector that is not there.
    let ended = Run::bare().args(["validate", KEY]).end();
    assert_streams_without_key("the key as a connector", &ended);
}

#[test]
fn the_key_in_a_settings_file_is_refused_and_not_repeated() {
    let (mock, folder) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    for text in [
        "api-key = \"KEY\"",
        "KEY = \"x\"",
        "api-key = KEY",
        "KEY",
        "[KEY]\nx = 1",
        "organization-id = [\"KEY\"]",
    ] {
        let path = folder.path().join("settings.toml");
        fs::write(&path, text.replace("KEY", KEY)).unwrap();
        refused(&mock, &["--settings", path.to_str().unwrap()], 2);
    }
}

#[test]
fn a_key_that_cannot_be_one_is_refused_and_not_repeated() {
    let (mock, folder) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    let path = folder.path().join("key");
    let secret = format!("api-key=file:{}", path.display());
    let organization = format!("organization-id={}", mock.organization().id);
    for text in
        [format!("{KEY} {KEY}"), format!("{KEY}\n{KEY}"), format!("ä{KEY}"), KEY.repeat(100)]
    {
        fs::write(&path, text).unwrap();
        refused(&mock, &["--set", &organization, "--secret", &secret], 1);
    }
}

#[test]
fn a_password_in_an_address_is_refused_and_not_repeated() {
    for arguments in [
        &["pull", "ann:hidden@reg.test/name:1"][..],
        &["push", "dist", "https://ann:hid/hidden@reg.test/name:1"],
        &["collect", "connector.wasm", "https://ann:hidden@api.test"],
        &["collect", "connector.wasm", "--upstream", "https://ann:hidden@api.test"],
        &["collect", "connector.wasm", "--format", "https://ann:hidden@api.test"],
    ] {
        for json in [&[][..], &["--json"]] {
            let ended = Run::bare().args(arguments).args(json).end();
            assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
            assert!(ended.stderr.contains("[not shown]"), "{arguments:?}: {}", ended.stderr);
            assert!(!ended.stderr.contains("hid"), "{arguments:?}: {}", ended.stderr);
        }
    }
}
