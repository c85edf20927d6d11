//! Makes the members that a whole run delivered those of its connection: who appeared, changed,
//! returned or is gone. It is part of the transaction that concludes the run.
//!
//! It goes through them in parts, each in the order of the ids: the indexes grow at one end of each
//! part and not all over, and what is held in memory stays small, however many members there are.

use sqlx::{AssertSqlSafe, Row, query};

use super::gone;
use super::table::Claimed;
use crate::clock::now;
use crate::members::NOW;
use crate::problem::Problem;
use crate::store::{Store, Writing};

/// Members that are put in order at a time: some hundred bytes of memory for each.
const IN_ORDER: i64 = if cfg!(test) { 3 } else { 100_000 };
/// Members of a statement that changes others than it reads.
const AT_ONCE: i64 = if cfg!(test) { 3 } else { 5_000 };

/// Merges what is staged. `first` says that the connection has no members yet.
pub(super) async fn merge(
    store: &Store,
    writing: &mut Writing,
    run: &Claimed,
    first: bool,
) -> Result<(), Problem> {
    if run.sweep > 0 {
        // Only the last sweep says who is there.
        let sql = "DELETE FROM staged \
                   WHERE run = $1 AND sweep < (SELECT sweep FROM runs WHERE id = $1)";
        query(sql).bind(run.id.clone()).execute(&mut **writing).await?;
    }
    let (at, on_server) = (now(), store.is_shared());
    if !first {
        gone::note(writing, run, at, on_server).await?;
    }
    let mut after = -1;
    while let Some(up_to) = pages(writing, run, after).await? {
        take_in(writing, run, at, (after, up_to), first, on_server).await?;
        after = up_to;
    }
    if !first {
        end_what_was(writing, run, on_server).await?;
    }
    Ok(())
}

/// What begins a statement that changes members. SQLite would keep each page as it was before, in
/// memory, to undo the statement alone; nothing here goes on after a conflict.
fn or_all(verb: &str, on_server: bool) -> String {
    if on_server { verb.to_owned() } else { format!("{verb} OR ROLLBACK") }
}

/// The last page of the next part of what is staged; `None` if there is nothing more.
async fn pages(writing: &mut Writing, run: &Claimed, after: i64) -> Result<Option<i64>, Problem> {
    let sql = "SELECT max(page) AS page FROM (SELECT page FROM staged \
               WHERE run = $1 AND page > $2 ORDER BY page LIMIT $3) AS part";
    let row = query(sql).bind(run.id.clone()).bind(after).bind(IN_ORDER);
    Ok(row.fetch_one(&mut **writing).await?.try_get("page")?)
}

/// Takes in what the pages after one and up to another delivered.
async fn take_in(
    writing: &mut Writing,
    run: &Claimed,
    at: i64,
    (after, up_to): (i64, i64),
    first: bool,
    on_server: bool,
) -> Result<(), Problem> {
    let insert = or_all("INSERT", on_server);
    let part = "run = $2 AND page > $6 AND page <= $7 AND what IS NOT NULL";
    // SQLite puts ids alone in order, and then reads each row where it is.
    let staged = if on_server {
        format!("(SELECT * FROM staged WHERE {part} ORDER BY id) AS s")
    } else {
        format!(
            "(SELECT rowid AS place FROM staged WHERE {part} ORDER BY id LIMIT -1) AS o \
             CROSS JOIN staged s ON s.rowid = o.place"
        )
    };
    let (seen, before) = if first {
        ("$5", "")
    } else {
        (
            "coalesce(b.first_seen, $5)",
            "LEFT JOIN members b ON b.connection = $1 AND b.id = s.id AND +b.until = $4 \
             AND b.since < $3",
        )
    };
    let sql = format!(
        "{insert} INTO members (connection, id, since, until, present, what, at, first_seen, \
         hash, core, record, sort, search, status, kind, affiliation, last_seen, uses) \
         SELECT $1, s.id, $3, $4, 1, s.what, $5, {seen}, s.hash, s.core, s.record, s.sort, \
         s.search, s.status, s.kind, s.affiliation, s.last_seen, s.uses FROM {staged} {before}"
    );
    query(AssertSqlSafe(sql))
        .bind(run.connection.clone())
        .bind(run.id.clone())
        .bind(run.seq)
        .bind(NOW)
        .bind(at)
        .bind(after)
        .bind(up_to)
        .execute(&mut **writing)
        .await?;
    Ok(())
}

/// What has a new row since this run was so until it.
async fn end_what_was(
    writing: &mut Writing,
    run: &Claimed,
    on_server: bool,
) -> Result<(), Problem> {
    let part = "SELECT id FROM members WHERE connection = $1 AND since = $2 AND id > $3 \
                ORDER BY id LIMIT $4";
    let last = format!("SELECT max(id) AS id FROM ({part}) AS part");
    let update = or_all("UPDATE", on_server);
    let sql = format!(
        "{update} members SET until = $2 WHERE connection = $1 AND +until = $5 AND since < $2 \
         AND id IN (SELECT id FROM ({part}) AS part)"
    );
    let mut after = String::new();
    loop {
        let bound = |sql: &str| {
            query(AssertSqlSafe(sql.to_owned()))
                .bind(run.connection.clone())
                .bind(run.seq)
                .bind(after.clone())
                .bind(if on_server { IN_ORDER } else { AT_ONCE })
        };
        let row = bound(&last).fetch_one(&mut **writing).await?;
        let Some(up_to) = row.try_get::<Option<String>, _>("id")? else { return Ok(()) };
        bound(&sql).bind(NOW).execute(&mut **writing).await?;
        after = up_to;
    }
}
