//! The lowest layer of HTTP: gets an answer for one request, and attaches the credential, if there
//! is one, last.
//!
//! A transport tries once: it does not wait, retry, pace or follow redirects. The policy has
//! permitted its requests.

use std::fmt;
use std::net::IpAddr;
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
    /// A proxy on the way refused the request, or cannot be reached.
    Proxy(ProxyFault),
    /// The server's certificate is not trusted: a retry changes nothing.
    Untrusted(Distrust),
    /// The body is larger than this many bytes.
    TooLarge(u64),
    /// The service has an address that is not public, so a connector must not reach it.
    NotPublic(NotPublic),
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
            Self::Connection(_) | Self::Proxy(_) => Fault::Connection,
            Self::Untrusted(_) => Fault::Untrusted,
            Self::TooLarge(_) => Fault::TooLarge,
            Self::Denied(_) | Self::NotPublic(_) => Fault::Denied,
            Self::Fixture(_) => Fault::Fixture,
            Self::Other(_) => Fault::Other,
        }
    }
}

/// A proxy's fault, which is not the service's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyFault {
    /// The proxy, as `host:port`: the operator's own configuration names it.
    pub proxy: String,
    /// The environment variable that names it, where it is known.
    pub variable: Option<&'static str>,
    /// What is wrong.
    pub kind: ProxyFaultKind,
}

/// What is wrong with a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyFaultKind {
    /// It asks for a user name and a password, or for other ones: a retry changes nothing.
    WantsLogin,
    /// It does not connect to the service: a retry changes nothing.
    Refuses,
    /// There is no connection to it. The text is the system's reason, without an address.
    Unreachable(String),
}

impl ProxyFault {
    /// What happened, without the proxy's name, which a component must not see.
    #[must_use]
    pub fn message(&self) -> String {
        match &self.kind {
            ProxyFaultKind::WantsLogin => {
                "the proxy asks for a user name and a password (407)".to_owned()
            }
            ProxyFaultKind::Refuses => "the proxy refuses to connect to the service".to_owned(),
            ProxyFaultKind::Unreachable(reason) => {
                format!("no connection to the proxy in front of the service ({reason})")
            }
        }
    }

    /// Whether it may pass.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self.kind, ProxyFaultKind::Unreachable(_))
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        let Self { proxy, variable, kind } = self;
        let proxy = match variable {
            Some(variable) => format!("the proxy {proxy} (`{variable}`)"),
            None => format!("the proxy {proxy}"),
        };
        match kind {
            ProxyFaultKind::WantsLogin => format!(
                "It is the answer of {proxy}, not of the service. Write the user name and the \
                 password into the variable, as `http://user:password@host:port`, or correct them; \
                 some proxies accept only logins that this program does not know, such as NTLM."
            ),
            ProxyFaultKind::Refuses => format!(
                "It is the answer of {proxy}, not of the service. Ask the person who runs the \
                 proxy to let it connect to the service, or except the service with `NO_PROXY`."
            ),
            ProxyFaultKind::Unreachable(_) => format!(
                "Nothing reached the service: {proxy} does not answer. Correct the variable, start \
                 the proxy, or unset the variable to go without one."
            ),
        }
    }
}

/// Why a server's certificate is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Distrust {
    /// No trusted authority issued it.
    UnknownIssuer,
    /// The same, on a machine without any certificates of authorities.
    NoRoots,
    /// It is the certificate of an authority, used as the server's own.
    AuthorityAsServer,
    /// It is for other names.
    OtherName,
    /// It is not valid any more.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// Anything else, in the library's words.
    Other(String),
}

impl Distrust {
    /// The reason, to stand in parentheses.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::UnknownIssuer => "no authority that this machine trusts has signed it",
            Self::NoRoots => "this machine has no certificates of authorities, so it trusts none",
            Self::AuthorityAsServer => {
                "it is the certificate of an authority, used as the server's own"
            }
            Self::OtherName => "it is for another name",
            Self::Expired => "it has expired, or this machine's clock is wrong",
            Self::NotYetValid => "it is not valid yet, or this machine's clock is wrong",
            Self::Other(text) => text,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::UnknownIssuer | Self::Other(_) => {
                "If a proxy of your company is in between, trust its certificate too. Otherwise the \
                 connection may be intercepted: do not go on."
            }
            Self::NoRoots => {
                "Install the system's certificates, in most systems the package \
                 `ca-certificates`, or give a file of them."
            }
            Self::AuthorityAsServer => {
                "To trust it does not help. Give the server a certificate of its own that the \
                 authority signs (in OpenSSL's words, one with `CA:FALSE`), and trust the \
                 authority's."
            }
            Self::OtherName => {
                "A proxy, a name server or a hosts file leads to another server than the one asked \
                 for: do not go on before you know which."
            }
            Self::Expired | Self::NotYetValid => {
                "Look at this machine's clock. If it is right, the server, or the proxy of your \
                 company that answers in its place, needs a new certificate."
            }
        }
    }

    /// Whether to trust one more certificate can help.
    #[must_use]
    pub fn is_mended_by_trust(&self) -> bool {
        matches!(self, Self::UnknownIssuer | Self::NoRoots | Self::Other(_))
    }
}

impl From<&str> for Distrust {
    fn from(reason: &str) -> Self {
        let known = [
            Self::UnknownIssuer,
            Self::NoRoots,
            Self::AuthorityAsServer,
            Self::OtherName,
            Self::Expired,
            Self::NotYetValid,
        ];
        let found = known.into_iter().find(|known| known.reason() == reason);
        found.unwrap_or_else(|| Self::Other(reason.to_owned()))
    }
}

/// A service's address that is not public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotPublic {
    /// The service's name, or its address.
    pub service: String,
    /// The address that its name resolves to. `None` if it has no name, or is a proxy's.
    pub resolved: Option<IpAddr>,
    /// The range that the operator may declare, so that the address can be reached.
    pub range: Option<String>,
}

impl NotPublic {
    /// What happened, without an address, which a component must not see.
    pub const MESSAGE: &'static str =
        "the service has a private address, which a connector must not reach";

    /// What happened, with the address.
    #[must_use]
    pub fn message(&self) -> String {
        match self.resolved {
            Some(address) => format!("{}: {} is {address} here", Self::MESSAGE, self.service),
            None => Self::MESSAGE.to_owned(),
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
