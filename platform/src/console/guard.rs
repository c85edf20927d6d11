//! What guards the console: the host that is addressed, the page a request comes from, the way in
//! and the session behind it, bounds, and the headers of every answer.
//!
//! ```text
//! request ─▶ host ─▶ page that asks ─▶ a free place ─▶ /console…      the way in, no session
//!                                                  └─▶ /SECRET/…      session ─▶ a page
//! ```
//!
//! The cookie is bound to a path that nobody can guess, because browsers send a cookie to every
//! port of a host: another program on this machine never receives it. The path alone opens nothing.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use sqlx::query;
use tokio::sync::Semaphore;
use url::Url;

use super::Console;
use super::page;
use crate::api::Hosts;
use crate::clock::{HOUR, now};
use crate::connections::Secrets;
use crate::problem::Problem;
use crate::store::Store;
use crate::store::tokens::Holder;

/// Where the way in is. Everything else is below the secret path.
pub(super) const WAY_IN: &str = "/console";
/// Name of the cookie.
const COOKIE: &str = "smp-console";
/// How long a session lasts: a working day.
const SESSION: i64 = 12 * HOUR;
/// How long a link that nobody used opens the console.
const LINK: i64 = 24 * HOUR;
/// How long a pasted key is held between two checks of a form.
const HELD: i64 = HOUR / 4;
/// Wrong links after which no link opens anything: the right one has 128 bits.
const WRONG_LINKS: u32 = 5;
/// Sessions, and links, at the same time: far more than people who look.
const MOST_SESSIONS: usize = 256;
/// Requests that are answered at the same time. Event streams have bounds of their own.
const PLACES: usize = 32;

/// Trusted Types leave one policy that makes markup of text: that of the console's script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
                      base-uri 'none'; require-trusted-types-for 'script'; trusted-types console";

/// The guard of one process.
pub(super) struct Guard {
    /// The secret path, as `/0123456789abcdef`.
    pub(super) prefix: String,
    hosts: Hosts,
    origins: Vec<String>,
    secure: bool,
    links: Mutex<Links>,
    sessions: Mutex<HashMap<Vec<u8>, Session>>,
    places: Semaphore,
}

#[derive(Default)]
struct Links {
    open: HashMap<Vec<u8>, (Holder, i64)>,
    wrong: u32,
}

struct Session {
    holder: Holder,
    until: i64,
    held: Option<Held>,
}

/// Secrets that were pasted into the form of a connector, until they are used or forgotten.
struct Held {
    connector: String,
    secrets: Secrets,
    until: i64,
}

/// Who looks, and by which session.
#[derive(Clone)]
pub(super) struct Visitor {
    pub(super) holder: Holder,
    session: Vec<u8>,
}

impl Guard {
    pub(super) fn new(hosts: Hosts, public: Option<&Url>) -> Self {
        let scheme = if public.is_some() { "https" } else { "http" };
        let origins = hosts.names().iter().map(|name| format!("{scheme}://{name}")).collect();
        Self {
            prefix: format!("/{:016x}", rand::random::<u64>()),
            hosts,
            origins,
            secure: public.is_some(),
            links: Mutex::default(),
            sessions: Mutex::default(),
            places: Semaphore::new(PLACES),
        }
    }

    /// A link that opens the console once. The session behind it acts as this holder.
    pub(super) fn link(&self, holder: Holder) -> String {
        let token = format!("{:032x}", rand::random::<u128>());
        let mut links = locked(&self.links);
        links.open.retain(|_, (_, until)| *until > now());
        if links.open.len() < MOST_SESSIONS {
            links.open.insert(hash(&token), (holder, now() + LINK));
        }
        format!("{WAY_IN}/enter/{token}")
    }

    /// The holder of a link, which opens nothing from now on.
    pub(super) fn used(&self, token: &str) -> Option<Holder> {
        let mut links = locked(&self.links);
        if let Some((holder, until)) = links.open.remove(&hash(token)) {
            return (until > now()).then_some(holder);
        }
        links.wrong = links.wrong.saturating_add(1);
        if links.wrong >= WRONG_LINKS {
            links.open.clear();
        }
        None
    }

    /// Begins a session: the value of `Set-Cookie`.
    pub(super) fn enter(&self, holder: Holder) -> HeaderValue {
        let random: [u8; 32] = rand::random();
        let secret = URL_SAFE_NO_PAD.encode(random);
        let mut sessions = locked(&self.sessions);
        sessions.retain(|_, session| session.until > now());
        if sessions.len() >= MOST_SESSIONS {
            let first = sessions.iter().min_by_key(|(_, session)| session.until);
            if let Some(first) = first.map(|(key, _)| key.clone()) {
                sessions.remove(&first);
            }
        }
        let session = Session { holder, until: now() + SESSION, held: None };
        sessions.insert(hash(&secret), session);
        self.cookie(&secret, SESSION / 1_000)
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
        locked(&self.sessions).remove(&visitor.session);
        self.cookie("", 0)
    }

    /// Who shows this cookie.
    fn visitor(&self, headers: &HeaderMap) -> Option<Visitor> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|text| text.to_str().ok());
        let secret = cookies
            .flat_map(|text| text.split(';'))
            .find_map(|one| one.trim().strip_prefix(COOKIE)?.strip_prefix('='))?;
        let session = hash(secret);
        let sessions = locked(&self.sessions);
        let found = sessions.get(&session).filter(|session| session.until > now())?;
        Some(Visitor { holder: found.holder.clone(), session })
    }

    /// Keeps the secrets of a form until it is checked again.
    pub(super) fn hold(&self, visitor: &Visitor, connector: &str, secrets: Secrets) {
        if let Some(session) = locked(&self.sessions).get_mut(&visitor.session) {
            let connector = connector.to_owned();
            session.held = Some(Held { connector, secrets, until: now() + HELD });
        }
    }

    /// The secrets that are kept for the form of this connector.
    pub(super) fn held(&self, visitor: &Visitor, connector: &str) -> Option<Secrets> {
        let mut sessions = locked(&self.sessions);
        let session = sessions.get_mut(&visitor.session)?;
        if session.held.as_ref().is_some_and(|held| held.until <= now()) {
            session.held = None;
        }
        let held = session.held.as_ref().filter(|held| held.connector == connector)?;
        Some(held.secrets.clone())
    }

    /// Forgets the secrets of a form.
    pub(super) fn forget(&self, visitor: &Visitor) {
        if let Some(session) = locked(&self.sessions).get_mut(&visitor.session) {
            session.held = None;
        }
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
            // A link in a message may lead to the way in, and nowhere else.
            Some(_) => {
                let path = request.uri().path();
                let leads_in = path == WAY_IN || path.starts_with("/console/enter/");
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

/// What every request of the console passes, and every answer, refusals too.
pub(super) async fn guarded(
    State(console): State<Console>,
    request: Request,
    next: Next,
) -> Response {
    let guard = &console.guard;
    let mut answer = if !guard.hosts.permit(&request) {
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
    } else if let Ok(place) = guard.places.try_acquire() {
        let mut answer = next.run(request).await;
        drop(place);
        match answer.extensions_mut().remove::<Problem>() {
            Some(problem) => page::problem(None, &problem),
            None => answer,
        }
    } else {
        let text = "Too many requests are answered at the moment. Try again in a few seconds.";
        let mut answer = refused("The console is busy", text);
        *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        answer
    };
    let headers = answer.headers_mut();
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-frame-options", "DENY"),
        ("content-security-policy", POLICY),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    answer
}

/// What every page below the secret path passes: a session. Problems become pages here.
pub(super) async fn entered(
    State(console): State<Console>,
    mut request: Request,
    next: Next,
) -> Response {
    let visitor = match console.guard.visitor(request.headers()) {
        Some(visitor) => match valid(&console.api.connections.store, &visitor.holder).await {
            Ok(true) => Some(visitor),
            Ok(false) => {
                console.guard.leave(&visitor);
                None
            }
            Err(problem) => return page::problem(None, &problem),
        },
        None => None,
    };
    let Some(visitor) = visitor else {
        return refused(
            "The console is open to the browser that entered it",
            "Open the link that `smp-platform serve` printed; it works once, in one browser. Or \
             enter with a token of the API.",
        );
    };
    let frame = page::Frame::new(&console, &visitor.holder, request.uri().path());
    request.extensions_mut().insert(visitor);
    request.extensions_mut().insert(frame.clone());
    let mut answer = next.run(request).await;
    match answer.extensions_mut().remove::<Problem>() {
        Some(problem) => page::problem(Some(&frame), &problem),
        None => answer,
    }
}

/// Whether the token behind a session is valid still. The link of `serve` has none.
async fn valid(store: &Store, holder: &Holder) -> Result<bool, Problem> {
    if holder.id == super::OPERATOR {
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

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}
