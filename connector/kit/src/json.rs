//! Reads answers: JSON by `serde_json`, borrowed from the body where that is wanted.
//!
//! What is read is UTF-8 and JSON to its end, and nested no deeper than [`DEEPEST`], or the depth
//! of the types. Nothing of a body gets into the reason for which it cannot be read.
//!
//! Types for the parts of an answer stand beside `serde`'s own: [`Object`], [`List`], [`Text`],
//! [`Flag`] and [`Count`]. An [`Object`] is never a list, which a derived struct takes as well.
//! All of them refuse a value by the name of its kind alone. `bool`, `String`, `Vec` and derived
//! structs can be used too, but `serde_json` refuses a value for them with the value in the text:
//! that brings the code and the tables that write floating-point numbers, 40 KiB of a component.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use crate::cursor::BadLink;
pub use crate::place::Place;
use crate::place::Stopped;

/// Deepest nesting of lists and objects that [`read`] takes: several times what answers have. A
/// `Value` of that depth fits into the 64 KiB of stack that a component is linked with; the 128
/// levels at which `serde_json` stops do not.
pub const DEEPEST: usize = 64;

/// Why an answer cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// It is not UTF-8.
    Encoding,
    /// It is a web page.
    WebPage,
    /// It is not JSON, or nested too deep.
    Syntax,
    /// It ends in the middle, or is empty.
    CutShort,
    /// It is JSON of another shape.
    Shape(Place),
    /// It has the right shape, and the connector cannot use it.
    Unusable {
        /// What it is, as the end of a sentence that begins with "The answer": `is about another
        /// team`.
        what: &'static str,
        /// What an administrator does about it.
        hint: &'static str,
        /// The setting to correct, where one is to blame: then asking again changes nothing.
        setting: Option<&'static str>,
    },
    /// The next page cannot be asked for.
    Next(BadLink),
}

/// Reads a body as a whole, after a look at its nesting.
///
/// # Errors
///
/// When it is not a `T` and nothing but a `T`.
pub fn read<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Unreadable> {
    let text = text_of(body)?;
    if is_deeper(text, DEEPEST) {
        return Err(Unreadable::Syntax);
    }
    parse(body, text)
}

/// Reads a body as a whole, for pages of a list, of which there are many: its nesting is not looked
/// at before, so `T` must have no [`serde_json::Value`] in it, nor another type that goes as deep
/// as the answer. What is passed over may be nested as deep as it will.
///
/// # Errors
///
/// When it is not a `T` and nothing but a `T`.
pub fn read_page<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Unreadable> {
    parse(body, text_of(body)?)
}

/// The text of a body that may be JSON, without the white space around it.
fn text_of(body: &[u8]) -> Result<&str, Unreadable> {
    let text = std::str::from_utf8(body.trim_ascii()).map_err(|_| Unreadable::Encoding)?;
    if text.starts_with('<') { Err(Unreadable::WebPage) } else { Ok(text) }
}

fn parse<'de, T: Deserialize<'de>>(body: &[u8], text: &'de str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Data => {
            let before = body.len() - body.trim_ascii_start().len();
            Unreadable::Shape(place_of(&error, text).after(before))
        }
        Category::Eof => Unreadable::CutShort,
        Category::Syntax | Category::Io => Unreadable::Syntax,
    })
}

/// Where a text is of another shape. What the error says is not passed on, as it has the value.
fn place_of(error: &serde_json::Error, text: &str) -> Place {
    let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    let read = lines.map(str::len).sum::<usize>() + error.column();
    let said = error.to_string();
    let rows = [
        (NULL, Stopped::Kind(b'n')),
        (BOOL, Stopped::Kind(b't')),
        (NUMBER, Stopped::Kind(b'0')),
        (TEXT, Stopped::Kind(b'"')),
        (LIST, Stopped::Kind(b'[')),
        (OBJECT, Stopped::Kind(b'{')),
        ("invalid type: sequence", Stopped::Type(Some(b'['))),
        ("invalid type: map", Stopped::Type(Some(b'{'))),
        ("invalid type: ", Stopped::Type(None)),
        ("invalid value: ", Stopped::Type(None)),
        ("duplicate field ", Stopped::Duplicate),
    ];
    let why = rows.iter().find(|(words, _)| said.starts_with(words));
    Place::at(text, read, why.map_or(Stopped::Otherwise, |(_, why)| *why))
}

/// Whether more lists and objects than that are open somewhere, as far as the text is JSON.
fn is_deeper(text: &str, most: usize) -> bool {
    let (mut depth, mut is_in_text, mut is_escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_in_text,
            b'"' => is_in_text = !is_in_text,
            _ if is_in_text => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > most {
            return true;
        }
    }
    false
}

/// What the types of this module say when they refuse a value: [`place_of`] reads it.
const NULL: &str = "unexpected null";
const BOOL: &str = "unexpected bool";
const NUMBER: &str = "unexpected number";
const TEXT: &str = "unexpected text";
const LIST: &str = "unexpected list";
const OBJECT: &str = "unexpected object";

/// The methods of a visitor that refuse a value, for the kinds that are named.
macro_rules! refuse {
    ($($kind:ident)*) => { $(refuse!(@$kind);)* };
    (@null) => { refuse!(@fn visit_unit() NULL); };
    (@bool) => { refuse!(@fn visit_bool(bool) BOOL); };
    (@number) => {
        refuse!(@fn visit_u64(u64) NUMBER);
        refuse!(@fn visit_i64(i64) NUMBER);
        refuse!(@fn visit_f64(f64) NUMBER);
    };
    (@text) => { refuse!(@fn visit_str(&str) TEXT); };
    (@list) => {
        fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
            Err(A::Error::custom(LIST))
        }
    };
    (@object) => {
        fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
            Err(A::Error::custom(OBJECT))
        }
    };
    (@fn $name:ident($($value:ty)?) $why:ident) => {
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

            refuse!(null bool number text list);

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

        refuse!(null bool number text object);

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
/// answer unreadable.
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

            refuse!(null bool number list object);

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

/// True or false.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Flag;

            refuse!(null number text list object);

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("true or false")
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Flag, E> {
                Ok(Flag(value))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// A number that is a count, or another number, which counts for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count(pub Option<u64>);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl<'de> Visitor<'de> for Number {
            type Value = Count;

            refuse!(null bool text list object);

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Count, E> {
                Ok(Count(Some(number)))
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Count, E> {
                Ok(Count(None))
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Count, E> {
                Ok(Count(None))
            }
        }

        deserializer.deserialize_any(Number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(default)]
    struct Thing<'a> {
        #[serde(borrow)]
        name: Option<Text<'a>>,
        size: Option<Count>,
        parts: Option<Vec<Option<Object<Part>>>>,
    }

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(default)]
    struct Part {
        on: Option<bool>,
    }

    /// Both readers, which differ in nothing but nesting.
    type Reader = fn(&[u8]) -> Result<Object<Thing<'_>>, Unreadable>;

    const READERS: [Reader; 2] = [|body| read(body), |body| read_page(body)];

    #[test]
    fn fields_are_read_and_others_passed_over() {
        let body = br#"{"x":{"y":[1,-2,3.5,true,null,"a\n","\ud800"]},"name":"n","size":3,
            "parts":[{"on":true},{},null]}"#;
        let part = |on| Some(Object(Part { on }));
        let thing = Thing {
            name: Some("n".into()),
            size: Some(Count(Some(3))),
            parts: Some(vec![part(Some(true)), part(None), None]),
        };
        for reader in READERS {
            assert_eq!(reader(body).unwrap().0, thing);
        }
    }

    #[test]
    fn a_string_without_escapes_is_not_copied() {
        let thing = read::<Object<Thing<'_>>>(br#"{"name":"plain"}"#).unwrap().0;
        assert_eq!(thing.name.unwrap().borrowed(), Some("plain"));
        let thing = read::<Object<Thing<'_>>>(br#"{"n\u0061me":"a\u0062c"}"#).unwrap().0;
        let name = thing.name.unwrap();
        assert_eq!((name.as_str(), name.borrowed()), ("abc", None));
    }

    #[test]
    fn null_is_absent() {
        let thing: Object<Thing<'_>> = read(br#"{"name":null,"size":null,"parts":null}"#).unwrap();
        assert_eq!(thing.0, Thing::default());
    }

    #[test]
    fn a_count_is_no_other_number() {
        let rows = [
            ("0", Some(0)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("-0", None),
            ("-1", None),
            ("1.5", None),
            ("7.0", None),
            ("1e3", None),
        ];
        for (number, count) in rows {
            assert_eq!(read::<Count>(number.as_bytes()).unwrap(), Count(count), "{number}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_by_what_it_is() {
        let rows: [(&[u8], Unreadable); 13] = [
            (b"", Unreadable::CutShort),
            (b" \n", Unreadable::CutShort),
            (br#"{"name":"a"#, Unreadable::CutShort),
            (br#"{"x":[{"#, Unreadable::CutShort),
            (b"<!doctype html><p>Down", Unreadable::WebPage),
            (b"\r\n <html>", Unreadable::WebPage),
            (b"nonsense", Unreadable::Syntax),
            (b"{} {}", Unreadable::Syntax),
            (br#"{"name":"a\qb"}"#, Unreadable::Syntax),
            (br#"{"name":"\ud800"}"#, Unreadable::Syntax),
            (b"{\"name\":\"a\x01b\"}", Unreadable::Syntax),
            (b"\xef\xbb\xbf{}", Unreadable::Syntax),
            (b"{\"x\":\"\xff\"}", Unreadable::Encoding),
        ];
        for (body, reason) in rows {
            for reader in READERS {
                let text = String::from_utf8_lossy(body);
                assert_eq!(reader(body).err().as_ref(), Some(&reason), "{text}");
            }
        }
    }

    #[test]
    fn an_answer_of_another_shape_is_told_by_the_place_and_never_by_the_value() {
        for (body, told) in [
            ("[]", "the whole of it is a list, at byte 1"),
            ("null", "the whole of it is null, at byte 1"),
            (r#"["n"]"#, "the whole of it is a list, at byte 1"),
            (r#"{"name":7}"#, "`name` is a number, at byte 9"),
            (r#"{"name":false}"#, "`name` is true or false, at byte 9"),
            (r#"{"name":["secret"]}"#, "`name` is a list, at byte 9"),
            (r#"{"name":{"secret":"secret"}}"#, "`name` is an object, at byte 9"),
            (r#"{"size":"secret, expected secret"}"#, "`size` is a text, at byte 9"),
            (r#"{"parts":[{},null,[true]]}"#, "`parts[2]` is a list, at byte 19"),
            (r#"{"parts":[{"on":"secret"}]}"#, "`parts[0].on` is a text, at byte 17"),
            (r#"{"size":[1]}"#, "`size` is a list, at byte 9"),
            (r#"{"size":{"secret":1}}"#, "`size` is an object, at byte 9"),
            (r#"{"parts":[[true]]}"#, "`parts[0]` is a list, at byte 11"),
            (r#"{"parts":{"secret":1}}"#, "`parts` is an object, at byte 10"),
            ("\n{\n \"x\": [1,\n 2],\n \"name\": 7}", "`name` is a number, at byte 28"),
            (r#"{"name":"a","name":"b"}"#, "`name` is there twice, at byte 13"),
        ] {
            for reader in READERS {
                let Err(Unreadable::Shape(place)) = reader(body.as_bytes()) else {
                    panic!("{body}")
                };
                assert_eq!(place.to_string(), told, "{body}");
            }
        }
    }

    #[test]
    fn a_value_is_read_to_a_depth_and_no_further() {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            for (depth, is_read) in [(DEEPEST, true), (DEEPEST + 1, false), (100_000, false)] {
                let text = open.repeat(depth) + "1" + &close.repeat(depth);
                let value = read::<Value>(text.as_bytes());
                assert_eq!(value.is_ok(), is_read, "{open} {depth}");
            }
        }
    }

    #[test]
    fn brackets_in_a_text_nest_nothing() {
        let brackets = "[{".repeat(DEEPEST);
        for text in [format!(r#""{brackets}""#), format!(r#""\"{brackets}\\""#)] {
            assert!(read::<Value>(text.as_bytes()).is_ok(), "{text}");
        }
        let behind = format!(r#"["\\",{}]"#, "[".repeat(DEEPEST));
        assert_eq!(read::<Value>(behind.as_bytes()), Err(Unreadable::Syntax));
    }

    #[test]
    fn absurd_nesting_costs_a_page_no_stack() {
        let deep = 1_000_000;
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let value = open.repeat(deep) + "1" + &close.repeat(deep);
            for field in ["name", "size", "parts"] {
                let body = format!(r#"{{"{field}":{value}}}"#);
                let thing = read_page::<Object<Thing<'_>>>(body.as_bytes());
                assert!(matches!(thing, Err(Unreadable::Shape(_))), "{field} {open}");
            }
            let body = format!(r#"{{"ignored":{value},"name":"n"}}"#);
            assert!(read_page::<Object<Thing<'_>>>(body.as_bytes()).is_ok());
        }
    }

    proptest! {
        #[test]
        fn nesting_is_counted_as_it_is_parsed(value in any_json(), most in 0_usize..6) {
            let deepest = depth_of(&value);
            prop_assert_eq!(is_deeper(&value.to_string(), most), deepest > most, "{}", value);
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::from), word()];
        leaf.prop_recursive(6, 40, 4, |inner| {
            let fields = prop::collection::vec(("[\\[\\]{}\"\\\\a]{0,4}", inner.clone()), 0..4);
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Value::from),
                fields.prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    fn word() -> impl Strategy<Value = Value> {
        "[\\[\\]{}\"\\\\a]{0,6}".prop_map(Value::from)
    }

    fn depth_of(value: &Value) -> usize {
        match value {
            Value::Array(items) => 1 + items.iter().map(depth_of).max().unwrap_or(0),
            Value::Object(fields) => 1 + fields.values().map(depth_of).max().unwrap_or(0),
            _ => 0,
        }
    }
}
