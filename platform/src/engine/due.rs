//! What the ledger says of runs to the engine: which are to begin, and what became of one.

use sha2::{Digest as _, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _, query};

use super::protocol::{Due, NIGHTLY, URGENT};
use crate::clock::now;
use crate::problem::Problem;
use crate::runs::table;
use crate::store::Store;

/// Longest key of fairness, in bytes.
const LONGEST_KEY: usize = 64;

/// Wakes what waited long enough, asks for runs of what is due, and returns all runs without
/// a holder, the oldest first.
pub(super) async fn due(store: &Store) -> Result<Vec<Due>, Problem> {
    // One turn asks for some hundred connections.
    while table::sweep(store).await? >= 200 {}
    let sql = format!(
        "SELECT r.id, r.connection, r.due, c.tenant \
         FROM runs r JOIN connections c ON c.id = r.connection \
         WHERE r.state = 'open' AND (r.held IS NULL OR r.held_until <= {}) \
         ORDER BY r.started, r.id",
        store.clock()
    );
    let rows = query(AssertSqlSafe(sql)).fetch_all(store.read()).await?;
    rows.iter().map(|row| one(row, NIGHTLY)).collect()
}

/// A run that a person asked for, unless a worker has it.
pub(super) async fn asked(store: &Store, run: &str) -> Result<Option<Due>, Problem> {
    let sql = format!(
        "SELECT r.id, r.connection, r.due, c.tenant \
         FROM runs r JOIN connections c ON c.id = r.connection \
         WHERE r.id = $1 AND r.state = 'open' AND (r.held IS NULL OR r.held_until <= {})",
        store.clock()
    );
    let row = query(AssertSqlSafe(sql)).bind(run.to_owned()).fetch_optional(store.read()).await?;
    row.map(|row| one(&row, URGENT)).transpose()
}

fn one(row: &AnyRow, priority: u32) -> Result<Due, Problem> {
    let tenant: String = row.try_get("tenant")?;
    Ok(Due {
        run: row.try_get("id")?,
        connection: row.try_get("connection")?,
        due: row.try_get("due")?,
        tenant: fairness_key(tenant),
        priority,
    })
}

/// The tenant's name, or what stands for a longer one.
fn fairness_key(tenant: String) -> String {
    if tenant.len() <= LONGEST_KEY {
        return tenant;
    }
    hex::encode(Sha256::digest(tenant.as_bytes()))
}

/// Wakes this run if it waited long enough.
pub(super) async fn wake(store: &Store, run: &str) -> Result<(), Problem> {
    let sql = "UPDATE runs SET state = 'open', resumes_at = NULL, held = NULL, held_until = NULL \
               WHERE id = $1 AND state = 'waiting' AND resumes_at <= $2";
    let mut writing = store.write().await?;
    query(sql).bind(run.to_owned()).bind(now()).execute(&mut *writing).await?;
    writing.commit().await?;
    Ok(())
}

/// How long a run is lent to another process, in milliseconds. `None` if nobody has it.
pub(super) async fn lent(store: &Store, run: &str) -> Result<Option<i64>, Problem> {
    let sql = format!(
        "SELECT held_until - {clock} AS left FROM runs \
         WHERE id = $1 AND held IS NOT NULL AND held_until > {clock}",
        clock = store.clock()
    );
    let row = query(AssertSqlSafe(sql)).bind(run.to_owned()).fetch_optional(store.read()).await?;
    Ok(row.map(|row| row.try_get("left")).transpose()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_fairness_is_never_too_long_for_the_engine() {
        assert_eq!(fairness_key("acme".into()), "acme");
        let (one, other) = ("ä".repeat(33), "ö".repeat(33));
        assert_eq!(fairness_key(one.clone()).len(), LONGEST_KEY);
        assert_ne!(fairness_key(one), fairness_key(other));
    }
}
