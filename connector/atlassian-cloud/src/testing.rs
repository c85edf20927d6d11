//! Helpers that the tests of several files share: the settings of an organization, and its paths in
//! a script.

use smp_connector_kit::testing::Script;
use smp_connector_kit::{HttpError, Request, Response, Setting};

use crate::config::{Config, EVERYONE, ORGANIZATION_ID, PEOPLE};

/// An organization id of the usual shape, with letters beyond `f`.
pub const ORGANIZATION: &str = "2b4c6d8e-1a2b-3c4d-5e6f-zk9m8n7p6q5r";

/// The settings that name [`ORGANIZATION`].
pub fn settings() -> Vec<Setting> {
    vec![Setting { key: ORGANIZATION_ID.to_owned(), value: ORGANIZATION.to_owned() }]
}

/// The same settings, checked.
pub fn config() -> Config {
    Config::read(&settings()).unwrap()
}

/// The settings that name it, for everyone in it.
pub fn settings_for_everyone() -> Vec<Setting> {
    let people = Setting { key: PEOPLE.to_owned(), value: EVERYONE.to_owned() };
    settings().into_iter().chain([people]).collect()
}

/// The same, checked.
pub fn everyone() -> Config {
    Config::read(&settings_for_everyone()).unwrap()
}

/// An answer with a date in its header.
pub fn dated(date: &str, body: &str) -> Result<Response, HttpError> {
    let headers = vec![("date".to_owned(), date.to_owned())];
    Ok(Response { status: 200, headers, body: body.as_bytes().to_vec() })
}

/// A script of Atlassian's API.
pub trait Below {
    /// Expects this request next. Its path follows `/admin/v1/orgs`, with `{org}` for the
    /// organization.
    fn at(self, path: &str, answer: Result<Response, HttpError>) -> Self;

    /// Expects a request next, whose path follows `/admin/v2/orgs`.
    fn at_v2(self, path: &str, answer: Result<Response, HttpError>) -> Self;

    /// Expects a search for everyone next, with this body.
    fn searched(self, body: &str, answer: Result<Response, HttpError>) -> Self;

    /// Expects a look at the product sites next, with this body.
    fn listed(self, body: &str, answer: Result<Response, HttpError>) -> Self;

    /// Expects a look at the API keys next, the rest of whose path is this.
    fn keys(self, rest: &str, answer: Result<Response, HttpError>) -> Self;
}

impl Below for Script {
    fn at(self, path: &str, answer: Result<Response, HttpError>) -> Self {
        self.expect_get(&below("/admin/v1/orgs", path), answer)
    }

    fn at_v2(self, path: &str, answer: Result<Response, HttpError>) -> Self {
        self.expect_get(&below("/admin/v2/orgs", path), answer)
    }

    fn searched(self, body: &str, answer: Result<Response, HttpError>) -> Self {
        let path = below("/admin/v2/orgs", "/{org}/directories/-/users/search");
        self.expect(Request::post(path, body), answer)
    }

    fn listed(self, body: &str, answer: Result<Response, HttpError>) -> Self {
        let path = below("/admin/v2/orgs", "/{org}/workspaces");
        self.expect(Request::post(path, body), answer)
    }

    fn keys(self, rest: &str, answer: Result<Response, HttpError>) -> Self {
        let path = below("/admin/api-access/v1/orgs", "/{org}/api-keys");
        self.expect_get(&(path + rest), answer)
    }
}

fn below(base: &str, path: &str) -> String {
    format!("{base}{}", path.replace("{org}", ORGANIZATION))
}
