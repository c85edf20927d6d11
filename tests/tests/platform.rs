//! Tests of the platform: the real binary with the mock organization, killed and started again.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "platform/access.rs"]
mod access;
#[path = "platform/audit.rs"]
mod audit;
#[path = "platform/collector.rs"]
mod collector;
#[path = "platform/faults.rs"]
mod faults;
#[path = "platform/issuer.rs"]
mod issuer;
#[path = "platform/operating.rs"]
mod operating;
#[path = "platform/queue.rs"]
mod queue;
#[path = "platform/server.rs"]
mod server;
#[path = "platform/traces.rs"]
mod traces;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use server::{Server, connection, installed, run};
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
    let (status, refused) = with("secrets", json!({"api-key": "ATCTTanother-key-of-no-one-0000"}));
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
        ("connector", json!("unknown"), "unknown-connector"),
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
        &json!({"secrets": {"api-key": "ATCTTanother-key-of-no-one-0000"}}),
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
    assert_eq!(events("r_unknown").0, 404);
    let (status, told) = events(&run);
    let told = String::from_utf8(told).unwrap();
    assert!(status == 200 && told.starts_with("event: run\ndata: {"), "{told}");
}

/// Changes the database of a store that no process serves.
fn edit(data: &Path, sql: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let file = sqlx::sqlite::SqliteConnectOptions::new().filename(data.join("platform.db"));
        let pool = sqlx::SqlitePool::connect_with(file).await.unwrap();
        sqlx::raw_sql(sql).execute(&pool).await.unwrap();
        pool.close().await;
    });
}
