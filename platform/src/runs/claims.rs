//! Who has a run. A claim raises its epoch, which fences the process that had it before.
//!
//! In a folder there is one process, and what it holds is its own until it ends. On a server there
//! may be many: a claim is a lease, which its process renews, and a run whose lease is over is
//! claimed by another. The instants are those of the database, since the clocks of machines differ.
//!
//! A process whose tables are not those of this build claims nothing: the claim itself compares.

use std::collections::HashSet;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Row, query};

use super::table::Claimed;
use crate::problem::Problem;
use crate::store::Store;
use crate::store::tokens::new_id;

/// How long a run stays with a process that is not heard of, unless the operator says otherwise.
pub const LEASE: Duration = Duration::from_secs(30);
/// How long usage is collected before another process does it.
const USAGE: i64 = 10 * 60_000;

/// A process that has runs.
#[derive(Clone, Debug)]
pub struct Worker {
    /// Its name, new at each start.
    pub id: String,
    /// How long a run stays with it without being renewed. `None` where it is the only one.
    pub lease: Option<Duration>,
}

impl Worker {
    /// A process of this store: where others may be too, its runs are lent for so long.
    #[must_use]
    pub fn of(store: &Store, lease: Duration) -> Self {
        Self { id: new_id("p"), lease: store.is_shared().then_some(lease) }
    }

    fn lent_ms(&self) -> i64 {
        self.lease.map_or(0, |lease| i64::try_from(lease.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Claims a run: its previous holder writes nothing more. `None` if it is not to be claimed, or
/// not by this build.
///
/// # Errors
/// If the database fails.
pub async fn claim(store: &Store, id: &str, worker: &Worker) -> Result<Option<Claimed>, Problem> {
    let (clock, skipping) = (store.clock(), skipping(store));
    let sql = format!(
        "UPDATE runs SET epoch = epoch + 1, held = $2, held_until = CASE WHEN $3 > 0 THEN \
         {clock} + $3 ELSE NULL END, error = NULL \
         WHERE id = (SELECT id FROM runs WHERE id = $1 AND state = 'open' \
         AND (held IS NULL OR held_until <= {clock}) {skipping}) \
         AND (SELECT max(version) FROM _sqlx_migrations) = $4 RETURNING id, connection, seq, \
         epoch, page, sweep, attempts, requests, retries, waited_ms, bytes, started"
    );
    let mut writing = store.write().await?;
    let row = query(AssertSqlSafe(sql))
        .bind(id.to_owned())
        .bind(worker.id.clone())
        .bind(worker.lent_ms())
        .bind(store.schema())
        .fetch_optional(&mut *writing)
        .await?;
    let claimed = row
        .map(|row| {
            Ok::<_, sqlx::Error>(Claimed {
                id: row.try_get("id")?,
                connection: row.try_get("connection")?,
                seq: row.try_get("seq")?,
                epoch: row.try_get("epoch")?,
                page: row.try_get("page")?,
                sweep: row.try_get("sweep")?,
                attempts: row.try_get("attempts")?,
                requests: row.try_get("requests")?,
                retries: row.try_get("retries")?,
                waited_ms: row.try_get("waited_ms")?,
                bytes: row.try_get("bytes")?,
                started: row.try_get("started")?,
            })
        })
        .transpose()?;
    writing.commit().await?;
    Ok(claimed)
}

/// Skips runs that another transaction is about to change.
fn skipping(store: &Store) -> &'static str {
    if store.is_shared() { "FOR UPDATE SKIP LOCKED" } else { "" }
}

/// Renews the leases of a process. Returns the runs that it still has.
///
/// # Errors
/// If the database fails.
pub async fn renew(store: &Store, worker: &Worker) -> Result<HashSet<String>, Problem> {
    // The end of a large run takes a while. The others do not wait for it or claim it meanwhile; a
    // run whose page is just being written is renewed the next time.
    let skipping = skipping(store);
    let sql = format!(
        "UPDATE runs SET held_until = {} + $2 WHERE id IN \
         (SELECT id FROM runs WHERE held = $1 AND state = 'open' {skipping})",
        store.clock()
    );
    let mut writing = store.write().await?;
    let renewed = query(AssertSqlSafe(sql)).bind(worker.id.clone()).bind(worker.lent_ms());
    renewed.execute(&mut *writing).await?;
    writing.commit().await?;
    let sql = "SELECT id FROM runs WHERE held = $1 AND state = 'open'";
    let rows = query(sql).bind(worker.id.clone()).fetch_all(store.read()).await?;
    rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
}

/// Gives a run back that this process holds, so that it is claimed again.
///
/// # Errors
/// If the database fails.
pub async fn release(store: &Store, id: &str, worker: &Worker) -> Result<(), Problem> {
    let mut writing = store.write().await?;
    query("UPDATE runs SET held = NULL, held_until = NULL WHERE id = $1 AND held = $2")
        .bind(id.to_owned())
        .bind(worker.id.clone())
        .execute(&mut *writing)
        .await?;
    writing.commit().await?;
    Ok(())
}

/// Gives all runs back that this process holds, because it ends. Whatever of it is still on the way
/// writes nothing more.
///
/// # Errors
/// If the database fails.
pub async fn release_all(store: &Store, worker: &Worker) -> Result<u64, Problem> {
    let mut writing = store.write().await?;
    let sql = "UPDATE runs SET held = NULL, held_until = NULL, epoch = epoch + 1 WHERE held = $1";
    let done = query(sql).bind(worker.id.clone()).execute(&mut *writing).await?;
    writing.commit().await?;
    Ok(done.rows_affected())
}

/// Takes over what an earlier process of a folder held: there is only one at a time.
///
/// # Errors
/// If the database fails.
pub async fn take_over(store: &Store) -> Result<u64, Problem> {
    let mut writing = store.write().await?;
    let sql = "UPDATE runs SET held = NULL, epoch = epoch + 1 WHERE held IS NOT NULL";
    let taken = query(sql).execute(&mut *writing).await?.rows_affected();
    writing.commit().await?;
    Ok(taken)
}

/// Runs that are to be claimed now, at most this many: of every tenant in turn, those that this
/// process has counted, and of one tenant at most its share of the places.
///
/// # Errors
/// If the database fails.
pub async fn claimable(
    store: &Store,
    worker: &Worker,
    most: i64,
    share: i64,
) -> Result<Vec<String>, Problem> {
    // Held runs come first in the order of a tenant, so that they take its first places.
    let sql = format!(
        "SELECT id \
         FROM (SELECT open.id, open.started, open.free, row_number() OVER (PARTITION BY \
         open.tenant ORDER BY open.free, open.started, open.id) AS place \
         FROM (SELECT r.id, r.started, r.held, c.tenant, CASE WHEN r.held IS NULL OR \
         r.held_until <= {} THEN 1 ELSE 0 END AS free \
         FROM runs r JOIN connections c ON c.id = r.connection \
         WHERE r.state IN ('open', 'waiting') AND r.state = 'open') AS open \
         WHERE open.free = 1 OR open.held = $3) AS queue \
         WHERE free = 1 AND place <= $2 ORDER BY place, started, id LIMIT $1",
        store.clock()
    );
    let rows = query(AssertSqlSafe(sql)).bind(most).bind(share).bind(worker.id.clone());
    let rows = rows.fetch_all(store.read()).await?;
    rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
}

/// The runs of this process that a person wants to stop.
///
/// # Errors
/// If the database fails.
pub async fn to_stop(store: &Store, worker: &Worker) -> Result<Vec<String>, Problem> {
    let sql = "SELECT id FROM runs WHERE held = $1 AND state = 'open' AND stop = 1";
    let rows = query(sql).bind(worker.id.clone()).fetch_all(store.read()).await?;
    rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
}

/// Claims the usage of a whole run, so that one process collects it.
///
/// # Errors
/// If the database fails.
pub(super) async fn claim_usage(
    store: &Store,
    run: &str,
    worker: &Worker,
) -> Result<bool, Problem> {
    let clock = store.clock();
    let sql = format!(
        "UPDATE runs SET held = $2, held_until = {clock} + $3 \
         WHERE id = $1 AND usage = 1 AND (held IS NULL OR held_until <= {clock})"
    );
    let mut writing = store.write().await?;
    let done = query(AssertSqlSafe(sql)).bind(run.to_owned()).bind(worker.id.clone()).bind(USAGE);
    let done = done.execute(&mut *writing).await?;
    writing.commit().await?;
    Ok(done.rows_affected() == 1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::super::table::{ask, stop};
    use super::*;
    use crate::clock::now;
    use crate::store::{Place, connections};

    /// A store with so many open runs of each tenant, the tenants in this order.
    async fn queue(tenants: &[(&str, i64)]) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Place::Folder(folder.path().into())).await.unwrap();
        let mut writing = store.write().await.unwrap();
        for (tenant, number) in tenants {
            for number in 0..*number {
                let connection = connections::sample(&format!("{tenant}{number:03}"), tenant);
                connections::insert(&mut writing, &connection).await.unwrap();
                ask(&mut writing, &connection.id, 1, true).await.unwrap();
            }
        }
        writing.commit().await.unwrap();
        (folder, store)
    }

    fn worker(id: &str, lease: Option<Duration>) -> Worker {
        Worker { id: id.into(), lease }
    }

    async fn tenants_of(store: &Store, runs: &[String]) -> String {
        let mut tenants = Vec::new();
        for run in runs {
            let row = query("SELECT connection FROM runs WHERE id = $1").bind(run.clone());
            let row = row.fetch_one(store.read()).await.unwrap();
            tenants.push(row.get::<String, _>("connection").chars().take(1).collect::<String>());
        }
        tenants.sort_unstable();
        tenants.concat()
    }

    #[tokio::test]
    async fn tenants_take_turns_and_none_takes_all_places() {
        let (_folder, store) = queue(&[("big", 20), ("a", 1), ("c", 2)]).await;
        let here = worker("here", None);
        let first = claimable(&store, &here, 8, 6).await.unwrap();
        assert_eq!(tenants_of(&store, &first).await, "abbbbbcc");
        for run in &first {
            assert!(claim(&store, run, &here).await.unwrap().is_some());
        }
        // The big one has five of its six places; what the others give back is not for it alone.
        let next = claimable(&store, &here, 8, 6).await.unwrap();
        assert_eq!(tenants_of(&store, &next).await, "b");
        // Another process has places of its own.
        let there = claimable(&store, &worker("there", None), 8, 6).await.unwrap();
        assert_eq!(tenants_of(&store, &there).await, "bbbbbb");
    }

    #[tokio::test]
    async fn a_run_is_claimed_once_and_a_stopped_one_stays_on_the_schedule() {
        let (_folder, store) = queue(&[("a", 1)]).await;
        let (here, there) = (worker("here", None), worker("there", None));
        let runs = claimable(&store, &here, 8, 6).await.unwrap();
        let run = runs.first().unwrap();
        let claimed = claim(&store, run, &here).await.unwrap().unwrap();
        assert_eq!(claim(&store, run, &there).await.unwrap().map(|it| it.id), None);
        release(&store, run, &there).await.unwrap();
        assert_eq!(claimable(&store, &here, 8, 6).await.unwrap(), Vec::<String>::new());
        release(&store, run, &here).await.unwrap();
        assert_eq!(stop(&store, &claimed.connection, run).await.unwrap(), "stopped");
        let connection = connections::get(&store, "a000", None).await.unwrap();
        assert!(connection.next_due.is_some_and(|due| due > now()), "{connection:?}");
    }

    #[tokio::test]
    async fn a_lease_that_is_over_is_claimed_by_another_and_fences_the_first() {
        let (_folder, store) = queue(&[("a", 1)]).await;
        let here = worker("here", Some(Duration::from_millis(1)));
        let there = worker("there", Some(Duration::from_secs(60)));
        let run = claimable(&store, &here, 8, 6).await.unwrap().remove(0);
        let first = claim(&store, &run, &here).await.unwrap().unwrap();
        while claimable(&store, &there, 8, 6).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        let second = claim(&store, &run, &there).await.unwrap().unwrap();
        assert_eq!(second.epoch, first.epoch + 1);
        assert!(renew(&store, &here).await.unwrap().is_empty(), "it has none any more");
        assert_eq!(renew(&store, &there).await.unwrap().len(), 1);
        assert!(claim(&store, &run, &here).await.unwrap().is_none(), "the lease is not over");
        assert_eq!(release_all(&store, &there).await.unwrap(), 1);
        assert!(claim(&store, &run, &here).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_build_of_other_tables_claims_nothing() {
        let (_folder, store) = queue(&[("a", 1)]).await;
        let here = worker("here", None);
        let run = claimable(&store, &here, 8, 6).await.unwrap().remove(0);
        let sql = "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
                   execution_time) VALUES (9999, 'later', TRUE, x'00', 0)";
        let mut writing = store.write().await.unwrap();
        query(sql).execute(&mut *writing).await.unwrap();
        writing.commit().await.unwrap();
        assert!(claim(&store, &run, &here).await.unwrap().is_none());
        assert!(!store.is_of_this_build().await.unwrap());
    }
}
