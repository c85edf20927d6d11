//! The report of a run: its outcome, counts and figures, as `--report` writes it.

use smp_guard::records::Advice;

use crate::failure::Failure;
use crate::http::retry::Figures;

use super::guard::Counts;

/// The outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The list is complete.
    Complete,
    /// There is no list.
    Failed,
    /// The next run resumes after the delivered pages.
    Stopped,
    /// Another process has taken the collection over and continues it: nothing in this report is
    /// final.
    Fenced,
}

/// What needs attention in a list that is right, as the connector said it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Note {
    /// What was found.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// The setting concerned.
    pub setting: Option<String>,
}

impl From<Advice<'_>> for Note {
    fn from(Advice { message, hint, setting }: Advice<'_>) -> Self {
        let setting = setting.map(ToOwned::to_owned);
        Self { message: message.to_owned(), hint: hint.to_owned(), setting }
    }
}

/// The report of a run. The counts and notes cover the whole collection, the figures only this
/// process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunReport {
    /// How it ended.
    pub outcome: Outcome,
    /// The counts of records and pages.
    pub counts: Counts,
    /// What the connector noted, each once, and a shortfall that was accepted.
    pub notes: Vec<Note>,
    /// How many records fewer the list has than the service states: of a complete list, as the
    /// operator accepted it. `None` if it lacks none, or did not come to its end.
    pub shortfall: Option<u64>,
    /// Requests, waits and bytes.
    pub figures: Figures,
    /// Whether it resumed an earlier run.
    pub resumed: bool,
    /// The reason, unless it is complete.
    pub error: Option<Failure>,
}

impl RunReport {
    /// The report as JSON. The total is the last one that the service stated. Of a collection of
    /// usage, `members` is the number of its entries. `shortfall` is there only where there is one.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let (counts, figures) = (self.counts, self.figures);
        let mut report = serde_json::json!({
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
            "notes": self.notes,
            "error": self.error.as_ref().map(Failure::to_json),
        });
        if let (Some(shortfall), Some(report)) = (self.shortfall, report.as_object_mut()) {
            report.insert("shortfall".to_owned(), shortfall.into());
        }
        report
    }
}
