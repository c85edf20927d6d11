//! Entering by OpenID Connect: an authorization code flow of our own, at one issuer, with PKCE.
//!
//! ```text
//! /console/oidc ─▶ the issuer, with state, nonce and challenge ─▶ /console/oidc/back?code=…&state=…
//!      └─ a sealed cookie has state, nonce and verifier ─┘            │
//!                            a session ◀─ the claim ◀─ the ID token ◀─┘ code and verifier
//! ```
//!
//! Nothing is kept between the two requests but in the cookie, so that no client can fill
//! the memory.
//!
//! | module | what it is |
//! | --- | --- |
//! | `ticket` | what the browser carries to the issuer and back |
//! | `issuer` | the requests to the issuer |
//! | `token` | the checks of its token |
//! | `claim` | whom the token lets in, as what |

mod claim;
mod issuer;
mod ticket;
mod token;

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use tokio::sync::Semaphore;
use url::Url;
use zeroize::Zeroizing;

use super::form::Query;
use super::guard::Place;
use super::page::said;
use super::{Console, Fault, let_in};
use crate::clock::now;
use crate::problem::Problem;
use issuer::Issuer;
use ticket::{Ticket, Tickets};

/// Where the flow begins and ends.
pub(super) const BEGIN: &str = "/console/oidc";
pub(super) const BACK: &str = "/console/oidc/back";
/// How the ids of people begin who entered so.
pub(super) const PERSON: &str = "oidc:";
/// Visits at the same time for which the issuer is asked.
const PLACES: usize = 16;
/// How long a person may take at the issuer.
const PATIENCE: i64 = 10 * 60_000;

/// How people enter by OpenID Connect.
#[derive(Clone)]
pub struct Options {
    /// The issuer, to the letter as its tokens name it.
    pub issuer: String,
    /// The id of this client there.
    pub client: String,
    /// Its secret, if it has one.
    pub secret: Option<Zeroizing<String>>,
    /// The claim that names role and tenant.
    pub claim: String,
    /// Scopes that are asked for beside `openid`, so that the token has the claim.
    pub scopes: Vec<String>,
}

/// The flow at one issuer.
pub(super) struct Oidc {
    issuer: Issuer,
    tickets: Tickets,
    claim: String,
    places: Arc<Semaphore>,
}

impl Oidc {
    /// The flow of a console that is reached at this address.
    ///
    /// # Errors
    /// If the issuer's address cannot be used.
    pub(super) fn new(options: Options, public: &Url) -> Result<Self, Problem> {
        let claim = options.claim.clone();
        let back = format!("{}{BACK}", public.as_str().trim_end_matches('/'));
        let places = Arc::new(Semaphore::new(PLACES));
        Ok(Self { issuer: Issuer::new(options, back)?, tickets: Tickets::new()?, claim, places })
    }

    /// As if this time had passed since the issuer was asked.
    #[cfg(test)]
    pub(super) async fn age(&self, by: i64) {
        self.issuer.age(by).await;
    }

    /// The link to the issuer, on the page of the way in.
    pub(super) fn link(&self) -> Markup {
        html! {
            p { a .button .main href=(BEGIN) { "Enter with " (said(&self.issuer.name())) } }
        }
    }
}

fn flow(console: &Console) -> Result<&Oidc, Fault> {
    console.oidc.as_deref().ok_or_else(|| Fault(Problem::not_found("page")))
}

/// Leads on to the issuer.
pub(super) async fn begin(
    State(console): State<Console>,
    Extension(door): Extension<Place>,
) -> Result<Response, Fault> {
    let flow = flow(&console)?;
    // The issuer may be slow: who enters otherwise does not wait for it.
    door.give_up();
    let _place = Place::among(&flow.places).await?;
    let ticket = Ticket::new(now() + PATIENCE);
    let to = flow.issuer.entrance(&ticket).await?;
    let to = HeaderValue::from_str(to.as_str())
        .map_err(|_| Problem::broken("the address of the issuer cannot be sent"))?;
    let cookie = flow.tickets.cookie(&ticket)?;
    Ok((StatusCode::SEE_OTHER, [(LOCATION, to), (SET_COOKIE, cookie)]).into_response())
}

/// Comes back from the issuer, with a code or with its refusal.
pub(super) async fn back(
    State(console): State<Console>,
    Extension(door): Extension<Place>,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Fault> {
    let flow = flow(&console)?;
    let begun = flow.tickets.shown(&headers).filter(|ticket| ticket.until > now());
    let begun = begun.filter(|ticket| query.get("state") == Some(ticket.state.as_str()));
    let Some(ticket) = begun else {
        return Err(refused("this browser did not begin to enter here, or too long ago").into());
    };
    if let Some(error) = query.get("error") {
        let text = query.get("error_description").unwrap_or(error);
        return Err(refused(&format!("the issuer refused: {text}")).into());
    }
    let code = query.get("code").ok_or_else(|| refused("the issuer gave no code"))?;
    door.give_up();
    let _place = Place::among(&flow.places).await?;
    let person = flow.issuer.person(code, &ticket).await?;
    let holder = claim::holder(&person, &flow.claim)?;
    tracing::info!(role = holder.role.as_str(), "somebody entered by OpenID Connect");
    let mut answer = let_in(&console, holder);
    answer.headers_mut().append(SET_COOKIE, flow.tickets.none());
    Ok(answer)
}

/// A refusal of a person who comes from the issuer.
fn refused(text: &str) -> Problem {
    Problem::new(403, "not-entered", text)
        .hint("Go back to `/console`, and begin there. If it stays, ask who runs this platform.")
}
