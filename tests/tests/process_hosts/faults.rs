//! Hosts whose command is missing, is killed, writes what is no member or does not say why it
//! failed, and callers that leave early. A script stands in for the command.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::{Host, done, host, is_missing, text_of};

/// The last line of a command that failed.
const ERROR: &str = r#"{"error":{"code":"upstream","message":"it is down","hint":null,"retryable":true,"setting":null,"vendor_code":null,"retry_after_s":null,"remedy":null}}"#;

/// What a command does, the failure of the host, and the members that came before.
const FAULTS: [(&str, &str, usize); 21] = [
    // It does not say why.
    ("exit 1", "other", 0),
    ("exit 3", "other", 0),
    ("echo '{\"id\":\"1\"}'; kill -9 $$", "other", 1),
    // Its last line is no reason.
    ("echo boom >&2; exit 1", "other", 0),
    ("echo '{\"error\":{\"code\":\"upstream\",\"mess' >&2; exit 1", "other", 0),
    ("echo '{\"error\":{\"code\":\"upstream\"}}' >&2; exit 1", "other", 0),
    ("echo '{\"error\":null}' >&2; exit 1", "other", 0),
    ("echo '[1]' >&2; exit 2", "other", 0),
    ("echo \"$ERROR\" >&2; echo '{}' >&2; exit 1", "other", 0),
    // It writes what is no member, and calls it complete.
    ("echo hello", "other", 0),
    ("echo 1", "other", 0),
    ("echo", "other", 0),
    ("printf '{\"id\":\"\\377\"}\\n'", "other", 0),
    ("printf '{\"id\":\"1\"}\\n{\"id\":\"2\",\"attributes\":{}'", "other", 1),
    ("printf '{\"id\":\"1\"}\\n{\"id\":\"2\"}'", "other", 1),
    ("echo '{\"id\":\"1\"}'; echo hello; exec sleep 60", "other", 1),
    // It says why, whatever comes with it.
    ("echo \"$ERROR\" >&2; exit 1", "upstream", 0),
    ("echo \"$ERROR\" >&2; exit 3", "upstream", 0),
    ("echo '{\"id\":\"1\"}'; echo \"$ERROR\" >&2", "upstream", 1),
    ("printf '{\"id\":\"1\"}\\n{\"id\":'; echo \"$ERROR\" >&2; exit 1", "upstream", 1),
    (
        "head -c 300000 /dev/zero | tr '\\0' x >&2; echo '{\"id\":\"1\"}'; \
         head -c 2000000 /dev/zero | tr '\\0' x >&2; printf '\\n\\377\\n' >&2; \
         echo \"$ERROR\" >&2; exit 1",
        "upstream",
        1,
    ),
];

/// What a command does that is complete, and the members.
const COMPLETE: [(&str, &str); 5] = [
    ("exit 0", ""),
    ("echo a note >&2; echo '{\"id\":\"1\"}'", "{\"id\":\"1\"}"),
    ("printf '{\"id\":\"a\\342\\200\\250b\"}\\n'", "{\"id\":\"a\u{2028}b\"}"),
    ("printf '{\"stdin\":\"%s\"}\\n' \"$(readlink /proc/self/fd/0)\"", "{\"stdin\":\"/dev/null\"}"),
    (
        "echo '{\"arguments\":\"'\"$*\"'\"}'",
        "{\"arguments\":\"x.wasm --format ndjson --output - --json\"}",
    ),
];

/// A command that notes when it is asked to stop, and then does. It ends by itself after a minute.
const PATIENT: &str = "trap 'echo > asked; exit 3' TERM\n\
                       printf '{\"pid\":%s,\"secret\":\"%s\"}\\n' $$ \"$SECRET\"\n\
                       for second in $(seq 1200); do sleep 0.05; done\n";

#[test]
fn the_host_in_python_doubts_its_command() {
    doubts(Host::Python);
}

#[test]
fn the_host_in_node_doubts_its_command() {
    doubts(Host::Node);
}

#[test]
fn the_host_in_java_doubts_its_command() {
    doubts(Host::Java);
}

#[test]
fn the_host_in_go_doubts_its_command() {
    doubts(Host::Go);
}

#[test]
fn a_caller_in_python_that_leaves_early_leaves_no_command_behind() {
    if is_missing("python3") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let mut caller = python(
        scratch.path(),
        "for member in host.members('x.wasm', env={'SECRET': 's'}):\n    \
             print(json.dumps(member))\n    \
             break\n",
    );
    left_early(scratch.path(), &mut caller);
}

#[test]
fn a_command_that_does_not_stop_is_killed() {
    if is_missing("python3") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let stubborn = PATIENT.replace("'echo > asked; exit 3'", "''") + "echo > ended\n";
    fs::write(scratch.path().join("collect"), stubborn).unwrap();
    let said = done(&mut python(
        scratch.path(),
        "host.PATIENCE = 0.1\n\
         try:\n    \
             for member in host.members('x.wasm'):\n        \
                 print(json.dumps(member), flush=True)\n        \
                 raise KeyError('of the caller')\n\
         except KeyError:\n    \
             pass\n",
    ));
    is_gone(&said);
    assert!(!scratch.path().join("ended").exists(), "it ended by itself");
}

#[test]
fn a_caller_in_node_that_leaves_early_leaves_no_command_behind() {
    if is_missing("node") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let script = format!(
        "import {{ members }} from '{}';\n\
         for await (const member of members('x.wasm', {{ env: {{ SECRET: 's' }} }})) {{\n\
         console.log(JSON.stringify(member));\nbreak;\n}}\n",
        host("host.mjs")
    );
    fs::write(scratch.path().join("caller.mjs"), script).unwrap();
    left_early(scratch.path(), Command::new("node").arg("caller.mjs"));
}

#[test]
fn a_caller_in_java_that_leaves_early_leaves_no_command_behind() {
    if is_missing("javac") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let script = "import java.util.Map;\n\
        public class Caller {\n\
        public static void main(String[] arguments) throws Exception {\n\
        try {\n\
        Host.members(member -> { System.out.println(member); throw new IllegalStateException(); },\n\
        Map.of(\"SECRET\", \"s\"), \"x.wasm\");\n\
        } catch (IllegalStateException left) { }\n} }\n";
    let caller = scratch.path().join("Caller.java");
    fs::write(&caller, script).unwrap();
    done(Command::new("javac").arg("-d").arg(scratch.path()).arg(host("Host.java")).arg(caller));
    left_early(scratch.path(), Command::new("java").args(["-cp", ".", "Caller"]));
}

#[test]
fn a_caller_in_go_that_leaves_early_leaves_no_command_behind() {
    if is_missing("go") {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path();
    let whole = fs::read_to_string(host("host.go")).unwrap();
    fs::write(path.join("host.go"), whole.replace("func main() {", "func program() {")).unwrap();
    // By an error of its own, and by the context.
    for leave in ["return context.Canceled", "cancel()\nreturn nil"] {
        let caller = format!(
            "package main\n\
             import (\"context\"; \"encoding/json\"; \"fmt\")\n\
             func main() {{\n\
             ctx, cancel := context.WithCancel(context.Background())\n\
             defer cancel()\n\
             each := func(member json.RawMessage) error {{\n\
             fmt.Println(string(member))\n{leave}\n}}\n\
             if Members(ctx, []string{{\"SECRET=s\"}}, each, \"x.wasm\") == nil {{\n\
             panic(\"complete\")\n}}\n}}\n"
        );
        fs::write(path.join("caller.go"), caller).unwrap();
        let mut build = Command::new("go");
        build.args(["build", "-o", "caller", "host.go", "caller.go"]).env("GO111MODULE", "off");
        done(build.current_dir(path));
        left_early(path, &mut Command::new("./caller"));
    }
}

#[test]
fn a_host_without_arguments_says_how_it_is_called() {
    for language in [Host::Python, Host::Node, Host::Java, Host::Go] {
        if language.is_missing() {
            continue;
        }
        let scratch = tempfile::tempdir().unwrap();
        let host = language.command(scratch.path());
        let ended = Command::new(&host[0]).args(&host[1..]).output().unwrap();
        let said = text_of(&ended);
        assert_eq!(ended.status.code(), Some(2), "{host:?}: {said}");
        let is_usage = said.starts_with("usage: ") && said.ends_with(" CONNECTOR.wasm SOURCE...\n");
        assert!(is_usage && said.lines().count() == 1, "{host:?}: {said}");
        assert!(ended.stdout.is_empty(), "{host:?}: {said}");
    }
}

/// Holds a host to every fault of its command.
fn doubts(language: Host) {
    if language.is_missing() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path();
    let host = language.command(path);
    for (script, code, members) in FAULTS {
        fs::write(path.join("collect"), script).unwrap();
        failed(script, &run(path, &host, "sh"), code, members);
    }
    for missing in ["./no-such-command", "./collect"] {
        failed(missing, &run(path, &host, missing), "other", 0);
    }
    for (script, members) in COMPLETE {
        fs::write(path.join("collect"), script).unwrap();
        let ended = run(path, &host, "sh");
        assert!(ended.status.success(), "{script}: {}", text_of(&ended));
        let lines = |text: &str| -> Vec<Value> {
            text.split_terminator('\n').map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        assert_eq!(lines(std::str::from_utf8(&ended.stdout).unwrap()), lines(members), "{script}");
    }
    // A line that is longer than any buffer.
    let script = "printf '{\"id\":\"'; head -c 2000000 /dev/zero | tr '\\0' x; printf '\"}\\n'";
    fs::write(path.join("collect"), script).unwrap();
    let ended = run(path, &host, "sh");
    assert!(ended.status.success() && ended.stdout.len() > 2_000_000, "{}", ended.stdout.len());
}

/// Whether a host ended with this failure alone, after so many members.
fn failed(script: &str, ended: &Output, code: &str, members: usize) {
    let said = text_of(ended);
    assert_eq!(ended.status.code(), Some(1), "{script}: {said}");
    let line = std::str::from_utf8(&ended.stderr).unwrap();
    assert_eq!(line.lines().count(), 1, "{script}: {said}");
    let error = &serde_json::from_str::<Value>(line).unwrap()["error"];
    assert_eq!(error["code"], code, "{script}: {said}");
    assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{script}: {said}");
    assert!(error["retryable"].is_boolean(), "{script}: {said}");
    assert_eq!(std::str::from_utf8(&ended.stdout).unwrap().lines().count(), members, "{script}");
}

/// Runs a host, with `sh` in place of the command, which then runs the script `collect`.
fn run(folder: &Path, host: &[String], command: &str) -> Output {
    Command::new(&host[0])
        .args(&host[1..])
        .arg("x.wasm")
        .env("SMP_HARNESS", command)
        .env("ERROR", ERROR)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// A caller in Python, with the host as a module.
fn python(folder: &Path, script: &str) -> Command {
    fs::copy(host("host.py"), folder.join("host.py")).unwrap();
    fs::write(folder.join("caller.py"), format!("import json\nimport host\n{script}")).unwrap();
    let mut command = Command::new("python3");
    command.arg("caller.py").current_dir(folder).env("SMP_HARNESS", "sh");
    command
}

/// A caller that takes one member of a list without an end: the command got the secret, was asked
/// to stop, and is gone.
fn left_early(folder: &Path, caller: &mut Command) {
    fs::write(folder.join("collect"), PATIENT).unwrap();
    let said = done(caller.current_dir(folder).env("SMP_HARNESS", "sh").env_remove("SECRET"));
    assert!(said.contains("\"s\""), "{said}");
    is_gone(&said);
    fs::remove_file(folder.join("asked")).unwrap();
}

/// Whether the process that a member names has ended.
fn is_gone(member: &str) {
    let member: Value = serde_json::from_str(member.trim()).unwrap();
    let asked = Command::new("kill").args(["-0", &member["pid"].to_string()]).output().unwrap();
    assert!(!asked.status.success(), "{member} still runs");
}
