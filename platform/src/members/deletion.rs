//! Deletes members: those of a connection that goes, and what is older than it is kept for.

use sqlx::{AssertSqlSafe, Row, query};

use super::{NOW, search};
use crate::problem::Problem;
use crate::store::Writing;

/// Members of a statement that deletes. SQLite keeps the pages that it changes, in memory, until the
/// statement is over.
const AT_ONCE: usize = 2_000;

/// Which members of a connection are deleted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Doomed {
    /// All of them.
    All,
    /// What was so until this run, or an earlier one.
    Until(i64),
    /// Who has been gone since before this instant.
    GoneBefore(i64),
}

/// Deletes members of a connection, and has their words cleared. How many there were.
pub(crate) async fn delete(
    writing: &mut Writing,
    connection: &str,
    doomed: Doomed,
) -> Result<u64, Problem> {
    let (which, value) = match doomed {
        Doomed::All => ("until <= $2", NOW),
        Doomed::Until(seq) => ("until <= $2", seq),
        Doomed::GoneBefore(at) => ("present = 0 AND at < $2", at),
    };
    if writing.backend_name() != "SQLite" {
        let sql = format!("DELETE FROM members WHERE connection = $1 AND {which}");
        let doomed = query(AssertSqlSafe(sql)).bind(connection.to_owned()).bind(value);
        return Ok(doomed.execute(&mut **writing).await?.rows_affected());
    }
    let sql = format!(
        "SELECT json_group_array(place) AS places FROM members WHERE connection = $1 AND {which}"
    );
    let doomed = query(AssertSqlSafe(sql)).bind(connection.to_owned()).bind(value);
    let row = doomed.fetch_one(&mut **writing).await?;
    let places: Vec<i64> = serde_json::from_str(row.try_get("places")?)
        .map_err(|_| Problem::broken("the members of a connection cannot be read"))?;
    for some in places.chunks(AT_ONCE) {
        query("DELETE FROM members WHERE place IN (SELECT value FROM json_each($1))")
            .bind(serde_json::to_string(some).unwrap_or_default())
            .execute(&mut **writing)
            .await?;
    }
    if !places.is_empty() {
        search::note_deleted(writing).await?;
    }
    Ok(u64::try_from(places.len()).unwrap_or(u64::MAX))
}
