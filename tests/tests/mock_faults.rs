//! Tests of the mock's faults: each as a client meets it on a real connection.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod mock_client;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use mock_client::{End, IMPATIENCE, Reply, ask, get, send, sweep, users};
use serde_json::json;
use smp_tests::mock::{Call, ErrorAnswer, Fault, Mock, RetryAfter, Rule, Shape, Total, When};

/// A mock of 25 members, ten on a page, with a fault of the users call.
fn faulty(when: When, fault: impl Into<Fault>) -> Mock {
    Mock::builder().members(25).page_size(10).fault(Call::Users, when, fault).start().unwrap()
}

/// The answer to the first request under a fault.
fn under(fault: impl Into<Fault>) -> Reply {
    users(&faulty(When::Nth(1), fault), None)
}

fn impatient(mock: &Mock) -> Reply {
    let path = format!("/admin/v1/orgs/{}/users", mock.organization().id);
    send(mock, "GET", &path, &[("Authorization", &format!("Bearer {}", mock.key()))], IMPATIENCE)
}

fn collected(pages: &[Reply]) -> Vec<String> {
    pages.iter().flat_map(Reply::ids).collect()
}

fn expected(mock: &Mock) -> Vec<String> {
    mock.expected_members().into_iter().map(|member| member.account_id).collect()
}

#[test]
fn statuses_come_in_the_form_that_was_asked_for() {
    for (fault, status, body) in [
        (Fault::unauthorized(), 401, r#"{"code":401,"message":"Unauthorized"}"#),
        (Fault::missing_scope(), 401, r#""message":"Unauthorized; scope does not match""#),
        (Fault::access_denied(), 403, r#""message":"User has no permission to access resource.""#),
        (Fault::not_allowed(), 403, r#""code":"ADMIN-403-3""#),
        (Fault::organization_not_found(), 404, r#""code":"ADMIN-404-2""#),
        (Fault::no_route(), 404, r#""message":"failed to match any route""#),
        (Fault::invalid_cursor(), 400, r#"{"errors":[{"id":"#),
        (ErrorAnswer::new(500).shape(Shape::Bare).into(), 500, r#""code":"ADMIN-500-1""#),
        (Fault::status(502), 502, "<!doctype html>"),
        (
            ErrorAnswer::new(503).shape(Shape::Gateway).into(),
            503,
            r#"{"code":503,"message":"Service Unavailable"}"#,
        ),
    ] {
        let reply = under(fault);
        let text = String::from_utf8(reply.body.clone()).unwrap();
        assert_eq!((reply.status, reply.end), (status, End::Complete));
        assert!(text.contains(body), "{text}");
    }
}

#[test]
fn a_wait_is_asked_for_in_each_way_or_in_none() {
    let seconds = under(Fault::rate_limited(2));
    let date = under(ErrorAnswer::new(429).retry_after(RetryAfter::Date(30)));
    let reset = under(ErrorAnswer::new(429).reset(30));
    let none = under(Fault::status(429));
    assert_eq!((seconds.status, seconds.header("retry-after")), (429, Some("2")));
    assert!(date.header("retry-after").unwrap().ends_with(" GMT"));
    assert_eq!(reset.header("retry-after"), None);
    let instant: jiff::Timestamp = reset.header("x-ratelimit-reset").unwrap().parse().unwrap();
    assert!((0..=31).contains(&(instant.as_second() - jiff::Timestamp::now().as_second())));
    assert!(
        none.headers
            .iter()
            .all(|(name, _)| name != "retry-after" && !name.starts_with("x-ratelimit"))
    );
}

#[test]
fn connections_end_before_the_answer_or_in_the_middle_of_it() {
    let dropped = under(Fault::Drop);
    assert_eq!((dropped.status, dropped.end), (0, End::CutShort));
    let halved = under(Fault::DropBody);
    assert_eq!((halved.status, halved.end), (200, End::CutShort));
    assert!(!halved.body.is_empty());
    assert!(halved.body.len() < halved.header("content-length").unwrap().parse().unwrap());
}

#[test]
fn answers_stall_before_they_begin_or_half_way() {
    let stalled = impatient(&faulty(When::Always, Fault::Stall));
    assert_eq!((stalled.status, stalled.end), (0, End::Silence));
    let halved = impatient(&faulty(When::Always, Fault::StallBody));
    assert_eq!((halved.status, halved.end), (200, End::Silence));
    assert!(!halved.body.is_empty());
}

#[test]
fn a_stalled_request_is_in_the_log_without_a_status_and_does_not_keep_the_mock_from_stopping() {
    let mock = faulty(When::Always, Fault::Stall);
    impatient(&mock);
    let log = mock.log();
    assert_eq!((log[0].status, &log[0].faults), (None, &vec!["stall".to_owned()]));
    drop(mock);
}

#[test]
fn a_slow_answer_is_right_and_late() {
    let begin = Instant::now();
    let reply = under(Fault::Slow(Duration::from_millis(50)));
    assert!(begin.elapsed() >= Duration::from_millis(50));
    assert_eq!(reply.ids().len(), 10);
}

#[test]
fn bodies_with_status_200_are_spoiled_as_named() {
    let parsed = |reply: &Reply| serde_json::from_slice::<serde_json::Value>(&reply.body).is_ok();
    let html = under(Fault::Html);
    assert_eq!((html.status, html.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(!parsed(&under(Fault::Truncated)));
    assert!(parsed(&under(Fault::WrongTypes)));
    assert!(std::str::from_utf8(&under(Fault::InvalidUtf8).body).is_err());
    assert_eq!(under(Fault::Nested { depth: 200_000 }).body.len(), 400_009);
    assert!(parsed(&under(Fault::Errors)));
    assert_eq!(under(Fault::EmptyBody).body, b"");
}

#[test]
fn oversized_bodies_announce_their_length_or_not() {
    for told in [true, false] {
        let reply = under(Fault::Oversized { bytes: 3_000_000, told });
        assert_eq!((reply.body.len(), reply.end), (3_000_000, End::Complete));
        assert_eq!(reply.header("content-length").is_some(), told);
        assert_eq!(reply.ids().len(), 10);
    }
}

#[test]
fn a_gzip_bomb_is_small_on_the_wire() {
    let reply = under(Fault::GzipBomb { bytes: 8 << 20 });
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
    // How small depends on the library below flate2, which other crates choose.
    assert!(reply.body.len() < 128 * 1024, "{}", reply.body.len());
}

#[test]
fn a_redirect_names_the_place_and_the_log_would_show_who_went_there() {
    let mock = faulty(When::Always, Fault::Redirect { to: "/admin/v1/elsewhere".into() });
    let reply = users(&mock, None);
    assert_eq!((reply.status, reply.header("location")), (302, Some("/admin/v1/elsewhere")));
    get(&mock, "/admin/v1/elsewhere");
    assert_eq!(mock.log()[1].call, Call::Any);
}

#[test]
fn the_next_link_leads_to_another_host_with_a_good_cursor() {
    let mock = faulty(When::Nth(1), Fault::NextElsewhere { origin: "https://evil.invalid".into() });
    let first = users(&mock, None);
    assert!(
        first.json()["links"]["next"]
            .as_str()
            .unwrap()
            .starts_with("https://evil.invalid/admin/v1/orgs/")
    );
    assert_eq!(users(&mock, first.next_cursor().as_deref()).ids(), expected(&mock)[10..20]);
}

#[test]
fn pages_repeat_and_never_end() {
    let same = sweep(&faulty(When::Always, Fault::SameCursor), 6);
    let cursors = |pages: &[Reply]| {
        pages.iter().map(|page| page.next_cursor().unwrap()).collect::<HashSet<_>>().len()
    };
    assert_eq!((same.len(), cursors(&same)), (6, 1));
    let endless = sweep(&faulty(When::Always, Fault::Endless), 6);
    assert_eq!((collected(&endless).len(), cursors(&endless)), (60, 6));
    let empty = sweep(&faulty(When::Always, Fault::EndlessEmpty), 6);
    assert_eq!((collected(&empty).len(), cursors(&empty)), (25, 6));
}

#[test]
fn an_empty_page_in_between_loses_no_member() {
    for when in [When::Nth(2), When::Always] {
        let mock = faulty(when, Fault::EmptyPage);
        let pages = sweep(&mock, 20);
        assert!(pages.iter().any(|page| page.ids().is_empty()));
        assert_eq!(collected(&pages), expected(&mock));
    }
}

#[test]
fn a_cursor_expires_once_or_for_good_but_the_beginning_stays() {
    let once = faulty(When::Nth(2), Fault::CursorExpired);
    let cursor = users(&once, None).next_cursor();
    let refused = users(&once, cursor.as_deref());
    assert_eq!(
        (refused.status, &refused.json()["errors"][0]["code"]),
        (400, &json!("ADMIN-400-1"))
    );
    assert_eq!(collected(&sweep(&once, 5)), expected(&once));
    let always = faulty(When::Always, Fault::CursorExpired);
    assert_eq!((users(&always, None).status, users(&always, cursor.as_deref()).status), (200, 400));
}

#[test]
fn totals_are_larger_smaller_absent_or_null() {
    let meta = |total| under(Fault::Total(total)).json()["meta"].clone();
    assert_eq!(meta(Total::Off(3))["total"], 28);
    assert_eq!(meta(Total::Off(-3))["total"], 22);
    assert_eq!(meta(Total::Exactly(7))["total"], 7);
    assert_eq!(meta(Total::Null), json!({"total": null}));
    assert_eq!(meta(Total::Absent), json!(null));
}

#[test]
fn members_are_repeated_or_lost_between_pages() {
    let repeated = faulty(When::Nth(2), Fault::Duplicate);
    let ids = collected(&sweep(&repeated, 5));
    assert_eq!((ids.len(), &ids[9]), (26, &ids[10]));
    let lost = faulty(When::Nth(2), Fault::Shifted { by: 2 });
    let ids = collected(&sweep(&lost, 5));
    assert_eq!(ids, [&expected(&lost)[..10], &expected(&lost)[12..]].concat());
}

#[test]
fn faults_are_armed_and_disarmed_while_the_mock_runs() {
    let mock = Mock::builder().members(5).start().unwrap();
    assert_eq!(ask(&mock, "/domains").status, 200);
    mock.set_fault(Call::Domains, When::First(1), Fault::access_denied());
    mock.set_rule("any:2-:status-500".parse::<Rule>().unwrap());
    assert_eq!(ask(&mock, "/domains").status, 403);
    assert_eq!(ask(&mock, "/domains").status, 500);
    mock.clear_faults();
    assert_eq!(ask(&mock, "/domains").status, 200);
    let faults: Vec<String> = mock.log().into_iter().flat_map(|entry| entry.faults).collect();
    assert_eq!(faults, ["status-403;body=access", "status-500;body=wrapped"]);
}
