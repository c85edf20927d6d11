//! Compares the outcomes of one case with both builds, call by call. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::kinds::{
    ACCOUNT, ACCOUNT_GAINED, ACCOUNT_LOST, CHANGED, CHECKS, CHECKS_ADDED, FAILS_AS, Found, GAINED,
    KNOWS_MORE, LIST_GAINED, LIST_LOST, LOST, NOT_PLAYED, NOT_READY, ORDER, OTHER_REQUESTS,
    READY_NOW, REFUSED, SAME_MEMBERS, SEATS, WORDS, named,
};
use super::members::{self, FieldChange};
use super::side::Side;
use crate::diff::changes::{Came, CaseChange, CheckChange, MemberChanges};
use smp_host::failure::Failure;
use smp_host::text::counted;
use smp_host::text::shortened;
use smp_replay::player::call::{Call, End, Played};

/// Most characters of a message in a finding.
const SHOWN: usize = 200;
/// Most account ids in one finding about a case.
const NAMED: usize = 5;

/// The results of the lists of all cases.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// Cases in which the old build has a complete list and the traffic answers every request of
    /// the new one.
    pub(super) compared: usize,
    same: usize,
    members: usize,
    changed: BTreeMap<String, Field>,
    known_better: BTreeMap<String, Field>,
}

/// The changes of one field in all lists.
#[derive(Debug, Default)]
struct Field {
    members: usize,
    cases: BTreeSet<String>,
    example: String,
}

/// Compares the outcomes of a case.
pub(super) fn compare(
    name: String,
    old: &Side,
    new: &Side,
    lists: &mut Lists,
    found: &mut Found,
) -> CaseChange {
    let mut case =
        CaseChange { old: came(old), new: came(new), name, members: None, checks: Vec::new() };
    let name = &case.name;
    if let (None, Some(failure)) = (&old.refused, &new.refused) {
        found.in_case(&REFUSED, name, shortened(&failure.message, SHOWN).into_owned());
        return case;
    }
    for call in Call::ALL {
        let (Some(before), Some(now)) = (end_of(old, call), end_of(new, call)) else { continue };
        if let Some(request) = played(old, call).and_then(unanswered) {
            let what = format!(
                "in {call}, the old build asks for {}, which the traffic does not have",
                named(&request)
            );
            found.in_case(&NOT_PLAYED, name, what);
            continue;
        }
        if let Some(request) = played(new, call).and_then(unanswered) {
            found.in_case(&OTHER_REQUESTS, name, format!("in {call}, {}", named(&request)));
            continue;
        }
        match (before, now) {
            (End::Failed(before), End::Failed(now)) => failures(name, call, &before, &now, found),
            (
                End::Checked { ready: before, report: old, .. },
                End::Checked { ready: now, report: new, .. },
            ) => {
                case.checks = reports(name, (before, &old), (now, &new), found);
            }
            (End::Checked { ready: true, .. }, End::Failed(failure)) => {
                found.in_case(&NOT_READY, name, told(&failure))
            }
            (End::Checked { ready: false, .. }, End::Failed(failure)) => {
                found.in_case(
                    &FAILS_AS,
                    name,
                    format!("in {call}, not ready became {}", told(&failure)),
                );
            }
            (End::Failed(_), End::Checked { ready: true, .. }) => {
                found.add(&READY_NOW, name.clone())
            }
            (End::Failed(failure), End::Checked { ready: false, .. }) => {
                found.in_case(
                    &FAILS_AS,
                    name,
                    format!("in {call}, `{}` became not ready", failure.code),
                );
            }
            (End::Account(before), End::Account(now)) if before != now => {
                found.in_case(&ACCOUNT, name, format!("{} became {}", named(&before), named(&now)));
            }
            (End::Account(_), End::Failed(failure)) => {
                found.in_case(&ACCOUNT_LOST, name, told(&failure))
            }
            (End::Failed(_), End::Account(now)) => {
                found.in_case(&ACCOUNT_GAINED, name, named(&now))
            }
            (End::List { rows: before, .. }, End::List { rows: now, .. })
                if call == Call::Usage =>
            {
                seats(name, &before, &now, found);
            }
            (End::List { rows: before, .. }, End::List { rows: now, .. }) => {
                case.members = Some(lists.compare(name, &before, &now, found));
            }
            (End::List { ids, .. }, End::Failed(failure)) => {
                lists.compared += 1;
                found.add(
                    &LIST_LOST,
                    format!(
                        "{name}, a list of {}: {}",
                        counted(ids.len(), record(call)),
                        told(&failure)
                    ),
                );
            }
            (End::Failed(failure), End::List { ids, .. }) => {
                found.add(
                    &LIST_GAINED,
                    format!(
                        "{name}, a list of {}; before: {}",
                        counted(ids.len(), record(call)),
                        told(&failure)
                    ),
                );
            }
            _ => {}
        }
    }
    case
}

/// Compares the usage of a case.
fn seats(name: &str, before: &[u8], now: &[u8], found: &mut Found) {
    if before == now {
        return;
    }
    let [old, new] = [before, now].map(lines);
    let detail = if old == new {
        format!("{name}: other values in {}", counted(new, "row"))
    } else {
        format!("{name}: {} became {new}", counted(old, "row"))
    };
    found.add(&SEATS, detail);
}

/// What a list of this call has.
fn record(call: Call) -> &'static str {
    if call == Call::Usage { "row" } else { "member" }
}

/// Number of rows.
fn lines(rows: &[u8]) -> usize {
    rows.iter().filter(|byte| **byte == b'\n').count()
}

/// The end of a call. If the form refused the settings, so that the component was not called, that
/// refusal.
fn end_of(side: &Side, call: Call) -> Option<End> {
    match &side.refused {
        Some(failure) => Some(End::Failed(failure.clone())),
        None => played(side, call).map(|played| played.end.clone()),
    }
}

fn played(side: &Side, call: Call) -> Option<&Played> {
    side.calls.iter().find(|(other, _)| *other == call).map(|(_, played)| played)
}

/// The first request to which the traffic has no answer.
fn unanswered(played: &Played) -> Option<String> {
    let exchange = played.exchanges.iter().find(|exchange| !exchange.held)?;
    Some(format!("{} {}", exchange.request.method, exchange.request.path_and_query))
}

fn came(side: &Side) -> Came {
    let mut came = Came::default();
    for call in Call::ALL {
        match end_of(side, call) {
            Some(End::Checked { ready, .. }) => came.ready = Some(ready),
            Some(End::Account(id)) => came.account = Some(id),
            Some(End::List { ids, .. }) if call == Call::Collect => {
                (came.outcome, came.members) = ("complete".to_owned(), Some(ids.len()))
            }
            Some(End::Failed(failure)) if call == Call::Collect => {
                failure.code.as_str().clone_into(&mut came.outcome)
            }
            _ => {}
        }
    }
    came.requests = side.calls.iter().map(|(_, played)| played.exchanges.len()).sum();
    came.unanswered = side.calls.iter().find_map(|(_, played)| unanswered(played));
    came
}

fn failures(name: &str, call: Call, old: &Failure, new: &Failure, found: &mut Found) {
    if old.code != new.code {
        found.in_case(&FAILS_AS, name, format!("in {call}, `{}` became {}", old.code, told(new)));
    } else if old != new {
        found.in_case(&WORDS, name, format!("in {call}, `{}`", old.code));
    }
}

fn told(failure: &Failure) -> String {
    format!("`{}`: {}", failure.code, shortened(&failure.message, SHOWN))
}

/// A check in its JSON form.
struct Check<'r>(&'r Value);

impl Check<'_> {
    fn text(&self, key: &str) -> &str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }
}

fn checks(report: &Value) -> impl Iterator<Item = Check<'_>> {
    report.get("checks").and_then(Value::as_array).into_iter().flatten().map(Check)
}

fn reports(
    name: &str,
    (was_ready, old): (bool, &Value),
    (is_ready, new): (bool, &Value),
    found: &mut Found,
) -> Vec<CheckChange> {
    let failed = |report| checks(report).find(|check| check.text("outcome") == "failed");
    match (was_ready, is_ready) {
        (true, false) => {
            let why = failed(new).map_or_else(
                || "a check that is needed could not be made".to_owned(),
                |check| {
                    format!(
                        "{}, `{}`: {}",
                        named(check.text("title")),
                        check.text("code"),
                        shortened(check.text("message"), SHOWN)
                    )
                },
            );
            found.in_case(&NOT_READY, name, why);
        }
        (false, true) => found.add(&READY_NOW, name.to_owned()),
        _ => {
            let codes =
                [old, new].map(|report| failed(report).map(|check| check.text("code").to_owned()));
            if let [Some(before), Some(now)] = &codes
                && before != now
            {
                found.in_case(
                    &FAILS_AS,
                    name,
                    format!("in {}, `{before}` became `{now}`", Call::Validate),
                );
            }
        }
    }
    let mut changes = Vec::new();
    let mut words = false;
    for before in checks(old) {
        let (id, outcome) = (before.text("id"), before.text("outcome"));
        let now = checks(new).find(|check| check.text("id") == id);
        match now {
            None => {
                found.in_case(&CHECKS, name, format!("the check {} is no longer made", named(id)))
            }
            Some(ref now) if now.text("outcome") != outcome => {
                found.in_case(
                    &CHECKS,
                    name,
                    format!(
                        "the check {}, `{outcome}` became `{}`",
                        named(id),
                        now.text("outcome")
                    ),
                );
            }
            Some(now) => {
                words |= now.0 != before.0;
                continue;
            }
        }
        let new = now.map(|now| now.text("outcome").to_owned());
        changes.push(CheckChange { id: id.to_owned(), old: Some(outcome.to_owned()), new });
    }
    for now in
        checks(new).filter(|now| !checks(old).any(|before| before.text("id") == now.text("id")))
    {
        let (id, outcome) = (now.text("id"), now.text("outcome"));
        let kind = if outcome == "passed" { &CHECKS_ADDED } else { &CHECKS };
        found.in_case(kind, name, format!("the check {} is new, `{outcome}`", named(id)));
        changes.push(CheckChange { id: id.to_owned(), old: None, new: Some(outcome.to_owned()) });
    }
    if words {
        found.in_case(&WORDS, name, format!("in {}", Call::Validate));
    }
    changes
}

impl Lists {
    fn compare(&mut self, name: &str, old: &[u8], new: &[u8], found: &mut Found) -> MemberChanges {
        let members::Difference { changes, fields, all, is_reordered } = members::compare(old, new);
        self.compared += 1;
        if !changes.removed.is_empty() {
            found.add(
                &LOST,
                format!("{name}: {} of {all}: {}", changes.removed.len(), ids(&changes.removed)),
            );
        }
        if !changes.added.is_empty() {
            found.add(
                &GAINED,
                format!(
                    "{name}: {}: {}",
                    counted(changes.added.len(), "member"),
                    ids(&changes.added)
                ),
            );
        }
        if is_reordered {
            found.add(&ORDER, name.to_owned());
        }
        if changes == MemberChanges::default() {
            (self.same, self.members) = (self.same + 1, self.members + all);
        }
        for FieldChange { field, id, example, is_more } in fields {
            let known = if is_more { &mut self.known_better } else { &mut self.changed };
            let known = known.entry(field).or_default();
            known.members += 1;
            known.cases.insert(name.to_owned());
            if known.example.is_empty() {
                known.example = format!("{} in {name}{example}", named(&id));
            }
        }
        changes
    }

    /// Adds the results of all lists.
    pub(super) fn tell(self, found: &mut Found) {
        let told = |(field, Field { members, cases, example }): (String, Field)| {
            let (members, cases) = (counted(members, "member"), counted(cases.len(), "case"));
            format!("{} of {members} in {cases}, for example {example}", named(&field))
        };
        found.extend(&CHANGED, self.changed.into_iter().map(told));
        found.extend(&KNOWS_MORE, self.known_better.into_iter().map(told));
        if self.same > 0 {
            found.add(
                &SAME_MEMBERS,
                format!("{} in {}", counted(self.members, "member"), counted(self.same, "case")),
            );
        }
    }
}

fn ids(all: &[String]) -> String {
    let mut told: Vec<_> = all.iter().take(NAMED).map(|id| named(id)).collect();
    if all.len() > NAMED {
        told.push(format!("and {} more", all.len() - NAMED));
    }
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diff::testing::lines;
    use smp_host::failure::Code;
    use smp_host::http::transport::{Method, Request, Response};
    use smp_replay::player::trace::Trace;
    use smp_replay::player::traffic::Exchange;

    fn failed(code: Code) -> End {
        End::Failed(Failure::new(code, "it did not work"))
    }

    fn list(ids: &[&str]) -> End {
        let rows: String =
            ids.iter().map(|id| format!("{{\"id\":\"{id}\",\"role\":\"Jira\"}}\n")).collect();
        End::List { ids: ids.iter().map(|id| (*id).to_owned()).collect(), rows: rows.into_bytes() }
    }

    fn report(ready: bool, checks: &[(&str, &str, &str)]) -> End {
        let checks = checks.iter().map(|(id, outcome, message)| {
            json!({"id": id, "title": id.to_uppercase(), "outcome": outcome, "message": message,
                "code": if *outcome == "failed" { json!("permission") } else { Value::Null }})
        });
        End::Checked {
            ready,
            report: json!({"checks": checks.collect::<Vec<_>>()}),
            wordless: None,
            warned: false,
        }
    }

    fn exchange(held: bool) -> Exchange {
        let request = Request {
            method: Method::Get,
            path_and_query: "/a?b=1".into(),
            body: None,
            headers: std::sync::Arc::default(),
        };
        Exchange { request, answer: Ok(Response::default()), held, tries: 1 }
    }

    fn side(call: Call, end: End, held: bool) -> Side {
        let (exchanges, trace) = (vec![exchange(held)], Trace::default());
        Side { calls: vec![(call, Played { end, said: vec![], exchanges, trace })], refused: None }
    }

    fn between(old: &Side, new: &Side) -> (CaseChange, Vec<String>) {
        let (mut lists, mut found) = (Lists::default(), Found::default());
        let case = compare("one".into(), old, new, &mut lists, &mut found);
        lists.tell(&mut found);
        (case, lines(found))
    }

    fn said(call: Call, old: End, new: End) -> Vec<String> {
        between(&side(call, old, true), &side(call, new, true)).1
    }

    #[test]
    fn a_list_that_is_gone_blocks_and_one_that_was_none_is_looked_at() {
        let (right, fails) = (|| list(&["a", "b"]), || failed(Code::Incomplete));
        for (old, new, expected) in [
            (right(), right(), "harmless same-members: 2 members in 1 case"),
            (right(), list(&["b", "a"]), "harmless members-order: one"),
            (right(), list(&["a"]), "blocking members-lost: one: 1 of 2: `b`"),
            (right(), list(&["a", "b", "c"]), "look members-added: one: 1 member: `c`"),
            (
                right(),
                fails(),
                "blocking list-lost: one, a list of 2 members: `incomplete`: it did not work",
            ),
            (
                fails(),
                right(),
                "look list-gained: one, a list of 2 members; before: `incomplete`: it did not work",
            ),
            (
                fails(),
                failed(Code::Trap),
                "look fails-otherwise: one: in collect, `incomplete` became `trap`: it did not \
                 work",
            ),
        ] {
            assert!(
                said(Call::Collect, old.clone(), new.clone()).contains(&expected.to_owned()),
                "{old:?} {new:?}"
            );
        }
        let other_words = End::Failed(Failure::new(Code::Incomplete, "it did not work out"));
        assert_eq!(
            said(Call::Collect, fails(), other_words),
            ["harmless report-words: one: in collect, `incomplete`"]
        );
        assert_eq!(said(Call::Collect, fails(), fails()), [""; 0]);
    }

    #[test]
    fn what_changes_in_many_lists_is_told_once() {
        let with = |role: &str| {
            let rows = format!("{{\"id\":\"a\",\"role\":\"{role}\"}}\n");
            End::List { ids: BTreeSet::from(["a".to_owned()]), rows: rows.into_bytes() }
        };
        let (mut lists, mut found) = (Lists::default(), Found::default());
        for name in ["one", "two"] {
            let (old, new) = (
                side(Call::Collect, with("Jira"), true),
                side(Call::Collect, with("Compass"), true),
            );
            compare(name.into(), &old, &new, &mut lists, &mut found);
        }
        lists.tell(&mut found);
        assert_eq!(
            lines(found),
            ["look members-changed: `role` of 2 members in 2 cases, for example `a` in one: \
              \"Jira\" became \"Compass\""]
        );
        let gained =
            between(&side(Call::Collect, with(""), true), &side(Call::Collect, with("Jira"), true))
                .1;
        assert_eq!(
            gained,
            ["harmless members-known-better: `role` of 1 member in 1 case, for example `a` in \
              one: \"\" became \"Jira\""]
        );
    }

    #[test]
    fn settings_that_are_not_ready_any_more_block() {
        let (yes, no) =
            (|| report(true, &[("a", "passed", "x")]), || report(false, &[("a", "failed", "no")]));
        for (old, new, expected) in [
            (
                yes(),
                no(),
                &[
                    "blocking not-ready: one: `A`, `permission`: no",
                    "look checks-changed: one: the check `a`, `passed` became `failed`",
                ][..],
            ),
            (
                no(),
                yes(),
                &[
                    "look ready-now: one",
                    "look checks-changed: one: the check `a`, `failed` became `passed`",
                ],
            ),
            (yes(), failed(Code::Trap), &["blocking not-ready: one: `trap`: it did not work"]),
            (failed(Code::Trap), yes(), &["look ready-now: one"]),
            (
                yes(),
                report(true, &[("a", "passed", "y")]),
                &["harmless report-words: one: in validate"],
            ),
            (
                yes(),
                report(true, &[("a", "warning", "x")]),
                &["look checks-changed: one: the check `a`, `passed` became `warning`"],
            ),
            (
                yes(),
                report(true, &[("a", "passed", "x"), ("b", "passed", "x")]),
                &["harmless checks-added: one: the check `b` is new, `passed`"],
            ),
            (
                yes(),
                report(true, &[("a", "passed", "x"), ("b", "skipped", "x")]),
                &["look checks-changed: one: the check `b` is new, `skipped`"],
            ),
            (report(false, &[]), report(false, &[]), &[]),
            (
                report(false, &[]),
                failed(Code::Trap),
                &["look fails-otherwise: one: in validate, not ready became `trap`: it did not \
                   work"],
            ),
            (
                failed(Code::Trap),
                report(false, &[]),
                &["look fails-otherwise: one: in validate, `trap` became not ready"],
            ),
        ] {
            assert_eq!(said(Call::Validate, old, new), expected);
        }
        let gone = between(
            &side(Call::Validate, yes(), true),
            &side(Call::Validate, report(true, &[]), true),
        );
        assert_eq!(gone.1, ["look checks-changed: one: the check `a` is no longer made"]);
        assert_eq!(
            gone.0.checks,
            [CheckChange { id: "a".into(), old: Some("passed".into()), new: None }]
        );
    }

    #[test]
    fn other_usage_is_looked_at_and_lost_usage_blocks() {
        let rows = |rows: &str| End::List {
            ids: BTreeSet::from(["a".to_owned()]),
            rows: rows.as_bytes().to_vec(),
        };
        for (old, new, expected) in [
            (rows("a\n"), rows("a\n"), None),
            (rows("a\n"), rows("b\n"), Some("look usage-changed: one: other values in 1 row")),
            (rows("a\n"), rows("a\nb\n"), Some("look usage-changed: one: 1 row became 2")),
            (
                rows("a\n"),
                failed(Code::Incomplete),
                Some("blocking list-lost: one, a list of 1 row: `incomplete`: it did not work"),
            ),
        ] {
            let said = said(Call::Usage, old, new);
            assert_eq!(said, expected.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn another_account_blocks() {
        let account = |id: &str| End::Account(id.into());
        assert_eq!(said(Call::Connect, account("1"), account("1")), [""; 0]);
        assert_eq!(
            said(Call::Connect, account("1"), account("2")),
            ["blocking other-account: one: `1` became `2`"]
        );
        assert_eq!(
            said(Call::Connect, account("1"), failed(Code::Permission)),
            ["blocking account-lost: one: `permission`: it did not work"]
        );
        assert_eq!(
            said(Call::Connect, failed(Code::Permission), account("2")),
            ["look account-gained: one: `2`"]
        );
    }

    #[test]
    fn what_the_traffic_does_not_hold_is_told_and_not_taken_for_lost_members() {
        let (right, gone) = (list(&["a"]), failed(Code::Upstream));
        let (case, said) = between(
            &side(Call::Collect, right.clone(), true),
            &side(Call::Collect, gone.clone(), false),
        );
        assert_eq!(said, ["look other-requests: one: in collect, `GET /a?b=1`"]);
        assert_eq!(case.new.unanswered.as_deref(), Some("GET /a?b=1"));
        let (_, said) =
            between(&side(Call::Collect, gone, false), &side(Call::Collect, right, true));
        assert_eq!(
            said,
            ["look not-played: one: in collect, the old build asks for `GET /a?b=1`, which the \
              traffic does not have"]
        );
    }

    #[test]
    fn settings_that_the_new_form_refuses_are_told_once() {
        let refused = || Side {
            calls: vec![],
            refused: Some(Failure::new(Code::InvalidSettings, "it looks like a key")),
        };
        let taken = side(Call::Validate, report(true, &[]), true);
        assert_eq!(
            between(&taken, &refused()).1,
            ["blocking settings-refused: one: it looks like a key"]
        );
        assert_eq!(between(&refused(), &taken).1, ["look ready-now: one"]);
        assert_eq!(between(&refused(), &refused()).1, [""; 0]);
    }
}
