//! A value of any kind, for the parts of an answer that must not make it unreadable.
//!
//! `serde_json`'s own is nested as deep as the answer and has floating-point numbers, which make a
//! component larger. This one ends at a depth, and of numbers it has counts.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny};
use serde::de::{MapAccess, SeqAccess, Visitor};

use super::types::{Text, whole};

/// How many lists and objects within each other are kept.
const DEEPEST: u8 = 4;

/// A value of any kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Any<'a> {
    /// There is none, or it is null.
    #[default]
    Null,
    /// A whole number of 0 or more.
    Count(u64),
    /// A text.
    Text(Text<'a>),
    /// A list.
    List(Vec<Any<'a>>),
    /// An object: its fields, in the order of the answer.
    Object(Vec<(Text<'a>, Any<'a>)>),
    /// True or false, another number, or a fifth list or object within others.
    Other,
}

impl Any<'_> {
    /// The field of an object; of several with the name the last one.
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(fields) = self else { return None };
        fields.iter().rfind(|(its, _)| its.as_str() == name).map(|(_, value)| value)
    }

    /// The text that it is.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// The entries of the list that it is; none of anything else.
    pub fn entries(&self) -> &[Self] {
        match self {
            Self::List(entries) => entries,
            _ => &[],
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Any<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Within(DEEPEST).deserialize(deserializer)
    }
}

/// Reads a value, and so many lists and objects within each other.
struct Within(u8);

impl<'de> DeserializeSeed<'de> for Within {
    type Value = Any<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Any<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Within {
    type Value = Any<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("anything")
    }

    fn visit_unit<E>(self) -> Result<Any<'de>, E> {
        Ok(Any::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Any<'de>, E> {
        Ok(Any::Other)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Any<'de>, E> {
        Ok(Any::Count(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Any<'de>, E> {
        Ok(Any::Other)
    }

    fn visit_f64<E>(self, number: f64) -> Result<Any<'de>, E> {
        Ok(whole(number).map_or(Any::Other, Any::Count))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Any<'de>, E> {
        Ok(Any::Text(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Any<'de>, E> {
        Ok(Any::Text(Text(text.to_owned().into())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Any<'de>, A::Error> {
        let Some(within) = self.0.checked_sub(1) else {
            while let Some(IgnoredAny) = list.next_element()? {}
            return Ok(Any::Other);
        };
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element_seed(Within(within))? {
            entries.push(entry);
        }
        Ok(Any::List(entries))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Any<'de>, A::Error> {
        let Some(within) = self.0.checked_sub(1) else {
            while let Some((IgnoredAny, IgnoredAny)) = map.next_entry()? {}
            return Ok(Any::Other);
        };
        let mut fields = Vec::new();
        while let Some(name) = map.next_key()? {
            fields.push((name, map.next_value_seed(Within(within))?));
        }
        Ok(Any::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Unreadable, read_page};

    #[test]
    fn every_kind_of_value_is_kept_as_what_it_is() {
        let rows = [
            ("null", Any::Null),
            ("7", Any::Count(7)),
            ("7.0", Any::Count(7)),
            ("-7", Any::Other),
            ("7.5", Any::Other),
            ("true", Any::Other),
            (r#""a""#, Any::Text("a".into())),
            (r#""\u0061""#, Any::Text("a".into())),
            ("[1,null]", Any::List(vec![Any::Count(1), Any::Null])),
            (r#"{"a":1}"#, Any::Object(vec![("a".into(), Any::Count(1))])),
        ];
        for (text, value) in rows {
            assert_eq!(read_page::<Any<'_>>(text.as_bytes()), Ok(value), "{text}");
        }
    }

    #[test]
    fn fields_texts_and_entries_are_told_of_what_has_them() {
        let body = br#"{"a":"x","b":["y",7],"a":"z"}"#;
        let value = read_page::<Any<'_>>(body).unwrap();
        assert_eq!(value.get("a").and_then(Any::text), Some("z"));
        let entries = value.get("b").map(Any::entries).unwrap_or_default();
        assert_eq!(entries.iter().map(Any::text).collect::<Vec<_>>(), [Some("y"), None]);
        assert_eq!((value.get("c"), value.text(), value.entries()), (None, None, [].as_slice()));
        assert_eq!(entries[0].get("a"), None);
    }

    #[test]
    fn what_is_deeper_is_passed_over_and_costs_no_stack() {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let depth_of = |depth: usize| {
                let text = open.repeat(depth) + "7" + &close.repeat(depth);
                let value = read_page::<Any<'_>>(text.as_bytes()).unwrap();
                let (mut value, mut depth) = (&value, 0);
                while let Some(inner) = value.get("a").or(value.entries().first()) {
                    (value, depth) = (inner, depth + 1);
                }
                (depth, *value == Any::Count(7))
            };
            assert_eq!(depth_of(4), (4, true));
            assert_eq!(depth_of(5), (4, false));
            assert_eq!(depth_of(1_000_000), (4, false));
        }
    }

    #[test]
    fn what_is_no_json_is_none_at_any_depth() {
        for text in ["[[[[[[1,]]]]]]", r#"{"a":{"a":{"a":{"a":{"a":}}}}}"#] {
            assert_eq!(read_page::<Any<'_>>(text.as_bytes()), Err(Unreadable::Syntax));
        }
    }
}
