//! What a new outcome of a case changes in the expected one, for the author who vouches for it. Pure.
//!
//! Members are compared by account id, and fields are told by name: a value may be personal data.

use std::collections::BTreeMap;

use serde_json::Value;

use super::members::{self, Member, flat, is_nothing};
use crate::check::difference;
use smp_host::text::counted;

/// The changes, a sentence each. What vanished comes first.
#[must_use]
pub fn changes(expected: &Value, now: &Value) -> Vec<String> {
    let (old, new) = (rows(expected), rows(now));
    let mut told = vanished(old, new);
    told.extend(of_members(old, new, &told_of(old, new)));
    let parts = [("validate", false), ("collect", true), ("usage", false)];
    told.extend(parts.into_iter().filter_map(|(part, has_rows)| {
        let [before, now] =
            [expected, now].map(|outcome| without_rows(outcome.get(part), has_rows));
        difference::first(&before, &now).map(|differs| format!("in `{part}`, {differs}"))
    }));
    told
}

/// The members of an outcome.
fn rows(outcome: &Value) -> &[Value] {
    let rows = outcome.pointer("/collect/rows").and_then(Value::as_array);
    rows.map_or(&[], Vec::as_slice)
}

/// The part of an outcome, without its members if it has any.
fn without_rows(part: Option<&Value>, has_rows: bool) -> Value {
    let mut part = part.cloned().unwrap_or_default();
    if let Some(object) = part.as_object_mut().filter(|_| has_rows) {
        object.shift_remove("rows");
    }
    part
}

/// Number of members that have a field, by its name.
fn held(rows: &[Value]) -> BTreeMap<String, usize> {
    let mut held = BTreeMap::new();
    let fields = rows.iter().filter_map(Value::as_object).flat_map(|row: &Member| flat(row));
    for (field, _) in fields.filter(|(_, value)| !is_nothing(value)) {
        *held.entry(field).or_default() += 1;
    }
    held
}

/// The fields that some had and nobody has any longer, with the number of those who had it.
fn told_of(old: &[Value], new: &[Value]) -> BTreeMap<String, usize> {
    let now = held(new);
    let mut gone = held(old);
    // Without members no field is missing.
    gone.retain(|field, _| !new.is_empty() && !now.contains_key(field));
    gone
}

fn vanished(old: &[Value], new: &[Value]) -> Vec<String> {
    let told = |(field, had): (String, usize)| {
        format!("no member has `{field}` any longer: {had} of {} had it", old.len())
    };
    told_of(old, new).into_iter().map(told).collect()
}

fn of_members(old: &[Value], new: &[Value], vanished: &BTreeMap<String, usize>) -> Vec<String> {
    let lines = |rows: &[Value]| rows.iter().map(|row| format!("{row}\n")).collect::<String>();
    let difference = members::compare(lines(old).as_bytes(), lines(new).as_bytes());
    let (gone, added) = (difference.changes.removed.len(), difference.changes.added.len());
    let mut told = Vec::new();
    if gone > 0 {
        told.push(format!("{gone} of {} gone", counted(difference.all, "member")));
    }
    if added > 0 {
        told.push(format!("{} added", counted(added, "member")));
    }
    if difference.is_reordered {
        told.push("the members come in another order".to_owned());
    }
    let mut fields = BTreeMap::<_, usize>::new();
    for change in difference.fields {
        *fields.entry(change.field).or_default() += 1;
    }
    fields.retain(|field, _| !vanished.contains_key(field));
    told.extend(fields.into_iter().map(|(field, changed)| {
        format!("another `{field}` for {changed} of {}", counted(difference.all, "member"))
    }));
    told
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outcome(rows: &Value) -> Value {
        json!({"validate": {"ready": true}, "collect": {"error": null, "rows": rows}})
    }

    #[test]
    fn a_field_that_nobody_has_any_longer_is_told_first() {
        let row = |id: &str, email: Value, role: &str| json!({"id": id, "email": email, "role": role, "attributes": {"team": "a"}});
        let old = outcome(&json!([
            row("a", json!("a@x.test"), "r"),
            row("b", json!("b@x.test"), "r"),
            row("c", json!(null), "r")
        ]));
        let new = outcome(&json!([
            row("a", json!(null), "s"),
            row("b", json!(null), "r"),
            row("c", json!(null), "r")
        ]));
        assert_eq!(
            changes(&old, &new),
            [
                "no member has `email` any longer: 2 of 3 had it",
                "another `role` for 1 of 3 members"
            ]
        );
        assert_eq!(changes(&old, &old), [""; 0]);
    }

    #[test]
    fn members_and_the_rest_of_the_outcome_are_told_without_a_value_of_a_member() {
        let old = outcome(&json!([{"id": "a", "name": "Ada"}, {"id": "b", "name": "Bo"}]));
        let mut new = outcome(&json!([{"id": "a", "name": "Eve"}, {"id": "c", "name": "Bo"}]));
        new["validate"]["ready"] = json!(false);
        assert_eq!(
            changes(&old, &new),
            [
                "1 of 2 members gone",
                "1 member added",
                "another `name` for 1 of 2 members",
                "in `validate`, at `/ready` there is false, expected was true"
            ]
        );
        let nobody = outcome(&json!([]));
        assert_eq!(changes(&old, &nobody), ["2 of 2 members gone"]);
        assert_eq!(changes(&nobody, &old), ["2 members added"]);
    }
}
