//! Compares the outcomes of one case with both builds, call by call. Pure.

mod checks;

use std::collections::{BTreeMap, BTreeSet};

use super::kinds::{
    ACCOUNT, ACCOUNT_GAINED, ACCOUNT_LOST, CHANGED, FAILS_AS, Found, GAINED, KNOWS_MORE,
    LIST_GAINED, LIST_LOST, LOST, NOT_PLAYED, NOT_READY, ORDER, OTHER_REQUESTS, READY_NOW, REFUSED,
    SAME_MEMBERS, SEATS, WORDS, named,
};
use super::members::{self, FieldChange};
use super::side::Side;
use crate::diff::changes::{Came, CaseChange, MemberChanges};
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
                case.checks = checks::compare(name, (before, &old), (now, &new), found);
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
mod tests;
