//! Tests with components that return, log or request too much.

use std::time::Duration;

use smp_host::collect::report::Outcome;
use smp_host::failure::{Code, Failure};
use smp_host::limits::Limits;

use crate::setup::{
    Setup, and_another_tenant_is_served, assert_failed, assert_limited, loaded, tight,
};

/// Limits with enough time to make what is then refused.
fn patient() -> Limits {
    Limits { cpu: Duration::from_secs(10), ..tight() }
}

#[test]
fn more_members_than_a_page_has_are_refused() {
    // Too many for the bytes of a call, or too many for the component's own memory.
    for (many, bound) in
        [("10001", "page-members"), ("200000", "call-bytes"), ("5000000", "memory")]
    {
        let (report, rows) = Setup::attacking("giant-list", many).within(patient()).collect();
        assert_limited(&report.error.unwrap(), bound);
        assert_eq!(rows.len(), 0);
        and_another_tenant_is_served();
    }
    assert_eq!(
        Setup::attacking("giant-list", "10000").within(patient()).page().unwrap().members.len(),
        10_000
    );
}

#[test]
fn texts_of_ten_megabytes_are_refused_wherever_they_stand() {
    let of = |attack| Setup::attacking("giant-texts", attack).within(patient());
    for attack in ["title", "passed", "skipped", "failed"] {
        assert_limited(&of(attack).validate().unwrap_err(), "text");
    }
    assert_failed(&of("id").validate().unwrap_err(), Code::Contract, "a check's id");
    for attack in ["name", "attribute", "message", "hint", "vendor-code"] {
        assert_limited(&of(attack).connect().unwrap_err(), "text");
    }
    for attack in ["id", "email", "name", "role", "status", "kind", "attribute", "product"] {
        assert_limited(&of(attack).collect_fails(), "member-text");
    }
    assert_failed(
        &of("cursor").collect_fails(),
        Code::Contract,
        "a cursor is empty or longer than 8192 bytes",
    );
    and_another_tenant_is_served();
}

#[test]
fn a_descriptor_too_long_to_read_is_refused_while_loading() {
    assert_limited(&loaded("giant-descriptor").err().unwrap(), "text");
    assert_limited(&loaded("long-descriptor").err().unwrap(), "entries");
    and_another_tenant_is_served();
}

#[test]
fn a_flood_of_log_lines_is_cut_off_and_ends_nothing() {
    let limits = patient();
    let most = usize::try_from(limits.log_lines).unwrap();
    let lines = logged("many", &limits);
    assert_eq!(
        (lines.len(), &*lines[0], &*lines[most - 1]),
        (most + 1, "line 0", &*format!("line {}", most - 1))
    );
    assert_eq!(lines[most], "no more lines of this run are shown");
}

#[test]
fn log_lines_of_megabytes_are_cut_off_and_end_nothing() {
    let limits = Limits { log_bytes: 10_000, ..patient() };
    let lines = logged("long", &limits);
    assert_eq!(lines.iter().map(|line| line.chars().count()).max(), Some(limits.log_line + 1));
    assert!(lines.iter().map(String::len).sum::<usize>() < 10_100, "{} lines", lines.len());
    assert_eq!(lines.last().unwrap(), "no more lines of this run are shown");
}

#[test]
fn requests_are_let_out_up_to_a_bound() {
    let stage = Setup::new("request-flood").within(Limits { requests: 50, ..tight() });
    assert_limited(&stage.collect_fails(), "requests");
    assert_eq!(stage.heard.requests(), vec!["GET /v1/orgs/acme/people"; 50]);
    and_another_tenant_is_served();
}

#[test]
fn what_a_run_was_refused_it_gets_in_no_later_call_of_the_same_run() {
    let stage = Setup::new("request-flood").within(Limits { requests: 50, ..tight() });
    let ends: Vec<Failure> = crate::setup::now(async {
        let mut session = stage.session();
        vec![session.collect(None).await.unwrap_err(), session.validate().await.unwrap_err()]
    });
    ends.iter().for_each(|failure| assert_limited(failure, "requests"));
    assert_eq!(stage.heard.requests().len(), 50);
}

/// The log of a run that logs too much and works normally otherwise.
fn logged(attack: &str, limits: &Limits) -> Vec<String> {
    let stage = Setup::attacking("log-flood", attack).within(limits.clone());
    let (report, rows) = stage.collect();
    assert_eq!((report.outcome, rows.len()), (Outcome::Complete, 2), "{:?}", report.error);
    and_another_tenant_is_served();
    stage.heard.lines()
}
