//! Tests of where the command writes, as people and scripts name places: devices, pipes, sockets,
//! links, `-`, endings, two paths that are one file, a reader that leaves early, and places where
//! no file can be. And of who can read what it wrote.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, kill_process};
use smp_tests::harness::{Ended, Run, names, read_json};
use smp_tests::mock::{Builder, Mock};

fn organization() -> Builder {
    Mock::builder().members(25).page_size(10)
}

fn collect(mock: &Mock) -> Run {
    Run::new("collect").at(mock).args(["--format", "ndjson", "--json"])
}

/// Makes a named pipe.
fn pipe(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

fn assert_done(ended: &Ended) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{}", ended.stderr);
}

#[test]
fn devices_pipes_and_sockets_are_written_through_and_stay() {
    let (mock, home) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    let at = |name: &str| home.path().join(name);
    let whole = collect(&mock).end().stdout;

    pipe(&at("pipe"));
    let reader = thread::spawn({
        let path = at("pipe");
        move || fs::read_to_string(path).unwrap()
    });
    assert_done(&collect(&mock).file("--output", &at("pipe")).end());
    assert_eq!(reader.join().unwrap(), whole);
    assert!(fs::symlink_metadata(at("pipe")).unwrap().file_type().is_fifo());

    let listener = UnixListener::bind(at("socket")).unwrap();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        listener.accept().unwrap().0.read_to_string(&mut text).unwrap();
        text
    });
    assert_done(&collect(&mock).file("--output", &at("socket")).end());
    assert_eq!(reader.join().unwrap(), whole);

    symlink("/dev/null", at("null")).unwrap();
    for name in ["/dev/null", "null"] {
        assert_done(&collect(&mock).file("--output", &at(name)).end());
    }
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        let ended = collect(&mock).args(["--output", name]).end();
        assert_eq!((ended.code, ended.stdout == whole), (Some(0), true), "{name}");
    }
    assert_eq!(names(home.path()), ["null", "pipe", "socket"]);
}

#[test]
fn a_pipe_cannot_be_resumed_and_that_is_said_before_anything_is_asked() {
    let (mock, home) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    pipe(&home.path().join("pipe"));
    for output in ["pipe", "/dev/null", "/dev/stdout"] {
        let run = collect(&mock).args(["--output", output, "--checkpoint", "c"]);
        let ended = run.within(home.path()).end();
        assert_eq!(ended.code, Some(2), "{output}: {}", ended.stderr);
        assert!(ended.said("invalid-settings").contains("regular file"), "{}", ended.stderr);
    }
    assert_eq!((mock.requests(), names(home.path())), (0, vec!["pipe".to_owned()]));
}

#[test]
fn a_link_stays_and_its_target_gets_the_list() {
    let (mock, home) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    let at = |name: &str| home.path().join(name);
    fs::create_dir(at("data")).unwrap();
    fs::write(at("data/list"), "old").unwrap();
    symlink("data/list", at("link")).unwrap();
    symlink("data/new", at("dangling")).unwrap();
    let whole = collect(&mock).end().stdout;
    for (link, target) in [("link", "data/list"), ("dangling", "data/new")] {
        assert_done(&collect(&mock).file("--output", &at(link)).end());
        assert_eq!(fs::read_to_string(at(target)).unwrap(), whole, "{link}");
        assert!(fs::symlink_metadata(at(link)).unwrap().is_symlink(), "{link}");
    }
    assert_eq!(names(&at("data")), ["list", "new"]);
}

#[test]
fn a_planted_partial_link_is_not_followed() {
    let (mock, home) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    let at = |name: &str| home.path().join(name);
    fs::write(at("victim"), "theirs").unwrap();
    symlink("victim", at("list.partial")).unwrap();
    let ended = collect(&mock).file("--output", &at("list")).end();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.said("output").contains("is a link"), "{}", ended.stderr);
    assert_eq!(fs::read_to_string(at("victim")).unwrap(), "theirs");
    assert_eq!((mock.requests(), at("list").exists()), (0, false));
}

#[test]
fn two_paths_that_are_one_file_are_refused_before_anything_is_asked() {
    let (mock, home) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    let at = |name: &str| home.path().join(name);
    fs::create_dir(at("data")).unwrap();
    fs::write(at("list"), "an older list").unwrap();
    fs::hard_link(at("list"), at("hard")).unwrap();
    fs::write(at("settings.toml"), "").unwrap();
    for (to, link) in [("list", "alias"), ("new", "dangling"), ("settings.toml", "s")] {
        symlink(to, at(link)).unwrap();
    }
    let before = names(home.path());
    for arguments in [
        ["--output", "out", "--report", "data/../out"],
        ["--output", "out", "--checkpoint", "data/../out"],
        ["--output", "list", "--report", "hard"],
        ["--output", "alias", "--checkpoint", "hard"],
        ["--output", "new", "--report", "dangling"],
        ["--output", "s", "--settings", "settings.toml"],
        ["--report", "key", "--secret", "api-key=file:key"],
        ["--report", "ca.pem", "--ca-file", "ca.pem"],
    ] {
        let ended = collect(&mock).args(arguments).within(home.path()).end();
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
        let said = ended.said("invalid-settings");
        assert!(said.contains("are the same file"), "{arguments:?}: {said}");
    }
    assert_eq!((mock.requests(), names(home.path())), (0, before));
    assert_eq!(fs::read_to_string(at("list")).unwrap(), "an older list");
}

#[test]
fn what_a_standard_stream_goes_to_is_not_replaced_and_not_written_over() {
    let (mock, home) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    let at = |name: &str| home.path().join(name);
    fs::write(at("log"), "an older line\n".repeat(200)).unwrap();
    let append = |name: &str| File::options().append(true).create(true).open(at(name)).unwrap();
    for (arguments, place) in [
        (&["--report", "log"][..], "log"),
        (&["--output", "log"], "log"),
        (&["--output", "o", "--checkpoint", "log"], "log"),
        (&["--output", "o"], "o.partial"),
        (&["--report", "/dev/stdout"], "log"),
        (&["--report", "/dev/fd/1"], "log"),
    ] {
        let run = collect(&mock).args(arguments).stdout_to(append(place)).within(home.path());
        let ended = run.end();
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
        assert!(ended.said("invalid-settings").contains("standard output"), "{}", ended.stderr);
    }
    assert_eq!(mock.requests(), 0);
    let ended = collect(&mock)
        .args(["--output", "list", "--report", "/dev/stdout"])
        .stdout_to(append("log"))
        .within(home.path())
        .end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let log = fs::read_to_string(at("log")).unwrap();
    assert_eq!(log.matches("an older line\n").count(), 200);
    assert!(log.ends_with("}\n") && log.contains("\"outcome\": \"complete\""), "{log}");
}

#[test]
fn the_files_of_a_fixture_are_not_written_over() {
    let home = tempfile::tempdir().unwrap();
    let fixture = home.path().join("fixture");
    fs::create_dir(&fixture).unwrap();
    for option in ["--output", "--report"] {
        let run = Run::new("collect").arg("--json").file("--fixture", &fixture);
        let ended = run.file(option, &fixture.join("traffic.har")).end();
        assert_eq!(ended.code, Some(2), "{option}: {}", ended.stderr);
        let said = ended.said("invalid-settings");
        assert!(said.contains(option) && said.contains("--fixture"), "{said}");
    }
    assert_eq!(names(&fixture), Vec::<String>::new());
}

#[test]
fn a_hyphen_is_standard_output_and_no_file() {
    let (mock, home) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    let whole = collect(&mock).end().stdout;
    let ended = collect(&mock).args(["--output", "-"]).within(home.path()).end();
    assert_eq!((ended.code, ended.stdout), (Some(0), whole), "{}", ended.stderr);
    let requests = mock.requests();
    for arguments in [
        &["--report", "-"][..],
        &["--output", "list", "--checkpoint", "-"],
        &["--output", "-", "--checkpoint", "c"],
    ] {
        let ended = collect(&mock).args(arguments).within(home.path()).end();
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
        ended.said("invalid-settings");
    }
    assert_eq!((mock.requests(), names(home.path())), (requests, vec![]));
}

#[test]
fn an_ending_that_names_no_format_is_wrong_usage_unless_one_is_given() {
    let (mock, home) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    for name in ["m.xlsx", "m.tsv", "m.XLS", "m.csv.gz"] {
        let run = || Run::new("collect").at(&mock).args(["--output", name]).within(home.path());
        let said = run().arg("--json").end();
        assert_eq!(said.code, Some(2), "{name}: {}", said.stderr);
        for format in ["csv", "ndjson", "json", "table", "--format"] {
            assert!(said.said("invalid-settings").contains(format), "{name}: {}", said.stderr);
        }
        assert_eq!((mock.requests(), names(home.path())), (0, vec![]), "{name}");
    }
    let given = collect(&mock).args(["--output", "m.tsv"]).within(home.path()).end();
    assert_eq!((given.code, names(home.path())), (Some(0), vec!["m.tsv".to_owned()]));
}

#[test]
fn a_reader_that_leaves_early_is_a_quiet_end() {
    let mock = Mock::builder().members(4_000).page_size(100).start().unwrap();
    // The far end is closed before the command starts, so that its first byte finds no reader.
    let run = |run: Run| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        run.stdout_to(File::from(OwnedFd::from(writer))).end()
    };
    for format in ["ndjson", "csv", "json", "table"] {
        for json in [&[][..], &["--json"]] {
            let ended = run(Run::new("collect").at(&mock).args(["--format", format]).args(json));
            assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{format}");
        }
    }
    // A list that is written as it arrives is not collected to its end without a reader.
    let before = mock.requests();
    assert_eq!(run(collect(&mock)).code, Some(0));
    assert!(mock.requests() - before < 10, "{}", mock.requests() - before);
    for command in ["inspect", "guide"] {
        let ended = run(Run::new(command));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{command}");
    }
    for arguments in [&["limits"][..], &["man"], &["completions", "bash"], &["--help"]] {
        let ended = run(Run::bare().args(arguments));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
    // What a command found stays in its exit code.
    let ended = run(Run::new("check").args(["--strict"]));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""));
}

#[test]
fn a_reader_of_a_named_pipe_that_leaves_is_a_quiet_end_too() {
    let (mock, home) = (
        Mock::builder().members(4_000).page_size(100).start().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let at = home.path().join("list.ndjson");
    pipe(&at);
    let reader = thread::spawn({
        let path = at.clone();
        move || {
            let mut first = [0];
            File::open(path).unwrap().read_exact(&mut first).unwrap();
            first
        }
    });
    // The format is that of the name.
    let ended = Run::new("collect").at(&mock).file("--output", &at).end();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(reader.join().unwrap(), *b"{");
}

#[test]
fn a_pipe_without_a_reader_is_left_at_the_second_signal() {
    let (mock, home) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    pipe(&home.path().join("report"));
    let run = collect(&mock).args(["--output", "list.ndjson", "--report", "report"]);
    let child = run.within(home.path()).start();
    assert!(mock.wait_until(Duration::from_secs(60), |log| {
        log.iter().filter(|one| one.status.is_some()).count() >= 4
    }));
    let mut child = child;
    let process = Pid::from_child(&child);
    // The list is there when the report is waited with.
    let ended = loop {
        if home.path().join("list.ndjson").exists() {
            let _ = kill_process(process, Signal::INT);
        }
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        thread::yield_now();
    };
    assert_eq!(ended.code(), Some(1));
}

#[test]
fn a_limit_on_the_size_of_files_is_told_as_a_full_disk_is() {
    let (mock, home) = (
        Mock::builder().members(4_000).page_size(100).start().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let run = collect(&mock).args(["--output", "list"]).within(home.path());
    let ended = run.behind("ulimit -f 400").end();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.said("output").contains("cannot be written"), "{}", ended.stderr);
    assert_eq!(names(home.path()), Vec::<String>::new());
}

#[test]
fn help_that_cannot_be_written_is_a_failure() {
    for option in ["--help", "--version"] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let ended = Run::bare().arg(option).stdout_to(full).end();
        assert_eq!(ended.code, Some(1), "{option}: {}", ended.stderr);
    }
}

#[test]
fn a_place_where_no_file_can_be_is_found_before_anything_is_asked() {
    let (mock, home) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    fs::create_dir(home.path().join("folder")).unwrap();
    fs::write(home.path().join("file"), "").unwrap();
    for place in ["none/x", "folder", "file/x"] {
        for (option, others, code) in [
            ("--output", &[][..], "output"),
            ("--report", &[], "output"),
            ("--checkpoint", &["--output", "list"], "checkpoint"),
        ] {
            let run = collect(&mock).args(others).args([option, place]);
            let ended = run.within(home.path()).end();
            assert_eq!(ended.code, Some(1), "{option} {place}: {}", ended.stderr);
            let said = ended.said(code);
            assert!(said.contains(place) && said.contains(option), "{said}");
        }
    }
    assert_eq!(mock.requests(), 0);
    assert_eq!(names(home.path()), ["file", "folder"]);
}

#[test]
fn a_report_is_written_whole_or_not_at_all() {
    let (mock, home) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    let report = home.path().join("report.json");
    for before in [None, Some("an older report")] {
        before.into_iter().for_each(|text| fs::write(&report, text).unwrap());
        let ended = collect(&mock).file("--report", &report).on_a_disk_of(0).end();
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        // A component cannot be compiled there either, which the last line says.
        assert!(ended.stderr.contains("report.json` cannot be written"), "{}", ended.stderr);
        assert_eq!(fs::read_to_string(&report).ok().as_deref(), before);
        assert_eq!(names(home.path()).len(), usize::from(before.is_some()));
    }
    assert_eq!(collect(&mock).file("--report", &report).end().code, Some(0));
    assert_eq!(read_json(&report)["outcome"], "complete");
}

#[test]
fn what_holds_personal_data_can_be_read_by_its_owner_alone() {
    let (mock, home) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    let at = |name: &str| home.path().join(name);
    let mode = |name: &str| fs::metadata(at(name)).unwrap().permissions().mode() & 0o777;
    let run = |limit: &[&str]| {
        collect(&mock)
            .args(["--output", "list", "--checkpoint", "c", "--report", "report.json"])
            .args(limit)
            .within(home.path())
            .end()
    };
    run(&["--limit", "pages=1"]);
    for name in ["list.partial", "c", "report.json"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    assert_done(&run(&[]));
    assert_eq!(mode("list"), 0o600);
    for name in ["list", "report.json"] {
        fs::set_permissions(at(name), fs::Permissions::from_mode(0o644)).unwrap();
    }
    assert_done(&run(&[]));
    assert_eq!((mode("list"), mode("report.json")), (0o644, 0o644), "somebody's decision");

    let recorded = Run::new("record").at(&mock).file("--output", &at("recording")).end();
    assert_eq!((recorded.code, mode("recording")), (Some(0), 0o700), "{}", recorded.stderr);
}

#[test]
fn csv_for_excel_has_a_mark_and_is_not_resumed_as_another_form() {
    let (mock, home) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    let run = |arguments: &[&str]| {
        Run::new("collect").at(&mock).arg("--json").args(arguments).within(home.path()).end()
    };
    let plain = run(&["--output", "-", "--format", "csv", "--csv", "plain"]).stdout;
    assert!(plain.starts_with("email,name,") && !plain.contains('\r'), "{plain}");
    for (form, header) in [("excel", "email,name,"), ("excel-semicolon", "email;name;")] {
        let excel = run(&["--format", "csv", "--csv", form]).stdout;
        assert!(excel.starts_with(&format!("\u{feff}{header}")), "{excel}");
        assert_eq!(excel.matches("\r\n").count(), plain.lines().count(), "{form}");
    }
    for (arguments, said) in [
        (&["--format", "json", "--csv", "excel"][..], "--format csv"),
        (&["--format", "csv", "--csv", "german"], "excel-semicolon"),
    ] {
        let refused = run(arguments);
        assert_eq!(refused.code, Some(2), "{arguments:?}");
        assert!(refused.said("invalid-settings").contains(said), "{}", refused.stderr);
    }
    let files = ["--output", "m.csv", "--checkpoint", "c"];
    run(&[&files[..], &["--csv", "excel", "--limit", "pages=1"]].concat());
    let other = run(&files);
    assert_eq!(other.code, Some(1));
    assert!(other.said("checkpoint").contains("the format is another one"), "{}", other.stderr);
}
