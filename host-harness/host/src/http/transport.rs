//! The lowest layer of HTTP: gets an answer for one request, and attaches the credential, if there
//! is one, last.
//!
//! A transport tries once: it does not wait, retry, pace or follow redirects. The policy has
//! permitted its requests.

use std::fmt;
use std::sync::Arc;

use super::clock::BoxFuture;
use crate::failure::Failure;
use crate::observer::Fault;

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// Reads.
    Get,
    /// Reads with a body.
    Post,
}

impl Method {
    /// The method's name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One request, relative to the API base. It has no host or credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path and query, beginning with `/`.
    pub path_and_query: String,
    /// The body, JSON.
    pub body: Option<Vec<u8>>,
    /// The headers that the descriptor declares for the endpoint.
    pub headers: Headers,
}

/// Fixed headers of an endpoint, as pairs of a name in lower case and a value.
pub type Headers = Arc<[(String, String)]>;

impl Request {
    /// The path without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path_and_query.split_once('?').map_or(&self.path_and_query, |(path, _)| path)
    }
}

/// One answer, with any status.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// All headers that are text, with names in lower case. The capability passes on only some of
    /// them.
    pub headers: Vec<(String, String)>,
    /// The whole body, decompressed.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of this name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Why one try gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportError {
    /// No answer within the time of one request.
    TimedOut,
    /// The connection failed or broke. The text names no address.
    Connection(String),
    /// The server's certificate is not trusted: a retry changes nothing.
    Untrusted(String),
    /// The body is larger than this many bytes.
    TooLarge(u64),
    /// This transport does not send this request, or any.
    Denied(String),
    /// The traffic differs from the recorded one: the run ends as `fixture`, whatever the component
    /// makes of it.
    Fixture(String),
    /// Anything else.
    Other(String),
}

impl TransportError {
    /// The kind of error, for a metric or a log.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::TimedOut => Fault::TimedOut,
            Self::Connection(_) => Fault::Connection,
            Self::Untrusted(_) => Fault::Untrusted,
            Self::TooLarge(_) => Fault::TooLarge,
            Self::Denied(_) => Fault::Denied,
            Self::Fixture(_) => Fault::Fixture,
            Self::Other(_) => Fault::Other,
        }
    }
}

/// The call of the connector that a request belongs to. A recording tags its exchanges with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// `validate` was called.
    Validate,
    /// `connect` was called.
    Connect,
    /// `collect-members` is called, page by page.
    Collect,
    /// `collect-usage` is called, page by page.
    Usage,
    /// `validate` was called because a collection found nothing.
    Diagnose,
}

impl Phase {
    /// All phases.
    pub const ALL: [Self; 5] =
        [Self::Validate, Self::Connect, Self::Collect, Self::Usage, Self::Diagnose];

    /// The phase's name, which is the id of its page in a HAR.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Connect => "connect",
            Self::Collect => "collect",
            Self::Usage => "usage",
            Self::Diagnose => "diagnose",
        }
    }

    /// The phase with this name. `None` for any other page, such as a browser's.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == name)
    }
}

/// Gets answers for requests. One transport serves one run.
pub trait Transport: Send + Sync {
    /// Notes that later requests belong to this call. Most transports ignore it.
    fn enter(&self, phase: Phase) {
        let _ = phase;
    }

    /// Notes, before the first request, that the run resumes an earlier one, which sent the
    /// requests before it. Most transports ignore it.
    fn resume(&self) {}

    /// Notes that a call has succeeded and sends no more requests: a validation, a connection, or a
    /// whole collection, of which earlier runs may have sent a part ([`resume`](Self::resume)). The
    /// session calls it before it returns the result. Most transports ignore it; recorded traffic
    /// may have an answer that was never requested.
    ///
    /// # Errors
    /// Why the result does not count, although the call succeeded.
    fn finish(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// Sends once.
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, TransportError>>;
}

/// The default: it sends nothing.
#[derive(Debug, Default)]
pub struct Deny;

impl Transport for Deny {
    fn send<'a>(&'a self, _: &'a Request) -> BoxFuture<'a, Result<Response, TransportError>> {
        Box::pin(std::future::ready(Err(TransportError::Denied(
            "no transport was granted to this run".into(),
        ))))
    }
}
