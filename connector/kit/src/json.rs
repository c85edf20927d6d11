//! Reads answers: JSON by `serde_json`, borrowed from the body where that is wanted.
//!
//! What is read is UTF-8 and JSON to its end, and nested no deeper than [`DEEPEST`], or the depth
//! of the types. Nothing of a body gets into the reason for which it cannot be read.
//!
//! Types for the parts of an answer stand beside `serde`'s own: [`Object`], [`List`], [`Text`],
//! [`Flag`] and [`Count`], and [`Any`] for what may be of any kind. An [`Object`] is never a list,
//! which a derived struct takes as well. `bool`, `String`, `Vec` and derived structs can be used
//! too, and make a component some 40 KiB larger: see the types' own file for the reason.

mod any;
mod types;

use serde::de::Deserialize;
use serde_json::error::Category;

pub use self::any::Any;
pub use self::types::{Count, Flag, List, Object, Text, digits, each};
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

/// A text as JSON, in quotation marks, for the body of a request.
pub fn quoted(text: &str) -> String {
    // A text can always be written to memory.
    serde_json::to_string(text).unwrap_or_default()
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

/// The body without a byte order mark and the white space before it: neither is JSON.
pub(crate) fn start(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start()
}

/// The text of a body that may be JSON, without a byte order mark and the white space around it.
fn text_of(body: &[u8]) -> Result<&str, Unreadable> {
    let text =
        std::str::from_utf8(start(body).trim_ascii_end()).map_err(|_| Unreadable::Encoding)?;
    if text.starts_with('<') { Err(Unreadable::WebPage) } else { Ok(text) }
}

fn parse<'de, T: Deserialize<'de>>(body: &[u8], text: &'de str) -> Result<T, Unreadable> {
    let shape = |place: Place| Unreadable::Shape(place.after(body.len() - start(body).len()));
    serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Data => shape(place_of(&error, text)),
        Category::Eof => Unreadable::CutShort,
        // It is JSON, of a number that no computer's number is as large as.
        Category::Syntax if error.to_string().starts_with("number out of range") => {
            shape(Place::at(text, bytes_read(&error, text), Stopped::OutOfRange))
        }
        Category::Syntax | Category::Io => Unreadable::Syntax,
    })
}

/// Where a text is of another shape. What the error says is not passed on, as it has the value.
fn place_of(error: &serde_json::Error, text: &str) -> Place {
    let said = error.to_string();
    let rows = [
        ("invalid type: sequence", Stopped::Type(Some(b'['))),
        ("invalid type: map", Stopped::Type(Some(b'{'))),
        ("invalid type: ", Stopped::Type(None)),
        ("invalid value: ", Stopped::Type(None)),
        ("duplicate field ", Stopped::Duplicate),
    ];
    let foreign = || rows.iter().find(|(words, _)| said.starts_with(words)).map(|(_, why)| *why);
    let why = types::stopped_by(&said).or_else(foreign);
    Place::at(text, bytes_read(error, text), why.unwrap_or(Stopped::Otherwise))
}

/// How much of a text was read when it was refused.
fn bytes_read(error: &serde_json::Error, text: &str) -> usize {
    let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    lines.map(str::len).sum::<usize>() + error.column()
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
            size: Some(Count(3)),
            parts: Some(vec![part(Some(true)), part(None), None]),
        };
        for reader in READERS {
            assert_eq!(reader(body).unwrap().0, thing);
        }
    }

    #[test]
    fn a_byte_order_mark_before_json_is_skipped() {
        for reader in READERS {
            let thing = reader(b"\xef\xbb\xbf {\"size\":3}").unwrap().0;
            assert_eq!(thing.size, Some(Count(3)));
        }
        let place = read_page::<Object<Thing<'_>>>(b"\xef\xbb\xbf{\"name\":[]}").unwrap_err();
        let Unreadable::Shape(place) = place else { panic!("{place:?}") };
        assert_eq!(place.to_string(), "`name` is a list, at byte 12");
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
    fn a_text_in_a_body_ends_where_it_ends() {
        for text in ["", "plain", "a\"b\\c\n\u{1}", "ü"] {
            assert_eq!(read::<Text<'_>>(quoted(text).as_bytes()).unwrap().as_str(), text);
        }
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
            ("-0", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("7.0", Some(7)),
            ("1e3", Some(1_000)),
            ("9007199254740992.0", Some(1 << 53)),
            ("9007199254740994.0", None),
            ("1e300", None),
            (r#""30""#, Some(30)),
            (r#""30.00""#, Some(30)),
            (r#""18446744073709551615""#, Some(u64::MAX)),
            (r#""18446744073709551616""#, None),
            (r#""""#, None),
            (r#"".0""#, None),
            (r#""+7""#, None),
            (r#""7.5""#, None),
            (r#"" 7""#, None),
        ];
        for (number, count) in rows {
            let read = read::<Count>(number.as_bytes());
            assert_eq!(read.ok().map(|Count(count)| count), count, "{number}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_by_what_it_is() {
        let rows: [(&[u8], Unreadable); 15] = [
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
            (b"\xef\xbb\xbf", Unreadable::CutShort),
            (b"\xef\xbb\xbf<html>", Unreadable::WebPage),
            (b"\xff\xfe{\0}\0", Unreadable::Encoding),
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
            (r#"{"size":-1,"name":"x"}"#, "`size` is not a whole number of 0 or more, at byte 9"),
            (r#"{"size":2.5}"#, "`size` is not a whole number of 0 or more, at byte 9"),
            (r#"{"name":1e999,"size":1}"#, "`name` is a number that is too large, at byte 9"),
            (r#"{"parts":[{}],"size":-2e400}"#, "`size` is a number that is too large, at byte 22"),
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
