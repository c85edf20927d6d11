//! Tests of whose rows a partial file contains, and of a checkpoint that cannot be removed.

use std::fs;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::process::Signal;
use serde_json::json;
use smp_tests::harness::{Ended, Run, component, folder};
use smp_tests::mock::{Call, Fault, LoggedRequest, Mock, When};

use crate::setup::{PAGES, PATIENCE, Setup, organization, pages, send, undisturbed};
use crate::stops::finished_with_its_journal;

/// A run to the stage's output that begins or resumes with this checkpoint.
fn run_with(stage: &Setup, mock: &Mock, checkpoint: &Path) -> Run {
    let run = Run::new("collect").at(mock).args(["--json", "--format", stage.format]);
    run.file("--output", &stage.output()).file("--checkpoint", checkpoint)
}

/// Stops such a run during its page of this number.
fn stop(stage: &Setup, mock: &Mock, checkpoint: &Path, page: usize) {
    mock.set_fault(Call::Users, When::Nth(page as u64), Fault::Stall);
    let child = run_with(stage, mock, checkpoint).start();
    let stalls = |log: &[LoggedRequest]| {
        log.iter().any(|one| one.faults.contains(&Fault::Stall.to_string()))
    };
    assert!(mock.wait_until(PATIENCE, stalls), "request {page} does not come");
    send(&child, Signal::TERM);
    mock.clear_faults();
    assert_eq!(Ended::of(child).code, Some(3));
}

fn assert_refused(ended: &Ended, because: &str) {
    let said = ended.said("checkpoint");
    assert!(ended.code == Some(1) && said.contains(because) && ended.stdout.is_empty(), "{said}");
}

#[test]
fn rows_of_another_customer_are_not_gone_on_with() {
    for format in ["csv", "ndjson"] {
        let stage = Setup::stopped_at(format, 4);
        let other =
            organization().organization_id("another-organization").seed(12).start().unwrap();
        let others = stage.path("others-checkpoint");
        stop(&stage, &other, &others, 5);
        let (files, requests) = (stage.files(), stage.mock.requests());

        assert_refused(&stage.run().end(), "another run has written to this output");
        assert!(
            stage.files() == files && stage.mock.requests() == requests,
            "something was touched or asked for"
        );

        let ended = run_with(&stage, &other, &others).end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let rows = fs::read_to_string(stage.output()).unwrap();
        let first_customers = String::from_utf8(undisturbed(format).bytes.clone()).unwrap();
        let mixed = first_customers.lines().skip(1).find(|row| rows.contains(row));
        assert_eq!(mixed, None, "a row of the first customer");

        assert_refused(&stage.run().end(), "no longer exists");
        fs::remove_file(stage.checkpoint()).unwrap();
        assert_eq!(stage.run().end().code, Some(0));
        assert!(fs::read(stage.output()).unwrap() == undisturbed(format).bytes);
    }
}

#[test]
fn a_list_that_was_replaced_is_not_taken_for_the_finished_one() {
    let (stage, journal) = finished_with_its_journal("ndjson");
    let mut rows = fs::read(stage.output()).unwrap();
    rows[0] ^= 1;
    fs::write(stage.output(), &rows).unwrap();
    fs::write(stage.checkpoint(), &journal).unwrap();
    assert_refused(&stage.run().end(), "no longer exists");
    assert!(
        fs::read(stage.output()).unwrap() == rows
            && fs::read(stage.checkpoint()).unwrap() == journal
    );
}

#[test]
fn a_checkpoint_of_another_service_is_refused() {
    let stage = Setup::stopped_at("csv", 4);
    let mirror = organization().start().unwrap();
    let (files, there, here) = (stage.files(), stage.mock.url(), mirror.url());
    let ended = stage.run_at(&mirror).end();
    assert_refused(
        &ended,
        &format!("the service that is asked is another one: `{there}` there, `{here}` now"),
    );
    let fixture = folder("fixtures/acme");
    let organization = format!("organization-id={}", stage.mock.organization().id);
    let recorded = Run::new("collect").file("--fixture", &fixture).args([
        "--set",
        &organization,
        "--json",
        "--format",
        "csv",
    ]);
    let recorded =
        recorded.file("--output", &stage.output()).file("--checkpoint", &stage.checkpoint()).end();
    assert_refused(&recorded, "the service that is asked is another one");
    assert!(recorded.stderr.contains("fixtures/acme"), "{}", recorded.stderr);
    assert!(stage.files() == files && mirror.requests() == 0, "something was touched or asked for");
    stage.finish();
}

#[test]
fn a_checkpoint_that_notes_no_page_goes_on_with_any_service() {
    let (stage, gone) = (Setup::new("csv"), organization().start().unwrap());
    let run = stage.run_at(&gone).args(["--max-wait", "0"]);
    drop(gone);
    assert_eq!(run.end().code, Some(3));
    stage.stop_at(4, Signal::TERM);
    stage.finish();
    assert_eq!(stage.asked(), pages(&[(1, 4), (4, PAGES)]));
}

#[test]
fn a_checkpoint_of_another_build_of_the_same_version_is_refused() {
    let stage = Setup::stopped_at("csv", 4);
    let rebuilt = stage.folder.path().with_extension("wasm");
    // One more custom section: another file, and the same connector.
    fs::write(&rebuilt, [fs::read(component()).unwrap(), vec![0, 2, 1, b'x']].concat()).unwrap();
    let run = Run::bare()
        .arg("collect")
        .arg(&rebuilt)
        .at(&stage.mock)
        .args(["--json", "--format", "csv"]);
    let ended =
        run.file("--output", &stage.output()).file("--checkpoint", &stage.checkpoint()).end();
    fs::remove_file(rebuilt).unwrap();
    assert_refused(&ended, "the component's build is another one: `sha256:");
    assert!(
        ended.stderr.contains("Finish the collection with the component that began it"),
        "{}",
        ended.stderr
    );
    stage.finish();
}

#[test]
fn a_checkpoint_of_the_first_form_is_refused_and_kept() {
    let stage = Setup::stopped_at("csv", 4);
    let header = r#"{"journal":1,"connector":"c","version":"1","settings":"s","output":"/o","format":"csv"}"#;
    let digest = <sha2::Sha256 as sha2::Digest>::digest([&[0; 8][..], header.as_bytes()].concat());
    let chain: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let old = format!("{chain} {header}\n");
    fs::write(stage.checkpoint(), &old).unwrap();
    let before = stage.files();
    assert_refused(&stage.run().end(), "was written by an earlier version of this program");
    assert!(stage.files() == before && fs::read_to_string(stage.checkpoint()).unwrap() == old);
}

/// A path to an open file that no user can remove, not even root.
fn unremovable(file: &impl AsRawFd) -> PathBuf {
    PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()))
}

#[test]
fn a_checkpoint_that_cannot_be_removed_is_emptied_and_the_next_run_asks_again() {
    let stage = Setup::new("csv");
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(stage.path("notes"))
        .unwrap();
    let checkpoint = unremovable(&file);
    stop(&stage, &stage.mock, &checkpoint, 4);
    let run = || run_with(&stage, &stage.mock, &checkpoint).end();
    for asked in [pages(&[(1, 4), (4, PAGES)]), pages(&[(1, 4), (4, PAGES), (1, PAGES)])] {
        let ended = run();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(stage.asked(), asked);
        assert_eq!(file.metadata().unwrap().len(), 0, "it is emptied");
        assert!(fs::read(stage.output()).unwrap() == undisturbed("csv").bytes);
    }
}

#[test]
fn a_checkpoint_that_can_be_neither_removed_nor_emptied_is_a_failure() {
    let stage = Setup::new("csv");
    let file = memfd_create("checkpoint", MemfdFlags::ALLOW_SEALING | MemfdFlags::CLOEXEC).unwrap();
    fcntl_add_seals(&file, SealFlags::SHRINK).unwrap();
    let checkpoint = unremovable(&file);
    // The first run has made a complete list; the second finds it and must not report it as its
    // own.
    for _ in 0..2 {
        let ended = run_with(&stage, &stage.mock, &checkpoint)
            .file("--report", &stage.path("report.json"))
            .end();
        assert_refused(&ended, "can be neither removed nor emptied");
        assert!(
            ended.said("checkpoint").contains("is complete. Remove it before the next run"),
            "{}",
            ended.stderr
        );
        assert_eq!(stage.report()["outcome"], json!("failed"));
        assert!(fs::read(stage.output()).unwrap() == undisturbed("csv").bytes);
    }
    assert_eq!(stage.asked(), pages(&[(1, PAGES)]));
}

#[test]
fn a_failed_run_says_that_its_checkpoint_stayed() {
    let stage = Setup::on(
        organization().fault(Call::Users, When::Nth(3), Fault::organization_not_found()),
        "csv",
    );
    let file = memfd_create("checkpoint", MemfdFlags::ALLOW_SEALING | MemfdFlags::CLOEXEC).unwrap();
    fcntl_add_seals(&file, SealFlags::SHRINK).unwrap();
    let ended = run_with(&stage, &stage.mock, &unremovable(&file)).end();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let error = ended.error();
    let hint = error["hint"].as_str().unwrap();
    assert!(
        error["code"] != json!("checkpoint") && hint.contains("can be neither removed nor emptied"),
        "{}",
        ended.stderr
    );
}
