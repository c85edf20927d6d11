//! The two workflows. Each is one activity, so that there is hardly anything to be
//! non-deterministic about, and a history has some ten events.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use temporalio_common::RetryPolicy;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{ActivityOptions, WorkflowContext, WorkflowResult};

use crate::collecting::Collecting;
use crate::sweeping::Sweeping;

/// The queue of workflows and of what is due: that of the process that serves.
pub(crate) const SERVE: &str = "smp-serve";
/// The queue of the workers.
pub(crate) const COLLECT: &str = "smp-collect";

/// How long one try of a run may take. What takes longer goes on: the next try finds it held.
const LONGEST_RUN: Duration = Duration::from_secs(6 * 3_600);
/// How long the list of what is due may take.
const LONGEST_SWEEP: Duration = Duration::from_secs(10 * 60);
/// Longest wait until a run is tried again whose worker was not heard of.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What a history has of a run.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Task {
    /// Its id.
    pub(crate) run: String,
    /// Its connection.
    pub(crate) connection: String,
    /// Seconds without a sign of life after which another worker tries it.
    pub(crate) heartbeat: u64,
}

/// How a run ended.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Ended {
    /// `complete`, `stopped`, or `gone` where its connection was deleted.
    pub(crate) state: String,
    /// Members of all pages.
    pub(crate) members: u64,
    /// Pages.
    pub(crate) pages: u64,
}

/// Starts what is due.
#[workflow]
#[derive(Default)]
pub(crate) struct Sweep;

#[workflow_methods]
impl Sweep {
    #[run(name = "Sweep")]
    pub(crate) async fn run(context: &mut WorkflowContext<Self>) -> WorkflowResult<u64> {
        let options = ActivityOptions::with_start_to_close_timeout(LONGEST_SWEEP)
            .heartbeat_timeout(Duration::from_secs(30))
            .retry_policy(retried())
            .build();
        Ok(context.execute_activity(Sweeping::due, (), options).await?)
    }
}

/// One run, from its start until it ends, however often it waits or changes hands.
#[workflow]
#[derive(Default)]
pub(crate) struct Collect;

#[workflow_methods]
impl Collect {
    #[run(name = "Collect")]
    pub(crate) async fn run(
        context: &mut WorkflowContext<Self>,
        task: Task,
    ) -> WorkflowResult<Ended> {
        let heartbeat = Duration::from_secs(task.heartbeat.max(1));
        let options = ActivityOptions::with_start_to_close_timeout(LONGEST_RUN)
            .task_queue(COLLECT)
            .heartbeat_timeout(heartbeat)
            .retry_policy(retried())
            .do_not_eagerly_execute(true)
            .build();
        Ok(context.execute_activity(Collecting::collect, task, options).await?)
    }
}

fn retried() -> RetryPolicy {
    RetryPolicy::builder()
        .initial_interval(Duration::from_secs(1))
        .maximum_interval(LONGEST_WAIT)
        .build()
}
