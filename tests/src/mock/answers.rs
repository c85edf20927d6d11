//! Answers before they are delivered, and the error bodies in all forms of the API.
//!
//! A body depends only on the request and the organization: identifiers of errors and time stamps
//! are fixed, so that equal requests get equal bytes. Only headers use the clock.

use axum::http::{HeaderName, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{ErrorAnswer, RetryAfter, Shape};

pub(super) const RATE_LIMIT_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
pub(super) const RATE_LIMIT_REMAINING: HeaderName =
    HeaderName::from_static("x-ratelimit-remaining");
pub(super) const RATE_LIMIT_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// An answer that will be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// JSON with status 200.
    pub(super) fn json(body: Vec<u8>) -> Answer {
        Answer {
            status: StatusCode::OK,
            content_type: "application/json",
            headers: Vec::new(),
            body,
        }
    }

    /// A page of HTML.
    pub(super) fn html(status: StatusCode, body: &str) -> Answer {
        Answer {
            status,
            content_type: "text/html; charset=utf-8",
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// An error in the gateway's form.
    pub(super) fn gateway(status: StatusCode, message: &str) -> Answer {
        Answer {
            status,
            ..Answer::json(bytes(&json!({"code": status.as_u16(), "message": message})))
        }
    }

    /// The usual error for a code of the vendor, wrapped.
    pub(super) fn coded(status: StatusCode, code: &str) -> Answer {
        Answer {
            status,
            ..Answer::json(bytes(&json!({"errors": [coded_error(status, code, None)]})))
        }
    }

    /// The error for a key whose maker may not see `path`.
    pub(super) fn access_denied(path: &str) -> Answer {
        let status = StatusCode::FORBIDDEN;
        Answer { status, ..Answer::json(bytes(&access_error(status, path, None))) }
    }

    /// The error of a fault.
    pub(super) fn error(error: &ErrorAnswer, path: &str) -> Answer {
        let status =
            StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let message = error.message.as_deref();
        let code = error.code.as_deref().unwrap_or_else(|| usual_code(error.status));
        let mut answer = match error.shape {
            Shape::Gateway => Answer::gateway(status, message.unwrap_or_else(|| reason(status))),
            Shape::Wrapped => {
                Answer::json(bytes(&json!({"errors": [coded_error(status, code, message)]})))
            }
            Shape::Bare => Answer::json(bytes(&coded_error(status, code, message))),
            Shape::Access => Answer::json(bytes(&access_error(status, path, message))),
            Shape::Html => Answer::html(status, MAINTENANCE_PAGE),
            Shape::None => Answer::json(Vec::new()),
        };
        answer.status = status;
        match error.retry_after {
            Some(RetryAfter::Seconds(seconds)) => {
                answer.headers.push((header::RETRY_AFTER, seconds.to_string()))
            }
            Some(RetryAfter::Date(seconds)) => {
                let date = from_now(seconds).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
                answer.headers.push((header::RETRY_AFTER, date));
            }
            None => {}
        }
        if let Some(seconds) = error.reset {
            answer.headers.push((RATE_LIMIT_RESET, reset_instant(seconds)));
        }
        answer
    }
}

/// An instant for `X-RateLimit-Reset`, rounded up to a whole second.
pub(super) fn reset_instant(seconds_from_now: u64) -> String {
    from_now(seconds_from_now).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Serializes the mock's own data.
pub(super) fn bytes<T: serde::Serialize>(value: &T) -> Vec<u8> {
    // Only maps with unusual keys and failing writers cause errors; neither occurs here.
    serde_json::to_vec(value).unwrap_or_default()
}

pub(super) const SIGN_IN_PAGE: &str = "<!doctype html>\n<html><head><title>Sign in to the \
                                       network</title></head><body><form method=\"post\"><input \
                                       name=\"user\"><input name=\"password\" \
                                       type=\"password\"></form></body></html>\n";

const MAINTENANCE_PAGE: &str = "<!doctype html>\n<html><head><title>We will be right \
                                back</title></head><body><h1>Maintenance</h1></body></html>\n";

fn from_now(seconds: u64) -> Timestamp {
    let now = Timestamp::now();
    let whole = now.as_second() + i64::from(now.subsec_nanosecond() > 0);
    // A wait beyond the calendar ends at the calendar's end.
    let then = whole.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX));
    Timestamp::from_second(then).unwrap_or(Timestamp::MAX)
}

fn usual_code(status: u16) -> &'static str {
    match status {
        400 => "ADMIN-400-1",
        401 => "ADMIN-401-2",
        403 => "ADMIN-403-3",
        404 => "ADMIN-404-2",
        405 => "ADMIN-405-1",
        429 => "ADMIN-429-1",
        _ => "ADMIN-500-1",
    }
}

fn coded_error(status: StatusCode, code: &str, detail: Option<&str>) -> Value {
    let (title, usual) = match code {
        "ADMIN-400-1" => ("Bad Request", "The cursor is not valid"),
        "ADMIN-400-24" => ("Bad Request", "The body of the request is not valid"),
        "ADMIN-401-2" => ("Unauthorized", "The key is not valid"),
        "ADMIN-403-3" => ("Forbidden", "Not allowed to manage the organization"),
        "ADMIN-404-1" => ("Not Found", "Resource not found"),
        "ADMIN-404-2" => ("Not Found", "Organization not found"),
        "ADMIN-404-3" => ("Not Found", "Domain not found"),
        "ADMIN-405-1" => ("Method Not Allowed", "The method is not supported"),
        "ADMIN-429-1" => ("Too Many Requests", "The rate limit is exceeded"),
        "ADMIN-500-1" => ("Internal Server Error", "Something went wrong inside"),
        _ => (reason(status), "Something went wrong"),
    };
    json!({
        "id": "6f1d0c52-77a9-4e0e-9a43-2c5b8d1e0f37",
        "status": status.as_u16().to_string(),
        "code": code,
        "title": title,
        "detail": detail.unwrap_or(usual),
    })
}

fn access_error(status: StatusCode, path: &str, message: Option<&str>) -> Value {
    json!({
        "timestamp": "2025-11-20T12:00:00.000+00:00",
        "path": path,
        "status": status.as_u16(),
        "error": reason(status),
        "message": message.unwrap_or("User has no permission to access resource."),
        "requestId": "b1946ac9-2",
    })
}

fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(error: ErrorAnswer) -> String {
        String::from_utf8(Answer::error(&error, "/p").body).unwrap()
    }

    #[test]
    fn each_form_has_its_fields() {
        assert_eq!(body(ErrorAnswer::new(401)), r#"{"code":401,"message":"Unauthorized"}"#);
        assert!(body(ErrorAnswer::new(400)).starts_with(r#"{"errors":[{"#));
        assert!(body(ErrorAnswer::new(400)).contains(r#""code":"ADMIN-400-1""#));
        assert!(body(ErrorAnswer::new(404).shape(Shape::Bare)).contains(r#""status":"404""#));
        assert!(body(ErrorAnswer::new(403)).contains(r#""path":"/p""#));
        assert!(body(ErrorAnswer::new(503)).starts_with("<!doctype html>"));
        assert_eq!(body(ErrorAnswer::new(500).shape(Shape::None)), "");
    }

    #[test]
    fn equal_errors_have_equal_bytes() {
        assert_eq!(body(ErrorAnswer::new(403)), body(ErrorAnswer::new(403)));
    }

    #[test]
    fn waits_are_told_in_seconds_or_as_dates() {
        let headers = |error: ErrorAnswer| Answer::error(&error, "/p").headers;
        let seconds = headers(ErrorAnswer::new(429).retry_after(RetryAfter::Seconds(2)));
        assert_eq!(seconds, [(header::RETRY_AFTER, "2".to_owned())]);
        let date = headers(ErrorAnswer::new(429).retry_after(RetryAfter::Date(60)));
        assert!(
            date.iter().all(|(_, text)| text.ends_with(" GMT") && text.len() == 29),
            "{date:?}"
        );
        let reset = headers(ErrorAnswer::new(429).reset(60));
        assert!(reset.iter().all(|(_, text)| text.parse::<Timestamp>().is_ok()), "{reset:?}");
    }
}
