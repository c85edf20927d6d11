//! Who is gone: those who were there after the last whole run, and whose marks are on no page of
//! this one. The marks are those by which the guard knows members, 16 bytes for each.

use smp_host::collect::guard::{Admitted, Mark, mark};
use sqlx::{AssertSqlSafe, Row, query};

use super::table::Claimed;
use crate::members::NOW;
use crate::problem::Problem;
use crate::store::Writing;

/// Pages and members that are read at a time.
const PAGES: i64 = 500;
const MEMBERS: i64 = 5_000;

/// Notes who is gone, as of this run.
pub(super) async fn note(
    writing: &mut Writing,
    run: &Claimed,
    at: i64,
    on_server: bool,
) -> Result<(), Problem> {
    let came = came(writing, run).await?;
    // In the order of lists, whose index has all that is read here. A part comes as one row: with
    // SQLite, each row would be a way from one thread to another.
    let all = if on_server {
        "json_agg(json_build_array(sort, id))::text"
    } else {
        "json_group_array(json_array(sort, id))"
    };
    let sql = format!(
        "SELECT {all} AS there FROM (SELECT sort, id FROM members \
         WHERE connection = $1 AND until = $2 AND present = 1 AND (sort, id) > ($3, $4) \
         ORDER BY sort, id LIMIT $5) AS part"
    );
    let mut last = (String::new(), String::new());
    loop {
        let there = query(AssertSqlSafe(sql.clone())).bind(run.connection.clone()).bind(NOW);
        let there = there.bind(last.0.clone()).bind(last.1.clone()).bind(MEMBERS);
        let there: Option<String> = there.fetch_one(&mut **writing).await?.try_get("there")?;
        let there: Vec<(String, String)> =
            serde_json::from_str(there.as_deref().unwrap_or("[]"))
                .map_err(|_| Problem::broken("the members of before cannot be read"))?;
        let is_gone = |id: &&str| came.binary_search(&mark(id)).is_err();
        let gone: Vec<&str> = there.iter().map(|(_, id)| id.as_str()).filter(is_gone).collect();
        put(writing, run, at, &gone, on_server).await?;
        let Some(next) = there.into_iter().max() else { return Ok(()) };
        last = next;
    }
}

/// The marks of all who came in the last sweep, in their order.
async fn came(writing: &mut Writing, run: &Claimed) -> Result<Vec<Mark>, Problem> {
    let sql = "SELECT page, marks, restarted FROM pages WHERE run = $1 AND page > $2 \
               ORDER BY page LIMIT $3";
    let (mut came, mut after) = (Vec::new(), -1_i64);
    loop {
        let rows = query(sql).bind(run.id.clone()).bind(after).bind(PAGES);
        let rows = rows.fetch_all(&mut **writing).await?;
        for row in &rows {
            let marks: &[u8] = row.try_get("marks")?;
            let admitted = Admitted::from_bytes(marks)
                .ok_or_else(|| Problem::broken("the marks of a page cannot be read"))?;
            came.extend(admitted.new.into_iter().chain(admitted.again));
            // Only the last sweep says who is there.
            if row.try_get::<i64, _>("restarted")? != 0 {
                came.clear();
            }
            after = row.try_get("page")?;
        }
        if i64::try_from(rows.len()) != Ok(PAGES) {
            came.sort_unstable();
            return Ok(came);
        }
    }
}

/// Gives each of these a row that says that it is gone.
async fn put(
    writing: &mut Writing,
    run: &Claimed,
    at: i64,
    gone: &[&str],
    on_server: bool,
) -> Result<(), Problem> {
    if gone.is_empty() {
        return Ok(());
    }
    // The plus has SQLite look by the ids. A server looks each up by itself: without statistics of
    // the table it would read all members for each.
    let was = "m.connection = $1 AND +m.until = $3 AND +m.present = $5";
    let from = if on_server {
        format!(
            "jsonb_array_elements_text($6::jsonb) AS gone (id) CROSS JOIN LATERAL \
             (SELECT * FROM members m WHERE {was} AND m.id = gone.id LIMIT 1) AS m"
        )
    } else {
        format!("members m WHERE {was} AND m.id IN (SELECT value FROM json_each($6))")
    };
    let sql = format!(
        "INSERT INTO members (connection, id, since, until, present, what, at, first_seen, hash, \
         core, record, sort, search, status, kind, affiliation, last_seen, uses) \
         SELECT m.connection, m.id, $2, $3, 0, 'gone', $4, m.first_seen, m.hash, m.core, \
         m.record, m.sort, m.search, m.status, m.kind, m.affiliation, m.last_seen, m.uses \
         FROM {from}"
    );
    query(AssertSqlSafe(sql))
        .bind(run.connection.clone())
        .bind(run.seq)
        .bind(NOW)
        .bind(at)
        .bind(1_i64)
        .bind(serde_json::to_string(gone).unwrap_or_default())
        .execute(&mut **writing)
        .await?;
    Ok(())
}
