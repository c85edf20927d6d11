//! Tests that a malformed Organization ID is refused before a request, by every command alike, with
//! the setting and a way out.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;

use serde_json::{Value, json};
use smp_tests::harness::Run;

const ID: &str = "1f7c2a9e-5b3d-4e8f-a6c1-g7h8j9k0m2n4";
const MISSING: &str = "The Organization ID is missing.";
const CHARACTERS: &str =
    "The Organization ID holds other characters than letters, digits and hyphens.";
const ADDRESS: &str = "The Organization ID field holds an address or a path, not the id alone.";
const KEY: &str = "the value in the field Organization ID looks like a key, which belongs in the \
                   field Api Key";
const BESIDE_THE_KEY: &str = "You find the Organization ID beside the key";

#[test]
fn a_malformed_organization_id_is_refused_without_a_request() {
    let too_long = ID.repeat(4);
    let rows: [(Option<&str>, &str, &str); 12] = [
        (None, MISSING, BESIDE_THE_KEY),
        (Some(""), MISSING, BESIDE_THE_KEY),
        (Some("   "), MISSING, BESIDE_THE_KEY),
        (Some("Acme Instruments"), CHARACTERS, "not the name of the organization"),
        (Some("acme.atlassian.test"), CHARACTERS, "nor a site"),
        (Some("https://acme.atlassian.test/wiki"), ADDRESS, "Enter the id alone."),
        (Some(&format!("https://admin.atlassian.com/o/{ID}/users")), ADDRESS, ID),
        (Some(&format!("{ID}/users")), ADDRESS, "Enter the id alone."),
        (Some("ATCTT3xFfGN0"), KEY, "Put the key into the field Api Key."),
        (Some("ATATT3xFfGN0"), KEY, "Put the key into the field Api Key."),
        (Some("Authorization: Bearer ATCTT3xFfGN0"), KEY, "Put the key into the field Api Key."),
        (
            Some(&too_long),
            "The Organization ID is too long to be one.",
            "Enter the id and nothing else.",
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    // There is no answer: a request would fail as a fault of the fixture.
    let har = json!({"log": {
        "version": "1.2", "creator": {"name": "by hand", "version": "1"}, "entries": [],
    }});
    fs::write(folder.path().join("traffic.har"), har.to_string()).unwrap();
    for (value, message, hint) in rows {
        let settings = value.map_or(json!({}), |value| json!({"organization-id": value}));
        fs::write(folder.path().join("settings.json"), settings.to_string()).unwrap();
        let run = |command| Run::new(command).file("--fixture", folder.path()).arg("--json").end();
        let validated = run("validate");
        assert_eq!(validated.code, Some(1), "{value:?}");
        let validation: Value = serde_json::from_str(&validated.stdout).unwrap();
        let checks = validation["checks"].as_array().unwrap();
        let failed: Vec<&Value> =
            checks.iter().filter(|check| check["outcome"] == "failed").collect();
        assert_eq!((validation["ready"].as_bool(), failed.len()), (Some(false), 1), "{value:?}");
        let ends = [failed[0].clone(), run("connect").error(), run("collect").error()];
        for end in ends {
            assert_eq!(end["code"], "invalid-settings", "{value:?}: {end}");
            assert_eq!(end["setting"], "organization-id", "{value:?}: {end}");
            assert_eq!(end["retryable"], false, "{value:?}: {end}");
            assert_eq!(end["message"], message, "{value:?}");
            assert!(end["hint"].as_str().unwrap().contains(hint), "{value:?}: {end}");
        }
    }
}
