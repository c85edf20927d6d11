//! Tests of `--verbose`: a line for each request, on standard error.

use smp_tests::harness::Run;
use smp_tests::mock::Mock;

const USERS: &str = "GET /admin/v1/orgs/{organization-id}/users";
const DOMAINS: &str = "GET /admin/v1/orgs/{organization-id}/domains";

fn mock() -> Mock {
    let mock = Mock::builder().members(25).page_size(10);
    mock.rule("users:2:status-429;retry-after=0".parse().unwrap()).start().unwrap()
}

fn collect(mock: &Mock) -> Run {
    Run::new("collect").at(mock).args(["--format", "ndjson"])
}

/// The lines of requests, without sizes and times.
fn requests(stderr: &str) -> Vec<String> {
    let lines = stderr.lines().filter(|line| line.starts_with("GET "));
    lines
        .map(|line| {
            let parts: Vec<_> = line.split("  ").collect();
            let [endpoint, status, size, time, rest @ ..] = &parts[..] else { panic!("{line}") };
            assert!(size.ends_with('B') && time.ends_with("ms"), "{line}");
            format!("{endpoint} {status} {}", rest.join(" "))
        })
        .collect()
}

#[test]
fn each_request_is_a_line_with_its_page_and_its_try() {
    let (quiet, verbose) = (collect(&mock()).end(), collect(&mock()).arg("-v").end());
    assert_eq!(verbose.code, Some(0), "{}", verbose.stderr);
    let lines = [
        (USERS, "200 page 1"),
        (DOMAINS, "200 page 1"),
        (USERS, "429 page 2"),
        (USERS, "200 page 2 try 2"),
        (USERS, "200 page 3"),
    ];
    assert_eq!(
        requests(&verbose.stderr),
        lines.map(|(endpoint, line)| format!("{endpoint} {line}"))
    );
    assert!(requests(&quiet.stderr).is_empty(), "{}", quiet.stderr);
    // The data is the same, and standard output has nothing else.
    assert_eq!((&verbose.stdout, verbose.lines().len()), (&quiet.stdout, 25));
}

#[test]
fn each_line_of_a_request_is_there_once_and_has_no_value_in_it() {
    let mock = mock();
    for command in ["validate", "connect"] {
        let (before, ended) = (mock.requests(), Run::new(command).at(&mock).arg("-v").end());
        let lines = requests(&ended.stderr);
        assert_eq!(
            u64::try_from(lines.len()).unwrap(),
            mock.requests() - before,
            "{}",
            ended.stderr
        );
        assert!(lines.iter().all(|line| line.contains(command)), "{lines:?}");
        assert!(!ended.stderr.contains(&mock.organization().id), "{}", ended.stderr);
    }
}

#[test]
fn a_terminal_shows_the_lines_and_no_bar_that_they_would_tear() {
    let mock = mock();
    let folder = tempfile::tempdir().unwrap();
    let members = folder.path().join("members.ndjson");
    let screen = collect(&mock).arg("-v").file("--output", &members).on_a_terminal("").stderr;
    assert_eq!(screen.matches(USERS).count(), 4, "{screen}");
    assert!(!screen.contains("\u{1b}[2K") && !screen.contains('━'), "{screen}");
}

#[test]
fn the_last_line_is_the_failure_where_json_is_asked_for() {
    let mock = Mock::builder().members(25).page_size(10);
    let mock = mock.rule("users:2-:status-429;retry-after=3600".parse().unwrap()).start().unwrap();
    let ended = collect(&mock).args(["-v", "--json"]).end();
    // The first page came, and standard output has only that.
    assert_eq!((ended.code, ended.lines().len()), (Some(1), 10));
    ended.said("rate-limited");
    assert_eq!(requests(&ended.stderr).len(), 3, "{}", ended.stderr);
}

#[test]
fn a_request_that_is_not_let_out_is_told_with_its_reason() {
    let mock = mock();
    for (limit, endpoint) in [("requests=1", DOMAINS), ("requests=2", USERS)] {
        let ended = Run::new("collect").at(&mock).args(["-v", "--limit", limit, "--json"]).end();
        ended.said("limit");
        let refused =
            format!("a request was refused: the run has reached its limit endpoint=\"{endpoint}\"");
        assert!(ended.stderr.contains(&refused), "{}", ended.stderr);
    }
}
