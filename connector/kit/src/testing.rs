//! A scripted host, for tests of a connector.
//!
//! The script is strict. A test fails if a request differs from the next one in any part, if it
//! comes after the end, or if one is left over when the host is dropped.

#![expect(clippy::panic, reason = "a test fails by panicking; nothing of this is in a component")]

use std::collections::VecDeque;

use crate::contract::{HttpError, Level, Request, Response};
use crate::host::Host;

/// A host that plays a script.
#[derive(Debug, Default)]
pub struct Script {
    exchanges: VecDeque<(Request, Result<Response, HttpError>)>,
    /// The lines that were logged.
    pub lines: Vec<(Level, String)>,
}

impl Script {
    /// A host that expects no request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Expects this request next, with this answer.
    #[must_use]
    pub fn expect(mut self, request: Request, answer: Result<Response, HttpError>) -> Self {
        self.exchanges.push_back((request, answer));
        self
    }

    /// Expects a GET of this path with its query next.
    #[must_use]
    pub fn expect_get(self, path_with_query: &str, answer: Result<Response, HttpError>) -> Self {
        self.expect(Request::get(path_with_query), answer)
    }
}

impl Host for Script {
    fn send(&mut self, request: &Request) -> Result<Response, HttpError> {
        let Some((expected, answer)) = self.exchanges.pop_front() else {
            panic!("an extra request: {request:?}");
        };
        assert_eq!(*request, expected);
        answer
    }

    fn log(&mut self, level: Level, message: &str) {
        self.lines.push((level, message.to_owned()));
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.exchanges.is_empty(), "left over: {:?}", self.exchanges);
        }
    }
}

/// An answer with a JSON body.
///
/// # Errors
///
/// Never: it is what a host gives.
pub fn answer(status: u16, body: &str) -> Result<Response, HttpError> {
    answer_with(status, &[], body)
}

/// An answer with a JSON body and further headers, with names in lower case.
///
/// # Errors
///
/// Never: it is what a host gives.
pub fn answer_with(
    status: u16,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Response, HttpError> {
    let headers = [("content-type", "application/json")].iter().chain(headers);
    let headers = headers.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ok(Response { status, headers, body: body.as_bytes().to_vec() })
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn a_script_is_played_in_its_order() {
        let mut host = Script::new()
            .expect_get("/a", answer(200, "1"))
            .expect_get("/b", Err(HttpError::TimedOut));
        assert_eq!(host.send(&Request::get("/a")), answer(200, "1"));
        assert_eq!(host.send(&Request::get("/b")), Err(HttpError::TimedOut));
        host.log(Level::Warn, "odd");
        assert_eq!(host.lines, [(Level::Warn, "odd".to_owned())]);
    }

    #[test]
    fn whatever_is_not_in_the_script_fails_the_test() {
        let body = Some(b"{}".to_vec());
        let other = Request { body, ..Request::get("/a") };
        for (script, request) in [
            (Script::new(), Request::get("/a")),
            (Script::new().expect_get("/a", answer(200, "")), Request::get("/b")),
            (Script::new().expect_get("/a", answer(200, "")), other),
        ] {
            let played = catch_unwind(AssertUnwindSafe(|| {
                let mut script = script;
                drop(script.send(&request));
            }));
            assert!(played.is_err(), "{request:?}");
        }
    }

    #[test]
    fn what_is_left_of_a_script_fails_the_test() {
        let script = Script::new().expect_get("/a", answer(200, ""));
        assert!(catch_unwind(AssertUnwindSafe(move || drop(script))).is_err());
    }
}
