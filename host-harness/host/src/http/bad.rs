//! Bad pages: answers that are no answer of the service, whatever their status says.
//!
//! | answer | judged |
//! |---|---|
//! | 408, 425 | passing: the service asks for another try |
//! | 2xx that is empty, a web page, cut short, no JSON, or JSON that is not UTF-8 | passing |
//! | 4xx with a web page | stays: a filter or a sign-in page |
//! | 204 and 205, which have no body | fine |
//! | a body of another media type, such as CSV or XML | fine: its connector reads it |
//!
//! What begins as JSON is read to its end, without being kept: some 0.1 ms for a page of a hundred
//! members. The shape is the connector's to judge.

use serde::de::IgnoredAny;

use super::transport::Response;

/// A byte order mark, which services write before JSON and no reader needs.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether asking again may bring the right answer.
pub(super) fn may_pass(response: &Response) -> bool {
    match response.status {
        408 | 425 => true,
        204 | 205 => false,
        200..=299 => is_unreadable(response),
        _ => false,
    }
}

/// Whether a web page answered in place of the service, with a status that refuses the request.
pub(super) fn is_of_somebody_else(response: &Response) -> bool {
    (400..=499).contains(&response.status) && is_web_page(response, start(&response.body))
}

fn is_unreadable(response: &Response) -> bool {
    let body = start(&response.body);
    match body.first() {
        None => true,
        Some(b'{' | b'[') => !is_json(body),
        Some(_) if is_web_page(response, body) => true,
        Some(_) => is_called(response, &["json"], true) && !is_json(body),
    }
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

fn is_json(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = "application/json; charset=utf-8";
    const HTML: &str = "text/html; charset=utf-8";

    fn judged(status: u16, kind: &str, body: &[u8]) -> (bool, bool) {
        let kind = (!kind.is_empty()).then(|| ("content-type".to_owned(), kind.to_owned()));
        let response =
            Response { status, headers: kind.into_iter().collect(), body: body.to_vec() };
        (may_pass(&response), is_of_somebody_else(&response))
    }

    #[test]
    fn a_bad_page_is_told_from_a_good_one_by_status_body_and_media_type() {
        let rows: [(u16, &str, &[u8], bool); 35] = [
            (200, JSON, b"{}", false),
            (200, JSON, b" \n[1]\r\n", false),
            (200, JSON, b"\xef\xbb\xbf{}", false),
            (200, JSON, b"null", false),
            (200, "", b"7", false),
            (200, HTML, b"{}", false),
            (200, "text/plain", b"{\"a\":\"\\ud83d\",\"a\":1e999}", false),
            (200, "text/csv", b"id,name", false),
            (200, "application/xml", b"<a/>", false),
            (200, "application/scim+xml", b"<a/>", false),
            (200, "application/octet-stream", b"\xff\xfe", false),
            (204, JSON, b"", false),
            (205, "", b"", false),
            (201, JSON, b"{}", false),
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
