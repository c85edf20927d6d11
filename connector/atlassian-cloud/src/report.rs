//! What a validation found: checks in the order of the form and the setup guide.
//!
//! The settings are ready when no check failed and no required one was skipped; the host draws that conclusion.

use crate::failure::Failure;

/// The checks that were made, or skipped with a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The checks.
    pub checks: Vec<Check>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The stable identifier.
    pub id: &'static str,
    /// What is checked, for people.
    pub title: &'static str,
    /// Whether the settings are not ready without it.
    pub required: bool,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All is well; the text says what was found.
    Passed(String),
    /// It works, but somebody should look.
    Warning(Advice),
    /// It does not work.
    Failed(Failure),
    /// It could not be made; the text says why.
    Skipped(String),
}

/// What to look at, though it works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What was found.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// The key of the setting concerned.
    pub setting: Option<&'static str>,
}
