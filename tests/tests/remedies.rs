//! What mends a failure: data in the library, the same whichever call meets the fault, and options
//! in the command.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "remedies/library.rs"]
mod library;
#[path = "remedies/literals.rs"]
mod literals;

use std::fs;
use std::sync::Arc;

use serde_json::{Value, json};
use smp_host::collect::in_memory::InMemory;
use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::plugin::Plugin;
use smp_host::failure::Failure;
use smp_host::host::{Host, Pace, RunOptions};
use smp_host::http::clock::{BoxFuture, VirtualClock};
use smp_host::http::origin::Origin;
use smp_host::http::policy::Grants;
use smp_host::http::retry::Jitter;
use smp_host::http::transport::{Request, Response, Transport, TransportError};
use smp_host::limits::Limits;
use smp_host::settings::{SecretText, Settings};
use smp_host::validation::{CheckOutcome, Validation};
use smp_tests::harness::{Run, component, folder};
use smp_tests::mock::Mock;

/// A service that gives every request the same answer, or none for the same reason.
#[derive(Clone)]
struct Always(Result<Response, TransportError>);

impl Transport for Always {
    fn send<'a>(&'a self, _: &'a Request) -> BoxFuture<'a, Result<Response, TransportError>> {
        Box::pin(std::future::ready(self.0.clone()))
    }
}

/// An answer with a JSON body, which may say when to come back.
fn answer(status: u16, retry_after: Option<&str>, body: &str) -> Always {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut headers = vec![header("content-type", "application/json")];
    headers.extend(retry_after.map(|value| header("retry-after", value)));
    Always(Ok(Response { status, headers, body: body.as_bytes().to_vec() }))
}

/// How a call ends: what mends it, whether it is retryable, what it says and what it advises.
#[derive(Debug)]
struct Told {
    remedy: Value,
    retryable: bool,
    message: String,
    hint: Option<String>,
}

impl Told {
    fn of(failure: &Failure) -> Self {
        Self {
            remedy: serde_json::to_value(&failure.remedy).unwrap(),
            retryable: failure.retryable(),
            message: failure.message.clone(),
            hint: failure.hint.clone(),
        }
    }
}

/// Each call of the connector, in a run of its own, at a service of this kind.
async fn told_by_each_call(plugin: &Plugin, service: &Always, granted: bool) -> [Told; 3] {
    let settings = Settings {
        values: [("organization-id".to_owned(), "7c2k9a41".to_owned())].into(),
        secrets: [("api-key".to_owned(), SecretText::new("ATATTtoken-of-a-user".into()))].into(),
    };
    let checked = settings.check(plugin.descriptor(), true).unwrap();
    let origin = Origin::parse("https://api.example.test").unwrap();
    let grants =
        if granted { Grants::reading(origin, plugin.descriptor()) } else { Grants::none(origin) };
    let run = || {
        let options = RunOptions {
            pace: Pace::Off,
            clock: Arc::new(VirtualClock::default()),
            jitter: Jitter::None,
            limits: Some(Limits { response: 1_000, ..Limits::default() }),
            ..RunOptions::new(Arc::new(service.clone()))
        };
        Host::default().session(plugin, &checked, &grants, options)
    };
    let validation = Validation::of(&mut run()).await.unwrap();
    let whole = Told::of(validation.failure().unwrap());
    let mut failed =
        validation.checks().iter().filter(|check| check.outcome == CheckOutcome::Failed);
    let check = failed.next().unwrap();
    let validated = Told {
        remedy: serde_json::to_value(&check.remedy).unwrap(),
        retryable: check.remedy.as_ref().unwrap().retryable(),
        message: check.message.clone(),
        hint: check.hint.clone(),
    };
    assert_eq!(format!("{whole:?}"), format!("{validated:?}"), "the first check is the reason");
    let connected = Told::of(&run().connect().await.unwrap_err());
    let mut members = InMemory::default();
    let collected = run().collect_members(&mut members, std::future::pending()).await;
    [validated, connected, Told::of(&collected.error.unwrap())]
}

#[tokio::test]
async fn whichever_call_meets_a_fault_it_says_the_same_of_what_mends_it() {
    const SCOPE: &str = r#"{"code":403,"message":"scope does not match"}"#;
    let engine = Engine::new(&EngineOptions::new(Compiler::Inside)).unwrap();
    let plugin = Plugin::load(&engine, &fs::read(component()).unwrap()).await.unwrap();
    let unanswered = |error| Always(Err(error));
    let back = |after: Option<u64>, most: Option<u64>| json!({"kind": "come-back", "after_s": after, "max_wait_s": most});
    let raise = || json!({"kind": "raise-limit", "limit": "response", "to": null});
    let report = || json!({"kind": "come-back-or-report"});
    let large = "x".repeat(1_001);
    for (fault, service, remedy, retryable, words) in [
        (
            "an answer beyond the limit",
            answer(200, None, &large),
            raise(),
            false,
            "The limit `response` is 1000 bytes.",
        ),
        (
            "an answer that was not read to its end",
            unanswered(TransportError::TooLarge(1_000)),
            raise(),
            false,
            "The limit `response` is 1000 bytes.",
        ),
        (
            "429 for longer than the run may wait",
            answer(429, Some("3600"), ""),
            back(Some(3_600), Some(3_600)),
            true,
            "Try again later",
        ),
        (
            "503 for longer than the run may wait",
            answer(503, Some("7200"), ""),
            back(Some(7_200), Some(7_200)),
            true,
            "Try again later",
        ),
        ("429 without end", answer(429, None, ""), back(None, None), true, "Try again later"),
        ("500 without end", answer(500, None, ""), back(None, None), true, "Try again later"),
        (
            "no answer in time",
            unanswered(TransportError::TimedOut),
            back(None, None),
            true,
            "Try again later",
        ),
        (
            "a certificate that is not trusted",
            unanswered(TransportError::Untrusted("unknown issuer".into())),
            json!({"kind": "trust-root"}),
            false,
            "trust its certificate",
        ),
        (
            "an address in a private network",
            unanswered(TransportError::Denied("it is a private address".into())),
            json!({"kind": "name-upstream"}),
            false,
            "name its address yourself",
        ),
        (
            "a key of the wrong kind",
            answer(401, None, r#"{"code":401,"message":"Unauthorized"}"#),
            json!({"kind": "new-key", "setting": "api-key"}),
            false,
            "create a new API key",
        ),
        (
            "a key without a scope",
            answer(403, None, SCOPE),
            json!({"kind": "more-permissions", "scopes": ["read:orgs:admin", "read:accounts:admin", "read:domains:admin", "read:keys:admin"]}),
            false,
            "or one with the scopes read:orgs:admin, read:accounts:admin and read:domains:admin",
        ),
        ("a web page", answer(200, None, "<html>"), back(None, None), true, "Try again later"),
        ("another shape", answer(200, None, "[]"), report(), true, "Try again later"),
        ("an unknown status", answer(418, None, ""), report(), true, "Try again later"),
    ] {
        let calls = told_by_each_call(&plugin, &service, true).await;
        for (call, told) in ["validate", "connect", "collect"].into_iter().zip(&calls) {
            let row = format!("{fault}, {call}: {told:?}");
            assert_eq!(
                (&sorted(&told.remedy), told.retryable),
                (&sorted(&remedy), retryable),
                "{row}"
            );
            assert!(told.hint.as_ref().is_some_and(|hint| hint.contains(words)), "{row}");
            // A collection adds how it goes on.
            let (hint, first) = (told.hint.as_ref().unwrap(), calls[0].hint.as_ref().unwrap());
            assert!(hint.starts_with(first.as_str()), "{row}");
            let explained = usize::from(fault == "a key of the wrong kind");
            let said = told.message.matches("By its prefix, the Api Key is").count();
            assert_eq!(said, explained, "{row}");
        }
    }
    // Each asks another endpoint first, or the same one.
    for told in told_by_each_call(&plugin, &answer(200, None, ""), false).await {
        assert_eq!((&told.remedy["kind"], told.retryable), (&json!("grant"), false), "{told:?}");
        assert!(told.message.contains("not granted to the connector"), "{told:?}");
    }
}

/// The remedy, with its scopes in an order that the descriptor does not matter to.
fn sorted(remedy: &Value) -> Value {
    let mut remedy = remedy.clone();
    if let Some(scopes) = remedy.get_mut("scopes").and_then(Value::as_array_mut) {
        scopes.sort_by_key(ToString::to_string);
    }
    remedy
}

#[test]
fn validate_words_the_remedy_of_a_check_as_options_for_people_and_for_scripts() {
    let large = folder("fixtures/members-too-large");
    let late = folder("fixtures/too-many-requests-for-an-hour");
    let run = |fixture: &std::path::Path| Run::new("validate").file("--fixture", fixture);
    for (run, id, retryable, words) in [
        (
            &(|| run(&large).args(["--limit", "response=200"])) as &dyn Fn() -> Run,
            "members",
            false,
            "The limit `response` is 200 bytes. `--limit response=…` does so.",
        ),
        (&|| run(&late), "organization", true, "A run with `--max-wait 3600` waits that long."),
    ] {
        let (shown, told) = (run().end(), run().arg("--json").end());
        let text = shown.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.code == Some(1) && text.contains(words), "{}", shown.stdout);
        let document = told.json();
        let checks = document["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["outcome"] == "failed").unwrap();
        assert_eq!((&check["id"], &check["retryable"]), (&json!(id), &json!(retryable)), "{check}");
        assert!(check["hint"].as_str().unwrap().ends_with(words), "{check}");
        let error = told.error();
        assert_eq!(
            (&error["hint"], &error["retryable"]),
            (&check["hint"], &check["retryable"]),
            "{error}"
        );
    }
}

#[test]
fn the_command_words_what_mends_a_failure_as_its_options() {
    let mock = Mock::builder().members(25).page_size(10);
    let mock = mock.rule("users:2-:status-429;retry-after=30".parse().unwrap()).start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("missing/members.csv");
    let key = |run: Run| run.args(["--secret", "api-key=env:SMP_TEST_KEY"]);
    let at = |command| {
        Run::bare()
            .arg(command)
            .arg(component())
            .args(["--upstream", &mock.url(), "--json"])
            .env("SMP_TEST_KEY", "ATCTTx-made-up")
    };
    for (run, code, way_out, remedy) in [
        (
            at("validate").args(["--set", "organization-id=a"]),
            "invalid-settings",
            "`--secret api-key=env:NAME`",
            json!({"kind": "give-setting", "setting": "api-key", "secret": true}),
        ),
        (
            key(at("collect")),
            "invalid-settings",
            "`--set organization-id=VALUE`",
            json!({"kind": "give-setting", "setting": "organization-id", "secret": false}),
        ),
        (
            Run::new("collect").at(&mock).args(["--json", "--max-wait", "0"]),
            "rate-limited",
            "`--max-wait 30`",
            json!({"kind": "come-back", "after_s": 30, "max_wait_s": 30}),
        ),
        (
            Run::new("collect").at(&mock).args(["--json", "--limit", "memory=64KiB"]),
            "limit",
            "`--limit memory=…`",
            json!({"kind": "raise-limit", "limit": "memory", "to": null}),
        ),
        (
            Run::new("connect").for_organization_of(&mock).arg("--json"),
            "denied",
            "`--allow-origin https://api.atlassian.com`",
            json!({"kind": "approve-origin", "origin": "https://api.atlassian.com"}),
        ),
        (
            Run::new("collect").at(&mock).args(["--json"]).file("--output", &nowhere),
            "output",
            "`--output`",
            json!({"kind": "make-room", "of": "output"}),
        ),
    ] {
        let ended = run.end();
        let (told, error) = (ended.said(code), ended.error());
        assert!(told.contains(way_out), "{way_out} is missing: {told}");
        assert_eq!(error["remedy"], remedy, "{told}");
    }
}
