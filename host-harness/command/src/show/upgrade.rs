//! Renders the changes of an upgrade for the operator who decides about it.
//!
//! It begins with the consequences: whether stored settings keep working, and what must be
//! approved. Then come the findings, the worst first.

use std::fmt::Write;

use crate::show::report::{advice, sign, told};
use crate::show::terminal::{Look, Style, width};
use crate::show::words::hang;
use smp_conformance::diff::changes::{Changes, Class, Effect, Finding, Stored};
use smp_host::text::{counted, grouped};
use smp_host::validation::CheckOutcome;
use smp_listing::{name, sentence};

const ANEW: &str = "A yes on a terminal is remembered for one build: the new one asks again \
                    whether the key may go to its origin.";

/// The changes for people.
#[must_use]
pub(crate) fn text(changes: &Changes, look: Look) -> String {
    let mut out = String::new();
    head(&mut out, changes, look);
    out.push('\n');
    stored(&mut out, changes, look);
    approvals(&mut out, &changes.approvals, look);
    for (class, heading) in
        [(Class::Blocking, "Blocking"), (Class::Look, "To look at"), (Class::Harmless, "Harmless")]
    {
        let mut findings = changes.of_class(class).peekable();
        if findings.peek().is_some() {
            let _ = writeln!(out, "\n {}", look.paint().bold(heading));
            findings.for_each(|finding| told_finding(&mut out, finding, look));
        }
    }
    foot(&mut out, changes, look);
    out
}

fn head(out: &mut String, changes: &Changes, look: Look) {
    let (old, new) = (&changes.old, &changes.new);
    let paint = look.paint();
    let is_renamed = old.name != new.name || old.id != new.id;
    if !is_renamed {
        let _ = writeln!(out, " {}  {}", paint.bold(&name(&new.name)), paint.dim(&name(&new.id)));
    }
    for (side, what) in [(old, "old"), (new, "new")] {
        if is_renamed {
            let _ =
                writeln!(out, " {}  {}", paint.bold(&name(&side.name)), paint.dim(&name(&side.id)));
        }
        told(
            out,
            &format!(" {what} "),
            &format!("{} · {} bytes", name(&side.version), grouped(side.size)),
            look,
            Style::Dim,
        );
        told(out, "     ", &name(&side.digest), look, Style::Dim);
    }
}

fn stored(out: &mut String, changes: &Changes, look: Look) {
    let outcome = match changes.stored() {
        Stored::KeepWorking => CheckOutcome::Passed,
        Stored::NotShown | Stored::MayStop => CheckOutcome::Warning,
        Stored::StopWorking => CheckOutcome::Failed,
    };
    marked(out, outcome, changes.stored().sentence(), look);
    let reasons: Vec<_> = changes
        .findings
        .iter()
        .filter(|finding| finding.effect != Effect::None)
        .map(|finding| finding.id)
        .collect();
    if !reasons.is_empty() {
        told(out, "   ", &format!("Because of: {}.", reasons.join(", ")), look, Style::Dim);
    }
}

fn approvals(out: &mut String, approvals: &[String], look: Look) {
    match approvals {
        [] => marked(out, CheckOutcome::Passed, "No new approval is needed.", look),
        approvals => {
            let shown: Vec<_> = approvals.iter().map(|approval| sentence(approval)).collect();
            marked(
                out,
                CheckOutcome::Failed,
                &format!("The operator must approve: {}", shown.join(", ")),
                look,
            );
        }
    }
}

/// A line with the mark of an outcome.
fn marked(out: &mut String, outcome: CheckOutcome, says: &str, look: Look) {
    let (mark, style) = sign(outcome);
    let mut lines = String::new();
    hang(&mut lines, "   ", says, look, Style::Bold);
    // The mark is coloured separately, in place of the first line's indent.
    lines.replace_range(..3, &format!(" {} ", look.paint().styled(style, mark)));
    out.push_str(&lines);
}

fn told_finding(out: &mut String, finding: &Finding, look: Look) {
    let paint = look.paint();
    let (mark, style) = sign(finding.class.outcome());
    let _ = write!(out, " {} ", paint.styled(style, mark));
    if let (Class::Harmless, [detail], 0) =
        (finding.class, finding.details.as_slice(), finding.more)
    {
        // The detail is on the same line if there is room.
        let detail = sentence(detail);
        if width(finding.title) + width(&detail) + 5 <= look.width {
            let _ = writeln!(out, "{}  {}", finding.title, paint.dim(&detail));
            return;
        }
    }
    let id = format!("({})", finding.id);
    let title = if finding.class == Class::Harmless {
        finding.title.into()
    } else {
        paint.bold(finding.title)
    };
    if width(finding.title) + width(&id) + 5 <= look.width {
        let _ = writeln!(out, "{title}  {}", paint.dim(&id));
    } else {
        let _ = writeln!(out, "{title}");
    }
    for detail in &finding.details {
        hang(out, "   · ", &sentence(detail), look, Style::Plain);
    }
    if finding.more > 0 {
        told(
            out,
            "   · ",
            &format!("and {} more", grouped(u64::try_from(finding.more).unwrap_or(u64::MAX))),
            look,
            Style::Dim,
        );
    }
    advice(out, finding.action, look);
}

fn foot(out: &mut String, changes: &Changes, look: Look) {
    let count = |class| changes.of_class(class).count();
    let parts: Vec<_> =
        [(Class::Blocking, "blocking"), (Class::Look, "to look at"), (Class::Harmless, "harmless")]
            .into_iter()
            .map(|(class, words)| (count(class), words))
            .filter(|(number, _)| *number > 0)
            .map(|(number, words)| format!("{number} {words}"))
            .collect();
    let (verdict, style) = match changes.class() {
        class @ Class::Blocking => (class.verdict(), Style::Red),
        class @ Class::Look => (class.verdict(), Style::Yellow),
        class @ Class::Harmless => (class.verdict(), Style::Green),
    };
    out.push('\n');
    told(out, " ", &format!("{verdict}: {}.", parts.join(", ")), look, style);
    if changes.old.digest != changes.new.digest {
        let cases = match changes.cases.len() {
            0 => "no recorded traffic".to_owned(),
            cases => format!("{} of recorded traffic", counted(cases, "case")),
        };
        told(out, " ", &format!("Compared by both descriptors, and on {cases}."), look, Style::Dim);
        told(out, " ", ANEW, look, Style::Dim);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use smp_conformance::check::verdict::Connector;
    use smp_conformance::diff::changes::{Came, CaseChange};
    use smp_host::testing::any_text;
    use smp_host::text::is_active;

    fn finding(class: Class, effect: Effect, details: &[&str], more: usize) -> Finding {
        let (id, title) = match class {
            Class::Harmless => ("newer-version", "Is a newer version"),
            Class::Look => ("members-added", "Gives more members"),
            Class::Blocking => {
                ("setting-required", "Needs a setting that the old form does not have")
            }
        };
        Finding {
            id,
            area: "",
            class,
            effect,
            title,
            action: (class != Class::Harmless).then_some("Have it filled in for every connection."),
            details: details.iter().map(|detail| (*detail).to_owned()).collect(),
            more,
        }
    }

    fn changes() -> Changes {
        let side = |version: &str| Connector {
            id: "example".into(),
            name: "Example".into(),
            version: version.into(),
            digest: format!("sha256:{version}"),
            size: 123_456,
            contract_version: "0.1.0".into(),
        };
        Changes {
            old: side("0.1.0"),
            new: side("0.2.0"),
            findings: vec![
                finding(Class::Blocking, Effect::Stops, &["Region (`region`)"], 0),
                finding(Class::Look, Effect::None, &["one: 1 member: `c`"], 1_200),
                finding(Class::Harmless, Effect::None, &["`0.1.0` became `0.2.0`"], 0),
            ],
            approvals: vec!["POST /v1/search".into()],
            cases: vec![],
        }
    }

    #[test]
    fn what_it_comes_to_is_said_first_and_the_worst_finding_after_it() {
        assert_eq!(
            format!("\n{}", text(&changes(), Look { width: 64, colour: false })),
            "
 Example  example
 old 0.1.0 · 123,456 bytes
     sha256:0.1.0
 new 0.2.0 · 123,456 bytes
     sha256:0.2.0

 ✘ The stored settings and key stop working.
   Because of: setting-required.
 ✘ The operator must approve: POST /v1/search

 Blocking
 ✘ Needs a setting that the old form does not have
   · Region (`region`)
   → Have it filled in for every connection.

 To look at
 ! Gives more members  (members-added)
   · one: 1 member: `c`
   · and 1,200 more
   → Have it filled in for every connection.

 Harmless
 ✔ Is a newer version  `0.1.0` became `0.2.0`

 An operator must act before this upgrade: 1 blocking, 1 to look
 at, 1 harmless.
 Compared by both descriptors, and on no recorded traffic.
 A yes on a terminal is remembered for one build: the new one
 asks again whether the key may go to its origin.
"
        );
    }

    #[test]
    fn what_is_stored_is_told_in_four_ways() {
        let said = |change: fn(&mut Changes)| {
            let mut changes = changes();
            changes.findings.clear();
            changes.approvals.clear();
            change(&mut changes);
            let text = text(&changes, Look::PLAIN);
            text.lines().skip(6).take(2).map(str::to_owned).collect::<Vec<_>>()
        };
        let nothing = " ✔ No new approval is needed.";
        let ready = |changes: &mut Changes| {
            let came = Came { ready: Some(true), ..Came::default() };
            changes.cases.push(CaseChange {
                name: "a".into(),
                old: came.clone(),
                new: came,
                members: None,
                checks: vec![],
            });
        };
        assert_eq!(said(ready), [" ✔ The stored settings and key keep working.", nothing]);
        assert!(said(|_| {})[0].starts_with(" ! No declaration stops the stored settings"));
        let may = said(|changes| {
            changes.findings.push(finding(Class::Blocking, Effect::MayStop, &[], 0))
        });
        assert_eq!(
            may[0],
            " ! The stored settings and key may stop working: it depends on what is stored."
        );
        let stops =
            said(|changes| changes.findings.push(finding(Class::Blocking, Effect::Stops, &[], 0)));
        assert_eq!(
            stops,
            [" ✘ The stored settings and key stop working.", "   Because of: setting-required."]
        );
    }

    #[test]
    fn another_connector_is_shown_with_both_names() {
        let mut changes = changes();
        changes.new.name = "Other".into();
        let shown = text(&changes, Look::PLAIN);
        assert!(
            shown.starts_with(" Example  example\n old 0.1.0")
                && shown.contains("\n Other  example\n new 0.2.0"),
            "{shown}"
        );
    }

    proptest! {
        #[test]
        fn no_text_of_a_component_steers_a_terminal(words in any_text(), columns in 0_usize..160) {
            let mut strange = changes();
            for finding in &mut strange.findings {
                finding.details = vec![words.clone(), words.clone()];
            }
            strange.approvals = vec![words.clone()];
            let new = &mut strange.new;
            (new.id, new.name, new.version, new.digest) = (words.clone(), words.clone(), words.clone(), words);
            let shown = text(&strange, Look { width: columns, colour: false });
            prop_assert!(!shown.chars().any(|sign| sign != '\n' && is_active(sign)), "{:?}", shown);
        }
    }
}
