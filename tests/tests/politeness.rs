//! Tests of politeness towards the service: how often the real command sends requests, and how long
//! it waits when it is told to.
//!
//! The mock's log is the evidence: it has the instant of each request. A planned wait is read from
//! the report, which a busy machine does not change; its least duration is read from the log.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smp_tests::harness::{Ended, Run};
use smp_tests::mock::{Builder, Call, ErrorAnswer, Fault, Mock, RetryAfter, When};

const SECOND: Duration = Duration::from_secs(1);

fn organization(pages: u64) -> Builder {
    Mock::builder().members(pages * 10).page_size(10).seed(5)
}

/// A collection, and its report.
fn collected(run: Run) -> (Ended, Value) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| -> PathBuf { folder.path().join(name) };
    let run = run
        .arg("--json")
        .arg("--output")
        .arg(file("members.ndjson"))
        .arg("--report")
        .arg(file("report.json"));
    let ended = run.end();
    let report = serde_json::from_slice(&std::fs::read(file("report.json")).unwrap()).unwrap();
    (ended, report)
}

/// The shortest time in which the mock got one request more than this.
fn shortest_for_more_than(requests: usize, mock: &Mock) -> Duration {
    let at: Vec<Duration> = mock.log().into_iter().map(|request| request.at).collect();
    at.iter()
        .zip(&at[requests..])
        .map(|(first, last)| *last - *first)
        .min()
        .expect("more requests than that")
}

/// Tests all cases at once, because they mostly wait.
fn at_once<C: Send>(cases: impl IntoIterator<Item = C>, judge: impl Fn(C) + Sync) {
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| judge(case));
        }
    });
}

/// Checks the figures. The requests are those of the pages, and one for the domains, which the note
/// of the first page is about.
fn assert_figures(report: &Value, requests: u64, retries: u64, waited_ms: RangeInclusive<u64>) {
    assert_eq!(
        (&report["requests"], &report["retries"]),
        (&json!(requests), &json!(retries)),
        "{report}"
    );
    assert!(waited_ms.contains(&report["waited_ms"].as_u64().unwrap()), "{report}");
}

#[test]
fn by_itself_it_asks_five_times_a_second_at_the_most_and_is_never_refused() {
    let mock = organization(13).rate_limit(NonZeroU32::new(5).unwrap()).start().unwrap();
    let (ended, report) = collected(Run::new("collect").paced_at(&mock));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(mock.log().len(), 14);
    assert!(mock.log().iter().all(|request| request.status == Some(200)));
    assert!(shortest_for_more_than(5, &mock) >= SECOND);
    assert_figures(&report, 14, 0, 0..=0);
}

#[test]
fn tries_that_are_repeated_are_paced_too() {
    // The waits before the tries, half a second and a second at most, are shorter than the pace.
    let mock =
        organization(3).fault(Call::Users, When::First(2), Fault::rate_limited(0)).start().unwrap();
    let (ended, report) = collected(Run::new("collect").paced_at(&mock).args(["--rate", "1"]));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(shortest_for_more_than(1, &mock) >= SECOND);
    assert_figures(&report, 6, 2, 700..=1_500);
}

#[test]
fn the_pace_that_the_operator_names_is_kept() {
    at_once(
        [("20", 20, SECOND), ("2.5", 2, Duration::from_millis(800))],
        |(rate, requests, period)| {
            let mock = organization(requests as u64 + 3).start().unwrap();
            let (ended, _) = collected(Run::new("collect").paced_at(&mock).args(["--rate", rate]));
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
            assert!(shortest_for_more_than(requests, &mock) >= period, "--rate {rate}");
        },
    );
}

#[test]
fn without_a_pace_it_asks_as_fast_as_it_is_answered() {
    let mock = organization(60).start().unwrap();
    let (ended, _) = collected(Run::new("collect").paced_at(&mock).args(["--rate", "off"]));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    // At five a second they would take twelve.
    assert!(shortest_for_more_than(59, &mock) < 6 * SECOND);
}

#[test]
fn validate_and_connect_keep_the_pace_too() {
    at_once([("validate", 3), ("connect", 2)], |(command, requests)| {
        // A refusal with a wait of zero causes enough requests to see the pace.
        let mock = organization(1)
            .fault(Call::Org, When::First(3), Fault::rate_limited(0))
            .start()
            .unwrap();
        let ended = Run::new(command).paced_at(&mock).args(["--json", "--rate", "2"]).end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(mock.log().len() > requests, "{command}");
        assert!(shortest_for_more_than(2, &mock) >= SECOND, "{command}");
    });
}

#[test]
fn the_wait_that_the_server_names_is_waited_however_it_names_it() {
    let limited = |answer: ErrorAnswer| Fault::from(answer);
    // A date has whole seconds, so a wait until one is up to a second longer.
    let cases = [
        (limited(ErrorAnswer::new(429).retry_after(RetryAfter::Seconds(1))), 1_000..=1_000),
        (limited(ErrorAnswer::new(429).retry_after(RetryAfter::Date(1))), 1_000..=3_000),
        (limited(ErrorAnswer::new(429).reset(1)), 1_000..=3_000),
        (limited(ErrorAnswer::new(503).retry_after(RetryAfter::Seconds(1))), 1_000..=1_000),
        (
            limited(ErrorAnswer::new(429).retry_after(RetryAfter::Seconds(1)).reset(500)),
            1_000..=1_000,
        ),
    ];
    at_once(cases, |(fault, planned)| {
        let mock = organization(3).fault(Call::Users, When::Nth(2), fault.clone()).start().unwrap();
        let (ended, report) = collected(Run::new("collect").at(&mock));
        assert_eq!(ended.code, Some(0), "{fault}: {}", ended.stderr);
        assert_figures(&report, 5, 1, planned);
        let mut log = mock.log();
        log.retain(|request| request.call == Call::Users);
        assert_eq!(log[1].cursor, log[2].cursor, "{fault}");
        let waited = Duration::from_millis(report["waited_ms"].as_u64().unwrap());
        assert!(
            log[2].at - log[1].at >= waited,
            "{fault}: {:?} of {waited:?}",
            log[2].at - log[1].at
        );
    });
}

#[test]
fn where_no_wait_is_named_each_is_about_twice_the_one_before() {
    at_once([Fault::status(503), Fault::status(429), Fault::Drop, Fault::DropBody], |fault| {
        let mock =
            organization(3).fault(Call::Users, When::Between(2, 3), fault.clone()).start().unwrap();
        let (ended, report) = collected(Run::new("collect").at(&mock));
        assert_eq!(ended.code, Some(0), "{fault}: {}", ended.stderr);
        // Half a second and a whole one, each between half and all of itself.
        assert_figures(&report, 6, 2, 750..=1_500);
        assert_eq!(report["members"], json!(30));
    });
}

#[test]
fn a_wait_is_told() {
    let mock =
        organization(3).fault(Call::Users, When::Nth(2), Fault::rate_limited(1)).start().unwrap();
    let (ended, _) = collected(Run::new("collect").at(&mock));
    assert_eq!(
        ended.stderr.lines().next(),
        Some("waiting 1.0 s after try 1: the service asks for fewer requests (429)")
    );
}

#[test]
fn a_wait_that_would_overrun_the_budget_is_not_begun() {
    let mock = organization(3)
        .fault(Call::Users, When::From(2), Fault::rate_limited(600))
        .start()
        .unwrap();
    let begun = Instant::now();
    let (ended, report) = collected(Run::new("collect").at(&mock).args(["--max-wait", "599"]));
    assert!(begun.elapsed() < Duration::from_secs(60), "it waited");
    let error = ended.error();
    assert_eq!(
        (ended.code, &error["code"], &error["retry_after_s"]),
        (Some(1), &json!("rate-limited"), &json!(600)),
        "{}",
        ended.stderr
    );
    assert_figures(&report, 3, 0, 0..=0);
}

#[test]
fn the_budget_is_that_of_the_whole_run() {
    let mock =
        organization(6).fault(Call::Users, When::Nth(2), Fault::rate_limited(1)).start().unwrap();
    mock.set_fault(Call::Users, When::From(5), Fault::rate_limited(1));
    let (ended, report) = collected(Run::new("collect").at(&mock).args(["--max-wait", "1.9"]));
    assert_eq!(
        (ended.code, &ended.error()["code"]),
        (Some(1), &json!("rate-limited")),
        "{}",
        ended.stderr
    );
    assert_figures(&report, 6, 1, 1_000..=1_000);
}

#[test]
fn without_a_budget_nothing_is_asked_twice() {
    let mock =
        organization(3).fault(Call::Users, When::From(2), Fault::status(503)).start().unwrap();
    let (ended, report) = collected(Run::new("collect").at(&mock).args(["--max-wait", "0"]));
    assert_eq!(
        (ended.code, &ended.error()["code"]),
        (Some(1), &json!("upstream")),
        "{}",
        ended.stderr
    );
    assert_figures(&report, 3, 0, 0..=0);
}

#[test]
fn a_server_that_names_a_wait_of_nothing_each_time_is_given_up() {
    let mock =
        organization(3).fault(Call::Users, When::Always, Fault::rate_limited(0)).start().unwrap();
    let (ended, report) = collected(Run::new("collect").at(&mock).args(["--max-wait", "4"]));
    assert_eq!(
        (ended.code, &ended.error()["code"]),
        (Some(1), &json!("rate-limited")),
        "{}",
        ended.stderr
    );
    assert!((2..=20).contains(&mock.requests()), "{}", mock.requests());
    // The number of tries does not end it before the budget does.
    let waited = report["waited_ms"].as_u64().unwrap();
    assert!((3_900..=4_000).contains(&waited), "{report}");
}

#[test]
fn validate_and_connect_wait_as_they_are_told() {
    at_once(["validate", "connect"], |command| {
        let mock = organization(1)
            .fault(Call::Org, When::First(1), Fault::rate_limited(1))
            .start()
            .unwrap();
        let ended = Run::new(command).at(&mock).arg("--json").end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stderr.contains("waiting 1.0 s"), "{command}: {}", ended.stderr);
        let asked: Vec<Duration> = mock
            .log()
            .into_iter()
            .filter(|request| request.call == Call::Org)
            .map(|request| request.at)
            .collect();
        assert!(asked[1] - asked[0] >= SECOND, "{command}");
    });
}

#[test]
fn validate_and_connect_do_not_begin_a_wait_beyond_the_budget() {
    for command in ["validate", "connect"] {
        let mock = organization(1)
            .fault(Call::Any, When::Always, Fault::rate_limited(600))
            .start()
            .unwrap();
        let begun = Instant::now();
        let ended = Run::new(command).at(&mock).args(["--json", "--max-wait", "599"]).end();
        assert!(begun.elapsed() < Duration::from_secs(60), "{command} waited");
        assert_eq!(
            (ended.code, &ended.error()["code"]),
            (Some(1), &json!("rate-limited")),
            "{command}: {}",
            ended.stderr
        );
    }
}
