//! What the Makefile promises to those who type its targets: `make run` says what it does and how
//! long it takes, and no target is silent while it compiles. Nothing is built here: `make
//! --dry-run` prints what it would do.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;

use smp_tests::harness::{folder, make};

/// The lines that `make` would run for this target where nothing is built.
fn dry_run(target: &str) -> Vec<String> {
    let nothing_built = tempfile::tempdir().unwrap();
    let ended = make()
        .current_dir(folder(".."))
        .args(["--dry-run", "--no-print-directory", target])
        .arg(format!("TARGET={}", nothing_built.path().display()))
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let text = String::from_utf8(ended.stdout).unwrap().replace("\\\n", " ");
    text.lines().map(str::to_owned).collect()
}

fn makefile() -> String {
    fs::read_to_string(folder("../Makefile")).unwrap()
}

/// The value of a variable of the Makefile that is a number.
fn minutes(name: &str) -> u32 {
    let assignment = format!("{name} := ");
    let file = makefile();
    let value = file.lines().find_map(|line| line.strip_prefix(&assignment)).unwrap();
    value.parse().unwrap_or_else(|_| panic!("{name} is {value}"))
}

#[test]
fn make_run_says_each_step_and_its_minutes_before_it_begins() {
    let lines = dry_run("run");
    let said: Vec<_> =
        lines.iter().filter_map(|line| line.strip_prefix("echo \"")).map(str::to_owned).collect();
    let (connector, command) = (minutes("MINUTES_CONNECTOR"), minutes("MINUTES_COMMAND"));
    assert!(said[0].ends_with(&format!(", about {} min on two cores.\"", connector + command)));
    assert!(
        said[1].starts_with("step 1 of 3: ")
            && said[1].ends_with(&format!(", about {connector} min on two cores\"")),
        "{said:?}"
    );
    assert!(
        said[2].starts_with("step 2 of 3: ")
            && said[2].ends_with(&format!(", about {command} min on two cores\"")),
        "{said:?}"
    );
    assert!(said[3].starts_with("step 3 of 3: "), "{said:?}");
    assert_eq!(said.len(), 4);
    let readme = fs::read_to_string(folder("../README.md")).unwrap();
    let told = format!("make run     # the first time about {} minutes", connector + command);
    assert!(readme.contains(&told), "README.md does not say `{told}`");
}

#[test]
fn make_run_builds_what_it_runs_and_no_more() {
    let lines = dry_run("run");
    let builds = lines.iter().filter(|line| line.contains("cargo build"));
    let packages: Vec<Vec<&str>> = builds
        .map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            let named = words.windows(2).filter(|pair| pair[0] == "--package");
            named.map(|pair| pair[1]).collect()
        })
        .collect();
    assert_eq!(packages, [&["atlassian-cloud"][..], &["componentize", "smp-harness"]]);
}

#[test]
fn no_target_is_silent_while_cargo_compiles_or_waits() {
    for line in makefile().lines().filter(|line| !line.starts_with('#')) {
        for silencer in ["--quiet", " -q ", "--silent"] {
            assert!(!line.contains(silencer), "{line}");
        }
    }
}

/// The names of the targets that have a rule and are no files.
fn targets() -> Vec<String> {
    let name = |line: &str| {
        let (name, _) = line.split_once(':')?;
        let is_name = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        (is_name && !name.is_empty() && !line.contains(":=")).then(|| name.to_owned())
    };
    makefile().lines().filter_map(name).collect()
}

#[test]
fn every_target_is_declared_phony_once() {
    let file = makefile().replace("\\\n", " ");
    let declared: Vec<_> = file.lines().filter_map(|line| line.strip_prefix(".PHONY:")).collect();
    assert_eq!(declared.len(), 1);
    let mut phony: Vec<_> = declared[0].split_whitespace().map(str::to_owned).collect();
    let mut targets = targets();
    phony.sort();
    targets.sort();
    assert_eq!(phony, targets);
}

#[test]
fn make_test_installs_nothing_and_ci_calls_the_target_that_does() {
    for target in ["test", "check"] {
        let lines = dry_run(target).join("\n");
        assert!(!lines.contains("apt-get"), "make {target}");
        for target in ["registry-installed", "languages-installed", "hosts-installed"] {
            assert!(lines.contains(&format!("make {target}' installs ")), "make {target}");
        }
    }
    let targets =
        ["registry-installed", "postgres-installed", "languages-installed", "hosts-installed"];
    for target in targets {
        assert!(dry_run(target).join("\n").contains("apt-get install"));
        for ci in ["../.ci/run", "../.github/workflows/check.yml"] {
            let text = fs::read_to_string(folder(ci)).unwrap();
            assert!(text.contains(target), "{ci}");
        }
    }
}
