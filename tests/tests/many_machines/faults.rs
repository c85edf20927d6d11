//! Many tenants in several workers that are killed all along, and a database that is stopped at
//! once: the tables are those of one process without faults.

use std::path::Path;
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sqlx::{Connection as _, Row as _};

use smp_tests::harness::{component, setting};
use smp_tests::mock::Mock;
use smp_tests::postgres::Cluster;

use super::fleet::{Worker, connected, mocks, most_in_a_second, pages_after, serve};
use super::server::{Server, log, platform};

/// Pages of ten members. A tenant may have five in a second: its run takes ten at the least.
const PAGES: u64 = 48;

#[test]
fn workers_killed_all_along_leave_the_tables_of_one_process() {
    let Some(mut cluster) = super::cluster() else { return };
    // `make soak` tries more of each.
    let first = setting("SMP_SEED", 1);
    for seed in first..first + setting("SMP_SEEDS", 1) {
        println!("seed {seed}");
        round(&mut cluster, seed, usize::try_from(setting("SMP_TENANTS", 40)).unwrap());
        cluster.sql("DROP SCHEMA public CASCADE");
        cluster.sql("CREATE SCHEMA public");
        super::installed(&cluster);
    }
}

/// How long the runs of so many tenants may take, on a busy machine.
fn patience(tenants: usize) -> Duration {
    Duration::from_secs(60 + u64::try_from(tenants).unwrap())
}

fn round(cluster: &mut Cluster, seed: u64, tenants: usize) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mocks = mocks(tenants, |mock| mock.members(PAGES * 10).page_size(10));
    let server = serve(cluster, &mocks, &["--slots", "0", "--lease", "2"]);
    connected(&server, &mocks);
    let all = tenants.to_string();
    cluster.until("SELECT count(*) FROM runs", |runs| runs == all);

    let slots = tenants.div_ceil(2).to_string();
    let start = |cluster: &Cluster, number: usize| {
        let name = format!("worker-{number}");
        Worker::start(cluster, &mocks, &name, &["--slots", &slots, "--lease", "2"])
    };
    let mut workers: Vec<_> = (0..3).map(|number| Some(start(cluster, number))).collect();
    let (began, mut kills, mut stopped) = (Instant::now(), 0, false);
    let of = u64::try_from(tenants).unwrap() * PAGES;
    let mut pages = 0;
    loop {
        let wait = Duration::from_millis(random.random_range(300..1_200));
        pages = pages_after(cluster, wait, pages + of / 8);
        let left = cluster.sql("SELECT count(*) FROM runs WHERE state IN ('open', 'waiting')");
        if left == "0" {
            break;
        }
        assert!(
            began.elapsed() < patience(tenants),
            "seed {seed}: {left} runs after {kills} kills"
        );
        if !stopped && pages > of / 3 {
            stopped = true;
            cluster.stop_at_once();
            std::thread::sleep(Duration::from_millis(random.random_range(500..3_000)));
            cluster.start_again();
        }
        // One that is started while the database is away ends; the others live on.
        let number = random.random_range(0..workers.len());
        if let Some(worker) = workers[number].take() {
            worker.kill();
        }
        workers[number] = Some(start(cluster, number));
        kills += 1;
    }
    println!("{kills} kills in {:?}, the database stopped: {stopped}", began.elapsed());
    assert!(kills > 2 && stopped, "seed {seed}: {kills} kills, {stopped}");
    let ended = cluster.sql("SELECT DISTINCT state, page, done, sweep FROM runs");
    assert_eq!(ended, format!("complete|{PAGES}|1|0"), "seed {seed}");
    assert_eq!(
        cluster.sql("SELECT count(DISTINCT connection), count(*) FROM runs"),
        format!("{all}|{all}")
    );
    for table in ["pages", "staged"] {
        assert_eq!(cluster.sql(&format!("SELECT count(*) FROM {table}")), "0", "seed {seed}");
    }
    let taken_over = cluster.sql("SELECT count(*) FROM runs WHERE epoch > 1");
    assert_ne!(taken_over, "0", "seed {seed}: no run was taken over");
    for mock in &mocks {
        let most = most_in_a_second(&mock.log());
        assert!(most <= 5, "seed {seed}: {most} requests in a second");
    }
    drop(workers);
    server.end();

    let members = tenants * usize::try_from(PAGES).unwrap() * 10;
    assert_eq!(cluster.sql("SELECT count(*) FROM members"), members.to_string(), "seed {seed}");
    let scaled = cluster.sql(&lines_of_members("encode(hash, 'hex')", "encode(core, 'hex')"));
    let embedded = embedded(&mocks);
    assert!(scaled == embedded, "seed {seed}: {}", first_difference(&scaled, &embedded));
}

/// The members of all tenants, without instants and ids of connections.
fn lines_of_members(hash: &str, core: &str) -> String {
    let columns = [
        "c.tenant",
        "m.id",
        "m.since",
        "m.until",
        "m.present",
        "m.what",
        hash,
        core,
        "m.record",
        "m.sort",
        "m.search",
        "m.status",
        "m.kind",
        "m.affiliation",
        "m.last_seen",
        "m.uses",
    ];
    let text = columns.map(|column| format!("coalesce(CAST({column} AS TEXT), '-')"));
    format!(
        "SELECT {} AS line FROM members m JOIN connections c ON c.id = m.connection \
         ORDER BY CAST(replace(c.tenant, 'tenant-', '') AS BIGINT), m.id, m.since",
        text.join(" || ' ' || ")
    )
}

fn first_difference(one: &str, other: &str) -> String {
    let differs = one.lines().zip(other.lines()).find(|(one, other)| one != other);
    format!("{differs:?}, of {} and {} lines", one.lines().count(), other.lines().count())
}

/// The same from one process with a folder, without faults.
fn embedded(mocks: &[Mock]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut install = platform();
    install.args(["connector", "install"]).arg(component()).arg("--data").arg(&data);
    assert!(install.output().unwrap().status.success());
    let mut command = platform();
    command.args(["serve", "--json", "--data"]).arg(&data);
    mocks.iter().for_each(|mock| {
        command.args(["--allow-upstream", &mock.url()]);
    });
    let server = Server::spawned(command, &log(&data));
    let (paths, began) = (connected(&server, mocks), Instant::now());
    for path in paths {
        let run = server.first_run(&path);
        let at = format!("{path}/runs/{run}");
        while server.get(&at)["state"] != "complete" {
            assert!(began.elapsed() < patience(mocks.len()), "{}", server.get(&at));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    server.end();
    lines(&data.join("platform.db"), &lines_of_members("lower(hex(hash))", "lower(hex(core))"))
}

fn lines(database: &Path, sql: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rows = runtime.block_on(async {
        let address = format!("sqlite://{}", database.display());
        let mut connection = sqlx::SqliteConnection::connect(&address).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.unwrap()
    });
    let lines: Vec<String> = rows.iter().map(|row| row.get("line")).collect();
    lines.join("\n")
}
