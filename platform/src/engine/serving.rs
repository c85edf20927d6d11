//! The engine of the process that serves: it is asked what is due, and told at once of what a
//! person asked for.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::bridge::{Bridge, Keeper, over};
use super::protocol::{Due, Said, Say};
use super::{Options, Status, due};
use crate::connections::Connections;
use crate::problem::Problem;
use crate::runs::scheduler::Wake;

/// Runs of one answer.
const PAGE: usize = 500;
/// How long a run that the engine took is not told again, unless it comes back after it was away.
const TOLD: Duration = Duration::from_secs(15 * 60);

/// What the engine was told.
struct Serving {
    all: Connections,
    told: HashMap<String, Instant>,
    /// Runs that people asked for while the engine was away.
    asked: Vec<String>,
}

/// Serves the engine until `shutdown`.
pub async fn serve(
    all: Connections,
    wake: Wake,
    options: Options,
    status: Status,
    mut shutdown: watch::Receiver<bool>,
) {
    let mut keeper = Keeper::new(options, status.clone(), "serve", 1);
    let mut serving = Serving { all, told: HashMap::new(), asked: Vec::new() };
    while let Some(mut bridge) = keeper.started(&mut shutdown).await {
        serving.told.clear();
        loop {
            tokio::select! {
                () = over(&mut shutdown) => return bridge.end_now().await,
                () = wake.woken() => {
                    serving.asked.extend(wake.asked());
                    if status.is_there() {
                        serving.tell(&bridge).await;
                    }
                }
                said = bridge.next() => match said {
                    None => break,
                    Some(Said::Engine { there, why }) => {
                        if keeper.note(there, why.as_deref()) {
                            // It may have lost what it was told.
                            serving.told.clear();
                            serving.tell(&bridge).await;
                        }
                    }
                    Some(Said::Due { id }) => {
                        let runs = serving.untold(PAGE).await;
                        bridge.say(Say::Runs { id, runs });
                    }
                    Some(Said::Refused { run }) => {
                        serving.told.remove(&run);
                    }
                    Some(_) => {}
                },
            }
        }
        keeper.ended(bridge).await;
    }
}

impl Serving {
    /// Tells what a person waits for, and then what else is due.
    async fn tell(&mut self, bridge: &Bridge) {
        let mut left = Vec::new();
        for run in std::mem::take(&mut self.asked) {
            match due::asked(&self.all.store, &run).await {
                Ok(Some(due)) => {
                    self.told.insert(run, Instant::now());
                    bridge.say(Say::Start { run: due });
                }
                Ok(None) => {}
                Err(problem) => {
                    warn(&problem);
                    left.push(run);
                }
            }
        }
        self.asked = left;
        for run in self.untold(PAGE).await {
            bridge.say(Say::Start { run });
        }
    }

    /// Runs that are to begin and of which the engine was not told, at most this many.
    async fn untold(&mut self, most: usize) -> Vec<Due> {
        self.told.retain(|_, at| at.elapsed() < TOLD);
        let due = async {
            if self.all.store.is_of_this_build().await? {
                due::due(&self.all.store).await
            } else {
                Ok(Vec::new())
            }
        };
        let due = match due.await {
            Ok(due) => due,
            Err(problem) => {
                warn(&problem);
                return Vec::new();
            }
        };
        let told = &self.told;
        let runs: Vec<Due> =
            due.into_iter().filter(|due| !told.contains_key(&due.run)).take(most).collect();
        self.told.extend(runs.iter().map(|due| (due.run.clone(), Instant::now())));
        runs
    }
}

fn warn(problem: &Problem) {
    let code = problem.code.as_str();
    tracing::error!(code, "it cannot be read what is due: {}", problem.detail);
}
