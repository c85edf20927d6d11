//! What a shell and `man` make of the command: completions, manual pages and the version. They
//! are read by the programs that users read them with; one that is not installed is skipped, and
//! that is said.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use smp_tests::harness::{Run, folder, names, skipped};

/// The subcommands that `--help` lists, `help` apart.
fn subcommands() -> Vec<String> {
    let help = Run::bare().arg("--help").end().stdout;
    let (_, list) = help.split_once("\nCommands:\n").unwrap();
    let (list, _) = list.split_once("\n\n").unwrap();
    // A description that goes on in the next line is indented further.
    let lines = list.lines().filter(|line| !line.starts_with("   "));
    let names = lines.map(|line| line.split_whitespace().next().unwrap().to_owned());
    let names: Vec<_> = names.filter(|name| name != "help").collect();
    assert!(names.len() > 10 && names.contains(&"collect".to_owned()), "{names:?}");
    names
}

fn is_installed(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
    let is_there = found.unwrap().status.success();
    if !is_there {
        skipped(&format!("{program} is not installed"));
    }
    is_there
}

fn output(program: &str, arguments: &[&str]) -> Output {
    let ended = Command::new(program).args(arguments).env("MANWIDTH", "200").output().unwrap();
    assert!(ended.status.success(), "{program}: {}", String::from_utf8_lossy(&ended.stderr));
    ended
}

fn script(shell: &str, folder: &Path) -> PathBuf {
    let ended = Run::bare().args(["completions", shell]).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let path = folder.join(shell);
    fs::write(&path, ended.stdout).unwrap();
    path
}

#[test]
fn each_shell_accepts_its_completions_which_name_every_subcommand() {
    let scratch = tempfile::tempdir().unwrap();
    for (shell, only_parse) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        let path = script(shell, scratch.path());
        let text = fs::read_to_string(&path).unwrap();
        for name in subcommands() {
            assert!(text.contains(&name), "{shell}: no {name}");
        }
        assert!(!text.contains("compile-component"), "{shell}: the hidden worker");
        if is_installed(shell) {
            output(shell, &[only_parse, path.to_str().unwrap()]);
        }
    }
}

/// What bash offers for the last of these words.
fn offered(script: &Path, words: &[&str]) -> Vec<String> {
    let typed = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    let last = words.len() - 1;
    // The completion's function is the one that bash calls for the command.
    let program = format!(
        "source '{}' || exit; function=$(complete -p smp-harness | sed 's/.*-F \\([^ ]*\\).*/\\1/'); \
         COMP_WORDS=({typed}); COMP_CWORD={last}; \
         $function smp-harness '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.display(),
        words[last],
        words[last - 1],
    );
    let ended = output("bash", &["--norc", "-c", &program]);
    String::from_utf8(ended.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_values() {
    if !is_installed("bash") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let script = script("bash", scratch.path());
    for (words, expected) in [
        (&["smp-harness", "coll"][..], &["collect"][..]),
        (&["smp-harness", "collect", "--checkp"], &["--checkpoint"]),
        (&["smp-harness", "completions", "z"], &["zsh"]),
    ] {
        assert_eq!(offered(&script, words), expected, "{words:?}");
    }
}

#[test]
fn the_manual_page_names_every_subcommand_and_each_has_its_own() {
    let scratch = tempfile::tempdir().unwrap();
    let pages = scratch.path().join("share/man/man1");
    let ended = Run::bare().arg("man").file("--output", &pages).end();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{}", ended.stderr);
    let mut expected: Vec<_> =
        subcommands().iter().map(|name| format!("smp-harness-{name}.1")).collect();
    expected.push("smp-harness.1".to_owned());
    expected.sort();
    assert_eq!(names(&pages), expected);

    let main = fs::read_to_string(pages.join("smp-harness.1")).unwrap();
    assert_eq!(Run::bare().arg("man").end().stdout, main);
    for name in subcommands() {
        let reference = format!("smp\\-harness\\-{}(1)", name.replace('-', "\\-"));
        assert!(main.contains(&reference), "no {reference}");
    }
    assert!(main.contains("Exit codes: 0 done"), "{main}");
    if is_installed("man") {
        for page in names(&pages) {
            let shown = output("man", &["-l", pages.join(&page).to_str().unwrap()]);
            let shown = String::from_utf8_lossy(&shown.stdout);
            let heading = page.trim_end_matches(".1");
            assert!(shown.contains(heading) && shown.contains("SYNOPSIS"), "{page}: {shown}");
        }
    }
}

#[test]
fn manual_pages_that_cannot_be_written_say_where_and_a_way_out() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("a-file");
    fs::write(&file, "").unwrap();
    let ended = Run::bare().arg("man").file("--output", &file).end();
    assert_eq!(ended.code, Some(1));
    for said in ["a-file", "Name a folder that you may write to.", "`--output` names another."] {
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    }
}

#[test]
fn the_version_names_the_commit_and_the_contract() {
    let number = format!("smp-harness {}", env!("CARGO_PKG_VERSION"));
    let short = Run::bare().arg("-V").end();
    assert_eq!((short.code, short.stdout.as_str()), (Some(0), &*format!("{number}\n")));

    let wit = fs::read_to_string(folder("../wit/world.wit")).unwrap();
    let contract = wit.strip_prefix("package ").unwrap().split(';').next().unwrap();
    let long = Run::bare().arg("--version").end();
    assert_eq!(long.code, Some(0), "{}", long.stderr);
    let lines: Vec<_> = long.stdout.lines().collect();
    let [first, commit, last] = lines[..] else { panic!("{lines:?}") };
    assert_eq!((first, last), (&*number, &*format!("contract: {contract}")));
    let commit = commit.strip_prefix("commit: ").unwrap();
    let hex = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    // A checkout has a commit; an unpacked archive does not.
    let mut git = Command::new("git");
    let git = git.args(["ls-files", "--error-unmatch", "Makefile"]).current_dir(folder(".."));
    let in_git = git.output().is_ok_and(|ended| ended.status.success());
    assert!(if in_git { hex } else { commit == "unknown, built without git" }, "{commit}");
}
