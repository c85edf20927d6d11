//! Tests of when a checkpoint is used, and when it is refused.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};
use smp_host::files::checkpoint::{Checkpoint, Identity};
use smp_tests::harness::{Ended, Run};
use smp_tests::mock::{Call, Fault, When};

use crate::setup::{PAGES, PATIENCE, Setup, organization, pages, send, undisturbed};

/// Requires that a run is refused with `checkpoint`, changes nothing and sends nothing.
fn assert_refused(stage: &Setup, run: Run, because: &str) {
    let (files, requests) = (stage.files(), stage.mock.requests());
    let ended = run.end();
    let error = ended.error();
    // Only waiting for another run helps without a change.
    let retryable = json!(because.contains("in use"));
    assert_eq!(
        (ended.code, &error["code"], &error["retryable"]),
        (Some(1), &json!("checkpoint"), &retryable),
        "{}",
        ended.stderr
    );
    assert!(error["message"].as_str().unwrap().contains(because), "{}", ended.stderr);
    assert!(!error["hint"].as_str().unwrap().is_empty());
    assert!(stage.files() == files, "something was touched");
    assert_eq!(stage.mock.requests(), requests);
}

#[test]
fn a_place_where_no_checkpoint_can_be_is_refused_and_never_gone_on_from() {
    let (stage, places) = (Setup::new("csv"), tempfile::tempdir().unwrap());
    fs::create_dir(places.path().join("folder")).unwrap();
    fs::write(places.path().join("file"), "").unwrap();
    for (place, because) in [
        ("folder", "it is a folder"),
        ("missing/checkpoint", "its folder is not there"),
        ("file/checkpoint", "Not a directory"),
    ] {
        let run = Run::new("collect").at(&stage.mock).args(["--json", "--format", "csv"]);
        let run = run.arg("--output").arg(stage.output());
        let place = places.path().join(place);
        assert_refused(&stage, run.arg("--checkpoint").arg(&place), because);
        let run = Run::new("collect").at(&stage.mock).arg("--output").arg(stage.output());
        let told = run.args(["--format", "csv"]).arg("--checkpoint").arg(&place).end();
        let told = told.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains("`--checkpoint` names another."), "{told}");
    }
    // The run's own files are wrong usage: that can be seen without looking at the disk.
    for taken in [stage.output(), stage.partial()] {
        let run = Run::new("collect").at(&stage.mock).args(["--json", "--format", "csv"]);
        let run = run.arg("--output").arg(stage.output()).arg("--checkpoint").arg(taken);
        let ended = run.end();
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.said("invalid-settings").contains("are the same file"));
    }
    assert_eq!(stage.mock.requests(), 0);
}

#[test]
fn an_output_that_cannot_be_begun_is_never_gone_on_from() {
    let stage = Setup::new("csv");
    let run = Run::new("collect").at(&stage.mock).args(["--json", "--format", "csv"]);
    let run = run.arg("--output").arg(stage.path("missing/members.csv"));
    let ended = run.arg("--checkpoint").arg(stage.checkpoint()).end();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.said("output").contains("`--output` names another."), "{}", ended.stderr);
    assert_eq!(stage.mock.requests(), 0);
}

#[test]
fn a_checkpoint_of_another_organization_is_refused() {
    let stage = Setup::stopped_at("csv", 4);
    let another = organization().organization_id("another-organization").start().unwrap();
    assert_refused(
        &stage,
        stage.run_at(&another),
        "the organization, or another setting, is another one",
    );
    assert_eq!(another.requests(), 0);
    stage.finish();
}

#[test]
fn a_checkpoint_of_another_output_or_format_is_refused() {
    let stage = Setup::stopped_at("csv", 4);
    let run = |output: &str, format: &str| {
        let run = Run::new("collect").at(&stage.mock).args(["--json", "--format", format]);
        run.arg("--output").arg(stage.path(output)).arg("--checkpoint").arg(stage.checkpoint())
    };
    assert_refused(&stage, run("others.csv", "csv"), "the output is another one");
    assert_refused(&stage, run("members.csv", "ndjson"), "the format is another one");
    stage.finish();
}

#[test]
fn a_checkpoint_of_another_connector_or_version_is_refused() {
    for (field, name) in [
        ("connector", "the connector is another one"),
        ("version", "the connector's version is another one"),
    ] {
        let stage = Setup::stopped_at("csv", 4);
        let journal = fs::read_to_string(stage.checkpoint()).unwrap();
        let (_, first) = journal.lines().next().unwrap().split_once(' ').unwrap();
        let mut header: Value = serde_json::from_str(first).unwrap();
        header[field] = json!("0.0.0-another");
        let identity: Identity = serde_json::from_value(header).unwrap();
        fs::remove_file(stage.checkpoint()).unwrap();
        drop(Checkpoint::open(&stage.checkpoint(), &identity).unwrap());
        assert_refused(&stage, stage.run(), name);
    }
}

#[test]
fn a_file_that_is_no_checkpoint_is_refused() {
    for text in ["notes of somebody\n", "{}", "\u{0}\u{1}\u{2}"] {
        let stage = Setup::new("csv");
        fs::write(stage.checkpoint(), text).unwrap();
        fs::write(stage.output(), "an older list").unwrap();
        assert_refused(&stage, stage.run(), "is not a checkpoint");
    }
}

#[test]
fn a_partial_file_that_is_shorter_than_what_was_delivered_or_gone_is_refused() {
    let stage = Setup::stopped_at("csv", 4);
    let rows = fs::read(stage.partial()).unwrap();
    fs::write(stage.partial(), &rows[..rows.len() - 1]).unwrap();
    assert_refused(&stage, stage.run(), "is shorter than the checkpoint states");
    fs::remove_file(stage.partial()).unwrap();
    assert_refused(&stage, stage.run(), "no longer exists");
    fs::write(stage.partial(), rows).unwrap();
    stage.finish();
}

#[test]
fn rows_beyond_what_was_delivered_are_cut_off() {
    let stage = Setup::stopped_at("csv", 4);
    let mut rows = fs::read(stage.partial()).unwrap();
    rows.extend_from_slice(b"a row that was torn");
    fs::write(stage.partial(), rows).unwrap();
    stage.finish();
}

#[test]
fn a_checkpoint_that_is_torn_anywhere_goes_on_from_the_last_good_entry() {
    let stage = Setup::stopped_at("ndjson", 4);
    let (journal, rows) =
        (fs::read(stage.checkpoint()).unwrap(), fs::read(stage.partial()).unwrap());
    let ends: Vec<usize> = journal
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at + 1)
        .collect();
    for at in [
        0,
        7,
        ends[0] - 1,
        ends[0],
        ends[0] + 1,
        ends[1] - 1,
        ends[1],
        ends[2] - 1,
        ends[2] + 20,
        ends[3] - 1,
        ends[3],
    ] {
        let stage = Setup::on(organization(), "ndjson");
        // The checkpoint knows its output by its absolute path, so the journal is made again for
        // this folder.
        stage.stop_at(4, Signal::TERM);
        let here = fs::read(stage.checkpoint()).unwrap();
        assert_eq!(
            (here.len(), fs::read(stage.partial()).unwrap().len()),
            (journal.len(), rows.len())
        );
        fs::write(stage.checkpoint(), &here[..at]).unwrap();
        let delivered = ends.iter().filter(|end| **end <= at).count().saturating_sub(1);
        if delivered == 0 {
            stage.begin_again();
        } else {
            stage.finish();
        }
        assert_eq!(stage.asked(), pages(&[(1, 4), (delivered + 1, PAGES)]), "torn at {at}");
    }
}

#[test]
fn a_checkpoint_whose_tail_was_changed_goes_on_from_the_last_good_entry() {
    let stage = Setup::stopped_at("csv", 5);
    let journal = fs::read_to_string(stage.checkpoint()).unwrap();
    let at = journal.rfind("\"members\":").unwrap();
    fs::write(
        stage.checkpoint(),
        format!("{}\"members\":9{}", &journal[..at], &journal[at + 10..]),
    )
    .unwrap();
    stage.finish();
    assert_eq!(stage.asked(), pages(&[(1, 5), (4, PAGES)]));
}

#[test]
fn two_runs_do_not_use_one_checkpoint_at_once() {
    let stage = Setup::on(organization().fault(Call::Users, When::Nth(3), Fault::Stall), "csv");
    let first = stage.run().start();
    assert!(stage.mock.wait_for(Call::Users, 3, PATIENCE));
    assert_refused(&stage, stage.run(), "is in use by another run");
    send(&first, Signal::TERM);
    assert_eq!(Ended::of(first).code, Some(3));
    stage.finish();
}

#[test]
fn two_runs_do_not_write_one_output_at_once() {
    let stage = Setup::on(organization().fault(Call::Users, When::Nth(3), Fault::Stall), "csv");
    let first = stage.run().start();
    assert!(stage.mock.wait_for(Call::Users, 3, PATIENCE));
    let files = stage.files();
    let ended =
        Run::new("collect").at(&stage.mock).arg("--json").arg("--output").arg(stage.output()).end();
    assert_eq!(
        (ended.code, &ended.error()["code"]),
        (Some(1), &json!("output")),
        "{}",
        ended.stderr
    );
    assert!(stage.files() == files, "something was touched");
    send(&first, Signal::TERM);
    assert_eq!(Ended::of(first).code, Some(3));
    stage.finish();
}

#[test]
fn an_older_list_is_out_of_the_way_while_a_run_is_stopped_and_replaced_when_it_is_done() {
    let stage = Setup::new("csv");
    fs::write(stage.output(), "an older list").unwrap();
    stage.stop_at(3, Signal::TERM);
    assert!(!stage.output().exists());
    assert_eq!(fs::read_to_string(stage.path("members.csv.previous")).unwrap(), "an older list");
    stage.finish();
    assert!(fs::read(stage.output()).unwrap() == undisturbed("csv").bytes);
}

#[test]
fn a_checkpoint_without_rows_to_go_on_from_is_wrong_usage() {
    let stage = Setup::new("csv");
    let checkpoint = stage.checkpoint();
    let run = || Run::new("collect").at(&stage.mock).arg("--checkpoint").arg(&checkpoint);
    let output =
        |format: &str| run().args(["--format", format, "--output"]).arg(stage.path("list"));
    for run in [run(), output("table"), output("json")] {
        assert_eq!(run.end().code, Some(2));
    }
    assert_eq!((stage.files(), stage.mock.requests()), (vec![], 0));
}
