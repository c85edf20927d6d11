//! Checks that lists hold what the answers hold: a field that nobody has in any list, although the
//! answers tell it, may be read by a misspelt name. Pure.
//!
//! No fault shows that, and neither does an expected outcome that was written with the mistake. What
//! an answer tells is guessed by its look, so a finding is a note.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::fault::readable;
use super::recorded::PlayedCase;
use super::rules::{FILLED, Findings, Outcomes};
use smp_host::text::{counted, shortened};
use smp_replay::player::call::{Call, End};

/// Characters of a place that are shown.
const SHOWN: usize = 80;

/// Nesting of an answer that is searched.
const DEPTH: usize = 32;

/// Parts of the names of fields that tell when somebody was there.
const OF_PRESENCE: [&str; 6] = ["seen", "activ", "login", "logged", "access", "sign"];

/// The years 2001 to 2286 in seconds, and in milliseconds.
const INSTANTS: [std::ops::Range<i64>; 2] =
    [1_000_000_000..10_000_000_000, 1_000_000_000_000..10_000_000_000_000];

/// A field of members that services tell in a way that can be recognized.
struct Field {
    /// Its name in a row.
    name: &'static str,
    /// What a member without it lacks.
    lacks: &'static str,
    /// What a value in an answer looks like.
    looks: &'static str,
    /// Whether a value under this key looks like it.
    tells: fn(&str, &Value) -> bool,
}

const FIELDS: [Field; 3] = [
    Field {
        name: "email",
        lacks: "an e-mail address",
        looks: "an e-mail address",
        tells: |_, value| value.as_str().is_some_and(is_address),
    },
    Field { name: "name", lacks: "a name", looks: "a name", tells: is_name },
    Field {
        name: "last_seen",
        lacks: "a last activity",
        looks: "the time of one",
        tells: is_presence,
    },
];

/// What the answers tell of a field.
#[derive(Default)]
struct Told {
    values: usize,
    place: Option<String>,
}

/// What all lists and their answers hold, for each of [`FIELDS`].
#[derive(Default)]
struct Seen {
    members: usize,
    held: [bool; FIELDS.len()],
    told: [Told; FIELDS.len()],
}

/// Judges the complete lists of all cases. Without one there is nothing to judge.
pub(super) fn judge(cases: &[Arc<PlayedCase>], outcomes: &mut Outcomes) {
    let (mut seen, mut lists) = (Seen::default(), 0);
    for (call, played) in cases.iter().flat_map(|case| &case.calls) {
        let (Call::Collect, End::List { rows, .. }) = (call, &played.end) else { continue };
        lists += 1;
        rows.split(|byte| *byte == b'\n')
            .filter_map(|row| serde_json::from_slice(row).ok())
            .for_each(|row| seen.row(&row));
        played
            .exchanges
            .iter()
            .filter_map(|exchange| readable(&exchange.answer))
            .for_each(|(_, answer)| seen.answer(&answer));
    }
    if lists > 0 {
        let kept = format!("{} of {}.", counted(seen.members, "member"), counted(lists, "list"));
        outcomes.add(seen.findings().judged(kept));
    }
}

impl Seen {
    fn row(&mut self, row: &Map<String, Value>) {
        self.members += 1;
        for (field, held) in FIELDS.iter().zip(&mut self.held) {
            let value = row.get(field.name).unwrap_or(&Value::Null);
            *held |= !value.is_null() && value.as_str() != Some("");
        }
    }

    fn answer(&mut self, answer: &Value) {
        self.search("", "", answer, DEPTH);
    }

    fn search(&mut self, place: &str, key: &str, value: &Value, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    self.search(&format!("{place}/{key}"), key, value, depth);
                }
            }
            Value::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    self.search(&format!("{place}/{index}"), key, value, depth);
                }
            }
            value => {
                for (field, told) in FIELDS.iter().zip(&mut self.told) {
                    if (field.tells)(key, value) {
                        told.values += 1;
                        told.place.get_or_insert_with(|| place.to_owned());
                    }
                }
            }
        }
    }

    fn findings(&self) -> Findings {
        let mut findings = Findings::of(&FILLED);
        // A list without members lacks nothing.
        if self.members == 0 {
            return findings;
        }
        for ((field, held), told) in FIELDS.iter().zip(self.held).zip(&self.told) {
            if let (false, Some(place)) = (held, &told.place) {
                findings.add(format!(
                    "no member has {}, and {} in the answers {} like {}, the first at `{}`",
                    field.lacks,
                    counted(told.values, "value"),
                    if told.values == 1 { "looks" } else { "look" },
                    field.looks,
                    shortened(place, SHOWN),
                ));
            }
        }
        findings
    }
}

fn is_address(text: &str) -> bool {
    let Some((user, host)) = text.split_once('@') else { return false };
    let plain =
        |text: &str| !text.contains(|sign: char| sign.is_whitespace() || "@/:".contains(sign));
    !user.is_empty() && plain(user) && plain(host) && host.trim_matches('.').contains('.')
}

fn is_name(key: &str, value: &Value) -> bool {
    let is_text = value.as_str().is_some_and(|text| !text.trim().is_empty());
    is_text && key.to_ascii_lowercase().ends_with("name")
}

/// A date and a time, or a number that may be one, under a name that speaks of presence.
fn is_presence(key: &str, value: &Value) -> bool {
    let key = key.to_ascii_lowercase();
    let is_instant = match value {
        Value::String(text) => is_date(text),
        Value::Number(number) => number
            .as_i64()
            .is_some_and(|number| INSTANTS.iter().any(|range| range.contains(&number))),
        _ => false,
    };
    is_instant && OF_PRESENCE.iter().any(|part| key.contains(part))
}

/// Whether a text begins as `2026-01-31` does.
fn is_date(text: &str) -> bool {
    let date = text.as_bytes().get(..10).unwrap_or_default();
    date.len() == 10
        && date.iter().enumerate().all(|(index, byte)| match index {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(rows: &[Value], answer: &Value) -> Vec<String> {
        let mut seen = Seen::default();
        rows.iter().filter_map(Value::as_object).for_each(|row| seen.row(row));
        seen.answer(answer);
        seen.findings().judged("").findings
    }

    #[test]
    fn a_field_that_nobody_has_is_found_if_the_answers_tell_it() {
        let nobody = [json!({"id": "a", "email": null, "name": "", "last_seen": null})];
        let people = |person: Value| json!({"people": [{"id": "a"}, person]});
        for (person, said) in [
            (
                json!({"email": "ada@acme.test"}),
                "no member has an e-mail address, and 1 value in the answers looks like an e-mail \
                 address, the first at `/people/1/email`",
            ),
            (
                json!({"profile": {"displayName": "Ada"}}),
                "no member has a name, and 1 value in the answers looks like a name, the first at \
                 `/people/1/profile/displayName`",
            ),
            (
                json!({"lastLogin": "2026-01-31T08:00:00Z", "seen_at": 1_767_225_600}),
                "no member has a last activity, and 2 values in the answers look like the time of \
                 one, the first at `/people/1/lastLogin`",
            ),
            (json!({"active_ms": 1_767_225_600_000_i64}), "no member has a last activity, and 1"),
        ] {
            let said_now = found(&nobody, &people(person));
            assert!(said_now.len() == 1 && said_now[0].starts_with(said), "{said_now:?}");
        }
    }

    #[test]
    fn what_somebody_has_or_no_answer_tells_is_not_missed() {
        let nobody = [json!({"id": "a", "email": null, "name": "", "last_seen": null})];
        let ada = json!({"mail": "ada@acme.test", "name": "Ada", "last_seen": 1_767_225_600});
        let some = json!({"id": "b", "email": "ada@acme.test", "name": "Ada", "last_seen": "2026"});
        assert_eq!(found(&[nobody[0].clone(), some], &ada), [""; 0]);
        assert_eq!(found(&[], &ada), [""; 0]);
        for other in [
            json!({"name": " ", "email": null, "last_seen": null}),
            json!({"created": "2026-01-31", "id": 1_767_225_600, "active": true, "seen": 7}),
            json!(["@ada", "ada@", "ada@acme", "https://a@b.test/", "see a@b.test"]),
        ] {
            assert_eq!(found(&nobody, &other), [""; 0], "{other}");
        }
    }
}
