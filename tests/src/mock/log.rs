//! The log of the mock's requests, for tests that judge a client by them.
//!
//! No entry contains a key, only whether the credential was right, wrong or absent. The log is
//! bounded; requests beyond the bound are only counted.

use std::fs::File;
use std::io::Write;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::Call;

/// Entries kept: some tens of megabytes, and more requests than any test sends.
pub const LOG_LIMIT: usize = 100_000;

/// A request that the mock received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoggedRequest {
    /// Number of the request, counted from 1 over all calls.
    pub number: u64,
    /// Kind of call; `any` for a path outside the API.
    pub call: Call,
    /// Method.
    pub method: String,
    /// Path, percent-encoded as it came.
    pub path: String,
    /// Query, percent-encoded as it came.
    pub query: Option<String>,
    /// The cursor in the query, decoded, or in the body.
    pub cursor: Option<String>,
    /// The body, if it is text and not empty.
    pub body: Option<String>,
    /// Whether the key was present, and right.
    pub authorization: Authorization,
    /// The `Accept` header.
    pub accept: Option<String>,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// Status of the answer. `None` until there is one, or if there never was one.
    pub status: Option<u16>,
    /// The faults that applied, in the text of the fault grammar.
    pub faults: Vec<String>,
    /// When it came, counted from the start of the mock.
    #[serde(rename = "at_ms", serialize_with = "milliseconds")]
    pub at: Duration,
}

/// The credential of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Authorization {
    /// No `Authorization` header.
    Absent,
    /// One that is not the key.
    Wrong,
    /// The key.
    Right,
}

/// The log of a running mock.
#[derive(Debug)]
pub(super) struct Log {
    started: Instant,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    entries: Vec<LoggedRequest>,
    received: u64,
    sink: Option<File>,
}

impl Log {
    /// An empty log. Each answered request is also written to `sink`, as one line of JSON.
    pub(super) fn new(sink: Option<File>) -> Log {
        let state = Mutex::new(State { sink, ..State::default() });
        Log { started: Instant::now(), state, changed: Condvar::new() }
    }

    /// Adds a request and returns its number. The number and the time of the entry are filled in
    /// here.
    pub(super) fn receive(&self, mut entry: LoggedRequest) -> u64 {
        let mut state = self.state();
        state.received += 1;
        entry.number = state.received;
        entry.at = self.started.elapsed();
        if state.entries.len() < LOG_LIMIT {
            state.entries.push(entry);
        }
        let number = state.received;
        drop(state);
        self.changed.notify_all();
        number
    }

    /// Notes the outcome of a request.
    pub(super) fn settle(&self, number: u64, status: Option<u16>, faults: Vec<String>) {
        let mut state = self.state();
        let State { entries, sink, .. } = &mut *state;
        // Requests are numbered from 1 without a gap, so the number gives the place.
        let place = usize::try_from(number - 1).ok();
        if let Some(entry) = place.and_then(|place| entries.get_mut(place)) {
            entry.status = status;
            entry.faults = faults;
            if let Some(file) = sink {
                let mut line = super::answers::bytes(entry);
                line.push(b'\n');
                if file.write_all(&line).is_err() {
                    *sink = None;
                }
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    pub(super) fn entries(&self) -> Vec<LoggedRequest> {
        self.state().entries.clone()
    }

    pub(super) fn received(&self) -> u64 {
        self.state().received
    }

    /// Waits until `enough` accepts the entries. False if it does not in time.
    pub(super) fn wait(
        &self,
        timeout: Duration,
        enough: impl Fn(&[LoggedRequest]) -> bool,
    ) -> bool {
        let waited =
            self.changed.wait_timeout_while(self.state(), timeout, |state| !enough(&state.entries));
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        enough(&state.entries)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // An entry is always complete, so a panic elsewhere does no damage here.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn milliseconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> LoggedRequest {
        LoggedRequest {
            number: 0,
            call: Call::Users,
            method: "GET".into(),
            path: "/p".into(),
            query: None,
            cursor: None,
            body: None,
            authorization: Authorization::Right,
            accept: None,
            user_agent: None,
            status: None,
            faults: Vec::new(),
            at: Duration::ZERO,
        }
    }

    #[test]
    fn an_entry_has_a_status_once_it_is_answered() {
        let log = Log::new(None);
        let (first, second) = (log.receive(request()), log.receive(request()));
        log.settle(second, Some(200), vec!["slow;ms=1".into()]);
        let entries = log.entries();
        assert_eq!((first, second, log.received()), (1, 2, 2));
        assert_eq!((entries[0].status, entries[1].status), (None, Some(200)));
    }

    #[test]
    fn waiting_ends_when_the_entries_are_there_or_the_time_is_over() {
        let log = Log::new(None);
        log.receive(request());
        assert!(log.wait(Duration::ZERO, |entries| entries.len() == 1));
        assert!(!log.wait(Duration::ZERO, |entries| entries.len() == 2));
    }
}
