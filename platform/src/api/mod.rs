//! The HTTP interface: JSON below `/api/v1`, with bearer tokens, and problems as RFC 9457 has them.
//! Its description is generated from what the routes take and answer.

mod audit;
mod caller;
mod connections;
mod data;
pub(crate) mod export;
mod extract;
mod runs;
mod schema;
mod system;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tracing::Instrument as _;
use url::Url;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::connections::Connections;
use crate::engine::Status;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::runs::scheduler::Wake;

pub(crate) use caller::Caller;

/// Largest body of a request, in bytes: a form with its secrets.
const LARGEST_BODY: usize = 64 * 1024;
/// Validations at the same time: each holds a component's memory while a person looks.
const VALIDATIONS: usize = 16;
/// Exports at the same time: each holds a view of the store.
const EXPORTS: usize = 4;
/// Streams of events at the same time.
const STREAMS: usize = 256;
/// How long a request waits for its place.
const LONGEST_QUEUE: Duration = Duration::from_secs(10);

/// What the routes share.
#[derive(Clone)]
pub struct Api {
    /// The connections.
    pub connections: Connections,
    /// The scheduler of this process.
    pub wake: Wake,
    /// The engine, if there is one.
    pub engine: Option<Status>,
    /// The metrics.
    pub metrics: Metrics,
    /// Whether the process ends.
    pub shutdown: watch::Receiver<bool>,
    pub(crate) validations: Arc<Semaphore>,
    pub(crate) exports: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    hosts: Arc<Hosts>,
}

/// The names by which the interface may be addressed.
#[derive(Clone, Debug)]
pub struct Hosts {
    names: Vec<String>,
    /// Whether they are those of a public address: then callers come through a proxy.
    is_public: bool,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "smp-platform",
        description = "Connections of tenants to services, their runs, and their members over time."
    ),
    modifiers(&Bearer),
    security(("token" = []))
)]
struct Described;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = openapi.components.get_or_insert_with(Default::default);
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

impl Hosts {
    /// The names of a server at this address, or the one of its public URL.
    #[must_use]
    pub fn of(address: SocketAddr, public: Option<&Url>) -> Self {
        if let Some(url) = public {
            let host = url.host_str().unwrap_or_default();
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            let names = vec![format!("{host}{port}").to_lowercase()];
            return Self { names, is_public: true };
        }
        let port = address.port();
        let names = [address.to_string(), format!("localhost:{port}"), format!("127.0.0.1:{port}")];
        Self { names: names.into(), is_public: false }
    }

    /// The names, with their ports.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn permit(&self, request: &Request) -> bool {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        host.is_some_and(|host| self.names.iter().any(|known| known.eq_ignore_ascii_case(host)))
    }
}

impl Api {
    /// What the routes share.
    #[must_use]
    pub fn new(
        connections: Connections,
        wake: Wake,
        metrics: Metrics,
        hosts: Hosts,
        shutdown: watch::Receiver<bool>,
    ) -> Self {
        let places = |number| Arc::new(Semaphore::new(number));
        let (validations, exports, streams) =
            (places(VALIDATIONS), places(EXPORTS), places(STREAMS));
        let hosts = Arc::new(hosts);
        let engine = None;
        Self { connections, wake, engine, metrics, shutdown, validations, exports, streams, hosts }
    }

    /// The same with an engine, whose state is told.
    #[must_use]
    pub fn with_engine(mut self, engine: Option<Status>) -> Self {
        self.engine = engine;
        self
    }

    /// A place among these, until it is dropped.
    pub(crate) async fn place(
        &self,
        places: &Arc<Semaphore>,
    ) -> Result<OwnedSemaphorePermit, Problem> {
        let place = Arc::clone(places).acquire_owned();
        let place = tokio::time::timeout(LONGEST_QUEUE, place).await;
        place.ok().and_then(Result::ok).ok_or_else(|| {
            Problem::new(503, "busy", "too many requests of this kind go on")
                .hint("Ask again in a minute.")
        })
    }

    /// The routes.
    pub fn router(self) -> Router {
        let (router, described) = OpenApiRouter::with_openapi(Described::openapi())
            .routes(routes!(connections::connectors))
            .routes(routes!(connections::list, connections::make))
            .routes(routes!(connections::get, connections::change, connections::delete))
            .routes(routes!(connections::renew))
            .routes(routes!(connections::validate))
            .routes(routes!(runs::list, runs::ask))
            .routes(routes!(runs::get))
            .routes(routes!(runs::events))
            .routes(routes!(runs::stop))
            .routes(routes!(data::members))
            .routes(routes!(data::member))
            .routes(routes!(data::changes))
            .routes(routes!(data::usage))
            .routes(routes!(data::export))
            .routes(routes!(audit::list))
            .routes(routes!(system::health))
            .routes(routes!(system::ready))
            .routes(routes!(system::metrics))
            .split_for_parts();
        let text: Arc<str> = described.to_json().unwrap_or_default().into();
        router
            .route("/openapi.json", axum::routing::get(move || system::described(text)))
            .fallback(|| async { Problem::not_found("page") })
            .method_not_allowed_fallback(|| async {
                Problem::new(405, "method-not-allowed", "this page does not take that method")
                    .hint("See `/openapi.json`.")
            })
            .layer(DefaultBodyLimit::max(LARGEST_BODY))
            .layer(middleware::from_fn_with_state(self.clone(), guarded))
            .layer(middleware::from_fn(traced))
            .with_state(self)
    }
}

/// The span of a request, by its route: an address may hold an id.
async fn traced(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let span = tracing::info_span!(
        "http",
        method = request.method().as_str(),
        route = route.map(MatchedPath::as_str),
        status = tracing::field::Empty
    );
    let answer = next.run(request).instrument(span.clone()).await;
    span.record("status", answer.status().as_u16());
    answer
}

/// What every answer passes: the host that was addressed, and headers that keep answers out of
/// caches and pages.
async fn guarded(State(api): State<Api>, request: Request, next: Next) -> Response {
    let mut answer = if api.hosts.permit(&request) {
        next.run(request).await
    } else {
        Problem::new(403, "wrong-host", "the interface is not addressed by this name")
            .hint(format!("Use {}.", api.hosts.names.join(" or ")))
            .into_response()
    };
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    answer
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut answer = (status, kind, self.to_json().to_string()).into_response();
        if self.status == 401 {
            let scheme = HeaderValue::from_static("Bearer");
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        answer
    }
}
