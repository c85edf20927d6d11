//! Where the values of an answer go: texts, numbers, lists, and objects that say which fields they want.
//!
//! A place is empty until it is filled, and is filled at most once.

use std::borrow::Cow;

use super::Unreadable;
use super::input::{Input, Kind};

/// Where a value goes. A value of a type that a place does not provide for makes the answer unreadable; `null` leaves it empty.
pub trait Place<'de> {
    /// Reads the next value into this place.
    ///
    /// # Errors
    ///
    /// When it is of the wrong type here, the second value, or no value.
    fn read(&mut self, input: &mut Input<'de>) -> Result<(), Unreadable>;
}

/// A string, borrowed from the body unless it has escapes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text<'a>(pub Cow<'a, str>);

/// A number that is a count, or another number, which counts for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count(pub Option<u64>);

/// A value of any type, of which only a string is kept.
#[derive(Debug, Default)]
pub struct Word<'a>(pub Option<Text<'a>>);

/// A list of values.
#[derive(Debug, Default)]
pub struct List<T> {
    /// Whether there is a list, which may be empty.
    pub is_there: bool,
    /// Its items; one that was `null` is as empty as a place can be.
    pub items: Vec<T>,
}

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

impl<'de> Place<'de> for Option<Text<'de>> {
    fn read(&mut self, input: &mut Input<'de>) -> Result<(), Unreadable> {
        match input.kind()? {
            Kind::Text => once(self, Text(input.text()?)),
            _ => null(input),
        }
    }
}

impl<'de> Place<'de> for Option<bool> {
    fn read(&mut self, input: &mut Input<'de>) -> Result<(), Unreadable> {
        match input.kind()? {
            Kind::Truth => once(self, input.truth()?),
            _ => null(input),
        }
    }
}

impl<'de> Place<'de> for Option<Count> {
    fn read(&mut self, input: &mut Input<'de>) -> Result<(), Unreadable> {
        match input.kind()? {
            Kind::Number => once(self, Count(input.number()?)),
            _ => null(input),
        }
    }
}

impl<'de> Place<'de> for Word<'de> {
    fn read(&mut self, input: &mut Input<'de>) -> Result<(), Unreadable> {
        match input.kind()? {
            Kind::Text => self.0 = Some(Text(input.text()?)),
            _ => input.pass()?,
        }
        Ok(())
    }
}

impl<'de, T: Place<'de> + Default> Place<'de> for List<T> {
    fn read(&mut self, input: &mut Input<'de>) -> Result<(), Unreadable> {
        match input.kind()? {
            Kind::List => {
                begin(&mut self.is_there)?;
                input.list(|input| {
                    let mut item = T::default();
                    item.read(input)?;
                    self.items.push(item);
                    Ok(())
                })
            }
            _ => null(input),
        }
    }
}

/// Notes that a list or an object is there.
///
/// # Errors
///
/// When it was there before.
pub fn begin(is_there: &mut bool) -> Result<(), Unreadable> {
    if std::mem::replace(is_there, true) { Err(Unreadable::Shape) } else { Ok(()) }
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), Unreadable> {
    if place.is_some() {
        return Err(Unreadable::Shape);
    }
    *place = Some(value);
    Ok(())
}

/// Reads `null`, the one value beside its own kind that a place takes.
///
/// # Errors
///
/// When it is another value, or none.
pub fn null(input: &mut Input<'_>) -> Result<(), Unreadable> {
    if input.kind()? == Kind::Null {
        return input.null();
    }
    input.pass()?;
    Err(Unreadable::Shape)
}

/// Declares an object as a struct of places, one for each field that is wanted; others are passed over.
///
/// Keys are written as bytes: the compiler looks at those one by one, where it would call a function for a `str`.
macro_rules! object {
    (
        $(#[$meta:meta])*
        struct $name:ident<$life:lifetime> { $($field:ident: $kind:ty = $key:literal,)+ }
    ) => {
        $(#[$meta])*
        #[derive(Default)]
        struct $name<$life> { is_there: bool, $($field: $kind,)+ }
        $crate::json::object!(@place $life $name<$life> { $($field = $key,)+ });
    };
    (
        $(#[$meta:meta])*
        struct $name:ident { $($field:ident: $kind:ty = $key:literal,)+ }
    ) => {
        $(#[$meta])*
        #[derive(Default)]
        struct $name { is_there: bool, $($field: $kind,)+ }
        $crate::json::object!(@place 'de $name { $($field = $key,)+ });
    };
    (@place $de:lifetime $object:ty { $($field:ident = $key:literal,)+ }) => {
        impl<$de> $crate::json::Place<$de> for $object {
            fn read(&mut self, input: &mut $crate::json::Input<$de>) -> Result<(), $crate::json::Unreadable> {
                if input.kind()? != $crate::json::Kind::Object {
                    return $crate::json::null(input);
                }
                $crate::json::begin(&mut self.is_there)?;
                input.object(|key, input| match key.as_bytes() {
                    $($key => self.$field.read(input),)+
                    _ => input.pass(),
                })
            }
        }
    };
}
pub(crate) use object;
