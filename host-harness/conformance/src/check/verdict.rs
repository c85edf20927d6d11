//! The verdict of a conformance check: a line per rule, figures, and whether the connector passed.
//!
//! Everything but [`Times`] is the same at every check of the same file with the same fixtures.

use serde_json::{Value, json};

use smp_host::component::plugin::PluginInfo;
use smp_host::failure::{Code, Failure};
use smp_host::remedy::Remedy;
use smp_host::validation::CheckOutcome;

/// The result of a check: whether the connector keeps the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The connector. `None` if it could not be loaded.
    pub connector: Option<Connector>,
    /// Whether warnings and skipped rules count as failed.
    pub strict: bool,
    /// Whether the fixtures were only the first ones, so that endpoints without one are notes.
    pub partial: bool,
    /// The rules, in the order in which they are shown.
    pub rules: Vec<Rule>,
    /// Counts.
    pub figures: Figures,
    /// Measured times, which differ from run to run.
    pub times: Times,
}

/// The connector that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connector {
    /// Its identifier.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// Its version.
    pub version: String,
    /// `sha256:` and the digest of the file.
    pub digest: String,
    /// Size of the file, in bytes.
    pub size: u64,
    /// Version of the contract that it was built against.
    pub contract_version: String,
}

/// A rule and its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable identifier.
    pub id: &'static str,
    /// The heading that it is listed under.
    pub family: &'static str,
    /// What a connector that keeps it does.
    pub title: &'static str,
    /// Whether the connector does.
    pub outcome: CheckOutcome,
    /// The finding, in a sentence.
    pub message: String,
    /// How to fix it.
    pub hint: Option<String>,
    /// The fix as data, if it is anything but fixing the connector.
    pub remedy: Option<Remedy>,
    /// The places of the findings, a sentence each, up to a bound.
    pub findings: Vec<String>,
    /// Number of findings beyond the bound.
    pub more: usize,
}

/// Counts of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Fixture cases.
    pub fixtures: usize,
    /// Exchanges that were replaced by faults, one at a time.
    pub exchanges: usize,
    /// Runs of the connector.
    pub runs: u64,
    /// Most requests of one collection, without retries.
    pub most_requests: u64,
    /// Most memory of one run, in bytes.
    pub peak_memory_bytes: usize,
}

/// Measured times, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Compiling the component.
    pub compile_ms: u64,
    /// The longest computing time of one call.
    pub slowest_call_ms: u64,
    /// The whole check.
    pub total_ms: u64,
}

impl Rule {
    /// Whether it is kept, with something that the author may want to know. It counts as kept.
    #[must_use]
    pub fn is_note(&self) -> bool {
        self.outcome == CheckOutcome::Passed && !self.findings.is_empty()
    }
}

impl Connector {
    /// The connector that this plugin info describes.
    #[must_use]
    pub fn of(facts: &PluginInfo) -> Self {
        Self {
            id: facts.descriptor.id.clone(),
            name: facts.descriptor.name.clone(),
            version: facts.descriptor.version.clone(),
            digest: facts.digest.clone(),
            size: facts.size,
            contract_version: facts.contract_version.clone(),
        }
    }
}

impl Verdict {
    /// Whether the connector may pass.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.rules.iter().all(|rule| !self.counts_as_failed(rule))
    }

    /// Whether the rule keeps the connector from passing.
    #[must_use]
    pub fn counts_as_failed(&self, rule: &Rule) -> bool {
        rule.outcome == CheckOutcome::Failed
            || (self.strict && rule.outcome != CheckOutcome::Passed)
    }

    /// Number of rules with this outcome.
    #[must_use]
    pub fn count(&self, outcome: CheckOutcome) -> usize {
        self.rules.iter().filter(|rule| rule.outcome == outcome).count()
    }

    /// The first rule that keeps the connector from passing, as a failure: `component` if the file
    /// could not be loaded.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        let rule = self.rules.iter().find(|rule| self.counts_as_failed(rule))?;
        let code = if self.connector.is_some() { Code::Contract } else { Code::Component };
        let failure =
            Failure::new(code, format!("the rule `{}` is not kept: {}", rule.id, rule.message));
        let remedy = rule.remedy.clone().unwrap_or(Remedy::MendConnector);
        Some(Failure { hint: rule.hint.clone(), ..failure }.with_remedy(remedy))
    }

    /// The verdict with hints in the caller's words: a hint and a remedy are made into the hint
    /// that is shown.
    #[must_use]
    pub fn worded(mut self, word: impl Fn(Option<&str>, &Remedy) -> Option<String>) -> Self {
        for rule in &mut self.rules {
            if let Some(remedy) = &rule.remedy {
                rule.hint = word(rule.hint.as_deref(), remedy);
            }
        }
        self
    }

    /// The verdict as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let connector = self.connector.as_ref().map(|connector| {
            json!({
                "id": connector.id,
                "version": connector.version,
                "digest": connector.digest,
                "size": connector.size,
                "contract_version": connector.contract_version,
            })
        });
        let rules = self.rules.iter().map(|rule| {
            json!({
                "id": rule.id,
                "title": rule.title,
                "outcome": if rule.is_note() { "note" } else { rule.outcome.as_str() },
                "message": rule.message,
                "hint": rule.hint,
                "findings": rule.findings,
                "more": rule.more,
            })
        });
        json!({
            "connector": connector,
            "passed": self.passed(),
            "strict": self.strict,
            "partial": self.partial,
            "rules": rules.collect::<Vec<_>>(),
            "figures": {
                "fixtures": self.figures.fixtures,
                "exchanges": self.figures.exchanges,
                "runs": self.figures.runs,
                "most_requests": self.figures.most_requests,
                "peak_memory_bytes": self.figures.peak_memory_bytes,
            },
            "times": {
                "compile_ms": self.times.compile_ms,
                "slowest_call_ms": self.times.slowest_call_ms,
                "total_ms": self.times.total_ms,
            },
        })
    }
}
