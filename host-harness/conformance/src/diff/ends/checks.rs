//! Compares two reports of `validate`: whether the settings are still ready, and the outcome of
//! each check.

use serde_json::Value;

use super::SHOWN;
use crate::diff::changes::CheckChange;
use crate::diff::kinds::{
    CHECKS, CHECKS_ADDED, FAILS_AS, Found, NOT_READY, READY_NOW, WORDS, named,
};
use smp_host::text::shortened;
use smp_replay::player::call::Call;

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

/// Compares the reports of `validate`, check by check.
pub(super) fn compare(
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
