//! What is kept for how long: history, runs and usage before the last whole run that is older than
//! the limit, and people who have been gone for that long, are dropped. The audit is kept.

use sqlx::{Row, query};

use super::pace;
use crate::clock::{DAY, now};
use crate::members::deletion::{self, Doomed};
use crate::problem::Problem;
use crate::store::Store;

/// Drops what is older than these days, of one connection at a time.
///
/// # Errors
/// If the database fails; what was dropped of earlier connections stays dropped.
pub async fn apply(store: &Store, days: i64) -> Result<(), Problem> {
    let cutoff = now().saturating_sub(days.saturating_mul(DAY));
    // The list as of the last run before the limit is still shown: what came before it is not.
    let sql = "SELECT connection, max(seq) AS seq FROM runs \
               WHERE state = 'complete' AND ended < $1 GROUP BY connection \
               ORDER BY connection";
    let old = query(sql).bind(cutoff).fetch_all(store.read()).await?;
    let mut dropped = 0;
    for row in &old {
        let (connection, seq): (String, i64) = (row.try_get("connection")?, row.try_get("seq")?);
        let mut writing = store.write().await?;
        dropped += deletion::delete(&mut writing, &connection, Doomed::Until(seq)).await?;
        dropped += deletion::delete(&mut writing, &connection, Doomed::GoneBefore(cutoff)).await?;
        for sql in [
            "DELETE FROM seats WHERE connection = $1 AND seq < $2",
            "DELETE FROM runs \
             WHERE connection = $1 AND seq < $2 AND state NOT IN ('open', 'waiting', 'stopped')",
        ] {
            let done = query(sql).bind(connection.clone()).bind(seq).execute(&mut *writing).await?;
            dropped += done.rows_affected();
        }
        writing.commit().await?;
    }
    pace::forget(store).await?;
    if dropped > 0 {
        store.forget().await?;
        tracing::info!(rows = dropped, days, "history that was kept long enough is dropped");
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::members::NOW;
    use crate::store::Place;

    async fn put(store: &Store, sql: &'static str) {
        let mut writing = store.write().await.unwrap();
        query(sql).execute(&mut *writing).await.unwrap();
        writing.commit().await.unwrap();
    }

    #[tokio::test]
    async fn what_is_old_goes_and_the_list_as_of_the_oldest_run_that_is_kept_stays_whole() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Place::Folder(folder.path().into())).await.unwrap();
        // Whole runs 100, 50, 20 and 0 days ago.
        for (seq, days) in [(1, 100), (2, 50), (3, 20), (4, 0)] {
            let at = now() - days * DAY - 1_000;
            let mut writing = store.write().await.unwrap();
            let sql = "INSERT INTO runs (id, connection, seq, due, state, epoch, page, sweep, \
                       done, counts, notes, requests, retries, waited_ms, bytes, attempts, stop, \
                       started, ended) \
                       VALUES ($1, 'c', $2, $3, 'complete', 1, 1, 0, 1, '{}', '[]', 1, 0, 0, 0, \
                       0, 0, $3, $3)";
            let run = query(sql).bind(format!("r{seq}")).bind(seq).bind(at);
            run.execute(&mut *writing).await.unwrap();
            writing.commit().await.unwrap();
        }
        // Who changed with each run, left with the first, or left with the third.
        let rows = [
            ("a", 1, 2, 1, 100),
            ("a", 2, 3, 1, 50),
            ("a", 3, NOW, 1, 20),
            ("early", 0, 1, 1, 100),
            ("early", 1, NOW, 0, 100),
            ("late", 1, 3, 1, 100),
            ("late", 3, NOW, 0, 20),
        ];
        for (id, since, until, present, days) in rows {
            let mut writing = store.write().await.unwrap();
            let sql = "INSERT INTO members (connection, id, since, until, present, what, at, \
                       first_seen, hash, core, record, sort, search, uses) \
                       VALUES ('c', $1, $2, $3, $4, 'x', $5, 0, x'00', x'00', '{}', '', '', '')";
            let row = query(sql).bind(id).bind(since).bind(until).bind(present);
            row.bind(now() - days * DAY).execute(&mut *writing).await.unwrap();
            writing.commit().await.unwrap();
        }
        put(&store, "INSERT INTO seats VALUES ('c', 1, 0, '{}'), ('c', 4, 0, '{}')").await;
        apply(&store, 30).await.unwrap();
        let names = async |sql: &'static str| {
            let rows = query(sql).fetch_all(store.read()).await.unwrap();
            rows.iter().map(|row| row.get::<String, _>("n")).collect::<Vec<_>>().join(" ")
        };
        let kept = "SELECT id || since AS n FROM members ORDER BY id, since";
        assert_eq!(names(kept).await, "a2 a3 late1 late3");
        assert_eq!(names("SELECT id AS n FROM runs ORDER BY seq").await, "r2 r3 r4");
        let noted = "SELECT name AS n FROM facts WHERE name = 'index-to-clear'";
        assert_eq!(names(noted).await, "index-to-clear", "their words are to be cleared");
        let seats = "SELECT cast(seq AS TEXT) AS n FROM seats";
        assert_eq!(names(seats).await, "4");
    }
}
