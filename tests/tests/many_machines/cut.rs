//! A worker that is cut off from the database, without an error: what it has is collected by
//! others, and it writes nothing of it when the line is whole again.

use serde_json::json;

use super::fleet::{Worker, most_in_a_second, serve};
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
    cluster.until("SELECT epoch FROM runs", |epoch| epoch == "2");
    let page = number(&cluster.sql(PAGE));
    cluster.until(PAGE, |now| number(now) > page + 2);
    line.mend();
    let run = server.first_run(&path);
    let ended = server.ended(&path, &run);
    assert_eq!((&ended["members"], &ended["pages"]), (&json!(600), &json!(60)), "{ended}");
    assert_eq!(cluster.sql("SELECT epoch, page FROM runs"), "2|60", "the first took nothing back");
    assert!(first.metric("smp_pages_total") < 60.0 && second.metric("smp_pages_total") > 2.0);
    let most = most_in_a_second(&mocks[0].log());
    assert!(most <= 6, "five a second, and one of the worker that was cut off: {most}");
    // It works again.
    second.end();
    let (status, _) = server.ask("POST", &format!("{path}/runs"), &json!(null));
    assert_eq!(status, 202);
    cluster.until("SELECT count(*) FROM runs WHERE state = 'complete'", |ended| ended == "2");
}
