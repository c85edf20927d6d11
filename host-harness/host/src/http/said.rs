//! What a JSON answer says at first sight: something, nothing, or that something went wrong.
//!
//! Only the names and values at its top are read. What lies deeper has to be there to its end.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::whole;

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// What was asked for, as far as can be told.
    Something,
    /// Nothing: `{}`, `null`, a text, or an object of nulls.
    Nothing,
    /// Nothing but that something went wrong.
    Wrong,
    /// Something, and `errors` beside it.
    ErrorsBeside,
}

/// The name under which services list what went wrong, also beside data.
const ERRORS: &[u8] = b"errors";

/// Other names by which services say that something went wrong.
const WRONG: [&[u8]; 6] =
    [b"error", b"errorMessage", b"errorMessages", b"fault", b"message", b"messages"];

/// Names that stand beside an error and are no data.
const BESIDE: [&[u8]; 16] = [
    b"code",
    b"detail",
    b"details",
    b"errorCode",
    b"error_code",
    b"error_description",
    b"instance",
    b"path",
    b"requestId",
    b"request_id",
    b"status",
    b"statusCode",
    b"timestamp",
    b"title",
    b"traceId",
    b"type",
];

/// What a body says. `None` if it is cut short, if it is not UTF-8, or if its top is not JSON and
/// nothing but JSON.
pub(super) fn by(body: &[u8]) -> Option<Said> {
    let top = whole::top(std::str::from_utf8(body).ok()?)?;
    serde_json::from_str::<Top>(&top).ok().map(|Top(said)| said)
}

struct Top(Said);

impl<'de> Deserialize<'de> for Top {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TopVisitor)
    }
}

struct TopVisitor;

impl<'de> Visitor<'de> for TopVisitor {
    type Value = Top;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Top, E> {
        Ok(Top(Said::Nothing))
    }

    fn visit_str<E>(self, _: &str) -> Result<Top, E> {
        Ok(Top(Said::Nothing))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Top, E> {
        Ok(Top(Said::Something))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Top, E> {
        Ok(Top(Said::Something))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Top, E> {
        Ok(Top(Said::Something))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Top, E> {
        Ok(Top(Said::Something))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Top, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Top(Said::Something))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Top, A::Error> {
        let (mut has_data, mut has_errors, mut is_wrong, mut has_more) =
            (false, false, false, false);
        while let Some(name) = object.next_key::<Name>()? {
            match name {
                Name::Errors => has_errors |= object.next_value::<Listed>()?.0,
                Name::Wrong => is_wrong |= object.next_value::<Option<IgnoredAny>>()?.is_some(),
                Name::Beside => has_more |= object.next_value::<Option<IgnoredAny>>()?.is_some(),
                Name::Other => has_data |= object.next_value::<Option<IgnoredAny>>()?.is_some(),
            }
        }
        Ok(Top(match (has_data, has_errors) {
            (true, true) => Said::ErrorsBeside,
            (true, false) => Said::Something,
            (false, true) => Said::Wrong,
            (false, false) if is_wrong => Said::Wrong,
            (false, false) if has_more => Said::Something,
            (false, false) => Said::Nothing,
        }))
    }
}

/// The name of a field.
enum Name {
    Errors,
    Wrong,
    Beside,
    Other,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Half of a surrogate pair is no text.
        deserializer.deserialize_bytes(NameVisitor)
    }
}

struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Name, E> {
        Ok(match name {
            ERRORS => Name::Errors,
            name if WRONG.contains(&name) => Name::Wrong,
            name if BESIDE.contains(&name) => Name::Beside,
            _ => Name::Other,
        })
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Name, E> {
        self.visit_bytes(name.as_bytes())
    }
}

/// Whether there is an error: an entry of a list, a field of an object, or anything else but null.
struct Listed(bool);

impl<'de> Deserialize<'de> for Listed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListedVisitor)
    }
}

struct ListedVisitor;

impl<'de> Visitor<'de> for ListedVisitor {
    type Value = Listed;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Listed, E> {
        Ok(Listed(false))
    }

    fn visit_str<E>(self, text: &str) -> Result<Listed, E> {
        Ok(Listed(!text.is_empty()))
    }

    fn visit_bool<E>(self, is_wrong: bool) -> Result<Listed, E> {
        Ok(Listed(is_wrong))
    }

    fn visit_i64<E>(self, count: i64) -> Result<Listed, E> {
        Ok(Listed(count != 0))
    }

    fn visit_u64<E>(self, count: u64) -> Result<Listed, E> {
        Ok(Listed(count != 0))
    }

    fn visit_f64<E>(self, count: f64) -> Result<Listed, E> {
        Ok(Listed(count != 0.0))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Listed, A::Error> {
        let mut has_some = false;
        while list.next_element::<IgnoredAny>()?.is_some() {
            has_some = true;
        }
        Ok(Listed(has_some))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Listed, A::Error> {
        let mut has_some = false;
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            has_some = true;
        }
        Ok(Listed(has_some))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_something_nothing_or_that_something_went_wrong() {
        for (body, said) in [
            ("[]", Some(Said::Something)),
            ("7", Some(Said::Something)),
            ("false", Some(Said::Something)),
            (r#"{"data":[]}"#, Some(Said::Something)),
            (r#"{"data":[],"errors":[],"message":"done"}"#, Some(Said::Something)),
            (r#"{"data":[],"errors":0}"#, Some(Said::Something)),
            (r#"{"count":1,"a\ud83d":"\ud83d"}"#, Some(Said::Something)),
            (r#"{"status":"up"}"#, Some(Said::Something)),
            ("null", Some(Said::Nothing)),
            (r#""try later""#, Some(Said::Nothing)),
            ("{}", Some(Said::Nothing)),
            (r#"{"data":null,"errors":null,"code":null}"#, Some(Said::Nothing)),
            (r#"{"message":"maintenance"}"#, Some(Said::Wrong)),
            (r#"{"code":"X","message":"no","details":[]}"#, Some(Said::Wrong)),
            (r#"{"errors":[{"code":"X"}]}"#, Some(Said::Wrong)),
            (r#"{"errors":{"a":1},"data":null}"#, Some(Said::Wrong)),
            (r#"{"errors":"x","data":[]}"#, Some(Said::ErrorsBeside)),
            (r#"{"data":{},"errors":true}"#, Some(Said::ErrorsBeside)),
            ("{} {}", None),
            (r#"{"data":[}"#, None),
            ("", None),
        ] {
            assert_eq!(by(body.as_bytes()), said, "{body}");
        }
        assert_eq!(by(b"\"\xff\""), None);
    }
}
