//! The routes, and the path of a request: log ▸ rate limit ▸ key ▸ answer ▸ faults ▸ delivery, and
//! the latency around all of it.
//!
//! It does not decide the answers: `endpoints` has those, and `misbehave` the faults.

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State, rejection::PathRejection};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use serde_json::Value;

use super::answers::{
    Answer, RATE_LIMIT_LIMIT, RATE_LIMIT_REMAINING, RATE_LIMIT_RESET, reset_instant,
};
use super::endpoints::{Question, World};
use super::limit::{Pace, Verdict};
use super::log::Log;
use super::misbehave::{Delivery, deliver};
use super::rule::Armed;
use super::{Authorization, Call, Fault, LoggedRequest, Situation};

/// State shared by all connections of a mock.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) world: Mutex<World>,
    pub(super) armed: Mutex<Armed>,
    pub(super) pace: Mutex<Pace>,
    pub(super) log: Log,
    pub(super) key: String,
    pub(super) latency: Duration,
    pub(super) gzip: bool,
}

/// Marks a response that must not be sent: the connection is closed instead.
#[derive(Debug, Clone, Copy)]
pub(super) struct DropConnection;

/// The routes of the API.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    type Id = Result<Path<String>, PathRejection>;
    let own = |call| {
        any(move |State(shared): State<Arc<Shared>>, id: Id, request| {
            handle(shared, call, id.ok(), request)
        })
    };
    let plain = |call| {
        any(move |State(shared): State<Arc<Shared>>, request| handle(shared, call, None, request))
    };
    Router::new()
        .route("/admin/v1/orgs", plain(Call::Orgs))
        .route("/admin/v1/orgs/{id}", own(Call::Org))
        .route("/admin/v1/orgs/{id}/users", own(Call::Users))
        .route("/admin/v1/orgs/{id}/domains", own(Call::Domains))
        .route("/admin/v2/orgs/{id}/directories/-/users/count", own(Call::Count))
        .route("/admin/v2/orgs/{id}/directories/-/users/search", own(Call::Search))
        .route("/admin/v2/orgs/{id}/workspaces", own(Call::Workspaces))
        .route("/admin/api-access/v1/orgs/{id}/api-keys", own(Call::Keys))
        .fallback_service(plain(Call::Any).with_state(Arc::clone(&shared)))
        .with_state(shared)
}

impl Shared {
    pub(super) fn set_situation(&self, situation: Situation) {
        lock(&self.world).situation = situation;
    }

    fn authorization(&self, request: &Request) -> Authorization {
        match request.headers().get(header::AUTHORIZATION) {
            None => Authorization::Absent,
            Some(value)
                if value.as_bytes().strip_prefix(b"Bearer ") == Some(self.key.as_bytes()) =>
            {
                Authorization::Right
            }
            Some(_) => Authorization::Wrong,
        }
    }

    /// The answer before any fault of delivery.
    fn answer(
        &self,
        call: Call,
        request: &LoggedRequest,
        verdict: Verdict,
        id: &str,
        faults: &[Fault],
    ) -> Answer {
        if !verdict.admitted {
            let mut answer = Answer::gateway(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
            answer.headers.push((header::RETRY_AFTER, verdict.reset_seconds.to_string()));
            return answer;
        }
        if request.authorization != Authorization::Right {
            return Answer::gateway(StatusCode::UNAUTHORIZED, "Unauthorized");
        }
        let method = if call.has_body() { Method::POST } else { Method::GET };
        if call != Call::Any && request.method != method.as_str() {
            return Answer::coded(StatusCode::METHOD_NOT_ALLOWED, "ADMIN-405-1");
        }
        let body = request.body.as_deref().map(serde_json::from_str::<Value>);
        if call.has_body() && body.is_none() {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Answer::gateway(status, "Unsupported Media Type");
        }
        let body = match body.transpose() {
            Ok(body) => body,
            Err(_) => return Answer::coded(StatusCode::BAD_REQUEST, "ADMIN-400-24"),
        };
        let (path, cursor) = (request.path.as_str(), request.cursor.as_deref());
        let question = Question { path, organization_id: id, cursor, body: body.as_ref(), faults };
        lock(&self.world).answer(call, question)
    }
}

/// Takes a lock. The guarded values are always complete, so a panic elsewhere does no damage.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Longest body of a request that is read: several times what a client of the API sends.
const LONGEST_BODY: usize = 64 * 1024;

/// Longest error of tokio's timer, which counts in milliseconds.
const TIMER: Duration = Duration::from_millis(2);

async fn handle(
    shared: Arc<Shared>,
    call: Call,
    id: Option<Path<String>>,
    request: Request,
) -> Response {
    let due = Instant::now() + shared.latency;
    let response = answered(&shared, call, id, request).await;
    if !shared.latency.is_zero() {
        tokio::time::sleep_until((due - TIMER.min(shared.latency)).into()).await;
        // Measurements against the latency count tenths of milliseconds.
        let rest = due.saturating_duration_since(Instant::now());
        let _slept = tokio::task::spawn_blocking(move || std::thread::sleep(rest)).await;
    }
    response
}

async fn answered(
    shared: &Arc<Shared>,
    call: Call,
    id: Option<Path<String>>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let request = Request::from_parts(parts, Body::empty());
    let mut entry = logged(shared, call, &request);
    if call.has_body() {
        let body = axum::body::to_bytes(body, LONGEST_BODY).await.unwrap_or_default();
        let is_json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
        let text = String::from_utf8(body.to_vec()).ok();
        entry.body = text.filter(|text| is_json && !text.is_empty());
        let read = entry.body.as_deref().map(serde_json::from_str::<Value>);
        let cursor = read.and_then(Result::ok).and_then(|body| body.get("cursor").cloned());
        entry.cursor = cursor.and_then(|cursor| cursor.as_str().map(str::to_owned));
    }
    let number = shared.log.receive(entry.clone());
    let verdict = lock(&shared.pace).admit(Instant::now());
    let faults = lock(&shared.armed).strike(call);
    for fault in &faults {
        if let Fault::Slow(time) = fault {
            tokio::time::sleep(*time).await;
        }
    }
    let Path(id) = id.unwrap_or(Path(String::new()));
    let answer = shared.answer(call, &entry, verdict, &id, &faults);
    let delivery = deliver(answer, &faults, &entry.path, entry.cursor.as_deref());
    let texts = faults.iter().map(Fault::to_string).collect();
    let Delivery::Sent { status, content_type, headers, mut body } = delivery else {
        shared.log.settle(number, None, texts);
        if matches!(delivery, Delivery::Never) {
            pending::<()>().await;
        }
        let mut response = StatusCode::BAD_GATEWAY.into_response();
        response.extensions_mut().insert(DropConnection);
        return response;
    };
    shared.log.settle(number, Some(status.as_u16()), texts);
    let encoded = headers.iter().any(|(name, _)| name == header::CONTENT_ENCODING);
    let zipped = shared.gzip && !encoded && accepts_gzip(&request) && body.gzipped();
    let mut response = Response::new(Body::new(body));
    *response.status_mut() = status;
    put(&mut response, header::CONTENT_TYPE, content_type);
    // An error from a fault names only the wait that the fault gives.
    if !faults.iter().any(|fault| matches!(fault, Fault::Status(_))) {
        put(&mut response, RATE_LIMIT_LIMIT, &verdict.limit.to_string());
        put(&mut response, RATE_LIMIT_REMAINING, &verdict.remaining.to_string());
        put(&mut response, RATE_LIMIT_RESET, &reset_instant(verdict.reset_seconds));
    }
    if zipped {
        put(&mut response, header::CONTENT_ENCODING, "gzip");
    }
    for (name, value) in headers {
        put(&mut response, name, &value);
    }
    response
}

fn logged(shared: &Shared, call: Call, request: &Request) -> LoggedRequest {
    let text = |name: HeaderName| request.headers().get(name)?.to_str().ok().map(str::to_owned);
    let query = Query::<Vec<(String, String)>>::try_from_uri(request.uri());
    let pairs = query.map(|Query(pairs)| pairs).unwrap_or_default();
    LoggedRequest {
        number: 0,
        call,
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().map(str::to_owned),
        cursor: pairs.into_iter().find(|(name, _)| name == "cursor").map(|(_, cursor)| cursor),
        body: None,
        authorization: shared.authorization(request),
        accept: text(header::ACCEPT),
        user_agent: text(header::USER_AGENT),
        status: None,
        faults: Vec::new(),
        at: Duration::ZERO,
    }
}

fn accepts_gzip(request: &Request) -> bool {
    let accepted =
        request.headers().get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted
        .is_some_and(|codings| codings.split(',').any(|coding| coding.trim().starts_with("gzip")))
}

/// Sets a header. An invalid value (from a rule's text) is left out.
fn put(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
