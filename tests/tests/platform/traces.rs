//! Tests of traces: what goes to a collector of OpenTelemetry, and what never does.

use smp_tests::mock::DEFAULT_KEY;

use crate::collector::Collector;
use crate::server::{Server, log, platform};
use crate::{folder, mock};

#[test]
fn spans_of_runs_and_requests_go_to_a_collector_without_a_tenant_a_person_or_a_key() {
    let (folder, mock) = (folder(), mock(60, 0));
    let collector = Collector::start();
    let server = Server::start_with(
        &folder.data,
        &mock,
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-team=people"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ],
    );
    let path = server.connected("acme-tenant", &mock);
    let first = server.first_run(&path);
    assert_eq!(server.ended(&path, &first)["state"], "complete");
    let email = server.get(&format!("{path}/members?limit=1"))["data"][0]["email"].clone();
    server.end();
    let (heads, bodies) = collector.end();
    assert!(heads.iter().all(|head| head.starts_with("POST /v1/traces ")), "{heads:?}");
    assert!(heads.iter().all(|head| head.to_lowercase().contains("x-team: people")), "{heads:?}");
    let sent = String::from_utf8_lossy(&bodies);
    for known in ["smp-platform", "run", "call", "request", "http", "/api/v1/connections/{id}/runs"]
    {
        assert!(sent.contains(known), "no {known}");
    }
    let organization = mock.organization().id.clone();
    for secret in [DEFAULT_KEY, "acme-tenant", email.as_str().unwrap(), &organization] {
        assert!(!sent.contains(secret), "{secret}");
    }
}

#[test]
fn a_collector_that_cannot_be_used_is_told_before_anything_starts_and_one_that_is_away_once() {
    let (folder, mock) = (folder(), mock(60, 0));
    for (variables, words) in [
        (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")][..], "`http://HOST:4318`"),
        (
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ][..],
            "`http/protobuf`",
        ),
    ] {
        let done = platform()
            .envs(variables.iter().copied())
            .args(["serve", "--data"])
            .arg(&folder.data)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(2), "{said}");
        assert!(said.contains(words) && done.stdout.is_empty(), "{said}");
    }
    let away =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"), ("OTEL_BSP_SCHEDULE_DELAY", "20")];
    let server = Server::start_with(&folder.data, &mock, &away);
    let path = server.connected("acme", &mock);
    let first = server.first_run(&path);
    assert_eq!(server.ended(&path, &first)["state"], "complete");
    server.end();
    let log = std::fs::read_to_string(log(&folder.data)).unwrap();
    assert_eq!(log.matches("the collector does not take traces").count(), 1, "{log}");
}
