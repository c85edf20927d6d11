//! Tests of the key in everything that the real command writes and shows, during its work and after
//! a failure.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use smp_tests::harness::{Ended, KEY_VARIABLE, Run};
use smp_tests::mock::{Authorization, Call, ErrorAnswer, Fault, Mock, Situation, When};

use crate::echo::{Echo, Manner};
use crate::search::{
    KEY, assert_files_without_key, assert_streams_without_key, assert_without_key, holds_the_key,
    organization,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A command that writes all its files into this folder, with all of its output.
fn talkative(command: &str, folder: &Path) -> Run {
    let run =
        Run::new(command).arg("--verbose").env("RUST_BACKTRACE", "full").env("RUST_LOG", "trace");
    match command {
        "collect" => {
            let run =
                run.args(["--format", "ndjson", "--output"]).arg(folder.join("members.ndjson"));
            run.arg("--checkpoint")
                .arg(folder.join("checkpoint"))
                .arg("--report")
                .arg(folder.join("report.json"))
        }
        "record" => run.arg("--keep-personal-data").arg("--output").arg(folder.join("fixture")),
        _ => run,
    }
}

/// Requires that the key arrived at the service, only in its header.
fn assert_arrived(mock: &Mock) {
    let log = mock.log();
    assert!(
        !log.is_empty() && log.iter().all(|request| request.authorization == Authorization::Right)
    );
    for request in log {
        let rest = [Some(request.path), request.query, request.accept, request.user_agent];
        assert_without_key("a request beside its header", format!("{rest:?}"));
    }
}

#[test]
fn a_run_that_ends_well_writes_it_nowhere() {
    for command in ["validate", "connect", "collect", "record"] {
        for json in [&[][..], &["--json"]] {
            let (mock, folder) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
            let ended = talkative(command, folder.path()).at(&mock).args(json).end();
            assert_eq!(ended.code, Some(0), "{command}: {}", ended.stderr);
            assert_streams_without_key(command, &ended);
            assert_arrived(&mock);
            let files = assert_files_without_key(folder.path());
            assert_eq!(
                files,
                match command {
                    "collect" => 2,
                    "record" => 3,
                    _ => 0,
                },
                "{command}"
            );
        }
    }
}

#[test]
fn a_run_that_fails_in_any_way_writes_it_nowhere() {
    let faults = [
        Fault::unauthorized(),
        Fault::missing_scope(),
        Fault::access_denied(),
        Fault::organization_not_found(),
        Fault::status(500),
        Fault::rate_limited(3_000),
        ErrorAnswer::new(400).message("a text of the server").into(),
        Fault::Drop,
        Fault::DropBody,
        Fault::StallBody,
        Fault::Html,
        Fault::Truncated,
        Fault::WrongTypes,
        Fault::InvalidUtf8,
        Fault::EmptyBody,
        Fault::Nested { depth: 100_000 },
        Fault::Oversized { bytes: 64 << 20, told: true },
        Fault::Redirect { to: "/admin/v1/elsewhere".into() },
    ];
    for fault in faults {
        for command in ["validate", "connect", "collect"] {
            for json in [&[][..], &["--json"]] {
                let (mock, folder) =
                    (organization().start().unwrap(), tempfile::tempdir().unwrap());
                mock.set_fault(Call::Any, When::From(1), fault.clone());
                let run = talkative(command, folder.path()).at(&mock).args(json);
                let ended = run.args(["--max-wait", "0", "--timeout", "1"]).end();
                assert!(matches!(ended.code, Some(1 | 3)), "{command} {fault}: {}", ended.stderr);
                assert_streams_without_key(&format!("{command} with {fault}"), &ended);
                assert_files_without_key(folder.path());
                assert_arrived(&mock);
            }
        }
    }
}

#[test]
fn a_run_in_any_situation_writes_it_nowhere() {
    for situation in [
        Situation::NoDomain,
        Situation::Unverified,
        Situation::UnknownOrganization,
        Situation::SiteAdmin,
    ] {
        for command in ["validate", "connect", "collect", "record"] {
            let (mock, folder) = (
                organization().situation(situation).start().unwrap(),
                tempfile::tempdir().unwrap(),
            );
            let ended = talkative(command, folder.path()).at(&mock).end();
            assert_streams_without_key(&format!("{command} in {situation:?}"), &ended);
            assert_files_without_key(folder.path());
            assert_arrived(&mock);
        }
    }
}

#[test]
fn a_server_that_repeats_it_in_every_answer_does_not_make_the_command_write_it() {
    let manners = [
        Manner::Data,
        Manner::Escaped,
        Manner::Error(400),
        Manner::Error(401),
        Manner::Error(403),
        Manner::Error(429),
    ];
    for manner in manners {
        for command in ["validate", "connect", "collect", "record"] {
            for json in [&[][..], &["--json"]] {
                let (server, folder) = (Echo::start(manner), tempfile::tempdir().unwrap());
                let run = talkative(command, folder.path()).env(KEY_VARIABLE, KEY).args([
                    "--upstream",
                    &server.url(),
                    "--max-wait",
                    "0",
                ]);
                let secret = format!("api-key=env:{KEY_VARIABLE}");
                let ended = run
                    .args([
                        "--set",
                        "organization-id=repeating",
                        "--rate",
                        "off",
                        "--secret",
                        &secret,
                    ])
                    .args(json)
                    .end();
                assert!(server.repeated() > 0);
                assert_streams_without_key(&format!("{command} with {manner:?}"), &ended);
                assert_files_without_key(folder.path());
            }
        }
    }
}

#[test]
fn members_that_have_it_for_a_name_come_with_the_name_redacted() {
    let (server, folder) = (Echo::start(Manner::Data), tempfile::tempdir().unwrap());
    let run = talkative("collect", folder.path()).env(KEY_VARIABLE, KEY).args([
        "--upstream",
        &server.url(),
        "--rate",
        "off",
    ]);
    let ended = run
        .args([
            "--set",
            "organization-id=repeating",
            "--secret",
            &format!("api-key=env:{KEY_VARIABLE}"),
        ])
        .end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let rows = fs::read_to_string(folder.path().join("members.ndjson")).unwrap();
    assert_eq!(
        rows.matches(&format!("\"name\":\"{}\"", "*".repeat(KEY.len()))).count(),
        4,
        "two members with a product each: {rows}"
    );
}

#[test]
fn it_is_not_sent_on_to_where_a_link_or_a_redirect_leads() {
    let elsewhere = organization().start().unwrap();
    let (next, to) = (
        Fault::NextElsewhere { origin: elsewhere.url() },
        Fault::Redirect { to: format!("{}/admin/v1/orgs", elsewhere.url()) },
    );
    for fault in [next, to] {
        let (mock, folder) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
        mock.set_fault(Call::Users, When::Nth(2), fault);
        // A redirect is not followed, and the service is asked again.
        let ended = talkative("collect", folder.path()).at(&mock).end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(elsewhere.requests(), 0);
    }
}

#[test]
fn a_run_that_goes_on_for_long_shows_it_to_no_other_user_and_leaves_it_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    fs::write(&file, format!("{KEY}\n")).unwrap();
    let from_file = format!("api-key=file:{}", file.display());
    let from_environment = format!("api-key=env:{KEY_VARIABLE}");
    for secret in [&from_environment, &from_file] {
        let (mock, folder) = (
            organization().fault(Call::Users, When::Nth(3), Fault::Stall).start().unwrap(),
            tempfile::tempdir().unwrap(),
        );
        let mut run = talkative("collect", folder.path()).args([
            "--upstream",
            &mock.url(),
            "--rate",
            "off",
            "--secret",
            secret,
        ]);
        run = run.args(["--set", &format!("organization-id={}", mock.organization().id)]);
        let child =
            if secret == &from_file { run.start() } else { run.env(KEY_VARIABLE, KEY).start() };
        assert!(mock.wait_for(Call::Users, 3, PATIENCE));
        assert_process_without_key(&child, secret == &from_file);
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        let ended = Ended::of(child);
        assert_eq!(ended.code, Some(3), "{}", ended.stderr);
        assert_streams_without_key("a run that was stopped", &ended);
        // The rows so far, the checkpoint and the report.
        assert_eq!(assert_files_without_key(folder.path()), 3);
        assert_arrived(&mock);
    }
}

#[test]
fn a_run_that_dies_of_a_signal_leaves_no_memory_dump() {
    if !cfg!(target_os = "linux") {
        eprintln!("skipped: only Linux shows the limits of a process as a file");
        return;
    }
    let (mock, folder) = (
        organization().fault(Call::Users, When::Nth(2), Fault::Stall).start().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let run = talkative("collect", folder.path()).at(&mock).within(folder.path());
    let mut child = run.behind("ulimit -c unlimited").start();
    assert!(mock.wait_for(Call::Users, 2, PATIENCE));
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{core}");
    // What Ctrl-\ sends is ignored by programs that a script started in the background.
    kill_process(Pid::from_child(&child), Signal::ABORT).unwrap();
    let status = child.wait().unwrap();
    assert_eq!((status.signal(), status.core_dumped()), (Some(6), false));
    assert_files_without_key(folder.path());
}

/// Checks what other users and tools see of a running process: its arguments and its environment.
fn assert_process_without_key(child: &Child, environment_too: bool) {
    if !cfg!(target_os = "linux") {
        eprintln!("skipped: only Linux shows a process as files");
        return;
    }
    let shown = |name: &str| fs::read(format!("/proc/{}/{name}", child.id())).unwrap();
    assert!(shown("cmdline").starts_with(b"/"), "the arguments are read");
    assert_without_key("the argument list", shown("cmdline"));
    assert_without_key("the process's name", shown("comm"));
    if environment_too {
        assert_without_key("the environment", shown("environ"));
    } else {
        assert!(holds_the_key(&shown("environ")), "the environment is read");
    }
}

#[test]
fn compiled_code_is_kept_without_it() {
    let (mock, cache) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    let ended = Run::new("validate")
        .at(&mock)
        .env("XDG_CACHE_HOME", cache.path())
        .env("HOME", cache.path())
        .end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(assert_files_without_key(cache.path()) > 0);
    assert_arrived(&mock);
}
