//! Tests of calls: what each answer becomes, with a scripted host.

use super::*;
use crate::json::Place;
use crate::testing::{Script, answer};

static PEOPLE: Route =
    Route::get("/v1/teams/{team}/people", "Reads the people", Some("people:read"));

const CALL: &str = "GET /v1/teams/{team}/people";

struct People;

impl Call for People {
    type Refusal = Failure;
    const SERVICE: &'static str = "Vendor";

    fn route(&self) -> &'static Route {
        &PEOPLE
    }

    fn refused(&self, response: &Response) -> Failure {
        usual(self, response)
    }

    fn hint(trouble: Trouble) -> &'static str {
        match trouble {
            Trouble::Later => "Look at status.vendor.test.",
            other => other.hint(),
        }
    }
}

#[test]
fn a_path_has_the_values_of_settings_in_their_places() {
    assert_eq!(PEOPLE.path_of(&["acme"]), "/v1/teams/acme/people");
    assert_eq!(PEOPLE.path_of(&["a/../b?c"]), "/v1/teams/a%2F..%2Fb%3Fc/people");
    let two = Route::get("/{a}/x/{b}", "", None);
    assert_eq!(two.path_of(&["1", "{b}"]), "/1/x/%7Bb%7D");
    assert_eq!(Route::get("/v1", "", None).path_of(&[]), "/v1");
}

#[test]
fn a_route_is_declared_as_one_that_reads() {
    let declared = PEOPLE.declared();
    assert_eq!((declared.path.as_str(), declared.read_only), (PEOPLE.path, true));
    assert_eq!(declared.scope.as_deref(), Some("people:read"));
    let search = Route { method: Method::Post, ..PEOPLE };
    assert_eq!(search.to_string(), "POST /v1/teams/{team}/people");
    assert!(search.declared().read_only);
}

#[test]
fn a_route_is_needed_where_one_of_its_conditions_holds() {
    assert_eq!(PEOPLE.declared().when, []);
    let route = PEOPLE.when(&[Need::Setting("people", "all"), Need::Usage]);
    let known = SettingValue { setting: "people".to_owned(), value: "all".to_owned() };
    assert_eq!(route.declared().when, [Condition::Setting(known), Condition::Usage]);
}

#[test]
fn an_answer_is_read() {
    let mut host = Script::new().expect_get("/v1/teams/a/people", answer(200, r#"["ada"]"#));
    let people: Vec<String> = get_json(&mut host, PEOPLE.path_of(&["a"]), &People).unwrap();
    assert_eq!(people, ["ada"]);
}

#[test]
fn every_usual_status_has_its_kind() {
    use FailureKind::{RateLimited, UnexpectedResponse, Upstream};
    let rows = [
        (429, RateLimited),
        (500, Upstream),
        (503, Upstream),
        (599, Upstream),
        (408, Upstream),
        (425, Upstream),
        (301, UnexpectedResponse),
        (304, UnexpectedResponse),
        (400, UnexpectedResponse),
        (407, UnexpectedResponse),
        (204, UnexpectedResponse),
        (206, UnexpectedResponse),
        (100, UnexpectedResponse),
        (0, UnexpectedResponse),
    ];
    for (status, kind) in rows {
        let failure = failure(answer(status, "jane@acme.test"));
        assert_eq!(failure.kind, kind, "{status}");
        assert!(failure.message.contains(CALL), "{}", failure.message);
        assert!(failure.message.contains("Vendor"), "{}", failure.message);
        assert!(failure.message.contains(&status.to_string()), "{}", failure.message);
        assert!(!failure.hint.is_empty() && !failure.message.contains("jane"));
    }
}

#[test]
fn a_web_page_that_refuses_is_not_the_service() {
    let (html, json) = ("text/html; charset=utf-8", "application/json");
    for (status, kind, body, is_page) in [
        (401, html, "<!doctype html>jane@acme.test", true),
        (403, json, " \r\n<html>", true),
        (404, json, "\u{feff}<html>", true),
        (403, html, "jane@acme.test is not let through", true),
        (401, html, "", false),
        (403, html, "{}", false),
        (404, json, "failed to match any route", false),
        (302, html, "<html>", false),
    ] {
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        let failure = failure(Ok(Response { status, headers, body: body.into() }));
        assert_eq!(failure.kind, FailureKind::UnexpectedResponse);
        let message = format!("A web page answered {CALL} with status {status}, not Vendor.");
        assert_eq!(failure.message == message, is_page, "{status} {body}");
        assert_eq!(failure.hint == Trouble::InBetween.hint(), is_page || status == 302);
    }
}

#[test]
fn a_missing_answer_has_its_kind() {
    let exhausted = Exhausted { status: 503, retry_after_seconds: Some(30) };
    let rows = [
        (HttpError::Denied("not granted".to_owned()), FailureKind::Other, None),
        (HttpError::TimedOut, FailureKind::Upstream, None),
        (HttpError::TooLarge(8_388_608), FailureKind::UnexpectedResponse, None),
        (HttpError::RateLimited(exhausted), FailureKind::RateLimited, Some(30)),
        (HttpError::Unavailable(exhausted), FailureKind::Upstream, Some(30)),
        (HttpError::ConnectionFailed("reset".to_owned()), FailureKind::Upstream, None),
        (HttpError::Other("odd".to_owned()), FailureKind::Other, None),
    ];
    for (error, kind, wait) in rows {
        let failure = failure(Err(error.clone()));
        assert_eq!((failure.kind, failure.retry_after_seconds), (kind, wait), "{error:?}");
        assert!(failure.message.contains(CALL) && !failure.hint.is_empty());
    }
}

#[test]
fn a_note_of_the_host_is_cleaned_before_it_is_shown() {
    let failure = failure(Err(HttpError::ConnectionFailed("no\u{1b}[31m route\n".to_owned())));
    let message = "The connection to Vendor failed for GET /v1/teams/{team}/people: no[31m route";
    assert_eq!(failure.message, message);
}

#[test]
fn the_connectors_own_hint_counts() {
    assert_eq!(failure(answer(500, "")).hint, "Look at status.vendor.test.");
    assert_eq!(failure(answer(429, "")).hint, Trouble::Busy.hint());
}

#[test]
fn the_wait_is_taken_in_seconds_only() {
    let date = "Wed, 21 Oct 2026 07:28:00 GMT";
    let rows = [("17", Some(17)), (" 5 ", Some(5)), ("-1", None), (date, None), ("", None)];
    for (value, wait) in rows {
        for status in [429, 503] {
            let headers = vec![("retry-after".to_owned(), value.to_owned())];
            let response = Response { status, headers, body: Vec::new() };
            let failure = failure(Ok(response));
            assert_eq!(failure.retry_after_seconds, wait, "{status} {value}");
        }
    }
}

#[test]
fn an_unreadable_answer_names_its_call_and_why() {
    let between = Trouble::InBetween.hint();
    let unknown = Trouble::Unknown.hint();
    let unusable = Unreadable::Unusable {
        what: "is about another team",
        hint: "Look.",
        setting: Some("team"),
    };
    let rows = [
        (Unreadable::Encoding, "is not UTF-8 text", between),
        (Unreadable::WebPage, "is a web page, not data", between),
        (Unreadable::Syntax, "is not JSON that can be read", between),
        (Unreadable::CutShort, "is empty or cut short", between),
        (
            Unreadable::Shape(Place::missing("people")),
            "is of another shape than documented: `people` is missing.",
            unknown,
        ),
        (unusable, "is about another team", "Look."),
        (Unreadable::Next(BadLink::NoCursor), "cannot be used", unknown),
        (Unreadable::Next(BadLink::Malformed), "cannot be used", unknown),
        (Unreadable::Next(BadLink::TooLong), "cannot be used", unknown),
        (Unreadable::Next(BadLink::NotText), "cannot be used", unknown),
        (Unreadable::Next(BadLink::Repeated), "leads back to itself", unknown),
    ];
    for (reason, what, hint) in rows {
        let mut host = Script::new().expect_get("/", answer(200, ""));
        let read = |_: &[u8]| Err::<(), _>(reason.clone());
        let failure = get(&mut host, "/".to_owned(), &People, read).unwrap_err();
        assert_eq!(failure.kind, FailureKind::UnexpectedResponse);
        assert!(failure.message.contains(CALL), "{}", failure.message);
        assert!(failure.message.contains(what), "{}", failure.message);
        assert_eq!(failure.hint, hint, "{reason:?}");
        let blamed = matches!(reason, Unreadable::Unusable { .. }).then_some("team");
        assert_eq!(failure.setting.as_deref(), blamed, "{reason:?}");
    }
}

fn failure(answer: Result<Response, HttpError>) -> Failure {
    let mut host = Script::new().expect_get("/", answer);
    get_json::<People, ()>(&mut host, "/".to_owned(), &People).unwrap_err()
}
