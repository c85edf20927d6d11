//! The report of a check: verdict, rules, traffic.

use maud::{Markup, html};

use super::traffic;
use super::verdict::{counts, passed, rules};
use crate::check::traffic::CaseTraffic;
use crate::check::verdict::Verdict;
use smp_host::text::size;
use smp_listing::html::page::Page;
use smp_listing::html::parts::{facts, number};
use smp_listing::html::text::{code, name, said};

/// The page.
#[must_use]
pub fn page(verdict: &Verdict, cases: &[CaseTraffic]) -> String {
    let title = verdict.connector.as_ref().map_or("A file that is no connector", |it| &it.name);
    let body = html! {
        (head(verdict))
        section #rules { h2 { "Rules" } (rules(&verdict.rules)) }
        @if !cases.is_empty() {
            section #faults { h2 { "Exchanges and faults" } (traffic::overview(cases)) }
            section #traffic { h2 { "Traffic of each case" } (traffic::cases(cases)) }
        }
    };
    let all = [
        ("rules", "Rules"),
        ("faults", "Exchanges and faults"),
        ("traffic", "Traffic of each case"),
    ];
    let sections = if cases.is_empty() { all.get(..1).unwrap_or_default() } else { &all };
    Page { title, kind: "Conformance report", sections, body: &body }.document()
}

fn head(verdict: &Verdict) -> Markup {
    let (figures, times) = (&verdict.figures, &verdict.times);
    let connector = verdict.connector.as_ref().map(|connector| {
        [
            ("Identifier", code(&connector.id)),
            ("Size", html! { (size(connector.size)) }),
            ("Contract", html! { (said(&connector.contract_version)) }),
            ("Digest", code(&connector.digest)),
        ]
    });
    let megabytes = figures.peak_memory_bytes.div_ceil(1024 * 1024);
    let played = [
        ("Fixture cases", html! { (number(figures.fixtures)) }),
        ("Exchanges replaced by faults", html! { (number(figures.exchanges)) }),
        ("Runs", html! { (number(figures.runs)) }),
        ("Most requests of a collection", html! { (number(figures.most_requests)) }),
        ("Most memory of a run", html! { (number(megabytes)) " MiB" }),
        ("Time", html! { (seconds(times.total_ms)) }),
        ("Of it compiling", html! { (seconds(times.compile_ms)) }),
        ("Longest call", html! { (number(times.slowest_call_ms)) " ms" }),
    ];
    html! {
        @match &verdict.connector {
            Some(connector) => h1 { (name(&connector.name)) " " (name(&connector.version)) },
            None => h1 { "A file that this host cannot run as a connector" }
        }
        p .lead { (passed(verdict)) }
        (counts(verdict))
        @if verdict.strict {
            p .fine { "Strict: warnings and what was not looked at count as failed." }
        }
        @if let Some(connector) = connector { (facts(connector)) }
        @if figures.fixtures > 0 { (facts(played)) }
    }
}

/// Seconds with one decimal.
fn seconds(ms: u64) -> String {
    format!("{}.{} s", number(ms / 1_000), ms % 1_000 / 100)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::traffic::tests::cases;
    use super::*;
    use crate::check::verdict::{Connector, Figures, Rule, Times};
    use smp_host::testing::any_text;
    use smp_host::validation::CheckOutcome;
    use smp_listing::testing::{HOSTILE, assert_is_harmless, assert_stands_alone};

    fn verdict(text: &str) -> Verdict {
        let rule = |id, family, outcome, findings: usize| Rule {
            id,
            family,
            title: "Does so",
            outcome,
            message: text.to_owned(),
            hint: (findings > 0).then(|| text.to_owned()),
            remedy: None,
            findings: vec![text.to_owned(); findings],
            more: findings,
        };
        Verdict {
            connector: Some(Connector {
                id: text.into(),
                name: text.into(),
                version: text.into(),
                digest: text.into(),
                size: 2_048,
                contract_version: text.into(),
            }),
            strict: true,
            partial: false,
            rules: vec![
                rule("one", "The file", CheckOutcome::Passed, 0),
                rule("two", "Faults", CheckOutcome::Failed, 3),
                rule("three", "Faults", CheckOutcome::Skipped, 0),
            ],
            figures: Figures { fixtures: 2, exchanges: 30, runs: 4_000, ..Figures::default() },
            times: Times { compile_ms: 300, slowest_call_ms: 7, total_ms: 5_040 },
        }
    }

    #[test]
    fn the_page_says_whether_it_passed_and_why() {
        let page = page(&verdict("said `so`"), &cases("said"));
        assert_stands_alone(&page);
        for expected in [
            "<span class=\"sign\" aria-hidden=\"true\">✘</span> Not passed</span>",
            "1 kept",
            "1 failed",
            "1 not looked at",
            "<dd>4,000</dd>",
            "<dd>5.0 s</dd>",
            "<dd>0.3 s</dd>",
            "<li><bdi>said <code>so</code></bdi></li>",
            "… and 3 more kinds.",
            "<a href=\"#faults\">Exchanges and faults</a>",
        ] {
            assert!(page.contains(expected), "{expected}\n{page}");
        }
    }

    #[test]
    fn what_was_not_looked_at_is_no_tick() {
        let mut verdict = verdict("so");
        verdict.rules.remove(1);
        for (skipped, strict, partial, expected) in [
            (true, false, false, "⚠</span> Passed, with 1 rule not looked at<"),
            (true, false, true, "⚠</span> Passed, with 1 rule not looked at<"),
            (false, false, true, "✔</span> Passed, on the first fixtures<"),
            (false, false, false, "✔</span> Passed<"),
            (false, true, false, "✔</span> Passed, strictly<"),
        ] {
            let mut verdict = Verdict { strict, partial, ..verdict.clone() };
            verdict.rules.truncate(if skipped { 2 } else { 1 });
            let page = page(&verdict, &[]);
            assert!(page.contains(expected), "{expected}\n{page}");
        }
    }

    #[test]
    fn a_file_that_is_no_connector_has_its_rules_alone() {
        let mut none = verdict("said");
        (none.connector, none.figures) = (None, Figures::default());
        let page = page(&none, &[]);
        assert_stands_alone(&page);
        assert!(!page.contains("#faults") && page.contains("cannot run as a connector</h1>"));
    }

    #[test]
    fn no_hostile_text_becomes_markup() {
        for text in HOSTILE {
            assert_is_harmless(&page(&verdict(text), &cases(text)));
        }
    }

    proptest! {
        #[test]
        fn whatever_the_texts_are_the_page_stands_alone(text in any_text()) {
            assert_stands_alone(&page(&verdict(&text), &cases(&text)));
        }
    }
}
