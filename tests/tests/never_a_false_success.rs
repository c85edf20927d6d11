//! Tests that no fault is ever reported as a success: a table of faults, each through the real
//! binary and real HTTP.
//!
//! A row ends with its own code and helpful words, from `collect` always and from `validate` if its
//! checks notice it. The form of every failure is checked in `fails`, once for all rows: a row has
//! only what is specific to it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "never_a_false_success/row.rs"]
mod row;
#[path = "never_a_false_success/special.rs"]
mod special;

use smp_tests::mock::{DEFAULT_KEY, DEFAULT_ORGANIZATION_ID, Situation};

use row::Validation::{Ready, Same};
use row::Wrong::{Key, Organization, Service, Silence, State};
use row::{Row, all_hold, hold, name};

const ID: Option<&str> = Some("organization-id");
const API_KEY: Option<&str> = Some("api-key");
const PASTED: &str = "https://admin.atlassian.com/o/7c2k9a41-5d0e-4h7b-9m36-e81f4j20b5ca/overview";
const USERS: &str = "GET /admin/v1/orgs/{organization-id}/users";
const SCOPES: &[&str] = &["scope", "read:orgs:admin", "read:accounts:admin", "read:domains:admin"];
const REFUSED: &[&str] = &["wrong", "expired", "revoked", "new"];
const FILTER: &[&str] = &["A web page answered", "not Atlassian", "proxy", "sign-in"];
const ADMIN: &[&str] = &["403", "organization admin", "site admin"];

#[test]
fn malformed_settings_are_refused_before_any_request() {
    let rows: &[Row] = &[
        (Organization(""), "invalid-settings", &["missing", "/o/"], ID, Same),
        (Organization("   "), "invalid-settings", &["missing", "/o/"], ID, Same),
        (Organization(PASTED), "invalid-settings", &["address", DEFAULT_ORGANIZATION_ID], ID, Same),
        (Organization("7c2k9a41/users"), "invalid-settings", &["path"], ID, Same),
        (Organization("../orgs"), "invalid-settings", &["path"], ID, Same),
        (Organization("my company"), "invalid-settings", &["characters"], ID, Same),
        (Organization("7c2k9a41?x=1"), "invalid-settings", &["characters"], ID, Same),
        (Organization(DEFAULT_KEY), "invalid-settings", &["key", "Api Key"], ID, Same),
        (Organization("ATATTsomebody"), "invalid-settings", &["key", "Api Key"], ID, Same),
        (Key(""), "invalid-settings", &["Api Key", "empty"], API_KEY, Same),
        (Key("two words"), "invalid-settings", &["Api Key"], API_KEY, Same),
    ];
    for row in rows {
        assert_eq!(hold(row), 0, "{}: a request was made", name(row));
    }
}

#[test]
fn a_key_that_is_not_accepted_or_may_too_little_is_told_apart() {
    let rows: &[Row] = &[
        (Key("ATCTTanother-key"), "credentials", REFUSED, API_KEY, Same),
        (
            Key("ATATTtoken-of-a-user"),
            "credentials",
            &["API token of a user", "wrong", "ATCTT"],
            API_KEY,
            Same,
        ),
        (Service("any:unauthorized"), "credentials", REFUSED, API_KEY, Same),
        (Service("any:status-401;body=wrapped"), "credentials", REFUSED, API_KEY, Same),
        (Service("any:status-401;body=bare"), "credentials", REFUSED, API_KEY, Same),
        (Service("any:status-401;body=access"), "credentials", REFUSED, API_KEY, Same),
        (Service("any:status-401;body=none"), "credentials", REFUSED, API_KEY, Same),
        (Service("users:unauthorized"), "credentials", REFUSED, API_KEY, Same),
        (Service("users:2:unauthorized"), "credentials", REFUSED, API_KEY, Ready),
        (Service("any:missing-scope"), "permission", SCOPES, API_KEY, Same),
        (Service("users:missing-scope"), "permission", SCOPES, API_KEY, Same),
        (
            Service("users:status-403;body=gateway;message=Forbidden; scope does not match"),
            "permission",
            SCOPES,
            API_KEY,
            Same,
        ),
        (
            Service("users:status-403;body=wrapped;message=the scope is missing"),
            "permission",
            SCOPES,
            API_KEY,
            Same,
        ),
        (
            Service("users:status-401;body=bare;message=the scope is missing"),
            "permission",
            SCOPES,
            API_KEY,
            Same,
        ),
        (
            Service("users:status-403;body=access;message=the scope is missing"),
            "permission",
            SCOPES,
            API_KEY,
            Same,
        ),
        (State(Situation::SiteAdmin), "permission", ADMIN, API_KEY, Same),
        (Service("users:access-denied"), "permission", ADMIN, API_KEY, Same),
        (Service("users:status-403;body=none"), "permission", ADMIN, API_KEY, Same),
        // The list of organizations is refused too: whether the organization is among them is
        // unknown.
        (Service("any:access-denied"), "permission", ADMIN, API_KEY, Same),
        (
            State(Situation::ForbiddenOrganization),
            "not-found",
            &["Organization ID", "403", "/o/"],
            ID,
            Same,
        ),
        (
            State(Situation::UnknownOrganization),
            "not-found",
            &["Organization ID", "404", "/o/"],
            ID,
            Same,
        ),
        (Organization("somebody-elses"), "not-found", &["Organization ID", "404", "/o/"], ID, Same),
        (
            Service("users:organization-not-found"),
            "not-found",
            &["Organization ID", "/o/"],
            ID,
            Same,
        ),
        (
            Service("any:no-route"),
            "unexpected-response",
            &["404", "GET /admin/v1/orgs/"],
            None,
            Same,
        ),
        (
            Service("users:status-404;body=wrapped;code=ADMIN-404-1"),
            "unexpected-response",
            &["404", USERS],
            None,
            Same,
        ),
    ];
    all_hold(rows);
}

#[test]
fn an_organization_without_members_is_told_what_is_missing() {
    let rows: &[Row] = &[
        (
            State(Situation::NoDomain),
            "no-members",
            &["no domain is verified", "days", "Domains"],
            None,
            Same,
        ),
        (
            State(Situation::Unverified),
            "no-members",
            &["example.com", "Waiting for verification"],
            None,
            Same,
        ),
        (State(Situation::MissingToken), "no-members", &["example.com", "token"], None, Same),
        (
            State(Situation::Unclaimed),
            "no-members",
            &["example.com", "claim", "at least one"],
            None,
            Same,
        ),
        (
            State(Situation::DomainsRefused),
            "no-members",
            &["could not be looked up", "VERIFIED", "claim"],
            API_KEY,
            Same,
        ),
    ];
    all_hold(rows);
}

#[test]
fn an_answer_that_is_none_is_no_empty_list() {
    let rows: &[Row] = &[
        (Service("users:html"), "unexpected-response", &[USERS, "web page", "proxy"], None, Same),
        (
            Service("any:html"),
            "unexpected-response",
            &["GET /admin/v1/orgs/", "web page", "proxy"],
            None,
            Same,
        ),
        (Service("users:2:html"), "unexpected-response", &[USERS, "web page"], None, Ready),
        (Service("users:truncated"), "unexpected-response", &[USERS, "cut short"], None, Same),
        (Service("users:3:truncated"), "unexpected-response", &[USERS, "cut short"], None, Ready),
        (Service("users:wrong-types"), "unexpected-response", &[USERS, "shape"], None, Same),
        (
            Service("any:wrong-types"),
            "unexpected-response",
            &["GET /admin/v1/orgs/", "shape"],
            None,
            Same,
        ),
        (Service("users:invalid-utf8"), "unexpected-response", &[USERS, "UTF-8"], None, Same),
        (Service("users:nested"), "unexpected-response", &[USERS], None, Same),
        (Service("users:empty-body"), "unexpected-response", &[USERS], None, Same),
        (
            Service("users:oversized;length=told"),
            "unexpected-response",
            &[USERS, "larger", "8,388,608"],
            None,
            Same,
        ),
        (
            Service("users:oversized;length=untold"),
            "unexpected-response",
            &[USERS, "larger", "8,388,608"],
            None,
            Same,
        ),
        (
            Service("users:gzip-bomb"),
            "unexpected-response",
            &[USERS, "larger", "8,388,608"],
            None,
            Same,
        ),
        (
            Service("users:redirect"),
            "unexpected-response",
            &[USERS, "redirect", "not followed"],
            None,
            Same,
        ),
        (Service("users:status-204;body=none"), "unexpected-response", &[USERS, "204"], None, Same),
        (
            Service("users:status-400;body=wrapped;code=ADMIN-400-4"),
            "unexpected-response",
            &[USERS, "400"],
            None,
            Same,
        ),
        (Service("users:status-407;body=html"), "unexpected-response", &[USERS, "407"], None, Same),
        (Service("users:status-401;body=html"), "unexpected-response", FILTER, None, Same),
        (Service("users:status-403;body=html"), "unexpected-response", FILTER, None, Same),
        (Service("any:status-403;body=html"), "unexpected-response", FILTER, None, Same),
        (Service("any:status-404;body=html"), "unexpected-response", FILTER, None, Same),
    ];
    all_hold(rows);
}

#[test]
fn a_service_that_does_not_answer_now_is_come_back_to() {
    let rows: &[Row] = &[
        (Service("users:status-429"), "rate-limited", &[USERS, "429", "later"], None, Same),
        (Service("any:status-429;retry-after=30"), "rate-limited", &["429", "later"], None, Same),
        (
            Service("users:2:status-429;retry-after=30"),
            "rate-limited",
            &[USERS, "429"],
            None,
            Ready,
        ),
        (Service("users:status-500"), "upstream", &[USERS, "500", "later"], None, Same),
        (Service("users:status-500;body=bare"), "upstream", &[USERS, "500"], None, Same),
        (Service("any:status-502"), "upstream", &["502", "status.atlassian.com"], None, Same),
        (
            Service("users:status-503;body=gateway;retry-after=120"),
            "upstream",
            &[USERS, "503"],
            None,
            Same,
        ),
        (Service("users:status-504;body=none"), "upstream", &[USERS, "504"], None, Same),
        (Service("users:2:status-503"), "upstream", &[USERS, "503"], None, Ready),
        (Service("any:drop"), "upstream", &["connection", "later"], None, Same),
        (Service("users:drop"), "upstream", &[USERS, "connection"], None, Same),
        (Service("users:drop-body"), "upstream", &[USERS, "connection"], None, Same),
        (Service("users:status-408"), "upstream", &[USERS, "408", "later"], None, Same),
        (Silence("any:stall"), "upstream", &["in time", "later"], None, Same),
        (Silence("users:stall-body"), "upstream", &["in time", "later"], None, Same),
    ];
    all_hold(rows);
}

#[test]
fn a_list_that_ends_wrongly_or_not_at_all_is_no_list() {
    let rows: &[Row] = &[
        (Service("users:same-cursor"), "unexpected-response", &[USERS, "never end"], None, Ready),
        (Service("users:2:same-cursor"), "unexpected-response", &[USERS, "never end"], None, Ready),
        (
            Service("users:endless"),
            "unexpected-response",
            &["nothing new", "does not end"],
            None,
            Ready,
        ),
        (
            Service("users:endless-empty"),
            "unexpected-response",
            &["nothing new", "does not end"],
            None,
            Ready,
        ),
        (
            Service("users:cursor-expired"),
            "cursor-expired",
            &["400", "from the beginning"],
            None,
            Ready,
        ),
        (Service("users:total;value=+3"), "incomplete", &["25 of 28", ".incomplete"], None, Ready),
        (Service("users:2:shifted;by=2"), "incomplete", &["23 of 25", ".incomplete"], None, Ready),
        (Service("users:3:empty-body"), "unexpected-response", &[USERS], None, Ready),
    ];
    all_hold(rows);
}
