//! Many tenants in several workers that are killed all along, while the engine crashes once and the
//! database is stopped once: every page is kept once, and everybody is there.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rustix::process::{Pid, Signal, kill_process};
use smp_tests::harness::setting;
use smp_tests::mock::Mock;
use smp_tests::postgres::Cluster;
use smp_tests::temporal::Temporal;

use super::engine::{serve, work};
use super::fleet::{Worker, connected, mocks, most_in_a_second, pages_after};

/// Pages of ten members. A tenant may have five in a second: its run takes ten at the least.
const PAGES: u64 = 48;

#[test]
fn workers_engine_and_database_fail_and_every_page_is_kept_once() {
    // `make soak` tries more of each.
    let first = setting("SMP_SEED", 1);
    for seed in first..first + setting("SMP_SEEDS", 1) {
        let Some((cluster, engine)) = super::started() else { return };
        println!("seed {seed}");
        let tenants = usize::try_from(setting("SMP_TENANTS", 60)).unwrap();
        round(cluster, engine, seed, tenants);
    }
}

/// Kills a worker, and in half of the cases what speaks with the engine for it: then the engine
/// must miss it.
fn killed(worker: Worker, with_bridge: bool) {
    if with_bridge {
        kill_children(worker.id());
    }
    worker.kill();
}

/// Kills what a process has started.
pub(crate) fn kill_children(id: u32) {
    // Each of its threads may have started one.
    for thread in std::fs::read_dir(format!("/proc/{id}/task")).unwrap().flatten() {
        let children = std::fs::read_to_string(thread.path().join("children"));
        for child in children.unwrap_or_default().split_whitespace() {
            let pid = Pid::from_raw(child.parse().unwrap()).unwrap();
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

fn round(mut cluster: Cluster, mut engine: Temporal, seed: u64, tenants: usize) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mocks = mocks(tenants, |mock| mock.members(PAGES * 10).page_size(10));
    let server = serve(&engine, &cluster, &mocks, &["--lease", "3"]);
    let paths = connected(&server, &mocks);
    let all = tenants.to_string();
    cluster.until("SELECT count(*) FROM runs", |runs| runs == all);

    let slots = tenants.div_ceil(2).to_string();
    let start = |engine: &Temporal, cluster: &Cluster, number: usize| {
        let name = format!("worker-{number}");
        work(engine, cluster, &mocks, &name, &["--slots", &slots, "--lease", "3"])
    };
    let mut workers: Vec<_> = (0..3).map(|number| Some(start(&engine, &cluster, number))).collect();
    let patience = Duration::from_secs(150 + 2 * u64::try_from(tenants).unwrap());
    let (began, mut kills, mut stopped, mut crashed) = (Instant::now(), 0, false, false);
    let of = u64::try_from(tenants).unwrap() * PAGES;
    let mut pages = 0;
    loop {
        let wait = Duration::from_millis(random.random_range(700..2_000));
        pages = pages_after(&cluster, wait, pages + of / 8);
        let left = cluster.sql("SELECT count(*) FROM runs WHERE state IN ('open', 'waiting')");
        if left == "0" {
            break;
        }
        assert!(began.elapsed() < patience, "seed {seed}: {left} runs after {kills} kills");
        if !crashed && pages > of / 5 {
            crashed = true;
            engine.kill();
            std::thread::sleep(Duration::from_millis(random.random_range(500..3_000)));
            engine.start();
        }
        if !stopped && pages > of / 2 {
            stopped = true;
            cluster.stop_at_once();
            std::thread::sleep(Duration::from_millis(random.random_range(500..3_000)));
            cluster.start_again();
        }
        let number = random.random_range(0..workers.len());
        if let Some(worker) = workers[number].take() {
            killed(worker, random.random_bool(0.5));
        }
        workers[number] = Some(start(&engine, &cluster, number));
        kills += 1;
    }
    println!("{kills} kills in {:?}; engine and database: {crashed}, {stopped}", began.elapsed());
    assert!(kills > 2 && stopped && crashed, "seed {seed}: {kills} kills, {stopped}, {crashed}");
    let ended = cluster.sql("SELECT DISTINCT state, page, done, sweep FROM runs");
    assert_eq!(ended, format!("complete|{PAGES}|1|0"), "seed {seed}");
    let taken_over = cluster.sql("SELECT count(*) FROM runs WHERE epoch > 1");
    assert_ne!(taken_over, "0", "seed {seed}: no run was taken over");
    println!("{taken_over} of {tenants} runs were taken over");
    for (path, mock) in paths.iter().zip(&mocks) {
        let connection = path.rsplit('/').next().unwrap();
        let sql =
            format!("SELECT id FROM members WHERE connection = '{connection}' AND present = 1");
        assert_eq!(members(&cluster.sql(&sql)), expected(mock), "seed {seed}");
        let most = most_in_a_second(&mock.log());
        assert!(most <= 5, "seed {seed}: {most} requests in a second");
    }
    // The engine knows that all have ended, each by its own name.
    engine.until("WorkflowType = 'Collect' AND ExecutionStatus = 'Running'", 0);
    drop(workers);
    server.end();
}

fn members(lines: &str) -> BTreeSet<String> {
    lines.lines().map(str::to_owned).collect()
}

fn expected(mock: &Mock) -> BTreeSet<String> {
    mock.expected_members().into_iter().map(|member| member.account_id).collect()
}
