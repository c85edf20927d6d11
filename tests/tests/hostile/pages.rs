//! Tests with components whose pages do not end.

use std::time::{Duration, Instant};

use smp_host::failure::Code;
use smp_host::limits::Limits;

use crate::setup::{Setup, and_another_tenant_is_served, assert_failed, assert_limited, tight};

#[test]
fn new_members_without_end_are_stopped_at_the_bound_of_pages() {
    let stage = Setup::attacking("endless-pages", "news").within(Limits { pages: 200, ..tight() });
    let (report, rows) = stage.collect();
    assert_limited(&report.error.unwrap(), "pages");
    assert_eq!((report.counts.pages, rows.len()), (200, 200));
    and_another_tenant_is_served();
}

#[test]
fn new_members_without_end_are_stopped_at_the_bound_of_members() {
    let stage = Setup::attacking("endless-pages", "news").within(Limits {
        pages: u64::MAX,
        members: 150,
        ..tight()
    });
    let (report, rows) = stage.collect();
    assert_limited(&report.error.unwrap(), "members");
    assert_eq!((report.counts.members, rows.len()), (150, 150));
    and_another_tenant_is_served();
}

#[test]
fn fresh_cursors_without_a_new_member_are_stopped_soon() {
    let stage = Setup::attacking("endless-pages", "nothing");
    let (report, rows) = stage.collect();
    assert_failed(
        &report.error.unwrap(),
        Code::UnexpectedResponse,
        "100 pages in a row brought nothing new",
    );
    assert!((report.counts.pages, rows.len()) == (99, 0), "{:?}", report.counts);
    and_another_tenant_is_served();
}

#[test]
fn a_page_that_leads_to_one_that_was_read_ends_at_once() {
    for (attack, pages) in [("circle", 3), ("same", 1)] {
        let (report, _) = Setup::attacking("endless-pages", attack).collect();
        assert_failed(
            &report.error.unwrap(),
            Code::UnexpectedResponse,
            "leads back to a page that was read already",
        );
        assert_eq!(report.counts.pages, pages, "{attack}");
    }
    and_another_tenant_is_served();
}

#[test]
fn a_run_without_end_is_ended_by_its_time() {
    let limits = Limits { run_time: Duration::from_millis(300), pages: u64::MAX, ..tight() };
    let began = Instant::now();
    assert_limited(
        &Setup::attacking("endless-pages", "news").within(limits).collect_fails(),
        "run-time",
    );
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    and_another_tenant_is_served();
}
