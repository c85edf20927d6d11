//! The end of a run, in one transaction: its state, what it changed of the members if it is whole,
//! and when its connection is due again. Only here does anybody appear, change, return or go.

use serde_json::Value;
use smp_host::collect::destination::{DestinationError, Ending};
use smp_host::collect::report::RunReport;
use smp_host::failure::{Code, Failure};
use sqlx::{Row, query};

use super::ledger::lost;
use super::live::Numbers;
use super::merge;
use super::table::{Claimed, next_due};
use crate::clock::{DAY, now};
use crate::problem::Problem;
use crate::store::connections::{self, Connection};
use crate::store::{Store, Writing};

/// The first wait of a run that may succeed later, and the longest.
const FIRST_WAIT: i64 = 30_000;
const LONGEST_WAIT: i64 = 15 * 60_000;
/// The first wait after a failed run, and the longest.
const FIRST_BACK_OFF: i64 = 15 * 60_000;
/// How long a run goes on coming back: a service that does not work for longer ends it.
const PATIENCE: i64 = 3 * DAY;

/// What becomes of a run.
enum Next {
    /// It ends in this state.
    Ends(&'static str),
    /// It goes on at this instant.
    Waits(i64),
    /// It goes on where somebody claims it.
    Open,
    /// A person stopped it.
    Stopped,
}

/// Ends a run.
///
/// # Errors
/// If another process holds it, or the database fails.
pub(super) async fn conclude(
    store: &Store,
    run: &Claimed,
    ending: Ending,
    report: &RunReport,
    numbers: Numbers,
) -> Result<(), DestinationError> {
    let mut writing = store.write().await.map_err(lost)?;
    // Both stay as they are until the end: no process claims the run or deletes the connection.
    let connection = connections::locked(&mut writing, &run.connection).await.map_err(lost)?;
    let Some(connection) = connection else { return Err(DestinationError::Fenced) };
    let sql = "UPDATE runs SET stop = stop \
               WHERE id = $1 AND epoch = $2 AND state = 'open' RETURNING stop";
    let row = query(sql).bind(run.id.clone()).bind(run.epoch);
    let Some(row) = row.fetch_optional(&mut *writing).await.map_err(lost)? else {
        metrics::counter!("smp_commits_fenced_total").increment(1);
        return Err(DestinationError::Fenced);
    };
    let stop: i64 = row.try_get("stop").map_err(lost)?;
    let next = next(ending, report.error.as_ref(), stop != 0, run);
    let (state, resumes_at) = match &next {
        Next::Ends(state) => (*state, None),
        Next::Waits(at) => ("waiting", Some(*at)),
        Next::Open => ("open", None),
        Next::Stopped => ("stopped", None),
    };
    let ended = matches!(next, Next::Ends(_) | Next::Stopped).then(now);
    let attempts = i64::from(matches!(next, Next::Waits(_)));
    let error = report.error.as_ref().filter(|_| !matches!(next, Next::Open | Next::Stopped));
    let error = error.map(|failure| failure.to_json().to_string());
    let sql = "UPDATE runs SET state = $3, resumes_at = $4, ended = $5, error = $6, attempts = \
               attempts + $7, requests = $8, retries = $9, waited_ms = $10, bytes = $11, held = \
               NULL, held_until = NULL, stop = 0, counts = $12, usage = $13 \
               WHERE id = $1 AND epoch = $2";
    query(sql)
        .bind(run.id.clone())
        .bind(run.epoch)
        .bind(state)
        .bind(resumes_at)
        .bind(ended)
        .bind(error.clone())
        .bind(attempts)
        .bind(numbers.requests)
        .bind(numbers.retries)
        .bind(numbers.waited_ms)
        .bind(numbers.bytes)
        .bind(serde_json::to_string(&report.counts).unwrap_or_default())
        .bind(i64::from(ending == Ending::Complete))
        .execute(&mut *writing)
        .await
        .map_err(lost)?;
    if ending == Ending::Complete {
        merge::merge(store, &mut writing, run, connection.complete == 0).await.map_err(lost)?;
    }
    if let Next::Ends(_) = next {
        drop_staged(&mut writing, &run.id).await.map_err(lost)?;
        let failure = report.error.as_ref();
        after(&mut writing, &connection, run.seq, failure).await.map_err(lost)?;
    }
    if let Next::Stopped = next {
        // The schedule goes on with it.
        let due = next_due(&connection, now());
        connections::due(&mut writing, &connection.id, due).await.map_err(lost)?;
    }
    writing.commit().await.map_err(lost)
}

/// Ends a run that never came to its first page: its connector cannot be loaded, its key not be
/// opened, or its settings are refused.
///
/// # Errors
/// If the database fails.
pub async fn fail(store: &Store, run: &Claimed, failure: &Failure) -> Result<(), Problem> {
    let report = RunReport {
        outcome: smp_host::collect::report::Outcome::Failed,
        counts: smp_host::collect::guard::Counts::default(),
        notes: Vec::new(),
        figures: smp_host::http::retry::Figures::default(),
        resumed: false,
        shortfall: None,
        error: Some(failure.clone()),
    };
    let numbers = Numbers {
        requests: run.requests,
        retries: run.retries,
        waited_ms: run.waited_ms,
        bytes: run.bytes,
    };
    match conclude(store, run, Ending::Over, &report, numbers).await {
        Ok(()) | Err(DestinationError::Fenced) => Ok(()),
        Err(DestinationError::Failed(failure)) => Err(failure.into()),
    }
}

fn next(ending: Ending, failure: Option<&Failure>, stop: bool, run: &Claimed) -> Next {
    let code = failure.map(|failure| failure.code);
    match ending {
        Ending::Complete => Next::Ends("complete"),
        Ending::Stopped if code == Some(Code::Interrupted) && stop => Next::Stopped,
        Ending::Stopped if matches!(code, Some(Code::Interrupted | Code::Output)) => Next::Open,
        // Whatever else went wrong ends the run; the next one follows after its back-off.
        Ending::Stopped
            if matches!(code, Some(Code::RateLimited | Code::Upstream | Code::Busy))
                && now() - run.started < PATIENCE =>
        {
            let seconds = failure.and_then(|failure| failure.retry_after_s);
            let asked = seconds.and_then(|seconds| i64::try_from(seconds).ok());
            let wait = match asked {
                Some(seconds) => seconds.saturating_mul(1_000).clamp(0, DAY),
                None => doubled(FIRST_WAIT, run.attempts).min(LONGEST_WAIT),
            };
            Next::Waits(now().saturating_add(wait))
        }
        _ => Next::Ends("failed"),
    }
}

fn doubled(first: i64, times: i64) -> i64 {
    first.saturating_mul(1 << times.clamp(0, 16))
}

/// What a run that ended means for its connection.
async fn after(
    writing: &mut Writing,
    connection: &Connection,
    seq: i64,
    failure: Option<&Failure>,
) -> Result<(), Problem> {
    let (state, failures, due) = match failure {
        None => ("ready", 0, Some(next_due(connection, now()))),
        Some(failure) => {
            // A service that has no members to show today may have them tomorrow; what a person
            // must mend stays as it is until then.
            let failures = connection.failures.saturating_add(1);
            let wait = doubled(FIRST_BACK_OFF, connection.failures);
            let due = now().saturating_add(wait).min(next_due(connection, now()));
            if failure.retryable() || failure.code == Code::UnexpectedResponse {
                ("failing", failures, Some(due))
            } else {
                ("attention", failures, None)
            }
        }
    };
    let sql = "UPDATE connections SET state = $2, failure = $3, failures = $4, next_due = $5, \
               complete = CASE WHEN $6 = 1 THEN $7 ELSE complete END \
               WHERE id = $1";
    query(sql)
        .bind(connection.id.clone())
        .bind(state)
        .bind(failure.map(Failure::to_json).as_ref().map(Value::to_string))
        .bind(failures)
        .bind(due)
        .bind(i64::from(failure.is_none()))
        .bind(seq)
        .execute(&mut **writing)
        .await?;
    Ok(())
}

/// Drops what an open run delivered.
pub(super) async fn drop_staged(writing: &mut Writing, run: &str) -> Result<(), Problem> {
    // The first is what an earlier version left.
    for sql in ["DELETE FROM staged WHERE run = $1", "DELETE FROM pages WHERE run = $1"] {
        query(sql).bind(run.to_owned()).execute(&mut **writing).await?;
    }
    Ok(())
}
