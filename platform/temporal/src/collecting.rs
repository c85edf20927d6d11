//! The bridge of a worker: hands each run that the engine wants to the process that started it, and
//! its answer to the engine. While that process is alive, so are its runs.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use temporalio_macros::activities;
use temporalio_sdk::ApplicationFailure;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::sync::{oneshot, watch};

use crate::lines::Mouth;
use crate::protocol::Said;
use crate::workflows::{Ended, Task};

/// How long the process may say nothing before its runs are not called alive any more.
const SILENCE: Duration = Duration::from_secs(10);
/// Time until a run is tried again that was handed over.
const AT_ONCE: Duration = Duration::from_millis(50);

/// How a try of a run ended.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It ended.
    Ended(Ended),
    /// It is to be tried again after this time, for this reason.
    Again(Duration, String),
    /// It failed with this code, and is not to be tried again.
    Failed(String),
}

/// The runs that were handed to the process.
#[derive(Clone)]
pub(crate) struct Collecting {
    mouth: Mouth,
    open: Arc<Mutex<HashMap<u64, oneshot::Sender<Answer>>>>,
    last: Arc<AtomicU64>,
    heard: Arc<Mutex<Instant>>,
    /// Whether all runs are handed over.
    over: watch::Sender<bool>,
}

impl Collecting {
    pub(crate) fn new(mouth: Mouth) -> Self {
        Self {
            mouth,
            open: Arc::default(),
            last: Arc::default(),
            heard: Arc::new(Mutex::new(Instant::now())),
            over: watch::channel(false).0,
        }
    }

    /// The process is alive.
    pub(crate) fn alive(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn is_alive(&self) -> bool {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).elapsed() < SILENCE
    }

    /// The process is done with a run.
    pub(crate) fn answered(&self, task: u64, answer: Answer) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&task);
        if let Some(open) = open {
            let _ = open.send(answer);
        }
    }

    /// Gives all runs back to the engine, which hands them to another worker at once.
    pub(crate) fn hand_over(&self) {
        self.over.send_replace(true);
    }
}

#[activities]
impl Collecting {
    /// Collects a run.
    #[activity(name = "collect")]
    pub(crate) async fn collect(
        self: Arc<Self>,
        context: ActivityContext,
        task: Task,
    ) -> Result<Ended, ActivityError> {
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        let (sender, mut answer) = oneshot::channel();
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(number, sender);
        let beat = Duration::from_secs(task.heartbeat.max(1)) / 3;
        let Task { run, connection, .. } = task;
        let waited_ms = waited(&context);
        self.mouth.say(Said::Collect { task: number, run, connection, waited_ms });
        let mut over = self.over.subscribe();
        // The engine may have given the run to another worker meanwhile. The ledger decides which
        // of them goes on, so that is no reason to stop.
        let answer = loop {
            tokio::select! {
                answer = &mut answer => break answer.ok(),
                // It changes once.
                _ = over.changed() => break None,
                () = tokio::time::sleep(beat) => {}
            }
            if self.is_alive() {
                context.record_heartbeat(()).await?;
            }
        };
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
        match answer {
            Some(Answer::Ended(ended)) => Ok(ended),
            Some(Answer::Again(after, code)) => Err(again(after, code)),
            Some(Answer::Failed(code)) => Err(ActivityError::application(
                ApplicationFailure::builder(code.clone())
                    .type_name(code)
                    .non_retryable(true)
                    .build(),
            )),
            None => Err(again(AT_ONCE, "handed-over".into())),
        }
    }
}

fn again(after: Duration, code: String) -> ActivityError {
    let failure = ApplicationFailure::builder(code.clone())
        .type_name(code)
        .next_retry_delay(after.max(AT_ONCE))
        .build();
    ActivityError::application(failure)
}

/// How long this try waited in the queue, by the engine's clock.
fn waited(context: &ActivityContext) -> u64 {
    let info = context.info();
    let began = info.started_time.unwrap_or_else(SystemTime::now);
    let waited = info.current_attempt_scheduled_time.and_then(|at| began.duration_since(at).ok());
    waited.map_or(0, |waited| u64::try_from(waited.as_millis()).unwrap_or(u64::MAX))
}
