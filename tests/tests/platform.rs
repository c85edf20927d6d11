//! Tests of the platform: the real binary with the mock organization, killed and started again.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "platform/collector.rs"]
mod collector;
#[path = "platform/faults.rs"]
mod faults;
#[path = "platform/server.rs"]
mod server;

use std::path::{Path, PathBuf};
use std::time::Duration;

use collector::Collector;
use serde_json::{Value, json};
use server::{Server, connection, installed, log, platform, run};
use smp_tests::harness::{Run, component};
use smp_tests::mock::{Builder, Call, DEFAULT_KEY, ErrorAnswer, Fault, Mock, RetryAfter, When};

struct Folder {
    _folder: tempfile::TempDir,
    data: PathBuf,
}

fn folder() -> Folder {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    installed(&data);
    Folder { data, _folder: folder }
}

fn mock(members: u64, port: u16) -> Mock {
    Builder::default().members(members).port(port).start().unwrap()
}

/// The mock on the same port with another number of members.
fn changed(mock: Mock, members: u64) -> Mock {
    let port = mock.url().rsplit(':').next().unwrap().parse().unwrap();
    drop(mock);
    self::mock(members, port)
}

fn whats(changes: &Value) -> Vec<&str> {
    changes["data"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect()
}

#[test]
fn members_appear_go_and_return_by_whole_runs_alone() {
    let (folder, mock) = (folder(), mock(60, 0));
    let server = Server::start(&folder.data, &mock);
    let path = server.connected("acme", &mock);
    let first = server.first_run(&path);
    let run = server.ended(&path, &first);
    assert_eq!(
        (&run["state"], &run["members"], &run["total"]),
        (&json!("complete"), &json!(60), &json!(60)),
        "{run}"
    );
    let told = server.until(&format!("{path}/usage"), |told| !told["run"].is_null());
    assert_eq!(
        (&told["run"], &told["data"][0]["plan"]),
        (&json!(first), &json!("Premium")),
        "{told}"
    );

    let mock = changed(mock, 55);
    let second = server.collected(&path);
    let second = second["id"].as_str().unwrap();
    let total = |query: &str| server.get(&format!("{path}/members?{query}"))["total"].clone();
    assert_eq!(
        [total(""), total("gone=true"), total(&format!("at_run={first}"))],
        [json!(55), json!(5), json!(60)]
    );
    let gone = server.get(&format!("{path}/changes?from={first}"));
    assert_eq!(whats(&gone), ["gone"; 5]);

    // A run that fails in the middle changes nothing of that.
    let port = mock.url().rsplit(':').next().unwrap().parse().unwrap();
    drop(mock);
    let fault = Fault::Status(ErrorAnswer::new(403));
    let failing = Builder::default()
        .members(250)
        .port(port)
        .fault(Call::Users, When::Nth(2), fault)
        .start()
        .unwrap();
    let failed = server.collected(&path);
    assert_eq!(
        (&failed["state"], &failed["error"]["retryable"]),
        (&json!("failed"), &json!(false)),
        "{failed}"
    );
    assert_eq!([total(""), total("gone=true")], [json!(55), json!(5)]);
    let shown = server.get(&path);
    assert_eq!(
        (&shown["state"], &shown["next_run"]),
        (&json!("attention"), &Value::Null),
        "{shown}"
    );
    let base = format!("{path}/members?at_run={}", failed["id"].as_str().unwrap());
    assert_eq!(server.ask("GET", &base, &Value::Null).0, 422, "an incomplete run is no base");

    let mock = changed(failing, 60);
    assert_eq!(server.collected(&path)["state"], json!("complete"));
    assert_eq!([total(""), total("gone=true")], [json!(60), json!(0)]);
    assert_eq!(whats(&server.get(&format!("{path}/changes?from={second}"))), ["returned"; 5]);
    assert_eq!(server.get(&path)["state"], json!("ready"));

    // The export has the lines of the command.
    let (status, csv) =
        server.bytes(&server.token, "GET", &format!("{path}/export?format=csv"), "");
    let collected = Run::new("collect").at(&mock).args(["--format", "csv"]).end();
    let mut lines: Vec<_> = std::str::from_utf8(&csv).unwrap().lines().collect();
    let mut expected: Vec<_> = collected.stdout.lines().collect();
    lines.sort_unstable();
    expected.sort_unstable();
    assert_eq!((status, lines), (200, expected));
}

#[test]
fn killed_again_and_again_it_goes_on_with_the_page_that_was_cut() {
    let folder = folder();
    let mock =
        Builder::default().members(1_500).latency(Duration::from_millis(40)).start().unwrap();
    let mut server = Server::start(&folder.data, &mock);
    let path = server.connected("acme", &mock);
    let run = server.first_run(&path);
    let mut kills = 0;
    for pages in [1, 3, 6, 10] {
        let at = format!("{path}/runs/{run}");
        server.until(&at, |run| run["pages"].as_u64() >= Some(pages));
        server = server.killed_and_started(&folder.data, &mock);
        kills += 1;
    }
    let ended = server.ended(&path, &run);
    assert_eq!(
        (&ended["state"], &ended["members"], &ended["pages"]),
        (&json!("complete"), &json!(1_500), &json!(15)),
        "{ended}"
    );
    let asked = mock.log().iter().filter(|request| request.call == Call::Users).count();
    assert!(
        (15..=15 + kills + 2).contains(&asked),
        "{asked} requests for 15 pages and {kills} kills"
    );
    assert_eq!(server.get(&format!("{path}/members?limit=1"))["total"], json!(1_500));
    assert_eq!(server.get(&format!("{path}/runs"))["data"].as_array().unwrap().len(), 1);
    assert!(server.end() < Duration::from_secs(10));
}

#[test]
fn a_run_that_is_asked_to_come_back_waits_and_one_that_was_stopped_goes_on() {
    let folder = folder();
    let later = Fault::Status(ErrorAnswer::new(429).retry_after(RetryAfter::Seconds(7_200)));
    let mock = Builder::default()
        .members(300)
        .fault(Call::Users, When::Between(3, 4), later)
        .start()
        .unwrap();
    let server = Server::start(&folder.data, &mock);
    let path = server.connected("acme", &mock);
    let run = server.first_run(&path);
    let at = format!("{path}/runs/{run}");
    let waiting = server.until(&at, |run| run["state"] == "waiting");
    assert_eq!(
        (&waiting["pages"], &waiting["error"]["code"]),
        (&json!(1), &json!("rate-limited")),
        "{waiting}"
    );
    assert!(waiting["resumes_at"].is_string());
    let (status, stopped) = server.ask("POST", &format!("{at}/stop"), &Value::Null);
    assert_eq!((status, &stopped["state"]), (202, &json!("stopped")));
    let (_, again) = server.ask("POST", &format!("{path}/runs"), &Value::Null);
    assert_eq!(again["id"], json!(run), "it is the same run");
    let mut ended = server.until(&at, |run| run["state"] != "open");
    if ended["state"] == "waiting" {
        server.ask("POST", &format!("{path}/runs"), &Value::Null);
        ended = server.ended(&path, &run);
    }
    assert_eq!((&ended["state"], &ended["members"]), (&json!("complete"), &json!(300)), "{ended}");
}

#[test]
fn a_new_version_is_used_as_soon_as_it_is_validated_and_rolled_back() {
    let (folder, mock) = (folder(), mock(20, 0));
    let server = Server::start(&folder.data, &mock);
    let path = server.connected("acme", &mock);
    let collected = server.first_run(&path);
    server.ended(&path, &collected);
    let first = server.get(&path)["build"].clone();

    // The same component with a custom section more is another build.
    let new = folder.data.with_extension("wasm");
    let mut bytes = std::fs::read(component()).unwrap();
    bytes.extend([0, 5, 4]);
    bytes.extend(b"test");
    std::fs::write(&new, bytes).unwrap();
    let port = mock.url().rsplit(':').next().unwrap().parse().unwrap();
    drop(mock);
    let mock = Builder::default()
        .members(20)
        .port(port)
        .fault(Call::Users, When::Between(1, 2), Fault::Status(ErrorAnswer::new(403)))
        .start()
        .unwrap();
    let installed = run(&folder.data, &["connector", "install", new.to_str().unwrap()]);
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    let active = &server.get("/api/v1/connectors")["data"][0];
    assert_ne!(active["digest"], first);
    // Not validated: the run before goes on, and says why.
    let (_, validation) = server.ask("POST", &format!("{path}/validate"), &Value::Null);
    let shown = server.get(&path);
    assert_eq!(
        (&shown["build"], &shown["upgrade"]["digest"], &shown["upgrade"]["error"]["status"]),
        (&first, &active["digest"], &json!(422)),
        "{validation} {shown}"
    );
    drop(mock);
    let mock = self::mock(20, port);
    assert_eq!(server.collected(&path)["state"], json!("complete"));
    let shown = server.get(&path);
    assert_eq!((&shown["build"], &shown["upgrade"]), (&active["digest"], &Value::Null), "{shown}");

    let back = run(&folder.data, &["connector", "rollback", "atlassian-cloud"]);
    assert!(back.status.success(), "{}", String::from_utf8_lossy(&back.stderr));
    assert_eq!(server.collected(&path)["state"], json!("complete"));
    assert_eq!(server.get(&path)["build"], first);
    drop(mock);
}

#[test]
fn a_connection_that_is_not_ready_is_not_kept_and_one_account_is_connected_once() {
    let (folder, mock) = (folder(), mock(30, 0));
    let server = Server::start(&folder.data, &mock);
    let good = connection("acme", &mock);
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        server.ask("POST", "/api/v1/connections", &body)
    };
    let (status, refused) = with("secrets", json!({"api-key": "ATCTTanother-key-of-nobody-0000"}));
    assert_eq!(
        (status, &refused["code"], &refused["validation"]["ready"]),
        (422, &json!("credentials"), &json!(false)),
        "{refused}"
    );
    assert!(refused["hint"].is_string() && refused["remedy"].is_object(), "{refused}");
    for (field, value, code) in [
        ("upstream", json!("http://127.0.0.1:1"), "denied"),
        ("upstream", Value::Null, "upstream"),
        (
            "grants",
            json!(["POST /admin/v2/orgs/{organization-id}/directories/-/users/search"]),
            "denied",
        ),
        ("connector", json!("nobody"), "unknown-connector"),
        ("settings", json!({}), "invalid-settings"),
        ("every_hours", json!(0), "invalid-request"),
        ("tenant", json!("a\nb"), "invalid-request"),
        ("more", json!(1), "invalid-request"),
    ] {
        if field == "upstream" && value.is_null() {
            // The live service: nothing of this test may leave the machine.
            continue;
        }
        let (status, refused) = with(field, value);
        assert_eq!((status, &refused["code"]), (422, &json!(code)), "{field}: {refused}");
    }
    assert_eq!(server.get("/api/v1/connections")["data"], json!([]));
    let path = server.connected("acme", &mock);
    assert_eq!(server.ask("POST", "/api/v1/connections", &good).0, 409);
    let (status, _) = server.ask(
        "PUT",
        &format!("{path}/secrets"),
        &json!({"secrets": {"api-key": "ATCTTanother-key-of-nobody-0000"}}),
    );
    assert_eq!(status, 422);
    let (status, renewed) = server.ask(
        "PUT",
        &format!("{path}/secrets"),
        &json!({"secrets": {"api-key": DEFAULT_KEY}}),
    );
    assert_eq!((status, &renewed["ready"]), (200, &json!(true)), "{renewed}");
}

#[test]
fn no_tenant_sees_anothers_and_a_viewer_changes_nothing() {
    let (folder, mock) = (folder(), mock(20, 0));
    let server = Server::start(&folder.data, &mock);
    let path = server.connected("acme", &mock);
    let run = server.first_run(&path);
    server.ended(&path, &run);
    let token = |role: &str, tenant: &str| {
        let made = self::run(
            &folder.data,
            &["token", "new", "--json", "--role", role, "--tenant", tenant],
        );
        let made: Value = serde_json::from_slice(&made.stdout).unwrap();
        made["token"].as_str().unwrap().to_owned()
    };
    let (other, viewer) = (token("admin", "other"), token("viewer", "acme"));
    let described = server.get("/openapi.json");
    let mut routes = 0;
    for (template, methods) in described["paths"].as_object().unwrap() {
        if !template.starts_with("/api/") {
            continue;
        }
        let member = "nobody";
        let route = template.replace("{run}", &run).replace("{member}", member);
        let route = route.replace("/api/v1/connections/{id}", &path);
        let route = if route.ends_with("/export") { format!("{route}?format=csv") } else { route };
        for method in methods.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            routes += 1;
            let body = match (method.as_str(), template.ends_with("/secrets")) {
                ("PUT", true) => json!({"secrets": {"api-key": DEFAULT_KEY}}),
                ("PATCH", _) => json!({"name": "taken"}),
                ("POST", _) if template.ends_with("/connections") => connection("acme", &mock),
                _ => Value::Null,
            };
            let status = |token: &str| server.ask_as(token, &method, &route, &body).0;
            assert_eq!(status("smp_guessed"), 401, "{method} {route}");
            if template.contains("{id}") || (method == "POST" && template.ends_with("/connections"))
            {
                assert_eq!(status(&other), 404, "{method} {route}");
            }
            if method != "GET" {
                assert_eq!(status(&viewer), 403, "{method} {route}");
            }
        }
    }
    assert!(routes >= 17, "{routes} routes");
    assert_eq!(
        server.ask_as(&other, "GET", "/api/v1/connections", &Value::Null).1["data"],
        json!([])
    );
    assert_eq!(
        server.ask_as(&other, "GET", "/api/v1/connections?tenant=acme", &Value::Null).0,
        404
    );
    assert_eq!(server.get(&path)["name"], json!("atlassian-cloud"));
}

#[test]
fn the_key_is_nowhere_and_what_was_deleted_is_gone() {
    let (folder, mock) = (folder(), mock(40, 0));
    let server = Server::start(&folder.data, &mock);
    let path = server.connected("acme", &mock);
    let run = server.first_run(&path);
    server.ended(&path, &run);
    let member = server.get(&format!("{path}/members?limit=1"))["data"][0].clone();
    let metrics = server.bytes(&server.token, "GET", "/metrics", "").1;
    let everything = || {
        let mut bytes = std::fs::read(log(&folder.data)).unwrap();
        for file in std::fs::read_dir(&folder.data).unwrap().map(Result::unwrap) {
            if file.file_type().unwrap().is_file() {
                bytes.extend(std::fs::read(file.path()).unwrap());
            }
        }
        bytes
    };
    let has =
        |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, DEFAULT_KEY);
    for secret in [DEFAULT_KEY, encoded.trim_end_matches('='), &server.token] {
        assert!(!has(&everything(), secret) && !has(&metrics, secret));
    }
    let email =
        member["email"].as_str().unwrap_or_else(|| member["id"].as_str().unwrap()).to_owned();
    assert!(has(&everything(), &email) && !has(&metrics, &email));
    assert_eq!(server.ask("DELETE", &path, &Value::Null).0, 204);
    assert!(!has(&everything(), &email), "no file has the member");
    assert_eq!(server.ask("GET", &path, &Value::Null).0, 404);
}

#[test]
fn usage_that_a_crash_left_out_is_collected_at_the_next_start() {
    let (folder, mock) = (folder(), mock(20, 0));
    let server = Server::start(&folder.data, &mock);
    let path = server.connected("acme", &mock);
    let run = server.first_run(&path);
    let told = server.until(&format!("{path}/usage"), |told| !told["run"].is_null());
    let token = server.token.clone();
    server.end();
    // As the transaction leaves it that concludes the members.
    edit(&folder.data, "DELETE FROM seats; UPDATE runs SET usage = 1");
    let server = Server::start(&folder.data, &mock).with(token);
    let again = server.until(&format!("{path}/usage"), |told| !told["run"].is_null());
    assert_eq!((&again, &again["run"]), (&told, &json!(run)));
}

#[test]
fn a_run_that_is_not_there_has_no_events() {
    let (folder, mock) = (folder(), mock(20, 0));
    let server = Server::start(&folder.data, &mock);
    let path = server.connected("acme", &mock);
    let run = server.first_run(&path);
    server.ended(&path, &run);
    let events =
        |run: &str| server.bytes(&server.token, "GET", &format!("{path}/runs/{run}/events"), "");
    assert_eq!(events("r_nobody").0, 404);
    let (status, told) = events(&run);
    let told = String::from_utf8(told).unwrap();
    assert!(status == 200 && told.starts_with("event: run\ndata: {"), "{told}");
}

/// Changes the database of a store that nobody serves.
fn edit(data: &Path, sql: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let file = sqlx::sqlite::SqliteConnectOptions::new().filename(data.join("platform.db"));
        let pool = sqlx::SqlitePool::connect_with(file).await.unwrap();
        sqlx::raw_sql(sql).execute(&pool).await.unwrap();
        pool.close().await;
    });
}

#[test]
fn what_cannot_start_says_why_and_a_new_wrapping_key_and_a_backup_work_beside_it() {
    let (folder, mock) = (folder(), mock(20, 0));
    let server = Server::start(&folder.data, &mock);
    let path = server.connected("acme", &mock);
    let run_id = server.first_run(&path);
    server.ended(&path, &run_id);
    let said = |arguments: &[&str]| {
        let ended = platform().args(arguments).output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    };
    let data = folder.data.to_str().unwrap();
    let (code, why) = said(&["serve", "--data", data]);
    assert!(code == Some(1) && why.contains("another `serve` runs"), "{why}");
    let (code, why) = said(&["serve", "--data", data, "--listen", "0.0.0.0:0"]);
    assert!(code == Some(2) && why.contains("--public-url"), "{why}");
    let (code, why) = said(&["serve", "--database", "postgres://someone:hidden@127.0.0.1:1/x"]);
    assert!(
        code == Some(1) && why.contains("postgres://USER@") && !why.contains("hidden"),
        "{why}"
    );
    assert!(run(&folder.data, &["rotate-key"]).status.success());
    let (_, validation) = server.ask("POST", &format!("{path}/validate"), &Value::Null);
    assert_eq!(
        validation["ready"],
        json!(true),
        "the running process has the new key: {validation}"
    );

    let copy = folder.data.with_extension("copy");
    std::fs::create_dir(&copy).unwrap();
    let file = copy.join("platform.db");
    assert!(run(&folder.data, &["backup", file.to_str().unwrap()]).status.success());
    std::fs::copy(folder.data.join("key"), copy.join("key")).unwrap();
    let token = server.token.clone();
    server.end();
    let restored = Server::start(&copy, &mock).with(token);
    assert_eq!(restored.get(&format!("{path}/members"))["total"], json!(20));
    restored.end();

    std::fs::remove_file(folder.data.join("key")).unwrap();
    let (code, why) = said(&["serve", "--data", data]);
    assert!(
        code == Some(1) && why.contains("keys of 1 connections") && why.contains("not lost"),
        "{why}"
    );
    assert!(run(&folder.data, &["rotate-key", "--lost"]).status.success());
    let again = Server::start(&folder.data, &mock).with(restored_token(&folder));
    assert_eq!(again.get(&path)["state"], json!("attention"));
}

fn restored_token(folder: &Folder) -> String {
    let made = run(&folder.data, &["token", "new", "--json", "--role", "admin"]);
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    made["token"].as_str().unwrap().to_owned()
}

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

#[test]
fn a_crash_leaves_no_file_of_its_memory() {
    let (folder, mock) = (folder(), mock(20, 0));
    let server = Server::start(&folder.data, &mock);
    let limits = std::fs::read_to_string(server.root().with_file_name("limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "{core}");
}
