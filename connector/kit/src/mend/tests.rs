//! Tests of mended values, through the call that mends them.

use super::*;
use proptest::prelude::*;

use crate::call::{Call, Route, get};
use crate::contract::{Failure, Response};
use crate::json::{self, Flag, List, Object, Text};
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
    email: Option<Text<'a>>,
    is: Option<Flag>,
    #[serde(rename = "in")]
    inner: Option<Object<Inner>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Inner {
    is: Option<Flag>,
}

fn names(body: &str) -> (Result<Vec<String>, Failure>, Vec<String>) {
    let mut host = Script::new().expect_get("/people", answer(200, body));
    let read = |body: &[u8]| {
        let List(people) = json::read_page::<List<Object<Person<'_>>>>(body)?;
        let text = |text: Option<Text<'_>>| text.map(Text::into_string).unwrap_or_default();
        let person = |Object(one): Object<Person<'_>>| {
            let inner = one.inner.and_then(|Object(inner)| inner.is);
            let is = [one.is, inner].into_iter().flatten().any(|Flag(is)| is);
            text(one.id) + ":" + &text(one.name) + &text(one.email) + if is { " yes" } else { "" }
        };
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
            Some(": 3 halves of a character"),
        ),
        (
            r#"[{"id":"1","name": 20260101},{"id":"2","name":-1.50e3},{"name":1e999}]"#,
            vec!["1:20260101", "2:-1.50e3", ":1e999"],
            Some(": 3 numbers in place of a text"),
        ),
        (
            r#"[{"id":"1","name":"Ada","na\u006de":"B"},{"id":"2","name":"C", "name" : null}]"#,
            vec!["1:Ada", "2:C"],
            Some(": 2 fields that are there twice"),
        ),
        (
            "\u{feff} [{\"id\":\"1\",\"name\":7,\"name\":\"\\ud800\"}]",
            vec!["1:7"],
            Some(": 1 number in place of a text, 1 field that is there twice"),
        ),
        (
            r#"[{"id":"1","name":["a"]},{"id":"2","name" : {"a":{}}},{"id":"3","name":true}]"#,
            vec!["1:", "2:", "3:"],
            Some(": 3 values of another kind left out"),
        ),
        (
            r#"[{"id":"1","email":7,"is":1,"in":{"is":"no"}},{"id":"2","is":"true","name":8}]"#,
            vec!["1:", "2:8 yes"],
            Some(": 1 number in place of a text, 3 values of another kind left out"),
        ),
    ] {
        let (read, lines) = names(body);
        assert_eq!(read.unwrap(), names_read, "{body}");
        assert_eq!(lines.len(), usize::from(counts.is_some()), "{lines:?}");
        assert!(lines.iter().all(|line| line.ends_with(counts.unwrap_or_default())), "{lines:?}");
    }
}

#[test]
fn what_cannot_be_kept_is_told_by_field_and_place() {
    for (body, told) in [
        (r#"[{"id":7}]"#, "`[0].id` is a number, at byte 8"),
        (r#"[{"id":["a"]}]"#, "`[0].id` is a list, at byte 8"),
        // One of two would be chosen, and who would be another person, or lose a part.
        (r#"[{"id":"1","id":"2"}]"#, "`[0].id` is there twice, at byte 12"),
        (r#"[{"id":"1","in":{"is":true},"in" : {}}]"#, "`[0].in` is there twice, at byte 29"),
        (r#"[{"name":"a"},["b"]]"#, "`[1]` is a list, at byte 15"),
        (r#"{"name":"a"}"#, "the whole of it is an object, at byte 1"),
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
