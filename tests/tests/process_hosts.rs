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
use std::path::Path;
use std::process::{Command, Output};

use smp_tests::harness::{binary, component, folder, skipped};
use tempfile::TempDir;

#[path = "process_hosts/faults.rs"]
mod faults;
#[path = "process_hosts/packages.rs"]
mod packages;
#[path = "process_hosts/packed.rs"]
mod packed;

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

/// The hosts that are to be copied.
#[derive(Clone, Copy)]
enum Host {
    Python,
    Node,
    Java,
    Go,
}

impl Host {
    fn is_missing(self) -> bool {
        is_missing(match self {
            Self::Python => "python3",
            Self::Node => "node",
            Self::Java => "javac",
            Self::Go => "go",
        })
    }

    /// The program and its first arguments. What has to be compiled goes into the folder.
    fn command(self, folder: &Path) -> Vec<String> {
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        match self {
            Self::Python => vec!["python3".into(), host("host.py")],
            Self::Node => vec!["node".into(), host("host.mjs")],
            Self::Java => {
                done(Command::new("javac").arg("-d").arg(folder).arg(host("Host.java")));
                vec!["java".into(), "-cp".into(), path(folder), "Host".into()]
            }
            Self::Go => {
                let made = path(&folder.join("host"));
                done(Command::new("go").args(["build", "-o", &made, &host("host.go")]));
                vec![made]
            }
        }
    }
}

#[test]
fn the_host_in_python_keeps_what_a_host_promises() {
    judged(Host::Python);
}

#[test]
fn the_host_in_node_keeps_what_a_host_promises() {
    judged(Host::Node);
}

#[test]
fn the_host_in_java_keeps_what_a_host_promises() {
    judged(Host::Java);
}

#[test]
fn the_host_in_go_keeps_what_a_host_promises() {
    judged(Host::Go);
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
fn the_kit_names_a_host_that_cannot_be_judged() {
    if is_missing("python3") {
        return;
    }
    let cases = cases();
    let sh = |script: &str| vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()];
    for (host_command, said) in [
        (vec!["/no/such/host".to_owned()], "/no/such/host: the host cannot be started: "),
        (vec![host("host.py")], "host.py: the host cannot be started: "),
        (sh("echo hello"), "fail  acme: it wrote a line to standard output that is no JSON object"),
        (sh("echo 1"), "fail  acme: it wrote a line to standard output that is no JSON object"),
        (sh("printf '{\"id\":\"\\377\"}\\n'"), "fail  acme: it wrote a line "),
        (sh("yes '{}' "), "fail  acme: it wrote more than 64 MiB"),
        // What the host started ends with it, and holds no pipe.
        (sh("sleep 60 & sleep 60"), "fail  acme: it did not end within 0.2 s"),
    ] {
        let seconds = if said.contains("0.2 s") { "0.2" } else { "60" };
        let mut options = vec!["--seconds".to_owned(), seconds.to_owned()];
        options.extend(names_of(cases.path()));
        let ended = judge(&options, &host_command);
        let text = text_of(&ended);
        assert_eq!(ended.status.code(), Some(2), "{host_command:?}: {text}");
        assert!(text.contains(said) && !text.contains("Traceback"), "{host_command:?}: {text}");
    }
}

#[test]
fn the_kit_refuses_what_it_cannot_read() {
    if is_missing("python3") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let connector = component().to_str().unwrap().to_owned();
    for name in ["empty", "damaged/case", "other/case"] {
        fs::create_dir_all(folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("damaged/case/expected.json"), "{").unwrap();
    fs::write(folder.path().join("other/case/expected.json"), "{\"collect\":{}}").unwrap();
    let whole = cases();
    let whole = whole.path().to_str().unwrap().to_owned();
    for (arguments, said) in [
        (vec![path("empty"), connector.clone()], "empty: there is no case in it"),
        (vec![path("none"), connector.clone()], "none: there is no case in it"),
        (vec![path("damaged"), connector.clone()], "damaged: an expected.json cannot be read"),
        (vec![path("other"), connector.clone()], "other: an expected.json cannot be read"),
        (vec![whole.clone(), path("none.wasm")], "none.wasm: there is no such file"),
        (vec![whole.clone()], "check_host.py [--seconds N] CASES"),
        (vec!["--seconds".to_owned(), "x".to_owned(), whole, connector], "check_host.py ["),
    ] {
        let ended = judge(&arguments, &["true".to_owned()]);
        let text = text_of(&ended);
        assert_eq!(ended.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(said) && !text.contains("Traceback"), "{arguments:?}: {text}");
    }
}

/// Judges a host by the kit, if its language is on the machine.
fn judged(language: Host) {
    if language.is_missing() || is_missing("python3") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let host_command = language.command(scratch.path());
    let ended = kit(&cases(), &host_command);
    let said = text_of(&ended);
    assert!(ended.status.success() && said.contains("10 passed, 0 failed"), "{said}");
    // A list that goes elsewhere is no empty list.
    let ended = Command::new(&host_command[0])
        .args(&host_command[1..])
        .arg(component())
        .arg("--fixture")
        .arg(folder("fixtures/acme"))
        .arg("--output")
        .arg(scratch.path().join("list"))
        .env("SMP_HARNESS", binary())
        .output()
        .unwrap();
    let said = text_of(&ended);
    assert!(!ended.status.success() && said.contains("invalid-settings"), "{said}");
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
    judge(&names_of(cases.path()), host_command)
}

/// The folder of cases and the connector, as arguments.
fn names_of(cases: &Path) -> [String; 2] {
    [cases, &component()].map(|path| path.to_str().unwrap().to_owned())
}

fn judge(arguments: &[String], host_command: &[String]) -> Output {
    Command::new("python3")
        .arg(host("check_host.py"))
        .args(arguments)
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
