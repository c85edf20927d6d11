//! Who runs what, in one process: a loop that asks for what is due, wakes what waited, and claims
//! runs of every tenant in turn as long as there are places.
//!
//! It decides nothing that matters: what it loses, the next turn finds in the database. A store on
//! a server may have many such processes: one asks for what is due, and all claim.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::task::{Id, JoinSet};

use super::collect::{Left, collect_one};
use super::{claims, retention, table, usage};
use crate::connections::Connections;
use crate::members::search;
use crate::problem::Problem;

/// Time between two looks at the database.
const TURN: Duration = Duration::from_millis(500);
/// Time until a run is claimed again whose pages the database did not take.
const AFTER_A_FAULT: Duration = Duration::from_secs(5);
/// Runs at the same time, unless the operator says otherwise.
pub const SLOTS: u16 = 64;
/// Time between two looks for what is kept too long.
const RETENTION_TURN: Duration = Duration::from_secs(6 * 3_600);
/// Time between two looks for usage that its process left.
const USAGE_TURN: Duration = Duration::from_secs(60);
/// Time between two lines of the log about the same.
const SAID: Duration = Duration::from_secs(60);
/// How long runs may take to give their place up.
const GRACE: Duration = Duration::from_secs(7);

/// Wakes the scheduler, or the engine in its place, before its turn.
#[derive(Clone, Debug, Default)]
pub struct Wake {
    notify: Arc<Notify>,
    /// Runs that people asked for, where an engine puts them before others.
    asked: Option<Arc<Mutex<Vec<String>>>>,
}

impl Wake {
    /// That of an engine.
    #[must_use]
    pub fn of_engine() -> Self {
        Self { asked: Some(Arc::default()), ..Self::default() }
    }

    /// Something is to be done.
    pub fn now(&self) {
        self.notify.notify_one();
    }

    /// A person waits for this run.
    pub fn for_person(&self, run: &str) {
        if let Some(asked) = &self.asked {
            asked.lock().unwrap_or_else(PoisonError::into_inner).push(run.to_owned());
        }
        self.now();
    }

    /// Waits until something is to be done.
    pub(crate) async fn woken(&self) {
        self.notify.notified().await;
    }

    /// The runs that people asked for since the last time.
    pub(crate) fn asked(&self) -> Vec<String> {
        let asked = self.asked.as_ref();
        asked.map_or_else(Vec::new, |asked| {
            std::mem::take(&mut *asked.lock().unwrap_or_else(PoisonError::into_inner))
        })
    }
}

/// What a process does.
#[derive(Clone, Copy, Debug)]
pub struct Duty {
    /// Runs at the same time. Of them, those of one tenant are three quarters at most: however many
    /// it has, another tenant's run begins at once.
    pub slots: usize,
    /// Whether it asks for what is due, and drops what is older than so many days.
    pub schedule: Option<i64>,
    /// Whether an engine asks for what is due, and says who claims what.
    pub engine: bool,
}

/// The loop of a process.
struct Schedule {
    all: Connections,
    wake: Wake,
    duty: Duty,
    shutdown: watch::Receiver<bool>,
    runs: JoinSet<()>,
    /// The run of each task.
    names: HashMap<Id, String>,
    retained: Option<Instant>,
    /// When usage was looked for that its process left.
    usage: Option<Instant>,
    /// When it was said that the tables are of another build.
    said: Option<Instant>,
}

/// Runs until `shutdown`. At the end, every run of this process gives its place up after the page
/// that is being delivered, and another process claims it.
///
/// # Errors
/// If the database cannot be read at the start.
pub async fn run(
    all: Connections,
    wake: Wake,
    duty: Duty,
    shutdown: watch::Receiver<bool>,
) -> Result<(), Problem> {
    if !all.store.is_shared() {
        let taken = claims::take_over(&all.store).await?;
        if taken > 0 {
            tracing::info!(runs = taken, "runs of an earlier process go on");
        }
    }
    let leases = tokio::spawn(leases(all.clone()));
    let words = (!all.store.is_shared()).then(|| tokio::spawn(search::keep(all.store.clone())));
    let (runs, names) = (JoinSet::new(), HashMap::new());
    let (retained, usage, said) = (None, None, None);
    let schedule = Schedule { all, wake, duty, shutdown, runs, names, retained, usage, said };
    schedule.run().await;
    leases.abort();
    if let Some(words) = words {
        words.abort();
    }
    Ok(())
}

impl Schedule {
    async fn run(mut self) {
        let mut shutdown = self.shutdown.clone();
        while !*shutdown.borrow() {
            if let Err(problem) = self.turn().await {
                let code = problem.code;
                tracing::error!(code, "the schedule cannot be read: {}", problem.detail);
            }
            self.note_ended().await;
            tokio::select! {
                _ = shutdown.wait_for(|stop| *stop) => break,
                () = self.wake.woken() => {}
                () = tokio::time::sleep(TURN) => {}
            }
        }
        let ended = async { while self.runs.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            tracing::warn!("runs were cut off; they go on after their last page");
        }
        self.runs.abort_all();
        // Whatever did not give its place up itself.
        if self.all.store.is_shared()
            && claims::release_all(&self.all.store, &self.all.worker).await.is_err()
        {
            tracing::warn!("runs could not be given back; others claim them when they are overdue");
        }
    }

    async fn note_ended(&mut self) {
        while let Some(ended) = self.runs.try_join_next_with_id() {
            let (id, crash) = match ended {
                Ok((id, ())) => (id, None),
                Err(error) => (error.id(), Some(error)),
            };
            let run = self.names.remove(&id);
            let (Some(crash), Some(run)) = (crash, run) else { continue };
            tracing::error!(%crash, run, "a run crashed");
            let _ = claims::release(&self.all.store, &run, &self.all.worker).await;
        }
    }

    async fn turn(&mut self) -> Result<(), Problem> {
        let all = self.all.clone();
        if !all.store.is_of_this_build().await? {
            if self.said.is_none_or(|at| at.elapsed() >= SAID) {
                self.said = Some(Instant::now());
                tracing::warn!(
                    "the tables of the database are those of another version: nothing is claimed"
                );
            }
            return Ok(());
        }
        if let Some(days) = self.duty.schedule {
            self.keep_the_schedule(days).await?;
        }
        if self.duty.slots == 0 {
            return Ok(());
        }
        self.collect_usage_that_was_left().await?;
        if all.store.is_shared() && all.live.held() > 0 {
            for run in claims::to_stop(&all.store, &all.worker).await? {
                all.live.stop(&run);
            }
        }
        if self.duty.engine {
            return Ok(());
        }
        let free = self.duty.slots.saturating_sub(self.runs.len());
        let share = self.duty.slots - self.duty.slots / 4;
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let claimable = match free {
            0 => Vec::new(),
            _ => claims::claimable(&all.store, &all.worker, number(free), number(share)).await?,
        };
        for run in claimable {
            // It lost its lease, and will notice.
            if !all.live.has(&run) {
                self.begin(run);
                // A claim takes a moment; until then the run is claimable, and claimed once.
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    async fn keep_the_schedule(&mut self, days: i64) -> Result<(), Problem> {
        let store = &self.all.store;
        if self.retained.is_none_or(|at| at.elapsed() >= RETENTION_TURN) {
            self.retained = Some(Instant::now());
            if let Err(problem) = retention::apply(store, days).await {
                tracing::error!(code = problem.code, "old history is kept: {}", problem.detail);
            }
        }
        if store.remembers() {
            store.forget().await?;
        }
        // More may be due than one turn asks for.
        if !self.duty.engine && table::sweep(store).await? >= 200 {
            self.wake.now();
        }
        Ok(())
    }

    /// Usage of whole runs whose process ended before it was told.
    async fn collect_usage_that_was_left(&mut self) -> Result<(), Problem> {
        let again = self.all.store.is_shared();
        if self.usage.is_some_and(|at| !again || at.elapsed() < USAGE_TURN) {
            return Ok(());
        }
        self.usage = Some(Instant::now());
        for (connection, run) in usage::due(&self.all.store).await? {
            let all = self.all.clone();
            self.runs.spawn(async move {
                if let Err(problem) = usage::collect(&all, &connection, &run).await {
                    tracing::warn!(run, code = problem.code, "usage could not be collected");
                }
            });
        }
        Ok(())
    }

    fn begin(&mut self, run: String) {
        let (all, shutdown, wake) = (self.all.clone(), self.shutdown.clone(), self.wake.clone());
        let name = run.clone();
        let task = self.runs.spawn(async move {
            match collect_one(&all, &run, shutdown.clone()).await {
                left @ (Ok(Left::Open) | Err(_)) if !*shutdown.borrow() => {
                    let reason = left.err().map_or_else(
                        || "the database does not take what is collected".to_owned(),
                        |problem| problem.detail,
                    );
                    tracing::warn!(run, "{reason}; the run goes on later");
                    // What cannot be given back is not claimed by anybody else.
                    loop {
                        tokio::time::sleep(AFTER_A_FAULT).await;
                        let released = claims::release(&all.store, &run, &all.worker).await;
                        if released.is_ok() || *shutdown.borrow() {
                            break;
                        }
                    }
                }
                Ok(_) | Err(_) => {}
            }
            wake.now();
        });
        self.names.insert(task.id(), name);
    }
}

/// Renews the leases of this process, and stops what another one has.
async fn leases(all: Connections) {
    let Some(lease) = all.worker.lease else { return };
    let mut renewed = Instant::now();
    loop {
        tokio::time::sleep(lease / 3).await;
        // Those that are claimed later are not told by what is asked now.
        let held = all.live.runs_held();
        let renewing = claims::renew(&all.store, &all.worker);
        match tokio::time::timeout(lease, renewing).await {
            Ok(Ok(kept)) => {
                renewed = Instant::now();
                for run in held.iter().filter(|run| !kept.contains(*run)) {
                    all.live.stop(run);
                }
            }
            _ if renewed.elapsed() >= lease && !held.is_empty() => {
                tracing::warn!("the database is not there: runs are given up");
                held.iter().for_each(|run| all.live.stop(run));
            }
            _ => {}
        }
    }
}
