//! What the tests of several files share: settings, answers, and a host that plays a script.
//!
//! The script is strict: a request that differs from the next one of it, or comes after its end, fails the test,
//! and so does one that is left over.

use std::collections::VecDeque;

use crate::config::{Config, ORGANIZATION_ID, Setting};
use crate::host::{Host, HttpError, Request, Response};

/// An organization id of the usual shape, with letters beyond `f`.
pub const ORGANIZATION: &str = "2b4c6d8e-1a2b-3c4d-5e6f-zk9m8n7p6q5r";

/// The settings that name [`ORGANIZATION`].
pub fn settings() -> Vec<Setting> {
    vec![Setting { key: ORGANIZATION_ID.to_owned(), value: ORGANIZATION.to_owned() }]
}

/// The same, checked.
pub fn config() -> Config {
    Config::read(&settings()).unwrap()
}

/// An answer with a JSON body.
pub fn answer(status: u16, body: &str) -> Result<Response, HttpError> {
    Ok(Response { status, headers: vec![("content-type".to_owned(), "application/json".to_owned())], body: body.as_bytes().to_vec() })
}

/// A host that plays a script.
#[derive(Debug, Default)]
pub struct Script {
    exchanges: VecDeque<(String, Result<Response, HttpError>)>,
    /// The lines that were logged.
    pub warnings: Vec<String>,
}

impl Script {
    /// A host that expects no request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Expects a request next, whose path follows `/admin/v1/orgs`, with `{org}` for the organization.
    pub fn expect(mut self, path: &str, answer: Result<Response, HttpError>) -> Self {
        let path = format!("/admin/v1/orgs{}", path.replace("{org}", ORGANIZATION));
        self.exchanges.push_back((path, answer));
        self
    }
}

impl Host for Script {
    fn send(&mut self, request: Request) -> Result<Response, HttpError> {
        let (path_with_query, answer) = self.exchanges.pop_front().unwrap_or_else(|| panic!("an extra request: {request:?}"));
        assert_eq!(request, Request { path_with_query });
        answer
    }

    fn warn(&mut self, message: &str) {
        self.warnings.push(message.to_owned());
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.exchanges.is_empty(), "left over: {:?}", self.exchanges);
        }
    }
}
