//! Tests that no Rust file of the project is too long to be read at one go.

use std::fs;
use std::path::{Path, PathBuf};

use smp_tests::harness::folder;

/// Most lines of a file. A longer one has a second purpose: move that to a file of its own.
const MOST_LINES: usize = 500;

#[test]
fn no_file_has_more_than_500_lines() {
    let root = folder("..");
    let files = sources(&root);
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

/// The Rust files below a folder, without what a build or an installation puts there.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        let name = name.to_string_lossy();
        let is_made = name.starts_with('.') || ["target", "dist", "node_modules"].contains(&&*name);
        // A link may lead anywhere, also back here.
        if is_made || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
