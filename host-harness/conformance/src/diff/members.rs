//! The differences between two lists of the same organization, member by member, by account id.
//! Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::diff::changes::MemberChanges;
use smp_host::text::shortened;

/// Fields whose values are not personal data and short enough to be shown. Of the others, only the
/// name is shown.
const SHOWN_FIELDS: [&str; 5] = ["role", "last_seen", "status", "kind", "billable"];
/// Characters of a value that are shown.
const SHOWN: usize = 60;

/// How two lists differ.
pub(super) struct Difference {
    pub(super) changes: MemberChanges,
    pub(super) fields: Vec<FieldChange>,
    /// Members of the old list.
    pub(super) all: usize,
    /// Whether the same members come in another order.
    pub(super) is_reordered: bool,
}

/// A changed field of a member.
pub(super) struct FieldChange {
    /// Its name. For an attribute, `attributes.` and the name.
    pub(super) field: String,
    /// The member's account id.
    pub(super) id: String,
    /// Both values, if they may be shown.
    pub(super) example: String,
    /// Whether the old value was unknown.
    pub(super) is_more: bool,
}

pub(super) type Member = Map<String, Value>;

/// Compares two lists, each with a JSON object per line.
pub(super) fn compare(old: &[u8], new: &[u8]) -> Difference {
    let ((before, first), (now, second)) = (read(old), read(new));
    let missing_in = |list: &BTreeMap<String, Member>, ids: &[String]| {
        ids.iter().filter(|id| !list.contains_key(*id)).cloned().collect::<Vec<_>>()
    };
    let mut changes = MemberChanges {
        added: missing_in(&before, &second),
        removed: missing_in(&now, &first),
        changed: Vec::new(),
    };
    let mut fields = Vec::new();
    for id in &first {
        let (Some(old), Some(new)) = (before.get(id), now.get(id)) else { continue };
        let of_member: Vec<_> = compared(id, old, new).collect();
        if !of_member.is_empty() {
            changes
                .changed
                .push((id.clone(), of_member.iter().map(|change| change.field.clone()).collect()));
            fields.extend(of_member);
        }
    }
    let is_reordered = changes.added.is_empty() && changes.removed.is_empty() && first != second;
    Difference { changes, fields, all: first.len(), is_reordered }
}

/// The members by id, and their ids in the order of the list.
fn read(rows: &[u8]) -> (BTreeMap<String, Member>, Vec<String>) {
    let (mut members, mut ids) = (BTreeMap::new(), Vec::new());
    for line in rows.split(|byte| *byte == b'\n') {
        let Ok(member) = serde_json::from_slice::<Member>(line) else { continue };
        let id = member.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        if members.insert(id.clone(), member).is_none() {
            ids.push(id);
        }
    }
    (members, ids)
}

fn compared(id: &str, old: &Member, new: &Member) -> impl Iterator<Item = FieldChange> {
    let (old, new) = (flat(old), flat(new));
    let strange: Vec<_> = new.keys().filter(|field| !old.contains_key(*field)).cloned().collect();
    let fields: Vec<_> = old.keys().cloned().chain(strange).collect();
    fields.into_iter().filter_map(move |field| {
        let nothing = Value::Null;
        let (before, now) =
            (old.get(&field).unwrap_or(&nothing), new.get(&field).unwrap_or(&nothing));
        let shown = |value: &Value| shortened(&value.to_string(), SHOWN).into_owned();
        let may_be_shown = SHOWN_FIELDS.contains(&field.as_str());
        let example = if may_be_shown {
            format!(": {} became {}", shown(before), shown(now))
        } else {
            String::new()
        };
        (before != now).then(|| FieldChange {
            id: id.to_owned(),
            example,
            is_more: is_nothing(before),
            field,
        })
    })
}

/// The fields of a member. Each attribute is a separate field.
pub(super) fn flat(member: &Member) -> BTreeMap<String, Value> {
    let mut fields = BTreeMap::new();
    for (name, value) in member {
        match value {
            Value::Object(attributes) => {
                fields.extend(
                    attributes
                        .iter()
                        .map(|(attribute, value)| (format!("{name}.{attribute}"), value.clone())),
                );
            }
            value => drop(fields.insert(name.clone(), value.clone())),
        }
    }
    fields
}

/// Whether a value has no content: absent, an empty text, an empty list.
pub(super) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "{\"id\":\"a\",\"email\":\"a@x.test\",\"role\":\"Jira\",\"products\":[],\"\
                       attributes\":{\"t\":\"1\"}}\n{\"id\":\"b\",\"email\":null,\"role\":\"\",\"\
                       products\":[{\"key\":\"j\"}],\"attributes\":{}}\n";

    fn said(new: &str) -> Vec<String> {
        let difference = compare(OLD.as_bytes(), new.as_bytes());
        let told = |change: FieldChange| {
            format!(
                "{} {}{} {}",
                change.id,
                change.field,
                change.example,
                if change.is_more { "more" } else { "other" }
            )
        };
        difference.fields.into_iter().map(told).collect()
    }

    #[test]
    fn members_that_come_and_go_are_told_by_id() {
        let line = |number: usize| OLD.lines().nth(number).unwrap();
        let Difference { changes, all, is_reordered, .. } =
            compare(OLD.as_bytes(), line(1).as_bytes());
        assert_eq!(
            (changes.removed, changes.added, all, is_reordered),
            (vec!["a".into()], vec![], 2, false)
        );
        let Difference { changes, all, .. } = compare(line(0).as_bytes(), OLD.as_bytes());
        assert_eq!((changes.removed, changes.added, all), (vec![], vec!["b".to_owned()], 1));
        assert!(
            compare(OLD.as_bytes(), format!("{}\n{}", line(1), line(0)).as_bytes()).is_reordered
        );
        assert!(!compare(OLD.as_bytes(), OLD.as_bytes()).is_reordered);
    }

    #[test]
    fn fields_are_told_by_name_and_only_harmless_values_are_shown() {
        assert_eq!(said(OLD), [""; 0]);
        assert_eq!(said(&OLD.replace("a@x.test", "b@x.test")), ["a email other"]);
        assert_eq!(
            said(&OLD.replace("Jira", "Compass")),
            ["a role: \"Jira\" became \"Compass\" other"]
        );
        assert_eq!(
            said(&OLD.replace("\"email\":null", "\"email\":\"b@x.test\"")),
            ["b email more"]
        );
        assert_eq!(
            said(&OLD.replace("\"t\":\"1\"", "\"t\":\"2\",\"u\":\"3\"")),
            ["a attributes.t other", "a attributes.u more"]
        );
        assert_eq!(said(&OLD.replace("{\"t\":\"1\"}", "{}")), ["a attributes.t other"]);
        assert_eq!(said(&OLD.replace("[{\"key\":\"j\"}]", "[]")), ["b products other"]);
        let Difference { changes, .. } =
            compare(OLD.as_bytes(), OLD.replace("Jira", "Compass").as_bytes());
        assert_eq!(changes.changed, [("a".to_owned(), vec!["role".to_owned()])]);
    }
}
