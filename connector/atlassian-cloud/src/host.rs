//! What the connector asks of its host: one request at a time, and a log line now and then.
//!
//! The trait is the only way out of the core. In the component it is the imported interfaces; in tests it is a
//! script. There is no host name, no scheme and no credential here.

/// The host, as the connector sees it.
pub trait Host {
    /// Sends the request and waits for the answer.
    ///
    /// # Errors
    ///
    /// When there is no answer; any status is one.
    fn send(&mut self, request: Request) -> Result<Response, HttpError>;

    /// Writes a line for the operator: something is off and was dealt with.
    fn warn(&mut self, message: &str);
}

/// A request that reads. Every call of this connector is a `GET` without a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Path and query, percent-encoded, beginning with `/`.
    pub path_with_query: String,
}

/// The server's answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// The headers that the host lets through, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of the first header of that name, which is written in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpError {
    /// The host does not let this request out; the text says which rule.
    Denied(String),
    /// No answer in time.
    TimedOut,
    /// The body is larger than the host takes, in bytes.
    TooLarge(u64),
    /// The server kept answering 429.
    RateLimited(Exhausted),
    /// The server kept answering with a 5xx status.
    Unavailable(Exhausted),
    /// The connection could not be made or broke.
    ConnectionFailed(String),
    /// Anything else; the text says what.
    Other(String),
}

/// A 429 or 5xx answer that outlasted the host's retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// The status of the last answer.
    pub status: u16,
    /// The wait that the server asked for, in seconds from now.
    pub retry_after_seconds: Option<u64>,
}
