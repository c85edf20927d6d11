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
    // Two that ask at the same time ask one after the other.
    if connections::locked(writing, connection).await?.is_none() {
        return Err(Problem::not_found("connection"));
    }
    let sql = "SELECT id, state FROM runs WHERE connection = $1 ORDER BY seq DESC LIMIT 1";
    let last = query(sql).bind(connection.to_owned()).fetch_optional(&mut **writing).await?;
    if let Some(last) = last {
        let (id, state): (String, String) = (last.try_get("id")?, last.try_get("state")?);
        let goes_on = matches!(state.as_str(), "open" | "waiting" | "stopped");
        if goes_on {
            // A person who asks for a run does not mean to wait for the next attempt.
            if state == "stopped" || (state == "waiting" && now_too) {
                let sql = "UPDATE runs SET state = 'open', stop = 0, resumes_at = NULL, ended = \
                           NULL, held = NULL, held_until = NULL \
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
        let sql = "UPDATE runs SET state = 'open', resumes_at = NULL, held = NULL, held_until = NULL \
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
            // It was asked for, and has ended meanwhile; or the connection was deleted.
            Err(problem) if matches!(problem.status, 404 | 409) => {}
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

/// Notes that a person wants a run to stop. Returns its state.
///
/// # Errors
/// `not-found`.
pub async fn stop(store: &Store, connection: &str, run: &str) -> Result<String, Problem> {
    let mut writing = store.write().await?;
    // In the order in which the end of a run takes them.
    let whose = connections::locked(&mut writing, connection).await?;
    let whose = whose.ok_or_else(|| Problem::not_found("run"))?;
    // A run without a holder is stopped at once.
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

/// A run as the base of a list: only a whole one is.
///
/// # Errors
/// `not-found`, or `not-whole`.
pub async fn whole(store: &Store, connection: &str, id: &str) -> Result<Run, Problem> {
    let run = get(store, connection, id).await?;
    if run.state == "complete" {
        return Ok(run);
    }
    Err(Problem::new(422, "not-whole", "the list of that run is not whole").hint(
        "Who is missing from it may be there all the same. Name a run whose state is `complete`.",
    ))
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
