//! What guards the console: the host that is addressed, the page a request comes from, the way in
//! and the session behind it, bounds, and the headers of every answer.
//!
//! ```text
//! request ─▶ host ─▶ page that asks ─▶ body ─▶ a place ─▶ /console…        the way in
//!                         │       └─▶ session ─▶ body ─▶ a place ─▶ /SECRET/…   a page
//!                         └─▶ /console/style.css …                             no place is needed
//! request of a program ─▶ host ─▶ /console/links                               a token
//! ```
//!
//! A place is taken last and given up before work at a service, so that neither a sender that
//! stalls nor a slow service keeps others out. The cookie is bound to a path that cannot be
//! guessed, because browsers send a cookie to every port of a host: another program on this machine
//! never receives it. The path alone opens nothing.

mod sessions;

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sqlx::query;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use super::Console;
use super::oidc;
use super::page;
use crate::api::Hosts;
use crate::clock::now;
use crate::members::insights::Insights;
use crate::problem::Problem;
use crate::store::Store;
use crate::store::tokens::Holder;

pub(super) use sessions::{FormId, Visitor};
use sessions::{SESSION, SWEEP, Sessions};

/// Where the way in is. Everything else is below the secret path.
pub(super) const WAY_IN: &str = "/console";
/// Name of the cookie.
const COOKIE: &str = "smp-console";
/// Requests of those who entered that are answered at the same time, and of those who enter. Event
/// streams have bounds of their own.
const PLACES: usize = 32;
/// How long a request waits for its place.
const LONGEST_QUEUE: Duration = Duration::from_secs(2);
/// How long a form may take to arrive.
const LONGEST_BODY: Duration = Duration::from_secs(10);

/// Trusted Types leave one policy that makes markup of text: that of the console's script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
                      base-uri 'none'; require-trusted-types-for 'script'; trusted-types console";

/// The guard of one process.
pub(super) struct Guard {
    /// The secret path, as `/0123456789abcdef`.
    pub(super) prefix: String,
    /// Links, sessions, and the keys of forms.
    pub(super) sessions: Sessions,
    hosts: Hosts,
    origins: Vec<String>,
    secure: bool,
    places: Arc<Semaphore>,
    doors: Arc<Semaphore>,
}

/// The place of a request among those that are answered.
#[derive(Clone)]
pub(super) struct Place(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl Place {
    /// A place among these, once one is free.
    pub(super) async fn among(places: &Arc<Semaphore>) -> Result<Self, Problem> {
        let place = tokio::time::timeout(LONGEST_QUEUE, Arc::clone(places).acquire_owned()).await;
        let place = place.ok().and_then(Result::ok).ok_or_else(|| {
            Problem::new(503, "busy", "too many requests are answered at the moment")
                .hint("Try again in a few seconds.")
        })?;
        Ok(Self(Arc::new(Mutex::new(Some(place)))))
    }

    /// Gives the place up: what follows takes long, and has a bound of its own.
    pub(super) fn give_up(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Guard {
    pub(super) fn new(hosts: Hosts, public: Option<&Url>) -> Self {
        let scheme = if public.is_some() { "https" } else { "http" };
        let origins = hosts.names().iter().map(|name| format!("{scheme}://{name}")).collect();
        let places = || Arc::new(Semaphore::new(PLACES));
        Self {
            prefix: format!("/{:016x}", rand::random::<u64>()),
            sessions: Sessions::default(),
            hosts,
            origins,
            secure: public.is_some(),
            places: places(),
            doors: places(),
        }
    }

    /// A link that opens the console once. The session behind it acts as this holder.
    ///
    /// # Errors
    /// If the holder has too many that were not used.
    pub(super) fn link(&self, holder: Holder) -> Result<String, Problem> {
        let secret = self.sessions.link(holder).ok_or_else(|| {
            Problem::new(503, "too-many-links", "this token has too many links that were not used")
                .hint("Use one of them. A link that is not used ends after a day.")
        })?;
        Ok(format!("{WAY_IN}/enter/{secret}"))
    }

    /// Whether a link would open the console. It is not used up.
    pub(super) fn is_link(&self, secret: &str) -> bool {
        self.sessions.is_link(secret)
    }

    /// The holder of a link, which opens nothing from now on.
    pub(super) fn used(&self, secret: &str) -> Option<Holder> {
        self.sessions.used(secret)
    }

    /// Begins a session: the value of `Set-Cookie`.
    pub(super) fn enter(&self, holder: Holder) -> HeaderValue {
        self.cookie(&self.sessions.enter(holder), SESSION / 1_000)
    }

    fn cookie(&self, value: &str, seconds: i64) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        let text = format!(
            "{COOKIE}={value}; Path={}/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}",
            self.prefix
        );
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// Ends a session: the value of `Set-Cookie`.
    pub(super) fn leave(&self, visitor: &Visitor) -> HeaderValue {
        self.sessions.leave(visitor);
        self.cookie("", 0)
    }

    /// Who shows this cookie.
    fn visitor(&self, headers: &HeaderMap) -> Option<Visitor> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|text| text.to_str().ok());
        let secret = cookies
            .flat_map(|text| text.split(';'))
            .find_map(|one| one.trim().strip_prefix(COOKIE)?.strip_prefix('='))?;
        self.sessions.visitor(secret)
    }

    /// Whether the session of a visitor goes on: it was not left, and its token is valid still.
    ///
    /// # Errors
    /// If the database fails.
    pub(super) async fn goes_on(&self, store: &Store, visitor: &Visitor) -> Result<bool, Problem> {
        Ok(self.sessions.goes_on(visitor) && valid(store, &visitor.holder).await?)
    }

    /// Whether a request may come from where it comes from.
    fn permits(&self, request: &Request) -> bool {
        let text = |name: &str| {
            request.headers().get(name).map(|value| value.to_str().unwrap_or("unreadable"))
        };
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        match text("sec-fetch-site") {
            Some("same-origin") => true,
            // Typed, or from a bookmark.
            Some("none") => reads,
            // A link in a message, and the issuer of OpenID Connect, may lead to the way in, and
            // nowhere else.
            Some(_) => {
                let path = request.uri().path();
                let leads_in =
                    [WAY_IN, oidc::BACK].contains(&path) || path.starts_with("/console/enter/");
                reads
                    && leads_in
                    && text("sec-fetch-mode") == Some("navigate")
                    && text("sec-fetch-dest") == Some("document")
            }
            // An older browser, or a program.
            None => match text("origin") {
                Some(origin) => self.origins.iter().any(|own| own.eq_ignore_ascii_case(origin)),
                None => reads,
            },
        }
    }
}

/// Sweeps what is over, as long as the console is there.
pub(super) async fn swept(guard: Weak<Guard>, insights: Insights) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let Some(guard) = guard.upgrade() else { return };
        guard.sessions.sweep(now());
        insights.sweep(now());
    }
}

/// What every request of a browser passes, and every answer, refusals too.
pub(super) async fn guarded(
    State(console): State<Console>,
    request: Request,
    next: Next,
) -> Response {
    let guard = &console.guard;
    let answer = if !guard.hosts.permit(&request) {
        let scheme = if guard.secure { "https" } else { "http" };
        let names = guard.hosts.names().iter().map(|name| format!("{scheme}://{name}{WAY_IN}"));
        refused(
            "The console is not addressed by this name",
            &format!(
                "Use {}. Another name could be a page elsewhere that pretends to be this machine.",
                names.collect::<Vec<_>>().join(" or ")
            ),
        )
    } else if !guard.permits(&request) {
        refused(
            "This request comes from another page",
            "Only pages of the console may ask for its pages. Open the console itself, and go on \
             from there.",
        )
    } else {
        let mut answer = next.run(request).await;
        match answer.extensions_mut().remove::<Problem>() {
            Some(problem) => page::problem(None, &problem),
            None => answer,
        }
    };
    sealed(answer)
}

/// What a request of a program passes: the host alone. It shows a token in a header that no page of
/// another origin can send.
pub(super) async fn asked(
    State(console): State<Console>,
    request: Request,
    next: Next,
) -> Response {
    let guard = &console.guard;
    sealed(if !guard.hosts.permit(&request) {
        Problem::new(403, "wrong-host", "the console is not addressed by this name")
            .hint(format!("Use {}.", guard.hosts.names().join(" or ")))
            .into_response()
    } else {
        match Place::among(&guard.doors).await {
            Ok(_place) => next.run(request).await,
            Err(problem) => problem.into_response(),
        }
    })
}

/// An answer with the headers of all.
fn sealed(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        // Not `no-referrer`: with it, browsers send no origin with the console's own forms.
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-frame-options", "DENY"),
        ("content-security-policy", POLICY),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    answer
}

/// The request with its body, which has arrived.
pub(super) async fn whole(request: Request) -> Result<Request, Problem> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    let arriving = Bytes::from_request(Request::from_parts(parts.clone(), body), &());
    let again = "Go back, and send it again.";
    let bytes = match tokio::time::timeout(LONGEST_BODY, arriving).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(refused)) if refused.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let text = "the form is too large";
            return Err(Problem::new(413, "too-large", text).hint(again));
        }
        Ok(Err(_)) => {
            let text = "the form could not be read";
            return Err(Problem::new(400, "malformed", text).hint(again));
        }
        Err(_) => {
            let text = "the form did not arrive in time";
            return Err(Problem::new(408, "too-slow", text).hint(again));
        }
    };
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// The checks on the way in: the form is there, and a place is free.
pub(super) async fn at_the_door(
    State(console): State<Console>,
    request: Request,
    next: Next,
) -> Response {
    let placed = async {
        let request = whole(request).await?;
        Ok((request, Place::among(&console.guard.doors).await?))
    };
    match placed.await {
        Ok((mut request, place)) => {
            request.extensions_mut().insert(place.clone());
            let answer = next.run(request).await;
            place.give_up();
            answer
        }
        Err(problem) => page::problem(None, &problem),
    }
}

/// What every page below the secret path passes: a session, and then a place. Problems become pages
/// here.
pub(super) async fn entered(
    State(console): State<Console>,
    request: Request,
    next: Next,
) -> Response {
    let guard = &console.guard;
    let visitor = match guard.visitor(request.headers()) {
        Some(visitor) => match valid(&console.api.connections.store, &visitor.holder).await {
            Ok(true) => Some(visitor),
            Ok(false) => {
                guard.leave(&visitor);
                None
            }
            Err(problem) => return page::problem(None, &problem),
        },
        None => None,
    };
    let Some(visitor) = visitor else {
        return refused(
            "The console is open to the browser that entered it",
            "A visit ends after twelve hours, or when you leave. Enter again. The link that \
             `smp-platform serve` printed works once, in one browser.",
        );
    };
    let frame = page::Frame::new(&console, &visitor.holder, request.uri().path());
    let placed = async {
        let request = whole(request).await?;
        Ok((request, Place::among(&guard.places).await?))
    };
    let (mut request, place) = match placed.await {
        Ok(placed) => placed,
        Err(problem) => return page::problem(Some(&frame), &problem),
    };
    request.extensions_mut().insert(visitor);
    request.extensions_mut().insert(frame.clone());
    request.extensions_mut().insert(place.clone());
    let mut answer = next.run(request).await;
    place.give_up();
    match answer.extensions_mut().remove::<Problem>() {
        Some(problem) => page::problem(Some(&frame), &problem),
        None => answer,
    }
}

/// Whether the token behind a session is valid still. The link of `serve` has none, and who entered
/// by OpenID Connect showed one once.
async fn valid(store: &Store, holder: &Holder) -> Result<bool, Problem> {
    if holder.id == super::OPERATOR || holder.id.starts_with(oidc::PERSON) {
        return Ok(true);
    }
    let sql = "SELECT 1 FROM tokens WHERE id = $1 AND revoked IS NULL \
               AND (expires IS NULL OR expires > $2)";
    let row = query(sql).bind(holder.id.clone()).bind(now());
    Ok(row.fetch_optional(store.read()).await?.is_some())
}

/// A refusal that says what to do.
pub(super) fn refused(title: &str, text: &str) -> Response {
    (StatusCode::FORBIDDEN, page::plain(title, text)).into_response()
}
