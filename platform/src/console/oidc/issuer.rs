//! The issuer: its addresses and keys, and the code that becomes a token.
//!
//! Every answer of it is bounded. Its addresses and keys are asked for when they are first needed,
//! kept for a while, and asked for again when a token was signed with a key that is not known.

use std::borrow::Cow;
use std::time::Duration;

use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use smp_host::http::origin::Origin;
use smp_host::live::{LiveClient, body};
use tokio::sync::Mutex;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};
use zeroize::Zeroizing;

use super::Options;
use super::ticket::Ticket;
use super::token::{Expected, Keys, Person, Refused};
use crate::clock::{HOUR, now};
use crate::outside::{self, reason};
use crate::problem::Problem;

/// Time of one request to the issuer.
const REQUEST: Duration = Duration::from_secs(15);
/// Largest answer of the issuer, in bytes.
const LARGEST: u64 = 512 * 1024;
/// How long its addresses and keys are kept.
const KEPT: i64 = HOUR;
/// How long they are not asked for again, whatever comes: unknown keys must not make us ask
/// without end.
const SETTLED: i64 = 30_000;

/// The issuer of people's tokens, and this client there.
pub(super) struct Issuer {
    options: Options,
    back: String,
    client: LiveClient,
    known: Mutex<Option<(i64, Known)>>,
}

/// What the issuer tells of itself.
#[derive(Clone)]
struct Known {
    entrance: Url,
    tokens: Url,
    /// Whether our secret is sent in the form, and not in a header.
    posts: bool,
    keys: Keys,
}

/// The document of an issuer.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// The answer to a code.
#[derive(Deserialize)]
struct Tokens {
    id_token: Option<String>,
}

/// Why the issuer could not be asked, without its words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotAsked(Cow<'static, str>);

fn not_asked(reason: &'static str) -> NotAsked {
    NotAsked(Cow::Borrowed(reason))
}

impl Issuer {
    pub(super) fn new(options: Options, back: String) -> Result<Self, Problem> {
        let is_usable = |url: Url| Origin::part(&url).is_ok() && url.query().is_none();
        if !Url::parse(&options.issuer).is_ok_and(is_usable) {
            return Err(Problem::invalid("the issuer is no address that can be used")
                .hint("Give it as its tokens name it: `https://…`, without a query."));
        }
        let client =
            outside::client(REQUEST, LARGEST, true).map_err(|error| outside::unusable(&error))?;
        Ok(Self { options, back, client, known: Mutex::default() })
    }

    /// What people call it: its host.
    pub(super) fn name(&self) -> String {
        let host = Url::parse(&self.options.issuer).ok();
        host.and_then(|url| url.host_str().map(ToOwned::to_owned)).unwrap_or_default()
    }

    /// Where a person enters, for this visit.
    pub(super) async fn entrance(&self, ticket: &Ticket) -> Result<Url, Problem> {
        let mut url = self.known(KEPT).await?.entrance;
        let scopes = self.options.scopes.iter().map(String::as_str);
        let scope: Vec<&str> = std::iter::once("openid").chain(scopes).collect();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.options.client)
            .append_pair("redirect_uri", &self.back)
            .append_pair("scope", &scope.join(" "))
            .append_pair("state", &ticket.state)
            .append_pair("nonce", &ticket.nonce)
            .append_pair("code_challenge", &ticket.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(url)
    }

    /// The person behind a code, whose token was checked.
    ///
    /// # Errors
    /// If the issuer does not take the code, or the token is not for us, not of this visit, or not
    /// of the issuer.
    pub(super) async fn person(&self, code: &str, ticket: &Ticket) -> Result<Person, Problem> {
        let known = self.known(KEPT).await?;
        let token = self.token(&known, code, ticket).await?;
        let expected = Expected {
            issuer: &self.options.issuer,
            client: &self.options.client,
            nonce: &ticket.nonce,
            at: now() / 1_000,
        };
        let mut person = known.keys.person(&token, &expected);
        if person.as_ref().is_err_and(|refused| *refused == Refused::UnknownKey) {
            person = self.known(SETTLED).await?.keys.person(&token, &expected);
        }
        person.map_err(|refused| {
            tracing::warn!(?refused, "an ID token was refused");
            super::refused("the issuer's token is not valid for this visit")
        })
    }

    /// Gives the code for a token, with what shows that the same browser began.
    async fn token(
        &self,
        known: &Known,
        code: &str,
        ticket: &Ticket,
    ) -> Result<Zeroizing<String>, Problem> {
        let (headers, form) = self.exchange(known, code, ticket)?;
        let answer = self.ask(Method::POST, &known.tokens, headers, form).await;
        let (status, bytes) = answer.map_err(|error| away(&error))?;
        if status != 200 {
            tracing::warn!(status, "the issuer did not take a code");
            return Err(super::refused("the issuer did not take the code"));
        }
        let tokens: Option<Tokens> = serde_json::from_slice(&bytes).ok();
        tokens
            .and_then(|tokens| tokens.id_token)
            .map(Zeroizing::new)
            .ok_or_else(|| super::refused("the issuer gave no ID token"))
    }

    /// The request for a token: its headers, and its form.
    fn exchange(
        &self,
        known: &Known,
        code: &str,
        ticket: &Ticket,
    ) -> Result<(HeaderMap, String), Problem> {
        let id = &self.options.client;
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &self.back)
            .append_pair("code_verifier", &ticket.verifier);
        let mut headers = HeaderMap::new();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, kind);
        match &self.options.secret {
            Some(secret) if !known.posts => {
                let part = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let both = Zeroizing::new(format!("{}:{}", part(id), part(secret)));
                let text = format!("Basic {}", STANDARD.encode(both.as_bytes()));
                let mut value = HeaderValue::from_str(&text)
                    .map_err(|_| Problem::broken("the secret of this client cannot be sent"))?;
                value.set_sensitive(true);
                headers.insert(AUTHORIZATION, value);
            }
            secret => {
                form.append_pair("client_id", id);
                if let Some(secret) = secret {
                    form.append_pair("client_secret", secret);
                }
            }
        }
        Ok((headers, form.finish()))
    }

    /// Addresses and keys of the issuer that are not older than this.
    async fn known(&self, age: i64) -> Result<Known, Problem> {
        let mut kept = self.known.lock().await;
        if let Some((_, known)) = kept.as_ref().filter(|(at, _)| now() - at < age) {
            return Ok(known.clone());
        }
        let known = self.asked().await.map_err(|error| away(&error))?;
        *kept = Some((now(), known.clone()));
        Ok(known)
    }

    /// As if this time had passed since the issuer was asked.
    #[cfg(test)]
    pub(super) async fn age(&self, by: i64) {
        if let Some((at, _)) = self.known.lock().await.as_mut() {
            *at -= by;
        }
    }

    async fn asked(&self) -> Result<Known, NotAsked> {
        let issuer = &self.options.issuer;
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let address = Url::parse(&address).map_err(|_| not_asked("its address is none"))?;
        let document: Document = self.read(&address).await?;
        if document.issuer != *issuer {
            return Err(not_asked("its document is of another issuer"));
        }
        let address = |text: &str| {
            let url = Url::parse(text).ok().filter(|url| Origin::part(url).is_ok());
            url.ok_or(not_asked("an address of it is not permitted"))
        };
        let (entrance, tokens) =
            (address(&document.authorization_endpoint)?, address(&document.token_endpoint)?);
        let keys = self.read(&address(&document.jwks_uri)?).await?;
        let methods = document.token_endpoint_auth_methods_supported;
        let posts = methods.is_some_and(|methods| {
            let has = |name: &str| methods.iter().any(|method| method == name);
            has("client_secret_post") && !has("client_secret_basic")
        });
        Ok(Known { entrance, tokens, posts, keys })
    }

    async fn read<T: for<'d> Deserialize<'d>>(&self, url: &Url) -> Result<T, NotAsked> {
        let (status, bytes) = self.ask(Method::GET, url, HeaderMap::new(), String::new()).await?;
        if status != 200 {
            return Err(not_asked("it does not tell its addresses or its keys"));
        }
        serde_json::from_slice(&bytes).map_err(|_| not_asked("its answer cannot be read"))
    }

    /// Sends a request, over a connection that is encrypted or stays on this machine, wherever the
    /// issuer says that its addresses are. A redirect is not followed.
    async fn ask(
        &self,
        method: Method,
        url: &Url,
        mut headers: HeaderMap,
        text: String,
    ) -> Result<(u16, Zeroizing<Vec<u8>>), NotAsked> {
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let refused = || not_asked("an address of it is not permitted");
        let (origin, path) = Origin::part(url).map_err(|_| refused())?;
        let outgoing = self.client.request(method, &origin, &path).map_err(|_| refused())?;
        let sent = outgoing.headers(headers).body(text).send().await;
        let told = |error| NotAsked(reason(self.client.fault(&error)).into());
        let mut answer = sent.map_err(told)?;
        let bytes = body(&mut answer, LARGEST).await;
        let bytes = bytes.map_err(|error| NotAsked(reason(error).into()))?;
        Ok((answer.status().as_u16(), Zeroizing::new(bytes)))
    }
}

fn away(error: &NotAsked) -> Problem {
    tracing::warn!(%error, "the issuer of OpenID Connect could not be asked");
    Problem::new(503, "no-issuer", "the issuer does not answer as it should")
        .hint("Try again in a minute, or enter with a token of the API.")
}
