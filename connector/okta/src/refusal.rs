//! The meaning of an answer other than a 200, with a hint.
//!
//! Of an answer, only Okta's error code gets into a failure
//! ([list](https://developer.okta.com/docs/reference/error-codes/)).

use serde::Deserialize;
use smp_connector_kit::call::{self, Call, Route, Trouble};
use smp_connector_kit::cursor::Cursor;
use smp_connector_kit::json::{self, Object, Text};
use smp_connector_kit::{Failure, FailureKind, Response, text};

use crate::site::{API_TOKEN, SITE};

const NEW_TOKEN: &str = "In the Admin Console of this organization, make a new token as a \
                         read-only administrator under Security > API > Tokens, and enter it \
                         without SSWS before it. A token works only in its own organization, and \
                         ends when the account of its administrator is deactivated.";

const MORE_RIGHTS: &str = "Make the token as a read-only administrator, an organization \
                           administrator or a super administrator: it has the rights of its maker. \
                           If it may be used from certain networks only, add that of your SaaS \
                           management platform under Security > API > Tokens.";

const OTHER_SITE: &str = "Enter what stands before .okta.com in the address of your Okta sign-in \
                          page, without -admin. An organization at another address, such as \
                          oktapreview.com, cannot be connected.";

const LATER: &str = "Nothing is wrong with your settings. Try again later. If it stays like this \
                     for hours, look at status.okta.com, and ask the person who runs your network.";

const SHARED_LIMIT: &str = "Try again in a few minutes. If it happens often, look at Reports > \
                            Rate limits in the Admin Console: other tools share the limit.";

const IN_BETWEEN: &str = "Look whether the Site is right. Otherwise a proxy, a sign-in page or a \
                          maintenance page stands between here and Okta: try again later, and ask \
                          the person who runs your network.";

const START_OVER: &str = "Start the collection again from the beginning.";

/// A call of Okta's API.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    route: &'static Route,
    has_cursor: bool,
}

impl Asked {
    /// The call of a route, of a list that goes on at the cursor.
    pub fn for_page(route: &'static Route, cursor: Option<&Cursor>) -> Self {
        Self { route, has_cursor: cursor.is_some() }
    }
}

impl Call for Asked {
    type Refusal = Failure;
    const SERVICE: &'static str = "Okta";

    fn route(&self) -> &'static Route {
        self.route
    }

    fn refused(&self, response: &Response) -> Failure {
        let (route, status) = (self.route, response.status);
        let failure = match status {
            401 => {
                let message = format!(
                    "Okta does not accept the API token: it is wrong, was revoked, or ended \
                     because it was not used for 30 days (401 from {route})."
                );
                Failure::new(FailureKind::Credentials, message, NEW_TOKEN).at(API_TOKEN)
            }
            403 => {
                let message = format!(
                    "The administrator who made the API token may not read this, or the token \
                     may not be used from here (403 from {route})."
                );
                Failure::new(FailureKind::Permission, message, MORE_RIGHTS).at(API_TOKEN)
            }
            404 => {
                let message =
                    format!("There is no Okta organization at this Site (404 from {route}).");
                Failure::new(FailureKind::NotFound, message, OTHER_SITE).at(SITE)
            }
            // The first page was accepted, and only the cursor differs.
            400 if self.has_cursor => {
                let message =
                    format!("Okta no longer knows how far the list was read (400 from {route}).");
                Failure::new(FailureKind::CursorExpired, message, START_OVER)
            }
            _ => call::usual(self, response),
        };
        failure.with_code(code(&response.body))
    }

    /// An address below okta.com without an organization answers with a page.
    fn refuses_with_a_page(status: u16) -> bool {
        status == 404
    }

    fn hint(trouble: Trouble) -> &'static str {
        match trouble {
            Trouble::Later => LATER,
            Trouble::Busy => SHARED_LIMIT,
            Trouble::InBetween => IN_BETWEEN,
            other => other.hint(),
        }
    }
}

/// The failure for a cursor that the connector cannot have given out.
pub fn foreign_cursor() -> Failure {
    call::foreign_cursor(START_OVER)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody<'a> {
    #[serde(borrow)]
    error_code: Option<Text<'a>>,
}

/// Okta's code in the body of an error.
fn code(body: &[u8]) -> Option<String> {
    let Object(body) = json::read_page::<Object<ErrorBody<'_>>>(body).ok()?;
    text::code(body.error_code?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use smp_connector_kit::HttpError;
    use smp_connector_kit::testing::{Script, answer};

    use crate::users::ROUTE;

    #[test]
    fn each_status_has_its_kind_and_its_setting() {
        use FailureKind::{
            Credentials, CursorExpired, NotFound, Permission, RateLimited, UnexpectedResponse,
            Upstream,
        };
        let rows = [
            (401, Credentials, Some("api-token")),
            (403, Permission, Some("api-token")),
            (404, NotFound, Some("site")),
            (400, CursorExpired, None),
            (429, RateLimited, None),
            (500, Upstream, None),
            (503, Upstream, None),
            (302, UnexpectedResponse, None),
            (405, UnexpectedResponse, None),
            (204, UnexpectedResponse, None),
        ];
        for (status, kind, setting) in rows {
            let body = r#"{"errorCode":"E0000099","errorSummary":"jane@acme.test"}"#;
            let failure = failure(answer(status, body));
            assert_eq!((failure.kind, failure.setting.as_deref()), (kind, setting), "{status}");
            assert!(failure.message.contains("GET /api/v1/users"), "{}", failure.message);
            assert!(failure.message.contains(&status.to_string()), "{}", failure.message);
            assert_eq!(failure.vendor_code.as_deref(), Some("E0000099"));
            assert!(!failure.hint.is_empty() && !format!("{failure:?}").contains("jane"));
        }
    }

    #[test]
    fn only_a_code_is_taken_from_a_body() {
        for body in ["", "<html>", "[]", "{}", r#"{"errorCode":"two words"}"#, r#"{"errorCode":7}"#]
        {
            assert_eq!(failure(answer(401, body)).vendor_code, None, "{body}");
        }
    }

    #[test]
    fn a_400_is_about_the_cursor_only_where_there_was_one() {
        let mut host = Script::new().expect_get("/", answer(400, ""));
        let call = Asked::for_page(&ROUTE, None);
        let failure = call::get(&mut host, "/".to_owned(), &call, |_| Ok(())).unwrap_err();
        assert_eq!(failure.kind, FailureKind::UnexpectedResponse);
    }

    #[test]
    fn hints_name_oktas_own_pages() {
        let web_page = answer(200, "<html>");
        let call = Asked::for_page(&ROUTE, None);
        let mut host = Script::new().expect_get("/", web_page);
        let read = |body: &[u8]| json::read::<serde_json::Value>(body);
        let failure = call::get(&mut host, "/".to_owned(), &call, read).unwrap_err();
        assert!(failure.message.contains("web page") && failure.hint.contains("the Site is right"));
        for (trouble, word) in [
            (Trouble::Later, "status.okta.com"),
            (Trouble::Busy, "Rate limits"),
            (Trouble::Unknown, "SaaS management platform"),
        ] {
            assert!(Asked::hint(trouble).contains(word), "{trouble:?}");
        }
    }

    fn failure(answer: Result<Response, HttpError>) -> Failure {
        let cursor = Cursor::new("c".to_owned());
        let mut host = Script::new().expect_get("/", answer);
        let call = Asked::for_page(&ROUTE, cursor.as_ref());
        call::get(&mut host, "/".to_owned(), &call, |_| Ok(())).unwrap_err()
    }
}
