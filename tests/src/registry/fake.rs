//! A registry in this process: enough of the distribution specification for a push and a pull,
//! optionally with the referrers API, and with answers that can be made to lie.

#![expect(clippy::expect_used, reason = "a test that cannot run says so by panicking")]

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const LARGEST_BODY: usize = 32 * 1024 * 1024;

/// A registry that can be told to lie.
pub struct FakeRegistry {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<tokio::runtime::Runtime>,
}

/// A received request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The path and the query.
    pub path: String,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The body, if it is a form.
    pub form: String,
}

struct Shared {
    referrers: bool,
    store: Mutex<Store>,
}

#[derive(Default)]
struct Store {
    blobs: BTreeMap<String, Bytes>,
    /// By tag and by digest: the media type and the bytes.
    manifests: BTreeMap<String, (String, Bytes)>,
    lies: Vec<(String, Lie)>,
    /// Where the second page of a list is, if lists come in pages.
    pages: Option<String>,
    token_service: Option<String>,
    /// In place of the usual challenge; `{}` in it is the token service.
    challenge: Option<String>,
    /// Whether the token service accepts no login.
    refuses_logins: bool,
    seen: Vec<Seen>,
}

#[derive(Clone)]
enum Lie {
    Bytes(Bytes),
    Endless,
    Redirect(String),
    Location(String),
    Status(u16),
    /// A status so many times, then the truth.
    Passing(u16, usize),
}

impl FakeRegistry {
    /// Starts one with the referrers API.
    #[must_use]
    pub fn start() -> Self {
        Self::with(true)
    }

    /// Starts one without it.
    #[must_use]
    pub fn without_referrers() -> Self {
        Self::with(false)
    }

    fn with(referrers: bool) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared { referrers, store: Mutex::default() });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        runtime.spawn(async { axum::serve(listener, router).await });
        Self { address, shared, runtime: Some(runtime) }
    }

    /// Host and port.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Answers with these bytes for paths with this ending.
    pub fn serve(&self, path: &str, bytes: &[u8]) {
        self.lie(path, Lie::Bytes(Bytes::copy_from_slice(bytes)));
    }

    /// Answers with a body that does not end.
    pub fn serve_without_end(&self, path: &str) {
        self.lie(path, Lie::Endless);
    }

    /// Redirects to another place.
    pub fn redirect(&self, path: &str, place: &str) {
        self.lie(path, Lie::Redirect(place.to_owned()));
    }

    /// Redirects uploads to another place.
    pub fn upload_to(&self, place: &str) {
        self.lie("/blobs/uploads/", Lie::Location(place.to_owned()));
    }

    /// Answers with this status only.
    pub fn refuse(&self, path: &str, status: u16) {
        self.lie(path, Lie::Status(status));
    }

    /// Answers so many times with this status, then as usual.
    pub fn refuse_for_a_moment(&self, path: &str, status: u16, times: usize) {
        self.lie(path, Lie::Passing(status, times));
    }

    /// Asks for a token in these words; `{}` in them is the token service.
    pub fn challenge_with(&self, words: &str) {
        self.store().challenge = Some(words.to_owned());
    }

    /// From now on the token service accepts no login, and gives tokens without one.
    pub fn refuse_logins(&self) {
        self.store().refuses_logins = true;
    }

    /// Puts content there, and gives its digest.
    pub fn put_blob(&self, bytes: &[u8]) -> String {
        let digest = digest(bytes);
        self.store().blobs.insert(digest.clone(), Bytes::copy_from_slice(bytes));
        digest
    }

    /// From now on requires the token `good`, which the service at this URL gives; `{}` in it is
    /// this registry.
    pub fn ask_for_a_token_of(&self, realm: &str) {
        self.store().token_service = Some(realm.replace("{}", &format!("http://{}", self.address)));
    }

    /// From now on lists have pages of one entry; `{}` in the address of the next page is this
    /// registry.
    pub fn list_in_pages_at(&self, place: &str) {
        self.store().pages = Some(place.replace("{}", &format!("http://{}", self.address)));
    }

    /// Tells the truth again.
    pub fn repent(&self) {
        self.store().lies.clear();
    }

    /// The manifest of a tag or a digest.
    #[must_use]
    pub fn manifest(&self, place: &str) -> Option<Value> {
        let bytes = self.store().manifests.get(place)?.1.clone();
        serde_json::from_slice(&bytes).ok()
    }

    /// Puts a manifest there, under a tag.
    pub fn put_manifest(&self, tag: &str, manifest: &Value) {
        let kept = (
            "application/vnd.oci.image.manifest.v1+json".to_owned(),
            Bytes::from(manifest.to_string()),
        );
        let mut store = self.store();
        store.manifests.insert(digest(&kept.1), kept.clone());
        store.manifests.insert(tag.to_owned(), kept);
    }

    /// Moves a tag to the target of another tag or digest.
    pub fn move_tag(&self, tag: &str, from: &str) {
        let mut store = self.store();
        let kept = store.manifests.get(from).cloned();
        kept.map(|kept| store.manifests.insert(tag.to_owned(), kept));
    }

    /// Removes a tag or a digest.
    pub fn remove(&self, place: &str) {
        self.store().manifests.remove(place);
    }

    /// All tags.
    #[must_use]
    pub fn tags(&self) -> Vec<String> {
        self.store()
            .manifests
            .keys()
            .filter(|place| !place.starts_with("sha256:"))
            .cloned()
            .collect()
    }

    /// The requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.store().seen.clone()
    }

    fn lie(&self, path: &str, lie: Lie) {
        self.store().lies.push((path.to_owned(), lie));
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.shared.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FakeRegistry {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST_BODY).await.unwrap_or_default();
    let (path, query) =
        (parts.uri.path().to_owned(), parts.uri.query().unwrap_or_default().to_owned());
    let authorization = parts
        .headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .map(ToOwned::to_owned);
    let mut store = shared.store.lock().unwrap_or_else(PoisonError::into_inner);
    let is_form = parts
        .headers
        .get("content-type")
        .is_some_and(|value| value == "application/x-www-form-urlencoded");
    let form = if is_form { String::from_utf8_lossy(&body).into_owned() } else { String::new() };
    let seen = Seen {
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        authorization: authorization.clone(),
        form,
    };
    store.seen.push(seen);
    let has_login = authorization.is_some() || !form_of(&store.seen).is_empty();
    if path == "/token" && store.refuses_logins && has_login {
        return StatusCode::FORBIDDEN.into_response();
    }
    if path == "/token" {
        return axum::Json(json!({ "token": "good" })).into_response();
    }
    if let Some(realm) =
        store.token_service.as_ref().filter(|_| authorization.as_deref() != Some("Bearer good"))
    {
        let usual = "Bearer realm=\"{}\",service=\"fake\",scope=\"repository:it:pull\"";
        let challenge = store.challenge.as_deref().unwrap_or(usual).replace("{}", realm);
        return (StatusCode::UNAUTHORIZED, [("www-authenticate", challenge)]).into_response();
    }
    for (_, lie) in store.lies.iter_mut().filter(|(end, _)| path.ends_with(end.as_str())) {
        if let Lie::Passing(status, times) = lie
            && *times > 0
        {
            *times -= 1;
            return StatusCode::from_u16(*status).unwrap_or_default().into_response();
        }
    }
    let told =
        store.lies.iter().find(|(end, _)| path.ends_with(end.as_str())).map(|(_, lie)| lie.clone());
    match told {
        Some(Lie::Bytes(bytes)) if parts.method == Method::GET => return bytes.into_response(),
        Some(Lie::Endless) if parts.method == Method::GET => {
            return Body::new(Endless).into_response();
        }
        Some(Lie::Redirect(place)) if parts.method == Method::GET => {
            return (StatusCode::TEMPORARY_REDIRECT, [("location", place)]).into_response();
        }
        Some(Lie::Location(place)) => {
            return (StatusCode::ACCEPTED, [("location", place)]).into_response();
        }
        Some(Lie::Status(status)) => {
            return StatusCode::from_u16(status).unwrap_or_default().into_response();
        }
        _ => {}
    }
    let Some((_, rest)) = path.split_once("/it/") else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match rest.split_once('/') {
        Some(("manifests", place)) => {
            store.manifest(&parts.method, place, &parts.headers, body, shared.referrers)
        }
        Some(("blobs", place)) => store.blob(&parts.method, place, &query, body),
        Some(("referrers", subject)) if shared.referrers => store.referrers(subject, &query),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The form of the latest request.
fn form_of(seen: &[Seen]) -> &str {
    seen.last().map_or("", |seen| &seen.form)
}

impl Store {
    fn manifest(
        &mut self,
        method: &Method,
        place: &str,
        headers: &HeaderMap,
        body: Bytes,
        referrers: bool,
    ) -> Response {
        if *method != Method::PUT {
            let Some((media_type, bytes)) = self.manifests.get(place) else {
                return StatusCode::NOT_FOUND.into_response();
            };
            return (
                [("content-type", media_type.clone()), ("docker-content-digest", digest(bytes))],
                bytes.clone(),
            )
                .into_response();
        }
        let media_type = headers
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let manifest: Value = serde_json::from_slice(&body).unwrap_or_default();
        let subject = manifest
            .pointer("/subject/digest")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let digest = digest(&body);
        self.manifests.insert(digest.clone(), (media_type.clone(), body.clone()));
        self.manifests.insert(place.to_owned(), (media_type, body));
        let mut answer = (StatusCode::CREATED, [("docker-content-digest", digest)]).into_response();
        if referrers && !subject.is_empty() {
            answer
                .headers_mut()
                .insert("oci-subject", subject.parse().expect("a digest is a header's value"));
        }
        answer
    }

    fn blob(&mut self, method: &Method, place: &str, query: &str, body: Bytes) -> Response {
        match (method.as_str(), place) {
            ("POST", "uploads/") => {
                (StatusCode::ACCEPTED, [("location", "/v2/it/blobs/uploads/1?state=2")])
                    .into_response()
            }
            ("PUT", _) => {
                let told = query
                    .split('&')
                    .find_map(|pair| pair.strip_prefix("digest="))
                    .unwrap_or_default()
                    .replace("%3A", ":");
                if told != digest(&body) {
                    return StatusCode::BAD_REQUEST.into_response();
                }
                self.blobs.insert(told, body);
                StatusCode::CREATED.into_response()
            }
            _ => match self.blobs.get(place) {
                Some(bytes) => bytes.clone().into_response(),
                None => StatusCode::NOT_FOUND.into_response(),
            },
        }
    }

    fn referrers(&self, subject: &str, query: &str) -> Response {
        let mut entries = Vec::new();
        for (place, (media_type, bytes)) in &self.manifests {
            let manifest: Value = serde_json::from_slice(bytes).unwrap_or_default();
            if place.starts_with("sha256:")
                && manifest.pointer("/subject/digest").and_then(Value::as_str) == Some(subject)
            {
                entries.push(json!({
                    "mediaType": media_type, "digest": place, "size": bytes.len(), "artifactType": manifest.get("artifactType"),
                }));
            }
        }
        let list = |entries: &[Value]| {
            json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries }).to_string()
        };
        let Some(place) = &self.pages else {
            return ([("content-type", INDEX)], list(&entries)).into_response();
        };
        let at: usize = query.strip_prefix("at=").and_then(|at| at.parse().ok()).unwrap_or(0);
        let page = list(entries.get(at..=at).unwrap_or_default());
        let next = format!("<{place}/v2/it/referrers/{subject}?at={}>; rel=\"next\"", at + 1);
        if at + 1 < entries.len() {
            ([("link", next)], page).into_response()
        } else {
            page.into_response()
        }
    }
}

fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// A body that does not end.
struct Endless;

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        Poll::Ready(Some(Ok(hyper::body::Frame::data(Bytes::from_static(&[b' '; 64 * 1024])))))
    }
}
