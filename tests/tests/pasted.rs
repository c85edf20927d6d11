//! Tests of what people paste: what is plain is taken, and anything else is named for what it is
//! before a request, without being repeated.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use smp_tests::harness::{Ended, KEY_VARIABLE, Run};
use smp_tests::mock::{DEFAULT_KEY, Mock};

const ID: &str = "2b4c6d8e-1a2b-3c4d-5e6f-zk9m8n7p6q5r";

fn mock() -> Mock {
    Mock::builder().members(3).start().unwrap()
}

/// A validation with this organization id, and the key in a file with these bytes.
fn with_key_file(mock: &Mock, folder: &Path, bytes: &[u8]) -> Ended {
    let file = folder.join("key");
    fs::write(&file, bytes).unwrap();
    let secret = format!("api-key=file:{}", file.display());
    let organization = format!("organization-id={}", mock.organization().id);
    let run = Run::new("validate").args(["--set", &organization, "--secret", &secret]);
    run.args(["--upstream", &mock.url(), "--rate", "off", "--json"]).end()
}

fn with_id(mock: &Mock, id: &str) -> Ended {
    let (id, secret) = (format!("organization-id={id}"), format!("api-key=env:{KEY_VARIABLE}"));
    let run = Run::new("validate").env(KEY_VARIABLE, mock.key());
    let run = run.args(["--set", &id, "--secret", &secret, "--upstream", &mock.url()]);
    run.args(["--rate", "off", "--json"]).end()
}

fn utf16(text: &str, mark: bool) -> Vec<u8> {
    let mark = mark.then_some(0xfeff);
    mark.into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn a_key_with_a_mark_or_space_around_it_is_taken() {
    let (mock, folder) = (mock(), tempfile::tempdir().unwrap());
    for text in [
        format!("\u{feff}{DEFAULT_KEY}\r\n"),
        format!("\u{a0}{DEFAULT_KEY}\u{a0}"),
        format!("\n {DEFAULT_KEY}\t\n\n"),
        format!("{DEFAULT_KEY}\u{200b}"),
    ] {
        let ended = with_key_file(&mock, folder.path(), text.as_bytes());
        assert_eq!(ended.code, Some(0), "{text:?}: {}", ended.stderr);
    }
}

#[test]
fn a_key_with_anything_else_is_named_for_what_it_is_before_a_request() {
    let (mock, folder) = (mock(), tempfile::tempdir().unwrap());
    for (text, words) in [
        (format!("\"{DEFAULT_KEY}\""), "it is in quotes"),
        (format!("\u{201c}{DEFAULT_KEY}\u{201d}\n"), "it is in quotes"),
        (format!("ATLASSIAN_KEY={DEFAULT_KEY}\n"), "the name of a variable"),
        (format!("export API_KEY='{DEFAULT_KEY}'"), "the name of a variable"),
        (format!("me@acme.example:{DEFAULT_KEY}"), "an e-mail address and a colon"),
        (format!("# of May\n{DEFAULT_KEY}\n"), "a comment in it"),
        (format!("{DEFAULT_KEY}\n{DEFAULT_KEY}"), "more than one line"),
        (format!("Bearer {DEFAULT_KEY}"), "`Bearer`"),
        (format!("ATCTT\u{a0}{DEFAULT_KEY}"), "a no-break space"),
        (format!("ATCTT\u{200b}{DEFAULT_KEY}"), "an invisible character in it, U+200B"),
        (format!("{{\"key\": \"{DEFAULT_KEY}\"}}"), "a piece of JSON"),
        ("\u{2022}".repeat(24), "only stars or dots"),
        ("https://admin.atlassian.com/o/1/api-keys".to_owned(), "the address of a web page"),
        ("ATCTT3x".to_owned(), "fewer than 8 characters"),
        (String::new(), "it is empty"),
    ] {
        let ended = with_key_file(&mock, folder.path(), text.as_bytes());
        let said = ended.said("invalid-settings");
        assert!(ended.code == Some(1) && said.contains(words), "{text:?}: {said}");
        assert!(!ended.stderr.contains(DEFAULT_KEY), "{said}");
    }
    for mark in [true, false] {
        let ended = with_key_file(&mock, folder.path(), &utf16(DEFAULT_KEY, mark));
        let said = ended.said("invalid-settings");
        assert!(ended.code == Some(2) && said.contains("it is UTF-16 text"), "{said}");
    }
    assert_eq!(mock.requests(), 0);
}

#[test]
fn an_organization_id_is_taken_or_named_likewise() {
    let mock = mock();
    let id = &mock.organization().id;
    for pasted in [format!("\u{200b}{id}"), format!(" {id}\u{a0}"), format!("\u{feff}{id}")] {
        assert_eq!(with_id(&mock, &pasted).code, Some(0), "{pasted:?}");
    }
    let before = mock.requests();
    for (pasted, words) in [
        (format!("\"{ID}\""), "it is in quotes"),
        (format!("2b4c6d8e\u{200b}{}", &ID[8..]), "an invisible character in it, U+200B"),
        (format!("ORG_ID={ID}"), "the name of a variable"),
        (format!("ari:cloud:platform::org/{ID}"), "Enter only this part of it"),
        (format!("ari:cloud:platform::site/{ID}"), "such as a site"),
    ] {
        let ended = with_id(&mock, &pasted);
        let said = ended.said("invalid-settings");
        assert!(ended.code == Some(1) && said.contains(words), "{pasted:?}: {said}");
        assert_eq!(ended.error()["setting"], "organization-id");
    }
    assert_eq!(mock.requests(), before);
}

#[test]
fn a_settings_file_may_begin_with_a_mark_and_is_no_utf_16() {
    let (mock, folder) = (mock(), tempfile::tempdir().unwrap());
    let file = folder.path().join("settings.toml");
    let text = format!("organization-id = \"{}\"\n", mock.organization().id);
    let secret = format!("api-key=env:{KEY_VARIABLE}");
    let validate = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        let run = Run::new("validate").file("--settings", &file).env(KEY_VARIABLE, mock.key());
        run.args(["--secret", &secret, "--upstream", &mock.url(), "--json"]).end()
    };
    let ended = validate(format!("\u{feff}{text}").as_bytes());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let said = validate(&utf16(&text, true)).said("invalid-settings");
    assert!(said.contains("it is UTF-16 text"), "{said}");
}

#[test]
fn an_id_that_is_not_found_may_be_that_of_a_site() {
    let mock = mock();
    let said = with_id(&mock, ID).said("not-found");
    assert!(said.contains("the id of a site, which Atlassian calls the cloud ID"), "{said}");
}
