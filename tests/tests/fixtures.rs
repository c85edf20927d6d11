//! Plays every fixture, and compares the connector's outcome with its `expected.json`.
//!
//! `BLESS=1` replaces the expected outcomes; review the difference before you commit it.
//! `fixtures/README.md` explains how a case is made. `fixture_table` lists which case shows which
//! situation, and the code that it ends with.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod fixture_table;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use base64::Engine as _;
use serde_json::Value;
use smp_tests::cases::{Cases, text};
use smp_tests::harness;

use fixture_table::{COMPLETE, READY, TABLE};

/// Words of a hint that say to come back with nothing changed.
const COME_BACK: [&str; 4] = [
    "Try again later",
    "Start the collection again",
    "Collect again later",
    "Collect again in a few minutes",
];

/// Every test plays the same loaded component.
static CASES: LazyLock<Cases> =
    LazyLock::new(|| Cases::new(harness::component(), harness::folder("fixtures")));

#[test]
fn every_fixture_comes_out_as_expected() {
    CASES.assert_as_expected();
}

#[test]
fn the_same_traffic_gives_the_same_bytes() {
    for name in names().into_iter().rev() {
        assert_eq!(text(&played(&name)), text(&played(&name)), "{name}");
    }
}

#[test]
fn every_row_of_the_table_ends_in_its_own_code_and_says_what_to_do() {
    for row in TABLE {
        for case in row.cases {
            let (name, expected) = case.ends_in(row.code);
            let came = played(name);
            let ends = [
                Ended::of_validate(&came),
                Ended::of_list(&came["collect"]),
                Ended::of_list(&came["usage"]),
            ];
            let codes = ends.each_ref().map(|end| end.code.as_str());
            assert_eq!(codes, expected, "{name}, a case of “{}”", row.situation);
            for end in ends.into_iter().filter(|end| end.code == row.code && row.code != COMPLETE) {
                for said in row.says {
                    assert!(end.text.contains(said), "{name} does not say “{said}”: {}", end.text);
                }
                assert!(!end.hint.is_empty(), "{name} has no hint");
            }
        }
    }
}

#[test]
fn every_fixture_is_in_the_table() {
    let told: BTreeSet<String> =
        TABLE.iter().flat_map(|row| row.cases).map(|case| case.ends_in("").0.to_owned()).collect();
    assert_eq!(told, names().into_iter().collect());
}

#[test]
fn what_can_be_taken_up_again_says_so_in_its_hint_and_nothing_else_does() {
    let mut held = 0;
    for name in names() {
        let came = played(&name);
        for end in failed_check(&came).into_iter().chain([error(&came), &came["usage"]["error"]]) {
            let Some(hint) = end["hint"].as_str() else { continue };
            // The rest is about the domains, and mends nothing.
            let hint = hint.split("To have the domains looked up:").next().unwrap_or_default();
            let passes = COME_BACK.iter().any(|words| hint.contains(words));
            assert_eq!(end["retryable"], Value::Bool(passes), "{name}: {end}");
            held += 1;
        }
    }
    assert!(held > 60, "only {held}");
    let waits = [
        "too-many-requests-for-an-hour",
        "too-many-requests-on-the-second-page",
        "service-back-in-two-hours",
    ];
    assert_eq!(
        waits.map(|name| error(&played(name))["retry_after_s"].as_u64()),
        [Some(3600), Some(1800), Some(7200)]
    );
}

#[test]
fn nothing_that_is_said_about_an_answer_repeats_it() {
    for name in names() {
        let came = played(&name);
        let said = format!("{} {} {}", came["validate"], error(&came), came["usage"]["error"]);
        // Texts in the bodies of the cases: addresses, pages, and the service's error messages.
        for part in [
            "@",
            "<",
            "Okafor",
            "sign in:",
            "requestId",
            "Too many requests",
            "match any route",
            "allowed to manage",
        ] {
            assert!(!said.contains(part), "{name} repeats “{part}”: {said}");
        }
    }
}

#[test]
fn no_fixture_holds_a_key_or_the_address_of_somebody_who_could_be_real() {
    for name in names() {
        for (file, text) in texts(&folder(&name)) {
            assert_eq!(keys(&text), [""; 0], "{}", file.display());
            let real: Vec<_> =
                addresses(&text).into_iter().filter(|address| !is_made_up(address)).collect();
            assert_eq!(real, [""; 0], "{}", file.display());
        }
    }
}

#[test]
fn a_key_and_a_real_address_would_be_found() {
    assert_eq!(keys(&format!("x {}T3xFfGN0abcd=12 ATCTT3xFf", "ATCT")), ["ATCTT3xFfGN0abcd=12"]);
    assert_eq!(
        addresses(r#"{"email":"jane.doe@acme.com"}, <b@x.example>"#),
        ["acme.com", "x.example"]
    );
    let rows = [
        ("example.com", true),
        ("a.example", true),
        ("bücher.example", true),
        ("a.test", true),
        ("acme.com", false),
        ("example.de", false),
    ];
    for (domain, made_up) in rows {
        assert_eq!(is_made_up(domain), made_up, "{domain}");
    }
}

/// The end of one half of a case, in a word, with its texts.
struct Ended {
    code: String,
    text: String,
    hint: String,
}

impl Ended {
    fn of_validate(came: &Value) -> Self {
        match failed_check(came) {
            Some(check) => Self::failed(check),
            None if came["validate"]["ready"] == true => Self::well(READY),
            None => Self::well("not ready"),
        }
    }

    /// The end of a list; none has an empty code.
    fn of_list(list: &Value) -> Self {
        match &list["error"] {
            Value::Null => Self::well(list["outcome"].as_str().unwrap_or_default()),
            failure => Self::failed(failure),
        }
    }

    fn failed(failure: &Value) -> Self {
        let word = |key: &str| failure[key].as_str().unwrap_or_default().to_owned();
        Self {
            code: word("code"),
            text: format!("{} {}", word("message"), word("hint")),
            hint: word("hint"),
        }
    }

    fn well(code: &str) -> Self {
        Self { code: code.to_owned(), text: String::new(), hint: String::new() }
    }
}

fn failed_check(came: &Value) -> Option<&Value> {
    came["validate"]["checks"].as_array().unwrap().iter().find(|check| check["outcome"] == "failed")
}

fn error(came: &Value) -> &Value {
    &came["collect"]["error"]
}

fn played(name: &str) -> Value {
    CASES.played(name)
}

fn folder(name: &str) -> PathBuf {
    CASES.folder(name)
}

fn names() -> Vec<String> {
    CASES.names()
}

/// Every text of a fixture: its files, and the encoded bodies in them.
fn texts(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            texts.extend(self::texts(&path));
            continue;
        }
        // An unfinished file, while another test blesses.
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        if let Ok(json) = serde_json::from_slice::<Value>(&bytes) {
            for content in json["log"]["entries"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|entry| &entry["response"]["content"])
            {
                if content["encoding"] == "base64" {
                    let body = base64::engine::general_purpose::STANDARD
                        .decode(content["text"].as_str().unwrap())
                        .unwrap();
                    texts.push((path.clone(), String::from_utf8_lossy(&body).into_owned()));
                }
            }
        }
        texts.push((path, String::from_utf8_lossy(&bytes).into_owned()));
    }
    texts
}

/// Texts that look like a key of the vendor: a known prefix, followed by more than eight characters
/// of a key.
fn keys(text: &str) -> Vec<&str> {
    let of_key =
        |character: char| character.is_ascii_alphanumeric() || "+/=_.-".contains(character);
    let starts = ["ATCTT", "ATATT"].into_iter().flat_map(|prefix| text.match_indices(prefix));
    let runs = starts
        .map(|(start, _)| text[start..].split(|character| !of_key(character)).next().unwrap());
    runs.filter(|run| run.len() > "ATCTT".len() + 8).collect()
}

/// The domains of all texts that look like an e-mail address.
fn addresses(text: &str) -> Vec<&str> {
    let of_domain = |character: char| character.is_alphanumeric() || "-.".contains(character);
    let domains = text
        .match_indices('@')
        .map(|(at, _)| text[at + 1..].split(|character| !of_domain(character)).next().unwrap());
    domains.map(|domain| domain.trim_end_matches('.')).filter(|domain| !domain.is_empty()).collect()
}

/// Whether a domain is reserved for examples.
fn is_made_up(domain: &str) -> bool {
    let kept = ["example.com", "example.org", "example.net"];
    let top = domain.rsplit('.').next().unwrap();
    // Where Atlassian has the addresses of service accounts, which belong to no person.
    domain == "serviceaccount.atlassian.com"
        || ["example", "test", "invalid"].contains(&top)
        || kept.iter().any(|kept| domain == *kept || domain.ends_with(&format!(".{kept}")))
}
