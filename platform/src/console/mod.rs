//! The console: pages on which people connect, look at runs and members, and see what changed.
//!
//! A page is made on the server and works without a script. The one script asks for the same page
//! again and puts the marked regions of the answer in the place of its own: there is no other
//! interface behind it. Every text of a plugin or a service is hostile, and escaped where it is
//! written.
//!
//! | module | what it is |
//! | --- | --- |
//! | `guard` | who may ask: host, origin, one-time link, session, bounds, headers |
//! | `oidc` | entering by OpenID Connect |
//! | `page` | the frame, and what pages are made of |
//! | `words` | English words for states and remedies |
//! | `form` | forms as they arrive |
//! | `charts` | bars, lines and matrices as SVG and tables |
//! | `connections`, `connection` | all connections, and one |
//! | `connect` | the form of a connector and its live checks |
//! | `diagnosis` | what a check at the service found, in stages |
//! | `runs` | a run while it goes on and after it |
//! | `members`, `person`, `licences`, `changes` | what the runs found |
//! | `plugins` | what an installed connector is and may do, and its guide |

mod changes;
mod charts;
mod connect;
mod connection;
mod connections;
mod diagnosis;
mod form;
mod guard;
mod licences;
mod members;
pub mod oidc;
mod page;
mod person;
mod plugins;
mod runs;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
mod tests;
mod words;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, State};
use axum::http::header::{CONTENT_TYPE, SET_COOKIE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use maud::html;
use serde_json::json;
use smp_listing::html::page::STYLE;
use tokio::sync::Semaphore;
use url::Url;

use crate::api::{Api, Caller, Hosts};
use crate::problem::Problem;
use crate::store::connections::Connection;
use crate::store::tokens::{self, Holder, Role};
use form::Form;
use guard::{Guard, Place, Visitor, WAY_IN};
use page::Frame;

/// The holder behind the link that `serve` prints.
const OPERATOR: &str = "console";
/// Largest body of a request, in bytes: a form with its secrets.
const LARGEST_BODY: usize = 64 * 1024;

const SCRIPT: &str = include_str!("script.js");
const ICON: &str = include_str!("icon.svg");

/// What the pages share.
#[derive(Clone)]
pub struct Console {
    api: Api,
    guard: Arc<Guard>,
    streams: Arc<Semaphore>,
    oidc: Option<Arc<oidc::Oidc>>,
}

impl Console {
    /// The console of a server that is addressed by these names. It sweeps what is over by itself,
    /// so a runtime is needed.
    ///
    /// # Errors
    /// If people are to enter by OpenID Connect, and the issuer cannot be used, or there is no
    /// public address to which it could send them back.
    pub fn new(
        api: Api,
        hosts: Hosts,
        public: Option<&Url>,
        oidc: Option<oidc::Options>,
    ) -> Result<Self, Problem> {
        let oidc = match (oidc, public) {
            (None, _) => None,
            (Some(options), Some(public)) => Some(Arc::new(oidc::Oidc::new(options, public)?)),
            (Some(_), None) => {
                let text = "OpenID Connect needs the public address of the console";
                return Err(Problem::invalid(text).hint(
                    "Name the address by which people reach it: the issuer sends them back.",
                ));
            }
        };
        let guard = Arc::new(Guard::new(hosts, public));
        let insights = api.connections.insights.clone();
        tokio::spawn(guard::swept(Arc::downgrade(&guard), insights));
        let streams = Arc::new(Semaphore::new(runs::STREAMS));
        Ok(Self { api, guard, streams, oidc })
    }

    /// The path of a link that opens the console once, as the operator.
    ///
    /// # Errors
    /// If too many are open that were not used.
    pub fn link(&self) -> Result<String, Problem> {
        self.guard.link(Holder { id: OPERATOR.into(), role: Role::Admin, tenant: None })
    }

    /// The routes.
    pub fn router(self) -> Router {
        let state = self.clone();
        let pages = Router::new()
            .merge(connections::routes())
            .merge(connection::routes())
            .merge(connect::routes())
            .merge(runs::routes())
            .merge(members::routes())
            .merge(person::routes())
            .merge(licences::routes())
            .merge(changes::routes())
            .merge(plugins::routes())
            .route("/leave", post(leave))
            .fallback(|| async { Fault(Problem::not_found("page")) })
            .method_not_allowed_fallback(wrong_method)
            .layer(middleware::from_fn_with_state(state.clone(), guard::entered));
        let doors = Router::new()
            .route(WAY_IN, get(way_in).post(by_token))
            .route("/console/enter/{token}", get(door).post(enter))
            .route(oidc::BEGIN, get(oidc::begin))
            .route(oidc::BACK, get(oidc::back))
            .method_not_allowed_fallback(wrong_method)
            .layer(middleware::from_fn_with_state(state.clone(), guard::at_the_door));
        let assets = Router::new()
            .route("/console/style.css", get(|| asset("text/css; charset=utf-8", STYLE)))
            .route("/console/script.js", get(|| asset("text/javascript; charset=utf-8", SCRIPT)))
            .route("/console/icon.svg", get(|| asset("image/svg+xml", ICON)))
            .method_not_allowed_fallback(wrong_method);
        let programs = Router::new()
            .route("/console/links", post(links))
            .method_not_allowed_fallback(|| async {
                Problem::new(405, "method-not-allowed", "a link is made by a POST")
                    .hint("Send `POST /console/links` with `Authorization: Bearer TOKEN`.")
            })
            .layer(middleware::from_fn_with_state(state.clone(), guard::asked));
        Router::new()
            .nest(&self.guard.prefix, pages)
            .merge(doors)
            .merge(assets)
            .layer(middleware::from_fn_with_state(state, guard::guarded))
            .merge(programs)
            .layer(DefaultBodyLimit::max(LARGEST_BODY))
            .with_state(self)
    }
}

async fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind)], text).into_response()
}

/// An address that takes a form was opened, or the other way round.
async fn wrong_method() -> Fault {
    let text = "this address does not take that kind of request";
    Fault(
        Problem::new(405, "method-not-allowed", text)
            .hint("It is where a form is sent. Go back to the page with the form."),
    )
}

/// A visit: who looks, the frame of what is shown, and the place among those that are answered.
struct Visit {
    frame: Frame,
    visitor: Visitor,
    place: Place,
}

/// A problem that becomes a page in the visitor's frame.
struct Fault(Problem);

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut answer = ().into_response();
        answer.extensions_mut().insert(self.0);
        answer
    }
}

impl FromRequestParts<Console> for Visit {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &Console) -> Result<Self, Fault> {
        let parts = &parts.extensions;
        match (parts.get::<Frame>(), parts.get::<Visitor>(), parts.get::<Place>()) {
            (Some(frame), Some(visitor), Some(place)) => {
                Ok(Self { frame: frame.clone(), visitor: visitor.clone(), place: place.clone() })
            }
            _ => Err(Fault(Problem::broken("the page has no visitor"))),
        }
    }
}

impl Visit {
    /// The tenant whose things the visitor may see; any if there is none.
    fn tenant(&self) -> Option<&str> {
        self.visitor.holder.tenant.as_deref()
    }

    /// A connection that the visitor may see.
    async fn connection(&self, console: &Console, id: &str) -> Result<Connection, Fault> {
        let store = &console.api.connections.store;
        Ok(crate::store::connections::get(store, id, self.tenant()).await?)
    }

    /// The visitor, if it may change something.
    fn admin(&self) -> Result<&Holder, Fault> {
        if self.visitor.holder.role == Role::Admin {
            return Ok(&self.visitor.holder);
        }
        Err(Fault(
            Problem::new(403, "read-only", "a viewer changes nothing")
                .hint("It takes the role `admin`: enter with it, or ask someone who has it."),
        ))
    }
}

/// Goes on to another page after a form.
fn see(frame: &Frame, path: &str) -> Response {
    Redirect::to(&frame.to(path)).into_response()
}

/// The way in for who has a token, or an account at the issuer.
async fn way_in(State(console): State<Console>) -> Response {
    page::outside("Enter the console", &token_form(&console, None))
}

fn token_form(console: &Console, wrong: Option<&str>) -> maud::Markup {
    html! {
        @if let Some(oidc) = &console.oidc { (oidc.link()) }
        @if let Some(wrong) = wrong {
            p #wrong .error role="alert" { "✘ " (wrong) }
        }
        form method="post" action=(WAY_IN) .stack {
            label for="token" { "Token of the API" }
            input #token name="token" type="password" autocomplete="off" spellcheck="false" required
                aria-describedby=[wrong.map(|_| "wrong")];
            p .help {
                "`smp-platform token new` makes one. The page acts with its role, for its tenant."
            }
            button { "Enter" }
        }
        p { a href=(console.guard.prefix.clone() + "/connections") { "I have entered already" } }
    }
}

/// Enters with a token.
async fn by_token(State(console): State<Console>, form: Form) -> Result<Response, Fault> {
    let token = form.text("token").trim();
    match tokens::holder(&console.api.connections.store, token).await {
        Ok(Some(holder)) => Ok(let_in(&console, holder)),
        Ok(None) => {
            let text = "This token is not valid: it may have ended or been revoked.";
            let body = token_form(&console, Some(text));
            let answer = page::outside("Enter the console", &body);
            Ok((axum::http::StatusCode::FORBIDDEN, answer).into_response())
        }
        Err(problem) => Ok(page::problem(None, &problem)),
    }
}

/// A link that was opened. It is used up by the button alone: programs that look at the links in a
/// message before a person does open them too.
async fn door(State(console): State<Console>, Path(token): Path<String>) -> Response {
    if !console.guard.is_link(&token) {
        return no_link();
    }
    let action = format!("{WAY_IN}/enter/{}", page::part(&token));
    let body = html! {
        p { "This link works once: it opens the console in this browser, and in no other." }
        form method="post" action=(action) .stack { button .main autofocus { "Enter the console" } }
    };
    page::outside("Enter the console", &body)
}

/// Enters by a link, which opens nothing a second time.
async fn enter(State(console): State<Console>, Path(token): Path<String>) -> Response {
    match console.guard.used(&token) {
        Some(holder) => let_in(&console, holder),
        None => no_link(),
    }
}

fn no_link() -> Response {
    guard::refused(
        "This link does not open the console",
        "It works once, in one browser, for a day. Restart `smp-platform serve` for another link, \
         or enter without one.",
    )
}

fn let_in(console: &Console, holder: Holder) -> Response {
    let mut answer = page::onwards(&format!("{}/connections", console.guard.prefix));
    answer.headers_mut().insert(SET_COOKIE, console.guard.enter(holder));
    answer
}

/// Makes a link for the holder of a token: `{"console": "/console/enter/…"}`.
async fn links(State(console): State<Console>, mut parts: Parts) -> Result<Response, Problem> {
    let Caller(holder) = Caller::from_request_parts(&mut parts, &console.api).await?;
    Ok(Json(json!({"console": console.guard.link(holder)?})).into_response())
}

async fn leave(State(console): State<Console>, visit: Visit) -> Response {
    let mut answer = page::outside(
        "You left the console",
        &html! { p { a href=(WAY_IN) { "Enter the console" } } },
    );
    answer.headers_mut().insert(SET_COOKIE, console.guard.leave(&visit.visitor));
    answer
}
