//! Who is first: a person before the schedule, and a tenant of one beside a tenant of many.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smp_tests::harness::setting;
use smp_tests::mock::Mock;
use smp_tests::postgres::Cluster;

use super::engine::{serve, work};
use super::fleet::mocks;
use super::server::Server;

/// Runs of the tenant that has many: a worker with one place takes a while for them. `make soak` has
/// more.
fn many() -> usize {
    usize::try_from(setting("SMP_TENANTS", 40)).unwrap()
}

/// Most runs that are taken before one that is first, since the engine hands out ahead.
const FEW: usize = 6;

/// Connects all but the last of these to one tenant, and that one to another.
fn queue(server: &Server, mocks: &[Mock]) -> Vec<String> {
    let (last, many) = mocks.split_last().unwrap();
    let mut paths: Vec<String> = many.iter().map(|mock| server.connected("big", mock)).collect();
    paths.push(server.connected("small", last));
    paths
}

/// How many runs of this tenant ended before this one did.
fn before(cluster: &Cluster, tenant: &str, run: &str) -> usize {
    let sql = format!(
        "SELECT count(*) FROM runs r JOIN connections c ON c.id = r.connection \
         WHERE c.tenant = '{tenant}' AND r.ended < (SELECT ended FROM runs WHERE id = '{run}')"
    );
    cluster.sql(&sql).parse().unwrap()
}

/// Organizations whose lists take longer than the engine needs for one more run.
fn organizations() -> Vec<Mock> {
    let slow = Duration::from_millis(200);
    mocks(many() + 1, |mock| mock.members(20).page_size(10).latency(slow))
}

#[test]
fn a_tenant_of_one_is_not_behind_a_tenant_of_many() {
    let Some((cluster, engine)) = super::started() else { return };
    let mocks = organizations();
    let server = serve(&engine, &cluster, &mocks, &[]);
    let paths = queue(&server, &mocks);
    engine.queued(u64::try_from(mocks.len()).unwrap());
    let _worker = work(&engine, &cluster, &mocks, "worker", &["--slots", "1"]);
    let last = paths.last().unwrap();
    let run = server.first_run(last);
    assert_eq!(server.ended(last, &run)["members"], json!(20));
    let before = before(&cluster, "big", &run);
    println!("{before} runs of the other tenant ended before");
    assert!(before < FEW, "{before}");
}

#[test]
fn what_a_person_waits_for_is_before_a_long_queue() {
    let Some((cluster, engine)) = super::started() else { return };
    let mocks = organizations();
    let server = serve(&engine, &cluster, &mocks, &[]);
    let paths = queue(&server, &mocks);
    engine.queued(u64::try_from(mocks.len()).unwrap());
    let _worker = work(&engine, &cluster, &mocks, "worker", &["--slots", "1"]);
    cluster.until("SELECT count(*) FROM runs WHERE state = 'complete'", |ended| ended != "0");
    // The last one of the tenant that has many.
    let path = &paths[paths.len() - 2];
    let began = Instant::now();
    let (status, validation) = server.ask("POST", &format!("{path}/validate"), &Value::Null);
    assert_eq!((status, &validation["ready"]), (200, &json!(true)), "{validation}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let (_, asked) = server.ask("POST", &format!("{path}/runs"), &Value::Null);
    let run = asked["id"].as_str().unwrap();
    let done = "SELECT count(*) FROM runs WHERE state = 'complete'";
    let already: usize = cluster.sql(done).parse().unwrap();
    assert_eq!(server.ended(path, run)["members"], json!(20));
    let (taken, between) = (began.elapsed(), before(&cluster, "big", run) - already);
    println!("after {taken:?}, with {between} others in between");
    assert!(between < FEW, "{between}");
}
