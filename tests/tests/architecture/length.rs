//! Tests that no Rust file of the project is too long to be read at one go.

use std::fs;

use smp_tests::harness::{folder, rust_files};

/// Most lines of a file. A longer one has a second purpose: move that to a file of its own.
const MOST_LINES: usize = 500;

#[test]
fn no_file_has_more_than_500_lines() {
    let root = folder("..");
    let files = rust_files(&root);
    assert!(files.len() > 400, "only {} files were found", files.len());
    let long: Vec<String> = files
        .iter()
        .map(|path| (path, fs::read_to_string(path).unwrap().lines().count()))
        .filter(|(_, lines)| *lines > MOST_LINES)
        .map(|(path, lines)| {
            format!("{}: {lines} lines", path.strip_prefix(&root).unwrap().display())
        })
        .collect();
    assert!(long.is_empty(), "split these by purpose:\n{}", long.join("\n"));
}
