//! Where the values of an answer go: texts, numbers, lists, and objects that say which fields they want.
//!
//! A place is empty until it is filled, and is filled at most once.

use std::borrow::Cow;

/// Where a value goes. What a place does not provide for is a value of the wrong type; `null` leaves it empty.
pub trait Place<'de> {
    /// Takes a string.
    ///
    /// # Errors
    ///
    /// When it is the wrong type here, or the second value: as for all the others.
    #[expect(unused_variables, reason = "the names are documentation")]
    fn text(&mut self, text: Text<'de>) -> Fit {
        Err(Misfit)
    }

    /// Takes a boolean.
    #[expect(unused_variables, reason = "the names are documentation")]
    fn truth(&mut self, truth: bool) -> Fit {
        Err(Misfit)
    }

    /// Takes a number: a count, or one that is none.
    #[expect(unused_variables, reason = "the names are documentation")]
    fn number(&mut self, count: Option<u64>) -> Fit {
        Err(Misfit)
    }

    /// Begins a list.
    fn list(&mut self) -> Fit {
        Err(Misfit)
    }

    /// The place of the next item, if there is a next one; `None` passes it over.
    fn item(&mut self) -> Option<&mut dyn Place<'de>> {
        None
    }

    /// Takes the item as it is now in its place.
    fn item_done(&mut self) -> Fit {
        Ok(())
    }

    /// Begins an object.
    fn object(&mut self) -> Fit {
        Err(Misfit)
    }

    /// The place of a field; `None` passes it over.
    #[expect(unused_variables, reason = "the names are documentation")]
    fn field(&mut self, key: &str) -> Option<&mut dyn Place<'de>> {
        None
    }
}

/// Whether a value fits its place.
pub type Fit = Result<(), Misfit>;

/// A value that does not fit its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misfit;

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
    next: T,
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
    fn text(&mut self, text: Text<'de>) -> Fit {
        once(self, text)
    }
}

impl Place<'_> for Option<bool> {
    fn truth(&mut self, truth: bool) -> Fit {
        once(self, truth)
    }
}

impl Place<'_> for Option<Count> {
    fn number(&mut self, count: Option<u64>) -> Fit {
        once(self, Count(count))
    }
}

impl<'de> Place<'de> for Word<'de> {
    fn text(&mut self, text: Text<'de>) -> Fit {
        self.0 = Some(text);
        Ok(())
    }

    fn truth(&mut self, _: bool) -> Fit {
        Ok(())
    }

    fn number(&mut self, _: Option<u64>) -> Fit {
        Ok(())
    }

    fn list(&mut self) -> Fit {
        Ok(())
    }

    fn object(&mut self) -> Fit {
        Ok(())
    }
}

impl<'de, T: Place<'de> + Default> Place<'de> for List<T> {
    fn list(&mut self) -> Fit {
        begin(&mut self.is_there)
    }

    fn item(&mut self) -> Option<&mut dyn Place<'de>> {
        Some(&mut self.next)
    }

    fn item_done(&mut self) -> Fit {
        self.items.push(std::mem::take(&mut self.next));
        Ok(())
    }
}

/// Notes that a list or an object is there.
///
/// # Errors
///
/// When it was there before.
pub fn begin(is_there: &mut bool) -> Fit {
    if std::mem::replace(is_there, true) { Err(Misfit) } else { Ok(()) }
}

fn once<T>(place: &mut Option<T>, value: T) -> Fit {
    if place.replace(value).is_some() { Err(Misfit) } else { Ok(()) }
}

/// Declares an object as a struct of places, one for each field that is wanted; others are passed over.
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
            fn object(&mut self) -> $crate::json::Fit {
                $crate::json::begin(&mut self.is_there)
            }

            fn field(&mut self, key: &str) -> Option<&mut dyn $crate::json::Place<$de>> {
                match key {
                    $($key => Some(&mut self.$field),)+
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use object;
