//! Tests of the live transport on real connections: TLS, proxies, compression, and what a request
//! reveals about its sender.
//!
//! Nothing leaves this machine: the live API is a mock behind a proxy, under the API's name and
//! with a throw-away certificate.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "live/between.rs"]
mod between;
#[path = "live/certificates.rs"]
mod certificates;

use std::path::{Path, PathBuf};

use serde_json::json;
use smp_tests::harness::{Lonely, Run, component};
use smp_tests::mock::{Authorization, Builder, Call, DEFAULT_KEY, Fault, Mock, When};

use between::Between;

const LIVE: &str = "https://api.atlassian.com";

#[test]
fn the_address_that_was_asked_is_named_where_another_server_answers() {
    let mock = organization().start().unwrap();
    let elsewhere = Run::new("validate").for_organization_of(&mock);
    // The server of a registry knows no organization.
    let other = smp_tests::registry::FakeRegistry::start();
    let url = format!("http://{}", other.host());
    let ended = elsewhere.args(["--upstream", &url, "--rate", "off", "--json"]).end();
    let hint = ended.error()["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains(&format!("{url} was asked in place of the service")), "{hint}");
}

#[test]
fn the_live_api_is_reached_through_the_systems_proxy() {
    let (mock, folder) = (
        organization().also_named("api.atlassian.com").start_tls().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let proxy = Between::tunnel(mock.address());
    let validated = live("validate", &mock, &proxy, folder.path()).args(["--json"]).end();
    assert_eq!(
        (validated.code, &validated.json()["ready"]),
        (Some(0), &json!(true)),
        "{}",
        validated.stderr
    );
    let collected =
        live("collect", &mock, &proxy, folder.path()).args(["--format", "ndjson"]).end();
    assert_eq!((collected.code, collected.lines().len()), (Some(0), 25), "{}", collected.stderr);
    let heads = proxy.heads();
    assert!(!heads.is_empty());
    for head in &heads {
        assert!(head.starts_with("CONNECT api.atlassian.com:443 HTTP/1.1\r\n"), "{head}");
        assert!(!head.to_lowercase().contains("bearer") && !head.contains(mock.key()), "{head}");
    }
    assert!(mock.log().iter().all(|request| request.authorization == Authorization::Right));
}

#[test]
fn a_proxy_is_in_the_companys_own_network_and_may_be_known_by_a_name() {
    let (mock, folder) = (
        organization().also_named("api.atlassian.com").start_tls().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let proxy = Between::tunnel(mock.address());
    let by_name = proxy.url().replace("127.0.0.1", "LocalHost");
    let ended = live("validate", &mock, &proxy, folder.path())
        .env("HTTPS_PROXY", by_name)
        .args(["--json"])
        .end();
    assert_eq!((ended.code, &ended.json()["ready"]), (Some(0), &json!(true)), "{}", ended.stderr);
    assert!(!proxy.heads().is_empty());
}

#[test]
fn the_proxy_variables_do_not_count_for_an_upstream() {
    let (mock, lonely) = (organization().start().unwrap(), Lonely::start());
    let variables =
        ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let run = variables
        .iter()
        .fold(Run::new("validate").at(&mock), |run, name| run.env(name, lonely.url()));
    let ended = run.args(["--json"]).end();
    assert_eq!((ended.code, &ended.json()["ready"]), (Some(0), &json!(true)), "{}", ended.stderr);
    assert!(!lonely.was_visited());
}

#[test]
fn nothing_is_sent_to_the_live_api_unless_somebody_approved_it() {
    let (mock, folder) = (
        organization().also_named("api.atlassian.com").start_tls().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let proxy = Between::tunnel(mock.address());
    let unapproved = |command: &str| {
        let run = Run::new(command)
            .for_organization_of(&mock)
            .file("--ca-file", &ca_file(&mock, folder.path()));
        run.env("HTTPS_PROXY", proxy.url()).args(["--json"])
    };
    for (ended, way_out) in [
        (unapproved("validate").end(), "`--allow-origin https://api.atlassian.com`"),
        (unapproved("collect").end(), "`--allow-origin https://api.atlassian.com`"),
        (
            unapproved("connect")
                .args(["--allow-origin", "https://api.atlassian.com.example.test"])
                .end(),
            "the origin that it asks for",
        ),
        (
            unapproved("collect").args(["--allow-origin", "https://api.atlassian.com:8443"]).end(),
            "the origin that it asks for",
        ),
    ] {
        let error = ended.error();
        assert_eq!(
            (ended.code, &error["code"], &error["retryable"]),
            (Some(1), &json!("denied"), &json!(false)),
            "{error}"
        );
        assert!(error["message"].as_str().unwrap().contains(LIVE), "{error}");
        assert!(error["hint"].as_str().unwrap().contains(way_out), "{error}");
    }
    assert_eq!((proxy.heads().len(), mock.requests()), (0, 0));
}

#[test]
fn a_yes_on_a_terminal_is_remembered_for_this_build_and_a_no_sends_nothing() {
    let (mock, folder) = (
        organization().also_named("api.atlassian.com").start_tls().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let proxy = Between::tunnel(mock.address());
    let other_build = folder.path().join("other.wasm");
    // A custom section of one byte without a name changes only the digest.
    std::fs::write(&other_build, [std::fs::read(component()).unwrap(), vec![0, 2, 0, 7]].concat())
        .unwrap();
    let validate = |connector: &Path| {
        let run = Run::bare()
            .args(["validate".as_ref(), connector.as_os_str()])
            .for_organization_of(&mock);
        let run = run
            .file("--ca-file", &ca_file(&mock, folder.path()))
            .env("HTTPS_PROXY", proxy.url())
            .args(["--rate", "off"]);
        run.env("XDG_STATE_HOME", folder.path())
    };
    for no in ["\n", "n\n", "no\n", "yes please\n", "\u{4}"] {
        let ended = validate(&component()).on_a_terminal(no);
        let words = [
            "wants to send requests with your key to",
            LIVE,
            "GET /admin/v1/orgs/{organization-id}/users",
            "sha256:",
            "[y/N]",
            "did not approve",
        ];
        assert!(
            ended.code == Some(1) && words.iter().all(|word| ended.stderr.contains(word)),
            "{no:?}: {}",
            ended.stderr
        );
    }
    assert_eq!((proxy.connections(), mock.requests()), (0, 0));
    let ended = validate(&component()).on_a_terminal("Yes\n");
    assert!(ended.code == Some(0) && ended.stdout.contains("Ready."), "{}", ended.stderr);
    let ended = validate(&component()).on_a_terminal("");
    assert!(
        ended.code == Some(0) && !ended.stderr.contains("[y/N]"),
        "it was remembered: {}",
        ended.stderr
    );
    assert_eq!(validate(&component()).end().code, Some(0), "also without a terminal");
    let before = mock.requests();
    assert!(
        validate(&other_build).on_a_terminal("n\n").stderr.contains("[y/N]"),
        "another build asks again"
    );
    assert_eq!(
        (
            validate(&other_build).args(["--json"]).end().said("denied").contains(LIVE),
            mock.requests()
        ),
        (true, before)
    );
}

#[test]
fn packed_answers_are_asked_for_and_taken() {
    let mock = organization().gzip().start().unwrap();
    let relay = Between::relay(mock.address());
    let ended = through(&relay, "collect", &mock).args(["--format", "ndjson"]).end();
    assert_eq!((ended.code, ended.lines().len()), (Some(0), 25), "{}", ended.stderr);
    let asked = relay.sent().lines().filter(|line| *line == "accept-encoding: gzip").count();
    // Three pages, and the domains for the note of the first.
    assert_eq!(asked, 4, "{}", relay.sent());
    // Unpacked they are more than 19,000.
    assert!(relay.received() < 7_000, "{} bytes came", relay.received());
}

#[test]
fn a_connection_is_kept_for_the_next_request() {
    let mock = organization().start().unwrap();
    let relay = Between::relay(mock.address());
    let ended = through(&relay, "collect", &mock).args(["--format", "ndjson"]).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!((relay.connections(), mock.requests()), (1, 4));
}

#[test]
fn a_connection_that_broke_is_made_again() {
    let mock = organization().fault(Call::Users, When::Nth(2), Fault::Drop).start().unwrap();
    let relay = Between::relay(mock.address());
    let ended = through(&relay, "collect", &mock).args(["--format", "ndjson"]).end();
    assert_eq!((ended.code, ended.lines().len()), (Some(0), 25), "{}", ended.stderr);
    assert_eq!((relay.connections(), mock.requests()), (2, 5));
}

#[test]
fn a_request_says_what_it_must_and_nothing_that_identifies_the_sender() {
    let mock = organization().start().unwrap();
    let relay = Between::relay(mock.address());
    let ended = through(&relay, "validate", &mock).args(["--json"]).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let sent = relay.sent();
    let mut requests = 0;
    for request in sent.split("\r\n\r\n").filter(|request| !request.is_empty()) {
        let mut lines = request.split("\r\n");
        let paths = ["GET /admin/v1/orgs", "GET /admin/api-access/v1/orgs/"];
        let first = lines.next().unwrap();
        assert!(paths.iter().any(|path| first.starts_with(path)), "{request}");
        let mut headers: Vec<(String, &str)> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(n, v)| (n.to_lowercase(), v))
            .collect();
        headers.sort();
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["accept", "accept-encoding", "authorization", "host", "user-agent"]);
        let value = |name: &str| headers.iter().find(|(known, _)| known == name).unwrap().1;
        assert_eq!(
            (value("accept"), value("host")),
            ("application/json", relay.address.to_string().as_str())
        );
        assert_eq!(value("user-agent"), concat!("smp-harness/", env!("CARGO_PKG_VERSION")));
        requests += 1;
    }
    assert_eq!(requests, mock.requests());
}

#[test]
fn a_key_that_the_server_repeats_is_redacted() {
    let mock = organization().organization_name(&format!("Company {DEFAULT_KEY}")).start().unwrap();
    let ended = Run::new("connect").at(&mock).args(["--json"]).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        !ended.stdout.contains(mock.key())
            && ended.json()["name"].as_str().unwrap().starts_with("Company ***"),
        "{}",
        ended.stdout
    );
}

fn organization() -> Builder {
    Mock::builder().members(25).page_size(10)
}

fn ca_file(mock: &Mock, folder: &Path) -> PathBuf {
    let path = folder.join("ca.pem");
    std::fs::write(&path, mock.ca_pem().unwrap()).unwrap();
    path
}

/// A run with the live API, as far as this machine permits: the proxy leads to the mock.
fn live(command: &str, mock: &Mock, proxy: &Between, folder: &Path) -> Run {
    let run = Run::new(command).for_organization_of(mock).file("--ca-file", &ca_file(mock, folder));
    run.env("HTTPS_PROXY", proxy.url()).args(["--allow-origin", LIVE, "--rate", "off"])
}

fn through(relay: &Between, command: &str, mock: &Mock) -> Run {
    Run::new(command).for_organization_of(mock).args(["--upstream", &relay.url(), "--rate", "off"])
}
