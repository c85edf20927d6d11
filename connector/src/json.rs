//! Reads answers: JSON, borrowed from the body, lenient about what is absent and strict about what is there.
//!
//! An object is an object: never an array in its place. Every field may be absent or `null`; a field of the wrong
//! type makes the answer unreadable, and so does nesting beyond the 128 levels of `serde_json`, also in fields
//! that are passed over. Nothing of the body gets into the reason.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::cursor::BadLink;

/// Why an answer cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// It is no UTF-8.
    Encoding,
    /// It is a web page.
    WebPage,
    /// It is no JSON, or nested too deep.
    Syntax,
    /// It ends in the middle, or is empty.
    CutShort,
    /// It is JSON of another shape.
    Shape,
    /// It is about another organization than the one that was asked for.
    OtherOrganization,
    /// The next page cannot be asked for.
    Next(BadLink),
}

/// Reads a body as a whole.
///
/// # Errors
///
/// When it is not a `T` and nothing but a `T`.
pub fn read<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Unreadable> {
    let text = std::str::from_utf8(body).map_err(|_| Unreadable::Encoding)?;
    if text.trim_start().starts_with('<') {
        return Err(Unreadable::WebPage);
    }
    serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Eof => Unreadable::CutShort,
        serde_json::error::Category::Data => Unreadable::Shape,
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => Unreadable::Syntax,
    })
}

/// Declares an object as a struct of optional fields, and how it is read: unknown fields are passed over, a field
/// that comes twice makes it unreadable.
macro_rules! object {
    (
        $(#[$meta:meta])*
        struct $name:ident<$life:lifetime> { $($field:ident: $kind:ty = $key:literal,)+ }
    ) => {
        $(#[$meta])*
        #[derive(Default)]
        struct $name<$life> { $($field: Option<$kind>,)+ }
        $crate::json::object!(@read $life $name<$life> { $($field = $key,)+ });
    };
    (
        $(#[$meta:meta])*
        struct $name:ident { $($field:ident: $kind:ty = $key:literal,)+ }
    ) => {
        $(#[$meta])*
        #[derive(Default)]
        struct $name { $($field: Option<$kind>,)+ }
        $crate::json::object!(@read 'de $name { $($field = $key,)+ });
    };
    (@read $de:lifetime $object:ty { $($field:ident = $key:literal,)+ }) => {
        impl<$de> serde::Deserialize<$de> for $object {
            fn deserialize<D: serde::Deserializer<$de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields;

                impl<$de> serde::de::Visitor<$de> for Fields {
                    type Value = $object;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        formatter.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<$de>>(
                        self,
                        mut map: A,
                    ) -> Result<Self::Value, A::Error> {
                        let mut object = Self::Value::default();
                        while let Some(key) = map.next_key::<$crate::json::Text<$de>>()? {
                            match key.as_str() {
                                $($key if object.$field.is_some() => {
                                    return Err(serde::de::Error::duplicate_field($key));
                                })+
                                $($key => object.$field = map.next_value()?,)+
                                _ => {
                                    map.next_value::<$crate::json::Skipped>()?;
                                }
                            }
                        }
                        Ok(object)
                    }
                }

                deserializer.deserialize_map(Fields)
            }
        }
    };
}
pub(crate) use object;

/// A string, borrowed from the body unless it has escapes.
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

    /// The part that `cut` leaves of it.
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

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;

        impl<'de> Visitor<'de> for Borrow {
            type Value = Text<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Borrow)
    }
}

/// A value that is looked at only if it is a string.
pub struct Word<'a>(pub Option<Cow<'a, str>>);

impl<'de> Deserialize<'de> for Word<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Self)
    }
}

/// A value of any type that is passed over. Unlike `IgnoredAny` it counts levels of nesting.
pub struct Skipped;

impl<'de> Deserialize<'de> for Skipped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(|_| Self)
    }
}

/// A count that is a count: another number is none, another type is an error.
pub struct Count(pub Option<u64>);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = Count;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Count(Some(number)))
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Count(None))
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Count(None))
            }
        }

        deserializer.deserialize_any(Number)
    }
}

/// Takes any value, and keeps a string.
struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<Skipped>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        while fields.next_entry::<IgnoredAny, Skipped>()?.is_some() {}
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    object! {
        struct Thing<'a> {
            name: Text<'a> = "name",
            size: Count = "size",
            parts: Vec<Part> = "parts",
        }
    }

    object! {
        struct Part {
            on: bool = "on",
        }
    }

    #[test]
    fn fields_are_read_and_others_passed_over() {
        let body = br#"{"x":{"y":[1,-2,3.5,true,null,"a\n"]},"name":"n","size":3,"parts":[{"on":true},{}]}"#;
        let thing: Thing<'_> = read(body).unwrap();
        assert_eq!(thing.name.unwrap().into_string(), "n");
        assert_eq!(thing.size.unwrap().0, Some(3));
        let parts: Vec<Option<bool>> = thing.parts.unwrap().iter().map(|part| part.on).collect();
        assert_eq!(parts, [Some(true), None]);
    }

    #[test]
    fn a_string_without_escapes_is_not_copied() {
        let thing: Thing<'_> = read(br#"{"name":"plain"}"#).unwrap();
        assert!(matches!(thing.name.unwrap().0, Cow::Borrowed("plain")));
        let thing: Thing<'_> = read(br#"{"n\u0061me":"a\u0062c"}"#).unwrap();
        assert_eq!(thing.name.unwrap().as_str(), "abc");
    }

    #[test]
    fn null_is_absent() {
        let thing: Thing<'_> = read(br#"{"name":null,"size":null,"parts":null}"#).unwrap();
        assert!(thing.name.is_none() && thing.size.is_none() && thing.parts.is_none());
    }

    #[test]
    fn a_count_is_no_other_number() {
        for number in ["-1", "1.5", "1e3", "18446744073709551616"] {
            let body = format!(r#"{{"size":{number}}}"#);
            let thing: Thing<'_> = read(body.as_bytes()).unwrap();
            assert_eq!(thing.size.unwrap().0, None, "{number}");
        }
    }

    #[test]
    fn what_is_no_thing_is_told_by_what_it_is() {
        let rows: [(&[u8], Unreadable); 18] = [
            (b"", Unreadable::CutShort),
            (b" \n", Unreadable::CutShort),
            (br#"{"name":"a"#, Unreadable::CutShort),
            (br#"{"x":[{"#, Unreadable::CutShort),
            (b"<!doctype html><p>Down", Unreadable::WebPage),
            (b"\r\n <html>", Unreadable::WebPage),
            (b"nonsense", Unreadable::Syntax),
            (b"{} {}", Unreadable::Syntax),
            (br#"{"name":"a\qb"}"#, Unreadable::Syntax),
            (b"\xef\xbb\xbf{}", Unreadable::Syntax),
            (b"[]", Unreadable::Shape),
            (br#"["n"]"#, Unreadable::Shape),
            (b"null", Unreadable::Shape),
            (br#"{"name":7}"#, Unreadable::Shape),
            (br#"{"size":"7"}"#, Unreadable::Shape),
            (br#"{"parts":[[true]]}"#, Unreadable::Shape),
            (br#"{"name":"a","name":"b"}"#, Unreadable::Shape),
            (b"{\"x\":\"\xff\"}", Unreadable::Encoding),
        ];
        for (body, reason) in rows {
            let text = String::from_utf8_lossy(body);
            assert_eq!(read::<Thing<'_>>(body).err(), Some(reason), "{text}");
        }
    }

    #[test]
    fn absurd_nesting_is_refused_wherever_it_is() {
        let deep = 100_000;
        let arrays = "[".repeat(deep) + &"]".repeat(deep);
        let objects = r#"{"a":"#.repeat(deep) + "1" + &"}".repeat(deep);
        for value in [&arrays, &objects] {
            for field in ["name", "size", "parts", "ignored"] {
                let body = format!(r#"{{"{field}":{value}}}"#);
                let reason = read::<Thing<'_>>(body.as_bytes()).err();
                assert!(matches!(reason, Some(Unreadable::Syntax | Unreadable::Shape)), "{reason:?}");
            }
            assert!(read::<Thing<'_>>(value.as_bytes()).is_err());
        }
    }
}
