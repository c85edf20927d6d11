//! The host as a connector sees it: one request at a time, and log lines.
//!
//! The trait is the only way out of a connector. In a component it is the imported interfaces, in
//! tests [`crate::testing::Script`]. It has no host name, scheme or credential.

use crate::bindings::smp::connector::{http, log};
use crate::contract::{HttpError, Level, Request, Response};

/// The host, as a connector sees it.
pub trait Host {
    /// Sends the request and waits for the answer.
    ///
    /// # Errors
    ///
    /// When there is no answer; any status is one.
    fn send(&mut self, request: &Request) -> Result<Response, HttpError>;

    /// Writes a line for the operator. It must not hold personal data or any text of an answer.
    fn log(&mut self, level: Level, message: &str);
}

/// The host behind the imported interfaces.
#[derive(Debug)]
pub(crate) struct Imports;

impl Host for Imports {
    fn send(&mut self, request: &Request) -> Result<Response, HttpError> {
        http::send(request)
    }

    fn log(&mut self, level: Level, message: &str) {
        log::write(level, message);
    }
}
