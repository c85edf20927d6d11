//! Where in an answer it is of another shape, for a message: names of fields and positions in
//! lists.
//!
//! The reader says no more than where it stopped, so that reading costs nothing for this; an answer
//! is gone through once more when it was refused. No value gets into the text: of what a field
//! holds it has the kind, and of names only those that a program gives.

use std::fmt;

/// Deepest nesting that is named.
const DEEPEST: usize = 16;

/// What a number is called.
const NUMBER: &str = "a number";

/// Fields that people fill, where a name may be written in digits.
const NAMES: [&str; 2] = ["name", "nickname"];

/// Longest name that is shown: longer than a program gives.
const LONGEST_NAME: usize = 40;

/// A place in an answer, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// As `data[3].name`; empty for the whole answer.
    path: String,
    wrong: Wrong,
    /// The byte of the answer, from 1.
    byte: Option<usize>,
}

/// What is wrong with a value. Of the value itself, nothing but its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// It is missing.
    Missing,
    /// It is of this kind, and should be of another.
    Is(&'static str),
    /// It is of this kind, and should be a list or an object.
    HasNoParts(&'static str),
    /// It is there a second time.
    Twice,
    /// It lacks something.
    Lacks,
    /// It is a number, and counts nothing.
    NoCount,
    /// It is a number that is too large to be read.
    OutOfRange,
}

/// Why the reader stopped, as it tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// At a value of this kind, by the byte that it may begin with.
    Kind(u8),
    /// The same, where a list or an object was wanted.
    Parts(u8),
    /// At a value of another type, which begins so, where that is told.
    Type(Option<u8>),
    /// At a field that was there before.
    Duplicate,
    /// At a number that must be a count, and is another.
    NoCount,
    /// At a number that is too large to be read.
    OutOfRange,
    /// For another reason.
    Otherwise,
}

/// What was opened and not yet closed.
#[derive(Clone, Copy)]
enum Open<'a> {
    List(usize),
    Object(Option<&'a str>),
}

impl Place {
    /// A field of the answer that is not there, or null, by the name that is documented.
    pub fn missing(field: &str) -> Self {
        Self { path: field.to_owned(), wrong: Wrong::Missing, byte: None }
    }

    /// A field of the answer that must be a count and is another number, by where it stands.
    pub fn no_count(field: String) -> Self {
        Self { path: field, wrong: Wrong::NoCount, byte: None }
    }

    /// The place at which the reader stopped, when it had read so many bytes.
    pub(crate) fn at(text: &str, read: usize, why: Stopped) -> Self {
        let Found { path, kind, begins } = find(text, read, why);
        let wrong = match why {
            Stopped::Kind(_) | Stopped::Type(_) => Wrong::Is(kind),
            Stopped::Parts(_) => Wrong::HasNoParts(kind),
            Stopped::Duplicate => Wrong::Twice,
            Stopped::NoCount => Wrong::NoCount,
            Stopped::OutOfRange => Wrong::OutOfRange,
            Stopped::Otherwise => Wrong::Lacks,
        };
        Self { path, wrong, byte: Some(begins.saturating_add(1)) }
    }

    /// The field, and whether it may go: it is one of an entry of a list that has others, and not
    /// what the entry is known by.
    fn may_go(&self) -> (&str, bool) {
        let field = self.path.rsplit('.').next().unwrap_or_default();
        let is_id = field.ends_with("id") || field.ends_with("Id");
        (field, self.path.contains("].") && !field.ends_with(']') && !is_id)
    }

    /// Where the name of a field begins that is there a second time, from 0. It is a name, or may
    /// go: of two lists, or two addresses of a next page, none is the one that counts.
    pub(crate) fn is_twice(&self) -> Option<usize> {
        let (field, may_go) = self.may_go();
        let is_it = self.wrong == Wrong::Twice && (may_go || NAMES.contains(&field));
        self.byte.filter(|_| is_it)?.checked_sub(1)
    }

    /// Where a value begins that is of another kind than it should be, from 0, and whether it is a
    /// number whose digits can stand for the text. It is one of a name, or may go. A list or an
    /// object never does, for which much may stand, nor are digits an address.
    pub(crate) fn is_odd(&self) -> Option<(usize, bool)> {
        let (field, may_go) = self.may_go();
        let is_number = matches!(self.wrong, Wrong::Is(NUMBER) | Wrong::OutOfRange);
        let is_text = is_number && (NAMES.contains(&field) || may_go && field != "email");
        let is_odd = is_text || may_go && (is_number || matches!(self.wrong, Wrong::Is(_)));
        Some((self.byte.filter(|_| is_odd)?.checked_sub(1)?, is_text))
    }

    /// The same, in an answer that has so many bytes before.
    pub(crate) fn after(self, bytes: usize) -> Self {
        Self { byte: self.byte.map(|byte| byte.saturating_add(bytes)), ..self }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => formatter.write_str("the whole of it")?,
            path => write!(formatter, "`{path}`")?,
        }
        match self.wrong {
            Wrong::Missing => formatter.write_str(" is missing")?,
            Wrong::Is(kind) | Wrong::HasNoParts(kind) => write!(formatter, " is {kind}")?,
            Wrong::Twice => formatter.write_str(" is there twice")?,
            Wrong::Lacks => formatter.write_str(" lacks what it must have")?,
            Wrong::NoCount => formatter.write_str(" is not a whole number of 0 or more")?,
            Wrong::OutOfRange => formatter.write_str(" is a number that is too large")?,
        }
        match self.byte {
            Some(byte) => write!(formatter, ", at byte {byte}"),
            None => Ok(()),
        }
    }
}

/// A value in a text.
struct Found {
    path: String,
    kind: &'static str,
    begins: usize,
}

/// The value at which the reader stopped: the last one of what it has read, or the next, where it
/// looked at that and did not begin to read it. The text is JSON up to there.
fn find(text: &str, read: usize, why: Stopped) -> Found {
    // Where each open list or object is; of what is deeper, only how many there are.
    let (mut open, mut deeper): (Vec<Open<'_>>, usize) = (Vec::new(), 0);
    let (mut depth, mut kind, mut begins, mut at) = (0, "something else", 0, 0);
    // What stands before a value: the beginning of the text counts as a colon.
    let mut before = b':';
    let bytes = text.as_bytes();
    // Where the kind is known, it is the last value of that kind.
    let may_be_it = |byte| match why {
        Stopped::Kind(wanted) | Stopped::Parts(wanted) => kind_of(byte) == kind_of(wanted),
        Stopped::NoCount | Stopped::OutOfRange => kind_of(byte) == NUMBER,
        _ => true,
    };
    while let Some(&byte) = bytes.get(at) {
        let is_blank = byte.is_ascii_whitespace();
        if at >= read {
            let is_next = match (before, why) {
                (b':' | b',', Stopped::Type(_)) => true,
                (b'[', Stopped::Type(first)) => first == Some(byte),
                _ => false,
            };
            if is_next && is_blank {
                at += 1;
                continue;
            }
            if is_next {
                (depth, kind, begins) = (open.len(), kind_of(byte), at);
            }
            break;
        }
        let mut end = at + 1;
        match byte {
            _ if is_blank => {}
            b'{' | b'[' => {
                if may_be_it(byte) {
                    (depth, kind, begins) = (open.len(), kind_of(byte), at);
                }
                if open.len() < DEEPEST && deeper == 0 {
                    open.push(if byte == b'[' { Open::List(0) } else { Open::Object(None) });
                } else {
                    deeper += 1;
                }
            }
            // A reader that refuses the last part of a list has read the end of the list too.
            b']' if why == Stopped::Otherwise && end >= read => {}
            b'}' | b']' => {
                if deeper > 0 {
                    deeper -= 1;
                } else {
                    open.pop();
                }
                let is_known = |why| {
                    use Stopped::{Kind, NoCount, OutOfRange, Parts};
                    matches!(why, Kind(_) | Parts(_) | NoCount | OutOfRange)
                };
                if !is_known(why) {
                    (depth, begins) = (open.len(), at);
                    kind = if byte == b'}' { "an object" } else { "a list" };
                }
            }
            b',' if deeper == 0 => match open.last_mut() {
                Some(Open::List(index)) => *index += 1,
                Some(Open::Object(name)) => *name = None,
                None => {}
            },
            b',' | b':' => {}
            b'"' => {
                end = end_of_text(bytes, at);
                if let (Some(Open::Object(name @ None)), 0) = (open.last_mut(), deeper) {
                    *name = Some(text.get(at + 1..end - 1).unwrap_or_default());
                }
                if may_be_it(byte) {
                    (depth, kind, begins) = (open.len(), kind_of(byte), at);
                }
            }
            _ => {
                let is_over = |byte: &u8| b",:]} \t\r\n".contains(byte);
                let length = bytes.get(at..).and_then(|rest| rest.iter().position(is_over));
                end = length.map_or(bytes.len(), |length| at + length.max(1));
                if may_be_it(byte) {
                    (depth, kind, begins) = (open.len(), kind_of(byte), at);
                }
            }
        }
        if !is_blank {
            before = byte;
        }
        at = end;
    }
    Found { path: path_of(open.get(..depth).unwrap_or(&open)), kind, begins }
}

/// Where the text ends that begins here, behind its quotation mark.
fn end_of_text(bytes: &[u8], begins: usize) -> usize {
    let mut at = begins + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn kind_of(first: u8) -> &'static str {
    match first {
        b'{' => "an object",
        b'[' => "a list",
        b'"' => "a text",
        b'n' => "null",
        b't' | b'f' => "true or false",
        _ => NUMBER,
    }
}

fn path_of(open: &[Open<'_>]) -> String {
    let mut path = String::new();
    for part in open {
        match part {
            Open::List(index) => path.push_str(&format!("[{index}]")),
            Open::Object(name) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name.filter(|name| is_a_programs(name)).unwrap_or("…"));
            }
        }
    }
    path
}

/// Whether a name is one that a program gives. In an answer that is of another shape, something
/// that a person typed may stand in its place.
fn is_a_programs(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'-';
    name.len() <= LONGEST_NAME && name.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The place at which the reader stopped: what is before `^` was read.
    fn place(marked: &str, why: Stopped) -> String {
        let read = marked.find('^').unwrap();
        Place::at(&marked.replace('^', ""), read, why).to_string()
    }

    #[test]
    fn a_value_is_named_by_its_path_and_its_kind() {
        for (marked, told) in [
            (r#"{"name":7^}"#, "`name` is a number, at byte 9"),
            (r#"{"name":-1.5e3^}"#, "`name` is a number, at byte 9"),
            (r#"{"name":true^}"#, "`name` is true or false, at byte 9"),
            (r#"{"name":null^}"#, "`name` is null, at byte 9"),
            (r#"{"name":^ {}}"#, "`name` is an object, at byte 10"),
            (r#"{"name":{^}}"#, "`name` is an object, at byte 9"),
            (r#"{"size":"secret"^}"#, "`size` is a text, at byte 9"),
            (r#"{"data":[{},{"a":1},^[1]]}"#, "`data[2]` is a list, at byte 21"),
            (r#"{"data":[^[1]]}"#, "`data[0]` is a list, at byte 10"),
            (r#"{"data":[^7]}"#, "`data` is a list, at byte 9"),
            (
                r#"{"x":{"y":"}]"},"data":[1,{"b":[0,[{"c":"d"^"#,
                "`data[1].b[1][0].c` is a text, at byte 41",
            ),
            (r#"{"x\"":"\\","data":7^"#, "`data` is a number, at byte 20"),
            (r#"[[0,1],[2^"#, "`[1][0]` is a number, at byte 9"),
            ("^[]", "the whole of it is a list, at byte 1"),
            (r#""secret"^"#, "the whole of it is a text, at byte 1"),
        ] {
            assert_eq!(place(marked, Stopped::Type(Some(b'['))), told, "{marked}");
        }
    }

    #[test]
    fn a_value_of_a_known_kind_is_the_last_one_of_it() {
        for (marked, kind, told) in [
            (r#"{"name":7^}"#, b'0', "`name` is a number, at byte 9"),
            (r#"{"name":false^}"#, b't', "`name` is true or false, at byte 9"),
            (r#"{"name":null^}"#, b'n', "`name` is null, at byte 9"),
            (r#"{"size":"secret"^}"#, b'"', "`size` is a text, at byte 9"),
            (r#"{"a":[1],"name":[^1]}"#, b'[', "`name` is a list, at byte 17"),
            (r#"{"name":[]^}"#, b'[', "`name` is a list, at byte 9"),
            (r#"{"name": {}^}"#, b'{', "`name` is an object, at byte 10"),
            (r#"{"data":[{},{"a":1},[,^1]]}"#, b'[', "`data[2]` is a list, at byte 21"),
            ("[^1]", b'[', "the whole of it is a list, at byte 1"),
        ] {
            assert_eq!(place(marked, Stopped::Kind(kind)), told, "{marked}");
        }
    }

    #[test]
    fn a_field_that_is_there_twice_and_an_object_that_lacks_one_are_named() {
        let twice = r#"{"data":[],"data"^:[]}"#;
        assert_eq!(place(twice, Stopped::Duplicate), "`data` is there twice, at byte 12");
        let without = r#"{"data":[{"id":"a"},{"name":"secret"}^]}"#;
        let told = "`data[1]` lacks what it must have, at byte 37";
        assert_eq!(place(without, Stopped::Otherwise), told);
        assert_eq!(place(&without.replace("^]", "]^"), Stopped::Otherwise), told);
        assert_eq!(Place::missing("data").to_string(), "`data` is missing");
        assert_eq!(Place::missing("data").after(3), Place::missing("data"));
        let counted = Place::no_count("data[1].seats".to_owned());
        assert_eq!(counted.to_string(), "`data[1].seats` is not a whole number of 0 or more");
    }

    #[test]
    fn no_name_is_shown_that_a_person_may_have_typed() {
        for name in
            ["ada@acme.test", "Ada Lovelace", "ATCTT3xFfGF0", "5f1c", "a\\u0062", &"a".repeat(41)]
        {
            let marked = format!(r#"{{"{name}":{{"id":7^"#);
            assert!(
                place(&marked, Stopped::Type(None)).starts_with("`….id` is a number"),
                "{name}"
            );
        }
    }

    #[test]
    fn any_text_and_any_byte_have_a_place() {
        let deep = "[".repeat(100_000);
        for text in [
            "",
            "{",
            "}}]]",
            "\"",
            "\"\\",
            "{\"a",
            "[1,",
            "{\"ü\":\"ß",
            "nul",
            ",:,",
            deep.as_str(),
        ] {
            for read in [0, 1, 2, 5, 7, text.len(), usize::MAX] {
                for why in [
                    Stopped::Kind(b'['),
                    Stopped::Type(Some(b'[')),
                    Stopped::Duplicate,
                    Stopped::Otherwise,
                ] {
                    assert!(Place::at(text, read, why).to_string().len() < 200, "{read}");
                }
            }
        }
    }
}
