//! The bridge of the process that serves: asks it which runs are due, and starts a workflow for
//! each. A run has one workflow at a time, because its name is that of the run.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use temporalio_client::errors::WorkflowStartError;
use temporalio_client::schedules::{
    CreateScheduleOptions, ScheduleAction, ScheduleError, ScheduleOverlapPolicy, ScheduleSpec,
};
use temporalio_client::{
    Client, WorkflowIdConflictPolicy, WorkflowIdReusePolicy, WorkflowStartOptions, tonic,
};
use temporalio_common::Priority;
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::sync::{Semaphore, oneshot};

use crate::lines::Mouth;
use crate::protocol::{Due, Said, URGENT};
use crate::workflows::{Collect, SERVE, Sweep, Task};

/// The one schedule.
const SCHEDULE: &str = "smp-sweep";
/// Time between two sweeps.
const EVERY: Duration = Duration::from_secs(60);
/// Starts at the same time.
const STARTS: usize = 16;
/// How long the process that serves may take for its answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most pages of one sweep; the next one takes what is left.
const PAGES: usize = 1_000;

/// What is asked of the process that serves.
#[derive(Clone)]
pub(crate) struct Sweeping {
    client: Client,
    mouth: Mouth,
    /// Seconds without a sign of life after which another worker tries a run.
    heartbeat: u64,
    asked: Arc<Mutex<HashMap<u64, oneshot::Sender<Vec<Due>>>>>,
    last: Arc<AtomicU64>,
    /// Places of starts for which no person waits.
    starts: Arc<Semaphore>,
}

impl Sweeping {
    pub(crate) fn new(client: Client, mouth: Mouth, heartbeat: u64) -> Self {
        let starts = Arc::new(Semaphore::new(STARTS));
        Self { client, mouth, heartbeat, asked: Arc::default(), last: Arc::default(), starts }
    }

    /// The answer to a question.
    pub(crate) fn answered(&self, id: u64, runs: Vec<Due>) {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        if let Some(asked) = asked {
            let _ = asked.send(runs);
        }
    }

    async fn ask(&self) -> Option<Vec<Due>> {
        let id = self.last.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(id, sender);
        self.mouth.say(Said::Due { id });
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        answer.ok()?.ok()
    }

    /// Starts a run, and says whether the engine has it.
    pub(crate) async fn start(&self, run: Due) -> bool {
        let _place = match run.priority {
            URGENT => None,
            _ => self.starts.acquire().await.ok(),
        };
        let name = run.run.clone();
        let started = self.started(run).await;
        if let Err(error) = &started {
            tracing::warn!(%error, "a run could not be started");
            self.mouth.say(Said::Refused { run: name });
        }
        started.is_ok()
    }

    async fn started(&self, run: Due) -> Result<(), WorkflowStartError> {
        let is_urgent = run.priority == URGENT;
        let priority =
            Priority::builder().priority_key(run.priority).fairness_key(run.tenant).build();
        let options =
            WorkflowStartOptions::new(SERVE, format!("collect/{}/{}", run.connection, run.due))
                .id_reuse_policy(WorkflowIdReusePolicy::AllowDuplicate)
                .id_conflict_policy(if is_urgent {
                    // It may be in the middle of a wait, or at the end of the queue.
                    WorkflowIdConflictPolicy::TerminateExisting
                } else {
                    WorkflowIdConflictPolicy::Fail
                })
                .priority(priority)
                .build();
        let Due { run, connection, .. } = run;
        let task = Task { run, connection, heartbeat: self.heartbeat };
        match self.client.start_workflow(Collect::run, task, options).await {
            Ok(_) | Err(WorkflowStartError::AlreadyStarted { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes sure that there is the schedule.
    ///
    /// # Errors
    /// If the engine does not take it.
    pub(crate) async fn keep_the_schedule(&self) -> Result<(), ScheduleError> {
        let options = CreateScheduleOptions::builder()
            .action(ScheduleAction::start_workflow(Sweep::run, (), SERVE, "sweep"))
            .spec(ScheduleSpec::from_interval(EVERY))
            .overlap_policy(ScheduleOverlapPolicy::Skip)
            .trigger_immediately(true)
            .build();
        match self.client.create_schedule(SCHEDULE, options).await {
            Err(ScheduleError::Rpc(status)) if status.code() == tonic::Code::AlreadyExists => {
                Ok(())
            }
            made => made.map(|_| ()),
        }
    }
}

#[activities]
impl Sweeping {
    /// Starts what is due. Returns how many that were.
    #[activity(name = "due")]
    pub(crate) async fn due(
        self: Arc<Self>,
        context: ActivityContext,
    ) -> Result<u64, ActivityError> {
        let mut number: u64 = 0;
        for _ in 0..PAGES {
            let runs = self.ask().await.ok_or_else(|| anyhow::anyhow!("no answer"))?;
            if runs.is_empty() {
                break;
            }
            let starts = futures::stream::iter(runs).map(|run| self.start(run));
            let started: Vec<bool> = starts.buffer_unordered(STARTS).collect().await;
            number += started.iter().map(|started| u64::from(*started)).sum::<u64>();
            if started.contains(&false) {
                return Err(anyhow::anyhow!("not every run could be started").into());
            }
            context.record_heartbeat(number).await?;
        }
        Ok(number)
    }
}
