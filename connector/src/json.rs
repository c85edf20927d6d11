//! Reads answers: JSON, borrowed from the body, lenient about what is absent and strict about what is there.
//!
//! An object is an object: never an array in its place. Every field may be absent or `null`, which is the same; a
//! field of the wrong type makes the answer unreadable, and so does nesting beyond the 128 levels of `serde_json`,
//! also in fields that are passed over. Nothing of the body gets into the reason.
//!
//! Values are put into [`Place`]s behind a `dyn`, and not by `serde`'s derive: one copy of the parser in the
//! component in place of one for each type. A value that does not fit its place is noted and passed over rather than
//! made an error of `serde_json`, whose messages would format it. Together that is a third of the component's size.

mod place;

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

pub(crate) use self::place::object;
pub use self::place::{Count, Fit, List, Misfit, Place, Text, Word, begin};
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

/// Reads a body as a whole; `null` leaves everything absent.
///
/// # Errors
///
/// When it is not a `T` and nothing but a `T`.
pub fn read<'de, T: Place<'de> + Default>(body: &'de [u8]) -> Result<T, Unreadable> {
    let mut value = T::default();
    fill(body, &mut value)?;
    Ok(value)
}

fn fill<'de>(body: &'de [u8], place: &mut dyn Place<'de>) -> Result<(), Unreadable> {
    let text = std::str::from_utf8(body).map_err(|_| Unreadable::Encoding)?;
    if text.trim_start().starts_with('<') {
        return Err(Unreadable::WebPage);
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let fits = Cell::new(true);
    let all = Fill { place: Some(place), fits: &fits };
    all.deserialize(&mut json).and_then(|()| json.end()).map_err(|error| match error.classify() {
        serde_json::error::Category::Eof => Unreadable::CutShort,
        _ => Unreadable::Syntax,
    })?;
    if fits.get() { Ok(()) } else { Err(Unreadable::Shape) }
}

/// Puts the next value into a place, if there is one, or passes it over.
struct Fill<'p, 'de> {
    place: Option<&'p mut (dyn Place<'de> + 'p)>,
    /// Whether all values so far fitted their places.
    fits: &'p Cell<bool>,
}

impl<'de> Fill<'_, 'de> {
    fn put(self, put: impl FnOnce(&mut dyn Place<'de>) -> Fit) {
        if let Some(place) = self.place {
            note(self.fits, put(place));
        }
    }
}

fn note(fits: &Cell<bool>, fit: Fit) -> bool {
    if fit.is_err() {
        fits.set(false);
    }
    fit.is_ok()
}

impl<'de> DeserializeSeed<'de> for Fill<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Every type of value is looked at here: a default method would format what it refuses.
impl<'de> Visitor<'de> for Fill<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<(), E> {
        self.put(|place| place.truth(truth));
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.put(|place| place.number(Some(number)));
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.put(|place| place.number(None));
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.put(|place| place.number(None));
        Ok(())
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        self.put(|place| place.text(Text(Cow::Borrowed(text))));
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.put(|place| place.text(Text(Cow::Owned(text.to_owned()))));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { mut place, fits } = self;
        place = place.and_then(|place| note(fits, place.list()).then_some(place));
        loop {
            let item = place.as_mut().and_then(|place| place.item());
            if items.next_element_seed(Fill { place: item, fits })?.is_none() {
                return Ok(());
            }
            if let Some(place) = place.as_mut() {
                note(fits, place.item_done());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let Self { mut place, fits } = self;
        place = place.and_then(|place| note(fits, place.object()).then_some(place));
        while let Some(key) = fields.next_key_seed(Key)? {
            let field = place.as_mut().and_then(|place| place.field(&key));
            fields.next_value_seed(Fill { place: field, fits })?;
        }
        Ok(())
    }
}

/// Reads the name of a field.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a field name")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    object! {
        struct Thing<'a> {
            name: Option<Text<'a>> = "name",
            size: Option<Count> = "size",
            parts: List<Part> = "parts",
        }
    }

    object! {
        struct Part {
            on: Option<bool> = "on",
        }
    }

    #[test]
    fn fields_are_read_and_others_passed_over() {
        let body = br#"{"x":{"y":[1,-2,3.5,true,null,"a\n"]},"name":"n","size":3,"parts":[{"on":true},{}]}"#;
        let thing: Thing<'_> = read(body).unwrap();
        assert_eq!(thing.name.unwrap().into_string(), "n");
        assert_eq!(thing.size.unwrap().0, Some(3));
        let parts: Vec<Option<bool>> = thing.parts.items.iter().map(|part| part.on).collect();
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
        assert!(thing.name.is_none() && thing.size.is_none() && !thing.parts.is_there);
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
        let rows: [(&[u8], Unreadable); 17] = [
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
