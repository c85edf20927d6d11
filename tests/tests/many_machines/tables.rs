//! The tables as PostgreSQL sees them: of some it has no statistics yet, as after a restore or the
//! first run of a large tenant, and must not read all members for each of them; large values it
//! would compress by itself.

use std::time::{Duration, Instant};

use serde_json::json;

use super::cluster;
use super::fleet::{mocks, serve};

/// What the first run stored is not as the second will find it: of 20,000 members half are others,
/// and 5,000 more were there.
const BEFORE: &str = "
    UPDATE members SET core = '\\x00', hash = '\\x00'
        WHERE id IN (SELECT id FROM members ORDER BY id LIMIT 10000);
    INSERT INTO members (connection, id, since, until, present, what, at, first_seen, hash, core,
        record, sort, search, uses)
    SELECT connection, id || '-left', since, until, present, what, at, first_seen, hash, core,
        record, sort, search, uses
    FROM members ORDER BY id LIMIT 5000";
const AS_OF_THE_SECOND: &str = "SELECT what, count(*) FROM members \
    WHERE since = (SELECT max(since) FROM members) GROUP BY 1 ORDER BY 1";
const NOW: &str = "SELECT count(*), count(DISTINCT id) FROM members \
    WHERE until = (SELECT max(until) FROM members)";

#[test]
fn the_database_does_not_compress_what_is_compressed() {
    let Some(cluster) = cluster() else { return };
    let _server = serve(&cluster, &mocks(1, |mock| mock), &[]);
    let stored = "SELECT string_agg(attstorage::text, '') FROM pg_attribute \
        WHERE attrelid = 'pages'::regclass AND attname IN ('marks', 'members')";
    assert_eq!(cluster.sql(stored), "ee");
}

#[test]
fn a_run_ends_at_once_where_the_database_knows_nothing_of_its_tables() {
    let Some(cluster) = cluster() else { return };
    let mocks = mocks(1, |mock| mock.members(20_000).page_size(1_000));
    let server = serve(&cluster, &mocks, &[]);
    cluster.sql("ALTER TABLE members SET (autovacuum_enabled = off)");
    let path = server.connected("acme", &mocks[0]);
    server.ended(&path, &server.first_run(&path));
    cluster.sql(BEFORE);

    let began = Instant::now();
    let run = server.collected(&path);
    let took = began.elapsed();
    assert_eq!((&run["state"], &run["members"]), (&json!("complete"), &json!(20_000)), "{run}");
    assert_eq!(cluster.sql(AS_OF_THE_SECOND), "changed|10000\ngone|5000");
    assert_eq!(cluster.sql(NOW), "25000|25000", "each member is in one state");
    // Some 6 s, of which the pages take 4 by the account's pace; minutes if all were read for each.
    assert!(took < Duration::from_secs(25), "{took:?}");
}
