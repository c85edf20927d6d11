//! The lines of JSON between `smp-platform` and `smp-temporal`, which it starts: one message a line,
//! on the standard input and output of the latter. None of them holds a member, a setting, a cursor
//! or a key.
//!
//! Both programs are made from this file: the module `engine` of the platform has it too. They
//! still compare [`VERSION`], since one may be older than the other.

use serde::{Deserialize, Serialize};

/// The version of these lines. A program of another version is not spoken to.
pub(crate) const VERSION: u32 = 1;

/// A run that is to begin.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Due {
    /// Its id.
    pub(crate) run: String,
    /// Its connection.
    pub(crate) connection: String,
    /// Its instant, in milliseconds since 1970.
    pub(crate) due: i64,
    /// Its tenant, as a key of fairness.
    pub(crate) tenant: String,
    /// [`URGENT`] or [`NIGHTLY`].
    pub(crate) priority: u32,
}

/// A person waits for it.
pub(crate) const URGENT: u32 = 1;
/// No one does.
#[allow(dead_code, reason = "the platform says it")]
pub(crate) const NIGHTLY: u32 = 3;

/// What the platform says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub(crate) enum Say {
    /// Its process lives, and so do its runs.
    Alive,
    /// It ends: it takes no further run, and answers for those that it has.
    Rest,
    /// The answer to [`Said::Due`]. If there are none, no more are due.
    Runs { id: u64, runs: Vec<Due> },
    /// A run that is to begin at once.
    Start { run: Due },
    /// A run ended.
    Done { task: u64, state: String, members: u64, pages: u64 },
    /// A run is to be tried again after this time.
    Again { task: u64, after_ms: u64, code: String },
    /// A run failed. The next one follows by the schedule, or when a person mended its reason.
    Failed { task: u64, code: String },
}

/// What the bridge says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub(crate) enum Said {
    /// The first line.
    Hello { version: u32 },
    /// Whether the engine answers, and if not, why.
    Engine { there: bool, why: Option<String> },
    /// Asks for runs that are to begin.
    Due { id: u64 },
    /// The engine did not take this run.
    Refused { run: String },
    /// Asks for this run to be collected, which waited in the queue for so long.
    Collect { task: u64, run: String, connection: String, waited_ms: u64 },
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json, to_value};

    use super::*;

    /// What changes here is another version.
    #[test]
    fn the_lines_are_these() {
        let (run, connection, tenant) = ("r1".to_owned(), "c1".to_owned(), "acme".to_owned());
        let (code, state) = ("rate-limited".to_owned(), "complete".to_owned());
        let due = Due { run, connection, due: 5, tenant, priority: NIGHTLY };
        let told = json!({"run": "r1", "connection": "c1", "due": 5, "tenant": "acme",
                          "priority": 3});
        let says: [(Say, Value); 7] = [
            (Say::Alive, json!({"say": "alive"})),
            (Say::Rest, json!({"say": "rest"})),
            (
                Say::Runs { id: 7, runs: vec![due.clone()] },
                json!({"say": "runs", "id": 7, "runs": [told]}),
            ),
            (Say::Start { run: due }, json!({"say": "start", "run": told})),
            (
                Say::Done { task: 1, state, members: 2, pages: 3 },
                json!({"say": "done", "task": 1, "state": "complete", "members": 2, "pages": 3}),
            ),
            (
                Say::Again { task: 1, after_ms: 5, code },
                json!({"say": "again", "task": 1, "after_ms": 5, "code": "rate-limited"}),
            ),
            (
                Say::Failed { task: 1, code: "unauthorized".into() },
                json!({"say": "failed", "task": 1, "code": "unauthorized"}),
            ),
        ];
        for (say, line) in says {
            assert_eq!(to_value(&say).unwrap(), line);
            assert_eq!(serde_json::from_value::<Say>(line).unwrap(), say);
        }
        let run = || "r1".to_owned();
        let saids: [(Said, Value); 5] = [
            (Said::Hello { version: 1 }, json!({"say": "hello", "version": VERSION})),
            (
                Said::Engine { there: true, why: None },
                json!({"say": "engine", "there": true, "why": null}),
            ),
            (Said::Due { id: 4 }, json!({"say": "due", "id": 4})),
            (Said::Refused { run: run() }, json!({"say": "refused", "run": "r1"})),
            (
                Said::Collect { task: 1, run: run(), connection: "c1".into(), waited_ms: 9 },
                json!({"say": "collect", "task": 1, "run": "r1", "connection": "c1",
                       "waited_ms": 9}),
            ),
        ];
        for (said, line) in saids {
            assert_eq!(to_value(&said).unwrap(), line);
            assert_eq!(serde_json::from_value::<Said>(line).unwrap(), said);
        }
    }
}
