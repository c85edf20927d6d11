//! Tests of the texts for people: a connector inspected, its guide, and the help of each command.

use std::fs;

use serde_json::json;
use sha2::{Digest, Sha256};
use smp_tests::harness::{Run, component};

#[test]
fn a_connector_is_inspected_for_scripts_and_for_people() {
    let inspected = Run::new("inspect").args(["--json"]).end().json();
    let bytes = fs::read(component()).unwrap();
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        (&inspected["size_bytes"], &inspected["digest"]),
        (&json!(bytes.len()), &json!(format!("sha256:{digest}")))
    );
    let descriptor = &inspected["descriptor"];
    assert_eq!(
        (&descriptor["id"], &descriptor["status"], &descriptor["integration_type"]),
        (&json!("atlassian-cloud"), &json!("General Availability"), &json!("api"))
    );
    let text = Run::new("inspect").end().stdout;
    for word in [
        "smp:connector/http@0.2.0",
        "smp:connector/log@0.2.0",
        "https://api.atlassian.com/admin/v1/orgs",
        &digest,
        "Api Key",
    ] {
        assert!(text.contains(word), "`{word}` is missing: {text}");
    }
    assert!(!text.contains("wasi:") && !text.contains("not of the contract"));
}

#[test]
fn the_guide_keeps_every_step() {
    let guide = Run::new("guide").end().stdout;
    let text = guide.split_whitespace().collect::<Vec<_>>().join(" ").replace(['*', '`'], "");
    for phrase in [
        "admin.atlassian.com",
        "verified domain",
        "managed account",
        "Verify your domains",
        "N domains N managed accounts",
        "Settings",
        "API keys",
        "Create API key",
        "read:orgs:admin",
        "read:accounts:admin",
        "read:domains:admin",
        "cannot be added later",
        "a name",
        "longest expiration date",
        "one year",
        "one week",
        "Organization ID",
        "API Key",
        "Note down",
        "once",
        "Directory > Domains",
        "improved user management experience",
        "Settings > Domains",
        "DNS TXT",
        "HTTPS",
        "days",
        "green VERIFIED",
        "claim",
        "at least one",
        "Integrate",
        "Api Key",
        "organization admin",
        "site admin",
        "number of users",
        "General Availability",
        "ATCTT",
        "ATATT",
        "last seen",
        "24 hours",
    ] {
        assert!(text.contains(phrase), "`{phrase}` is missing: {guide}");
    }
    let headings: Vec<&str> = guide.lines().filter(|line| line.starts_with('#')).collect();
    assert!(headings.len() >= 5 && headings[0].starts_with("# "), "{headings:?}");
}

#[test]
fn the_help_of_every_command_names_its_options() {
    let source = [
        "--settings",
        "--set",
        "--secret",
        "--fixture",
        "--upstream",
        "--ca-file",
        "--allow-origin",
        "--rate",
        "--max-wait",
        "--timeout",
        "--json",
    ];
    let collect = ["--format", "--output", "--checkpoint", "--report"];
    for (command, options) in [
        ("inspect", vec!["--json"]),
        ("validate", source.to_vec()),
        ("connect", source.to_vec()),
        ("collect", [&source[..], &collect].concat()),
        ("guide", vec!["CONNECTOR.wasm"]),
        ("record", [&source[..], &["--output"]].concat()),
    ] {
        let help = Run::bare().args([command, "--help"]).end().stdout;
        for option in options {
            assert!(help.contains(option), "{command}: `{option}` is missing: {help}");
        }
        for default in ["900", "60"].iter().filter(|_| help.contains("--max-wait")) {
            assert!(help.contains(&format!("[default: {default}]")), "{command}: {help}");
        }
    }
}
