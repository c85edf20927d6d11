//! A collection of twelve pages with a checkpoint, in its own folder, and the result of an
//! undisturbed one. It has no tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use smp_tests::harness::{Ended, Run};
use smp_tests::mock::{Builder, Call, Fault, LoggedRequest, Mock, When};

/// Pages of the organization.
pub(crate) const PAGES: usize = 12;
/// Members of the organization; the last page is half a page.
pub(crate) const MEMBERS: usize = 575;
/// Members on a page.
pub(crate) const ON_A_PAGE: usize = 50;
/// The formats that can be resumed.
pub(crate) const FORMATS: [&str; 2] = ["csv", "ndjson"];
/// Far longer than any step of a test on a busy machine: a test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A mock, and the files of one collection.
pub(crate) struct Setup {
    pub(crate) mock: Mock,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) format: &'static str,
}

/// The result of an undisturbed run.
pub(crate) struct Undisturbed {
    /// The file.
    pub(crate) bytes: Vec<u8>,
    /// What the report says of the whole collection.
    pub(crate) counts: Value,
    /// The cursor of each page.
    cursors: Vec<Option<String>>,
}

impl Setup {
    pub(crate) fn new(format: &'static str) -> Self {
        Self::on(organization(), format)
    }

    pub(crate) fn on(organization: Builder, format: &'static str) -> Self {
        Self { mock: organization.start().unwrap(), folder: tempfile::tempdir().unwrap(), format }
    }

    /// The collection, with the same command each time.
    pub(crate) fn run(&self) -> Run {
        self.run_at(&self.mock)
    }

    /// The same with another mock.
    pub(crate) fn run_at(&self, mock: &Mock) -> Run {
        let (output, checkpoint, report) =
            (self.output(), self.checkpoint(), self.path("report.json"));
        Run::new("collect").at(mock).args(["--json", "--format", self.format]).args([
            Path::new("--output"),
            &output,
            Path::new("--checkpoint"),
            &checkpoint,
            Path::new("--report"),
            &report,
        ])
    }

    /// A run that was stopped by SIGTERM during the page of this number.
    pub(crate) fn stopped_at(format: &'static str, page: usize) -> Self {
        let stage = Self::new(format);
        stage.stop_at(page, Signal::TERM);
        stage
    }

    /// Stops a run by a signal while the answer to its request of this number, counted from now, is
    /// pending.
    pub(crate) fn stop_at(&self, request: usize, signal: Signal) -> Ended {
        self.mock.set_fault(Call::Users, When::Nth(request as u64), Fault::Stall);
        let before = self.mock.log().len();
        let child = self.run().start();
        // A request that was only received may not have met the fault yet, and would meet the one
        // that is armed next.
        let stalls = |log: &[LoggedRequest]| {
            log.iter().skip(before).any(|one| one.faults.contains(&Fault::Stall.to_string()))
        };
        assert!(self.mock.wait_until(PATIENCE, stalls), "request {request} does not come");
        send(&child, signal);
        self.mock.clear_faults();
        Ended::of(child)
    }

    /// Resumes the collection to its end.
    pub(crate) fn finish(&self) -> Value {
        let ended = self.run().end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        self.assert_whole();
        self.report()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn output(&self) -> PathBuf {
        self.path(&format!("members.{}", self.format))
    }

    pub(crate) fn partial(&self) -> PathBuf {
        self.path(&format!("members.{}.partial", self.format))
    }

    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.path("checkpoint")
    }

    pub(crate) fn report(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path("report.json")).unwrap()).unwrap()
    }

    /// Pages that the checkpoint lists as delivered, one whole line each.
    pub(crate) fn delivered(&self) -> usize {
        let journal = fs::read_to_string(self.checkpoint()).unwrap();
        journal
            .split_inclusive('\n')
            .filter(|line| line.contains("{\"page\":") && line.ends_with('\n'))
            .count()
    }

    /// The pages that were requested so far, counted from 1.
    pub(crate) fn asked(&self) -> Vec<usize> {
        let cursors = &undisturbed(self.format).cursors;
        let page = |cursor| {
            1 + cursors.iter().position(|known| *known == cursor).expect("the cursor of a page")
        };
        self.mock
            .log()
            .into_iter()
            .filter(|request| request.call == Call::Users)
            .map(|request| page(request.cursor))
            .collect()
    }

    /// The content of the folder, without the report.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let entries = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let named = entries.map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap())
        });
        let mut files: Vec<_> = named.filter(|(name, _)| name != "report.json").collect();
        files.sort();
        files
    }

    /// Begins the collection again, to its end: of the rows that are there, the checkpoint states
    /// none.
    pub(crate) fn begin_again(&self) {
        let ended = self.run().end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let mut report = self.assert_files();
        let notes = report["notes"].as_array_mut().expect("notes");
        let first = notes.remove(0)["message"].take();
        let told = "states no page of it, so it began at the first page and overwrote it.";
        assert!(first.as_str().is_some_and(|first| first.ends_with(told)), "{first}");
        assert_eq!(counts(&report), undisturbed(self.format).counts);
    }

    /// Requires that the file is that of an undisturbed run, that nothing else is left, and that
    /// the report tells the same.
    pub(crate) fn assert_whole(&self) {
        assert_eq!(counts(&self.assert_files()), undisturbed(self.format).counts);
    }

    /// Requires that the file is that of an undisturbed run, and that nothing else is left.
    fn assert_files(&self) -> Value {
        let undisturbed = undisturbed(self.format);
        let names: Vec<String> = self.files().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, [format!("members.{}", self.format)]);
        assert!(
            fs::read(self.output()).unwrap() == undisturbed.bytes,
            "the file is not that of an undisturbed run"
        );
        let report = self.report();
        assert_eq!((&report["outcome"], &report["error"]), (&json!("complete"), &Value::Null));
        report
    }
}

/// The organization of the collection.
pub(crate) fn organization() -> Builder {
    Mock::builder().members(MEMBERS as u64).page_size(ON_A_PAGE as u64).seed(11)
}

/// An undisturbed run in this format.
pub(crate) fn undisturbed(format: &str) -> &'static Undisturbed {
    static CSV: OnceLock<Undisturbed> = OnceLock::new();
    static NDJSON: OnceLock<Undisturbed> = OnceLock::new();
    let known = if format == "csv" { &CSV } else { &NDJSON };
    known.get_or_init(|| {
        let (mock, folder) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
        let (output, report) = (folder.path().join("members"), folder.path().join("report"));
        let run = Run::new("collect")
            .at(&mock)
            .args(["--format", format])
            .args([Path::new("--output"), &output]);
        let ended = run.args([Path::new("--report"), &report]).end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let report = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
        let log = mock.log().into_iter().filter(|request| request.call == Call::Users);
        let cursors = log.map(|request| request.cursor).collect();
        Undisturbed { bytes: fs::read(output).unwrap(), counts: counts(&report), cursors }
    })
}

/// What a report says of the whole collection: figures, and notes.
pub(crate) fn counts(report: &Value) -> Value {
    json!([
        report["members"],
        report["people"],
        report["total"],
        report["pages"],
        report["duplicates"],
        report["notes"]
    ])
}

/// Pages from one to another, both included.
pub(crate) fn pages(ranges: &[(usize, usize)]) -> Vec<usize> {
    ranges.iter().flat_map(|(first, last)| *first..=*last).collect()
}

pub(crate) fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}
