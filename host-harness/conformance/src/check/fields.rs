//! Changes the fields of a JSON answer, one at a time. Pure.
//!
//! The first element of a list stands for all. If a field is missing somewhere in an answer from
//! which a connector made a complete list, the service itself may leave it out.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

/// Most fields of one answer that are changed, those nearest to the root first. A member of any
/// service has fewer.
const MOST_FIELDS: usize = 40;
/// Greatest depth at which fields are changed.
const DEEPEST: usize = 8;
/// Most values of one answer that are searched for fields that may be missing.
const MOST_LOOKED_AT: usize = 20_000;

/// A field and its change.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    /// The place of the field, as a JSON pointer.
    pointer: Vec<Step>,
    /// The same for people: `data[0].name`.
    pub(super) place: String,
    /// The same for any element of a list: `data[].name`.
    pub(super) pattern: String,
    /// The new value. `None` removes the field.
    value: Option<Value>,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Key(String),
    First,
}

impl Change {
    /// The change, for people.
    pub(super) fn named(&self) -> String {
        let place = &self.place;
        match &self.value {
            None => format!("`{place}` left out"),
            Some(Value::Null) => format!("`{place}` null"),
            Some(Value::String(_)) => format!("`{place}` a text"),
            Some(Value::Number(_)) => format!("`{place}` a number"),
            Some(Value::Bool(_)) => format!("`{place}` true or false"),
            Some(Value::Object(_)) => format!("`{place}` an object"),
            Some(Value::Array(_)) => format!("`{place}` a list"),
        }
    }

    /// Whether the field is removed.
    pub(super) fn removes(&self) -> bool {
        matches!(self.value, None | Some(Value::Null))
    }

    /// The answer with this change.
    pub(super) fn applied(&self, answer: &Value) -> Value {
        let mut changed = answer.clone();
        let Some((last, way)) = self.pointer.split_last() else { return changed };
        let parent = way.iter().try_fold(&mut changed, |value, step| match step {
            Step::Key(key) => value.get_mut(key),
            Step::First => value.get_mut(0),
        });
        match (parent, last) {
            (Some(Value::Object(fields)), Step::Key(key)) => match &self.value {
                None => {
                    fields.shift_remove(key);
                }
                Some(value) => {
                    fields.insert(key.clone(), value.clone());
                }
            },
            (Some(Value::Array(elements)), Step::First) => {
                if let (Some(first), Some(value)) = (elements.first_mut(), &self.value) {
                    first.clone_from(value);
                }
            }
            _ => {}
        }
        changed
    }
}

/// Every change of every field, up to the bounds. Made-up texts consist of the word.
pub(super) fn changes(answer: &Value, word: &str) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut fields = 0;
    let mut open = VecDeque::from([(Vec::new(), String::new(), String::new(), answer)]);
    while let Some((pointer, place, pattern, value)) = open.pop_front() {
        if fields == MOST_FIELDS {
            break;
        }
        if !pointer.is_empty() {
            fields += 1;
            let removable = matches!(pointer.last(), Some(Step::Key(_)));
            let others = removable
                .then_some(None)
                .into_iter()
                .chain(others(value, word).into_iter().map(Some));
            changes.extend(others.map(|value| Change {
                pointer: pointer.clone(),
                place: place.clone(),
                pattern: pattern.clone(),
                value,
            }));
        }
        if pointer.len() >= DEEPEST {
            continue;
        }
        match value {
            Value::Object(object) => open.extend(object.iter().map(|(key, value)| {
                let pointer = pointer.iter().cloned().chain([Step::Key(key.clone())]).collect();
                (pointer, below(&place, key), below(&pattern, key), value)
            })),
            Value::Array(elements) => open.extend(elements.first().map(|value| {
                let pointer = pointer.iter().cloned().chain([Step::First]).collect();
                (pointer, format!("{place}[0]"), format!("{pattern}[]"), value)
            })),
            _ => {}
        }
    }
    changes
}

/// Values of other types in place of this one.
fn others(value: &Value, word: &str) -> Vec<Value> {
    let (null, text, number, object, list) =
        (Value::Null, json!(word), json!(42), json!({}), json!([]));
    match value {
        // A field that is null may be a text or a Boolean when it is present: only other types are
        // wrong.
        Value::Null => vec![number, object, list],
        Value::Bool(_) => vec![null, text, number, object, list],
        Value::Number(known) => vec![null, json!(known.to_string()), object, list],
        Value::String(_) => vec![null, number, object, list],
        Value::Array(_) => vec![null, text, number, object],
        Value::Object(_) => vec![null, text, number, list],
    }
}

fn below(place: &str, key: &str) -> String {
    if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") }
}

/// The fields that may be missing, by endpoint, learned from the answers behind complete lists.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// By endpoint and object, how often it was seen.
    objects: BTreeMap<(usize, String), usize>,
    /// By endpoint and field, how often it was present and not null.
    fields: BTreeMap<(usize, String), usize>,
}

impl Known {
    /// Learns from an answer.
    pub(super) fn learn(&mut self, endpoint: usize, answer: &Value) {
        let mut open = vec![(String::new(), answer)];
        let mut left = MOST_LOOKED_AT;
        while let Some((pattern, value)) = open.pop() {
            let Some(less) = left.checked_sub(1) else { return };
            left = less;
            match value {
                Value::Object(object) => {
                    *self.objects.entry((endpoint, pattern.clone())).or_default() += 1;
                    for (key, value) in object.iter().filter(|(_, value)| !value.is_null()) {
                        let field = below(&pattern, key);
                        *self.fields.entry((endpoint, field.clone())).or_default() += 1;
                        open.push((field, value));
                    }
                }
                Value::Array(elements) => {
                    open.extend(elements.iter().map(|value| (format!("{pattern}[]"), value)))
                }
                _ => {}
            }
        }
    }

    /// Whether the service itself leaves the field out.
    pub(super) fn may_be_missing(&self, endpoint: usize, pattern: &str) -> bool {
        if pattern.ends_with("[]") {
            return false;
        }
        let parent = pattern.rsplit_once('.').map_or("", |(parent, _)| parent);
        let count = |counts: &BTreeMap<(usize, String), usize>, of: &str| {
            counts.get(&(endpoint, of.to_owned())).copied().unwrap_or_default()
        };
        count(&self.fields, pattern) < count(&self.objects, parent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_becomes_each_other_type_and_is_left_out() {
        let answer = json!({"data": [{"id": "a"}, {"id": "b"}], "total": 2});
        let all = changes(&answer, "word");
        let named: Vec<_> = all.iter().map(Change::named).collect();
        assert_eq!(
            named,
            [
                "`data` left out",
                "`data` null",
                "`data` a text",
                "`data` a number",
                "`data` an object",
                "`total` left out",
                "`total` null",
                "`total` a text",
                "`total` an object",
                "`total` a list",
                "`data[0]` null",
                "`data[0]` a text",
                "`data[0]` a number",
                "`data[0]` a list",
                "`data[0].id` left out",
                "`data[0].id` null",
                "`data[0].id` a number",
                "`data[0].id` an object",
                "`data[0].id` a list",
            ]
        );
        assert_eq!(all[14].applied(&answer), json!({"data": [{}, {"id": "b"}], "total": 2}));
        assert_eq!(
            all[7].applied(&answer),
            json!({"data": [{"id": "a"}, {"id": "b"}], "total": "2"})
        );
        assert_eq!(all[10].applied(&answer)["data"][0], Value::Null);
        assert!(all.iter().all(|change| change.applied(&answer) != answer));
    }

    #[test]
    fn the_fields_of_a_large_answer_are_bounded() {
        let wide: serde_json::Map<_, _> =
            (0..1_000).map(|number| (number.to_string(), json!(number))).collect();
        assert_eq!(changes(&Value::Object(wide), "word").len(), 5 * MOST_FIELDS);
        let deep = (0..100).fold(json!(1), |inner, _| json!({"a": inner}));
        assert!(changes(&deep, "word").iter().all(|change| change.pointer.len() <= DEEPEST));
    }

    #[test]
    fn what_an_answer_goes_without_may_be_missing() {
        let mut known = Known::default();
        known.learn(0, &json!({"data": [{"id": 1, "name": null}, {"id": 2, "name": "b"}], "links": {"next": "x"}}));
        known.learn(0, &json!({"data": [], "links": {}}));
        assert!(known.may_be_missing(0, "data[].name") && known.may_be_missing(0, "links.next"));
        assert!(
            !known.may_be_missing(0, "data")
                && !known.may_be_missing(0, "data[].id")
                && !known.may_be_missing(0, "links")
        );
        assert!(!known.may_be_missing(1, "data[].name") && !known.may_be_missing(0, "data[]"));
    }
}
