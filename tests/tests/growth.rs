//! Tests that memory does not grow with the organization, except for what the guard keeps of each
//! member.
//!
//! The peak is read from the process itself while the answer to its last request is pending: all
//! other pages are written then. So nothing depends on when a sample is taken.

#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "the measured figures are worth seeing")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::time::Duration;

use smp_tests::harness::Run;
use smp_tests::mock::{Call, Fault, Mock, When};

const ON_A_PAGE: u64 = 1_000;
const FEW: u64 = 2_000;
const MANY: u64 = 100_000;
/// Bytes that a member may take permanently. The guard's set has 19 to 39, and half as many more
/// while it grows; zero would mean that nothing was measured.
const BYTES_PER_MEMBER: std::ops::Range<u64> = 1..120;

/// A run that waits for a page after this many members, and ends with the test.
struct Waiting {
    mock: Arc<Mock>,
    child: Child,
}

impl Waiting {
    fn after(members: u64, folder: &Path, with_checkpoint: bool) -> Self {
        let last = members / ON_A_PAGE + 1;
        let mock = Mock::builder().members(members + 1).page_size(ON_A_PAGE).seed(3).fault(
            Call::Users,
            When::Nth(last),
            Fault::Stall,
        );
        Self::at(Arc::new(mock.start().unwrap()), last, members, folder, with_checkpoint)
    }

    /// Ends the run, and resumes it until it waits for the same page.
    fn again(self, members: u64, folder: &Path) -> Self {
        let mock = Arc::clone(&self.mock);
        drop(self);
        mock.set_fault(Call::Users, When::Nth(1), Fault::Stall);
        Self::at(mock, members / ON_A_PAGE + 2, members, folder, true)
    }

    fn at(
        mock: Arc<Mock>,
        requests: u64,
        members: u64,
        folder: &Path,
        with_checkpoint: bool,
    ) -> Self {
        let mut run = Run::new("collect")
            .at(&mock)
            .args(["--format", "ndjson", "--output"])
            .arg(folder.join("members.ndjson"));
        if with_checkpoint {
            run = run.arg("--checkpoint").arg(folder.join("checkpoint"));
        }
        let child = run.start();
        let waiting = Self { mock, child };
        assert!(waiting.mock.wait_for(
            Call::Users,
            usize::try_from(requests).unwrap(),
            Duration::from_secs(120)
        ));
        let rows = fs::read(folder.join("members.ndjson.partial")).unwrap();
        assert_eq!(rows.iter().filter(|byte| **byte == b'\n').count() as u64, members);
        waiting
    }

    /// Peak memory of the process, in bytes.
    fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .expect("the kernel tells the peak");
        line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The additional memory of a run for each member beyond the first few.
fn growth(with_checkpoint: bool, resumed: bool) -> u64 {
    // Compiling takes more memory than any collection, so the code must be cached already.
    assert_eq!(Run::new("inspect").end().code, Some(0));
    let peak = |members| {
        let folder = tempfile::tempdir().unwrap();
        let first = Waiting::after(members, folder.path(), with_checkpoint);
        if resumed { first.again(members, folder.path()).peak() } else { first.peak() }
    };
    let (few, many) = (peak(FEW), peak(MANY));
    let growth = many.saturating_sub(few) / (MANY - FEW);
    println!(
        "{few} bytes for {FEW} members, {many} for {MANY}: {growth} a member (checkpoint: \
         {with_checkpoint}, resumed: {resumed})"
    );
    growth
}

#[test]
fn a_collection_keeps_only_a_mark_of_each_member() {
    assert!(BYTES_PER_MEMBER.contains(&growth(false, false)));
}

#[test]
fn a_collection_with_a_checkpoint_keeps_no_more() {
    assert!(BYTES_PER_MEMBER.contains(&growth(true, false)));
}

#[test]
fn a_collection_that_goes_on_keeps_no_more() {
    assert!(BYTES_PER_MEMBER.contains(&growth(true, true)));
}
