//! A long queue of one tenant on a server: others do not wait behind it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smp_tests::mock::{Call, Fault, When};

use super::fleet::{Worker, mocks, serve};
use super::{cluster, number};

/// Runs at the same time, and connections whose service does not answer.
const PLACES: usize = 8;
/// What a validation may take on a machine that is busy with other tests, whose target is 2 s.
const VALIDATION: Duration = Duration::from_secs(6);
/// Connections of the same tenant that are due, all at the same instant.
const QUEUE: &str = "
    INSERT INTO connections (id, tenant, connector, digest, name, settings, account, account_name,
        upstream, grants, every_hours, paused, state, failures, secret_version, next_due, runs,
        complete, created)
    SELECT 'c_queued' || number, tenant, connector, digest, name, settings, 'a' || number,
        account_name, upstream, grants, every_hours, 0, 'ready', 0, 1, 2, 0, 0, created
    FROM generate_series(1, 10000) number,
        (SELECT * FROM connections WHERE tenant = 'big' LIMIT 1) AS one;
    UPDATE connections SET next_due = 1 WHERE tenant = 'big' AND next_due > 2";
const OPEN: &str = "SELECT count(*) FROM runs WHERE state = 'open'";

#[test]
fn nobody_waits_behind_ten_thousand_runs_that_workers_have() {
    let Some(cluster) = cluster() else { return };
    let mocks = mocks(PLACES + 1, |mock| mock.members(20).page_size(10));
    let (fast, slow) = mocks.split_last().unwrap();
    let server = serve(&cluster, &mocks, &["--slots", "0"]);
    let _worker = Worker::start(&cluster, &mocks, "worker", &["--slots", &PLACES.to_string()]);
    for mock in slow {
        let path = server.connected("big", mock);
        server.ended(&path, &server.first_run(&path));
    }
    let small = server.connected("small", fast);
    server.ended(&small, &server.first_run(&small));
    for mock in slow {
        mock.set_fault(Call::Users, When::Always, Fault::Slow(Duration::from_secs(120)));
    }
    cluster.sql(QUEUE);

    let validated = || {
        let began = Instant::now();
        let path = format!("{small}/validate");
        let (status, validation) = server.ask("POST", &path, &Value::Null);
        assert_eq!((status, &validation["ready"]), (200, &json!(true)), "{validation}");
        let took = began.elapsed();
        // The account's own pace is not measured.
        std::thread::sleep(Duration::from_secs(3));
        took
    };
    let mut times = Vec::new();
    let began = Instant::now();
    while number(&cluster.sql(OPEN)) < 9_900 {
        times.push(validated());
        assert!(began.elapsed() < Duration::from_secs(120), "{} are open", cluster.sql(OPEN));
    }
    times.extend([validated(), validated(), validated()]);
    println!("validations took {times:?} while {} runs were open", cluster.sql(OPEN));
    assert!(times.iter().all(|took| *took < VALIDATION), "{times:?}");

    let began = Instant::now();
    assert_eq!(server.collected(&small)["state"], json!("complete"));
    println!("a run of another tenant took {:?}", began.elapsed());
    assert!(began.elapsed() < VALIDATION, "{:?}", began.elapsed());
    assert!(number(&cluster.sql(OPEN)) > 9_800);
}
