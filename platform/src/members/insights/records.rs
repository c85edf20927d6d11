//! The whole records of members of a page, and the history of one.

use std::collections::HashMap;

use serde_json::Value;
use sqlx::{AnyConnection, Row as _, query};

use super::super::list::MOST;
use crate::problem::Problem;
use crate::store::Store;

/// Rows of one statement.
const SOME: usize = 500;

/// A stored member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its id.
    pub id: String,
    /// The record, as it was stored.
    pub record: String,
    /// When it was first seen.
    pub first_seen: i64,
    /// Since when it is gone.
    pub gone: Option<i64>,
}

/// The stored members of these ids as of a run, in the order of the ids. One that is not there any
/// more is left out.
///
/// # Errors
/// If the database fails.
pub async fn records(
    store: &Store,
    connection: &str,
    seq: i64,
    ids: &[String],
) -> Result<Vec<Stored>, Problem> {
    let mut reading = store.read().acquire().await?;
    records_of(&mut reading, connection, seq, ids).await
}

/// The same, as this connection to the database sees it.
///
/// # Errors
/// Likewise.
pub async fn records_of(
    reading: &mut AnyConnection,
    connection: &str,
    seq: i64,
    ids: &[String],
) -> Result<Vec<Stored>, Problem> {
    let mut found = HashMap::new();
    for some in ids.chunks(SOME) {
        let places: Vec<String> = (3..some.len() + 3).map(|place| format!("${place}")).collect();
        let sql = format!(
            "SELECT id, record, first_seen, present, at FROM members \
             WHERE connection = $1 AND since <= $2 AND +until > $2 AND id IN ({})",
            places.join(", ")
        );
        let mut find = query(sqlx::AssertSqlSafe(sql)).bind(connection.to_owned()).bind(seq);
        for id in some {
            find = find.bind(id.clone());
        }
        for row in find.fetch_all(&mut *reading).await? {
            let (id, present): (String, i64) = (row.try_get("id")?, row.try_get("present")?);
            let at: i64 = row.try_get("at")?;
            let one = Stored {
                id: id.clone(),
                record: row.try_get("record")?,
                first_seen: row.try_get("first_seen")?,
                gone: (present == 0).then_some(at),
            };
            found.insert(id, one);
        }
    }
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// The history of one member: what happened, and when, the latest first.
///
/// # Errors
/// If the database fails.
pub async fn history(
    store: &Store,
    connection: &str,
    id: &str,
) -> Result<Vec<(String, i64)>, Problem> {
    let sql = "SELECT what, at FROM members WHERE connection = $1 AND id = $2 AND what <> 'seen' \
               ORDER BY since DESC LIMIT $3";
    let rows = query(sql).bind(connection.to_owned()).bind(id.to_owned()).bind(MOST);
    let rows = rows.fetch_all(store.read()).await?;
    rows.iter().map(|row| Ok((row.try_get("what")?, row.try_get("at")?))).collect()
}

/// A record as JSON.
#[must_use]
pub fn read(record: &str) -> Value {
    serde_json::from_str(record).unwrap_or_default()
}
