//! Tests of many machines with Temporal as the engine: real servers, real workers. `make temporal`
//! gets what they need; where it is missing, they say so and are skipped.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "temporal/cut.rs"]
mod cut;
#[path = "temporal/engine.rs"]
mod engine;
#[path = "temporal/faults.rs"]
mod faults;
#[path = "many_machines/fleet.rs"]
#[allow(dead_code, reason = "the tests without an engine use the rest")]
mod fleet;
#[path = "temporal/order.rs"]
mod order;
#[path = "platform/server.rs"]
#[allow(dead_code, reason = "the tests of one process use the rest")]
mod server;

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Value, json};
use smp_tests::harness::skipped;
use smp_tests::mock::{Call, DEFAULT_KEY, ErrorAnswer, Fault, Mock, RetryAfter, When};
use smp_tests::postgres::Cluster;
use smp_tests::temporal::Temporal;

use engine::{serve, work};
use fleet::{connected, ends_whole, goes_on_elsewhere, installed, log_of, mocks};

/// A database with the connector installed, and an engine that is not started yet.
fn parts() -> Option<(Cluster, Temporal)> {
    let Some(engine) = Temporal::away() else {
        // `make temporal` got both.
        assert!(std::env::var_os("SMP_TEMPORAL").is_none(), "Temporal or the bridge is not there");
        skipped("Temporal or the bridge to it is not there; `make temporal` gets both");
        return None;
    };
    let Some(cluster) = Cluster::start() else {
        skipped("PostgreSQL is not installed; `make postgres-installed` installs it on Debian");
        return None;
    };
    installed(&cluster);
    Some((cluster, engine))
}

/// The same, and the engine answers.
fn started() -> Option<(Cluster, Temporal)> {
    let (cluster, mut engine) = parts()?;
    engine.start();
    Some((cluster, engine))
}

/// An organization whose list takes a while: a page of ten every 200 ms, by its pace.
fn slow(pages: u64) -> Vec<Mock> {
    mocks(1, |mock| mock.members(pages * 10).page_size(10))
}

const PAGE: &str = "SELECT coalesce(max(page), 0) FROM runs";

fn number(text: &str) -> i64 {
    if text.is_empty() { -1 } else { text.parse().unwrap() }
}

#[test]
fn without_the_engine_runs_go_on_and_the_status_says_so() {
    let Some((cluster, mut engine)) = parts() else { return };
    let mocks = mocks(2, |mock| mock.members(400).page_size(10));
    let server = serve(&engine, &cluster, &mocks, &[]);
    let worker = work(&engine, &cluster, &mocks, "worker", &[]);
    let away = server.until("/readyz", |ready| {
        ready["detail"].as_str().is_some_and(|text| !text.contains("being reached"))
    });
    assert_eq!((&away["status"], &away["engine"]), (&json!("ready"), &json!("away")), "{away}");
    let detail = away["detail"].as_str().unwrap();
    assert!(detail.contains("no other begins until it answers"), "{detail}");
    assert!(worker.health().contains("Temporal has not answered since"), "{}", worker.health());
    let path = server.connected("acme", &mocks[0]);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(cluster.sql(PAGE), "0", "nothing begins");

    engine.start();
    let run = server.first_run(&path);
    cluster.until(PAGE, |page| number(page) >= 2);
    assert_eq!(server.get("/readyz")["engine"], json!("there"));
    assert_eq!(worker.health(), "ok\n");

    // It crashes in the middle.
    engine.kill();
    server.until("/readyz", |ready| ready["engine"] == "away");
    let later = server.connected("later", &mocks[1]);
    let ended = server.ended(&path, &run);
    assert_eq!((&ended["state"], &ended["members"]), (&json!("complete"), &json!(400)));
    assert_eq!(cluster.sql("SELECT epoch FROM runs WHERE state = 'complete'"), "1");
    assert_eq!(cluster.sql("SELECT max(epoch) FROM runs WHERE state <> 'complete'"), "");

    engine.start();
    server.until("/readyz", |ready| ready["engine"] == "there");
    let run = server.first_run(&later);
    assert_eq!(server.ended(&later, &run)["members"], json!(400));
    worker.end();
    server.end();
}

#[test]
fn sigterm_hands_a_run_over_before_anybody_misses_its_worker() {
    let Some((cluster, engine)) = started() else { return };
    let mocks = slow(60);
    let server = serve(&engine, &cluster, &mocks, &["--lease", "300"]);
    let path = server.connected("acme", &mocks[0]);
    let first = work(&engine, &cluster, &mocks, "first", &["--lease", "300"]);
    cluster.until(PAGE, |page| number(page) >= 2);
    let second = work(&engine, &cluster, &mocks, "second", &["--lease", "300"]);
    server.until("/readyz", |ready| ready["engine"] == "there");
    assert!(first.end() < Duration::from_secs(10));
    let began = Instant::now();
    cluster.until("SELECT epoch FROM runs", |epoch| epoch == "2");
    let taken = began.elapsed();
    println!("handed over after {taken:?}");
    assert!(taken < Duration::from_secs(5), "{taken:?}");
    let run = server.first_run(&path);
    assert_eq!(server.ended(&path, &run)["pages"], json!(60));
    second.end();
}

#[test]
fn a_wait_of_an_hour_holds_no_slot_and_a_person_can_end_it() {
    let Some((cluster, engine)) = started() else { return };
    let mocks = mocks(2, |mock| mock.members(30).page_size(10));
    let server = serve(&engine, &cluster, &mocks, &[]);
    let paths = connected(&server, &mocks);
    let fault = Fault::Status(ErrorAnswer::new(429).retry_after(RetryAfter::Seconds(3_600)));
    mocks[0].set_fault(Call::Users, When::From(2), fault);
    // One place for two runs.
    let worker = work(&engine, &cluster, &mocks, "worker", &["--slots", "1"]);
    let waiting = server.first_run(&paths[0]);
    let at = format!("{}/runs/{waiting}", paths[0]);
    let waits = server.until(&at, |run| run["state"] == "waiting");
    assert_eq!(waits["error"]["code"], json!("rate-limited"), "{waits}");
    let run = server.first_run(&paths[1]);
    assert_eq!(server.ended(&paths[1], &run)["members"], json!(30));
    engine.until("WorkflowType = 'Collect' AND ExecutionStatus = 'Running'", 1);
    let began = Instant::now();
    mocks[0].clear_faults();
    let (status, asked) = server.ask("POST", &format!("{}/runs", paths[0]), &Value::Null);
    assert_eq!((status, asked["id"].as_str()), (202, Some(waiting.as_str())));
    assert_eq!(server.ended(&paths[0], &waiting)["members"], json!(30));
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert!(worker.metric("smp_engine_wait_seconds_count") >= 3.0);
    assert_eq!(worker.metric("smp_engine_up"), 1.0);
}

#[test]
fn a_bridge_that_crashes_is_started_again_and_runs_go_on() {
    let Some((cluster, engine)) = started() else { return };
    let mocks = mocks(2, |mock| mock.members(200).page_size(10));
    let server = serve(&engine, &cluster, &mocks, &[]);
    let path = server.connected("acme", &mocks[0]);
    let worker = work(&engine, &cluster, &mocks, "worker", &["--lease", "3"]);
    let run = server.first_run(&path);
    cluster.until(PAGE, |page| number(page) >= 2);
    faults::kill_children(server.id());
    faults::kill_children(worker.id());
    // Both are heard of again, and what begins later begins.
    let later = server.connected("later", &mocks[1]);
    let other = server.first_run(&later);
    assert_eq!(server.ended(&later, &other)["members"], json!(200));
    assert_eq!(server.ended(&path, &run)["members"], json!(200));
    assert_eq!(cluster.sql("SELECT DISTINCT epoch FROM runs"), "1", "nobody else had them");
    engine.until("WorkflowType = 'Collect' AND ExecutionStatus = 'Completed'", 2);
    worker.end();
    server.end();
}

#[test]
fn a_paused_worker_is_fenced_and_its_run_goes_on_elsewhere() {
    let Some((cluster, engine)) = started() else { return };
    let mocks = slow(60);
    let server = serve(&engine, &cluster, &mocks, &["--lease", "2"]);
    let path = server.connected("acme", &mocks[0]);
    let first = work(&engine, &cluster, &mocks, "first", &["--lease", "2"]);
    cluster.until(PAGE, |page| number(page) >= 3);
    let second = work(&engine, &cluster, &mocks, "second", &["--lease", "2"]);
    first.pause();
    goes_on_elsewhere(&cluster);
    first.go_on();
    ends_whole((&cluster, &server, &path), 60, &mocks[0], [&first, &second]);
}

#[test]
fn what_only_the_schedule_knows_of_begins_within_its_minute() {
    let Some((cluster, engine)) = started() else { return };
    let mocks = slow(2);
    let server = serve(&engine, &cluster, &mocks, &[]);
    let _worker = work(&engine, &cluster, &mocks, "worker", &[]);
    let path = server.connected("acme", &mocks[0]);
    let run = server.first_run(&path);
    assert_eq!(server.ended(&path, &run)["state"], json!("complete"));
    // Nobody tells the process that serves.
    cluster.sql("UPDATE connections SET next_due = 1");
    let began = Instant::now();
    while cluster.sql("SELECT count(*) FROM runs WHERE state = 'complete'") != "2" {
        assert!(began.elapsed() < Duration::from_secs(90), "{}", cluster.sql("SELECT * FROM runs"));
        std::thread::sleep(Duration::from_millis(200));
    }
    engine.until("WorkflowType = 'Collect' AND ExecutionStatus = 'Completed'", 2);
}

#[test]
fn a_worker_of_other_tables_takes_nothing_from_the_engine() {
    let Some((cluster, engine)) = started() else { return };
    let mocks = slow(2);
    let server = serve(&engine, &cluster, &mocks, &[]);
    let _worker = work(&engine, &cluster, &mocks, "worker", &[]);
    let path = server.connected("acme", &mocks[0]);
    let run = server.first_run(&path);
    assert_eq!(server.ended(&path, &run)["state"], json!("complete"));
    cluster.sql(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', TRUE, '\\x00', 0)",
    );
    let (_, asked) = server.ask("POST", &format!("{path}/runs"), &Value::Null);
    let asked = asked["id"].as_str().unwrap().to_owned();
    std::thread::sleep(Duration::from_secs(5));
    let claimed = "SELECT count(*) FROM runs WHERE state = 'open' AND epoch = 0 AND held IS NULL";
    assert_eq!(cluster.sql(claimed), "1");
    let said = std::fs::read_to_string(log_of(&cluster, "worker")).unwrap();
    assert!(said.contains("those of another version"), "{said}");
    cluster.sql("DELETE FROM _sqlx_migrations WHERE version = 9999");
    assert_eq!(server.ended(&path, &asked)["state"], json!("complete"));
}

#[test]
fn nothing_of_a_customer_is_in_the_engine() {
    let Some((cluster, engine)) = started() else { return };
    let mocks = mocks(2, |mock| mock.members(60).page_size(10));
    let server = serve(&engine, &cluster, &mocks, &[]);
    let paths = connected(&server, &mocks);
    let fault = Fault::Status(ErrorAnswer::new(401));
    mocks[1].set_fault(Call::Users, When::From(2), fault);
    let worker = work(&engine, &cluster, &mocks, "worker", &[]);
    let run = server.first_run(&paths[0]);
    cluster.until(PAGE, |page| number(page) >= 2);
    let cursors = cluster.sql("SELECT next FROM pages WHERE next IS NOT NULL");
    assert_eq!(server.ended(&paths[0], &run)["state"], json!("complete"));
    let run = server.first_run(&paths[1]);
    let failed = server.ended(&paths[1], &run);
    let code = failed["error"]["code"].as_str().unwrap();
    engine.until("WorkflowType = 'Collect' AND ExecutionStatus = 'Completed'", 1);
    // A person must mend it, so it is not tried again.
    engine.until("WorkflowType = 'Collect' AND ExecutionStatus = 'Failed'", 1);
    worker.end();

    let kept = engine.kept();
    let has = |text: &str| kept.windows(text.len()).any(|window| window == text.as_bytes());
    for there in [paths[0].rsplit('/').next().unwrap(), run.as_str(), "tenant-1", code] {
        assert!(has(there), "`{there}` is found by this search");
    }
    let hex: String = DEFAULT_KEY.bytes().map(|byte| format!("{byte:02x}")).collect();
    for text in
        [DEFAULT_KEY.to_owned(), STANDARD.encode(DEFAULT_KEY), URL_SAFE.encode(DEFAULT_KEY), hex]
    {
        assert!(!has(&text), "the key is in the engine");
    }
    assert!(!cursors.is_empty());
    for cursor in cursors.lines() {
        assert!(!has(cursor), "a cursor is in the engine");
    }
    for mock in &mocks {
        assert!(!has(&mock.organization().id), "a setting is in the engine");
        for member in mock.expected_members() {
            assert!(!has(&member.account_id), "a member is in the engine");
            let email = member.email.value().map(String::as_str);
            assert!(!email.is_some_and(has), "an e-mail address is in the engine");
        }
    }
    assert!(!has("postgres://"), "the address of the database is in the engine");
}
