//! The engine of a worker: it says which run is collected, and is told what became of it. Claims,
//! leases and fences are those of the ledger, as without an engine.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::bridge::{Keeper, Voice, over};
use super::protocol::{Said, Say};
use super::{Options, Status, due};
use crate::clock::now;
use crate::connections::Connections;
use crate::problem::Problem;
use crate::runs::collect::{Left, collect_one};
use crate::runs::{claims, table};

/// Time between two signs of life.
const BEAT: Duration = Duration::from_secs(1);
/// Time between two looks whether the tables are those of this build.
const LOOK: Duration = Duration::from_secs(2);
/// Time until a run is tried again whose pages the database did not take.
const AFTER_A_FAULT: Duration = Duration::from_secs(5);
/// Longest time until a run is tried again that another process has.
const LONGEST_LEASE: i64 = 30_000;
/// Time until a run is tried again that this build does not claim.
const OF_ANOTHER_BUILD: Duration = Duration::from_secs(5);
/// How long runs may take to give their place up.
const GRACE: Duration = Duration::from_secs(6);

/// What a worker has in common for all its runs.
#[derive(Clone)]
struct Working {
    all: Connections,
    places: Arc<Semaphore>,
    shutdown: watch::Receiver<bool>,
}

/// Works for the engine until `shutdown`, and gives all runs back then.
pub async fn work(
    all: Connections,
    slots: usize,
    options: Options,
    status: Status,
    mut shutdown: watch::Receiver<bool>,
) {
    let mut keeper = Keeper::new(options, status, "work", slots);
    let places = Arc::new(Semaphore::new(slots));
    let working = Working { all, places, shutdown: shutdown.clone() };
    let mut runs = JoinSet::new();
    let mut of_this_build = true;
    loop {
        if !working.is_of_this_build(&mut of_this_build).await {
            tokio::select! {
                () = over(&mut shutdown) => break,
                () = tokio::time::sleep(LOOK) => continue,
            }
        }
        let Some(mut bridge) = keeper.started(&mut shutdown).await else { break };
        let (mut beat, mut look) = (tokio::time::interval(BEAT), tokio::time::interval(LOOK));
        loop {
            tokio::select! {
                () = over(&mut shutdown) => {
                    bridge.say(Say::Rest);
                    let ended = async { while runs.join_next().await.is_some() {} };
                    if tokio::time::timeout(GRACE, ended).await.is_err() {
                        tracing::warn!("runs were cut off; they go on after their last page");
                    }
                    return bridge.end_now().await;
                }
                _ = beat.tick() => bridge.say(Say::Alive),
                _ = look.tick() => {
                    while runs.try_join_next().is_some() {}
                    if !working.is_of_this_build(&mut of_this_build).await {
                        break;
                    }
                }
                said = bridge.next() => match said {
                    None => break,
                    Some(Said::Engine { there, why }) => {
                        keeper.note(there, why.as_deref());
                    }
                    Some(Said::Collect { task, run, connection, waited_ms }) => {
                        let waited = Duration::from_millis(waited_ms);
                        metrics::histogram!("smp_engine_wait_seconds").record(waited);
                        runs.spawn(working.clone().run(bridge.voice(), task, connection, run));
                    }
                    Some(_) => {}
                },
            }
        }
        keeper.ended(bridge).await;
    }
    let ended = async { while runs.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, ended).await;
}

impl Working {
    /// Whether runs may be claimed. A database that is away changes nothing.
    async fn is_of_this_build(&self, before: &mut bool) -> bool {
        let Ok(is_so) = self.all.store.is_of_this_build().await else { return *before };
        if *before && !is_so {
            tracing::warn!(
                "the tables of the database are those of another version: nothing is claimed"
            );
        }
        *before = is_so;
        is_so
    }

    /// Collects a run, and says what became of it.
    async fn run(self, voice: Voice, task: u64, connection: String, run: String) {
        // After the bridge was started again, runs of the one before may still have their places.
        let Ok(_place) = self.places.acquire().await else { return };
        let say = match self.collected(&connection, &run).await {
            Ok(told) => told,
            Err(problem) => {
                tracing::warn!(
                    run,
                    code = problem.code,
                    "the database does not take what is collected; the run goes on later"
                );
                self.released(&run).await;
                Told::Again(Duration::ZERO, problem.code)
            }
        };
        voice.say(match say {
            Told::Done { state, members, pages } => Say::Done { task, state, members, pages },
            Told::Again(after, code) => {
                let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
                Say::Again { task, after_ms, code }
            }
            Told::Failed(code) => Say::Failed { task, code },
        });
    }

    async fn collected(&self, connection: &str, run: &str) -> Result<Told, Problem> {
        let store = &self.all.store;
        due::wake(store, run).await?;
        let (all, name, shutdown) = (self.all.clone(), run.to_owned(), self.shutdown.clone());
        let collecting =
            tokio::spawn(async move { collect_one(&all, &name, shutdown).await }).await;
        let left = match collecting {
            Ok(left) => left?,
            Err(crash) => {
                tracing::error!(%crash, run, "a run crashed");
                return Err(Problem::broken("the run crashed"));
            }
        };
        if *self.shutdown.borrow() {
            return Ok(Told::Again(Duration::ZERO, "handed-over".into()));
        }
        if left == Left::Open {
            return Err(Problem::new(503, "database", "what was collected was not kept"));
        }
        self.told(connection, run).await
    }

    /// What the ledger says of a run that this process does not have.
    async fn told(&self, connection: &str, run: &str) -> Result<Told, Problem> {
        let now_is = match table::get(&self.all.store, connection, run).await {
            Ok(now_is) => now_is,
            Err(problem) if problem.status == 404 => {
                return Ok(Told::Done { state: "gone".into(), members: 0, pages: 0 });
            }
            Err(problem) => return Err(problem),
        };
        let code = now_is.error.as_ref().and_then(|error| error.get("code")?.as_str());
        let code = code.unwrap_or("other").to_owned();
        Ok(match now_is.state.as_str() {
            "open" => match due::lent(&self.all.store, run).await? {
                Some(left) => Told::Again(ms(left.min(LONGEST_LEASE)), "held".into()),
                None => Told::Again(OF_ANOTHER_BUILD, "not-claimed".into()),
            },
            "waiting" => {
                let at = now_is.resumes_at.unwrap_or_default();
                Told::Again(ms(at.saturating_sub(now())), code)
            }
            "failed" => Told::Failed(code),
            state => Told::Done {
                state: state.to_owned(),
                members: now_is.counts.members,
                pages: now_is.counts.pages,
            },
        })
    }

    /// Gives a run back, however long the database is away. What cannot be given back is not
    /// claimed by another process.
    async fn released(&self, run: &str) {
        let mut shutdown = self.shutdown.clone();
        loop {
            tokio::select! {
                () = over(&mut shutdown) => return,
                () = tokio::time::sleep(AFTER_A_FAULT) => {}
            }
            if claims::release(&self.all.store, run, &self.all.worker).await.is_ok() {
                return;
            }
        }
    }
}

/// What the engine is told of a run.
enum Told {
    Done { state: String, members: u64, pages: u64 },
    Again(Duration, String),
    Failed(String),
}

/// A little later than this instant, so that it is over then.
fn ms(left: i64) -> Duration {
    Duration::from_millis(u64::try_from(left).unwrap_or_default().saturating_add(50))
}
