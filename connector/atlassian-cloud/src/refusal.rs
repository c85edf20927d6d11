//! Tells what an answer that is no success, or no answer at all, means for the caller: the same for every call.
//!
//! Pure, and complete: whatever the status and the body, there is a failure with a hint. A 403 that does not speak
//! of scopes has two meanings, which only the list of the key's organizations can tell apart; it is handed back as
//! [`Forbidden`], for the flow to find out. No text of a body gets any further than the vendor's code.

use crate::config::{API_KEY, ORGANIZATION_ID};
use crate::cursor::BadLink;
use crate::descriptor::Endpoint;
use crate::error_body::ErrorBody;
use crate::failure::{Failure, FailureKind};
use crate::host::{Exhausted, HttpError, Response};
use crate::json::Unreadable;
use crate::text;

/// The vendor's code for a cursor that it does not know.
const INVALID_CURSOR: &str = "ADMIN-400-1";

/// The vendor's code for an organization that does not exist.
const NO_ORGANIZATION: &str = "ADMIN-404-2";

const NEW_KEY: &str = "At admin.atlassian.com, open the organization, then Settings, then API keys, and create a new \
    API key; choose the longest expiry, which is a year. Choose no scopes, or read:orgs:admin, read:accounts:admin and \
    read:domains:admin. Enter the new key in the Api Key field. If you cannot see API keys there, ask an organization admin to do it.";

const OTHER_SCOPES: &str = "Scopes cannot be added to a key that exists. At admin.atlassian.com, under Settings, then \
    API keys, create a new key with the scopes read:orgs:admin, read:accounts:admin and read:domains:admin, or a key \
    without scopes, and enter it in the Api Key field.";

const ORGANIZATION_ADMIN: &str = "The person who creates the API key must be an organization admin; being only a site \
    admin is not enough. Ask an organization admin to create a new key at admin.atlassian.com, under Settings, then \
    API keys, and enter it in the Api Key field. A key with scopes needs read:orgs:admin, read:accounts:admin and \
    read:domains:admin.";

const OTHER_ORGANIZATION: &str = "Compare the Organization ID with the one in the address of your organization's pages \
    at admin.atlassian.com, between /o/ and the next slash: capital and small letters count. The API key must have \
    been created in that same organization, by an organization admin.";

const LATER: &str = "Try again later. If it stays like this for hours, look at status.atlassian.com, and ask the \
    person who runs your network whether api.atlassian.com can be reached.";

const FEWER_REQUESTS: &str = "Try again later. If it happens often, ask whoever runs other tools on the same Atlassian \
    organization to spread their requests.";

const IN_BETWEEN: &str = "A proxy, a sign-in page or a maintenance page may stand between here and Atlassian. Try again \
    later; if it stays, ask the person who runs your network whether api.atlassian.com is let through unchanged.";

const REPORT: &str = "Try again later. If it stays, send this message to the support of your SaaS management platform: \
    the connector has to learn this answer.";

const LARGER_ANSWERS: &str = "Try again later. If it stays, send this message to the support of your SaaS management \
    platform: it has to take larger answers.";

const START_OVER: &str = "Start the collection again from the beginning. If it ends here once more, try again at a quieter \
    time: the members may be changing while they are read.";

/// Why a call has no result.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// This is why.
    Final(Failure),
    /// The key may not read the organization, or there is no such organization.
    Forbidden(Forbidden),
}

/// A 403 whose meaning is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forbidden {
    endpoint: &'static Endpoint,
    code: Option<String>,
}

impl Forbidden {
    /// The failure if the organization is one of the key's, or that cannot be told.
    pub fn permission(self) -> Failure {
        let message = format!("The API key may not read {} (403 from GET {}).", matter(self.endpoint), self.endpoint.path);
        Failure::new(FailureKind::Permission, message, ORGANIZATION_ADMIN).at(API_KEY).with_code(self.code)
    }

    /// The failure if the organization is none of the key's.
    pub fn not_found(self) -> Failure {
        no_organization(self.endpoint, 403).with_code(self.code)
    }
}

impl Refusal {
    /// The failure, if nothing more is to be found out.
    pub fn into_failure(self) -> Failure {
        match self {
            Self::Final(failure) => failure,
            Self::Forbidden(forbidden) => forbidden.permission(),
        }
    }
}

/// Gives the body of a success.
///
/// # Errors
///
/// When it is none: why.
pub fn success(endpoint: &'static Endpoint, has_cursor: bool, answer: Result<Response, HttpError>) -> Result<Vec<u8>, Refusal> {
    match answer {
        Ok(Response { status: 200, body, .. }) => Ok(body),
        Ok(response) => Err(answered(endpoint, has_cursor, &response)),
        Err(error) => Err(Refusal::Final(no_answer(endpoint, error))),
    }
}

/// The failure for a success that cannot be read.
pub fn unreadable(endpoint: &Endpoint, reason: Unreadable) -> Failure {
    let (what, hint) = match reason {
        Unreadable::WebPage => ("is a web page, not data", IN_BETWEEN),
        Unreadable::Encoding => ("is not UTF-8 text", IN_BETWEEN),
        Unreadable::Syntax => ("is not JSON that can be read", IN_BETWEEN),
        Unreadable::CutShort => ("is empty or cut short", IN_BETWEEN),
        Unreadable::Shape => ("is of another shape than documented", REPORT),
        Unreadable::OtherOrganization => ("is about another organization than the one asked for", OTHER_ORGANIZATION),
        Unreadable::Next(BadLink::Repeated) => ("leads back to itself: the list would never end", REPORT),
        Unreadable::Next(BadLink::NoCursor | BadLink::TooLong | BadLink::NotText) => {
            ("has a link to the next page that cannot be used", REPORT)
        }
    };
    unexpected(format!("The answer to GET {} {what}.", endpoint.path), hint)
}

/// The failure for a list that has no end.
pub fn endless(endpoint: &Endpoint, pages: u32) -> Failure {
    let message = format!("GET {} gave {pages} pages in a row without an account, and the list does not end.", endpoint.path);
    unexpected(message, REPORT)
}

/// The failure for a cursor that the connector cannot have given out.
pub fn foreign_cursor() -> Failure {
    let message = "The place at which to go on is none that this connector gave out.";
    Failure::new(FailureKind::CursorExpired, message, START_OVER)
}

fn answered(endpoint: &'static Endpoint, has_cursor: bool, response: &Response) -> Refusal {
    let status = response.status;
    let path = endpoint.path;
    let ErrorBody { code, speaks_of_scope } = ErrorBody::read(&response.body);
    let known = code.as_deref();
    let failure = match status {
        401 | 403 if speaks_of_scope => {
            let message = format!("The API key lacks a scope ({status} from GET {path}).");
            Failure::new(FailureKind::Permission, message, OTHER_SCOPES).at(API_KEY)
        }
        401 => {
            let message = format!("Atlassian does not accept the API key: it is wrong, has expired or was revoked (401 from GET {path}).");
            Failure::new(FailureKind::Credentials, message, NEW_KEY).at(API_KEY)
        }
        403 => return Refusal::Forbidden(Forbidden { endpoint, code }),
        404 if known == Some(NO_ORGANIZATION) => no_organization(endpoint, status),
        400 if has_cursor && known == Some(INVALID_CURSOR) => {
            let message = format!("Atlassian no longer knows how far the list was read (400 from GET {path}).");
            Failure::new(FailureKind::CursorExpired, message, START_OVER)
        }
        429 => too_many(endpoint, retry_after(response)),
        500..=599 => unavailable(endpoint, status, retry_after(response)),
        300..=399 => unexpected(format!("Atlassian answered GET {path} with a redirect ({status}), which is not followed."), IN_BETWEEN),
        400..=499 => unexpected(format!("Atlassian refused GET {path} with status {status}."), REPORT),
        _ => unexpected(format!("Atlassian answered GET {path} with status {status}, which is none it documents."), IN_BETWEEN),
    };
    Refusal::Final(failure.with_code(code))
}

fn no_answer(endpoint: &Endpoint, error: HttpError) -> Failure {
    let path = endpoint.path;
    let upstream = |message: String| Failure::new(FailureKind::Upstream, message, LATER);
    match error {
        HttpError::Denied(rule) => {
            let message = format!("The request GET {path} is not allowed here: {}", text::note(&rule));
            let hint = "Ask the person who runs the SaaS management platform to allow the requests that this connector declares.";
            Failure::new(FailureKind::Other, message, hint)
        }
        HttpError::TimedOut => upstream(format!("Atlassian did not answer GET {path} in time.")),
        HttpError::ConnectionFailed(reason) => {
            upstream(format!("The connection to Atlassian failed for GET {path}: {}", text::note(&reason)))
        }
        HttpError::Unavailable(Exhausted { status, retry_after_seconds }) => unavailable(endpoint, status, retry_after_seconds),
        HttpError::RateLimited(Exhausted { retry_after_seconds, .. }) => too_many(endpoint, retry_after_seconds),
        HttpError::TooLarge(bytes) => {
            let bytes = text::grouped(bytes);
            unexpected(format!("The answer to GET {path} is larger than is taken here ({bytes} bytes)."), LARGER_ANSWERS)
        }
        HttpError::Other(reason) => {
            let message = format!("GET {path} could not be asked: {}", text::note(&reason));
            Failure::new(FailureKind::Other, message, LATER)
        }
    }
}

/// What a call reads, for a message: a key may read one thing and not another.
fn matter(endpoint: &Endpoint) -> &'static str {
    match endpoint.path.rsplit('/').next() {
        Some("users") => "the members of this organization",
        Some("domains") => "the domains of this organization",
        _ => "this organization",
    }
}

fn unexpected(message: String, hint: &'static str) -> Failure {
    Failure::new(FailureKind::UnexpectedResponse, message, hint)
}

fn no_organization(endpoint: &Endpoint, status: u16) -> Failure {
    let message = format!("The API key knows no organization with this Organization ID ({status} from GET {}).", endpoint.path);
    Failure::new(FailureKind::NotFound, message, OTHER_ORGANIZATION).at(ORGANIZATION_ID)
}

fn too_many(endpoint: &Endpoint, retry_after_seconds: Option<u64>) -> Failure {
    let message = format!("Atlassian keeps asking for fewer requests (429 from GET {}).", endpoint.path);
    Failure::new(FailureKind::RateLimited, message, FEWER_REQUESTS).retry_after(retry_after_seconds)
}

fn unavailable(endpoint: &Endpoint, status: u16, retry_after_seconds: Option<u64>) -> Failure {
    let message = format!("Atlassian has a fault of its own at the moment ({status} from GET {}).", endpoint.path);
    Failure::new(FailureKind::Upstream, message, LATER).retry_after(retry_after_seconds)
}

/// The wait that the answer asks for, if in seconds: a date would need a clock.
fn retry_after(response: &Response) -> Option<u64> {
    response.header("retry-after")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::users::ENDPOINT;
    use crate::testing::answer;

    const CALL: &str = "GET /admin/v1/orgs/{organization-id}/users";
    const SCOPE: &str = r#"{"code":401,"message":"Unauthorized; scope does not match"}"#;

    #[test]
    fn every_status_has_its_kind() {
        use FailureKind::{Credentials, CursorExpired, NotFound, Permission, RateLimited, UnexpectedResponse, Upstream};
        let rows = [
            (401, "", Credentials),
            (401, r#"{"code":401,"message":"Unauthorized"}"#, Credentials),
            (401, SCOPE, Permission),
            (403, SCOPE, Permission),
            (403, "<html>", Permission),
            (404, r#"{"errors":[{"code":"ADMIN-404-2"}]}"#, NotFound),
            (404, r#"{"errors":[{"code":"ADMIN-404-1"}]}"#, UnexpectedResponse),
            (404, "failed to match any route", UnexpectedResponse),
            (400, r#"{"errors":[{"code":"ADMIN-400-1"}]}"#, CursorExpired),
            (400, r#"{"errors":[{"code":"ADMIN-400-4"}]}"#, UnexpectedResponse),
            (429, "", RateLimited),
            (500, "", Upstream),
            (503, "<html>maintenance", Upstream),
            (599, "", Upstream),
            (301, "", UnexpectedResponse),
            (304, "", UnexpectedResponse),
            (402, "", UnexpectedResponse),
            (407, "", UnexpectedResponse),
            (415, "", UnexpectedResponse),
            (204, "", UnexpectedResponse),
            (206, "{}", UnexpectedResponse),
            (100, "", UnexpectedResponse),
            (0, "", UnexpectedResponse),
        ];
        for (status, body, kind) in rows {
            let failure = failure(answer(status, body));
            assert_eq!(failure.kind, kind, "{status} {body}");
            assert!(failure.message.contains(CALL), "{}", failure.message);
            assert!(failure.message.contains(&status.to_string()), "{}", failure.message);
            assert!(!failure.hint.is_empty());
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
    fn a_refused_key_may_be_wrong_expired_or_revoked() {
        let failure = failure(answer(401, ""));
        for word in ["wrong", "expired", "revoked"] {
            assert!(failure.message.contains(word));
        }
        assert_eq!(failure.setting, Some("api-key"));
    }

    #[test]
    fn a_missing_scope_names_every_scope_to_choose() {
        let hint = failure(answer(403, SCOPE)).hint;
        for scope in ["read:orgs:admin", "read:accounts:admin", "read:domains:admin"] {
            assert!(hint.contains(scope), "{scope}");
        }
    }

    #[test]
    fn a_403_means_one_of_two_things() {
        let body = r#"{"errors":[{"code":"ADMIN-403-3","detail":"no"}]}"#;
        let Err(Refusal::Forbidden(forbidden)) = success(&ENDPOINT, false, answer(403, body)) else {
            panic!("not open");
        };
        let permission = forbidden.clone().permission();
        assert!(permission.message.contains("may not read the members of this organization"), "{}", permission.message);
        assert_eq!((permission.kind, permission.setting), (FailureKind::Permission, Some("api-key")));
        assert!(permission.hint.contains("organization admin") && permission.hint.contains("site admin"));
        let not_found = forbidden.not_found();
        assert_eq!((not_found.kind, not_found.setting), (FailureKind::NotFound, Some("organization-id")));
        assert_eq!(not_found.vendor_code.as_deref(), Some("ADMIN-403-3"));
    }

    #[test]
    fn a_cursor_is_refused_only_where_there_was_one() {
        let body = r#"{"errors":[{"code":"ADMIN-400-1"}]}"#;
        let refusal = success(&ENDPOINT, false, answer(400, body)).unwrap_err();
        assert_eq!(refusal.into_failure().kind, FailureKind::UnexpectedResponse);
    }

    #[test]
    fn the_wait_is_taken_in_seconds_only() {
        let rows = [("17", Some(17)), (" 5 ", Some(5)), ("-1", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("", None)];
        for (value, wait) in rows {
            for status in [429, 503] {
                let response = Response { status, headers: vec![("retry-after".to_owned(), value.to_owned())], body: Vec::new() };
                assert_eq!(failure(Ok(response)).retry_after_seconds, wait, "{status} {value}");
            }
        }
    }

    #[test]
    fn an_unreadable_answer_names_its_call() {
        let reasons = [
            Unreadable::Encoding,
            Unreadable::WebPage,
            Unreadable::Syntax,
            Unreadable::CutShort,
            Unreadable::Shape,
            Unreadable::OtherOrganization,
            Unreadable::Next(BadLink::NoCursor),
            Unreadable::Next(BadLink::TooLong),
            Unreadable::Next(BadLink::NotText),
            Unreadable::Next(BadLink::Repeated),
        ];
        for reason in reasons {
            let failure = unreadable(&ENDPOINT, reason);
            assert_eq!(failure.kind, FailureKind::UnexpectedResponse);
            assert!(failure.message.contains(CALL) && !failure.hint.is_empty());
        }
        let page = unreadable(&ENDPOINT, Unreadable::WebPage);
        assert!(page.hint.contains("proxy") && page.hint.contains("maintenance page"));
    }

    #[test]
    fn no_text_of_a_body_gets_into_a_failure() {
        for status in [302, 400, 401, 403, 404, 418, 429, 500] {
            let body = r#"{"code":"x y jane@acme.test","message":"jane@acme.test","errors":[{"detail":"jane@acme.test"}]}"#;
            let shown = format!("{:?}", failure(answer(status, body)));
            assert!(!shown.contains("jane"), "{shown}");
        }
    }

    fn failure(answer: Result<Response, HttpError>) -> Failure {
        success(&ENDPOINT, true, answer).unwrap_err().into_failure()
    }
}
