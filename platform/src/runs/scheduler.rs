//! Who runs what, in one process: a loop that asks for what is due, wakes what waited, and claims
//! runs of every tenant in turn as long as there are places.
//!
//! It decides nothing that matters: what it loses, the next turn finds in the database.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::collect::{Left, collect_one};
use super::table;
use crate::connections::Connections;
use crate::problem::Problem;
use crate::store::tokens::new_id;

/// Time between two looks at the database.
const TURN: Duration = Duration::from_millis(500);
/// Time until a run is claimed again whose pages the database did not take.
const AFTER_A_FAULT: Duration = Duration::from_secs(5);
/// Runs at the same time.
pub const SLOTS: usize = 64;

/// Wakes the scheduler before its turn.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// Something is to be done.
    pub fn now(&self) {
        self.0.notify_one();
    }
}

/// Runs until `shutdown`; then every run of this process gives its place up after the page that is
/// being delivered.
///
/// # Errors
/// If the database cannot be read at the start.
pub async fn run(
    all: Connections,
    wake: Wake,
    mut shutdown: watch::Receiver<bool>,
) -> Result<(), Problem> {
    let holder = new_id("p");
    let taken = table::take_over(&all.store).await?;
    if taken > 0 {
        tracing::info!(runs = taken, "runs of an earlier process go on");
    }
    let mut runs = JoinSet::new();
    while !*shutdown.borrow() {
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
    let due = table::sweep(&all.store).await?;
    let free = SLOTS.saturating_sub(runs.len());
    let claimable = table::claimable(&all.store, i64::try_from(free).unwrap_or(0)).await?;
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
