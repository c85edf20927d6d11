//! The commit of a page: one transaction, which compares epoch and page number. Of the members that
//! changed since the last whole run it keeps the rows; who came is told by the marks of the page.
//!
//! Nothing of it is in the order of the ids: a page is appended, and costs the same however many
//! were before it. On a server, all of it is one statement, and each column is one parameter.

use std::collections::HashMap;

use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Row as _, query};

use super::live::Numbers;
use super::table::Claimed;
use crate::members::NOW;
use crate::members::row::Row;
use crate::problem::Problem;
use crate::store::{Store, Writing};

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

/// A member as it was after the last whole run.
struct Known {
    present: bool,
    /// Its hashes, in hexadecimal digits.
    hash: String,
    core: String,
}

/// A member that is not as it was, and what becomes of it if the run is whole.
type Changed = (Row, &'static str);

/// The columns of what is staged, in the order of [`bound`].
const COLUMNS: &str = "run, page, sweep, id, what, hash, core, record, sort, search, status, kind, \
                       affiliation, last_seen, uses";
/// Those that differ in the rows of a page.
const OWN: usize = 12;
/// Places for one row of them. SQLite would look for a place with a number among all before it.
const PLACES: &str = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
/// Rows of one statement: SQLite permits 32,766 parameters.
const MOST_ROWS: usize = 1_000;

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
    rows: Vec<Row>,
) -> Result<bool, Problem> {
    if store.is_shared() {
        return on_server(store, run, progress, rows).await;
    }
    let mut writing = store.write().await?;
    let done = progressed(query(PROGRESS), run, &progress).execute(&mut *writing).await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    query("INSERT INTO pages (run, page, next, marks, restarted) VALUES ($1, $2, $3, $4, 0)")
        .bind(run.id.clone())
        .bind(run.page)
        .bind(progress.next)
        .bind(progress.marks)
        .execute(&mut *writing)
        .await?;
    // Those who write keep what they read, which those who read do not while somebody writes.
    let known = known(&mut writing, run, &rows, false).await?;
    stage(&mut writing, run, changed(rows, &known)).await?;
    writing.commit().await?;
    Ok(true)
}

async fn on_server(
    store: &Store,
    run: &Claimed,
    progress: Progress,
    rows: Vec<Row>,
) -> Result<bool, Problem> {
    let sql = format!(
        "WITH held AS ({PROGRESS} RETURNING id), \
         paged AS (INSERT INTO pages (run, page, next, marks, restarted) \
         SELECT id, $3, $4, $12, 0 FROM held), \
         put AS (INSERT INTO staged ({COLUMNS}) SELECT held.id, $3, $13, m.* \
         FROM held CROSS JOIN unnest($14::text[], $15::text[], $16::bytea[], $17::bytea[], \
         $18::text[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[], \
         $24::bigint[], $25::text[]) AS m) \
         SELECT count(*) AS held FROM held"
    );
    let mut connection = store.read().acquire().await?;
    // Only the run of a connection that is open changes its members: this may be read before.
    let known = known(&mut connection, run, &rows, true).await?;
    let mut columns: [Array; 12] = Default::default();
    for (row, what) in changed(rows, &known) {
        let [id, whats, hash, core, record, sort, search, status, kind, affiliation, seen, uses] =
            &mut columns;
        id.text(Some(&row.id));
        whats.text(Some(what));
        hash.bytes(&row.hash);
        core.bytes(&row.core);
        record.text(Some(&row.record));
        sort.text(Some(&row.sort));
        search.text(Some(&row.search));
        status.text(row.status.as_deref());
        kind.text(row.kind.as_deref());
        affiliation.text(row.affiliation.as_deref());
        seen.number(row.last_seen);
        uses.text(Some(&row.uses));
    }
    let mut commit =
        progressed(query(AssertSqlSafe(sql)), run, &progress).bind(progress.marks).bind(run.sweep);
    for column in columns {
        commit = commit.bind(column.end());
    }
    let held: i64 = commit.fetch_one(&mut *connection).await?.try_get("held")?;
    Ok(held == 1)
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

/// These members as they were after the last whole run. They come as one row: with SQLite, each row
/// would be a way from one thread to another.
async fn known(
    reading: &mut AnyConnection,
    run: &Claimed,
    rows: &[Row],
    on_server: bool,
) -> Result<HashMap<String, Known>, Problem> {
    if run.seq <= 1 {
        // There is no member yet. A server would keep the plan of a query of an empty table.
        return Ok(HashMap::new());
    }
    let ids = rows.iter().map(|row| row.id.as_str());
    // The plus keeps SQLite from reading the whole list, which is in another index.
    let (sql, ids) = if on_server {
        let mut array = Array::default();
        ids.for_each(|id| array.text(Some(id)));
        let sql = "SELECT json_agg(json_build_array(id, present, encode(hash, 'hex'), \
                   encode(core, 'hex')))::text AS known \
                   FROM members WHERE connection = $1 AND +until = $2 AND id = ANY($3::text[])";
        (sql, array.end())
    } else {
        let sql = "SELECT json_group_array(json_array(id, present, lower(hex(hash)), \
                   lower(hex(core)))) AS known \
                   FROM members WHERE connection = $1 AND +until = $2 \
                   AND id IN (SELECT value FROM json_each($3))";
        (sql, serde_json::to_string(&ids.collect::<Vec<_>>()).unwrap_or_default())
    };
    let find = query(sql).bind(run.connection.clone()).bind(NOW).bind(ids);
    let found: Option<String> = find.fetch_one(reading).await?.try_get("known")?;
    let found: Vec<(String, i64, String, String)> =
        serde_json::from_str(found.as_deref().unwrap_or("[]"))
            .map_err(|_| Problem::broken("the members of a page cannot be read"))?;
    let known = |(id, present, hash, core)| (id, Known { present: present != 0, hash, core });
    Ok(found.into_iter().map(known).collect())
}

/// The members that are not as they were.
fn changed(rows: Vec<Row>, known: &HashMap<String, Known>) -> Vec<Changed> {
    let what = |row: &Row| match known.get(&row.id) {
        None => Some("appeared"),
        Some(known) if !known.present => Some("returned"),
        Some(known) if known.core != hex::encode(&row.core) => Some("changed"),
        Some(known) if known.hash != hex::encode(&row.hash) => Some("seen"),
        Some(_) => None,
    };
    rows.into_iter().filter_map(|row| what(&row).map(|what| (row, what))).collect()
}

/// Appends the members of a page to what is staged.
async fn stage(writing: &mut Writing, run: &Claimed, changed: Vec<Changed>) -> Result<(), Problem> {
    let mut rest = changed.into_iter().peekable();
    while rest.peek().is_some() {
        let some: Vec<Changed> = rest.by_ref().take(MOST_ROWS).collect();
        let places = vec![PLACES; some.len()].join(", ");
        let own = some.len() * OWN;
        let sql = format!(
            "WITH rows AS (VALUES {places}) \
             INSERT INTO staged ({COLUMNS}) SELECT ?{}, ?{}, ?{}, * FROM rows",
            own + 1,
            own + 2,
            own + 3
        );
        let mut put = query(AssertSqlSafe(sql));
        for (row, what) in some {
            put = bound(put, row, what);
        }
        put = put.bind(run.id.clone()).bind(run.page).bind(run.sweep);
        put.execute(&mut **writing).await?;
    }
    Ok(())
}

fn bound<'q>(
    put: Query<'q, Any, AnyArguments>,
    row: Row,
    what: &'static str,
) -> Query<'q, Any, AnyArguments> {
    put.bind(row.id)
        .bind(what)
        .bind(row.hash)
        .bind(row.core)
        .bind(row.record)
        .bind(row.sort)
        .bind(row.search)
        .bind(row.status)
        .bind(row.kind)
        .bind(row.affiliation)
        .bind(row.last_seen)
        .bind(row.uses)
}

/// An array as PostgreSQL reads it.
#[derive(Default)]
struct Array(String);

impl Array {
    fn next(&mut self) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
    }

    fn text(&mut self, text: Option<&str>) {
        self.next();
        let Some(text) = text else { return self.0.push_str("NULL") };
        self.0.push('"');
        let mut parts = text.split_inclusive(['"', '\\']);
        for part in &mut parts {
            match part.strip_suffix(['"', '\\']) {
                Some(before) => {
                    self.0.push_str(before);
                    self.0.push('\\');
                    self.0.push_str(part.get(before.len()..).unwrap_or_default());
                }
                None => self.0.push_str(part),
            }
        }
        self.0.push('"');
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.next();
        self.0.push_str(r#""\\x"#);
        self.0.push_str(&hex::encode(bytes));
        self.0.push('"');
    }

    fn number(&mut self, number: Option<i64>) {
        self.next();
        match number {
            Some(number) => self.0.push_str(&number.to_string()),
            None => self.0.push_str("NULL"),
        }
    }

    fn end(mut self) -> String {
        if self.0.is_empty() {
            self.0.push('{');
        }
        self.0.push('}');
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_holds_any_text() {
        let mut array = Array::default();
        for text in [Some(r#"a"b\c"#), Some(""), None, Some("NULL"), Some("{,}\n ä")] {
            array.text(text);
        }
        array.bytes(&[0, 255]);
        array.number(Some(-5));
        array.number(None);
        let expected = r#"{"a\"b\\c","",NULL,"NULL","{,}
 ä","\\x00ff",-5,NULL}"#;
        assert_eq!(array.end(), expected);
        assert_eq!(Array::default().end(), "{}");
    }
}
