//! Mends an answer that one odd value makes unreadable, so that a list is not lost for it: the rest
//! is read as it is.
//!
//! | oddity | read as |
//! |---|---|
//! | half of a surrogate pair in a text, `\ud83d` | U+FFFD |
//! | a number in place of a name, `"name": 20260101` | its digits |
//! | a field that is there twice | the first one |
//!
//! An answer that can be read costs nothing for it. What is mended is counted, and logged once for
//! an answer. Anything else stays unreadable, and so do bytes that are no UTF-8.

use crate::call::Route;
use crate::contract::Level;
use crate::host::Host;
use crate::json::Unreadable;

/// Most oddities of an answer, each of which is one more reading: more than a page has members.
const MOST: usize = 256;

/// What was mended in an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Mended {
    halves: usize,
    numbers: usize,
    twice: usize,
}

impl Mended {
    /// Mends what the answer could not be read for. Returns whether it may be readable now.
    pub(crate) fn mend(&mut self, body: &mut Vec<u8>, reason: &Unreadable) -> bool {
        match reason {
            Unreadable::Syntax if self.halves == 0 => {
                self.halves = replace_halves(body);
                self.halves > 0
            }
            Unreadable::Shape(place) if self.twice + self.numbers < MOST => {
                if let Some(at) = place.is_twice() {
                    self.twice += 1;
                    rename(body, at)
                } else if let Some(at) = place.is_name_in_digits() {
                    self.numbers += 1;
                    quote(body, at)
                } else {
                    false
                }
            }
            _ => false,
        }
    }

    /// Logs what was mended, if anything was.
    pub(crate) fn log(&self, host: &mut dyn Host, route: &Route) {
        if *self == Self::default() {
            return;
        }
        let Self { halves, numbers, twice } = self;
        let text = format!(
            "the answer to {route} has odd values, and is read without them: {halves} halves of a \
             character, {numbers} numbers in place of a name, {twice} fields that are there twice"
        );
        host.log(Level::Warn, &text);
    }
}

/// Replaces halves of surrogate pairs, which are as long as what takes their place.
fn replace_halves(body: &mut [u8]) -> usize {
    let (mut at, mut replaced) = (0, 0);
    while let Some(byte) = body.get(at) {
        if *byte != b'\\' {
            at += 1;
            continue;
        }
        let is_pair = match unit(body, at) {
            Some(0xd800..=0xdbff) => matches!(unit(body, at + 6), Some(0xdc00..=0xdfff)),
            Some(0xdc00..=0xdfff) => false,
            _ => {
                at += 2;
                continue;
            }
        };
        if is_pair {
            at += 12;
            continue;
        }
        if let Some(half) = body.get_mut(at..at + 6) {
            half.copy_from_slice(b"\\ufffd");
            replaced += 1;
        }
        at += 6;
    }
    replaced
}

/// The code unit of the escape that begins here.
fn unit(body: &[u8], at: usize) -> Option<u32> {
    let digits = body.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
}

/// Gives the field whose name begins here one that no answer has.
fn rename(body: &mut [u8], at: usize) -> bool {
    let Some([b'"', name @ ..]) = body.get_mut(at..) else { return false };
    let mut is_escaped = false;
    for byte in name {
        let ends = *byte == b'"' && !is_escaped;
        if ends {
            return true;
        }
        is_escaped = *byte == b'\\' && !is_escaped;
        *byte = b'~';
    }
    false
}

/// Puts the number that begins here into quotation marks.
fn quote(body: &mut Vec<u8>, at: usize) -> bool {
    let is_of_number = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let Some(number) = body.get(at..) else { return false };
    let length = number.iter().take_while(|byte| is_of_number(byte)).count();
    if length == 0 {
        return false;
    }
    body.insert(at + length, b'"');
    body.insert(at, b'"');
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    use crate::call::{Call, get};
    use crate::contract::{Failure, Response};
    use crate::json::{self, List, Object, Text};
    use crate::testing::{Script, answer};

    static PEOPLE: Route = Route::get("/people", "Reads the people", None);

    struct People;

    impl Call for People {
        type Refusal = Failure;
        const SERVICE: &'static str = "Vendor";

        fn route(&self) -> &'static Route {
            &PEOPLE
        }

        fn refused(&self, _: &Response) -> Failure {
            panic!("refused")
        }
    }

    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Person<'a> {
        #[serde(borrow)]
        id: Option<Text<'a>>,
        name: Option<Text<'a>>,
    }

    fn names(body: &str) -> (Result<Vec<String>, Failure>, Vec<String>) {
        let mut host = Script::new().expect_get("/people", answer(200, body));
        let read = |body: &[u8]| {
            let List(people) = json::read_page::<List<Object<Person<'_>>>>(body)?;
            let text = |text: Option<Text<'_>>| text.map(Text::into_string).unwrap_or_default();
            let person = |Object(one): Object<Person<'_>>| text(one.id) + ":" + &text(one.name);
            Ok(people.into_iter().map(person).collect())
        };
        let names = get(&mut host, "/people".to_owned(), &People, read);
        (names, host.lines.iter().map(|(_, line)| line.clone()).collect())
    }

    #[test]
    fn one_odd_value_costs_nothing_else_and_is_logged_once() {
        for (body, names_read, counts) in [
            (r#"[{"id":"1","name":"Ada"}]"#, vec!["1:Ada"], None),
            (
                r#"[{"id":"1","name":"\ud83dAda \ude00\ud83d\ude00"},{"id":"\\ud83d","name":"\ud83d"}]"#,
                vec!["1:\u{fffd}Ada \u{fffd}\u{1f600}", "\\ud83d:\u{fffd}"],
                Some("3 halves of a character, 0 numbers in place of a name, 0 fields"),
            ),
            (
                r#"[{"id":"1","name": 20260101},{"id":"2","name":-1.50e3}]"#,
                vec!["1:20260101", "2:-1.50e3"],
                Some("0 halves of a character, 2 numbers in place of a name, 0 fields"),
            ),
            (
                r#"[{"id":"1","name":"Ada","na\u006de":"B"},{"id":"2","id":{},"name":"C"}]"#,
                vec!["1:Ada", "2:C"],
                Some("0 halves of a character, 0 numbers in place of a name, 2 fields"),
            ),
            (
                "\u{feff} [{\"id\":\"1\",\"name\":7,\"name\":\"\\ud800\"}]",
                vec!["1:7"],
                Some("0 halves of a character, 1 numbers in place of a name, 1 fields"),
            ),
        ] {
            let (read, lines) = names(body);
            assert_eq!(read.unwrap(), names_read, "{body}");
            assert_eq!(lines.len(), usize::from(counts.is_some()), "{lines:?}");
            assert!(
                lines.iter().all(|line| line.contains(counts.unwrap_or_default())),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_kept_is_told_by_field_and_place() {
        for (body, told) in [
            (r#"[{"id":7}]"#, "`[0].id` is a number, at byte 8"),
            (r#"[{"name":["a"]}]"#, "`[0].name` is a list, at byte 10"),
            (r#"[{"name":false}]"#, "`[0].name` is true or false, at byte 10"),
        ] {
            let (read, lines) = names(body);
            let message = read.unwrap_err().message;
            assert!(message.contains(told), "{message}");
            assert_eq!(lines, Vec::<String>::new());
        }
    }

    #[test]
    fn oddities_without_end_are_bounded() {
        let odd = |count| format!("[{}]", vec![r#"{"name":7}"#; count].join(","));
        assert_eq!(names(&odd(MOST)).0.unwrap().len(), MOST);
        assert!(names(&odd(MOST + 1)).0.unwrap_err().message.contains("is a number"));
    }

    proptest! {
        #[test]
        fn any_answer_is_mended_to_an_end(body in "[\\[{\"a:7,}\\]\\\\ud8name]{0,60}") {
            let _ = names(&body);
        }
    }
}
