//! Tells what an answer that is no success, or no answer at all, means for the caller: the same for
//! every call.
//!
//! Pure, and complete: whatever the status and the body, there is a failure with a hint. A 403 that
//! does not speak of scopes has two meanings, which only the list of the key's organizations can
//! tell apart; it is handed back as [`Forbidden`], for the flow to find out. So is a 401 of a call
//! that everyone and seats are read with: a key without the scope may get either. No text of a body
//! gets any further than the vendor's code.

use smp_connector_kit::call::{self, Call, Need, Route, Trouble};
use smp_connector_kit::cursor::Cursor;
use smp_connector_kit::json::Unreadable;
use smp_connector_kit::{Failure, FailureKind, Response};

use crate::config::{API_KEY, EVERYONE, ORGANIZATION_ID, PEOPLE, People};
use crate::error_body::ErrorBody;

/// The vendor's code for a cursor that it does not know.
const INVALID_CURSOR: &str = "ADMIN-400-1";

/// The vendor's code for an organization that does not exist.
const NO_ORGANIZATION: &str = "ADMIN-404-2";

const NEW_KEY: &str = "At admin.atlassian.com, open the organization, then Organization settings, \
                       then API keys (older pages: Settings, then API keys), and create a new API \
                       key; choose the longest expiry, which is a year. Choose no scopes, or ";

const ENTER_IT: &str = ". Enter the new key in the Api Key field. If you cannot see API keys \
                        there, ask an organization admin to do it.";

const NO_MORE_SCOPES: &str = "Scopes cannot be added to a key that exists. At admin.atlassian.com, \
                              under Organization settings, then API keys (older pages: Settings, \
                              then API keys), create a new key without scopes, which may read all \
                              of it, or one with the scopes ";

const IN_THE_FIELD: &str = ", and enter it in the Api Key field.";

const ORGANIZATION_ADMIN: &str = "The person who creates the API key must be an organization \
                                  admin; being only a site admin is not enough. Ask an \
                                  organization admin to create a new key at admin.atlassian.com, \
                                  under Organization settings, then API keys (older pages: \
                                  Settings, then API keys), and enter it in the Api Key field. A \
                                  key without scopes may read all of it; a key with scopes needs ";

const OTHER_ORGANIZATION: &str = "Compare the Organization ID with the one in the address of your organization's pages at \
     admin.atlassian.com, between /o/ and the next slash: capital and small letters count. It may \
     be the id of a site, which Atlassian calls the cloud ID, and which looks the same. The API \
     key must have been created in that same organization, by an organization admin.";

const LATER: &str = "Try again later. If it stays like this for hours, look at \
                     status.atlassian.com, and ask the person who runs your network whether \
                     api.atlassian.com can be reached.";

const FEWER_REQUESTS: &str = "Try again later. If it happens often, ask the people who run other \
                              tools on the same Atlassian organization to spread their requests.";

const IN_BETWEEN: &str = "A proxy, a sign-in page or a maintenance page may stand between here \
                          and Atlassian. Try again later; if it stays, ask the person who runs \
                          your network whether api.atlassian.com is let through unchanged.";

const START_OVER: &str = "Start the collection again from the beginning. If it ends here once \
                          more, try again at a quieter time: the list may be changing while it is \
                          read.";

/// A call of Atlassian's API.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    route: &'static Route,
    people: People,
    has_cursor: bool,
}

/// Why a call has no result.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// This is why.
    Final(Failure),
    /// This is why: there is nothing where it was looked for, and not for want of an organization.
    NothingThere(Failure),
    /// The key may not read the organization, or there is no such organization.
    Forbidden(Forbidden),
}

/// A 403, or a 401 that may be one, whose meaning is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forbidden {
    route: &'static Route,
    people: People,
    status: u16,
    code: Option<String>,
}

impl Asked {
    /// The call of a route, of a list that goes on at the cursor, where these people are listed.
    pub fn for_page(route: &'static Route, people: People, cursor: Option<&Cursor>) -> Self {
        Self { route, people, has_cursor: cursor.is_some() }
    }
}

impl Call for Asked {
    type Refusal = Refusal;
    const SERVICE: &'static str = "Atlassian";

    fn route(&self) -> &'static Route {
        self.route
    }

    fn refused(&self, response: &Response) -> Refusal {
        let (status, route, people) = (response.status, self.route, self.people);
        let ErrorBody { code, speaks_of_scope } = ErrorBody::read(&response.body);
        let known = code.as_deref();
        let failure = match status {
            401 | 403 if speaks_of_scope => {
                let scope = route.scope.unwrap_or_default();
                let message =
                    format!("The API key lacks a scope, {scope} ({status} from {route}).");
                let hint = format!("{NO_MORE_SCOPES}{}{IN_THE_FIELD}", scopes(route, people));
                Failure::new(FailureKind::Permission, message, hint).at(API_KEY)
            }
            401 if !is_needed(route, EVERYONES) => not_accepted(route, people),
            401 | 403 => {
                return Refusal::Forbidden(Forbidden { route, people, status, code });
            }
            404 if known == Some(NO_ORGANIZATION) => no_organization(route, status),
            400 if self.has_cursor && known == Some(INVALID_CURSOR) => {
                let message = format!(
                    "Atlassian no longer knows how far the list was read (400 from {route})."
                );
                Failure::new(FailureKind::CursorExpired, message, START_OVER)
            }
            404 => {
                return Refusal::NothingThere(call::usual(self, response).with_code(code));
            }
            _ => call::usual(self, response),
        };
        Refusal::Final(failure.with_code(code))
    }

    fn hint(trouble: Trouble) -> &'static str {
        match trouble {
            Trouble::Later => LATER,
            Trouble::Busy => FEWER_REQUESTS,
            Trouble::InBetween => IN_BETWEEN,
            other => other.hint(),
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Final(failure)
    }
}

impl Refusal {
    /// Whether the key may not, or there is no such thing.
    pub fn is_denial(&self) -> bool {
        use FailureKind::{Credentials, NotFound, Permission};
        match self {
            Self::Final(failure) => matches!(failure.kind, Credentials | NotFound | Permission),
            Self::NothingThere(_) | Self::Forbidden(_) => true,
        }
    }

    /// The failure, if nothing more is to be found out.
    pub fn into_failure(self) -> Failure {
        match self {
            Self::Final(failure) | Self::NothingThere(failure) => failure,
            Self::Forbidden(forbidden) => forbidden.permission(),
        }
    }
}

impl Forbidden {
    /// The failure if the organization is one of the key's, or that cannot be told.
    pub fn permission(self) -> Failure {
        let Self { route, people, status, code } = self;
        let message =
            format!("The API key may not read {} ({status} from {route}).", matter(route));
        let may_lack_scope = people == People::Everyone || is_needed(route, Need::Usage);
        let missing = match route.scope {
            Some(scope) if may_lack_scope => {
                format!("If it is a key with scopes, it lacks {scope}, which cannot be added. ")
            }
            _ => String::new(),
        };
        let hint = format!("{missing}{ORGANIZATION_ADMIN}{}.", scopes(route, people));
        Failure::new(FailureKind::Permission, message, hint).at(API_KEY).with_code(code)
    }

    /// The failure if the organization is none of the key's.
    pub fn not_found(self) -> Failure {
        no_organization(self.route, self.status).with_code(self.code)
    }

    /// The failure if the organizations of the key cannot be read either: a key that was not
    /// accepted for one call nor the other is no longer one.
    pub fn unclear(self, refusal: Refusal) -> Failure {
        let failure = refusal.into_failure();
        if self.status == 401 && failure.kind == FailureKind::Credentials {
            return not_accepted(self.route, self.people).with_code(self.code);
        }
        self.permission()
    }
}

/// A call of these alone is made where everyone is listed.
const EVERYONES: Need = Need::Setting(PEOPLE, EVERYONE);

/// Whether a call is needed for that.
fn is_needed(route: &Route, what: Need) -> bool {
    route.when.contains(&what)
}

/// The scopes that a key with scopes needs, for those who are listed, and for seats where a call
/// that tells them was refused.
fn scopes(route: &Route, people: People) -> &'static str {
    match people {
        People::Managed if is_needed(route, Need::Usage) => {
            "read:orgs:admin, read:accounts:admin, read:domains:admin and read:workspaces:admin"
        }
        People::Managed => "read:orgs:admin, read:accounts:admin and read:domains:admin",
        People::Everyone => "read:orgs:admin, read:directories:admin and read:workspaces:admin",
    }
}

fn not_accepted(route: &Route, people: People) -> Failure {
    let message = format!(
        "Atlassian does not accept the API key: it is wrong, has expired or was revoked (401 from \
         {route})."
    );
    let hint = format!("{NEW_KEY}{}{ENTER_IT}", scopes(route, people));
    Failure::new(FailureKind::Credentials, message, hint).at(API_KEY)
}

/// Why an answer about another organization than the one that was asked for is of no use.
pub fn other_organization() -> Unreadable {
    Unreadable::Unusable {
        what: "is about another organization than the one asked for",
        hint: OTHER_ORGANIZATION,
        setting: Some(ORGANIZATION_ID),
    }
}

/// The failure for a cursor that the connector cannot have given out.
pub fn foreign_cursor() -> Failure {
    call::foreign_cursor(START_OVER)
}

/// What a call reads, for a message: a key may read one thing and not another.
fn matter(route: &Route) -> &'static str {
    match route.path.rsplit('/').next() {
        Some("users") => "the members of this organization",
        Some("domains") => "the domains of this organization",
        Some("search") => "everyone in this organization",
        Some("count") => "the number of people in this organization",
        Some("workspaces") => "the product sites of this organization",
        _ => "this organization",
    }
}

fn no_organization(route: &Route, status: u16) -> Failure {
    let message = format!(
        "The API key knows no organization with this Organization ID ({status} from {route})."
    );
    Failure::new(FailureKind::NotFound, message, OTHER_ORGANIZATION).at(ORGANIZATION_ID)
}

#[cfg(test)]
mod tests {
    use super::*;
    use smp_connector_kit::HttpError;
    use smp_connector_kit::testing::{Script, answer};

    use crate::endpoint::users::ROUTE;

    const CALL: &str = "GET /admin/v1/orgs/{organization-id}/users";
    const SCOPE: &str = r#"{"code":401,"message":"Unauthorized; scope does not match"}"#;

    #[test]
    fn every_status_has_its_kind() {
        use FailureKind::{
            Credentials, CursorExpired, NotFound, Permission, RateLimited, UnexpectedResponse,
            Upstream,
        };
        let rows = [
            (401, "", Credentials),
            (401, r#"{"code":401,"message":"Unauthorized"}"#, Credentials),
            (401, SCOPE, Permission),
            (403, SCOPE, Permission),
            (403, "", Permission),
            (401, "<html>", UnexpectedResponse),
            (403, "<html>", UnexpectedResponse),
            (404, "<html>", UnexpectedResponse),
            (408, "", Upstream),
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
    fn a_refused_key_may_be_wrong_expired_or_revoked() {
        let failure = failure(answer(401, ""));
        for word in ["wrong", "expired", "revoked"] {
            assert!(failure.message.contains(word));
        }
        assert_eq!(failure.setting.as_deref(), Some("api-key"));
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
        let Refusal::Forbidden(forbidden) = refusal(answer(403, body), None) else {
            panic!("not open");
        };
        let permission = forbidden.clone().permission();
        assert!(
            permission.message.contains("may not read the members of this organization"),
            "{}",
            permission.message
        );
        assert_eq!(
            (permission.kind, permission.setting.as_deref()),
            (FailureKind::Permission, Some("api-key"))
        );
        assert!(
            permission.hint.contains("organization admin")
                && permission.hint.contains("site admin")
        );
        let not_found = forbidden.not_found();
        assert_eq!(
            (not_found.kind, not_found.setting.as_deref()),
            (FailureKind::NotFound, Some("organization-id"))
        );
        assert!(not_found.hint.contains("the id of a site"), "{}", not_found.hint);
        assert_eq!(not_found.vendor_code.as_deref(), Some("ADMIN-403-3"));
    }

    #[test]
    fn a_cursor_is_refused_only_where_there_was_one() {
        let body = r#"{"errors":[{"code":"ADMIN-400-1"}]}"#;
        let refusal = refusal(answer(400, body), None);
        assert_eq!(refusal.into_failure().kind, FailureKind::UnexpectedResponse);
    }

    #[test]
    fn no_text_of_a_body_gets_into_a_failure() {
        for status in [302, 400, 401, 403, 404, 418, 429, 500] {
            let body = r#"{"code":"x y jane@acme.test","message":"jane@acme.test","errors":[{"detail":"jane@acme.test"}]}"#;
            let shown = format!("{:?}", failure(answer(status, body)));
            assert!(!shown.contains("jane"), "{shown}");
        }
    }

    #[test]
    fn hints_name_atlassians_own_pages() {
        for (trouble, word) in [
            (Trouble::Later, "status.atlassian.com"),
            (Trouble::Busy, "Atlassian organization"),
            (Trouble::InBetween, "api.atlassian.com"),
            (Trouble::Unknown, "SaaS management platform"),
        ] {
            assert!(Asked::hint(trouble).contains(word), "{trouble:?}");
        }
    }

    fn failure(answer: Result<Response, HttpError>) -> Failure {
        let cursor = Cursor::new("c".to_owned());
        refusal(answer, cursor.as_ref()).into_failure()
    }

    fn refusal(answer: Result<Response, HttpError>, cursor: Option<&Cursor>) -> Refusal {
        let mut host = Script::new().expect_get("/", answer);
        let call = Asked::for_page(&ROUTE, People::Managed, cursor);
        call::get(&mut host, "/".to_owned(), &call, |_| Ok(())).unwrap_err()
    }
}
