//! The live transport: HTTPS with reqwest and rustls. It is the only place where the key meets a
//! request.
//!
//! It never follows a redirect. It connects to no other origin, and to no private address unless
//! the operator named it. It never returns the key: if an answer contains it, it is redacted.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use std::time::SystemTime;

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue,
};

pub mod address;
mod body;
pub mod certificate;
pub mod proxy;
mod redaction;

use crate::http::clock::BoxFuture;
use crate::http::credential::Credential;
use crate::http::origin::Origin;
use crate::http::transport::{
    Distrust, Method, NotPublic, ProxyFault, ProxyFaultKind, Request, Response, Transport,
    TransportError,
};
pub use body::body;

use address::{PrivateNetwork, PublicResolver, Range, is_public};
use certificate::{CertificatesError, certificates, distrust};
use proxy::{Proxies, ProxyError, Way};
use redaction::redact;

/// Time to connect. A reachable host answers in well under a second; the rest of the request's time
/// is for the answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Options of a client for the live API.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// Time of one request, from the connection to the last byte.
    pub timeout: Duration,
    /// Largest body, in bytes, after decompression.
    pub largest_body: u64,
    /// Certificates in PEM form that are trusted in addition to the system's.
    pub extra_roots: Option<Vec<u8>>,
    /// Whether to use the system's proxy variables.
    pub system_proxy: bool,
    /// Whether requests may go to private addresses or to this machine: only if the operator, not a
    /// connector, named the origin.
    pub private_network: bool,
    /// Ranges of special addresses that the service's name may have, because the operator declared
    /// them: the resolver of a VPN answers with them.
    pub ranges: Vec<Range>,
    /// The program, as `name/version`, so that a service can distinguish it from others. Empty
    /// sends none.
    pub user_agent: String,
}

/// Why a client could not be created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The extra certificates cannot be read.
    #[error(transparent)]
    Certificates(#[from] CertificatesError),
    /// A proxy variable cannot be used. If it were ignored, requests would bypass the proxy.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// Another error, in the library's words.
    #[error("the HTTP client could not be made: {0}")]
    Other(String),
}

impl ClientError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Proxy(error) => error.hint(),
            Self::Certificates(error) => error.hint(),
            Self::Other(_) => "Give a file with one or more certificates in PEM form.",
        }
    }
}

/// A client: connections that the runs of all tenants share. It has no credential.
#[derive(Clone, Debug)]
pub struct LiveClient {
    http: reqwest::Client,
    /// The same without a proxy, for what the client's own reading of `NO_PROXY` does not except.
    direct: reqwest::Client,
    largest_body: u64,
    private_network: bool,
    /// Whether no certificate of any server is trusted, because this machine has none of
    /// authorities.
    has_no_roots: bool,
    proxies: Option<Arc<Proxies>>,
    /// Names of proxies, which may be in a private network.
    proxy_hosts: Arc<BTreeSet<String>>,
}

/// The live API for one run.
#[derive(Debug)]
pub struct Live {
    client: LiveClient,
    origin: Origin,
    credential: Option<Credential>,
    /// Whether the origin is permitted, as far as its name shows.
    reachable: bool,
    way: Way,
}

impl LiveClient {
    /// Creates a client.
    ///
    /// # Errors
    /// If the extra certificates or a proxy variable cannot be read, or the client cannot be set
    /// up.
    pub fn new(options: &LiveOptions) -> Result<Self, ClientError> {
        let (tls, has_no_roots) = tls(options.extra_roots.as_deref())?;
        let proxies = options.system_proxy.then(Proxies::system).transpose()?.map(Arc::new);
        let proxy_hosts: Arc<BTreeSet<String>> =
            Arc::new(proxies.as_ref().map(|proxies| proxies.hosts.clone()).unwrap_or_default());
        let ranges: Arc<[Range]> = options.ranges.as_slice().into();
        let client = |with_proxy: bool| {
            let mut builder = reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                // Retries by reqwest would be neither counted nor paced.
                .retry(reqwest::retry::never())
                .timeout(options.timeout)
                .connect_timeout(CONNECT_TIMEOUT.min(options.timeout));
            if !options.user_agent.is_empty() {
                builder = builder.user_agent(&options.user_agent);
            }
            if !with_proxy {
                builder = builder.no_proxy();
            }
            if !options.private_network {
                let (exempt, ranges) = (Arc::clone(&proxy_hosts), Arc::clone(&ranges));
                builder = builder.dns_resolver(PublicResolver { exempt, ranges });
            }
            builder.build().map_err(|error| ClientError::Other(innermost(&error)))
        };
        let http = client(options.system_proxy)?;
        let direct = if options.system_proxy { client(false)? } else { http.clone() };
        Ok(Self {
            http,
            direct,
            largest_body: options.largest_body,
            private_network: options.private_network,
            has_no_roots,
            proxies,
            proxy_hosts,
        })
    }

    /// The API at this origin, with this credential, for one run.
    #[must_use]
    pub fn transport(&self, origin: Origin, credential: Option<Credential>) -> Live {
        let (reachable, way) = (self.reaches(&origin), self.way(&origin));
        Live { client: self.clone(), origin, credential, reachable, way }
    }

    /// Whether the origin is permitted, as far as its name shows.
    fn reaches(&self, origin: &Origin) -> bool {
        // A proxy's name resolves to any address, so it must not be an origin. An address in place
        // of a name is not resolved at all.
        let named = || {
            !origin.host().is_some_and(|host| self.proxy_hosts.contains(host))
                && origin.address().is_none_or(is_public)
        };
        self.private_network || named()
    }

    /// A request of the host itself to this origin, within the same bounds.
    pub fn request(
        &self,
        method: reqwest::Method,
        origin: &Origin,
        path: &str,
    ) -> Result<reqwest::RequestBuilder, TransportError> {
        if !self.reaches(origin) {
            return Err(into_private_network(origin.host(), None));
        }
        Ok(self.client(&self.way(origin)).request(method, origin.join(path)))
    }

    /// The error of a request of the host itself. It names an address only where the operator's own
    /// network is at fault.
    #[must_use]
    pub fn fault(&self, error: &reqwest::Error) -> TransportError {
        let origin = error.url().and_then(|url| Origin::part(url).ok());
        let way = origin.map_or(Way::AsTheClientDoes, |(origin, _)| self.way(&origin));
        told(error, &way, self.has_no_roots)
    }

    /// A request to a URL that the operator names for something other than a service, such as a
    /// collector of traces. It must hold no key: unlike an origin's, its connection may be plain.
    pub fn request_of_operator(
        &self,
        method: reqwest::Method,
        url: &str,
    ) -> reqwest::RequestBuilder {
        self.http.request(method, url)
    }

    fn client(&self, way: &Way) -> &reqwest::Client {
        if *way == Way::Directly { &self.direct } else { &self.http }
    }

    fn way(&self, origin: &Origin) -> Way {
        self.proxies.as_ref().map_or(Way::AsTheClientDoes, |proxies| proxies.way(origin))
    }
}

impl Live {
    async fn exchange(&self, request: &Request) -> Result<Response, TransportError> {
        if !self.reachable {
            return Err(into_private_network(self.origin.host(), None));
        }
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut outgoing = self
            .client
            .client(&self.way)
            .request(method, self.origin.join(&request.path_and_query))
            .header(ACCEPT, "application/json")
            .header(ACCEPT_ENCODING, "gzip");
        if let Some(body) = &request.body {
            outgoing = outgoing.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        for (name, value) in request.headers.iter() {
            outgoing = outgoing.header(name, value);
        }
        // Last: no other header can take its place, since a declared one never has its name.
        if let Some(credential) = &self.credential {
            outgoing = outgoing.header(credential.header_name(), header(credential)?);
        }
        let failed = |error| told(&error, &self.way, self.client.has_no_roots);
        let mut answer = outgoing.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        // Of a body that is unpacked here, they are not true.
        let is_packed = body::is_packed(&answer);
        let is_of_packing = |name| is_packed && [CONTENT_ENCODING, CONTENT_LENGTH].contains(name);
        let headers = answer.headers().iter().filter(|(name, _)| !is_of_packing(*name));
        let headers = headers.filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        let headers = dated(headers.collect(), SystemTime::now());
        let body = body(&mut answer, self.client.largest_body).await?;
        Ok(self.redacted(Response { status, headers, body }))
    }

    /// The answer with the key redacted everywhere.
    fn redacted(&self, mut response: Response) -> Response {
        let Some(credential) = &self.credential else { return response };
        let traces = credential.traces();
        let redact = |text: &mut [u8]| {
            traces.iter().for_each(|trace| redact(text, trace.as_bytes()));
        };
        redact(&mut response.body);
        for (_, value) in &mut response.headers {
            let mut bytes = std::mem::take(value).into_bytes();
            redact(&mut bytes);
            // Whole characters are replaced by stars, so text stays text.
            *value = String::from_utf8(bytes).unwrap_or_default();
        }
        response
    }
}

/// The headers with the date of the answer: a connector has no other clock, and a recording keeps
/// it. Where a server or a proxy states none that can be read, it is the moment at which it came.
fn dated(mut headers: Vec<(String, String)>, now: SystemTime) -> Vec<(String, String)> {
    let is_readable = |(name, value): &(String, String)| {
        name == "date" && httpdate::parse_http_date(value.trim()).is_ok()
    };
    if !headers.iter().any(is_readable) {
        headers.retain(|(name, _)| name != "date");
        headers.push(("date".to_owned(), httpdate::fmt_http_date(now)));
    }
    headers
}

impl Transport for Live {
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, TransportError>> {
        Box::pin(self.exchange(request))
    }
}

fn header(credential: &Credential) -> Result<HeaderValue, TransportError> {
    let unsendable = |_| TransportError::Other("the key cannot be sent in a header".into());
    let mut value = HeaderValue::from_str(&credential.header_value()).map_err(unsendable)?;
    value.set_sensitive(true);
    Ok(value)
}

/// rustls with the system's trust, and the operator's extra certificates; and whether there
/// are none of both, so that no server is trusted.
fn tls(extra_roots: Option<&[u8]>) -> Result<(rustls::ClientConfig, bool), ClientError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = extra_roots.map(certificates).transpose()?.unwrap_or_default();
    let other = |error: rustls::Error| ClientError::Other(error.to_string());
    let trusted_by_the_system_alone = roots.is_empty();
    let verifier =
        rustls_platform_verifier::Verifier::new_with_extra_roots(roots, Arc::clone(&provider));
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(other)?;
    let has_no_roots = verifier.is_err();
    let config = match verifier {
        Ok(verifier) => config.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
        // A machine without certificates, such as a small container, trusts no server. Plain http
        // to itself needs no trust.
        Err(_) if trusted_by_the_system_alone => {
            config.with_root_certificates(rustls::RootCertStore::empty())
        }
        Err(_) => return Err(CertificatesError::Malformed.into()),
    };
    Ok((config.with_no_client_auth(), has_no_roots))
}

/// The refusal of a service that has this name and this address.
fn into_private_network(name: Option<&str>, resolved: Option<PrivateNetwork>) -> TransportError {
    let resolved = resolved.map(|PrivateNetwork(address)| address);
    TransportError::NotPublic(NotPublic {
        service: name.unwrap_or("its name").to_owned(),
        resolved,
        range: resolved.and_then(Range::around).map(|range| range.to_string()),
    })
}

/// The error of one try that went this way.
fn told(error: &reqwest::Error, way: &Way, has_no_roots: bool) -> TransportError {
    if let Some(denied) = causes(error).find_map(|cause| cause.downcast_ref::<PrivateNetwork>()) {
        return into_private_network(error.url().and_then(|url| url.host_str()), Some(*denied));
    }
    if let Some(kind) = by_proxy(error, way) {
        let (proxy, variable) = match way {
            Way::Through { proxy, variable } => (proxy.as_str(), *variable),
            Way::AsTheClientDoes | Way::Directly => ("that your system names", None),
        };
        return TransportError::Proxy(ProxyFault { proxy: proxy.to_owned(), variable, kind });
    }
    if let Some(reason) = causes(error).find_map(distrust) {
        return TransportError::Untrusted(match reason {
            Distrust::UnknownIssuer if has_no_roots => Distrust::NoRoots,
            reason => reason,
        });
    }
    if error.is_connect() && !error.is_timeout() {
        let to = if matches!(way, Way::Through { .. }) {
            "no connection to the service through the proxy"
        } else {
            "no connection to the service"
        };
        return TransportError::Connection(format!("{to} ({})", innermost(error)));
    }
    broken(error)
}

/// The error of a request, or of an answer that was begun.
fn broken(error: &reqwest::Error) -> TransportError {
    if error.is_timeout() {
        return TransportError::TimedOut;
    }
    if error.is_builder() {
        return TransportError::Other("the request could not be made".into());
    }
    TransportError::Connection("the connection broke".into())
}

/// What is wrong with a proxy on the way, if that ended the try. The library tells it by its words
/// alone; plain http has no tunnel, and so a connection that is not made is one to the proxy.
fn by_proxy(error: &reqwest::Error, way: &Way) -> Option<ProxyFaultKind> {
    let tunnel = causes(error).find_map(|cause| match cause.to_string().as_str() {
        "tunnel error: proxy authorization required" => Some(ProxyFaultKind::WantsLogin),
        "tunnel error: unsuccessful" => Some(ProxyFaultKind::Refuses),
        "tunnel error: failed to create underlying connection" => {
            Some(ProxyFaultKind::Unreachable(innermost(error)))
        }
        _ => None,
    });
    let is_plain = error.url().is_some_and(|url| url.scheme() == "http");
    let is_first = matches!(way, Way::Through { .. }) && error.is_connect() && is_plain;
    tunnel.or_else(|| is_first.then(|| ProxyFaultKind::Unreachable(innermost(error))))
}

/// The innermost cause of an error: the outer ones contain the URL.
fn innermost(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| "the connection failed".to_owned(), ToString::to_string)
}

/// The causes of an error, the innermost last. Chains have a few links; the bound ends a cycle.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(std::error::Error::source(error), |cause| cause.source()).take(16)
}

#[cfg(test)]
mod tests;
