//! Tests of runs that are stopped from outside: by signals that can be handled, and by SIGKILL.

use std::fs;
use std::process::Child;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustix::process::Signal;
use serde_json::json;
use smp_tests::harness::{Ended, Run};
use smp_tests::mock::{Call, Fault, LoggedRequest, Situation, When};

use crate::setup::{
    FORMATS, MEMBERS, ON_A_PAGE, PAGES, PATIENCE, Setup, organization, pages, send, undisturbed,
};

#[test]
fn an_undisturbed_run_writes_every_member_once() {
    let (csv, ndjson) = (undisturbed("csv"), undisturbed("ndjson"));
    let text = String::from_utf8(ndjson.bytes.clone()).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let ids: Vec<String> = rows.map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    let expected: Vec<String> = organization()
        .start()
        .unwrap()
        .expected_members()
        .into_iter()
        .map(|member| member.account_id)
        .collect();
    assert_eq!(ids, expected);
    assert_eq!(csv.counts, ndjson.counts);
    assert_eq!(
        (&csv.counts[0], &csv.counts[3], &csv.counts[4]),
        (&json!(MEMBERS), &json!(PAGES), &json!(0))
    );
}

#[test]
fn a_run_that_is_asked_to_stop_at_any_page_says_that_it_goes_on_and_does() {
    for format in FORMATS {
        for page in 1..=PAGES {
            for signal in [Signal::INT, Signal::TERM] {
                let stage = Setup::new(format);
                let ended = stage.stop_at(page, signal);
                assert_eq!(ended.code, Some(3), "{format} {page}: {}", ended.stderr);
                assert_eq!(
                    (&ended.error()["code"], &ended.error()["retryable"]),
                    (&json!("interrupted"), &json!(true))
                );
                assert_eq!(stage.delivered(), page - 1, "{format} {page}");
                assert!(!stage.output().exists());
                let report = stage.report();
                assert_eq!(
                    (&report["outcome"], &report["error"]["code"]),
                    (&json!("stopped"), &json!("interrupted"))
                );
                assert_eq!(
                    (&report["pages"], &report["members"]),
                    (&json!(page - 1), &json!((page - 1) * ON_A_PAGE))
                );
                // After the first page, the domains are asked for once.
                let domains = usize::from(page > 1);
                assert_eq!(report["requests"], json!(page + domains));

                let report = stage.finish();
                let left = PAGES - page + 1 + (1 - domains);
                assert_eq!(report["requests"], json!(left), "{format} {page}");
                assert_eq!(stage.asked(), pages(&[(1, page), (page, PAGES)]), "{format} {page}");
            }
        }
    }
}

#[test]
fn a_run_that_is_killed_while_any_page_is_on_its_way_goes_on_at_that_page() {
    for format in FORMATS {
        for page in 1..=PAGES {
            let stage = Setup::new(format);
            assert_eq!(stage.stop_at(page, Signal::KILL).code, None);
            assert_eq!(stage.delivered(), page - 1, "{format} {page}");
            stage.finish();
            assert_eq!(stage.asked(), pages(&[(1, page), (page, PAGES)]), "{format} {page}");
        }
    }
}

#[test]
fn a_run_that_is_killed_just_after_any_answer_asks_for_no_delivered_page_again() {
    for format in FORMATS {
        for answer in 1..=PAGES + 1 {
            let stage = Setup::new(format);
            let child = stage.run().start();
            let answered = |count| {
                move |log: &[LoggedRequest]| {
                    log.iter().filter(|one| one.status.is_some()).count() >= count
                }
            };
            assert!(stage.mock.wait_until(PATIENCE, answered(answer)));
            send(&child, Signal::KILL);
            assert_killed_or_done(child);
            assert_goes_on(&stage);
        }
    }
}

#[test]
fn a_run_that_is_killed_again_and_again_at_random_moments_gets_there() {
    for (format, seed) in [("csv", 1), ("ndjson", 2), ("csv", 3), ("ndjson", 4)] {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let stage = Setup::on(organization().latency(Duration::from_millis(2)), format);
        let (mut kills, mut delivered) = (0, 0);
        // Each life requests at most four pages, so that there are several lives.
        while kills < 40 && delivered < PAGES {
            let (before, requests) = (stage.asked().len(), random.random_range(0..4));
            let child = stage.run().start();
            // The last life may have delivered everything without reporting it: then no request
            // comes, and the kill comes late.
            let patience =
                if delivered >= PAGES - 4 { Duration::from_millis(100) } else { PATIENCE };
            stage.mock.wait_for(Call::Users, before + requests, patience);
            // The moment is random on purpose: nothing waits for it.
            stage.mock.wait_until(Duration::from_micros(random.random_range(0..4_000)), |_| false);
            send(&child, Signal::KILL);
            assert_killed_or_done(child);
            kills += 1;
            if stage.output().exists() {
                break;
            }
            let now = if stage.checkpoint().exists() { stage.delivered() } else { 0 };
            assert!(now >= delivered, "what was delivered stays delivered");
            delivered = now;
        }
        assert!(kills > 3, "only {kills} kills");
        assert_goes_on(&stage);
    }
}

/// The kill may come too late.
fn assert_killed_or_done(child: Child) {
    let ended = Ended::of(child);
    assert!(matches!(ended.code, None | Some(0)), "{:?}: {}", ended.code, ended.stderr);
}

/// Resumes a killed run, and compares the log of both with what the first one had delivered.
fn assert_goes_on(stage: &Setup) {
    let before = stage.asked();
    let noted = fs::metadata(stage.checkpoint()).map_or(0, |file| file.len());
    if noted == 0 {
        // It was killed after everything was done, or before anything was.
        assert!(stage.output().exists() || before.is_empty());
        return;
    }
    let delivered = stage.delivered();
    let asked_last = before.last().copied().unwrap_or(0);
    assert!(
        delivered == asked_last || delivered + 1 == asked_last,
        "{delivered} delivered of {before:?}"
    );
    assert!(
        before.windows(2).all(|pair| pair[1] == pair[0] || pair[1] == pair[0] + 1),
        "{before:?}"
    );
    // It may be killed when rows were written and no page of them was noted.
    let has_rows = fs::metadata(stage.partial()).is_ok_and(|file| file.len() > 0);
    if delivered == 0 && has_rows {
        stage.begin_again();
    } else {
        stage.finish();
    }
    assert_eq!(stage.asked()[before.len()..], pages(&[(delivered + 1, PAGES)]));
}

#[test]
fn a_run_that_was_killed_between_the_last_page_and_the_files_name_ends_without_a_request() {
    for format in FORMATS {
        let (stage, journal) = finished_with_its_journal(format);
        fs::rename(stage.output(), stage.partial()).unwrap();
        fs::write(stage.checkpoint(), journal).unwrap();
        assert_eq!(stage.finish()["requests"], json!(0));
    }
}

#[test]
fn a_run_that_was_killed_between_the_files_name_and_the_checkpoints_removal_ends_without_a_request()
{
    for format in FORMATS {
        let (stage, journal) = finished_with_its_journal(format);
        fs::write(stage.checkpoint(), journal).unwrap();
        assert_eq!(stage.finish()["requests"], json!(0));
    }
}

/// A complete collection, and its journal from just before the end.
pub(crate) fn finished_with_its_journal(format: &'static str) -> (Setup, Vec<u8>) {
    let stage = Setup::stopped_at(format, PAGES);
    // A run that cannot give its output the final name notes the last page, and stops. The name is
    // taken while the answer is on its way: before, it would be refused.
    stage.mock.set_fault(Call::Users, When::Nth(1), Fault::Slow(Duration::from_secs(1)));
    let before = stage.mock.log().len();
    let child = stage.run().start();
    assert!(stage.mock.wait_until(PATIENCE, |log: &[LoggedRequest]| log.len() > before));
    fs::create_dir(stage.output()).unwrap();
    assert_eq!(Ended::of(child).code, Some(3));
    stage.mock.clear_faults();
    let journal = fs::read(stage.checkpoint()).unwrap();
    fs::remove_dir(stage.output()).unwrap();
    stage.finish();
    (stage, journal)
}

#[test]
fn without_a_checkpoint_a_run_that_is_asked_to_stop_fails_and_leaves_nothing() {
    for signal in [Signal::INT, Signal::TERM] {
        let stage = Setup::on(organization().fault(Call::Users, When::Nth(4), Fault::Stall), "csv");
        let run =
            Run::new("collect").at(&stage.mock).arg("--json").arg("--output").arg(stage.output());
        let child = run.start();
        assert!(stage.mock.wait_for(Call::Users, 4, PATIENCE));
        assert!(stage.partial().exists());
        send(&child, signal);
        let ended = Ended::of(child);
        assert_eq!(
            (ended.code, &ended.error()["code"]),
            (Some(1), &json!("interrupted")),
            "{}",
            ended.stderr
        );
        assert_eq!(stage.files(), []);
    }
}

#[test]
fn a_run_that_looks_for_the_reason_of_an_empty_list_can_be_stopped_too() {
    let empty = organization().situation(Situation::NoDomain).fault(
        Call::Domains,
        When::Always,
        Fault::Stall,
    );
    let stage = Setup::on(empty, "csv");
    let child = stage.run().start();
    assert!(stage.mock.wait_for(Call::Domains, 1, PATIENCE));
    send(&child, Signal::INT);
    let ended = Ended::of(child);
    assert_eq!(
        (ended.code, &ended.error()["code"]),
        (Some(3), &json!("interrupted")),
        "{}",
        ended.stderr
    );
}
