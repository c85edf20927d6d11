//! The table of all rules, and how findings become outcomes.
//!
//! A rule has one severity: failure, warning or note. What could be either is two rules.

use std::collections::BTreeMap;

use crate::check::verdict::Rule;
use smp_host::remedy::Remedy;
use smp_host::validation::CheckOutcome;

/// Most kinds of findings that are shown for a rule. Once these are fixed, a new check shows the
/// rest.
const MOST_FINDINGS: usize = 15;

/// A rule of the check.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Definition {
    /// Stable identifier.
    pub(crate) id: &'static str,
    pub(crate) family: &'static str,
    /// What a connector that keeps it does.
    pub(crate) title: &'static str,
    pub(crate) severity: Severity,
    /// How to fix a breach.
    pub(crate) hint: &'static str,
}

/// The consequence of a breach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// The connector does not pass.
    Failure,
    /// It passes, but not strictly.
    Warning,
    /// It passes, and the author may want to know.
    Note,
}

/// The findings about one rule. Findings of one kind are shown once, with their number.
#[derive(Debug)]
pub(crate) struct Findings {
    rule: &'static Definition,
    kinds: Vec<(String, usize)>,
    by_kind: BTreeMap<String, usize>,
    all: usize,
}

/// The outcomes of the rules that were checked.
#[derive(Debug, Default)]
pub(crate) struct Outcomes(Vec<Rule>);

impl Findings {
    /// No findings yet.
    pub(crate) fn of(rule: &'static Definition) -> Self {
        Self { rule, kinds: Vec::new(), by_kind: BTreeMap::new(), all: 0 }
    }

    /// The rule.
    pub(crate) fn rule(&self) -> &'static Definition {
        self.rule
    }

    /// Adds a finding.
    pub(crate) fn add(&mut self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        self.add_of_kind(sentence.clone(), sentence);
    }

    /// Adds a finding; of each kind only the first is shown.
    pub(crate) fn add_of_kind(&mut self, kind: impl Into<String>, sentence: String) {
        self.all += 1;
        let index = *self.by_kind.entry(kind.into()).or_insert(self.kinds.len());
        match self.kinds.get_mut(index) {
            Some((_, count)) => *count += 1,
            None => self.kinds.push((sentence, 1)),
        }
    }

    /// Adds a finding for each of these.
    pub(crate) fn extend<S: Into<String>>(&mut self, sentences: impl IntoIterator<Item = S>) {
        sentences.into_iter().for_each(|sentence| self.add(sentence));
    }

    /// The outcome of the rule. Without findings it is kept, with this message.
    pub(crate) fn judged(self, kept: impl Into<String>) -> Rule {
        let severity = self.rule.severity;
        self.judged_as(severity, kept)
    }

    /// The outcome of the rule where a breach has this consequence.
    pub(crate) fn judged_as(self, severity: Severity, kept: impl Into<String>) -> Rule {
        let Definition { id, family, title, hint, .. } = self.rule;
        if self.all == 0 {
            return Rule {
                id,
                family,
                title,
                outcome: CheckOutcome::Passed,
                message: kept.into(),
                hint: None,
                remedy: None,
                findings: Vec::new(),
                more: 0,
            };
        }
        let told = |(sentence, count): &(String, usize)| match count {
            1 => sentence.clone(),
            more => format!("{sentence} (and {} more like it)", more - 1),
        };
        let findings: Vec<String> = self.kinds.iter().take(MOST_FINDINGS).map(told).collect();
        let first = findings.first().map(String::as_str).unwrap_or_default();
        let message = if self.kinds.len() == 1 {
            first.to_owned()
        } else {
            format!("{} findings, the first: {first}", self.all)
        };
        let outcome = match severity {
            Severity::Failure => CheckOutcome::Failed,
            Severity::Warning => CheckOutcome::Warning,
            Severity::Note => CheckOutcome::Passed,
        };
        let more = self.kinds.len().saturating_sub(MOST_FINDINGS);
        let (hint, remedy) = (Some((*hint).to_owned()), self.rule.remedy());
        Rule { id, family, title, outcome, message, hint, remedy, findings, more }
    }
}

impl Definition {
    /// The remedy, if it is anything but fixing the connector.
    pub(crate) fn remedy(&self) -> Option<Remedy> {
        if *self == SOUND {
            Some(Remedy::MendFixture)
        } else {
            (*self == TOLD).then_some(Remedy::RecordFixture)
        }
    }
}

/// A rule that was not checked, for this reason.
pub(crate) fn skipped(
    rule: &'static Definition,
    why: &str,
    advice: Option<(&str, Option<Remedy>)>,
) -> Rule {
    let Definition { id, family, title, .. } = *rule;
    let (hint, remedy) =
        advice.map_or((None, None), |(hint, remedy)| (Some(hint.to_owned()), remedy));
    let (message, findings) = (why.to_owned(), Vec::new());
    Rule {
        id,
        family,
        title,
        outcome: CheckOutcome::Skipped,
        message,
        hint,
        remedy,
        findings,
        more: 0,
    }
}

impl Outcomes {
    /// Adds the outcome of a rule.
    pub(crate) fn add(&mut self, rule: Rule) {
        self.0.push(rule);
    }

    /// Every rule in the order of the table. Those that were not checked are skipped for this
    /// reason.
    pub(crate) fn complete(
        mut self,
        why: &str,
        advice: Option<(&str, Option<Remedy>)>,
    ) -> Vec<Rule> {
        let looked_at = |rule: &'static Definition| {
            let found = self.0.iter().position(|outcome| outcome.id == rule.id);
            found.map_or_else(
                || skipped(rule, why, advice.clone()),
                |index| self.0.swap_remove(index),
            )
        };
        ALL.iter().copied().map(looked_at).collect()
    }
}

macro_rules! rules {
    ($($name:ident: $family:ident, $id:literal, $severity:ident, $title:literal, $hint:literal;)*) => {
        $(pub(crate) static $name: Definition =
            Definition { id: $id, family: $family, title: $title, severity: Severity::$severity, hint: $hint };)*

        /// Every rule, in the order in which they are shown.
        pub(crate) static ALL: &[&Definition] = &[$(&$name),*];
    };
}

const FILE: &str = "The file";
const DESCRIPTOR: &str = "What it says about itself";
const FIXTURES: &str = "The fixtures";
const FAULTS: &str = "Every answer replaced by every fault";
const RESUME: &str = "Going on elsewhere";
const BOUNDS: &str = "Bounds";

rules! {
    COMPONENT: FILE, "is-a-component", Failure, "Is a WebAssembly component",
        "Give the `.wasm` file of a component; `wasm-tools component new` makes one of a core module.";
    SIZE: FILE, "is-small-enough", Failure, "Is no larger than a host accepts",
        "Leave out what is not needed: names and debug information (`strip = true`), an interpreter, data that belongs in a request.";
    SLIM: FILE, "is-slim", Note, "Is as small as a connector can be",
        "Every host that runs it compiles it and keeps the code in memory. Build for size, without names and debug information.";
    COMPILES: FILE, "compiles", Failure, "Compiles within the limits of a host",
        "Build the component again, without WebAssembly features beyond the component model, and without very large functions.";
    IMPORTS: FILE, "keeps-to-the-contract", Failure, "Imports and exports only what the contract defines",
        "Build it for the world `connector-plugin` of `wit/`, without WASI and without other exports.";
    POOLED: FILE, "fits-a-pool", Warning, "Can run where memory is set aside for each run",
        "A server that runs many connectors at once sets memory aside for each, and does not take this one.";

    DESCRIBES: DESCRIPTOR, "describes-itself", Failure, "Describes itself as the contract requires",
        "`describe` returns each field as `wit/connector.wit` documents it, sends nothing and never traps.";
    PURE: DESCRIPTOR, "describes-itself-the-same", Failure, "Describes itself the same way at any time",
        "`describe` returns constants: earlier calls must not change it.";
    COMPLETE: DESCRIPTOR, "listing-complete", Failure, "Says everything that the listing and the form show",
        "Fill in what is missing in the descriptor: it is the one source of the listing, the form and the setup guide.";
    HELPFUL: DESCRIPTOR, "listing-helpful", Warning, "Answers what people ask",
        "Add questions with answers to the descriptor.";
    SCOPED: DESCRIPTOR, "scopes-named", Note, "Names the scope that each endpoint needs",
        "Add the scope of each endpoint to the descriptor, if the vendor's keys have scopes: people then know which key to make.";
    FITTING: DESCRIPTOR, "texts-shown-whole", Warning, "Has no text that a listing cuts",
        "Shorten it, or split it into several entries.";
    SAFE: DESCRIPTOR, "texts-safe", Failure, "Has no text that acts on a page or a terminal",
        "Steps, introductions, permissions and answers are Markdown with **bold**, `code`, lists and plain links to web pages; every other text is plain.";
    SINGLE: DESCRIPTOR, "endpoints-distinct", Failure, "Declares each endpoint once",
        "Remove the second declaration, or merge the two.";
    READING: DESCRIPTOR, "endpoints-read", Warning, "Only reads, by default with GET",
        "Use a GET endpoint where the vendor has one. Otherwise every operator has to grant the endpoint by its name.";
    FORM: DESCRIPTOR, "form-consistent", Failure, "Has a form that fits together",
        "Correct the field in the descriptor's settings.";

    SOUND: FIXTURES, "fixtures-sound", Failure, "Has fixtures that match its requests",
        "Fix the fixture, or record it again.";
    EXPECTED: FIXTURES, "fixtures-expected", Failure, "Gives the expected outcome for each fixture",
        "Find out whether the connector or `expected.json` is wrong.";
    TOLD: FIXTURES, "fixtures-told", Warning, "Has an expected outcome for each fixture",
        "A recording comes with an expected.json. Without one, nothing shows whether the outcome is right.";
    COVERED: FIXTURES, "endpoints-covered", Failure, "Uses each declared endpoint in a fixture",
        "Add a fixture in which the endpoint is called, or remove it from the descriptor: what is declared is granted.";
    FILLED: FIXTURES, "fields-filled", Note, "Gives members what the answers tell of them",
        "Compare the name of the field with the answer: nothing else shows that one is misspelt. If the value is not about members, all is well.";
    REPEATABLE: FIXTURES, "repeatable", Failure, "Gives the same bytes for the same traffic",
        "Keep nothing from one call to the next, and do not depend on the order of a hash map.";

    STANDING: FAULTS, "no-crash", Failure, "Never crashes",
        "Check answers before using them: no panic, no index out of bounds, no recursion as deep as the answer.";
    ENDING: FAULTS, "no-hang", Failure, "Stays within the limits of a host",
        "Bound every loop, every list that is kept, and the nesting and white space of an answer before it is parsed.";
    KEEPING: FAULTS, "fails-as-agreed", Failure, "Ends in a result or in a failure of the contract",
        "Return what `wit/connector.wit` defines, and send only requests that the descriptor declares.";
    WORDED: FAULTS, "says-what-to-do", Failure, "Says what happened and what to do",
        "Give each failure a message and a hint, and each warning too: an administrator who is no engineer reads them.";
    WHOLE: FAULTS, "no-false-success", Failure, "Never calls an incomplete list complete",
        "End with a failure whenever an answer is not as expected: an empty list, a default or a skipped entry in its place loses members unnoticed.";
    ROWS: FAULTS, "no-silent-loss", Warning, "Never leaves out silently what it could not read",
        "If an answer that only adds details to members cannot be read, a failure is better than members without them.";
    READY: FAULTS, "no-false-ready", Failure, "Never calls settings ready that it could not check",
        "A check passes only on an answer that was read and understood: a platform revokes the old credentials on a yes.";
    ACCOUNT: FAULTS, "no-other-account", Failure, "Never names another account",
        "Take the account's id from an answer that was read and understood, and fail otherwise.";
    DISCREET: FAULTS, "repeats-nothing", Failure, "Never repeats what the service answered",
        "Messages, hints, checks and log lines say what happened in your own words; of the answer, only the vendor's code may be passed on.";
    PATIENT: FAULTS, "slow-and-large", Failure, "Takes slow and large answers like any other",
        "The result depends on the content of an answer, not on how long it took or how much white space is in it.";

    RESUMED: RESUME, "resumable", Failure, "Gives the same pages to another instance",
        "A page depends only on the settings and the cursor. Put everything that the next page needs into the cursor.";
    AGAIN: RESUME, "pages-again", Failure, "Gives the same page when it is asked for again",
        "Keep nothing from one page to the next.";

    MEMORY: BOUNDS, "memory", Warning, "Needs less than half of the permitted memory",
        "Read an answer in place instead of copying it, and keep only one page.";
    QUICK: BOUNDS, "computing-time", Warning, "Computes for less than half of the permitted time",
        "Look for a loop within a loop over the members of a page.";
    FRUGAL: BOUNDS, "requests", Warning, "Sends less than half of the permitted requests",
        "Request larger pages, not each member separately.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_an_id_of_its_own_and_the_families_stand_together() {
        let mut ids: Vec<_> = ALL.iter().map(|rule| rule.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), ALL.len());
        let mut families: Vec<_> = ALL.iter().map(|rule| rule.family).collect();
        families.dedup();
        assert_eq!(families, [FILE, DESCRIPTOR, FIXTURES, FAULTS, RESUME, BOUNDS]);
    }

    #[test]
    fn findings_of_a_kind_are_told_once_and_the_number_of_kinds_is_bounded() {
        let mut findings = Findings::of(&SAFE);
        (0..3).for_each(|number| findings.add_of_kind("a", format!("a{number}")));
        assert_eq!(findings.judged("").message, "a0 (and 2 more like it)");
        let mut findings = Findings::of(&READING);
        findings.extend((0..19).map(|number| number.to_string()));
        let rule = findings.judged("");
        assert_eq!(
            (rule.outcome, rule.findings.len(), rule.more, rule.message.as_str()),
            (CheckOutcome::Warning, 15, 4, "19 findings, the first: 0")
        );
    }

    #[test]
    fn what_was_not_looked_at_is_skipped_with_the_reason() {
        let mut outcomes = Outcomes::default();
        outcomes.add(Findings::of(&SIZE).judged("small"));
        let rules = outcomes.complete("no fixture", Some(("give one", None)));
        assert_eq!(rules.len(), ALL.len());
        assert_eq!((rules[1].outcome, rules[1].message.as_str()), (CheckOutcome::Passed, "small"));
        assert_eq!(
            (rules[0].outcome, rules[0].message.as_str()),
            (CheckOutcome::Skipped, "no fixture")
        );
    }
}
