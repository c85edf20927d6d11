//! Helpers that the tests of several files share: the settings of an organization, and its paths in
//! a script.

use smp_connector_kit::testing::Script;
use smp_connector_kit::{HttpError, Response, Setting};

use crate::config::{Config, ORGANIZATION_ID};

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

/// A script of Atlassian's API.
pub trait Below {
    /// Expects this request next. Its path follows `/admin/v1/orgs`, with `{org}` for the
    /// organization.
    fn at(self, path: &str, answer: Result<Response, HttpError>) -> Self;
}

impl Below for Script {
    fn at(self, path: &str, answer: Result<Response, HttpError>) -> Self {
        self.expect_get(&format!("/admin/v1/orgs{}", path.replace("{org}", ORGANIZATION)), answer)
    }
}
