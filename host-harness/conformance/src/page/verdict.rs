//! The rules of a verdict, by family. The report of a check and the listing of a connector share
//! them.

use maud::{Markup, html};

use crate::check::verdict::{Rule, Verdict};
use smp_host::text::counted;
use smp_host::validation::CheckOutcome;
use smp_listing::html::parts::{mark, number, outcome, state, table};
use smp_listing::html::text::{finding, said};

/// Whether it passed, as a sign and words.
pub fn passed(verdict: &Verdict) -> Markup {
    if !verdict.passed() {
        return state("✘", "bad", "Not passed");
    }
    if verdict.strict {
        return state("✔", "good", "Passed, strictly");
    }
    // What was not looked at is no tick.
    match verdict.count(CheckOutcome::Skipped) {
        0 if verdict.partial => state("✔", "good", "Passed, on the first fixtures"),
        0 => state("✔", "good", "Passed"),
        rules => {
            let words = format!("Passed, with {} not looked at", counted(rules, "rule"));
            let (sign, class) = mark(CheckOutcome::Warning);
            state(sign, class, &words)
        }
    }
}

/// The number of rules by outcome.
pub fn counts(verdict: &Verdict) -> Markup {
    use CheckOutcome::{Failed, Passed, Skipped, Warning};
    let counts =
        [(Passed, "kept"), (Warning, "warnings"), (Failed, "failed"), (Skipped, "not looked at")];
    html! {
        ul .tags {
            @for (outcome, words) in counts {
                @let (sign, class) = mark(outcome);
                @let count = verdict.count(outcome);
                // None of a kind is no reason for a colour.
                @let class = if count == 0 { "still" } else { class };
                li { (state(sign, class, &format!("{} {words}", number(count)))) }
            }
        }
    }
}

/// A table per family.
pub fn rules(rules: &[Rule]) -> Markup {
    html! {
        @for family in rules.chunk_by(|one, other| one.family == other.family) {
            @if let Some(first) = family.first() {
                h3 { (first.family) }
                (table(first.family, ["Rule", "Outcome", "Finding"], family.iter().map(row)))
            }
        }
    }
}

fn row(rule: &Rule) -> [Markup; 3] {
    // With one finding, the message is that finding.
    let is_told_by_findings = rule.findings.len() > 1;
    [
        html! { (rule.title) span .sub { code { (rule.id) } } },
        outcome(rule.outcome),
        html! {
            @if is_told_by_findings {
                ul .findings { @for one in &rule.findings { li { (finding(one)) } } }
            } @else { (finding(&rule.message)) }
            @if rule.more > 0 { p .fine { "… and " (number(rule.more)) " more kinds." } }
            @if let Some(hint) = &rule.hint { p .fine { "→ " (said(hint)) } }
        },
    ]
}
