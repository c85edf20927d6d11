//! Tests of hosts in other languages, which run the command as a child process: those of
//! `docs/hosts` keep every promise of the conformance kit for hosts, and the kit finds those that do
//! not. The wheel and the npm package are installed from their files.
//!
//! A language that is not on the machine is skipped, with a message.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use smp_tests::harness::{binary, component, folder, skipped};
use tempfile::TempDir;

/// Cases of every kind of end: complete, people twice, an expired cursor, and lists that a host
/// without judgement calls complete.
const CASES: [&str; 10] = [
    "acme",
    "cursor-refused-once",
    "every-oddity-of-a-member",
    "fewer-members-than-told",
    "key-not-accepted",
    "members-on-two-pages",
    "no-account-claimed",
    "no-domain-verified",
    "too-many-requests-for-an-hour",
    "web-page-in-place-of-members",
];

#[test]
fn the_host_in_python_keeps_what_a_host_promises() {
    judged("python3", |_| vec!["python3".into(), host("host.py")]);
}

#[test]
fn the_host_in_node_keeps_what_a_host_promises() {
    judged("node", |_| vec!["node".into(), host("host.mjs")]);
}

#[test]
fn the_host_in_java_keeps_what_a_host_promises() {
    judged("javac", |scratch| {
        let built = Command::new("javac").arg("-d").arg(scratch).arg(host("Host.java")).output();
        let built = built.unwrap();
        assert!(built.status.success(), "{}", text_of(&built));
        vec!["java".into(), "-cp".into(), scratch.to_str().unwrap().into(), "Host".into()]
    });
}

#[test]
fn the_host_in_go_keeps_what_a_host_promises() {
    judged("go", |scratch| {
        let made = scratch.join("host").to_str().unwrap().to_owned();
        let built = Command::new("go").args(["build", "-o", &made, &host("host.go")]).output();
        let built = built.unwrap();
        assert!(built.status.success(), "{}", text_of(&built));
        vec![made]
    });
}

#[test]
fn the_kit_finds_a_host_that_does_not_judge_the_end() {
    if is_missing("python3") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    // It takes what was written for the list, as one that only reads pages does.
    let naive = scratch.path().join("naive.sh");
    let script = "\"$SMP_HARNESS\" collect \"$@\" --format ndjson 2>/dev/null || true\n";
    fs::write(&naive, script).unwrap();
    let ended = kit(&cases(), &["sh".into(), naive.to_str().unwrap().into()]);
    let said = text_of(&ended);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    for line in [
        "fail  fewer-members-than-told: it calls a list of 3 complete, and it is not: `incomplete`",
        "fail  no-account-claimed: it calls a list of 0 complete, and it is not: `no-members`",
        "fail  no-domain-verified: it calls a list of 0 complete, and it is not: `no-members`",
        "ok    members-on-two-pages",
        "4 passed, 6 failed",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    // A repeated member is found too, and so is an end without its reason.
    let script = "\"$SMP_HARNESS\" collect \"$@\" --format ndjson 2>/dev/null | sed '1{p}'\n";
    fs::write(&naive, script).unwrap();
    let said = text_of(&kit(&cases(), &["sh".into(), naive.to_str().unwrap().into()]));
    assert!(
        said.contains("fail  members-on-two-pages: other members than expected: 6 of 5"),
        "{said}"
    );
    fs::write(&naive, "exit 1\n").unwrap();
    let said = text_of(&kit(&cases(), &["sh".into(), naive.to_str().unwrap().into()]));
    assert!(said.contains("fail  key-not-accepted: it failed as `(no error as the last line)`"));
}

#[test]
fn a_wheel_is_made_and_installed_from_its_file() {
    if is_missing("python3") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path();
    let make = || {
        let maker = folder("../host-harness/command/packages/wheel.py");
        done(Command::new("python3").arg(maker).arg(binary()).arg("1.2.3").arg(path))
    };
    let wheel = PathBuf::from(make().trim());
    let first = fs::read(&wheel).unwrap();
    make();
    assert!(fs::read(&wheel).unwrap() == first, "the same bytes");
    done(Command::new("python3").args(["-m", "venv"]).arg(path.join("venv")));
    let bin = path.join("venv/bin");
    done(Command::new(bin.join("pip")).args(["install", "--quiet", "--no-index"]).arg(&wheel));
    let version = done(Command::new(bin.join("smp-harness")).arg("--version"));
    assert!(version.starts_with("smp-harness "), "{version}");
    let script = "import sys, smp_harness\n\
                  print(sum(1 for _ in smp_harness.members(*sys.argv[1:])))\n";
    fs::write(path.join("count.py"), script).unwrap();
    let count = |case: &str| {
        let fixture = folder("fixtures").join(case);
        let mut command = Command::new(bin.join("python"));
        command.arg(path.join("count.py")).arg(component()).arg("--fixture").arg(fixture);
        command.env_remove("SMP_HARNESS").output().unwrap()
    };
    assert_eq!(text_of(&count("acme")).trim(), "24");
    assert!(text_of(&count("fewer-members-than-told")).contains("smp_harness.Failed: "));
}

#[test]
fn an_npm_package_is_made_and_installed_from_its_file() {
    if is_missing("node") || is_missing("npm") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path();
    let maker = folder("../host-harness/command/packages/npm.mjs");
    let made = done(Command::new("node").arg(maker).arg(binary()).arg("1.2.3").arg(path));
    fs::write(path.join("package.json"), "{\"private\": true}").unwrap();
    let mut install = Command::new("npm");
    install.args(["install", "--silent", "--offline", "--no-audit", "--no-fund", made.trim()]);
    done(install.current_dir(path));
    let version = done(Command::new(path.join("node_modules/.bin/smp-harness")).arg("--version"));
    assert!(version.starts_with("smp-harness "), "{version}");
    let script = "import { argv } from 'node:process';\n\
                  import { members } from 'smp-harness';\n\
                  let count = 0;\n\
                  try { for await (const _ of members(...argv.slice(2))) count += 1; }\n\
                  catch (failed) { count = failed.error.code; }\n\
                  console.log(count);\n";
    fs::write(path.join("count.mjs"), script).unwrap();
    for (case, counted) in [("acme", "24"), ("fewer-members-than-told", "incomplete")] {
        let fixture = folder("fixtures").join(case);
        let mut command = Command::new("node");
        command.arg(path.join("count.mjs")).arg(component()).arg("--fixture").arg(fixture);
        assert_eq!(done(command.env_remove("SMP_HARNESS")).trim(), counted);
    }
}

/// Judges a host by the kit, if this program is on the machine.
fn judged(program: &str, host: impl FnOnce(&Path) -> Vec<String>) {
    if is_missing(program) || is_missing("python3") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let ended = kit(&cases(), &host(scratch.path()));
    let said = text_of(&ended);
    assert!(ended.status.success() && said.contains("10 passed, 0 failed"), "{said}");
}

/// The cases, in a folder of their own.
fn cases() -> TempDir {
    let cases = tempfile::tempdir().unwrap();
    for name in CASES {
        let case = std::path::absolute(folder("fixtures").join(name)).unwrap();
        std::os::unix::fs::symlink(case, cases.path().join(name)).unwrap();
    }
    cases
}

fn kit(cases: &TempDir, host_command: &[String]) -> Output {
    Command::new("python3")
        .arg(host("check_host.py"))
        .arg(cases.path())
        .arg(component())
        .arg("--")
        .args(host_command)
        .env("SMP_HARNESS", binary())
        .output()
        .unwrap()
}

fn host(name: &str) -> String {
    folder("../docs/hosts").join(name).to_str().unwrap().to_owned()
}

fn is_missing(program: &str) -> bool {
    let question = if program == "go" { "version" } else { "--version" };
    let is_there =
        Command::new(program).arg(question).output().is_ok_and(|ran| ran.status.success());
    if !is_there {
        skipped(&format!("{program} is not installed"));
    }
    !is_there
}

/// What it writes to standard output, after it ended well.
fn done(command: &mut Command) -> String {
    let ended = command.output().unwrap();
    assert!(ended.status.success(), "{command:?}: {}", text_of(&ended));
    String::from_utf8(ended.stdout).unwrap()
}

fn text_of(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}
