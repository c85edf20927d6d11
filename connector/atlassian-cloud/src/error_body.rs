//! Reads the body of an error: the vendor's code, and whether it is about scopes.
//!
//! Four shapes are known: `{code, message}` of the gateway, a list under `errors`, one error
//! without the list, and `{status, error, message}` of some calls. They share their keys, so they
//! are read as one: texts at the top and in the list. A body of any other shape, or no JSON at all,
//! gives nothing. No text of it is passed on.

use smp_connector_kit::json::{self, Any};
use smp_connector_kit::text;

/// Longest body that is read, in bytes: a hundred times the known shapes.
const LONGEST: usize = 65_536;

/// The findings in an error's body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorBody {
    /// The vendor's code, if it looks like one.
    pub code: Option<String>,
    /// Whether a text mentions scopes.
    pub speaks_of_scope: bool,
}

impl ErrorBody {
    /// Reads a body of any kind.
    pub fn read(body: &[u8]) -> Self {
        let body = body.trim_ascii();
        if body.len() > LONGEST {
            return Self::default();
        }
        let Ok(answer) = json::read_page::<Any<'_>>(body) else {
            return Self::default();
        };
        let listed = answer.get("errors").map(Any::entries).unwrap_or_default();
        let all = || std::iter::once(&answer).chain(listed);
        Self { code: all().find_map(code), speaks_of_scope: all().any(speaks_of_scope) }
    }
}

/// The code. A number only repeats the status, so it does not count.
fn code(words: &Any<'_>) -> Option<String> {
    text::code(words.get("code")?.text()?)
}

fn speaks_of_scope(words: &Any<'_>) -> bool {
    let texts =
        ["title", "detail", "message", "error"].iter().filter_map(|key| words.get(key)?.text());
    texts.into_iter().any(|text| text::has_word(text, "scope"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_four_shapes_are_read() {
        let rows = [
            (r#"{"code":401,"message":"Unauthorized"}"#, None, false),
            (r#"{"code":401,"message":"Unauthorized; Scope does not match"}"#, None, true),
            (
                r#"{"errors":[{"id":"1","status":"404","code":"ADMIN-404-2","title":"Not found","detail":"Organization not found"}]}"#,
                Some("ADMIN-404-2"),
                false,
            ),
            (
                r#"{"errors":[{"status":"403","code":"ADMIN-403-3","title":"Forbidden","detail":"Missing SCOPES"}]}"#,
                Some("ADMIN-403-3"),
                true,
            ),
            (
                r#"{"id":"1","status":"400","code":"ADMIN-400-1","title":"Bad","detail":"Invalid cursor"}"#,
                Some("ADMIN-400-1"),
                false,
            ),
            (
                r#"{"timestamp":"2026-11-20T10:15:30Z","path":"/x","status":403,"error":"Forbidden","message":"User has no permission to access resource.","requestId":"r"}"#,
                None,
                false,
            ),
        ];
        for (body, code, speaks_of_scope) in rows {
            let expected = ErrorBody { code: code.map(str::to_owned), speaks_of_scope };
            assert_eq!(ErrorBody::read(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn the_first_code_of_several_counts() {
        let body =
            br#"{"errors":[{"title":"no code"},{"code":"ADMIN-404-2"},{"code":"ADMIN-404-1"}]}"#;
        assert_eq!(ErrorBody::read(body).code.as_deref(), Some("ADMIN-404-2"));
    }

    #[test]
    fn what_is_no_error_body_says_nothing() {
        let nested = format!("{{\"errors\":{}}}", "[".repeat(60_000));
        let long = format!(r#"{{"message":"scope","detail":"{}"}}"#, "x".repeat(LONGEST));
        let bodies: [&[u8]; 10] = [
            b"",
            b"<html>scope</html>",
            b"null",
            b"[]",
            b"{}",
            br#"{"errors":"scope"}"#,
            br#"{"code":{"a":1},"message":["scope"]}"#,
            b"{\"message\":\"\xff scope\"}",
            nested.as_bytes(),
            long.as_bytes(),
        ];
        for body in bodies {
            assert_eq!(ErrorBody::read(body), ErrorBody::default());
        }
    }

    #[test]
    fn a_code_that_looks_like_none_is_dropped() {
        let body = br#"{"code":"jane.doe@acme.test said no","message":"x"}"#;
        assert_eq!(ErrorBody::read(body).code, None);
    }
}
