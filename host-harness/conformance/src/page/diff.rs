//! The report of a comparison: whether what is stored keeps working, what must be approved, what
//! blocks, and both outcomes of each recorded case.

use maud::{Markup, html};

use crate::check::verdict::Connector;
use crate::diff::changes::{Came, CaseChange, Changes, Class, Finding, Stored};
use smp_host::text::{counted, size};
use smp_host::validation::CheckOutcome;
use smp_listing::html::page::Page;
use smp_listing::html::parts::{facts, mark, more, number, state, table};
use smp_listing::html::text::{code, finding, name, said};
use smp_listing::shown;

/// Most ids of a list. The JSON has more of them.
const MOST_IDS: usize = 20;

/// The classes, the worst first: class, anchor and heading.
const CLASSES: [(Class, &str, &str); 3] = [
    (Class::Blocking, "blocking", "Blocking"),
    (Class::Look, "look", "To look at"),
    (Class::Harmless, "harmless", "Harmless"),
];

/// The page.
#[must_use]
pub fn page(changes: &Changes) -> String {
    let of = |class| changes.of_class(class).collect::<Vec<_>>();
    let classes: Vec<_> = CLASSES
        .into_iter()
        .map(|(class, anchor, title)| (of(class), anchor, title))
        .filter(|(findings, ..)| !findings.is_empty())
        .collect();
    let mut sections: Vec<_> = classes.iter().map(|(_, anchor, title)| (*anchor, *title)).collect();
    if !changes.cases.is_empty() {
        sections.push(("cases", "Recorded traffic"));
    }
    let body = html! {
        (head(changes))
        @for (findings, anchor, title) in &classes {
            section id=(anchor) {
                h2 { (title) }
                @for one in findings { (told(one)) }
            }
        }
        @if !changes.cases.is_empty() {
            section #cases { h2 { "Recorded traffic" } (cases(&changes.cases)) }
        }
    };
    let title = &changes.new.name;
    Page { title, kind: "Upgrade report", sections: &sections, body: &body }.document()
}

fn head(changes: &Changes) -> Markup {
    let (old, new) = (&changes.old, &changes.new);
    let (sign, class) = mark(changes.class().outcome());
    let (stored_sign, stored_class) = mark(match changes.stored() {
        Stored::KeepWorking => CheckOutcome::Passed,
        Stored::NotShown | Stored::MayStop => CheckOutcome::Warning,
        Stored::StopWorking => CheckOutcome::Failed,
    });
    let (approvals, hidden) = shown(&changes.approvals);
    html! {
        h1 {
            @if old.name != new.name { (name(&old.name)) " " }
            @else { (name(&new.name)) " " }
            (name(&old.version)) " → "
            @if old.name != new.name { (name(&new.name)) " " }
            (name(&new.version))
        }
        p .lead { (state(sign, class, changes.class().verdict())) }
        ul .checks {
            li { (state(stored_sign, stored_class, changes.stored().sentence())) }
            li {
                @if approvals.is_empty() { (state("✔", "good", "No new approval is needed.")) }
                @else {
                    (state("✘", "bad", "The operator must approve:"))
                    ul { @for approval in approvals { li { (code(approval)) } } }
                    (more(hidden))
                }
            }
        }
        div .grid { (side("In use", old)) (side("Would replace it", new)) }
    }
}

fn side(title: &str, build: &Connector) -> Markup {
    let told = [
        ("Identifier", code(&build.id)),
        ("Version", name(&build.version)),
        ("Size", html! { (size(build.size)) }),
        ("Contract", name(&build.contract_version)),
        ("Digest", code(&build.digest)),
    ];
    html! { section { h2 { (title) } (facts(told)) } }
}

fn told(one: &Finding) -> Markup {
    let (sign, class) = mark(one.class.outcome());
    html! {
        h3 { (state(sign, class, one.title)) }
        p .code { (one.id) }
        @if !one.details.is_empty() {
            ul .findings { @for detail in &one.details { li { (finding(detail)) } } }
        }
        (more(one.more))
        @if let Some(action) = one.action { p .next { "→ " (finding(action)) } }
    }
}

fn cases(cases: &[CaseChange]) -> Markup {
    let (cases, hidden) = shown(cases);
    let row = |case: &CaseChange| {
        [name(&case.name), came(&case.old), came(&case.new), html! { (differs(case)) }]
    };
    html! {
        (table(
            "Outcomes of each case with both builds",
            ["Case", "In use", "Would replace it", "What differs"],
            cases.iter().map(row),
        ))
        (more(hidden))
    }
}

fn came(came: &Came) -> Markup {
    let ready = match came.ready {
        Some(true) => state("✔", "good", "Ready"),
        Some(false) => state("✘", "bad", "Not ready"),
        None => state("✘", "bad", "Not checked"),
    };
    html! {
        (ready)
        span .sub {
            (name(&came.outcome))
            @if let Some(members) = came.members { ", " (counted(members, "member")) }
            ", " (counted(came.requests, "request"))
        }
        @if let Some(request) = &came.unanswered {
            span .sub { "Not in the traffic: " (code(request)) }
        }
    }
}

fn differs(case: &CaseChange) -> Markup {
    let members = case.members.as_ref();
    let is_empty = members
        .is_none_or(|it| it.added.is_empty() && it.removed.is_empty() && it.changed.is_empty())
        && case.checks.is_empty()
        && case.old == case.new;
    let word = |outcome: &Option<String>| outcome.clone().unwrap_or_else(|| "not made".to_owned());
    html! {
        @if is_empty { "Nothing" }
        @if let Some(members) = members {
            (ids("added", &members.added))
            (ids("lost", &members.removed))
            @if !members.changed.is_empty() {
                details {
                    summary { (number(members.changed.len())) " changed" }
                    ul {
                        @for (id, fields) in members.changed.iter().take(MOST_IDS) {
                            li { (code(id)) ": " (said(&fields.join(", "))) }
                        }
                    }
                    (more(members.changed.len().saturating_sub(MOST_IDS)))
                }
            }
        }
        @for check in &case.checks {
            @let (old, new) = (word(&check.old), word(&check.new));
            p { "Check " (code(&check.id)) ": " (said(&old)) " → " (said(&new)) }
        }
    }
}

fn ids(what: &str, ids: &[String]) -> Markup {
    html! {
        @if !ids.is_empty() {
            details {
                summary { (number(ids.len())) " " (what) }
                ul { @for id in ids.iter().take(MOST_IDS) { li { (code(id)) } } }
                (more(ids.len().saturating_sub(MOST_IDS)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diff::changes::{CheckChange, Effect, MemberChanges};
    use smp_host::testing::any_text;
    use smp_listing::testing::{HOSTILE, assert_is_harmless, assert_stands_alone};

    fn changes(text: &str) -> Changes {
        let own = || text.to_owned();
        let side = |version: &str| Connector {
            id: own(),
            name: own(),
            version: version.into(),
            digest: own(),
            size: 123_456,
            contract_version: own(),
        };
        let finding = |class, effect| Finding {
            id: "setting-required",
            area: "",
            class,
            effect,
            title: "Needs a setting",
            action: Some("Have it filled in."),
            details: vec![own(), own()],
            more: 7,
        };
        let came = |members| Came {
            ready: Some(true),
            account: Some(own()),
            outcome: own(),
            members: Some(members),
            requests: 5,
            unanswered: Some(own()),
        };
        let members = MemberChanges {
            added: vec![own(); 25],
            removed: vec![own()],
            changed: vec![(own(), vec![own()])],
        };
        let check = CheckChange { id: own(), old: Some(own()), new: None };
        Changes {
            old: side("0.1.0"),
            new: side("0.2.0"),
            findings: vec![
                finding(Class::Blocking, Effect::Stops),
                finding(Class::Harmless, Effect::None),
            ],
            approvals: vec![own()],
            cases: vec![CaseChange {
                name: own(),
                old: came(4),
                new: came(5),
                members: Some(members),
                checks: vec![check],
            }],
        }
    }

    #[test]
    fn the_page_says_first_what_it_comes_to_and_then_what_blocks() {
        let page = page(&changes("said"));
        assert_stands_alone(&page);
        let mut rest = page.as_str();
        for expected in [
            "<a href=\"#blocking\">Blocking</a><a href=\"#harmless\">Harmless</a><a \
             href=\"#cases\">Recorded traffic</a>",
            "<h1><bdi>said</bdi> <bdi>0.1.0</bdi> → <bdi>0.2.0</bdi></h1>",
            "An operator must act before this upgrade",
            "The stored settings and key stop working.",
            "The operator must approve:",
            "<section id=\"blocking\"><h2>Blocking</h2>",
            "… and 7 more.",
            "→ <bdi>Have it filled in.</bdi>",
            "4 members, 5 requests",
            "<summary>25 added</summary>",
            "… and 5 more.",
            "<summary>1 lost</summary>",
            "<bdi>said</bdi> → <bdi>not made</bdi>",
        ] {
            let (_, after) =
                rest.split_once(expected).unwrap_or_else(|| panic!("{expected}\n{page}"));
            rest = after;
        }
    }

    #[test]
    fn a_case_without_a_difference_says_so() {
        let mut same = changes("said");
        let case = &mut same.cases[0];
        (case.members, case.new) = (Some(MemberChanges::default()), case.old.clone());
        case.checks.clear();
        assert!(page(&same).contains("<td>Nothing</td>"));
    }

    #[test]
    fn no_hostile_text_becomes_markup() {
        for text in HOSTILE {
            assert_is_harmless(&page(&changes(text)));
        }
    }

    proptest! {
        #[test]
        fn whatever_the_texts_are_the_page_stands_alone(text in any_text()) {
            assert_stands_alone(&page(&changes(&text)));
        }
    }
}
