//! Tests with files that are not connectors: the rules on the file say so, and everything else is
//! skipped.

use smp_tests::harness::{Ended, Run, test_component};

use crate::setup::{finding, rule, with_outcome};

const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

#[test]
fn what_is_no_connector_fails_the_rule_on_what_it_is_not() {
    for (bytes, id, told) in [
        (b"".to_vec(), "is-a-component", "the file is empty"),
        (b"#!/bin/sh".to_vec(), "is-a-component", "the file is not WebAssembly"),
        (
            b"\0asm\x01\0\0\0".to_vec(),
            "is-a-component",
            "the file is a core WebAssembly module, not a component",
        ),
        ([COMPONENT, b"\xff\xff"].concat(), "compiles", ""),
        (COMPONENT.to_vec(), "keeps-to-the-contract", "it does not export the connector interface"),
        (
            importing("wasi:cli/environment@0.2.0"),
            "keeps-to-the-contract",
            "it imports interfaces that the contract does not define: wasi:cli/environment@0.2.0",
        ),
    ] {
        let ended = check(&bytes, &[]);
        let (outcome, finding) = finding(&ended, id);
        assert!(outcome == "failed" && finding.starts_with(told), "{id}: {outcome}, {finding}");
        assert_eq!(with_outcome(&ended, "failed"), [id]);
        assert_eq!((ended.code, ended.json()["connector"].is_null()), (Some(1), true));
        assert!(
            ended.said("component").starts_with(&format!("the rule `{id}` is not kept: {told}")),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("missing.wasm"), folder.path().to_owned()] {
        let ended = Run::bare().args(["check", "--json"]).arg(&path).end();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
        assert!(
            ended.said("component").starts_with(&format!("`{}` cannot be read", path.display())),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn a_file_that_is_too_large_is_a_verdict_too() {
    let large = check(&[COMPONENT, &[0; 100]].concat(), &["--limit", "component=64"]);
    assert_eq!(
        finding(&large, "is-small-enough"),
        ("failed".into(), "it is larger than the 64 bytes that a host accepts".into())
    );
    assert_eq!(rule(&large, "is-a-component")["outcome"], "skipped");
}

#[test]
fn one_that_describes_itself_wrongly_fails_the_rule_on_that() {
    for (component, told) in [
        (
            "sends-in-describe",
            "the connector broke its contract: it sends a request while it describes itself",
        ),
        ("trap-in-describe", "the connector crashed: "),
    ] {
        let ended = Run::bare().args(["check", "--json"]).arg(test_component(component)).end();
        let (outcome, finding) = finding(&ended, "describes-itself");
        assert!(
            outcome == "failed" && finding.starts_with(told),
            "{component}: {outcome}, {finding}"
        );
    }
    let changing =
        Run::bare().args(["check", "--json"]).arg(test_component("changing-descriptor")).end();
    assert_eq!(finding(&changing, "describes-itself-the-same").0, "failed");
}

fn check(bytes: &[u8], arguments: &[&str]) -> Ended {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    Run::bare().args(["check", "--json"]).arg(file.path()).args(arguments).end()
}

/// A component that only imports an instance of this name.
fn importing(name: &str) -> Vec<u8> {
    let (length, section) =
        (u8::try_from(name.len()).unwrap(), u8::try_from(name.len() + 5).unwrap());
    let instance_type = [0x07, 0x03, 0x01, 0x42, 0x00];
    [
        COMPONENT,
        &instance_type,
        &[0x0a, section, 0x01, 0x00, length],
        name.as_bytes(),
        &[0x05, 0x00],
    ]
    .concat()
}
