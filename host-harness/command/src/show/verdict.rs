//! Renders the verdict of a conformance check for the connector's author at the terminal.
//!
//! The rules come in families. A rule that is kept takes one line; any other has its places and a
//! hint.

use std::fmt::Write;

use crate::show::report::{advice, sign, told};
use crate::show::terminal::{Look, Style, width};
use crate::show::words::hang;
use smp_conformance::check::verdict::{Rule, Verdict};
use smp_host::text::{counted, grouped};
use smp_host::validation::CheckOutcome;
use smp_listing::{name, sentence};

/// The rule that is checked whenever fixtures are given.
const SOUND: &str = "fixtures-sound";

/// The verdict for people.
#[must_use]
pub(crate) fn text(verdict: &Verdict, look: Look) -> String {
    let mut out = String::new();
    head(&mut out, verdict, look);
    let mut rest = verdict.rules.as_slice();
    while let Some(first) = rest.first() {
        let is_like_first =
            |rule: &&Rule| rule.outcome == CheckOutcome::Skipped && rule.message == first.message;
        let family = rest.iter().take_while(|rule| rule.family == first.family).count();
        let skipped = rest.iter().take_while(is_like_first).count();
        let (told, others) = rest.split_at(family.max(skipped));
        if skipped >= family {
            told_skipped(&mut out, told, look);
        } else {
            told_family(&mut out, told, look);
        }
        rest = others;
    }
    foot(&mut out, verdict, look);
    out
}

fn head(out: &mut String, verdict: &Verdict, look: Look) {
    let paint = look.paint();
    match &verdict.connector {
        None => {
            let _ =
                writeln!(out, " {}", paint.bold("A file that this host cannot run as a connector"));
        }
        Some(connector) => {
            let (title, version, id) =
                (name(&connector.name), name(&connector.version), name(&connector.id));
            let _ = writeln!(
                out,
                " {}  {}",
                paint.bold(&title),
                paint.dim(&format!("{version} · {id}"))
            );
            told(out, " ", &connector.digest, look, Style::Dim);
        }
    }
}

/// Writes families in which every rule was skipped for the same reason.
fn told_skipped(out: &mut String, rules: &[Rule], look: Look) {
    let Some(first) = rules.first() else { return };
    let mut families: Vec<_> = rules.iter().map(|rule| rule.family).collect();
    families.dedup();
    out.push('\n');
    told(out, " ", &families.join(" · "), look, Style::Bold);
    let (mark, style) = sign(CheckOutcome::Skipped);
    let _ = writeln!(out, " {} {}", look.paint().styled(style, mark), sentence(&first.message));
    let ids: Vec<_> = rules.iter().map(|rule| rule.id).collect();
    told(out, "   ", &format!("Skipped: {}.", ids.join(", ")), look, Style::Dim);
    advice(out, first.hint.as_deref(), look);
}

/// Writes the rules of a family.
fn told_family(out: &mut String, family: &[Rule], look: Look) {
    let Some(first) = family.first() else { return };
    let shared = shared_message(family);
    let beside = shared
        .map(|message| format!("  {}", look.paint().dim(&sentence(message))))
        .unwrap_or_default();
    let _ = writeln!(out, "\n {}{beside}", look.paint().bold(first.family));
    family.iter().for_each(|rule| told_rule(out, rule, shared, look));
}

/// The message that all kept rules of the family share: it is shown once, beside the heading.
fn shared_message(family: &[Rule]) -> Option<&str> {
    let mut kept = family
        .iter()
        .filter(|rule| rule.outcome == CheckOutcome::Passed && !rule.is_note())
        .map(|rule| rule.message.as_str());
    let (first, second) = (kept.next()?, kept.next()?);
    (first == second && kept.all(|message| message == first)).then_some(first)
}

fn told_rule(out: &mut String, rule: &Rule, shared: Option<&str>, look: Look) {
    let paint = look.paint();
    let (mark, style) = if rule.is_note() { ("i", Style::Plain) } else { sign(rule.outcome) };
    let message = sentence(&rule.message);
    let is_quiet =
        matches!(rule.outcome, CheckOutcome::Passed | CheckOutcome::Skipped) && !rule.is_note();
    let _ = write!(out, " {} ", paint.styled(style, mark));
    if is_quiet {
        // The message is on the same line if there is room and it is not shown already; otherwise
        // it is left out.
        let is_told = rule.outcome == CheckOutcome::Passed && shared == Some(rule.message.as_str());
        let is_wide = is_told || width(rule.title) + width(&message) + 5 > look.width;
        let beside = if is_wide { String::new() } else { format!("  {}", paint.dim(&message)) };
        let _ = writeln!(out, "{}{beside}", rule.title);
        return;
    }
    let id = format!("({})", rule.id);
    let _ = writeln!(out, "{}  {}", paint.bold(rule.title), paint.dim(&id));
    for finding in &rule.findings {
        hang(out, "   · ", &sentence(finding), look, Style::Plain);
    }
    if rule.more > 0 {
        told(
            out,
            "   · ",
            &format!("and {} more kinds", grouped(u64::try_from(rule.more).unwrap_or(u64::MAX))),
            look,
            Style::Dim,
        );
    }
    advice(out, rule.hint.as_deref(), look);
}

fn foot(out: &mut String, verdict: &Verdict, look: Look) {
    let paint = look.paint();
    let (failed, warnings) =
        (verdict.count(CheckOutcome::Failed), verdict.count(CheckOutcome::Warning));
    let skipped = verdict.count(CheckOutcome::Skipped);
    let rules = |number: usize, what: &str| {
        if number == 1 { format!("one rule {what}") } else { format!("{number} rules {what}") }
    };
    let mut parts = Vec::new();
    if failed > 0 {
        parts.push(rules(failed, "failed"));
    }
    if warnings > 0 {
        parts.push(if warnings == 1 {
            "one warning".to_owned()
        } else {
            format!("{warnings} warnings")
        });
    }
    if skipped > 0 {
        parts.push(rules(skipped, "skipped"));
    }
    match verdict.rules.iter().filter(|rule| rule.is_note()).count() {
        0 => {}
        1 => parts.push("one note".to_owned()),
        notes => parts.push(format!("{notes} notes")),
    }
    let passed = verdict.passed();
    let mut line = if passed { "Passed".to_owned() } else { "Not passed".to_owned() };
    if !parts.is_empty() {
        let joint = if passed { ", with " } else { ": " };
        line.push_str(joint);
        line.push_str(&parts.join(", "));
    }
    line.push('.');
    if !passed && verdict.strict && failed == 0 {
        line.push_str(" Strictly, each of them counts.");
    }
    let style = if passed { Style::Green } else { Style::Red };
    let _ = writeln!(out, "\n {}", paint.styled(style, &line));
    if verdict.connector.is_some() && verdict.figures.fixtures == 0 {
        let were_given = verdict
            .rules
            .iter()
            .any(|rule| rule.id == SOUND && rule.outcome != CheckOutcome::Skipped);
        let why = if were_given {
            "no fixture could be played"
        } else {
            "without fixtures nothing shows what it does"
        };
        told(out, " ", &format!("Only the file itself was checked: {why}."), look, Style::Yellow);
    } else if verdict.connector.is_some() {
        let figures = &verdict.figures;
        let facts = format!(
            "{}, {} replaced, {} runs · {:.1} s, {:.1} s of it compiling · longest call {} ms",
            counted(figures.fixtures, "fixture"),
            counted(figures.exchanges, "exchange"),
            grouped(figures.runs),
            seconds(verdict.times.total_ms),
            seconds(verdict.times.compile_ms),
            grouped(verdict.times.slowest_call_ms)
        );
        told(out, " ", &facts, look, Style::Dim);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a time that is shown to a tenth of a second")]
fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use smp_conformance::check::verdict::{Connector, Figures, Times};
    use smp_host::testing::any_text;
    use smp_host::text::is_active;

    #[test]
    fn a_rule_that_is_kept_is_a_line_and_one_that_is_not_says_where_and_what_to_do() {
        let verdict = verdict(true);
        assert_eq!(
            format!("\n{}", text(&verdict, Look { width: 70, colour: false })),
            "
 Example  1.2.3 · example
 sha256:00

 The file
 ✔ Is small  158 bytes.

 Faults
 ✘ Never crashes  (no-crash)
   · one: collect, exchange 1 (`GET /v1/users`), status 404: it
     crashes
   · two: crashes
   · and 1,200 more kinds
   → Do not crash.
 ! Is quick  (quick)
   · slow
   → Be quick.

 Elsewhere
 – There is no fixture.
   Skipped: resumed, again.
   → Give one.

 Not passed: one rule failed, one warning, 2 rules skipped.
 2 fixtures, 30 exchanges replaced, 4,000 runs · 5.0 s, 0.3 s of it
 compiling · longest call 7 ms
"
        );
    }

    #[test]
    fn a_note_is_told_with_its_hint_and_fails_no_check() {
        let mut verdict = verdict(false);
        verdict.strict = true;
        verdict.rules.truncate(1);
        let rule = &mut verdict.rules[0];
        (rule.message, rule.findings) = ("large".into(), vec!["it is large".into()]);
        rule.hint = Some("Make it small.".into());
        let text = text(&verdict, Look::PLAIN);
        let told = "\n The file\n i Is small  (small)\n   · it is large\n   → Make it small.\n\n \
                    Passed, with one note.\n";
        assert!(text.contains(told), "{text}");
        assert_eq!(verdict.to_json()["rules"][0]["outcome"], "note");
    }

    #[test]
    fn what_all_kept_rules_of_a_family_say_is_said_once() {
        let mut verdict = verdict(false);
        let kept = verdict.rules.remove(0);
        verdict.rules = vec![kept.clone(), Rule { title: "Is quick", ..kept }];
        assert!(
            text(&verdict, Look::PLAIN)
                .contains("\n The file  158 bytes.\n ✔ Is small\n ✔ Is quick\n")
        );
    }

    #[test]
    fn the_verdict_says_what_counts() {
        let last = |change: fn(&mut Verdict)| {
            let mut verdict = verdict(false);
            change(&mut verdict);
            let text = text(&verdict, Look::PLAIN);
            text.split("\n\n").last().unwrap().trim_end().to_owned()
        };
        let of_file =
            "\n Only the file itself was checked: without fixtures nothing shows what it does.";
        assert!(last(|verdict| verdict.rules.truncate(1)).starts_with(" Passed.\n"));
        assert!(
            last(|verdict| drop(verdict.rules.remove(1)))
                .starts_with(" Passed, with one warning, 2 rules skipped.\n")
        );
        let strictly = last(|verdict| {
            verdict.rules.remove(1);
            verdict.strict = true;
        });
        assert!(
            strictly.starts_with(
                " Not passed: one warning, 2 rules skipped. Strictly, each of them counts.\n"
            ),
            "{strictly}"
        );
        assert!(last(|verdict| verdict.figures.fixtures = 0).ends_with(of_file));
        let unplayed = last(|verdict| (verdict.figures.fixtures, verdict.rules[0].id) = (0, SOUND));
        assert!(
            unplayed.ends_with("\n Only the file itself was checked: no fixture could be played."),
            "{unplayed}"
        );
    }

    proptest! {
        #[test]
        fn no_text_of_a_component_steers_a_terminal(words in any_text(), columns in 0_usize..160) {
            let mut strange = verdict(false);
            for rule in &mut strange.rules {
                (rule.message, rule.hint, rule.findings) = (words.clone(), Some(words.clone()), vec![words.clone()]);
            }
            if let Some(connector) = &mut strange.connector {
                (connector.id, connector.name, connector.version) = (words.clone(), words.clone(), words.clone());
            }
            let shown = text(&strange, Look { width: columns, colour: false });
            prop_assert!(!shown.chars().any(|sign| sign != '\n' && is_active(sign)), "{:?}", shown);
        }
    }

    fn verdict(with_more: bool) -> Verdict {
        let rule = |id,
                    family,
                    title,
                    outcome,
                    message: &str,
                    hint: Option<&str>,
                    findings: &[&str],
                    more| Rule {
            id,
            family,
            title,
            outcome,
            message: message.into(),
            hint: hint.map(Into::into),
            remedy: None,
            findings: findings.iter().map(|finding| (*finding).to_owned()).collect(),
            more,
        };
        let crashes =
            ["one: collect, exchange 1 (`GET /v1/users`), status 404: it crashes", "two: crashes"];
        let more = if with_more { 1_200 } else { 0 };
        let skipped = |id| {
            rule(
                id,
                "Elsewhere",
                "",
                CheckOutcome::Skipped,
                "There is no fixture.",
                Some("Give one."),
                &[],
                0,
            )
        };
        Verdict {
            connector: Some(Connector {
                id: "example".into(),
                name: "Example".into(),
                version: "1.2.3".into(),
                digest: "sha256:00".into(),
                size: 158,
                contract_version: "0.1.0".into(),
            }),
            strict: false,
            partial: false,
            rules: vec![
                rule(
                    "small",
                    "The file",
                    "Is small",
                    CheckOutcome::Passed,
                    "158 bytes.",
                    None,
                    &[],
                    0,
                ),
                rule(
                    "no-crash",
                    "Faults",
                    "Never crashes",
                    CheckOutcome::Failed,
                    "",
                    Some("Do not crash."),
                    &crashes,
                    more,
                ),
                rule(
                    "quick",
                    "Faults",
                    "Is quick",
                    CheckOutcome::Warning,
                    "",
                    Some("Be quick."),
                    &["slow"],
                    0,
                ),
                skipped("resumed"),
                skipped("again"),
            ],
            figures: Figures { fixtures: 2, exchanges: 30, runs: 4_000, ..Figures::default() },
            times: Times { compile_ms: 300, slowest_call_ms: 7, total_ms: 5_040 },
        }
    }
}
