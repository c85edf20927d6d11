//! Runs as they lie in the database: asked for, claimed, read.

use serde_json::{Value, json};
use smp_host::collect::guard::Counts;
use sqlx::any::AnyRow;
use sqlx::{Row, query};

use crate::clock::{now, rfc3339};
use crate::problem::Problem;
use crate::store::connections::{self, Connection};
use crate::store::tokens::new_id;
use crate::store::{Store, Writing};

/// A run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// Its number among the runs of the connection.
    pub seq: i64,
    /// `open`, `waiting`, `complete`, `failed` or `stopped`.
    pub state: String,
    /// What was counted.
    pub counts: Counts,
    /// What the connector noted.
    pub notes: Value,
    /// Requests, over all processes.
    pub requests: i64,
    /// Repeated requests.
    pub retries: i64,
    /// Time spent in waits.
    pub waited_ms: i64,
    /// When a waiting run goes on.
    pub resumes_at: Option<i64>,
    /// Why it failed or waits.
    pub error: Option<Value>,
    /// When it began.
    pub started: i64,
    /// When it ended.
    pub ended: Option<i64>,
}

/// A run that this process holds.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Its id.
    pub id: String,
    /// Its connection.
    pub connection: String,
    /// Its number among the runs of the connection.
    pub seq: i64,
    /// The epoch of the claim.
    pub epoch: i64,
    /// Pages that were delivered before.
    pub page: i64,
    /// The sweep.
    pub sweep: i64,
    /// How often it was given back.
    pub attempts: i64,
    /// Figures of earlier processes.
    pub requests: i64,
    /// Likewise.
    pub retries: i64,
    /// Likewise.
    pub waited_ms: i64,
    /// Likewise.
    pub bytes: i64,
    /// When it began.
    pub started: i64,
}

const COLUMNS: &str = "id, seq, state, counts, notes, requests, retries, waited_ms, resumes_at, \
                       error, started, ended";

fn run(row: &AnyRow) -> Result<Run, Problem> {
    let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
    let counts: String = row.try_get("counts")?;
    Ok(Run {
        id: row.try_get("id")?,
        seq: row.try_get("seq")?,
        state: row.try_get("state")?,
        counts: serde_json::from_str(&counts).unwrap_or_default(),
        notes: json(row.try_get("notes")?).unwrap_or_else(|| json!([])),
        requests: row.try_get("requests")?,
        retries: row.try_get("retries")?,
        waited_ms: row.try_get("waited_ms")?,
        resumes_at: row.try_get("resumes_at")?,
        error: json(row.try_get("error")?),
        started: row.try_get("started")?,
        ended: row.try_get("ended")?,
    })
}

impl Run {
    /// The run as the API answers it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "number": self.seq,
            "state": self.state,
            "members": self.counts.members,
            "people": self.counts.people,
            "total": self.counts.last_total,
            "pages": self.counts.pages,
            "duplicates": self.counts.duplicates,
            "requests": self.requests,
            "retries": self.retries,
            "waited_ms": self.waited_ms,
            "resumes_at": self.resumes_at.and_then(rfc3339),
            "notes": self.notes,
            "error": self.error,
            "started": rfc3339(self.started),
            "ended": self.ended.and_then(rfc3339),
        })
    }
}

/// Asks for a run of a connection. If one is open or waits, or was stopped and can go on, it is
/// that one. `due` names it: asking twice for the same instant is asking once.
///
/// # Errors
/// If the database fails.
pub async fn ask(
    writing: &mut Writing,
    connection: &str,
    due: i64,
    now_too: bool,
) -> Result<String, Problem> {
    let sql = "SELECT id, state FROM runs WHERE connection = $1 ORDER BY seq DESC LIMIT 1";
    let last = query(sql).bind(connection.to_owned()).fetch_optional(&mut **writing).await?;
    if let Some(last) = last {
        let (id, state): (String, String) = (last.try_get("id")?, last.try_get("state")?);
        let goes_on = matches!(state.as_str(), "open" | "waiting" | "stopped");
        if goes_on {
            // A person who asks for a run does not mean to wait for the next attempt.
            if state == "stopped" || (state == "waiting" && now_too) {
                let sql = "UPDATE runs SET state = 'open', stop = 0, resumes_at = NULL, ended = \
                           NULL, held = NULL \
                           WHERE id = $1";
                query(sql).bind(id.clone()).execute(&mut **writing).await?;
            }
            return Ok(id);
        }
    }
    let sql = "UPDATE connections SET runs = runs + 1 WHERE id = $1 RETURNING runs";
    let row = query(sql).bind(connection.to_owned()).fetch_optional(&mut **writing).await?;
    let seq: i64 = row.ok_or_else(|| Problem::not_found("connection"))?.try_get("runs")?;
    let id = new_id("r");
    let sql = "INSERT INTO runs (id, connection, seq, due, state, epoch, page, sweep, done, \
               counts, notes, requests, retries, waited_ms, bytes, attempts, stop, started) \
               VALUES ($1, $2, $3, $4, 'open', 0, 0, 0, 0, $5, '[]', 0, 0, 0, 0, 0, 0, $6) \
               ON CONFLICT (connection, due) DO NOTHING";
    let done = query(sql)
        .bind(id.clone())
        .bind(connection.to_owned())
        .bind(seq)
        .bind(due)
        .bind(serde_json::to_string(&Counts::default()).unwrap_or_default())
        .bind(now())
        .execute(&mut **writing)
        .await?;
    if done.rows_affected() == 0 {
        return Err(Problem::conflict("a run of the same instant was asked for before"));
    }
    Ok(id)
}

/// Claims a run: whoever held it before writes nothing more. `None` if it is not to be claimed.
///
/// # Errors
/// If the database fails.
pub async fn claim(store: &Store, id: &str, holder: &str) -> Result<Option<Claimed>, Problem> {
    let mut writing = store.write().await?;
    let sql = "UPDATE runs SET epoch = epoch + 1, held = $2, error = NULL \
               WHERE id = $1 AND state = 'open' AND held IS NULL RETURNING id, connection, seq, \
               epoch, page, sweep, attempts, requests, retries, waited_ms, bytes, started";
    let row = query(sql).bind(id.to_owned()).bind(holder.to_owned());
    let row = row.fetch_optional(&mut *writing).await?;
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

/// Gives a run back that this process holds, so that it is claimed again.
///
/// # Errors
/// If the database fails.
pub async fn release(store: &Store, id: &str, holder: &str) -> Result<(), Problem> {
    let mut writing = store.write().await?;
    query("UPDATE runs SET held = NULL WHERE id = $1 AND held = $2")
        .bind(id.to_owned())
        .bind(holder.to_owned())
        .execute(&mut *writing)
        .await?;
    writing.commit().await?;
    Ok(())
}

/// Runs that are to be claimed now, at most this many: of every tenant in turn, those that go on
/// counted, and of one tenant at most its share of places.
///
/// # Errors
/// If the database fails.
pub async fn claimable(store: &Store, most: i64, share: i64) -> Result<Vec<String>, Problem> {
    // Held runs come first in the order of a tenant, so that they take its first places.
    let sql = "SELECT id \
               FROM (SELECT r.id, r.started, r.held, row_number() OVER (PARTITION BY c.tenant \
               ORDER BY CASE WHEN r.held IS NULL THEN 1 ELSE 0 END, r.started, r.id) AS place \
               FROM runs r JOIN connections c ON c.id = r.connection \
               WHERE r.state IN ('open', 'waiting') AND r.state = 'open') AS queue \
               WHERE held IS NULL AND place <= $2 ORDER BY place, started, id LIMIT $1";
    let rows = query(sql).bind(most).bind(share).fetch_all(store.read()).await?;
    rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
}

/// Asks for the runs of connections that are due, and wakes runs that waited long enough.
///
/// # Errors
/// If the database fails.
pub async fn sweep(store: &Store) -> Result<u64, Problem> {
    let at = now();
    let waiting = query(
        "SELECT 1 FROM runs \
         WHERE state IN ('open', 'waiting') AND state = 'waiting' AND resumes_at <= $1 LIMIT 1",
    );
    let mut woken = 0;
    if waiting.bind(at).fetch_optional(store.read()).await?.is_some() {
        let mut writing = store.write().await?;
        let sql = "UPDATE runs SET state = 'open', resumes_at = NULL, held = NULL \
                   WHERE state IN ('open', 'waiting') AND state = 'waiting' AND resumes_at <= $1";
        woken = query(sql).bind(at).execute(&mut *writing).await?.rows_affected();
        writing.commit().await?;
    }
    let sql = "SELECT id, next_due FROM connections WHERE paused = 0 AND next_due <= $1 \
               ORDER BY next_due LIMIT 200";
    let due = query(sql).bind(at).fetch_all(store.read()).await?;
    if due.is_empty() {
        return Ok(woken);
    }
    let mut writing = store.write().await?;
    for row in &due {
        let (connection, instant): (String, i64) = (row.try_get("id")?, row.try_get("next_due")?);
        match ask(&mut writing, &connection, instant, false).await {
            Ok(_) => {}
            // It was asked for, and has ended meanwhile.
            Err(problem) if problem.status == 409 => {}
            Err(problem) => return Err(problem),
        }
        // It is due again when this run ends.
        query("UPDATE connections SET next_due = NULL WHERE id = $1 AND next_due = $2")
            .bind(connection)
            .bind(instant)
            .execute(&mut *writing)
            .await?;
    }
    writing.commit().await?;
    Ok(woken + u64::try_from(due.len()).unwrap_or(u64::MAX))
}

/// Takes over what an earlier process of this store held: there is only one at a time.
///
/// # Errors
/// If the database fails.
pub async fn take_over(store: &Store) -> Result<u64, Problem> {
    let mut writing = store.write().await?;
    let sql =
        "UPDATE runs SET held = NULL, epoch = epoch + 1 WHERE state = 'open' AND held IS NOT NULL";
    let taken = query(sql).execute(&mut *writing).await?.rows_affected();
    writing.commit().await?;
    Ok(taken)
}

/// Notes that a person wants a run to stop. Returns its state.
///
/// # Errors
/// `not-found`.
pub async fn stop(store: &Store, connection: &str, run: &str) -> Result<String, Problem> {
    let mut writing = store.write().await?;
    // What nobody holds is stopped at once.
    let sql = "UPDATE runs SET stop = 1, state = CASE WHEN held IS NULL OR state = 'waiting' \
               THEN 'stopped' ELSE state END, ended = CASE WHEN held IS NULL OR state = \
               'waiting' THEN $3 ELSE ended END \
               WHERE id = $1 AND connection = $2 AND state IN ('open', 'waiting') RETURNING \
               state";
    let row = query(sql).bind(run.to_owned()).bind(connection.to_owned()).bind(now());
    let row = row.fetch_optional(&mut *writing).await?;
    let state: Option<String> = row.map(|row| row.try_get("state")).transpose()?;
    if state.as_deref() == Some("stopped") {
        // The schedule goes on with it.
        let whose = connections::get(store, connection, None).await?;
        connections::due(&mut writing, connection, next_due(&whose, now())).await?;
    }
    writing.commit().await?;
    match state {
        Some(state) => Ok(state),
        None => Ok(get(store, connection, run).await?.state),
    }
}

/// A run of a connection.
///
/// # Errors
/// `not-found`.
pub async fn get(store: &Store, connection: &str, id: &str) -> Result<Run, Problem> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE connection = $1 AND id = $2");
    let row = query(sqlx::AssertSqlSafe(sql)).bind(connection.to_owned()).bind(id.to_owned());
    let row = row.fetch_optional(store.read()).await?;
    row.as_ref().map(run).transpose()?.ok_or_else(|| Problem::not_found("run"))
}

/// The runs of a connection before this number, the latest first.
///
/// # Errors
/// If the database fails.
pub async fn list(
    store: &Store,
    connection: &str,
    before: i64,
    limit: i64,
) -> Result<Vec<Run>, Problem> {
    let sql = format!(
        "SELECT {COLUMNS} FROM runs WHERE connection = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3"
    );
    let rows = query(sqlx::AssertSqlSafe(sql)).bind(connection.to_owned()).bind(before).bind(limit);
    rows.fetch_all(store.read()).await?.iter().map(run).collect()
}

/// When the next run of a connection is due: after its interval, with jitter that is the same for a
/// connection, so that runs spread over a tenth of it.
#[must_use]
pub fn next_due(connection: &Connection, from: i64) -> i64 {
    let every = connection.every_hours.max(1).saturating_mul(crate::clock::HOUR);
    let spread = (every / 10).max(1);
    let jitter = connection
        .id
        .bytes()
        .fold(7_i64, |sum, byte| sum.wrapping_mul(31).wrapping_add(i64::from(byte)));
    from.saturating_add(every).saturating_add(jitter.rem_euclid(spread))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::store::Place;

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
        let first = claimable(&store, 8, 6).await.unwrap();
        assert_eq!(tenants_of(&store, &first).await, "abbbbbcc");
        for run in &first {
            assert!(claim(&store, run, "here").await.unwrap().is_some());
        }
        // The big one has five of its six places; what the others give back is not for it alone.
        let next = claimable(&store, 8, 6).await.unwrap();
        assert_eq!(tenants_of(&store, &next).await, "b");
    }

    #[tokio::test]
    async fn a_run_is_claimed_once_and_a_stopped_one_stays_on_the_schedule() {
        let (_folder, store) = queue(&[("a", 1)]).await;
        let runs = claimable(&store, 8, 6).await.unwrap();
        let run = runs.first().unwrap();
        let claimed = claim(&store, run, "here").await.unwrap().unwrap();
        assert_eq!(claim(&store, run, "there").await.unwrap().map(|it| it.id), None);
        release(&store, run, "there").await.unwrap();
        assert_eq!(claimable(&store, 8, 6).await.unwrap(), Vec::<String>::new());
        release(&store, run, "here").await.unwrap();
        assert_eq!(stop(&store, &claimed.connection, run).await.unwrap(), "stopped");
        let connection = connections::get(&store, "a000", None).await.unwrap();
        assert!(connection.next_due.is_some_and(|due| due > now()), "{connection:?}");
    }
}
