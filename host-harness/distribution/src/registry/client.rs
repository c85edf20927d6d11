//! HTTP client for the registry of one repository: bounded requests, logins only for their
//! registry, and restricted redirects.
//!
//! The login goes to the registry, and over https to the token service that the registry names. A
//! redirect is followed for reads only, at most three times, without the login, and never to a
//! private address, unless the operator named that origin.

mod answer;
mod faults;

mod authorization;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, LINK, LOCATION, WWW_AUTHENTICATE,
};
use reqwest::{Method, RequestBuilder};
use url::Url;

use super::challenge::Challenge;
use super::login::Login;
use super::patience::Patience;
use super::reference::Reference;
use smp_host::failure::{Code, Failure};
use smp_host::http::origin::Origin;
use smp_host::http::transport::TransportError;
use smp_host::live::{ClientError, LiveClient, LiveOptions, body};
use smp_host::remedy::Remedy;

pub(super) use answer::{Answer, Ask};
use faults::{explained, led_astray, unanswered, unusable_place};

/// Time of one request: a component of the largest size over a slow line.
const TIMEOUT: Duration = Duration::from_secs(300);
/// Most redirects of one request. A registry redirects to its storage once.
const MOST_REDIRECTS: usize = 3;
/// Client name for a token service if the program gives no name: the service requires one.
const UNNAMED: &str = "registry-client";
/// Largest answer of which only the status is needed, in bytes.
pub(super) const SMALL: u64 = 64 * 1024;

/// Options for the connection to a registry.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether to use plain http. It is permitted only to this machine.
    pub plain_http: bool,
    /// Certificates in PEM form that are trusted in addition to the system's.
    pub extra_roots: Option<Vec<u8>>,
    /// Allow list of origins that the registry may redirect to, wherever they are.
    pub allowed: Vec<Origin>,
    /// The login.
    pub login: Option<Login>,
    /// Why a stored login cannot be read: the failure if the registry requires one.
    pub no_login: Option<Failure>,
    /// The program, as `name/version`. Empty sends none.
    pub user_agent: String,
}

pub(super) struct Client {
    origin: Origin,
    /// The registry, as people write it.
    registry: String,
    scope: String,
    /// For the registry and the origins that the operator named.
    named: LiveClient,
    /// For all other redirects.
    elsewhere: LiveClient,
    allowed: Vec<Origin>,
    login: Option<Login>,
    no_login: Option<Failure>,
    /// Whether the login is not accepted, although everything is served without one.
    is_stale: AtomicBool,
    /// Whether something will be written.
    writes: AtomicBool,
    patience: Patience,
    /// The program's name for a token service.
    program: String,
    /// Whether the registry is on this machine and may use plain http, which was not permitted.
    perhaps_plain: bool,
    authorization: Mutex<Option<HeaderValue>>,
}

impl Client {
    pub(super) fn new(reference: &Reference, options: &Options) -> Result<Self, Failure> {
        let scheme = if options.plain_http { "http" } else { "https" };
        let origin =
            Origin::parse(&format!("{scheme}://{}", reference.host())).map_err(|error| {
                Failure::new(
                    Code::InvalidSettings,
                    format!("the registry cannot be reached: {error}"),
                )
                .with_remedy(Remedy::CorrectInput { input: "plain-http" })
                .with_hint(
                    "Use https: over plain http, anyone on the network could read the login and \
                     change the content.",
                )
            })?;
        let here = Origin::parse(&format!("http://{}", reference.host())).is_ok();
        let client = |private_network, system_proxy| {
            let (extra_roots, user_agent) =
                (options.extra_roots.clone(), options.user_agent.clone());
            let (timeout, largest_body) = (TIMEOUT, 0);
            let options = LiveOptions {
                timeout,
                largest_body,
                extra_roots,
                system_proxy,
                private_network,
                ranges: Vec::new(),
                user_agent,
            };
            LiveClient::new(&options).map_err(|error| {
                let of = if matches!(error, ClientError::Certificates(_)) {
                    "the certificates to trust: "
                } else {
                    ""
                };
                let remedy = if matches!(error, ClientError::Certificates(_)) {
                    Remedy::CorrectInput { input: "ca-file" }
                } else {
                    Remedy::Other
                };
                Failure::new(Code::InvalidSettings, format!("{of}{error}"))
                    .with_remedy(remedy)
                    .with_hint(error.hint())
            })
        };
        Ok(Self {
            origin,
            registry: reference.registry().to_owned(),
            scope: reference.name().to_owned(),
            named: client(true, !here)?,
            elsewhere: client(false, !here)?,
            perhaps_plain: here && !options.plain_http,
            allowed: options.allowed.clone(),
            login: options.login.clone(),
            no_login: options.no_login.clone(),
            is_stale: AtomicBool::new(false),
            writes: AtomicBool::new(false),
            patience: Patience::default(),
            program: match options.user_agent.split('/').next() {
                Some(name) if !name.is_empty() => name.to_owned(),
                _ => UNNAMED.to_owned(),
            },
            authorization: Mutex::new(None),
        })
    }

    /// Sends a request. Any response with a status is an answer.
    pub(super) async fn send(&self, ask: &Ask<'_>) -> Result<Answer, Failure> {
        let mut answer = self.to_registry(ask, &ask.path).await?;
        if answer.status == 401 {
            answer = self.logged_in(ask, answer).await?;
        }
        if ask.method == Method::GET { self.followed(ask, answer).await } else { Ok(answer) }
    }

    /// Tells that something will be written: then the login is required.
    pub(super) fn will_write(&self) {
        self.writes.store(true, Ordering::Relaxed);
    }

    /// Whether the login was not accepted, and everything was served without one.
    pub(super) fn login_is_stale(&self) -> bool {
        self.is_stale.load(Ordering::Relaxed)
    }

    /// Why the stored login cannot be read.
    pub(super) fn no_login(&self) -> Option<&Failure> {
        self.no_login.as_ref()
    }

    /// The failure of an unwanted answer.
    pub(super) fn refused(&self, answer: &Answer) -> Failure {
        self.explain(answer.refused(&self.registry, self.login.is_some()))
    }

    /// Tells why there is no login, if one is missing.
    fn explain(&self, failure: Failure) -> Failure {
        match &self.no_login {
            Some(fault) if is_of_login(&failure) => {
                let message = format!("{} requires a login, and {}", self.registry, fault.message);
                Failure { message, ..fault.clone() }
            }
            _ => failure,
        }
    }

    /// The answer with a login, or without one where a login is in the way of reading what anyone
    /// may read.
    async fn logged_in(&self, ask: &Ask<'_>, refused: Answer) -> Result<Answer, Failure> {
        let asked = refused.headers.get_all(WWW_AUTHENTICATE).iter();
        let Some(challenge) = Challenge::read(asked.filter_map(|value| value.to_str().ok())) else {
            return Ok(refused);
        };
        let mut first = None;
        let login = self.login.as_ref().filter(|_| !self.login_is_stale());
        let without = login.is_none() || !self.writes.load(Ordering::Relaxed);
        for login in login.map(Some).into_iter().chain(without.then_some(None)) {
            let authorization = match self.authorized(&challenge, login).await {
                Ok(Some(authorization)) => authorization,
                Ok(None) => continue,
                Err(failure) if is_of_login(&failure) => {
                    first.get_or_insert(Err(failure));
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            *self.authorization.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(authorization);
            let answer = self.to_registry(ask, &ask.path).await?;
            let is_served = matches!(answer.status, 200..=399);
            if login.is_none() && first.is_some() && is_served {
                self.is_stale.store(true, Ordering::Relaxed);
                return Ok(answer);
            }
            if !matches!(answer.status, 401 | 403) && first.is_none() {
                return Ok(answer);
            }
            first.get_or_insert(Ok(answer));
        }
        first.unwrap_or(Ok(refused)).map_err(|failure| self.explain(failure))
    }

    /// The path for an upload, which must be on the registry itself.
    pub(super) fn upload_place(&self, answer: &Answer) -> Result<String, Failure> {
        let (origin, path) = self.target(answer, &self.base()?)?;
        if origin == self.origin {
            return Ok(path);
        }
        let denied =
            Failure::new(Code::Denied, "the registry redirects the upload to another origin");
        Err(denied.with_remedy(Remedy::ContactSupport).with_hint(
            "Nothing was sent there. A registry behind a proxy must know its own address: set it \
             there (`http.host` of docker-registry).",
        ))
    }

    /// The path of a list's next page on the registry itself, if there is one.
    pub(super) fn next_page(&self, answer: &Answer) -> Result<Option<String>, Failure> {
        let Some(link) = answer.header(LINK.as_str()).filter(|link| link.contains("rel=\"next\""))
        else {
            return Ok(None);
        };
        let place = link
            .split_once('<')
            .and_then(|(_, rest)| Some(rest.split_once('>')?.0))
            .ok_or_else(unusable_place)?;
        let place = self.base()?.join(place).map_err(|_| unusable_place())?;
        match Origin::part(&place) {
            Ok((origin, path)) if origin == self.origin => Ok(Some(path)),
            _ => Err(unusable_place()),
        }
    }

    async fn to_registry(&self, ask: &Ask<'_>, path: &str) -> Result<Answer, Failure> {
        let authorization =
            self.authorization.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let request =
            self.named.request(ask.method.clone(), &self.origin, path).map_err(unanswered)?;
        let request = with_header(request, authorization);
        self.answered(request, ask).await.map_err(|failure| match &*failure.remedy {
            Remedy::ComeBack { .. } if self.perhaps_plain => {
                failure.with_remedy(Remedy::AllowPlainHttp).with_hint(
                    "Check the registry's name. If it is on this machine and uses plain http, \
                         allow that.",
                )
            }
            _ => failure,
        })
    }

    /// Sends a request, and a request that changes nothing once more where that is promising.
    async fn answered(&self, request: RequestBuilder, ask: &Ask<'_>) -> Result<Answer, Failure> {
        let mut tries = 0;
        loop {
            tries += 1;
            let Some(next) = request.try_clone().filter(|_| ask.is_reading()) else {
                return self.once(request, ask).await.map_err(unanswered);
            };
            let answer = self.once(next, ask).await;
            let wait = match &answer {
                Ok(answer) => {
                    self.patience.after_status(tries, answer.status, answer.retry_after())
                }
                // Then the fault is more likely that of the scheme.
                Err(_) if self.perhaps_plain => None,
                Err(error) => self.patience.after_fault(tries, error),
            };
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return answer.map_err(unanswered),
            }
        }
    }

    async fn once(&self, request: RequestBuilder, ask: &Ask<'_>) -> Result<Answer, TransportError> {
        let mut request = request.header(ACCEPT, ask.accept);
        if let Some((media_type, bytes)) = ask.body {
            request = request.header(CONTENT_TYPE, media_type).body(bytes.to_vec());
        }
        let mut answer = request.send().await.map_err(|error| self.fault(&error))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        // The stated length of an absent body belongs to another answer.
        let body = if ask.method == Method::HEAD {
            Vec::new()
        } else {
            body(&mut answer, ask.most).await?
        };
        Ok(Answer { status, headers, body })
    }

    /// The error of a try, by the client that sent it.
    fn fault(&self, error: &reqwest::Error) -> TransportError {
        let origin = error.url().and_then(|url| Origin::part(url).ok()).map(|(origin, _)| origin);
        let is_named = |origin: &Origin| *origin == self.origin || self.allowed.contains(origin);
        let client =
            if origin.as_ref().is_some_and(is_named) { &self.named } else { &self.elsewhere };
        client.fault(error)
    }

    /// Follows the redirects of an answer.
    async fn followed(&self, ask: &Ask<'_>, mut answer: Answer) -> Result<Answer, Failure> {
        let mut base = self.base()?;
        for _ in 0..MOST_REDIRECTS {
            if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let (origin, path) = self.target(&answer, &base)?;
            answer = if origin == self.origin {
                self.to_registry(ask, &path).await?
            } else {
                let client =
                    if self.allowed.contains(&origin) { &self.named } else { &self.elsewhere };
                let request = client
                    .request(ask.method.clone(), &origin, &path)
                    .map_err(|error| led_astray(error, &origin))?;
                self.answered(request, ask).await.map_err(|failure| explained(failure, &origin))?
            };
            base = Url::parse(&origin.join(&path)).map_err(|_| unusable_place())?;
        }
        Err(Failure::new(
            Code::Denied,
            format!("the registry redirects more than {MOST_REDIRECTS} times"),
        )
        .with_remedy(Remedy::ContactSupport)
        .with_hint("Report it to the operator of the registry."))
    }

    fn base(&self) -> Result<Url, Failure> {
        Url::parse(&self.origin.join("/")).map_err(|_| unusable_place())
    }

    /// The target of a redirect.
    fn target(&self, answer: &Answer, base: &Url) -> Result<(Origin, String), Failure> {
        let place = answer
            .header(LOCATION.as_str())
            .and_then(|place| base.join(place).ok())
            .ok_or_else(unusable_place)?;
        Origin::part(&place).map_err(|_| unusable_place())
    }
}

/// Whether another login, or none, could help.
fn is_of_login(failure: &Failure) -> bool {
    matches!(failure.code, Code::Credentials | Code::Permission)
}

fn with_header(request: RequestBuilder, authorization: Option<HeaderValue>) -> RequestBuilder {
    match authorization {
        Some(authorization) => request.header(AUTHORIZATION, authorization),
        None => request,
    }
}
