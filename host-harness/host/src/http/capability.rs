//! The `http` import of one run: it checks each request of the component before it is sent.
//!
//! It keeps its own note of each denial and each limit: whatever failure the component reports, the
//! run ends with the host's.

use std::time::Duration;

use super::policy::{Denial, Policy};
use super::retry::{GivenUp, Retrier, SharedFigures};
use super::transport::{Method, Phase, Request, TransportError};
use crate::contract::http as wit;
use crate::failure::{Code, Failure};
use crate::limits::{Bound, Limits};
use crate::observer::Call;
use crate::remedy::Remedy;

/// The headers that a component sees: the media type of a body, and when to come back. Others could
/// carry data that it must not see.
const PASSED_ON: [&str; 5] = [
    "content-type",
    "retry-after",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];

/// Longest header that is passed on, in bytes: each is a number, a date or a media type.
const LONGEST_HEADER: usize = 1024;

/// HTTP for one run.
pub struct Capability {
    policy: Policy,
    retrier: Retrier,
    limits: Limits,
    requests: u64,
    note: Note,
    /// Whether the last answer was larger than the limit.
    oversized: bool,
}

/// The host's note about requests that it did not send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Note {
    /// Nothing.
    #[default]
    None,
    /// It explains a failure, if there is one.
    Explains(Failure),
    /// It makes the run fail, whatever the component reports.
    Ends(Failure),
}

impl Capability {
    /// The capability of a run. Of the limits, those on requests and on an answer's size apply
    /// here.
    #[must_use]
    pub fn new(policy: Policy, retrier: Retrier, limits: Limits) -> Self {
        Self { policy, retrier, limits, requests: 0, note: Note::None, oversized: false }
    }

    /// The figures of the run so far.
    #[must_use]
    pub fn figures(&self) -> SharedFigures {
        self.retrier.figures()
    }

    /// Tells the transport which call of the connector later requests belong to.
    pub fn enter(&self, phase: Phase) {
        self.retrier.enter(phase);
    }

    /// Tells the transport that a call has succeeded and sends no more requests.
    ///
    /// # Errors
    /// The transport's objection.
    pub fn finish(&self) -> Result<(), Failure> {
        self.retrier.finish()
    }

    /// Notes which call later requests belong to, for the observer.
    pub fn serve(&mut self, call: Call) {
        self.retrier.serve(call);
    }

    /// The host's note.
    #[must_use]
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Whether the answer to the last request was larger than the limit `response`. A component is
    /// told so, but its failure does not know the limit's name.
    #[must_use]
    pub fn oversized(&self) -> bool {
        self.oversized
    }

    /// The budget of waits that would have been enough for the last request, if the service asked
    /// for a longer wait.
    #[must_use]
    pub fn overrun(&self) -> Option<Duration> {
        self.retrier.overrun()
    }

    /// Sends a component's request, if it is permitted.
    ///
    /// # Errors
    /// Why there is no answer, for the component's report.
    pub async fn send(&mut self, request: wit::Request) -> Result<wit::Response, wit::Error> {
        let method = match request.method {
            wit::Method::Get => Method::Get,
            wit::Method::Post => Method::Post,
        };
        let request =
            Request { method, path_and_query: request.path_with_query, body: request.body };
        let allowed = self.policy.check(&request).map_err(|denial| self.deny(&request, &denial))?;
        if self.requests >= self.limits.requests {
            tracing::warn!(
                endpoint = &*allowed.endpoint,
                "a request was refused: the run has reached its limit"
            );
            self.end(
                self.limits
                    .reached(Bound::Requests, "the connector made more requests than permitted"),
            );
            return Err(wit::Error::Denied("no more requests in this run".into()));
        }
        self.requests += 1;
        self.oversized = false;
        match self.retrier.send(&request, &allowed).await {
            // A transport that bounds its reading has checked this already; a platform's own one
            // may not.
            Ok(response)
                if u64::try_from(response.body.len()).unwrap_or(u64::MAX)
                    > self.limits.response =>
            {
                self.oversized = true;
                tracing::info!(
                    endpoint = &*allowed.endpoint,
                    bytes = response.body.len(),
                    most = self.limits.response,
                    "an answer was refused: it is too large"
                );
                Err(wit::Error::TooLarge(self.limits.response))
            }
            Ok(response) => {
                let passed_on = response.headers.into_iter().filter(|(name, value)| {
                    PASSED_ON.contains(&name.as_str()) && value.len() <= LONGEST_HEADER
                });
                Ok(wit::Response {
                    status: response.status,
                    headers: passed_on.collect(),
                    body: response.body,
                })
            }
            Err(given_up) => Err(self.given_up(given_up)),
        }
    }

    fn deny(&mut self, request: &Request, denial: &Denial) -> wit::Error {
        // The path is the component's own text, so it must not be logged.
        tracing::warn!(method = request.method.as_str(), reason = %denial, "a request was refused");
        let path = crate::text::shortened(request.path(), 200);
        let failure = Failure::new(
            Code::Denied,
            format!(
                "the connector tried to send {} {path}, which was denied: {denial}",
                request.method
            ),
        );
        match denial {
            Denial::NotGranted(endpoint) => {
                let path =
                    endpoint.split_once(' ').map_or(endpoint.as_str(), |(_, path)| path).to_owned();
                let remedy = Remedy::Grant { method: request.method.as_str(), path };
                self.explain(
                    failure
                        .with_remedy(remedy)
                        .with_hint("If you trust the connector with it, grant it this request."),
                );
            }
            _ => self.end(failure.with_hint(
                "Do not use this connector: it asks for more than it declares. Report it to its \
                 publisher.",
            )),
        }
        wit::Error::Denied(denial.to_string())
    }

    fn given_up(&mut self, given_up: GivenUp) -> wit::Error {
        match given_up {
            GivenUp::Status { status, retry_after } => {
                let exhausted =
                    wit::Exhausted { status, retry_after_seconds: retry_after.map(whole_seconds) };
                if status == 429 {
                    wit::Error::RateLimited(exhausted)
                } else {
                    wit::Error::Unavailable(exhausted)
                }
            }
            GivenUp::NoAnswer(TransportError::TimedOut) => wit::Error::TimedOut,
            GivenUp::NoAnswer(TransportError::TooLarge(most)) => {
                self.oversized = true;
                wit::Error::TooLarge(most)
            }
            GivenUp::NoAnswer(TransportError::Connection(text)) => {
                wit::Error::ConnectionFailed(text)
            }
            GivenUp::NoAnswer(TransportError::Untrusted(text)) => {
                let failure = Failure::new(
                    Code::Upstream,
                    format!("the server's certificate is not trusted ({text})"),
                );
                self.explain(failure.with_remedy(Remedy::TrustRoot).with_hint(
                    "If a proxy of your company is in between, trust its certificate too. \
                     Otherwise the connection may be intercepted: do not go on.",
                ));
                wit::Error::ConnectionFailed("the server's certificate is not trusted".into())
            }
            GivenUp::NoAnswer(TransportError::Denied(text)) => {
                self.explain(
                    Failure::new(Code::Denied, text.clone())
                        .with_remedy(Remedy::NameUpstream)
                        .with_hint(
                            "If the service really is inside your network, name its address \
                             yourself. Otherwise do not use this connector.",
                        ),
                );
                wit::Error::Denied(text)
            }
            GivenUp::NoAnswer(TransportError::Fixture(text)) => {
                self.end(Failure::new(Code::Fixture, text.clone()).with_hint(
                    "Fix the fixture, or record it again: the connector sends requests that it \
                     does not have.",
                ));
                wit::Error::Other(text)
            }
            GivenUp::NoAnswer(TransportError::Other(text)) => wit::Error::Other(text),
        }
    }

    /// Keeps the first explanation.
    fn explain(&mut self, failure: Failure) {
        if self.note == Note::None {
            self.note = Note::Explains(failure);
        }
    }

    /// Keeps the first end.
    fn end(&mut self, failure: Failure) {
        if !matches!(self.note, Note::Ends(_)) {
            self.note = Note::Ends(failure);
        }
    }
}

/// Seconds, rounded up: a client that comes back too early is refused again.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
