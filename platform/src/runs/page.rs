//! The commit of a page: one transaction, which compares epoch and page number. What the page
//! delivered is appended as one value, which the end of the run takes apart: a page costs the same
//! however many were before it.

use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Row as _, query};

use super::live::Numbers;
use super::staged;
use super::table::Claimed;
use crate::members::row::Row;
use crate::problem::Problem;
use crate::store::Store;

/// What becomes of the run with the page.
pub(super) struct Progress {
    /// Where the next page begins.
    pub(super) next: Option<String>,
    /// What was counted, as JSON.
    pub(super) counts: String,
    /// What was noted, as JSON.
    pub(super) notes: String,
    /// Figures over all processes.
    pub(super) numbers: Numbers,
    /// Marks of the members.
    pub(super) marks: Vec<u8>,
}

/// What a page changes of its run; the parameters are those of [`progressed`].
const PROGRESS: &str = "UPDATE runs SET page = page + 1, cursor = $4, done = $5, counts = $6, \
                        notes = $7, requests = $8, retries = $9, waited_ms = $10, bytes = $11, \
                        attempts = 0 \
                        WHERE id = $1 AND epoch = $2 AND page = $3 AND state = 'open'";

/// Commits a page. `false` if another process has the run.
pub(super) async fn commit(
    store: &Store,
    run: &Claimed,
    progress: Progress,
    rows: &[Row],
) -> Result<bool, Problem> {
    let members = staged::kept(rows)?;
    if store.is_shared() {
        // One statement is a transaction of its own.
        let sql = format!(
            "WITH held AS ({PROGRESS} RETURNING id), \
             put AS (INSERT INTO pages (run, page, next, restarted, marks, members) \
             SELECT id, $3, $4, 0, $12, $13 FROM held) \
             SELECT count(*) AS held FROM held"
        );
        let commit = progressed(query(AssertSqlSafe(sql)), run, &progress);
        let commit = commit.bind(progress.marks).bind(members);
        let held: i64 = commit.fetch_one(store.read()).await?.try_get("held")?;
        return Ok(held == 1);
    }
    let mut writing = store.write().await?;
    let done = progressed(query(PROGRESS), run, &progress).execute(&mut *writing).await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let sql = "INSERT INTO pages (run, page, next, restarted, marks, members) \
               VALUES ($1, $2, $3, 0, $4, $5)";
    query(sql)
        .bind(run.id.clone())
        .bind(run.page)
        .bind(progress.next)
        .bind(progress.marks)
        .bind(members)
        .execute(&mut *writing)
        .await?;
    writing.commit().await?;
    Ok(true)
}

fn progressed<'q>(
    query: Query<'q, Any, AnyArguments>,
    run: &Claimed,
    progress: &Progress,
) -> Query<'q, Any, AnyArguments> {
    let numbers = progress.numbers;
    query
        .bind(run.id.clone())
        .bind(run.epoch)
        .bind(run.page)
        .bind(progress.next.clone())
        .bind(i64::from(progress.next.is_none()))
        .bind(progress.counts.clone())
        .bind(progress.notes.clone())
        .bind(numbers.requests)
        .bind(numbers.retries)
        .bind(numbers.waited_ms)
        .bind(numbers.bytes)
}
