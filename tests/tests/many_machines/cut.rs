//! A worker that is cut off from the database, without an error: what it has is collected by
//! others, and it writes nothing of it when the line is whole again.

use serde_json::json;

use super::fleet::{Worker, ends_whole, goes_on_elsewhere, serve};
use super::{PAGE, number};

#[test]
fn a_worker_that_is_cut_off_is_fenced_and_its_run_goes_on_elsewhere() {
    let Some(cluster) = super::cluster() else { return };
    let mocks = super::slow(60);
    let server = serve(&cluster, &mocks, &["--slots", "0"]);
    let path = server.connected("acme", &mocks[0]);
    let (line, database) = cluster.line();
    let first = Worker::start_at(&cluster, &database, &mocks, "first", &["--lease", "2"]);
    cluster.until(PAGE, |page| number(page) >= 3);
    let second = Worker::start(&cluster, &mocks, "second", &["--lease", "2"]);
    line.cut();
    goes_on_elsewhere(&cluster);
    line.mend();
    ends_whole((&cluster, &server, &path), 60, &mocks[0], [&first, &second]);
    // It works again.
    second.end();
    let (status, _) = server.ask("POST", &format!("{path}/runs"), &json!(null));
    assert_eq!(status, 202);
    cluster.until("SELECT count(*) FROM runs WHERE state = 'complete'", |ended| ended == "2");
}
