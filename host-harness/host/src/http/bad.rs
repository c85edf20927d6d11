//! Bad pages: answers that are no answer of the service, whatever their status says.
//!
//! | answer | judged |
//! |---|---|
//! | 408, 409, 421, 423, 425; a redirect, which is not followed | passing |
//! | 400, and the statuses of gateways such as 444 and 499, without a body | passing |
//! | 2xx that is empty, a web page, cut short, no JSON, or JSON that is not UTF-8 | passing |
//! | 204, 205 and 206: every request is for a whole answer | passing |
//! | JSON that says nothing (`{}`, `null`, a text), or nothing but that something went wrong | passing |
//! | JSON with `errors` beside what was asked for | passing: it may lack a part |
//! | plain text and XML, unless the endpoint asks for them by `accept` | passing |
//! | 4xx with a web page | stays: a filter or a sign-in page |
//! | to a later page: 400 and 404 that say nothing (`{}`) or are a web page | passing |
//! | to a later page: other 4xx, but 401, 403, 407, 429 and 451 | passing |
//! | a body of another media type, such as CSV | fine: its connector reads it |
//!
//! Of what begins as JSON, the top is read, and the rest must be there to its end: some 0.01 ms for
//! a page of a hundred members. Beyond that, the shape is the connector's to judge.

use super::said::{self, Said};
use super::transport::{Request, Response};

/// A byte order mark, which services write before JSON and no reader needs.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether asking again may bring the right answer.
pub(super) fn may_pass(request: &Request, response: &Response) -> bool {
    match response.status {
        408 | 409 | 421 | 423 | 425 | 204..=206 | 300..=399 => true,
        // The service says what it refuses. Gateways do not.
        400 | 444 | 460 | 463 | 499 => start(&response.body).is_empty(),
        200..=299 => is_unreadable(request, response),
        _ => false,
    }
}

/// Whether asking for a later page again may bring it: the service answered the same question
/// before. A key that is refused, a proxy or a filter stays, and so does what a service says in a
/// 400 or 404.
pub(super) fn may_pass_within_a_list(response: &Response) -> bool {
    let says_nothing = || said::by(start(&response.body)) == Some(Said::Nothing);
    match response.status {
        401 | 403 | 407 | 429 | 451 => false,
        400 | 404 => {
            start(&response.body).is_empty() || says_nothing() || is_of_somebody_else(response)
        }
        status => (400..=499).contains(&status),
    }
}

/// Whether an answer has what was asked for, and beside it that something went wrong: it may lack
/// a part.
pub(super) fn is_in_part(response: &Response) -> bool {
    (200..=299).contains(&response.status)
        && said::by(start(&response.body)) == Some(Said::ErrorsBeside)
}

/// Whether a web page answered in place of the service, with a status that refuses the request.
pub(super) fn is_of_somebody_else(response: &Response) -> bool {
    (400..=499).contains(&response.status) && is_web_page(response, start(&response.body))
}

fn is_unreadable(request: &Request, response: &Response) -> bool {
    let body = start(&response.body);
    match body.first() {
        None => true,
        Some(b'{' | b'[') => said::by(body) != Some(Said::Something),
        Some(_) if is_web_page(response, body) => true,
        Some(_) if is_called(response, &["json"], true) => said::by(body) != Some(Said::Something),
        Some(_) => ["xml", "text/plain"]
            .iter()
            .any(|kind| is_called(response, &[kind], false) && !is_wanted(request, kind)),
    }
}

/// Whether the endpoint asks for this media type, instead of the JSON that every request asks for.
fn is_wanted(request: &Request, kind: &str) -> bool {
    request
        .headers
        .iter()
        .any(|(name, value)| name == "accept" && (value.contains(kind) || value.contains("*/*")))
}

/// The body from its first character on.
fn start(body: &[u8]) -> &[u8] {
    body.strip_prefix(MARK).unwrap_or(body).trim_ascii_start()
}

fn is_web_page(response: &Response, body: &[u8]) -> bool {
    match body.first() {
        None | Some(b'{' | b'[') => false,
        Some(b'<') => !is_called(response, &["/xml", "+xml"], false) || is_html(response),
        Some(_) => is_html(response),
    }
}

fn is_html(response: &Response) -> bool {
    is_called(response, &["html"], false)
}

/// Whether the media type has one of these words in it; `untold` if there is none.
fn is_called(response: &Response, words: &[&str], untold: bool) -> bool {
    response.header("content-type").map_or(untold, |kind| {
        let kind = kind.to_ascii_lowercase();
        words.iter().any(|word| kind.contains(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::transport::Method;

    const JSON: &str = "application/json; charset=utf-8";
    const HTML: &str = "text/html; charset=utf-8";

    fn judged(status: u16, kind: &str, body: &[u8]) -> (bool, bool) {
        let kind = (!kind.is_empty()).then(|| ("content-type".to_owned(), kind.to_owned()));
        let response =
            Response { status, headers: kind.into_iter().collect(), body: body.to_vec() };
        (may_pass(&asking(&[]), &response), is_of_somebody_else(&response))
    }

    fn asking(headers: &[(&str, &str)]) -> Request {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Request {
            method: Method::Get,
            path_and_query: "/x".into(),
            body: None,
            headers: headers.iter().map(owned).collect(),
        }
    }

    #[test]
    fn a_bad_page_is_told_from_a_good_one_by_status_body_and_media_type() {
        let rows: [(u16, &str, &[u8], bool); 64] = [
            (200, JSON, b"[]", false),
            (200, JSON, b" \n[1]\r\n", false),
            (200, JSON, b"\xef\xbb\xbf[]", false),
            (200, JSON, b"true", false),
            (200, "", b"7", false),
            (200, HTML, b"[]", false),
            (200, "text/plain", b"{\"a\":\"\\ud83d\",\"a\":1e999}", false),
            (200, "text/csv", b"id,name", false),
            (200, JSON, b"{\"data\":[],\"errors\":[]}", false),
            (200, JSON, b"{\"data\":[],\"errors\":null,\"message\":\"ok\"}", false),
            (200, JSON, b"{\"count\":7}", false),
            (200, JSON, b"{\"error\":\"\",\"name\":\"x\"}", false),
            (200, JSON, b"null", true),
            (200, JSON, b"{}", true),
            (200, HTML, b"{\"data\":null}", true),
            (200, JSON, b"\"try later\"", true),
            (200, JSON, b"{\"message\":\"maintenance\"}", true),
            (200, JSON, b"{\"errors\":[{\"code\":\"X\"}]}", true),
            (200, JSON, b"{\"data\":null,\"errors\":[{\"code\":\"X\"}]}", true),
            (200, JSON, b"{\"data\":[1],\"errors\":[{\"code\":\"X\"}]}", true),
            (200, "text/plain", b"upstream connect error", true),
            (200, "application/xml", b"<a/>", true),
            (200, "application/scim+xml", b"<a/>", true),
            (302, "", b"", true),
            (301, HTML, b"<html>", true),
            (304, "", b"", true),
            (400, "", b"", true),
            (400, JSON, b" \n", true),
            (499, "", b"", true),
            (409, JSON, b"{}", true),
            (421, "", b"", true),
            (423, JSON, b"{}", true),
            (206, JSON, b"{\"data\":[1]}", true),
            (400, JSON, b"{\"errors\":[]}", false),
            (401, "", b"", false),
            (403, "", b"", false),
            (404, JSON, b"{\"message\":\"x\"}", false),
            (410, "", b"", false),
            (451, "", b"", false),
            (200, "application/octet-stream", b"\xff\xfe", false),
            (204, JSON, b"", true),
            (205, "", b"", true),
            (201, JSON, b"[]", false),
            (408, JSON, b"{}", true),
            (408, HTML, b"<html>", true),
            (425, "", b"", true),
            (200, JSON, b"", true),
            (200, "text/csv", b"", true),
            (200, JSON, b" \r\n", true),
            (200, "", b"\xef\xbb\xbf", true),
            (200, HTML, b"<!doctype html>", true),
            (200, JSON, b"<html>", true),
            (200, "", b" <html>", true),
            (200, "application/xhtml+xml", b"<html>", true),
            (200, HTML, b"Sign in", true),
            (200, JSON, b"{\"data\":[{\"id\":\"1\"}", true),
            (200, JSON, b"{\"data\":[{\"id\":\"1\"", true),
            (200, JSON, b"[", true),
            (200, "text/plain", b"{\"data\":nonsense}", true),
            (200, JSON, b"{} {}", true),
            (200, JSON, b"nonsense", true),
            (200, "", b"nonsense", true),
            (200, JSON, b"{\"a\":\"\xff\"}", true),
            (203, JSON, b"\xff\xfe{\0}\0", true),
        ];
        for (status, kind, body, is_bad) in rows {
            let shown = String::from_utf8_lossy(body);
            assert_eq!(judged(status, kind, body).0, is_bad, "{status} {kind} {shown}");
        }
    }

    #[test]
    fn a_refusal_within_a_list_passes_unless_the_service_says_why() {
        let own = r#"{"errors":[{"code":"ADMIN-400-1"}]}"#;
        for (status, body, may_pass) in [
            (404, "{}", true),
            (404, "", true),
            (404, "null", true),
            (404, "<html>", true),
            (404, own, false),
            (404, "failed to match any route", false),
            (400, "{}", true),
            (400, "<html>", true),
            (400, own, false),
            (402, own, true),
            (405, "", true),
            (410, "{}", true),
            (413, "<html>", true),
            (418, own, true),
            (401, "", false),
            (401, "<html>", false),
            (403, "{}", false),
            (407, "", false),
            (429, "", false),
            (451, "<html>", false),
            (200, "{}", false),
            (500, "", false),
        ] {
            let response = Response { status, headers: Vec::new(), body: body.into() };
            assert_eq!(may_pass_within_a_list(&response), may_pass, "{status} {body}");
        }
    }

    #[test]
    fn what_an_endpoint_asks_for_is_no_bad_page() {
        let answer = |kind: &str| Response {
            status: 200,
            headers: vec![("content-type".to_owned(), kind.to_owned())],
            body: b"<a/>".to_vec(),
        };
        for (accept, kind, is_bad) in [
            ("application/xml", "application/xml", false),
            ("text/plain", "text/plain;charset=utf-8", true),
            ("application/json", "application/xml", true),
            ("*/*", "application/xml", false),
        ] {
            let request = asking(&[("accept", accept)]);
            assert_eq!(may_pass(&request, &answer(kind)), is_bad, "{accept} {kind}");
        }
        let text = Response { body: b"id".to_vec(), ..answer("text/plain") };
        assert!(!may_pass(&asking(&[("accept", "text/plain")]), &text));
    }

    #[test]
    fn errors_beside_what_was_asked_for_may_stand_for_a_part() {
        for (status, body, in_part) in [
            (200, r#"{"data":[],"errors":[{}]}"#, true),
            (200, r#"{"errors":"x","data":{}}"#, true),
            (200, r#"{"errors":[{}]}"#, false),
            (200, r#"{"data":[],"errors":[]}"#, false),
            (500, r#"{"data":[],"errors":[{}]}"#, false),
        ] {
            let response = Response { status, headers: Vec::new(), body: body.into() };
            assert_eq!(is_in_part(&response), in_part, "{status} {body}");
        }
    }

    #[test]
    fn a_refusal_is_a_web_pages_if_it_is_one() {
        for (status, kind, body, is_page) in [
            (401, HTML, "<html>", true),
            (403, JSON, "<!doctype html>", true),
            (404, "", "\u{feff}\n<html>", true),
            (407, HTML, "Access denied", true),
            (401, HTML, "", false),
            (403, HTML, "{}", false),
            (404, "text/plain", "failed to match any route", false),
            (404, "application/xml", "<Error/>", false),
            (302, HTML, "<html>", false),
            (503, HTML, "<html>", false),
        ] {
            assert_eq!(judged(status, kind, body.as_bytes()).1, is_page, "{status} {kind} {body}");
        }
    }
}
