//! Types for the parts of an answer: an object, a list, a text, a flag, a count.
//!
//! Each refuses a value of another kind by the name of that kind alone. `serde_json` refuses it for
//! `serde`'s own types with the value in the text, which brings the code and the tables that write
//! floating-point numbers.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::place::Stopped;

/// The reasons for which a value is refused, by the module of what was wanted; [`stopped_by`] reads
/// them back.
macro_rules! reasons {
    ($($of:ident $for:literal)*) => { $(mod $of {
        pub(super) const NULL: &str = concat!("unexpected null", $for);
        pub(super) const BOOL: &str = concat!("unexpected bool", $for);
        pub(super) const NUMBER: &str = concat!("unexpected number", $for);
        pub(super) const TEXT: &str = concat!("unexpected text", $for);
        pub(super) const LIST: &str = concat!("unexpected list", $for);
        pub(super) const OBJECT: &str = concat!("unexpected object", $for);
    })* };
}
reasons! { value "" parts " for parts" }
const NO_COUNT: &str = "no count";

/// The kind of value that a type refused, by the beginning of the reader's error.
pub(super) fn stopped_by(error: &str) -> Option<Stopped> {
    if error.starts_with(NO_COUNT) {
        return Some(Stopped::NoCount);
    }
    let rows = [
        (value::NULL, b'n'),
        (value::BOOL, b't'),
        (value::NUMBER, b'0'),
        (value::TEXT, b'"'),
        (value::LIST, b'['),
        (value::OBJECT, b'{'),
    ];
    rows.iter().find_map(|(why, first)| {
        let rest = error.strip_prefix(why)?;
        let has_parts = rest.starts_with(" for parts");
        Some(if has_parts { Stopped::Parts(*first) } else { Stopped::Kind(*first) })
    })
}

/// The methods of a visitor that refuse a value, for what was wanted and the kinds that are named.
macro_rules! refuse {
    ($of:ident: $($kind:ident)*) => { $(refuse!(@$kind $of);)* };
    (@null $of:ident) => { refuse!(@fn visit_unit() $of::NULL); };
    (@bool $of:ident) => { refuse!(@fn visit_bool(bool) $of::BOOL); };
    (@number $of:ident) => {
        refuse!(@fn visit_u64(u64) $of::NUMBER);
        refuse!(@fn visit_i64(i64) $of::NUMBER);
        refuse!(@fn visit_f64(f64) $of::NUMBER);
    };
    (@text $of:ident) => { refuse!(@fn visit_str(&str) $of::TEXT); };
    (@list $of:ident) => {
        fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
            Err(A::Error::custom($of::LIST))
        }
    };
    (@object $of:ident) => {
        fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
            Err(A::Error::custom($of::OBJECT))
        }
    };
    (@fn $name:ident($($value:ty)?) $why:expr) => {
        fn $name<E: Error>(self $(, _: $value)?) -> Result<Self::Value, E> {
            Err(E::custom($why))
        }
    };
}

/// An object, and never a list in its place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;

            refuse!(parts: null bool number text list);

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_any(Fields(PhantomData))
    }
}

/// A list, kept whole. For a long one, [`each`] keeps only what is made of its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut entries = Vec::new();
        each(deserializer, |entry| {
            entries.push(entry);
            Ok(())
        })?;
        Ok(Self(entries))
    }
}

/// Reads a list and hands over each entry as soon as it is read, for the `Deserialize` of a type
/// that is made of a list.
///
/// # Errors
///
/// When it is not a list of `T`, or `take` refuses an entry, for the reason that it gives.
pub fn each<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
    take: impl FnMut(T) -> Result<(), &'static str>,
) -> Result<(), D::Error> {
    struct Entries<T, F>(F, PhantomData<T>);

    impl<'de, T, F> Visitor<'de> for Entries<T, F>
    where
        T: Deserialize<'de>,
        F: FnMut(T) -> Result<(), &'static str>,
    {
        type Value = ();

        refuse!(parts: null bool number text object);

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
            while let Some(entry) = list.next_element()? {
                (self.0)(entry).map_err(Error::custom)?;
            }
            Ok(())
        }
    }

    deserializer.deserialize_any(Entries(take, PhantomData))
}

/// A string, borrowed from the body unless it has escapes. Half of a surrogate pair in it makes the
/// answer unreadable, for [`call`](crate::call) to mend.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text<'a>(pub Cow<'a, str>);

impl<'a> Text<'a> {
    /// The text, for as long as this is.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text as a string of its own.
    pub fn into_string(self) -> String {
        self.0.into_owned()
    }

    /// The text, for as long as the body is there; none if it had escapes.
    pub fn borrowed(&self) -> Option<&'a str> {
        match self.0 {
            Cow::Borrowed(text) => Some(text),
            Cow::Owned(_) => None,
        }
    }

    /// The part that `cut` leaves of it.
    #[must_use]
    pub fn narrowed(self, cut: impl for<'b> Fn(&'b str) -> &'b str) -> Self {
        match self.0 {
            Cow::Borrowed(text) => Self(Cow::Borrowed(cut(text))),
            Cow::Owned(text) => Self(Cow::Owned(cut(&text).to_owned())),
        }
    }

    /// The text, unless it is empty.
    pub fn filled(self) -> Option<Self> {
        (!self.0.is_empty()).then_some(self)
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Letters;

        impl<'de> Visitor<'de> for Letters {
            type Value = Cow<'de, str>;

            refuse!(value: null bool number list object);

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
                Ok(Cow::Borrowed(text))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Cow<'de, str>, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }

        deserializer.deserialize_any(Letters).map(Self)
    }
}

/// True or false, as a value or as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Flag;

            refuse!(value: null number list object);

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("true or false")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Flag, E> {
                match text.as_bytes() {
                    b"true" => Ok(Flag(true)),
                    b"false" => Ok(Flag(false)),
                    _ => Err(E::custom(value::TEXT)),
                }
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Flag, E> {
                Ok(Flag(value))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// The count that a number is which is written as a fraction or with an exponent, up to where all
/// of them are exact.
pub(super) fn whole(number: f64) -> Option<u64> {
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    let count = number as u64;
    ((0.0..=LARGEST).contains(&number) && count as f64 == number).then_some(count)
}

/// The count that a text is: digits, of which those behind a point are zeros.
pub fn digits(text: &str) -> Option<u64> {
    let is_whole = |behind: &str| behind.bytes().all(|digit| digit == b'0');
    let whole = text.split_once('.').filter(|(_, behind)| is_whole(behind)).map(|(whole, _)| whole);
    let count = whole.unwrap_or(text);
    count.bytes().all(|byte| byte.is_ascii_digit()).then(|| count.parse().ok())?
}

/// A number that is a count, however it is written: `30`, `30.0`, `"30"`. Another number is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count(pub u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl<'de> Visitor<'de> for Number {
            type Value = Count;

            refuse!(value: null bool list object);

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Count, E> {
                Ok(Count(number))
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Count, E> {
                Err(E::custom(NO_COUNT))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Count, E> {
                whole(number).map(Count).ok_or_else(|| E::custom(NO_COUNT))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Count, E> {
                digits(text).map(Count).ok_or_else(|| E::custom(value::TEXT))
            }
        }

        deserializer.deserialize_any(Number)
    }
}
