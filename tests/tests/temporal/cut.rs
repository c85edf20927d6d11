//! A worker that is cut off from the engine, without an error: it ends the runs that it has, because
//! the ledger knows that it has them, and nobody collects them beside it.

use std::time::Duration;

use serde_json::json;
use smp_tests::line::Line;

use super::engine::{serve, work, work_at};
use super::fleet::most_in_a_second;
use super::{PAGE, number};

#[test]
fn a_worker_that_is_cut_off_from_the_engine_ends_its_runs_alone() {
    let Some((cluster, engine)) = super::started() else { return };
    let mocks = super::slow(60);
    let server = serve(&engine, &cluster, &mocks, &["--lease", "2"]);
    let path = server.connected("acme", &mocks[0]);
    let (line, port) = Line::to_port(engine.port());
    let first = work_at(&engine, port, &cluster, &mocks, "first", &["--lease", "2"]);
    cluster.until(PAGE, |page| number(page) >= 3);
    let second = work(&engine, &cluster, &mocks, "second", &["--lease", "2"]);
    line.cut();
    let run = server.first_run(&path);
    let ended = server.ended(&path, &run);
    assert_eq!((&ended["members"], &ended["pages"]), (&json!(600), &json!(60)), "{ended}");
    assert_eq!(cluster.sql("SELECT epoch, page FROM runs"), "1|60", "nobody else had it");
    assert!(second.metric("smp_pages_total") < 1.0);
    assert!(most_in_a_second(&mocks[0].log()) <= 5);
    // The engine misses the first one, asks the second, and learns that the run has ended.
    engine.until("WorkflowType = 'Collect' AND ExecutionStatus = 'Completed'", 1);
    let mut tries = 0;
    while !first.health().contains("Temporal has not answered since") {
        tries += 1;
        assert!(tries < 100, "{}", first.health());
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(second.health(), "ok\n");

    line.mend();
    second.end();
    let (status, _) = server.ask("POST", &format!("{path}/runs"), &json!(null));
    assert_eq!(status, 202);
    cluster.until("SELECT count(*) FROM runs WHERE state = 'complete'", |ended| ended == "2");
    assert_eq!(first.health(), "ok\n");
}
