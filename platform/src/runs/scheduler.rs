//! Who runs what, in one process: a loop that asks for what is due, wakes what waited, and claims
//! runs of every tenant in turn as long as there are places.
//!
//! It decides nothing that matters: what it loses, the next turn finds in the database.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::collect::{Left, collect_one};
use super::{retention, table, usage};
use crate::connections::Connections;
use crate::problem::Problem;
use crate::store::tokens::new_id;

/// Time between two looks at the database.
const TURN: Duration = Duration::from_millis(500);
/// Time until a run is claimed again whose pages the database did not take.
const AFTER_A_FAULT: Duration = Duration::from_secs(5);
/// Runs at the same time.
pub const SLOTS: usize = 64;
/// Of them, those of one tenant: however many it has, another tenant's run begins at once.
const SHARE: i64 = 48;
/// Time between two looks for what is kept too long.
const RETENTION_TURN: Duration = Duration::from_secs(6 * 3_600);

/// Wakes the scheduler before its turn.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// Something is to be done.
    pub fn now(&self) {
        self.0.notify_one();
    }
}

/// Runs until `shutdown`, and drops what is kept for more than these days. At the end, every run of
/// this process gives its place up after the page that is being delivered.
///
/// # Errors
/// If the database cannot be read at the start.
pub async fn run(
    all: Connections,
    wake: Wake,
    keep_days: i64,
    mut shutdown: watch::Receiver<bool>,
) -> Result<(), Problem> {
    let holder = new_id("p");
    let taken = table::take_over(&all.store).await?;
    if taken > 0 {
        tracing::info!(runs = taken, "runs of an earlier process go on");
    }
    let mut runs = JoinSet::new();
    for (connection, run) in usage::due(&all.store).await? {
        let all = all.clone();
        runs.spawn(async move {
            if let Err(problem) = usage::collect(&all, &connection, &run).await {
                tracing::warn!(run, code = problem.code, "usage could not be collected");
            }
        });
    }
    let mut retained = None::<Instant>;
    while !*shutdown.borrow() {
        if retained.is_none_or(|at| at.elapsed() >= RETENTION_TURN) {
            retained = Some(Instant::now());
            if let Err(problem) = retention::apply(&all.store, keep_days).await {
                tracing::error!(code = problem.code, "old history is kept: {}", problem.detail);
            }
        }
        if let Err(problem) = turn(&all, &holder, &shutdown, &mut runs, &wake).await {
            tracing::error!(code = problem.code, "the schedule cannot be read: {}", problem.detail);
        }
        while let Some(ended) = runs.try_join_next() {
            if let Err(crash) = ended {
                tracing::error!(%crash, "a run crashed");
            }
        }
        tokio::select! {
            _ = shutdown.wait_for(|stop| *stop) => break,
            () = wake.0.notified() => {}
            () = tokio::time::sleep(TURN) => {}
        }
    }
    while runs.join_next().await.is_some() {}
    Ok(())
}

async fn turn(
    all: &Connections,
    holder: &str,
    shutdown: &watch::Receiver<bool>,
    runs: &mut JoinSet<()>,
    wake: &Wake,
) -> Result<(), Problem> {
    if all.store.remembers() {
        all.store.forget().await?;
    }
    let due = table::sweep(&all.store).await?;
    let free = SLOTS.saturating_sub(runs.len());
    let claimable = match i64::try_from(free) {
        Ok(free) if free > 0 => table::claimable(&all.store, free, SHARE).await?,
        _ => Vec::new(),
    };
    // More may be due than one turn asks for.
    if due >= 200 {
        wake.now();
    }
    for run in claimable {
        let (all, holder, shutdown, wake) =
            (all.clone(), holder.to_owned(), shutdown.clone(), wake.clone());
        runs.spawn(async move {
            match collect_one(&all, &run, &holder, shutdown.clone()).await {
                Ok(Left::Open) | Err(_) if !*shutdown.borrow() => {
                    tracing::warn!(
                        run,
                        "the database does not take what is collected; the run goes on later"
                    );
                    tokio::time::sleep(AFTER_A_FAULT).await;
                    let _ = table::release(&all.store, &run, &holder).await;
                }
                Ok(_) | Err(_) => {}
            }
            wake.now();
        });
        // A claim takes a moment; until then the run is claimable, and claimed once.
        tokio::task::yield_now().await;
    }
    Ok(())
}
