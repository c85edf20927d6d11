//! A field of an answer that may be present, `null` or absent.
//!
//! The three mean the same to a reader of the data but differ for a parser, so they are
//! distinguished here.

use serde::{Serialize, Serializer};

/// A field that may be missing in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field<T> {
    /// The answer does not have the field. Needs `skip_serializing_if` where it is serialized.
    Absent,
    /// The answer has the field with `null`.
    Null,
    /// The answer has the field with this value.
    Value(T),
}

impl<T> Field<T> {
    /// The value, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Field::Value(value) => Some(value),
            Field::Absent | Field::Null => None,
        }
    }

    /// Whether the answer lacks the field.
    pub fn is_absent(&self) -> bool {
        matches!(self, Field::Absent)
    }

    /// The field as the published API file allows it: absent instead of `null`.
    pub(super) fn published(self) -> Field<T> {
        match self {
            Field::Null => Field::Absent,
            other => other,
        }
    }
}

impl<T: Serialize> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value() {
            Some(value) => value.serialize(serializer),
            None => serializer.serialize_none(),
        }
    }
}
