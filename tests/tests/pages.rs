//! The commands in code blocks of the project's pages run as pasted. A block says by its mark what
//! it is; a block with another mark fails here:
//!
//! * `sh` runs in a clone that is built, without a network: it is run, by bash, in a scratch folder
//!   that has what a clone has.
//! * `sh build` builds, fetches or measures: its targets and tests exist.
//! * `sh example` has placeholders, or needs a service.
//!
//! Of every block, the commands and options of `smp-harness` exist.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use smp_tests::harness::{Run, binary, component, folder, test_component};

/// Marks of blocks that are no commands.
const NO_COMMANDS: [&str; 4] = ["text", "rust", "toml", "markdown"];

/// A block of commands.
struct Block {
    mark: String,
    code: String,
}

/// Every page of the project, by its path below the root.
fn pages() -> Vec<PathBuf> {
    let root = folder("..");
    let (mut pages, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let is_made = ["target", "dist", "node_modules"].contains(&name.as_str());
            if path.is_dir() && !is_made && (!name.starts_with('.') || name == ".github") {
                folders.push(path);
            } else if name.ends_with(".md") {
                pages.push(path.strip_prefix(&root).unwrap().to_owned());
            }
        }
    }
    pages.sort();
    assert!(pages.contains(&PathBuf::from("README.md")) && pages.len() > 15, "{pages:?}");
    pages
}

/// The blocks of commands of a page, in their order.
fn blocks(page: &Path) -> Vec<Block> {
    let text = fs::read_to_string(folder("..").join(page)).unwrap();
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(mark))) => {
                is_open = !NO_COMMANDS.contains(&&*mark);
                if is_open {
                    blocks.push(Block { mark: mark.into_string(), code: String::new() });
                }
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) => {
                panic!("{}: an indented block has no mark", page.display())
            }
            Event::Text(code) if is_open => blocks.last_mut().unwrap().code.push_str(&code),
            Event::End(TagEnd::CodeBlock) => is_open = false,
            _ => {}
        }
    }
    blocks
}

/// What a clone has after `make package programs test-components`, as far as pages use it.
fn clone() -> tempfile::TempDir {
    let scratch = tempfile::tempdir().unwrap();
    let at = |path: &str| scratch.path().join(path);
    for made in ["target", "dist"] {
        fs::create_dir(at(made)).unwrap();
    }
    symlink(binary().parent().unwrap(), at("target/release")).unwrap();
    let components = test_component("example");
    symlink(components.parent().unwrap(), at("target/test-components")).unwrap();
    symlink(folder(".").canonicalize().unwrap(), at("tests")).unwrap();
    symlink(folder("../docs").canonicalize().unwrap(), at("docs")).unwrap();
    for name in ["atlassian-cloud.wasm", "atlassian-cloud.cdx.json"] {
        fs::copy(component().with_file_name(name), at("dist").join(name)).unwrap();
    }
    scratch
}

/// Makes the package that pages on signing begin with.
fn package(clone: &Path) {
    let made = Run::bare()
        .args(["package", "dist/atlassian-cloud.wasm", "--output", "dist"])
        .args(["--sbom", "dist/atlassian-cloud.cdx.json", "--fixtures", "tests/fixtures/acme"])
        .args(["--fixtures", "tests/fixtures/everyone-in-the-organization"])
        .args(["--fixtures", "tests/fixtures/key-maker-is-no-organization-admin"])
        .file("--changelog", &folder("../CHANGELOG.md").canonicalize().unwrap())
        .within(clone)
        .end();
    assert_eq!(made.code, Some(0), "{}", made.stderr);
}

fn run(page: &Path, block: &Block, clone: &Path) {
    let path = std::env::var("PATH").unwrap_or_default();
    let programs = binary().parent().unwrap().canonicalize().unwrap();
    let ended = Command::new("bash")
        .args(["--norc", "-euo", "pipefail", "-c", &block.code])
        .current_dir(clone)
        .env_clear()
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("HOME", clone)
        .env("XDG_CACHE_HOME", programs.join("test-cache"))
        // What goes to a network in spite of its mark fails, instead of reaching anyone.
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .output()
        .unwrap();
    assert!(
        ended.status.success(),
        "{}: this block ended with {}:\n{}\n{}",
        page.display(),
        ended.status,
        block.code,
        String::from_utf8_lossy(&ended.stderr)
    );
}

#[test]
fn every_block_has_a_mark_that_says_whether_it_runs() {
    for page in pages() {
        for Block { mark, code } in blocks(&page) {
            let is_known = ["sh", "sh build", "sh example"].contains(&mark.as_str());
            assert!(is_known, "{}: no such mark: `{mark}`\n{code}", page.display());
        }
    }
}

/// Runs the blocks of a page, in their order, and tells how many there are.
fn run_page(page: &Path) -> usize {
    let blocks: Vec<_> = blocks(page).into_iter().filter(|block| block.mark == "sh").collect();
    if blocks.is_empty() {
        return 0;
    }
    let clone = clone();
    if blocks.iter().any(|block| block.code.contains("dist/atlassian-cloud-")) {
        package(clone.path());
    }
    blocks.iter().for_each(|block| run(page, block, clone.path()));
    blocks.len()
}

#[test]
fn every_block_that_says_so_runs_as_pasted() {
    // Pages do not depend on each other, and some take half a minute.
    let pages = pages();
    let ran: usize = std::thread::scope(|scope| {
        let runs: Vec<_> = pages.iter().map(|page| scope.spawn(|| run_page(page))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).sum()
    });
    assert!(ran >= 10, "{ran} blocks");
}

/// The commands of all blocks: words, without comments, and with joined lines.
fn commands(marked: impl Fn(&str) -> bool) -> Vec<(PathBuf, Vec<String>)> {
    let mut commands = Vec::new();
    for page in pages() {
        for block in blocks(&page).into_iter().filter(|block| marked(&block.mark)) {
            for line in block.code.replace("\\\n", " ").lines() {
                let line = line.split(" #").next().unwrap();
                let words = line.split_whitespace().map(str::to_owned);
                // `NAME=value` before a command belongs to its environment.
                let words: Vec<_> = words
                    .skip_while(|word| {
                        word.split('=')
                            .next()
                            .unwrap()
                            .bytes()
                            .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
                            && word.contains('=')
                    })
                    .collect();
                if !words.is_empty() {
                    commands.push((page.clone(), words));
                }
            }
        }
    }
    commands
}

#[test]
fn what_a_block_that_builds_names_is_there() {
    let makefile = fs::read_to_string(folder("../Makefile")).unwrap();
    for (page, words) in commands(|mark| mark == "sh build") {
        let at = page.display();
        match words[0].as_str() {
            "make" => {
                for target in words[1..].iter().filter(|word| !word.contains('=')) {
                    if target.chars().all(|sign| sign.is_ascii_lowercase() || sign == '-') {
                        let rule = format!("\n{target}:");
                        assert!(makefile.contains(&rule), "{at}: `make {target}`");
                    }
                }
            }
            "cargo" => {
                for pair in words.windows(2).filter(|pair| pair[0] == "--test") {
                    let file = folder("tests").join(&pair[1]).with_extension("rs");
                    assert!(file.exists(), "{at}: `--test {}`", pair[1]);
                }
            }
            "git" => {}
            other => panic!("{at}: a block that builds runs `{other}`"),
        }
    }
}

#[test]
fn every_command_and_option_of_smp_harness_in_a_block_is_there() {
    let mut helps: BTreeMap<String, String> = BTreeMap::new();
    let mut named = BTreeSet::new();
    for (page, words) in commands(|_| true) {
        if !words[0].ends_with("smp-harness") {
            continue;
        }
        let command = words[1].clone();
        let help = helps
            .entry(command.clone())
            .or_insert_with(|| Run::bare().args([command.as_str(), "--help"]).end().stdout);
        assert!(help.contains("Usage:"), "{}: `smp-harness {command}`", page.display());
        for option in words.iter().filter(|word| word.starts_with("--") && command != "--version") {
            assert!(
                help.contains(option.as_str()),
                "{}: `smp-harness {command}` has no {option}",
                page.display()
            );
        }
        named.insert(command);
    }
    assert!(named.len() >= 8, "{named:?}");
}
