//! The live transport: HTTPS with reqwest and rustls. It is the only place where the key meets a
//! request.
//!
//! It never follows a redirect. It connects to no other origin, and to no private address unless
//! the operator named it. It never returns the key: if an answer contains it, it is redacted.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

pub mod address;
pub mod proxy;
mod redaction;

use crate::http::clock::BoxFuture;
use crate::http::credential::Credential;
use crate::http::origin::Origin;
use crate::http::transport::{Method, Request, Response, Transport, TransportError};
use address::{PrivateNetwork, PublicResolver, is_public};
use proxy::ProxyError;
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
    /// The program, as `name/version`, so that a service can distinguish it from others. Empty
    /// sends none.
    pub user_agent: String,
}

/// Why a client could not be created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The extra certificates are malformed.
    #[error("it has no certificate in PEM form")]
    Certificates,
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
            Self::Certificates | Self::Other(_) => {
                "Give a file with one or more certificates in PEM form."
            }
        }
    }
}

/// A client: connections that the runs of all tenants share. It has no credential.
#[derive(Clone, Debug)]
pub struct LiveClient {
    http: reqwest::Client,
    largest_body: u64,
    private_network: bool,
    /// Names of proxies, which may be in a private network.
    proxies: Arc<BTreeSet<String>>,
}

/// The live API for one run.
#[derive(Debug)]
pub struct Live {
    client: LiveClient,
    origin: Origin,
    credential: Option<Credential>,
    /// Whether the origin is permitted, as far as its name shows.
    reachable: bool,
}

impl LiveClient {
    /// Creates a client.
    ///
    /// # Errors
    /// If the extra certificates or a proxy variable cannot be read, or the client cannot be set
    /// up.
    pub fn new(options: &LiveOptions) -> Result<Self, ClientError> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(options.extra_roots.as_deref())?)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // Retries by reqwest would be neither counted nor paced.
            .retry(reqwest::retry::never())
            .timeout(options.timeout)
            .connect_timeout(CONNECT_TIMEOUT.min(options.timeout));
        if !options.user_agent.is_empty() {
            builder = builder.user_agent(&options.user_agent);
        }
        let mut proxies = Arc::default();
        if options.system_proxy {
            proxies = Arc::new(proxy::system()?);
        } else {
            builder = builder.no_proxy();
        }
        if !options.private_network {
            builder = builder.dns_resolver(PublicResolver { exempt: Arc::clone(&proxies) });
        }
        let http = builder.build().map_err(|error| ClientError::Other(innermost(&error)))?;
        Ok(Self {
            http,
            largest_body: options.largest_body,
            private_network: options.private_network,
            proxies,
        })
    }

    /// The API at this origin, with this credential, for one run.
    #[must_use]
    pub fn transport(&self, origin: Origin, credential: Option<Credential>) -> Live {
        let reachable = self.reaches(&origin);
        Live { client: self.clone(), origin, credential, reachable }
    }

    /// Whether the origin is permitted, as far as its name shows.
    fn reaches(&self, origin: &Origin) -> bool {
        // A proxy's name resolves to any address, so it must not be an origin. An address in place
        // of a name is not resolved at all.
        let named = || {
            !origin.host().is_some_and(|host| self.proxies.contains(host))
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
            return Err(into_private_network());
        }
        Ok(self.http.request(method, origin.join(path)))
    }
}

impl Live {
    async fn exchange(&self, request: &Request) -> Result<Response, TransportError> {
        if !self.reachable {
            return Err(into_private_network());
        }
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut outgoing = self
            .client
            .http
            .request(method, self.origin.join(&request.path_and_query))
            .header(ACCEPT, "application/json");
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
        let mut answer = outgoing.send().await.map_err(|error| fault(&error))?;
        let status = answer.status().as_u16();
        let headers = answer.headers().iter().filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        let headers = headers.collect();
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

/// The body of an answer, up to this many bytes.
pub async fn body(answer: &mut reqwest::Response, most: u64) -> Result<Vec<u8>, TransportError> {
    let told = answer.content_length().unwrap_or(0);
    if told > most {
        return Err(TransportError::TooLarge(most));
    }
    let mut body = Vec::with_capacity(usize::try_from(told).unwrap_or(0));
    while let Some(chunk) = answer.chunk().await.map_err(|error| fault(&error))? {
        if u64::try_from(body.len() + chunk.len()).unwrap_or(u64::MAX) > most {
            return Err(TransportError::TooLarge(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// rustls with the system's trust, and the operator's extra certificates.
fn tls(extra_roots: Option<&[u8]>) -> Result<rustls::ClientConfig, ClientError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots: Vec<CertificateDer<'static>> = match extra_roots {
        None => Vec::new(),
        Some(pem) => match CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>() {
            Ok(roots) if !roots.is_empty() => roots,
            _ => return Err(ClientError::Certificates),
        },
    };
    let other = |error: rustls::Error| ClientError::Other(error.to_string());
    let trusted_by_the_system_alone = roots.is_empty();
    let verifier =
        rustls_platform_verifier::Verifier::new_with_extra_roots(roots, Arc::clone(&provider));
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(other)?;
    let config = match verifier {
        Ok(verifier) => config.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
        // A machine without certificates, such as a small container, trusts no server. Plain http
        // to itself needs no trust.
        Err(_) if trusted_by_the_system_alone => {
            config.with_root_certificates(rustls::RootCertStore::empty())
        }
        Err(error) => return Err(other(error)),
    };
    Ok(config.with_no_client_auth())
}

fn into_private_network() -> TransportError {
    TransportError::Denied(
        "the service has a private address, which a connector must not reach".into(),
    )
}

/// The error of one try, without the address.
pub fn fault(error: &reqwest::Error) -> TransportError {
    if causes(error).any(|cause| cause.is::<PrivateNetwork>()) {
        return into_private_network();
    }
    if error.is_timeout() {
        return TransportError::TimedOut;
    }
    let cause = innermost(error);
    if cause.contains("certificate") {
        return TransportError::Untrusted(cause);
    }
    if error.is_builder() {
        return TransportError::Other("the request could not be made".into());
    }
    if error.is_connect() {
        return TransportError::Connection(format!("no connection to the service ({cause})"));
    }
    TransportError::Connection("the connection broke".into())
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
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};

    use super::*;

    #[test]
    fn a_credential_is_not_shown() {
        let credential = Credential::new(
            &crate::contract::Attachment::Bearer,
            &[],
            crate::secret::Secret::new("ATCTTkey".into()).unwrap(),
        );
        assert!(!format!("{credential:?} {:?}", header(&credential)).contains("ATCTT"));
    }

    #[test]
    fn certificates_that_are_none_are_refused() {
        for pem in
            [&b""[..], b"hello", b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"]
        {
            let error = tls(Some(pem)).unwrap_err().to_string();
            assert!(error.contains("PEM") || error.contains("could not be made"), "{error}");
        }
    }

    fn client(private_network: bool, system_proxy: bool) -> LiveClient {
        let (timeout, user_agent) = (Duration::from_secs(5), String::new());
        let options = LiveOptions {
            timeout,
            largest_body: 1024,
            extra_roots: None,
            system_proxy,
            private_network,
            user_agent,
        };
        LiveClient::new(&options).unwrap()
    }

    async fn sent(client: &LiveClient, origin: &str) -> TransportError {
        let request = Request {
            method: Method::Get,
            path_and_query: "/".into(),
            body: None,
            headers: Arc::default(),
        };
        client.transport(Origin::parse(origin).unwrap(), None).send(&request).await.unwrap_err()
    }

    #[tokio::test]
    async fn nothing_goes_into_a_private_network_that_nobody_named() {
        let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in [
            "localhost",
            "LOCALHOST",
            "127.0.0.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
        ] {
            assert_eq!(
                sent(&client(false, false), &format!("https://{host}:{port}")).await,
                into_private_network(),
                "{host}"
            );
        }
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "somebody came");
        // Requests go to an origin that the operator named, wherever it is; here no server speaks
        // TLS.
        drop(listener);
        assert!(matches!(
            sent(&client(true, false), &format!("https://localhost:{port}")).await,
            TransportError::Connection(_)
        ));
    }

    /// `{"a":` and `1}`, each packed by gzip for itself.
    const MEMBERS: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\x54\xb2\x02\
        \x00\xf3\x7f\xb0\x6a\x05\x00\x00\x00\
        \x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x33\xac\x05\x00\xcc\x18\x30\xa9\
        \x02\x00\x00\x00";

    #[tokio::test]
    async fn several_gzip_members_in_one_answer_are_read_whole() {
        let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let serving = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let head = BufReader::new(&stream).lines().map(Result::unwrap);
            head.take_while(|line| !line.is_empty()).for_each(drop);
            let length = MEMBERS.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\n\r\n"
            );
            stream.write_all(&[head.as_bytes(), MEMBERS].concat()).unwrap();
        });
        let live = client(true, false).transport(Origin::parse(&origin).unwrap(), None);
        let request = Request {
            method: Method::Get,
            path_and_query: "/".into(),
            body: None,
            headers: Arc::default(),
        };
        assert_eq!(live.send(&request).await.unwrap().body, b"{\"a\":1}");
        serving.join().unwrap();
    }

    #[tokio::test]
    async fn a_proxy_in_a_private_network_is_used_and_is_no_origin() {
        let mut client = client(false, false);
        client.proxies = Arc::new(BTreeSet::from(["localhost".to_owned()]));
        assert_eq!(sent(&client, "https://localhost:9").await, into_private_network());
        let resolved = async |exempt| {
            let answer = reqwest::dns::Resolve::resolve(
                &PublicResolver { exempt },
                "localhost".parse().unwrap(),
            )
            .await;
            answer.map(|addresses| addresses.map(|address| address.ip()).collect::<Vec<_>>())
        };
        assert!(
            resolved(Arc::clone(&client.proxies))
                .await
                .unwrap()
                .iter()
                .all(|address| address.is_loopback())
        );
        assert!(resolved(Arc::default()).await.unwrap_err().is::<PrivateNetwork>());
    }
}
