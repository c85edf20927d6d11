//! The command `atlassian-mock` as scripts use it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod mock_client;

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// A running command that is ended with the test.
struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(arguments: &[&str]) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_atlassian-mock"));
        let mut child =
            command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Running { child, lines }
    }

    /// The rest of the next line of standard output, after its prefix.
    fn fact(&mut self, beginning: &str) -> String {
        let line = self.lines.next().unwrap().unwrap();
        line.strip_prefix(beginning).unwrap_or_else(|| panic!("{line}")).to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn refusal(arguments: &[&str]) -> (Option<i32>, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_atlassian-mock")).args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn it_tells_where_it_is_and_answers_there() {
    let mut running = Running::start(&[
        "--members",
        "3",
        "--org-id",
        "my-org",
        "--key",
        "my-key",
        "--fault",
        "org:drop",
    ]);
    let url = running.fact("listening on ");
    assert_eq!(running.fact("url="), url);
    assert_eq!(running.fact("organization-id="), "my-org");
    assert_eq!(running.fact("api-key="), "my-key");
    let mut stream = std::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let headers = [("Authorization", "Bearer my-key")];
    let reply = mock_client::exchange(&mut stream, "GET", "/admin/v1/orgs/my-org/users", &headers);
    assert_eq!((reply.status, reply.ids().len()), (200, 3));
}

#[test]
fn it_ends_well_on_sigint_and_sigterm() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut running = Running::start(&[]);
        running.fact("listening on ");
        kill_process(Pid::from_child(&running.child), signal).unwrap();
        assert_eq!(running.child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn it_ends_with_its_standard_input_only_when_told_to() {
    let mut running = Running::start(&["--until-stdin-closes"]);
    running.fact("listening on ");
    drop(running.child.stdin.take());
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
    let mut deaf = Running::start(&[]);
    drop(deaf.child.stdin.take());
    deaf.fact("listening on ");
    assert_eq!(deaf.child.try_wait().unwrap(), None);
}

#[test]
fn it_writes_its_log_and_its_authority_to_files() {
    let folder = tempfile::tempdir().unwrap();
    let (log, ca) = (folder.path().join("log.ndjson"), folder.path().join("ca.pem"));
    let mut running =
        Running::start(&["--log", log.to_str().unwrap(), "--tls", ca.to_str().unwrap()]);
    assert!(running.fact("listening on ").starts_with("https://localhost:"));
    assert!(std::fs::read_to_string(&ca).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    let mut plain = Running::start(&["--log", log.to_str().unwrap()]);
    let url = plain.fact("listening on ");
    let mut stream = std::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    mock_client::exchange(&mut stream, "GET", "/admin/v1/orgs", &[]);
    let line: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&log).unwrap()).unwrap();
    assert_eq!(
        (&line["call"], &line["status"], &line["authorization"]),
        (&"orgs".into(), &401.into(), &"absent".into())
    );
}

#[test]
fn bad_arguments_are_refused_with_the_reason() {
    for (arguments, reason) in [
        (&["--members", "many"][..], "invalid value 'many' for '--members <N>'"),
        (&["--fault", "users:3:explode"], "`explode` is not a fault"),
        (
            &["--fault", "people:drop"],
            "`people` is not a call: it must be one of orgs, org, users, domains, count, search, \
             workspaces, keys, any",
        ),
        (&["--page-size", "0"], "0 is not in 1..=100000"),
        (&["--situation", "fine"], "[possible values: usual, no-domain,"),
        (&["--now", "tomorrow"], "an instant in RFC 3339, or `today`, is expected"),
        (&["--verbose"], "unexpected argument '--verbose'"),
    ] {
        let (code, text) = refusal(arguments);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(reason), "{text}");
    }
}

#[test]
fn a_port_that_is_taken_is_a_failure_with_the_port() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, text) = refusal(&["--port", &port]);
    assert_eq!(code, Some(1));
    assert!(
        text.starts_with(&format!("atlassian-mock: listening on port {port} of 127.0.0.1: ")),
        "{text}"
    );
}

#[test]
fn help_has_the_grammar_of_faults() {
    let mut running = Running::start(&["--help"]);
    let mut help = String::new();
    running.lines.by_ref().map_while(Result::ok).for_each(|line| help.push_str(&line));
    assert!(help.contains("status-NNN") && help.contains("shifted[;by=N]"), "{help}");
}
