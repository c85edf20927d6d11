//! The lines of JSON between this program and `smp-temporal`, one message a line. The other end is
//! `platform/temporal/src/lines.rs`, with the same [`VERSION`].

use serde::{Deserialize, Serialize};

/// The version of these lines.
pub(super) const VERSION: u32 = 1;

/// A run that is to begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Due {
    pub(super) run: String,
    pub(super) connection: String,
    /// Its instant.
    pub(super) due: i64,
    /// Its tenant, as a key of fairness.
    pub(super) tenant: String,
    /// [`URGENT`] or [`NIGHTLY`].
    pub(super) priority: u32,
}

/// A person waits for it.
pub(super) const URGENT: u32 = 1;
/// Nobody does.
pub(super) const NIGHTLY: u32 = 3;

/// What this program says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub(super) enum Say {
    /// This process lives, and so do its runs.
    Alive,
    /// This process ends: it takes no further run, and answers for those that it has.
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
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub(super) enum Said {
    /// The first line.
    Hello { version: u32 },
    /// Whether the engine answers, and if not, why.
    Engine { there: bool, why: Option<String> },
    /// Asks for runs that are to begin.
    Due { id: u64 },
    /// The engine has this run.
    Started { run: String },
    /// The engine did not take this run.
    Refused { run: String },
    /// Asks for this run to be collected, which waited in the queue for so long.
    Collect { task: u64, run: String, connection: String, waited_ms: u64 },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_are_those_that_the_bridge_reads_and_writes() {
        let due = Due {
            run: "r1".into(),
            connection: "c1".into(),
            due: 5,
            tenant: "acme".into(),
            priority: NIGHTLY,
        };
        for (say, line) in [
            (Say::Alive, r#"{"say":"alive"}"#),
            (Say::Rest, r#"{"say":"rest"}"#),
            (
                Say::Runs { id: 7, runs: vec![due] },
                r#"{"say":"runs","id":7,"runs":[{"run":"r1","connection":"c1","due":5,"tenant":"acme","priority":3}]}"#,
            ),
            (
                Say::Done { task: 1, state: "complete".into(), members: 2, pages: 3 },
                r#"{"say":"done","task":1,"state":"complete","members":2,"pages":3}"#,
            ),
            (
                Say::Again { task: 1, after_ms: 5, code: "rate-limited".into() },
                r#"{"say":"again","task":1,"after_ms":5,"code":"rate-limited"}"#,
            ),
            (
                Say::Failed { task: 1, code: "unauthorized".into() },
                r#"{"say":"failed","task":1,"code":"unauthorized"}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&say).unwrap(), line);
        }
        for (line, said) in [
            (r#"{"say":"hello","version":1}"#, Said::Hello { version: VERSION }),
            (
                r#"{"say":"engine","there":true,"why":null}"#,
                Said::Engine { there: true, why: None },
            ),
            (r#"{"say":"due","id":4}"#, Said::Due { id: 4 }),
            (r#"{"say":"refused","run":"r1"}"#, Said::Refused { run: "r1".into() }),
        ] {
            assert_eq!(serde_json::from_str::<Said>(line).unwrap(), said);
        }
    }
}
