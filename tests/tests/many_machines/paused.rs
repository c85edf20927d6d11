//! A worker that is paused in the middle of a transaction: the rows that it changed are locked, and
//! no one can claim its runs until the database ends that transaction.

use std::time::Duration;

use smp_tests::postgres::Cluster;

use super::fleet::{Worker, connected, mocks, serve};

/// Tenants, each of which has transactions all along.
const TENANTS: usize = 24;
/// Tries to pause it there.
const TRIES: u32 = 400;

/// Transactions that were open for longer than a process that runs leaves one.
const OPEN: &str = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' \
                    AND state_change < clock_timestamp() - interval '60 ms'";

#[test]
fn a_worker_paused_in_a_transaction_keeps_no_run_from_others() {
    let Some(cluster) = super::cluster() else { return };
    let mocks = mocks(TENANTS, |mock| mock.members(400).page_size(10));
    let server = serve(&cluster, &mocks, &["--slots", "0"]);
    let paths = connected(&server, &mocks);
    let first = Worker::start(&cluster, &mocks, "first", &["--lease", "2"]);
    cluster.until("SELECT min(page) FROM runs", |page| page.parse::<u32>().unwrap() >= 2);
    paused_in_a_transaction(&cluster, &first);
    let second = Worker::start(&cluster, &mocks, "second", &["--lease", "2"]);
    // Those whose rows it keeps come once the database has ended its transaction.
    let held = "SELECT count(*) FROM runs WHERE state = 'open' AND epoch < 2";
    cluster.until(held, |held| held == "0");
    first.go_on();
    for path in &paths {
        let run = server.first_run(path);
        assert_eq!(server.ended(path, &run)["members"], 400);
    }
    assert!(second.metric("smp_pages_total") > 0.0);
}

/// Pauses a worker again and again, until it has a transaction open.
fn paused_in_a_transaction(cluster: &Cluster, worker: &Worker) {
    for _ in 0..TRIES {
        worker.pause();
        std::thread::sleep(Duration::from_millis(80));
        if cluster.sql(OPEN) != "0" {
            return;
        }
        worker.go_on();
        std::thread::sleep(Duration::from_millis(15));
    }
    panic!("it never was in a transaction");
}
