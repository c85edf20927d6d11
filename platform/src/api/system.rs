//! Routes of the process: its health, its metrics, and the description of the interface.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::Api;
use super::caller::Caller;
use super::schema::{HealthBody, ProblemBody};
use crate::problem::Problem;

/// Answers as long as the process lives.
#[utoipa::path(get, path = "/healthz", security(()), responses((status = 200, body = HealthBody)))]
pub(super) async fn health() -> Json<Value> {
    Json(json!({"status": "alive"}))
}

/// Answers if the database does. The pages work without the engine, so that one is only told of.
#[utoipa::path(get, path = "/readyz", security(()), responses(
    (status = 200, body = HealthBody),
    (status = 503, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn ready(State(api): State<Api>) -> Result<Json<Value>, Problem> {
    if *api.shutdown.borrow() {
        return Err(
            Problem::new(503, "stopping", "the process ends").hint("Ask again in a few seconds.")
        );
    }
    sqlx::query("SELECT 1").fetch_one(api.connections.store.read()).await?;
    let mut ready = json!({"status": "ready"});
    if let (Some(engine), Some(ready)) = (&api.engine, ready.as_object_mut()) {
        let warning = engine.warning();
        ready.insert("engine".into(), json!(if warning.is_none() { "there" } else { "away" }));
        if let Some(warning) = warning {
            ready.insert("detail".into(), json!(warning));
        }
    }
    Ok(Json(ready))
}

/// The metrics in Prometheus' form: for this machine, or with a token.
#[utoipa::path(get, path = "/metrics", security((), ("token" = [])), responses(
    (status = 200, body = String, content_type = "text/plain"),
    (status = 401, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn metrics(
    State(api): State<Api>,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    let (mut parts, _) = request.into_parts();
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let is_here = peer.is_some_and(|ConnectInfo(peer)| peer.ip().is_loopback());
    // Behind a proxy on this machine every caller comes from this machine.
    if !is_here
        || api.hosts.is_public
        || parts.headers.contains_key("x-forwarded-for")
        || parts.headers.contains_key("forwarded")
    {
        Caller::from_request_parts(&mut parts, &api).await?;
    }
    let text = api.metrics.text(&api.connections.store).await?;
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}

/// The description of the interface.
pub(super) async fn described(text: Arc<str>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], text.to_string())
}
