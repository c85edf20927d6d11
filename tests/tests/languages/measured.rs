//! What a connector costs in a language: sizes, times and memory of the real command, as a row of
//! the table in `docs/write-a-connector.md`. Nothing is compared: other machines have other
//! figures.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use smp_tests::harness::binary;
use tempfile::TempDir;

use super::{PEOPLE, all_languages, service};

/// Runs with compiled code. The median of them is shown.
const RUNS: usize = 5;
/// How the kernel counts processor time in `/proc`, on every processor that Rust's library knows.
const TICKS_PER_SECOND: u64 = 100;
const HEAD: &str = "\
| | component | compiled | first load | of the processor | first page | 20,000 people | memory |
| --- | --- | --- | --- | --- | --- | --- | --- |
";

/// What a run of the command took.
struct Taken {
    /// From its start to its first line.
    first_line: Duration,
    lines: usize,
    /// From its start to its end.
    wall: Duration,
    /// Of the processor, with the process that compiles.
    computing: Duration,
    /// The most memory, in bytes, up to the last line.
    peak: u64,
}

/// Measures a component, and writes the row of its language to standard error.
pub(super) fn measured(language: &str, component: &Path) {
    if !all_languages() {
        return;
    }
    let cache = tempfile::tempdir().unwrap();
    let load = taken(command(&cache).arg("inspect").arg(component));
    let compiled = size_of_files(cache.path());
    assert!(load.lines > 0 && compiled > 0, "{language}: nothing is compiled");
    let service = service();
    let mut runs: Vec<_> = (0..RUNS)
        .map(|_| {
            let mut run = command(&cache);
            run.arg("collect").arg(component).args(["--upstream", &service, "--rate", "off"]);
            run.args(["--set", "team=acme", "--secret", "key=env:KEY", "--format", "ndjson"]);
            taken(run.env("KEY", "key_abcdef123456"))
        })
        .collect();
    assert!(runs.iter().all(|run| run.lines == PEOPLE && run.peak > 0), "{language}");
    let mut median = |of: fn(&Taken) -> Duration| {
        runs.sort_by_key(of);
        of(&runs[RUNS / 2])
    };
    let (first_page, people) = (median(|run| run.first_line), median(|run| run.computing));
    let memory = runs.iter().map(|run| run.peak).max().unwrap();
    let cells = [
        language.to_owned(),
        bytes(fs::metadata(component).unwrap().len()),
        bytes(compiled),
        time(load.wall),
        time(load.computing),
        time(first_page),
        time(people),
        bytes(memory),
    ];
    let mut out = std::io::stderr().lock();
    static ONCE: Once = Once::new();
    ONCE.call_once(|| write!(out, "\n{HEAD}").unwrap());
    writeln!(out, "\n| {} |", cells.join(" | ")).unwrap();
}

/// The command with a cache of its own.
fn command(cache: &TempDir) -> Command {
    let mut command = Command::new(binary());
    command.env_clear().env("XDG_CACHE_HOME", cache.path());
    command
}

fn taken(command: &mut Command) -> Taken {
    let begin = Instant::now();
    let null = Stdio::null;
    let mut child = command.stdin(null()).stdout(Stdio::piped()).stderr(null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut output: BufReader<ChildStdout> = BufReader::new(child.stdout.take().unwrap());
    let (mut first_line, mut lines, mut peak) = (None, 0, 0);
    // What a pipe holds is read before the process ends, or goes on: its memory is still there.
    while let Some(length) = output.fill_buf().ok().map(<[u8]>::len).filter(|length| *length > 0) {
        first_line.get_or_insert_with(|| begin.elapsed());
        lines += output.buffer().iter().filter(|byte| **byte == b'\n').count();
        output.consume(length);
        peak = peak.max(peak_of(&status));
    }
    // Its figures are there until it is waited for.
    let pid = Pid::from_child(&child);
    waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
    let wall = begin.elapsed();
    let computing = computing_of(&format!("/proc/{}/stat", child.id()));
    assert!(child.wait().unwrap().success(), "{command:?}");
    Taken { first_line: first_line.unwrap(), lines, wall, computing, peak }
}

/// The peak memory of a process, or 0 where it has ended.
fn peak_of(status: &str) -> u64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
}

/// The processor time of a process and of those that it waited for.
fn computing_of(stat: &str) -> Duration {
    let text = fs::read_to_string(stat).unwrap();
    // Behind the name, which may have spaces: the state, and the times as 12th to 15th.
    let (_, behind) = text.rsplit_once(')').unwrap();
    let ticks: u64 =
        behind.split_whitespace().skip(11).take(4).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

fn size_of_files(folder: &Path) -> u64 {
    let sizes = fs::read_dir(folder).unwrap().map(|entry| {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            size_of_files(&entry.path())
        } else {
            entry.metadata().unwrap().len()
        }
    });
    sizes.sum()
}

/// Bytes for people: three digits.
fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes / 1000),
        1_000_000..10_000_000 => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

fn time(time: Duration) -> String {
    if time < Duration::from_millis(100) {
        format!("{} ms", time.as_millis())
    } else if time < Duration::from_secs(10) {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{:.0} s", time.as_secs_f64())
    }
}
