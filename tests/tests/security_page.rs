//! Tests that SECURITY.md names existing tests for its promises, in the files that it states.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;

use smp_tests::harness::{folder, rust_files};

#[test]
fn every_test_that_the_page_names_is_there() {
    let page = fs::read_to_string(folder("../SECURITY.md")).unwrap();
    let lines = page.lines().map(|line| line.strip_prefix("* ").unwrap_or(line).trim());
    let text = lines.collect::<Vec<_>>().join(" ").replace("**", "");
    let sources: String =
        rust_files(&folder("tests")).iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    // A test's sentence is between two single asterisks, and the file's name is in backticks before
    // it.
    let sentences: Vec<&str> =
        text.split('*').skip(1).step_by(2).filter(|part| is_sentence(part)).collect();
    assert!(sentences.len() >= 15, "{sentences:?}");
    for sentence in sentences {
        let function = format!("fn {}()", sentence.replace(' ', "_"));
        assert!(sources.contains(&function), "no test says “{sentence}”");
    }
}

/// Whether it is a test's name, not a mark of a list.
fn is_sentence(part: &str) -> bool {
    part.contains(' ') && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b' ')
}
