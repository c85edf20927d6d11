//! Tests of faults that need more than a row of the table: a wait, a redirect, a restart, and what
//! only looks like a fault.

use std::fs;

use serde_json::{Value, json};
use smp_tests::harness::{Lonely, Run, read_json};
use smp_tests::mock::{Call, Fault, Situation, When};

use crate::row::Validation::{Ready, Same};
use crate::row::Wrong::Service;
use crate::row::{
    Row, builder, fails, ids, ids_in, is_the_first_failed_check, members, mock_of, only, run, under,
};

#[test]
fn empty_pages_without_end_are_found_out_by_the_validation_too() {
    let row: &Row = &(
        Service("users:endless-empty"),
        "unexpected-response",
        &["without an account", "does not end"],
        None,
        Same,
    );
    let mock = mock_of(row);
    mock.set_situation(Situation::Unclaimed);
    let validation = run(row, &mock, "validate").end();
    fails(row, &validation);
    is_the_first_failed_check(row, &validation);
    let collection = run(row, &mock, "collect").end();
    assert_eq!(
        (collection.code, &collection.error()["code"]),
        (Some(1), &json!("unexpected-response"))
    );
}

#[test]
fn when_to_come_back_is_told_in_seconds() {
    for (fault, seconds) in [
        ("users:status-429;retry-after=30", 30..=30),
        ("users:status-429;retry-after=date+90", 60..=91),
        ("users:status-429;reset=90", 60..=91),
        ("users:status-503;retry-after=120", 120..=120),
    ] {
        for command in ["collect", "validate"] {
            let wait = under(fault, command).error()["retry_after_s"].as_u64();
            assert!(
                wait.is_some_and(|wait| seconds.contains(&wait)),
                "{fault}, {command}: {wait:?}"
            );
        }
    }
    assert_eq!(under("users:status-429", "collect").error()["retry_after_s"], Value::Null);
}

#[test]
fn the_vendors_own_code_is_handed_on() {
    for (fault, code) in [
        ("users:organization-not-found", "ADMIN-404-2"),
        ("users:cursor-expired", "ADMIN-400-1"),
        ("any:not-allowed", "ADMIN-403-3"),
        ("users:status-401;body=bare", "ADMIN-401-2"),
    ] {
        assert_eq!(under(fault, "collect").error()["vendor_code"], code, "{fault}");
    }
}

#[test]
fn a_redirect_is_followed_nowhere_and_the_key_goes_nowhere_else() {
    let lonely = Lonely::start();
    for to in [format!("{}/admin/v1/orgs", lonely.url()), "/admin/v1/elsewhere".to_owned()] {
        let mock =
            builder().fault(Call::Users, When::Always, Fault::Redirect { to }).start().unwrap();
        let row: &Row =
            &(Service("users:redirect"), "unexpected-response", &["redirect", "302"], None, Same);
        fails(row, &run(row, &mock, "collect").end());
        fails(row, &run(row, &mock, "validate").end());
        assert!(mock.log().iter().all(|request| request.call != Call::Any), "{:?}", mock.log());
    }
    assert!(!lonely.was_visited());
}

#[test]
fn of_a_next_link_to_another_host_only_the_cursor_is_used() {
    let lonely = Lonely::start();
    let mock = builder()
        .fault(Call::Users, When::Always, Fault::NextElsewhere { origin: lonely.url() })
        .start()
        .unwrap();
    let ended = Run::new("collect").at(&mock).args(["--json", "--format", "ndjson"]).end();
    assert_eq!((ended.code, ids(&ended)), (Some(0), members(&mock)), "{}", ended.stderr);
    assert!(!lonely.was_visited());
}

#[test]
fn what_only_looks_wrong_is_collected_whole_and_once() {
    for (fault, duplicates) in [
        ("users:2:cursor-expired", 0),
        ("users:empty-page", 0),
        ("users:2:duplicate", 1),
        ("users:2:shifted;by=-4", 4),
        ("users:total;value=-3", 0),
        ("users:total;value=absent", 0),
        ("users:total;value=null", 0),
        ("users:2:total;value=+7", 0),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (row, report) = (only(fault), folder.path().join("report.json"));
        let mock = mock_of(&row);
        let ended = run(&row, &mock, "collect").file("--report", &report).end();
        assert_eq!(
            (ended.code, ids(&ended)),
            (Some(0), members(&mock)),
            "{fault}: {}",
            ended.stderr
        );
        let report = read_json(&report);
        assert_eq!(
            (&report["outcome"], &report["duplicates"]),
            (&json!("complete"), &json!(duplicates)),
            "{fault}"
        );
        assert_eq!(report["error"], Value::Null);
    }
}

#[test]
fn a_cursor_that_expires_for_good_costs_one_restart_and_no_more() {
    let row: &Row = &(Service("users:cursor-expired"), "cursor-expired", &[], None, Ready);
    let mock = mock_of(row);
    fails(row, &run(row, &mock, "collect").end());
    let log = mock.log();
    let pages = log.iter().filter(|request| request.call == Call::Users);
    let asked: Vec<bool> = pages.map(|request| request.cursor.is_some()).collect();
    assert_eq!(asked, [false, true, false, true]);
}

#[test]
fn what_is_worth_coming_back_to_stops_and_goes_on_where_it_was() {
    for fault in ["users:2-:status-429;retry-after=30", "users:3-:status-503", "users:2-:drop"] {
        let folder = tempfile::tempdir().unwrap();
        let (row, mock) = (only(fault), mock_of(&only(fault)));
        let again = || {
            let files = [
                ("--output", "members.ndjson"),
                ("--checkpoint", "members.checkpoint"),
                ("--report", "report.json"),
            ];
            files
                .iter()
                .fold(run(&row, &mock, "collect"), |run, (option, file)| {
                    run.file(option, &folder.path().join(file))
                })
                .end()
        };
        let stopped = again();
        assert_eq!(
            (stopped.code, &stopped.error()["retryable"]),
            (Some(3), &json!(true)),
            "{fault}: {}",
            stopped.stderr
        );
        assert_eq!(read_json(&folder.path().join("report.json"))["outcome"], "stopped");
        assert!(!folder.path().join("members.ndjson").exists());
        mock.clear_faults();
        assert_eq!(again().code, Some(0), "{fault}");
        assert_eq!(
            ids_in(&fs::read_to_string(folder.path().join("members.ndjson")).unwrap()),
            members(&mock),
            "{fault}"
        );
    }
}
