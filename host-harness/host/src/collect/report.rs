//! How a run ended, in figures: what `--report` writes.

use crate::failure::Failure;
use crate::http::retry::Figures;

use super::guard::Counts;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The list is whole.
    Complete,
    /// There is no list.
    Failed,
    /// The next run goes on from what was delivered.
    Stopped,
    /// Another process has taken the collection over, and goes on with it: nothing that this run
    /// knows is final.
    Fenced,
}

/// A run's end. The counts are of the whole collection, the figures of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunReport {
    /// How it ended.
    pub outcome: Outcome,
    /// What was counted.
    pub counts: Counts,
    /// What it cost.
    pub figures: Figures,
    /// Whether it went on from what an earlier run delivered.
    pub resumed: bool,
    /// Why, unless it is complete.
    pub error: Option<Failure>,
}

impl RunReport {
    /// The report as scripts read it. The total is the one told last.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let (counts, figures) = (self.counts, self.figures);
        serde_json::json!({
            "outcome": self.outcome,
            "members": counts.members,
            "people": counts.people,
            "total": counts.last_total,
            "pages": counts.pages,
            "duplicates": counts.duplicates,
            "requests": figures.requests,
            "retries": figures.retries,
            "waited_ms": figures.waited_ms,
            "bytes": figures.bytes,
            "error": self.error.as_ref().map(Failure::to_json),
        })
    }
}
