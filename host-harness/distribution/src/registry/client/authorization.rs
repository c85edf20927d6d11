//! The header that shows the login: with the login itself, or with a token from the token service
//! that the registry names.

use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use super::answer::Ask;
use super::faults::{explained, led_astray};
use super::{Client, with_header};
use crate::registry::challenge::{self, Challenge};
use crate::registry::login::Login;
use smp_host::failure::{Code, Failure};
use smp_host::http::origin::Origin;
use smp_host::remedy::Remedy;

/// Largest answer of a token service, in bytes. Tokens have a few thousand bytes.
const LARGEST_TOKEN: u64 = 64 * 1024;

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
}

impl Client {
    /// The header that answers a challenge. `None` if there is no login for it.
    pub(super) async fn authorized(
        &self,
        challenge: &Challenge,
        login: Option<&Login>,
    ) -> Result<Option<HeaderValue>, Failure> {
        match (challenge, login) {
            (_, Some(Login::Token(token))) => Ok(bearer(token)),
            (Challenge::Basic, Some(Login::Password { user, password })) => {
                Ok(basic(user, password))
            }
            (Challenge::Basic, _) => Ok(None),
            (Challenge::Bearer { realm, service, scope }, login) => {
                let writes = self.writes.load(Ordering::Relaxed);
                let rights = if writes { "pull,push" } else { "pull" };
                let usual = || format!("repository:{}:{rights}", self.scope);
                let scope = scope.as_deref().map_or_else(usual, |scope| {
                    if writes { scope.to_owned() } else { challenge::reading(scope) }
                });
                let token = self.token(realm, service.as_deref(), &scope, login).await?;
                Ok(bearer(&token))
            }
        }
    }

    /// A token from the service that the registry names.
    async fn token(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: &str,
        login: Option<&Login>,
    ) -> Result<Zeroizing<String>, Failure> {
        let misled = || {
            Failure::new(
                Code::Denied,
                "the registry names a token service that the login must not be sent to",
            )
            .with_remedy(Remedy::ContactSupport)
            .with_hint(
                "Nothing was sent there. A token service must use https, and its URL must have no \
                 user name.",
            )
        };
        let mut realm = Url::parse(realm).map_err(|_| misled())?;
        let mut form = vec![("scope", scope)];
        form.extend(service.map(|service| ("service", service)));
        let posted = match login {
            Some(Login::Identity(token)) => {
                form.extend([
                    ("grant_type", "refresh_token"),
                    ("client_id", self.program.as_str()),
                    ("refresh_token", token.as_str()),
                ]);
                Some(Zeroizing::new(
                    url::form_urlencoded::Serializer::new(String::new())
                        .extend_pairs(&form)
                        .finish(),
                ))
            }
            _ => {
                realm.query_pairs_mut().extend_pairs(&form);
                None
            }
        };
        let (origin, path) = Origin::part(&realm).map_err(|_| misled())?;
        let known = origin == self.origin || self.allowed.contains(&origin);
        let client = if known { &self.named } else { &self.elsewhere };
        let ask = Ask {
            method: if posted.is_some() { Method::POST } else { Method::GET },
            path: path.clone(),
            accept: "application/json",
            body: posted
                .as_ref()
                .map(|form| ("application/x-www-form-urlencoded", form.as_bytes())),
            most: LARGEST_TOKEN,
        };
        let authorization = match login {
            Some(Login::Password { user, password }) => basic(user, password),
            _ => None,
        };
        let request = client
            .request(ask.method.clone(), &origin, &path)
            .map_err(|error| led_astray(error, &origin))?;
        let answer = self
            .answered(with_header(request, authorization), &ask)
            .await
            .map_err(|failure| explained(failure, &origin))?;
        if answer.status != 200 {
            let service = format!("the token service of {}", self.registry);
            return Err(answer.refused(&service, login.is_some()));
        }
        let token: TokenAnswer = serde_json::from_slice(&answer.body).map_err(|_| no_token())?;
        token
            .token
            .or(token.access_token)
            .filter(|token| !token.is_empty())
            .map(Zeroizing::new)
            .ok_or_else(no_token)
    }
}

fn basic(user: &str, password: &str) -> Option<HeaderValue> {
    let pair = Zeroizing::new(format!("{user}:{password}"));
    secret_header(&Zeroizing::new(format!(
        "Basic {}",
        Zeroizing::new(STANDARD.encode(pair.as_bytes())).as_str()
    )))
}

fn bearer(token: &str) -> Option<HeaderValue> {
    secret_header(&Zeroizing::new(format!("Bearer {token}")))
}

fn secret_header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn no_token() -> Failure {
    Failure::new(Code::UnexpectedResponse, "the registry's token service answers with no token")
        .with_remedy(Remedy::LogIn)
        .with_hint("Log in again, and try once more.")
}
