//! What happens in the runs of this process, for those who watch: each run has a channel while
//! somebody listens or it goes on. A slow listener misses events, and reads the run again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use smp_host::observer::{Context, Event, Observer};
use tokio::sync::{broadcast, watch};

use super::trace::Trace;

/// Events that are kept for a listener that is behind.
const KEPT: usize = 64;

/// The runs of this process.
#[derive(Clone, Debug, Default)]
pub struct Live {
    runs: Arc<Mutex<HashMap<String, Watched>>>,
    /// What happened lately, for who begins to look.
    pub trace: Trace,
}

#[derive(Debug)]
struct Watched {
    events: broadcast::Sender<Value>,
    stop: watch::Sender<bool>,
    held: bool,
}

/// The figures of a run in this process so far.
#[derive(Debug, Default)]
pub struct Figures {
    requests: AtomicU64,
    retries: AtomicU64,
    waited_ms: AtomicU64,
    bytes: AtomicU64,
}

/// Tells a run's events to the listeners and counts them.
pub struct Told {
    live: Live,
    figures: Arc<Figures>,
    run: String,
}

/// The figures as numbers of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Requests that were sent.
    pub requests: i64,
    /// Repeated ones among them.
    pub retries: i64,
    /// Milliseconds in waits.
    pub waited_ms: i64,
    /// Bytes of bodies.
    pub bytes: i64,
}

impl Live {
    /// Notes that this process has the run; returns what tells it to stop.
    #[must_use]
    pub fn begin(&self, run: &str) -> watch::Receiver<bool> {
        let mut runs = self.runs();
        let watched = runs.entry(run.to_owned()).or_insert_with(Watched::new);
        watched.held = true;
        watched.stop.send_replace(false);
        watched.stop.subscribe()
    }

    /// Notes that it has ended, or was given back.
    pub fn end(&self, run: &str, event: Value) {
        let mut runs = self.runs();
        if let Some(watched) = runs.get_mut(run) {
            let _ = watched.events.send(event);
            watched.held = false;
        }
        runs.retain(|_, watched| watched.held || watched.events.receiver_count() > 0);
    }

    /// Tells a run of this process to stop.
    pub fn stop(&self, run: &str) {
        if let Some(watched) = self.runs().get(run) {
            watched.stop.send_replace(true);
        }
    }

    /// Listens to a run.
    #[must_use]
    pub fn listen(&self, run: &str) -> broadcast::Receiver<Value> {
        let mut runs = self.runs();
        runs.retain(|_, watched| watched.held || watched.events.receiver_count() > 0);
        runs.entry(run.to_owned()).or_insert_with(Watched::new).events.subscribe()
    }

    /// Tells an event of a run.
    pub fn tell(&self, run: &str, event: Value) {
        self.trace.note(run, &event);
        if let Some(watched) = self.runs().get(run) {
            let _ = watched.events.send(event);
        }
    }

    /// The runs that this process has.
    #[must_use]
    pub fn runs_held(&self) -> Vec<String> {
        let runs = self.runs();
        let held = runs.iter().filter(|(_, watched)| watched.held);
        held.map(|(run, _)| run.clone()).collect()
    }

    /// Whether this process has a run.
    #[must_use]
    pub fn has(&self, run: &str) -> bool {
        self.runs().get(run).is_some_and(|watched| watched.held)
    }

    /// How many runs this process has.
    #[must_use]
    pub fn held(&self) -> usize {
        self.runs().values().filter(|watched| watched.held).count()
    }

    fn runs(&self) -> MutexGuard<'_, HashMap<String, Watched>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    fn new() -> Self {
        Self { events: broadcast::channel(KEPT).0, stop: watch::channel(false).0, held: false }
    }
}

impl Figures {
    /// The figures so far.
    #[must_use]
    pub fn now(&self) -> Numbers {
        let number =
            |value: &AtomicU64| i64::try_from(value.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        Numbers {
            requests: number(&self.requests),
            retries: number(&self.retries),
            waited_ms: number(&self.waited_ms),
            bytes: number(&self.bytes),
        }
    }
}

impl Told {
    /// Tells the events of this run.
    #[must_use]
    pub fn new(live: Live, run: String, figures: Arc<Figures>) -> Self {
        Self { live, figures, run }
    }
}

impl Observer for Told {
    fn event(&self, _: &Context, event: &Event<'_>) {
        let told = match event {
            Event::Request(tried) => {
                self.figures.requests.fetch_add(1, Ordering::Relaxed);
                if tried.number > 1 {
                    self.figures.retries.fetch_add(1, Ordering::Relaxed);
                }
                self.figures.bytes.fetch_add(tried.ended.bytes().unwrap_or(0), Ordering::Relaxed);
                let class = tried
                    .ended
                    .status()
                    .map_or("none".to_owned(), |status| format!("{}xx", status / 100));
                metrics::counter!("smp_requests_total", "status_class" => class).increment(1);
                metrics::histogram!("smp_pace_wait_seconds").record(tried.paced);
                json!({
                    "event": "request",
                    "endpoint": tried.endpoint,
                    "status": tried.ended.status(),
                    "fault": tried.ended.fault().map(|fault| fault.as_str()),
                    "try": tried.number,
                    "elapsed_ms": u64::try_from(tried.elapsed.as_millis()).unwrap_or(u64::MAX),
                    "bytes": tried.ended.bytes(),
                })
            }
            Event::Waiting { wait, reason, tries } => {
                let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                self.figures.waited_ms.fetch_add(wait, Ordering::Relaxed);
                json!({"event": "waiting", "wait_ms": wait, "reason": reason, "tries": tries})
            }
            Event::Resumed { members, pages } => {
                json!({"event": "resumed", "members": members, "pages": pages})
            }
            Event::Page { members, total, pages } => {
                json!({"event": "page", "members": members, "total": total, "pages": pages})
            }
            Event::Restarted => json!({"event": "restarted"}),
            // A line of a component may hold anything, and is for its author.
            _ => return,
        };
        self.live.tell(&self.run, told);
    }
}
