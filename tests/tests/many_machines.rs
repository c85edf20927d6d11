//! Tests of many machines on one PostgreSQL database: real servers, real workers, killed, paused and
//! cut off. Where PostgreSQL is not installed, they say so and are skipped.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "many_machines/cut.rs"]
mod cut;
#[path = "many_machines/faults.rs"]
mod faults;
#[path = "many_machines/fleet.rs"]
mod fleet;
#[path = "many_machines/paused.rs"]
mod paused;
#[path = "many_machines/queue.rs"]
mod queue;
#[path = "platform/server.rs"]
#[allow(dead_code, reason = "the tests of one process use the rest")]
mod server;
#[path = "many_machines/tables.rs"]
mod tables;

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Value, json};
use smp_tests::harness::skipped;
use smp_tests::mock::{Call, DEFAULT_KEY, ErrorAnswer, Fault, Mock, RetryAfter, When};
use smp_tests::postgres::Cluster;

use fleet::{
    Worker, connected, ends_whole, goes_on_elsewhere, installed, log_of, mocks, most_in_a_second,
    refused, serve,
};

/// A server with the connector installed.
fn cluster() -> Option<Cluster> {
    let Some(cluster) = Cluster::start() else {
        skipped("PostgreSQL is not installed; `make postgres-installed` installs it on Debian");
        return None;
    };
    installed(&cluster);
    Some(cluster)
}

/// An organization whose list takes a while: a page of ten every 200 ms, by its pace.
fn slow(pages: u64) -> Vec<Mock> {
    mocks(1, |mock| mock.members(pages * 10).page_size(10))
}

const PAGE: &str = "SELECT page FROM runs";

/// The number that a query answers; less than any if there is no row yet.
fn number(text: &str) -> i64 {
    if text.is_empty() { -1 } else { text.parse().unwrap() }
}

#[test]
fn one_process_serves_a_database_and_another_is_told_so() {
    let Some(cluster) = cluster() else { return };
    let first = serve(&cluster, &[], &[]);
    let second = refused(&cluster);
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains("another `serve` runs on this database"), "{said}");
    assert!(said.contains("smp-platform work"), "{said}");
    // A crash leaves nothing that keeps the next one away.
    drop(first);
    serve(&cluster, &[], &[]).end();
}

#[test]
fn a_server_alone_collects_and_workers_take_its_runs_if_it_has_no_slots() {
    let Some(cluster) = cluster() else { return };
    let mocks = mocks(2, |mock| mock.members(30).page_size(10));
    let server = serve(&cluster, &mocks, &[]);
    let path = server.connected("alone", &mocks[0]);
    let run = server.first_run(&path);
    assert_eq!(server.ended(&path, &run)["members"], json!(30));
    let token = server.token.clone();
    server.end();

    let server = serve(&cluster, &mocks, &["--slots", "0"]).with(token);
    let path = server.connected("with workers", &mocks[1]);
    let run = server.first_run(&path);
    std::thread::sleep(Duration::from_millis(1_500));
    let waits = server.get(&format!("{path}/runs/{run}"));
    assert_eq!((&waits["state"], &waits["pages"]), (&json!("open"), &json!(0)), "{waits}");
    let worker = Worker::start(&cluster, &mocks, "worker", &[]);
    assert_eq!(server.ended(&path, &run)["members"], json!(30));
    assert!(worker.metric("smp_pages_total") >= 3.0);
    assert!(worker.end() < Duration::from_secs(10));
}

#[test]
fn each_run_is_claimed_once_by_workers_that_begin_together() {
    let Some(cluster) = cluster() else { return };
    let mocks = mocks(12, |mock| mock.members(20).page_size(10));
    let server = serve(&cluster, &mocks, &["--slots", "0"]);
    connected(&server, &mocks);
    cluster.until("SELECT count(*) FROM runs", |runs| runs == "12");
    let start = |name: &str| Worker::start(&cluster, &mocks, name, &["--slots", "20"]);
    let workers = [start("one"), start("two"), start("three")];
    cluster.until("SELECT count(*) FROM runs WHERE state = 'complete'", |runs| runs == "12");
    assert_eq!(cluster.sql("SELECT DISTINCT epoch, page, attempts FROM runs"), "1|2|0");
    // A run that is asked for by many at once is one run.
    let path = format!("/api/v1/connections/{}", cluster.sql("SELECT min(id) FROM connections"));
    drop(workers);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| server.ask("POST", &format!("{path}/runs"), &Value::Null));
        }
    });
    let states = "SELECT state, count(*) FROM runs GROUP BY 1 ORDER BY 1";
    assert_eq!(cluster.sql(states), "complete|12\nopen|1");
}

#[test]
fn a_worker_whose_run_was_claimed_by_another_writes_nothing_more() {
    let Some(cluster) = cluster() else { return };
    let mocks = slow(30);
    let server = serve(&cluster, &mocks, &["--slots", "0"]);
    let path = server.connected("acme", &mocks[0]);
    let worker = Worker::start(&cluster, &mocks, "worker", &["--lease", "60"]);
    cluster.until(PAGE, |page| number(page) >= 3);
    // What a claim of another process does, which then does nothing for three seconds.
    cluster.sql(
        "UPDATE runs SET epoch = epoch + 1, held = 'another', held_until = \
         CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) + 3000",
    );
    let (page, asked) = (cluster.sql(PAGE), mocks[0].requests());
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(cluster.sql(PAGE), page);
    assert!(mocks[0].requests() <= asked + 2, "only what was on its way is asked");
    // When that one's lease is over, the run goes on where it was.
    let run = server.first_run(&path);
    let ended = server.ended(&path, &run);
    assert_eq!((&ended["members"], &ended["pages"]), (&json!(300), &json!(30)), "{ended}");
    assert_eq!(cluster.sql("SELECT epoch FROM runs"), "3");
    drop(worker);
}

#[test]
fn a_paused_worker_is_fenced_and_its_run_goes_on_elsewhere() {
    let Some(cluster) = cluster() else { return };
    let mocks = slow(40);
    let server = serve(&cluster, &mocks, &["--slots", "0"]);
    let path = server.connected("acme", &mocks[0]);
    let first = Worker::start(&cluster, &mocks, "first", &["--lease", "2"]);
    cluster.until(PAGE, |page| number(page) >= 3);
    let second = Worker::start(&cluster, &mocks, "second", &["--lease", "2"]);
    first.pause();
    goes_on_elsewhere(&cluster);
    first.go_on();
    ends_whole((&cluster, &server, &path), 40, &mocks[0], [&first, &second]);
}

#[test]
fn the_end_of_a_large_run_holds_up_no_other() {
    let Some(cluster) = cluster() else { return };
    let mocks = mocks(2, |mock| mock.members(300).page_size(10));
    let server = serve(&cluster, &mocks, &["--slots", "0"]);
    let paths = connected(&server, &mocks);
    let worker = |name| Worker::start(&cluster, &mocks, name, &["--lease", "2"]);
    let _workers = [worker("first"), worker("second")];
    let [large, other] = [0, 1].map(|one: usize| server.first_run(&paths[one]));
    cluster.until("SELECT min(page) FROM runs", |page| number(page) >= 2);
    let page =
        |run: &str| number(&cluster.sql(&format!("SELECT page FROM runs WHERE id = '{run}'")));
    let before = page(&other);
    // What the end of a run does, for much longer than a lease.
    let lock = format!("UPDATE runs SET stop = stop WHERE id = '{large}'; SELECT pg_sleep(6)");
    std::thread::scope(|scope| {
        scope.spawn(|| cluster.sql(&lock));
        std::thread::sleep(Duration::from_secs(5));
        assert!(page(&other) > before + 8, "the other run goes on");
    });
    for (path, run) in [(&paths[0], &large), (&paths[1], &other)] {
        let ended = server.ended(path, run);
        assert_eq!((&ended["members"], &ended["pages"]), (&json!(300), &json!(30)), "{ended}");
    }
    assert_eq!(cluster.sql(&format!("SELECT epoch FROM runs WHERE id = '{other}'")), "1");
}

#[test]
fn sigterm_hands_runs_over_at_once() {
    let Some(cluster) = cluster() else { return };
    let mocks = slow(40);
    let server = serve(&cluster, &mocks, &["--slots", "0"]);
    let path = server.connected("acme", &mocks[0]);
    let first = Worker::start(&cluster, &mocks, "first", &["--lease", "600"]);
    cluster.until(PAGE, |page| number(page) >= 2);
    let second = Worker::start(&cluster, &mocks, "second", &[]);
    assert!(first.end() < Duration::from_secs(10));
    let began = Instant::now();
    cluster.until("SELECT epoch FROM runs", |epoch| epoch == "2");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let run = server.first_run(&path);
    assert_eq!(server.ended(&path, &run)["pages"], json!(40));
    // The one that goes on is stopped by a person who asks another process.
    let (_, asked) = server.ask("POST", &format!("{path}/runs"), &Value::Null);
    let at = format!("{path}/runs/{}", asked["id"].as_str().unwrap());
    server.until(&at, |run| run["pages"].as_u64() >= Some(1));
    server.ask("POST", &format!("{at}/stop"), &Value::Null);
    server.until(&at, |run| run["state"] == "stopped");
    second.end();
}

#[test]
fn a_worker_of_other_tables_claims_nothing() {
    let Some(cluster) = cluster() else { return };
    let mocks = slow(2);
    let server = serve(&cluster, &mocks, &["--slots", "0"]);
    let _worker = Worker::start(&cluster, &mocks, "worker", &[]);
    let path = server.connected("acme", &mocks[0]);
    let run = server.first_run(&path);
    assert_eq!(server.ended(&path, &run)["state"], json!("complete"));
    cluster.sql(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', TRUE, '\\x00', 0)",
    );
    let (_, asked) = server.ask("POST", &format!("{path}/runs"), &Value::Null);
    let asked = asked["id"].as_str().unwrap().to_owned();
    std::thread::sleep(Duration::from_secs(2));
    let claimed = "SELECT count(*) FROM runs WHERE state = 'open' AND epoch = 0 AND held IS NULL";
    assert_eq!(cluster.sql(claimed), "1");
    let said = std::fs::read_to_string(log_of(&cluster, "worker")).unwrap();
    assert!(said.contains("those of another version"), "{said}");
    cluster.sql("DELETE FROM _sqlx_migrations WHERE version = 9999");
    assert_eq!(server.ended(&path, &asked)["state"], json!("complete"));
}

#[test]
fn a_wait_of_an_hour_holds_no_slot() {
    let Some(cluster) = cluster() else { return };
    let mocks = mocks(2, |mock| mock.members(30).page_size(10));
    let server = serve(&cluster, &mocks, &["--slots", "0"]);
    let paths = connected(&server, &mocks);
    let later = RetryAfter::Seconds(3_600);
    let fault = Fault::Status(ErrorAnswer::new(429).retry_after(later));
    mocks[0].set_fault(Call::Users, When::From(2), fault);
    // One place for two runs.
    let _worker = Worker::start(&cluster, &mocks, "worker", &["--slots", "1"]);
    let run = server.first_run(&paths[0]);
    let waits = server.until(&format!("{}/runs/{run}", paths[0]), |run| run["state"] == "waiting");
    assert_eq!(waits["error"]["code"], json!("rate-limited"), "{waits}");
    let run = server.first_run(&paths[1]);
    assert_eq!(server.ended(&paths[1], &run)["members"], json!(30));
    let minutes = "SELECT (resumes_at - started) / 60000 FROM runs \
                   WHERE state = 'waiting' AND held IS NULL";
    assert!((59..=63).contains(&number(&cluster.sql(minutes))), "{waits}");
    // When it is over, the run goes on at its page.
    mocks[0].clear_faults();
    cluster.sql("UPDATE runs SET resumes_at = 0 WHERE state = 'waiting'");
    let run = server.first_run(&paths[0]);
    assert_eq!(server.ended(&paths[0], &run)["members"], json!(30));
}

#[test]
fn runs_of_one_account_keep_one_pace_in_all_processes() {
    let Some(cluster) = cluster() else { return };
    let mocks = slow(12);
    let server = serve(&cluster, &mocks, &["--slots", "0"]);
    // Four tenants of one organization, in three processes.
    let paths: Vec<_> =
        (0..4).map(|tenant| server.connected(&format!("tenant-{tenant}"), &mocks[0])).collect();
    let begun = mocks[0].log().len();
    let start = |name: &str| Worker::start(&cluster, &mocks, name, &["--slots", "2"]);
    let workers = [start("one"), start("two"), start("three")];
    for path in &paths {
        let run = server.first_run(path);
        assert_eq!(server.ended(path, &run)["members"], json!(120));
    }
    let busy = workers.iter().filter(|worker| worker.metric("smp_pages_total") > 0.0).count();
    assert!(busy >= 2, "the runs were in {busy} processes");
    let log = mocks[0].log();
    assert_eq!(most_in_a_second(&log[begun..]), 5, "as many as permitted, and never more");
}

/// What the pages of open runs delivered, which is compressed.
fn staged(cluster: &Cluster) -> String {
    let pages = cluster.sql("SELECT replace(encode(members, 'base64'), E'\\n', '') FROM pages");
    // After a byte that tells the format.
    let page =
        |page: &str| lz4_flex::decompress_size_prepended(&STANDARD.decode(page).unwrap()[1..]);
    let pages = pages.lines().map(|text| page(text).unwrap());
    pages.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
}

#[test]
fn the_key_is_in_no_dump_and_a_deleted_connection_leaves_no_member() {
    let Some(cluster) = cluster() else { return };
    let mocks = slow(20);
    let server = serve(&cluster, &mocks, &["--slots", "0"]);
    let _worker = Worker::start(&cluster, &mocks, "worker", &[]);
    let path = server.connected("acme", &mocks[0]);
    cluster.until(PAGE, |page| number(page) >= 4);
    let wrapping = std::fs::read_to_string(cluster.folder().join("key")).unwrap();
    let secrets = |dump: &str, when: &str| {
        let hex: String = DEFAULT_KEY.bytes().map(|byte| format!("{byte:02x}")).collect();
        let encoded = [STANDARD.encode(DEFAULT_KEY), URL_SAFE.encode(DEFAULT_KEY), hex];
        let texts = encoded.iter().map(String::as_str);
        for text in texts.chain([DEFAULT_KEY, wrapping.trim()]) {
            assert!(!dump.contains(text), "the key is in the dump {when}");
        }
    };
    let member = mocks[0].expected_members().remove(0);
    let staged = staged(&cluster);
    assert!(staged.contains(&member.account_id), "the pages have what was collected");
    secrets(&staged, "in a page of a run that goes on");
    secrets(&cluster.dump(), "while a run goes on");
    // In the middle of a page.
    assert_eq!(server.ask("DELETE", &path, &Value::Null).0, 204);
    std::thread::sleep(Duration::from_secs(2));
    for table in ["runs", "pages", "staged", "members", "seats", "secrets", "connections"] {
        let left = cluster.sql(&format!("SELECT count(*) FROM {table}"));
        assert_eq!(left, "0", "{table}");
    }
    let dump = cluster.dump();
    assert!(!dump.contains(&member.account_id) && !dump.contains("organization-0"));
    secrets(&dump, "after it was deleted");
    for log in ["serve", "worker", "postgres"] {
        let log = std::fs::read_to_string(log_of(&cluster, log)).unwrap();
        secrets(&log, "or in a log");
        assert!(!log.contains(&member.account_id));
    }
}
