//! The first difference between two JSON values. Pure.

use serde_json::Value;

use smp_host::text::shortened;

/// Characters of a value that are shown.
const SHOWN: usize = 80;

/// The first difference, as a sentence: a JSON pointer and both values.
pub(crate) fn first(expected: &Value, came: &Value) -> Option<String> {
    at("", Some(expected), Some(came))
}

fn at(pointer: &str, expected: Option<&Value>, came: Option<&Value>) -> Option<String> {
    match (expected, came) {
        (expected, came) if expected == came => None,
        (Some(Value::Object(wanted)), Some(Value::Object(found))) => {
            let strange = found.keys().filter(|key| !wanted.contains_key(*key));
            wanted
                .keys()
                .chain(strange)
                .find_map(|key| at(&below(pointer, key), wanted.get(key), found.get(key)))
        }
        (Some(Value::Array(wanted)), Some(Value::Array(found))) => {
            (0..wanted.len().max(found.len())).find_map(|index| {
                at(&below(pointer, &index.to_string()), wanted.get(index), found.get(index))
            })
        }
        _ => {
            let place = if pointer.is_empty() { "/" } else { pointer };
            Some(format!("at `{place}` there is {}, expected was {}", shown(came), shown(expected)))
        }
    }
}

fn below(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(
        || "nothing".to_owned(),
        |value| shortened(&value.to_string(), SHOWN).into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_difference_is_named_by_its_pointer_with_both_values() {
        let expected = json!({"rows": [{"id": "a"}, {"id": "b", "a/b": 1}]});
        for (came, said) in [
            (expected.clone(), None),
            (
                json!({"rows": [{"id": "a"}, {"id": "c", "a/b": 1}]}),
                Some("at `/rows/1/id` there is \"c\", expected was \"b\""),
            ),
            (
                json!({"rows": [{"id": "a"}]}),
                Some("at `/rows/1` there is nothing, expected was {\"id\":\"b\",\"a/b\":1}"),
            ),
            (
                json!({"rows": [{"id": "a"}, {"id": "b", "a/b": null}]}),
                Some("at `/rows/1/a~1b` there is null, expected was 1"),
            ),
            (
                json!({"rows": expected["rows"], "x": 1}),
                Some("at `/x` there is 1, expected was nothing"),
            ),
            (
                json!([]),
                Some(
                    "at `/` there is [], expected was \
                     {\"rows\":[{\"id\":\"a\"},{\"id\":\"b\",\"a/b\":1}]}",
                ),
            ),
        ] {
            assert_eq!(first(&expected, &came).as_deref(), said);
        }
    }
}
