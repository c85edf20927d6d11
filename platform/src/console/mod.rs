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
//! | `page` | the frame, and what pages are made of |
//! | `words` | English words for states and remedies |
//! | `form` | forms as they arrive |
//! | `charts` | bars, lines and matrices as SVG and tables |
//! | `connections` | all connections, and one |
//! | `connect` | the form of a connector, its live checks and the staged diagnosis |
//! | `runs` | a run while it goes on and after it |
//! | `members`, `person`, `licences`, `changes` | what the runs found |
//! | `plugins`, `guide` | what an installed connector is and may do, and its guide |

mod changes;
mod charts;
mod connect;
mod connections;
mod form;
mod guard;
mod guide;
mod licences;
mod members;
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
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, SET_COOKIE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use maud::html;
use serde_json::json;
use smp_listing::html::page::STYLE;
use tokio::sync::Semaphore;
use url::Url;

use crate::api::{Api, Hosts};
use crate::members::insights::Insights;
use crate::problem::Problem;
use crate::store::connections::Connection;
use crate::store::tokens::{self, Holder, Role};
use form::Form;
use guard::{Guard, Visitor, WAY_IN};
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
    insights: Insights,
}

impl Console {
    /// The console of a server that is addressed by these names.
    #[must_use]
    pub fn new(api: Api, hosts: Hosts, public: Option<&Url>) -> Self {
        let guard = Arc::new(Guard::new(hosts, public));
        let streams = Arc::new(Semaphore::new(runs::STREAMS));
        Self { api, guard, streams, insights: Insights::default() }
    }

    /// The path of a link that opens the console once, as the operator.
    #[must_use]
    pub fn link(&self) -> String {
        self.guard.link(Holder { id: OPERATOR.into(), role: Role::Admin, tenant: None })
    }

    /// The routes.
    pub fn router(self) -> Router {
        let pages = Router::new()
            .merge(connections::routes())
            .merge(connect::routes())
            .merge(runs::routes())
            .merge(members::routes())
            .merge(person::routes())
            .merge(licences::routes())
            .merge(changes::routes())
            .merge(plugins::routes())
            .route("/leave", post(leave))
            .fallback(|| async { Fault(Problem::not_found("page")) })
            .layer(middleware::from_fn_with_state(self.clone(), guard::entered));
        Router::new()
            .nest(&self.guard.prefix, pages)
            .route(WAY_IN, get(way_in).post(by_token))
            .route("/console/enter/{token}", get(enter))
            .route("/console/links", post(links))
            .route("/console/style.css", get(|| asset("text/css; charset=utf-8", STYLE)))
            .route("/console/script.js", get(|| asset("text/javascript; charset=utf-8", SCRIPT)))
            .route("/console/icon.svg", get(|| asset("image/svg+xml", ICON)))
            .layer(DefaultBodyLimit::max(LARGEST_BODY))
            .layer(middleware::from_fn_with_state(self.clone(), guard::guarded))
            .with_state(self)
    }
}

async fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind)], text).into_response()
}

/// A visit: who looks, and the frame of what is shown.
struct Visit {
    frame: Frame,
    visitor: Visitor,
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
        let found = (parts.extensions.get::<Frame>(), parts.extensions.get::<Visitor>());
        match found {
            (Some(frame), Some(visitor)) => {
                Ok(Self { frame: frame.clone(), visitor: visitor.clone() })
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
                .hint("Enter with a token that has the role `admin`."),
        ))
    }
}

/// Goes on to another page after a form.
fn see(frame: &Frame, path: &str) -> Response {
    Redirect::to(&frame.to(path)).into_response()
}

/// The way in for who has a token.
async fn way_in(State(console): State<Console>) -> Response {
    page::outside("Enter the console", &token_form(&console, None))
}

fn token_form(console: &Console, wrong: Option<&str>) -> maud::Markup {
    html! {
        @if let Some(wrong) = wrong {
            p #wrong .error role="alert" { "✘ " (wrong) }
        }
        form method="post" action=(WAY_IN) .stack {
            label for="token" { "Token of the API" }
            input #token name="token" type="password" autocomplete="off" spellcheck="false" required
                aria-describedby=[wrong.map(|_| "wrong")];
            p .help { "`smp-platform token new` makes one. The page acts with its role, for its tenant." }
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

/// Enters by a link, which opens nothing a second time.
async fn enter(State(console): State<Console>, Path(token): Path<String>) -> Response {
    match console.guard.used(&token) {
        Some(holder) => let_in(&console, holder),
        None => guard::refused(
            "This link does not open the console",
            "It works once, in one browser, for a day. Restart `smp-platform serve` for another \
             link, or enter with a token of the API.",
        ),
    }
}

fn let_in(console: &Console, holder: Holder) -> Response {
    let mut answer = page::onwards(&format!("{}/connections", console.guard.prefix));
    answer.headers_mut().insert(SET_COOKIE, console.guard.enter(holder));
    answer
}

/// Makes a link for the holder of a token: `{"console": "/console/enter/…"}`.
async fn links(State(console): State<Console>, headers: HeaderMap) -> Response {
    let token = headers.get(AUTHORIZATION).and_then(|text| text.to_str().ok());
    let token = token.and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
    match tokens::holder(&console.api.connections.store, token).await {
        Ok(Some(holder)) => Json(json!({"console": console.guard.link(holder)})).into_response(),
        Ok(None) => Problem::new(401, "no-token", "the request has no valid token")
            .hint("Send `Authorization: Bearer TOKEN`.")
            .into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn leave(State(console): State<Console>, visit: Visit) -> Response {
    let mut answer = page::outside(
        "You left the console",
        &html! { p { a href=(WAY_IN) { "Enter with a token" } } },
    );
    answer.headers_mut().insert(SET_COOKIE, console.guard.leave(&visit.visitor));
    answer
}
