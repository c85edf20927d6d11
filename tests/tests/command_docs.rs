//! The documentation of the command line equals the command's help. `BLESS=1` generates it again.

use std::fmt::Write;
use std::fs;

use smp_tests::harness::{Run, folder};

const COMMANDS: [&str; 18] = [
    "inspect",
    "validate",
    "connect",
    "collect",
    "guide",
    "record",
    "check",
    "new",
    "seal",
    "package",
    "diff",
    "push",
    "pull",
    "sign",
    "verify",
    "limits",
    "completions",
    "man",
];

#[test]
fn the_documented_command_line_is_the_real_one() {
    let mut page =
        String::from("# The command line\n\nGenerated from the command's help by `make bless`.\n");
    for command in [""].iter().chain(&COMMANDS) {
        let ended = Run::bare().args(command.split_whitespace().chain(["--help"])).end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let lines: Vec<&str> = ended.stdout.lines().map(str::trim_end).collect();
        write!(
            page,
            "\n## {}\n\n```text\n{}\n```\n",
            format!("smp-harness {command}").trim_end(),
            lines.join("\n")
        )
        .unwrap();
    }
    let path = folder("../docs/command-line.md");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == page,
        "`docs/command-line.md` differs from the command's help; `make bless` generates it again"
    );
}
