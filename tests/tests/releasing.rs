//! Tests that RELEASING.md and its workflow name only things that exist: targets of the Makefile,
//! commands and their options, files. The workflow pins what it uses and has few permissions.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::fs;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use smp_tests::harness::{Run, folder};

fn read(path: &str) -> String {
    fs::read_to_string(folder("..").join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The code of the page: spans, and lines of shell blocks.
fn code_of_the_page() -> Vec<String> {
    let page = read("RELEASING.md");
    let (mut code, mut is_shell) = (Vec::new(), false);
    for event in Parser::new_ext(&page, Options::ENABLE_TABLES) {
        match event {
            Event::Code(span) => code.push(span.into_string()),
            Event::Start(Tag::CodeBlock(kind)) => {
                is_shell = matches!(kind, CodeBlockKind::Fenced(name) if name.starts_with("sh"))
            }
            Event::Text(text) if is_shell => {
                code.extend(text.replace("\\\n", " ").lines().map(str::to_owned))
            }
            Event::End(TagEnd::CodeBlock) => is_shell = false,
            _ => {}
        }
    }
    code
}

/// The commands of the workflow, without its comments.
fn code_of_the_workflow() -> Vec<String> {
    let workflow = read(".github/workflows/release.yml").replace("\\\n", " ");
    let lines = workflow
        .lines()
        .map(|line| line.split(" #").next().unwrap().trim().trim_start_matches("run: ").to_owned());
    lines.filter(|line| !line.starts_with('#') && !line.starts_with("- name:")).collect()
}

/// The words after a program, for each call of it.
fn calls(code: &[String], program: &str) -> Vec<Vec<String>> {
    let mut calls = Vec::new();
    for line in code {
        for command in line.split(['|', ';', '&']) {
            let words: Vec<_> = command.split_whitespace().map(str::to_owned).collect();
            if words.first().is_some_and(|first| first == program) && words.len() > 1 {
                calls.push(words[1..].to_vec());
            }
        }
    }
    calls
}

fn everything() -> Vec<String> {
    [code_of_the_page(), code_of_the_workflow()].concat()
}

#[test]
fn every_target_of_make_that_is_named_is_there() {
    let makefile = read("Makefile");
    let named: BTreeSet<_> =
        calls(&everything(), "make").into_iter().map(|words| words[0].clone()).collect();
    assert!(
        ["check", "package", "reproduce", "bless", "test"]
            .iter()
            .all(|target| named.contains(*target)),
        "{named:?}"
    );
    for target in named {
        assert!(
            makefile.lines().any(|line| line.starts_with(&format!("{target}:"))),
            "`make {target}` is not there"
        );
    }
}

#[test]
fn every_command_that_is_named_is_there_with_its_options() {
    let calls = calls(&everything(), "smp-harness");
    let named: BTreeSet<_> = calls.iter().map(|words| words[0].as_str()).collect();
    assert!(
        ["diff", "sign", "push", "pull", "verify"].iter().all(|command| named.contains(command)),
        "{named:?}"
    );
    for words in &calls {
        let help = Run::bare().args([words[0].as_str(), "--help"]).end();
        assert_eq!(help.code, Some(0), "`smp-harness {}` is not there", words[0]);
        for option in words.iter().filter(|word| word.starts_with("--")) {
            assert!(
                help.stdout.contains(option.as_str()),
                "`smp-harness {}` has no {option}",
                words[0]
            );
        }
    }
}

#[test]
fn every_file_that_the_page_links_to_is_there() {
    let page = read("RELEASING.md");
    let headings: BTreeSet<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(|title| title.to_lowercase().replace(' ', "-"))
        .collect();
    let mut links = 0;
    for event in Parser::new(&page) {
        if let Event::Start(Tag::Link { dest_url, .. }) = event {
            links += 1;
            match dest_url.strip_prefix('#') {
                Some(heading) => assert!(headings.contains(heading), "{dest_url}: {headings:?}"),
                None => assert!(folder("..").join(&*dest_url).exists(), "{dest_url}"),
            }
        }
    }
    assert!(links > 3);
}

#[test]
fn actions_are_pinned_by_commit_and_no_job_may_do_more_than_it_says() {
    let workflow = read(".github/workflows/release.yml");
    let uses: Vec<_> = workflow
        .lines()
        .filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("uses: "))
        .collect();
    assert!(uses.len() > 5);
    for action in uses {
        let (pin, version) =
            action.split_once(" # ").unwrap_or_else(|| panic!("{action} does not say its version"));
        let commit = pin.split_once('@').unwrap().1;
        assert!(
            commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{action}"
        );
        assert!(version.starts_with('v'), "{action}");
    }
    assert!(workflow.contains("\npermissions: {}\n"));
    let jobs = workflow
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':'));
    let jobs: Vec<_> = jobs.skip_while(|line| *line != "  package:").collect();
    assert_eq!(
        jobs,
        ["  package:", "  publish:", "  verify:", "  other-processors:", "  announce:"]
    );
    assert_eq!(
        workflow.matches("\n    permissions:\n").count(),
        jobs.len(),
        "every job states its permissions"
    );
    // A job that compiles other people's code can neither sign nor write anything.
    let (_, package) = workflow.split_once("\n  package:\n").unwrap();
    let (package, _) = package.split_once("\n  publish:\n").unwrap();
    assert!(!package.contains(": write") && !package.contains("secrets."), "{package}");
}

#[test]
fn the_version_of_the_connector_stands_in_one_place() {
    let version = env!("CARGO_PKG_VERSION");
    let workspace = read("Cargo.toml");
    assert_eq!(workspace.matches(&format!("\nversion = \"{version}\"\n")).count(), 1);
    for manifest in [
        "connector/atlassian-cloud",
        "connector/kit",
        "connector/tools/componentize",
        "connector/tools/bill",
        "host-harness/host",
        "host-harness/command",
        "tests",
        "tests/example-connector",
        "bench",
    ] {
        assert!(
            read(&format!("{manifest}/Cargo.toml")).contains("\nversion.workspace = true\n"),
            "{manifest}"
        );
    }
    let inspected = Run::new("inspect").arg("--json").end().json();
    assert_eq!(inspected["descriptor"]["version"], version);
}
