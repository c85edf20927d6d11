//! The `http` import of one run: it checks each request of the component before it is sent.
//!
//! It keeps its own note of each denial and each limit. Whatever failure the component reports, the
//! host's takes its place ([`explained`](crate::explained)).

use std::sync::Arc;
use std::time::Duration;

use super::asked::{Asked, End};
use super::bad;
use super::policy::{Denial, Policy};
use super::retry::{GivenUp, Retrier, SharedFigures};
use super::transport::{Headers, Method, NotPublic, Phase, Request, TransportError};
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

/// Largest headers that an endpoint declares, in bytes, all together: a link to the next page has a
/// cursor in it. An answer with larger ones is refused: without the link, a list would end early.
const LARGEST_DECLARED: usize = 8 * 1024;

/// The headers of an answer that the component sees: those of every answer, and those that its
/// endpoint declares. `None` if the declared ones are too large.
fn passed_on(headers: Vec<(String, String)>, declared: &[String]) -> Option<Vec<(String, String)>> {
    let mut room = LARGEST_DECLARED;
    let mut seen = Vec::new();
    for (name, value) in headers {
        if PASSED_ON.contains(&name.as_str()) {
            if value.len() <= LONGEST_HEADER {
                seen.push((name, value));
            }
        } else if declared.contains(&name) {
            room = room.checked_sub(name.len().saturating_add(value.len()))?;
            seen.push((name, value));
        }
    }
    Some(seen)
}

/// HTTP for one run.
pub struct Capability {
    policy: Policy,
    retrier: Retrier,
    limits: Limits,
    requests: u64,
    /// How the requests of this call ended.
    asked: Asked,
    /// Something after which the run has failed, whatever the component says.
    end: Option<Failure>,
}

impl Capability {
    /// The capability of a run. Of the limits, those on requests and on an answer's size apply
    /// here.
    #[must_use]
    pub fn new(policy: Policy, retrier: Retrier, limits: Limits) -> Self {
        Self { policy, retrier, limits, requests: 0, asked: Asked::default(), end: None }
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

    /// Tells the transport that the run goes on from an earlier one.
    pub fn resume(&self) {
        self.retrier.resume();
    }

    /// Tells the transport that a call has succeeded for which everything was asked.
    ///
    /// # Errors
    /// The transport's objection.
    pub fn finish(&self) -> Result<(), Failure> {
        self.retrier.finish()
    }

    /// Begins a call: later requests belong to it, for the observer and for explanations.
    pub fn serve(&mut self, call: Call) {
        self.asked = Asked::default();
        self.retrier.serve(call);
    }

    /// How the requests of this call ended.
    #[must_use]
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// Why the run has failed, whatever the component says.
    #[must_use]
    pub fn end(&self) -> Option<&Failure> {
        self.end.as_ref()
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
        let mut request = Request {
            method,
            path_and_query: request.path_with_query,
            body: request.body,
            headers: Headers::default(),
        };
        let allowed = self.policy.check(&request).map_err(|denial| self.deny(&request, &denial))?;
        if self.requests >= self.limits.requests {
            tracing::warn!(
                endpoint = &*allowed.endpoint,
                "a request was refused: the run has reached its limit"
            );
            self.ended(
                self.limits
                    .reached(Bound::Requests, "the connector made more requests than permitted"),
            );
            return Err(wit::Error::Denied("no more requests in this run".into()));
        }
        request.headers = Arc::clone(&allowed.request_headers);
        self.requests += 1;
        let endpoint = Arc::clone(&allowed.endpoint);
        match self.retrier.send(&request, &allowed).await {
            // A transport that bounds its reading has checked this already; a platform's own one
            // may not.
            Ok(response)
                if u64::try_from(response.body.len()).unwrap_or(u64::MAX)
                    > self.limits.response =>
            {
                self.asked.note(endpoint, End::TooLarge);
                tracing::info!(
                    endpoint = &*allowed.endpoint,
                    bytes = response.body.len(),
                    most = self.limits.response,
                    "an answer was refused: it is too large"
                );
                Err(wit::Error::TooLarge(self.limits.response))
            }
            Ok(response) => {
                let end = match self.retrier.met_bad_page() {
                    true if bad::is_in_part(&response) => End::InPart,
                    true => End::BadPage,
                    false => End::Told,
                };
                self.asked.note(Arc::clone(&endpoint), end);
                match passed_on(response.headers, &allowed.response_headers) {
                    Some(headers) => {
                        let (status, body) = (response.status, response.body);
                        Ok(wit::Response { status, headers, body })
                    }
                    None => {
                        tracing::info!(
                            endpoint = &*endpoint,
                            "an answer was refused: its headers are too large"
                        );
                        Err(wit::Error::Other(format!(
                            "the headers of the answer are larger than {LARGEST_DECLARED} bytes"
                        )))
                    }
                }
            }
            Err(given_up) => Err(self.given_up(endpoint, given_up)),
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
                let failure = failure
                    .with_remedy(remedy)
                    .with_hint("If you trust the connector with it, grant it this request.");
                self.asked.note(endpoint.as_str().into(), End::Explained(failure));
            }
            _ => self.ended(failure.with_hint(
                "Do not use this connector: it asks for more than it declares. Report it to its \
                 publisher.",
            )),
        }
        wit::Error::Denied(denial.to_string())
    }

    fn given_up(&mut self, endpoint: Arc<str>, given_up: GivenUp) -> wit::Error {
        let (end, error) = match given_up {
            GivenUp::Status { status, retry_after } => {
                let exhausted =
                    wit::Exhausted { status, retry_after_seconds: retry_after.map(whole_seconds) };
                let error = if status == 429 {
                    wit::Error::RateLimited(exhausted)
                } else {
                    wit::Error::Unavailable(exhausted)
                };
                (self.retrier.overrun().map_or(End::Told, End::Overrun), error)
            }
            GivenUp::NoAnswer(TransportError::TimedOut) => (End::Told, wit::Error::TimedOut),
            GivenUp::NoAnswer(TransportError::TooLarge(most)) => {
                (End::TooLarge, wit::Error::TooLarge(most))
            }
            GivenUp::NoAnswer(TransportError::Connection(text)) => {
                (End::Told, wit::Error::ConnectionFailed(text))
            }
            GivenUp::NoAnswer(TransportError::Proxy(fault)) => {
                let failure = Failure::new(Code::Upstream, fault.message())
                    .with_remedy(Remedy::MendProxy)
                    .with_hint(fault.hint());
                let told = wit::Error::ConnectionFailed(fault.message());
                (End::Explained(failure), told)
            }
            GivenUp::NoAnswer(TransportError::Untrusted(distrust)) => {
                let message =
                    format!("the server's certificate is not trusted ({})", distrust.reason());
                let remedy = if distrust.is_mended_by_trust() {
                    Remedy::TrustRoot
                } else {
                    Remedy::MendCertificate
                };
                let failure = Failure::new(Code::Upstream, message)
                    .with_remedy(remedy)
                    .with_hint(distrust.hint());
                let told = "the server's certificate is not trusted".into();
                (End::Explained(failure), wit::Error::ConnectionFailed(told))
            }
            GivenUp::NoAnswer(TransportError::NotPublic(denied)) => {
                let told = wit::Error::Denied(NotPublic::MESSAGE.to_owned());
                (End::Explained(not_public(denied)), told)
            }
            GivenUp::NoAnswer(TransportError::Denied(text)) => {
                let failure = Failure::new(Code::Denied, text.clone())
                    .with_remedy(Remedy::NameUpstream)
                    .with_hint(
                        "If the service really is inside your network, name its address yourself. \
                         Otherwise do not use this connector.",
                    );
                (End::Explained(failure), wit::Error::Denied(text))
            }
            GivenUp::NoAnswer(TransportError::Fixture(text)) => {
                self.ended(Failure::new(Code::Fixture, text.clone()).with_hint(
                    "Fix the fixture, or record it again: the connector sends requests that it \
                     does not have.",
                ));
                (End::Told, wit::Error::Other(text))
            }
            GivenUp::NoAnswer(TransportError::Other(text)) => (End::Told, wit::Error::Other(text)),
            GivenUp::NoSlot(failure) => {
                let told = wit::Error::ConnectionFailed("the request was not sent".into());
                (End::Explained(failure), told)
            }
        };
        self.asked.note(endpoint, end);
        error
    }

    /// Keeps the first end.
    fn ended(&mut self, failure: Failure) {
        self.end.get_or_insert(failure);
    }
}

/// The failure of a service whose address is not public.
fn not_public(denied: NotPublic) -> Failure {
    let failure = Failure::new(Code::Denied, denied.message());
    match denied.range {
        Some(range) => failure.with_remedy(Remedy::AllowRange { range }).with_hint(
            "Your VPN or DNS answers so: a zero-trust client, a company's resolver or a hosts file \
             has this address for it. If that is meant, declare the range of addresses. If no \
             one on your side knows of it, do not go on.",
        ),
        None => failure.with_remedy(Remedy::NameUpstream).with_hint(
            "If the service really is inside your network, name its address yourself. Otherwise do \
             not use this connector.",
        ),
    }
}

/// Seconds, rounded up: a client that comes back too early is refused again.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_vpn_is_named_with_the_range_to_declare() {
        for (resolved, range, remedy, words) in [
            (
                Some("198.18.0.25"),
                Some("198.18.0.0/15"),
                Remedy::AllowRange { range: "198.18.0.0/15".into() },
                "Your VPN or DNS answers so",
            ),
            (Some("127.0.0.1"), None, Remedy::NameUpstream, "name its address yourself"),
            (None, None, Remedy::NameUpstream, "name its address yourself"),
        ] {
            let denied = NotPublic {
                service: "api.atlassian.com".into(),
                resolved: resolved.map(|address| address.parse().unwrap()),
                range: range.map(str::to_owned),
            };
            let failure = not_public(denied);
            assert_eq!((failure.code, *failure.remedy), (Code::Denied, remedy));
            assert!(failure.hint.unwrap().contains(words), "{resolved:?}");
            let named = format!("api.atlassian.com is {} here", resolved.unwrap_or_default());
            assert_eq!(failure.message.ends_with(&named), resolved.is_some(), "{named}");
        }
    }

    #[test]
    fn only_what_everyone_sees_and_what_is_declared_is_passed_on() {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let link = "x".repeat(4_000);
        let headers = vec![
            header("content-type", "application/json"),
            header("set-cookie", "a=b"),
            header("link", &link),
            header("retry-after", &"9".repeat(1_025)),
            header("x-other", "1"),
            header("link", &link),
            header("date", "Thu, 26 Nov 2026 20:00:00 GMT"),
        ];
        let seen = passed_on(headers, &["link".to_owned(), "date".to_owned()]).unwrap();
        let names: Vec<&str> = seen.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["content-type", "link", "link", "date"]);
    }

    #[test]
    fn declared_headers_are_passed_on_together_or_not_at_all() {
        let link = |length| ("link".to_owned(), "x".repeat(length));
        let declared = ["link".to_owned()];
        let most = LARGEST_DECLARED - "link".len();
        assert!(passed_on(vec![link(most)], &declared).is_some());
        assert_eq!(passed_on(vec![link(most + 1)], &declared), None);
        assert_eq!(passed_on(vec![link(10), link(most)], &declared), None);
        assert_eq!(passed_on(vec![link(most + 1)], &[]), Some(vec![]));
    }
}
