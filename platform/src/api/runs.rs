//! Routes of runs.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use utoipa::IntoParams;

use super::Api;
use super::caller::{Admin, Caller};
use super::connections::limit;
use super::extract::{Params, Segments};
use super::schema::{AskedBody, EventBody, Reading, RunBody, RunsBody, StoppedBody, Writing};
use crate::clock::now;
use crate::problem::Problem;
use crate::runs::table;

/// The page of a list of runs.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RunsParams {
    /// The `next` of the page before.
    #[param(nullable = false)]
    after: Option<String>,
    /// At most 1000.
    #[param(nullable = false, minimum = 1, maximum = 1000)]
    limit: Option<u16>,
}

/// Lists the runs of a connection, the latest first.
#[utoipa::path(
    get,
    path = "/api/v1/connections/{id}/runs",
    params(("id" = String, Path), RunsParams),
    responses((status = 200, body = RunsBody), Reading)
)]
pub(super) async fn list(
    caller: Caller,
    State(api): State<Api>,
    Segments(id): Segments<String>,
    Params(params): Params<RunsParams>,
) -> Result<Json<Value>, Problem> {
    let connection = caller.connection(&api, &id).await?;
    let before = match params.after {
        None => i64::MAX,
        Some(after) => after.parse().map_err(|_| {
            Problem::invalid("`after` is not what a page gave as `next`")
                .hint("Leave it out for the first page.")
        })?,
    };
    let limit = limit(params.limit)?;
    let mut runs = table::list(&api.connections.store, &connection.id, before, limit + 1).await?;
    let more = runs.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    runs.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = runs.last().filter(|_| more).map(|last| last.seq.to_string());
    let data: Vec<Value> = runs.iter().map(table::Run::to_json).collect();
    Ok(Json(json!({"data": data, "next": next})))
}

/// Asks for a run now. Where one is open, waits or was stopped, that one goes on.
#[utoipa::path(
    post,
    path = "/api/v1/connections/{id}/runs",
    params(("id" = String, Path)),
    responses((status = 202, body = AskedBody), Writing)
)]
pub(super) async fn ask(
    Admin(caller): Admin,
    State(api): State<Api>,
    Segments(id): Segments<String>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let connection = caller.connection(&api, &id).await?;
    let mut writing = api.connections.store.write().await?;
    let run = table::ask(&mut writing, &connection.id, now(), true).await?;
    writing.commit().await?;
    api.wake.for_person(&run);
    Ok((StatusCode::ACCEPTED, Json(json!({"id": run}))))
}

/// Shows a run.
#[utoipa::path(
    get,
    path = "/api/v1/connections/{id}/runs/{run}",
    params(("id" = String, Path), ("run" = String, Path)),
    responses((status = 200, body = RunBody), Reading)
)]
pub(super) async fn get(
    caller: Caller,
    State(api): State<Api>,
    Segments((id, run)): Segments<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let connection = caller.connection(&api, &id).await?;
    Ok(Json(table::get(&api.connections.store, &connection.id, &run).await?.to_json()))
}

/// Stops a run after the page that is being read. What was collected is kept, and the next run goes
/// on from there.
#[utoipa::path(
    post,
    path = "/api/v1/connections/{id}/runs/{run}/stop",
    params(("id" = String, Path), ("run" = String, Path)),
    responses((status = 202, body = StoppedBody), Writing)
)]
pub(super) async fn stop(
    Admin(caller): Admin,
    State(api): State<Api>,
    Segments((id, run)): Segments<(String, String)>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let connection = caller.connection(&api, &id).await?;
    let state = table::stop(&api.connections.store, &connection.id, &run).await?;
    api.connections.live.stop(&run);
    Ok((StatusCode::ACCEPTED, Json(json!({"id": run, "state": state}))))
}

/// What happens in a run: first the run, then an event for each request, wait and page, and the run
/// again at its end.
#[utoipa::path(
    get,
    path = "/api/v1/connections/{id}/runs/{run}/events",
    params(("id" = String, Path), ("run" = String, Path)),
    responses((status = 200, body = EventBody, content_type = "text/event-stream"), Reading)
)]
pub(super) async fn events(
    caller: Caller,
    State(api): State<Api>,
    Segments((id, run)): Segments<(String, String)>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let connection = caller.connection(&api, &id).await?;
    let place = api.place(&api.streams).await?;
    let store = &api.connections.store;
    // Only what there is is listened to. It is read again then, so that no event is missed.
    table::get(store, &connection.id, &run).await?;
    let events = api.connections.live.listen(&run);
    let now = table::get(store, &connection.id, &run).await?;
    let is_over = !matches!(now.state.as_str(), "open" | "waiting");
    let first = stream::iter([event(&json!({"event": "run", "run": now.to_json()}))]);
    let shutdown = api.shutdown.clone();
    let elsewhere = Elsewhere::new(&api, connection.id, now);
    let later = stream::unfold(
        (events, shutdown, place, elsewhere, is_over),
        |(mut events, mut shutdown, place, mut elsewhere, is_over)| async move {
            if is_over {
                return None;
            }
            loop {
                let received = tokio::select! {
                    received = events.recv() => received,
                    value = elsewhere.next() => Ok(value),
                    _ = shutdown.wait_for(|stop| *stop) => return None,
                };
                match received {
                    Ok(value) => {
                        let state = value.pointer("/run/state").and_then(Value::as_str);
                        let ended =
                            named(&value) == "ended" && !matches!(state, Some("open" | "waiting"));
                        let state = (events, shutdown, place, elsewhere, ended);
                        return Some((event(&value), state));
                    }
                    // A listener that is too slow misses some.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        },
    );
    let alive = KeepAlive::new().interval(Duration::from_secs(15));
    Ok(Sse::new(first.chain(later)).keep_alive(alive))
}

/// What is told of a run that another process has: what the database says of it.
struct Elsewhere {
    api: Api,
    connection: String,
    run: table::Run,
}

impl Elsewhere {
    /// Time between two looks at the database.
    const TURN: Duration = Duration::from_secs(1);

    fn new(api: &Api, connection: String, run: table::Run) -> Self {
        Self { api: api.clone(), connection, run }
    }

    /// The next event, where it is this process that must look for it.
    async fn next(&mut self) -> Value {
        let all = &self.api.connections;
        if !all.store.is_shared() {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(Self::TURN).await;
            if all.live.has(&self.run.id) {
                continue;
            }
            let now = table::get(&all.store, &self.connection, &self.run.id).await;
            let now = match now {
                Ok(now) => now,
                // Its connection was deleted.
                Err(problem) if problem.status == 404 => {
                    return json!({"event": "ended", "run": {"state": "stopped"}});
                }
                Err(_) => continue,
            };
            let got_further = now.counts.pages != self.run.counts.pages;
            self.run = now;
            if !matches!(self.run.state.as_str(), "open" | "waiting") {
                return json!({"event": "ended", "run": self.run.to_json()});
            }
            if got_further {
                let counts = &self.run.counts;
                return json!({"event": "page", "members": counts.members,
                              "total": counts.last_total, "pages": counts.pages});
            }
        }
    }
}

fn event(value: &Value) -> Result<Event, Infallible> {
    Ok(Event::default().event(named(value)).data(value.to_string()))
}

/// The name of an event.
fn named(value: &Value) -> &str {
    value.get("event").and_then(Value::as_str).unwrap_or("event")
}
