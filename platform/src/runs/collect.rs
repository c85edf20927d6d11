//! One run, from claim to conclusion. The scheduler and, later, any other engine call the same.

use std::sync::Arc;

use serde_json::json;
use smp_host::collect::report::{Outcome, RunReport};
use smp_host::failure::{Code, Failure};
use smp_host::http::base::Purpose;
use tokio::sync::watch;

use super::ledger::Ledger;
use super::live::{Figures, Told};
use super::table::{self, Claimed};
use super::{claims, conclude, usage};
use crate::connections::Connections;
use crate::keys::vault;
use crate::problem::Problem;
use crate::store::connections as stored;

/// How a run left this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// It was not to be claimed, or another process took it over.
    Elsewhere,
    /// It ended, or waits for its instant.
    Concluded,
    /// It is open: the database did not take what was collected.
    Open,
}

/// Claims a run, and collects until it ends, waits, or `stop` says so.
///
/// # Errors
/// If the database fails.
pub async fn collect_one(
    all: &Connections,
    run: &str,
    mut shutdown: watch::Receiver<bool>,
) -> Result<Left, Problem> {
    let Some(claimed) = claims::claim(&all.store, run, &all.worker).await? else {
        return Ok(Left::Elsewhere);
    };
    let mut stop = all.live.begin(run);
    let stopped = async move {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            _ = shutdown.wait_for(|stop| *stop) => {}
        }
    };
    let left = claimed_run(all, &claimed, stopped).await;
    let ended = table::get(&all.store, &claimed.connection, run).await;
    let event = ended.map_or_else(
        |_| json!({"event": "ended"}),
        |ended| json!({"event": "ended", "run": ended.to_json()}),
    );
    all.live.end(run, event);
    left
}

async fn claimed_run(
    all: &Connections,
    claimed: &Claimed,
    stopped: impl Future<Output = ()>,
) -> Result<Left, Problem> {
    let connection = match stored::get(&all.store, &claimed.connection, None).await {
        // A run that has pages ends with the build that it began with.
        Ok(connection) if claimed.page > 0 => connection,
        Ok(connection) => all.upgrade(&connection).await?,
        Err(problem) if problem.status == 404 => return Ok(Left::Elsewhere),
        Err(problem) => return Err(problem),
    };
    let figures = Arc::new(Figures::default());
    let told = Arc::new(Told::new(all.live.clone(), claimed.id.clone(), Arc::clone(&figures)));
    let (id, epoch) = (&claimed.id, Some(claimed.epoch));
    let opened = all.session(&connection, Purpose::Members, id, epoch, told).await;
    let (session, ..) = match opened {
        Ok(opened) => opened,
        Err(problem) if matches!(problem.code.as_str(), "database" | "disk-full" | vault::CODE) => {
            return Err(problem);
        }
        // Another process may have the right key file.
        Err(problem) if all.store.is_shared() && problem.code == "key-file" => {
            tracing::error!(run = claimed.id, "{}", problem.detail);
            return Err(problem);
        }
        Err(problem) => {
            conclude::fail(&all.store, claimed, &failure(problem)).await?;
            return Ok(Left::Concluded);
        }
    };
    let mut ledger = Ledger::new(all.store.clone(), claimed.clone(), figures);
    let report = session.collect_members(&mut ledger, stopped).await;
    count(&connection.connector, &report, claimed.started);
    if report.outcome == Outcome::Complete {
        usage::collect(all, &connection.id, &claimed.id).await?;
    }
    // Seen from the database: what was not written there did not happen.
    let now = match table::get(&all.store, &claimed.connection, &claimed.id).await {
        Ok(now) => now,
        // Its connection was deleted meanwhile.
        Err(problem) if problem.status == 404 => return Ok(Left::Elsewhere),
        Err(problem) => return Err(problem),
    };
    Ok(match (report.outcome, now.state.as_str()) {
        (Outcome::Fenced, _) => Left::Elsewhere,
        (_, "open") => Left::Open,
        _ => Left::Concluded,
    })
}

/// A problem before the first page, as the failure of the run.
fn failure(problem: Problem) -> Failure {
    let code = Code::ALL.iter().find(|code| code.as_str() == problem.code);
    let failure = Failure::new(code.copied().unwrap_or(Code::Other), problem.detail);
    match problem.hint {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}

fn count(connector: &str, report: &RunReport, started: i64) {
    let outcome = match report.outcome {
        Outcome::Complete => "complete",
        Outcome::Failed => "failed",
        Outcome::Stopped => "stopped",
        Outcome::Fenced => "fenced",
    };
    let labels = [("connector", connector.to_owned()), ("outcome", outcome.to_owned())];
    metrics::counter!("smp_runs_total", &labels).increment(1);
    let seconds = (crate::clock::now() - started).max(0);
    #[expect(clippy::cast_precision_loss, reason = "a duration for a histogram")]
    metrics::histogram!("smp_run_duration_seconds").record(seconds as f64 / 1_000.0);
}
