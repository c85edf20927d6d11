//! The last requests and waits of runs of this process, for the page of a run. It holds endpoints,
//! statuses and times: no path, query or content.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::clock::now;

/// Events that are kept of a run.
const EVENTS: usize = 300;
/// Runs whose events are kept.
const RUNS: usize = 200;

/// What happened lately.
#[derive(Clone, Debug, Default)]
pub struct Trace(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    runs: HashMap<String, VecDeque<(i64, Value)>>,
    order: VecDeque<String>,
}

impl Trace {
    /// Notes an event of a run.
    pub fn note(&self, run: &str, event: &Value) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.runs.contains_key(run) {
            kept.order.push_back(run.to_owned());
            if kept.order.len() > RUNS
                && let Some(first) = kept.order.pop_front()
            {
                kept.runs.remove(&first);
            }
        }
        let events = kept.runs.entry(run.to_owned()).or_default();
        if events.len() >= EVENTS {
            events.pop_front();
        }
        events.push_back((now(), event.clone()));
    }

    /// The last events of a run, the earliest first, each with its instant.
    #[must_use]
    pub fn of(&self, run: &str) -> Vec<(i64, Value)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.runs.get(run).map(|events| events.iter().cloned().collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_events_of_the_last_runs_are_kept() {
        let trace = Trace::default();
        for number in 0..EVENTS + 5 {
            trace.note("r", &json!(number));
        }
        let events = trace.of("r");
        assert_eq!((events.len(), &events[0].1), (EVENTS, &json!(5)));
        for run in 0..RUNS {
            trace.note(&format!("other {run}"), &json!(0));
        }
        assert!(trace.of("r").is_empty());
        assert_eq!(trace.of("other 0").len(), 1);
    }
}
