//! A run: while it goes on, why it waits, what was asked, and how it ended with its remedy. Events
//! say only that something changed; the script asks for the page again.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream;
use maud::{Markup, html};
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;

use super::connection::{failed, tabs};
use super::form::Query;
use super::page::{
    self, Frame, Page, Points, clock, duration, name, number, precise, said, sentence, state, time,
};
use super::{Console, Fault, Visit, see, words};
use crate::clock::now;
use crate::problem::Problem;
use crate::runs::table::{self, Run};
use crate::store::connections::Connection;

/// Event streams at the same time.
pub(super) const STREAMS: usize = 64;
/// How often the database is asked for what another process does.
const PERIOD: Duration = Duration::from_secs(2);
/// Requests of the drawing.
const DRAWN: usize = 80;

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/c/{id}/runs", post(ask))
        .route("/c/{id}/runs/latest", get(latest))
        .route("/c/{id}/runs/{run}", get(show))
        .route("/c/{id}/runs/{run}/stop", post(stop))
        .route("/c/{id}/runs/{run}/events", get(events))
}

/// Asks for a run; one that is open, waits or was stopped goes on.
async fn ask(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    visit.admin()?;
    let connection = visit.connection(&console, &id).await?;
    let mut writing = console.api.connections.store.write().await?;
    let run = table::ask(&mut writing, &connection.id, now(), true).await?;
    writing.commit().await?;
    console.api.wake.for_person(&run);
    Ok(see(&visit.frame, &format!("/c/{}/runs/{run}", connection.id)))
}

async fn latest(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let connection = visit.connection(&console, &id).await?;
    let runs = table::list(&console.api.connections.store, &connection.id, i64::MAX, 1).await?;
    Ok(match runs.first() {
        Some(run) => see(&visit.frame, &format!("/c/{}/runs/{}", connection.id, run.id)),
        None => {
            let again = visit.frame.to(&format!("/c/{}/runs/latest", connection.id));
            let body = html! {
                (tabs(&visit.frame, &connection, ""))
                h1 { "The first run" }
                p { "It has not begun. " a href=(again) { "Look again" } }
            };
            visit.frame.page("Run", body).into_response()
        }
    })
}

async fn stop(
    State(console): State<Console>,
    visit: Visit,
    Path((id, run)): Path<(String, String)>,
) -> Result<Response, Fault> {
    visit.admin()?;
    let connection = visit.connection(&console, &id).await?;
    table::stop(&console.api.connections.store, &connection.id, &run).await?;
    console.api.connections.live.stop(&run);
    Ok(see(&visit.frame, &format!("/c/{}/runs/{run}", connection.id)))
}

async fn show(
    State(console): State<Console>,
    visit: Visit,
    Path((id, run)): Path<(String, String)>,
    query: Query,
) -> Result<Page, Fault> {
    let connection = visit.connection(&console, &id).await?;
    let run = table::get(&console.api.connections.store, &connection.id, &run).await?;
    let trace = console.api.connections.live.trace.of(&run.id);
    let frame = &visit.frame;
    let to = frame.to(&format!("/c/{}/runs/{}", connection.id, run.id));
    let over = !matches!(run.state.as_str(), "open" | "waiting");
    let body = html! {
        (tabs(frame, &connection, ""))
        h1 { "Run " (run.seq) " of " (name(&connection.name)) }
        @if !over { div data-events=(format!("{to}/events")) {} }
        section data-region="run" aria-label="How it goes" data-over[over] {
            p .lead role="status" { (state(&run.state)) " · " (summary(&run)) }
            @if let Some(total) = run.counts.last_total.filter(|_| !over) {
                progress max=(total.max(1)) value=(run.counts.members.min(total))
                    aria-label="Members so far" {}
            }
            (waits(&run, &trace))
            @if let Some(failure) = run.error.as_ref() { (failed(frame, &connection, failure)) }
            (ending(frame, &connection, &run))
            (actions(frame, &connection, &run))
            (facts(&run))
            (notes(&run))
        }
        h2 { "Requests" }
        (requests(&query, &to, &trace))
    };
    Ok(frame.page(&format!("Run {}", run.seq), body))
}

fn facts(run: &Run) -> Markup {
    let took = run.ended.unwrap_or_else(now) - run.started;
    html! {
        dl .facts {
            div { dt { "Began" } dd { (time(run.started)) } }
            @if let Some(ended) = run.ended { div { dt { "Ended" } dd { (time(ended)) } } }
            div { dt { "Took" } dd { (duration(took)) } }
            div {
                dt { "Requests" }
                dd { (number(run.requests)) ", " (number(run.retries)) " of them repeated" }
            }
            div { dt { "Waited" } dd { (duration(run.waited_ms)) } }
            div { dt { "Came twice" } dd { (number(run.counts.duplicates)) " dropped" } }
        }
    }
}

fn summary(run: &Run) -> String {
    let counts = &run.counts;
    let of = counts.last_total.map(|total| format!(" of {}", number(total))).unwrap_or_default();
    format!(
        "{}{of} members, {}",
        number(counts.members),
        page::counted(counts.pages, "page", "pages")
    )
}

/// Why nothing happens at the moment.
fn waits(run: &Run, trace: &[(i64, Value)]) -> Markup {
    let last = trace.last().filter(|(_, event)| {
        run.state == "open" && event.get("event").and_then(Value::as_str) == Some("waiting")
    });
    html! {
        @if let Some(at) = run.resumes_at.filter(|_| run.state == "waiting") {
            p .note {
                "It goes on by itself " (page::ago(at)) ", at " (time(at))
                ". What was collected is kept."
            }
        }
        @if let Some((at, event)) = last {
            @let wait = event.get("wait_ms").and_then(Value::as_i64).unwrap_or(0);
            @let reason = event.get("reason").and_then(Value::as_str);
            @let tries = event.get("tries").and_then(Value::as_u64);
            p .note {
                "Waiting " (duration(wait)) ", until " (clock(at + wait)) ": "
                (said(reason.unwrap_or("the service asked for it")))
                @if let Some(tries) = tries { " (after try " (tries) ")" } "."
            }
        }
    }
}

fn ending(frame: &Frame, connection: &Connection, run: &Run) -> Markup {
    let to = |page: &str| frame.to(&format!("/c/{}/{page}={}", connection.id, run.id));
    html! {
        @match run.state.as_str() {
            "complete" => p {
                a .button .main href=(to("members?at_run")) {
                    "Look at " (page::counted(run.counts.members, "member", "members"))
                }
                " " a href=(to("changes?to")) { "What changed" }
            },
            "stopped" => p {
                "Nothing is lost: " (page::counted(run.counts.pages, "page is", "pages are"))
                " kept, and it goes on behind them."
            },
            "failed" => p { "Its list is not whole, so it changed nothing of what is shown." },
            _ => {}
        }
    }
}

fn actions(frame: &Frame, connection: &Connection, run: &Run) -> Markup {
    let path = frame.to(&format!("/c/{}/runs", connection.id));
    let stop = format!("{path}/{}/stop", run.id);
    html! {
        @if frame.is_admin() {
            div .actions {
                @match run.state.as_str() {
                    "open" => form method="post" action=(stop) { button { "Stop" } },
                    "waiting" => {
                        form method="post" action=(path) { button .main { "Go on now" } }
                        form method="post" action=(stop) { button { "Stop" } }
                    }
                    "stopped" => form method="post" action=(path) { button .main { "Go on" } },
                    _ => form method="post" action=(path) { button { "Run again" } },
                }
            }
        }
    }
}

fn notes(run: &Run) -> Markup {
    let notes = run.notes.as_array();
    html! {
        @if notes.is_some_and(|notes| !notes.is_empty()) {
            h2 { "To look at" }
            ul .checks {
                @for note in notes.into_iter().flatten().take(50) {
                    @let text = |key: &str| note.get(key).and_then(Value::as_str);
                    li {
                        "⚠ " (sentence(text("message").unwrap_or_default()))
                        @if let Some(hint) = text("hint") { div .next { "→ " (said(hint)) } }
                    }
                }
            }
        }
    }
}

/// One request or wait of the trace.
struct Row<'t> {
    at: i64,
    endpoint: &'t str,
    status: Option<u64>,
    fault: Option<&'t str>,
    tries: u64,
    elapsed: i64,
    bytes: u64,
}

fn row((at, event): &(i64, Value)) -> Option<Row<'_>> {
    let text = |key: &str| event.get(key).and_then(Value::as_str);
    (text("event") == Some("request")).then(|| Row {
        at: *at,
        endpoint: text("endpoint").unwrap_or_default(),
        status: event.get("status").and_then(Value::as_u64),
        fault: text("fault"),
        tries: event.get("try").and_then(Value::as_u64).unwrap_or(1),
        elapsed: event.get("elapsed_ms").and_then(Value::as_i64).unwrap_or(0),
        bytes: event.get("bytes").and_then(Value::as_u64).unwrap_or(0),
    })
}

/// The last requests: a lane of times, and a table.
fn requests(query: &Query, path: &str, trace: &[(i64, Value)]) -> Markup {
    let all: Vec<Row<'_>> = trace.iter().filter_map(row).collect();
    let only = query.get("only");
    let shown = all.iter().rev().filter(|row| match only {
        Some("failed") => is_failed(row),
        Some("repeated") => row.tries > 1,
        _ => true,
    });
    let chip = |value: Option<&str>, text: &str| {
        let own = (only == value).then_some("true");
        html! {
            li {
                a href=(query.with(path, &[("only", value)])) aria-current=[own]
                    data-swap="requests" { (text) }
            }
        }
    };
    html! {
        div #requests data-region="requests" tabindex="-1" {
            @if all.is_empty() {
                p {
                    "No request of this run is noted: another process ran it, or it was before \
                     this one began."
                }
            } @else {
                (lane(all.get(all.len().saturating_sub(DRAWN)..).unwrap_or_default()))
                ul .chips aria-label="Which requests" {
                    (chip(None, "All"))
                    (chip(Some("failed"), "Only failed"))
                    (chip(Some("repeated"), "Only repeated"))
                }
                div .scroll tabindex="0" role="region" aria-label="Table of requests" {
                    table {
                        caption .hidden { "Requests, the latest first" }
                        thead {
                            tr {
                                th scope="col" { "Time" }
                                th scope="col" { "Request" }
                                th scope="col" { "Answer" }
                                th scope="col" .num { "Try" }
                                th scope="col" .num { "Took" }
                                th scope="col" .num { "kB" }
                            }
                        }
                        tbody { @for row in shown.take(100) { (listed(row)) } }
                    }
                }
            }
        }
    }
}

fn listed(row: &Row<'_>) -> Markup {
    html! {
        tr {
            td { (clock(row.at)) }
            td { code { (name(row.endpoint)) } }
            td {
                @match (row.status, row.fault) {
                    (Some(status), _) if status >= 400 => { "✘ " (status) }
                    (Some(status), _) => (status),
                    (None, fault) => { "✘ " (words::fault(fault.unwrap_or_default())) }
                }
            }
            td .num { (row.tries) }
            td .num { (duration(row.elapsed)) }
            td .num { (number(row.bytes.div_ceil(1_024))) }
        }
    }
}

fn is_failed(row: &Row<'_>) -> bool {
    row.status.is_none_or(|status| status >= 400)
}

/// The times of requests, side by side.
fn lane(rows: &[Row<'_>]) -> Markup {
    let most = precise(rows.iter().map(|row| row.elapsed).max().unwrap_or(1).max(1));
    let column = |(place, row): (i64, &Row<'_>)| {
        let height = (precise(row.elapsed) / most * 54.0).max(2.0);
        let x = precise(place) * 8.0;
        let class = if is_failed(row) { "idle" } else { "fill" };
        html! {
            rect .(class) x=(Points(x)) y=(Points(60.0 - height)) width="6" height=(Points(height)) {
                title { (page::bare(row.endpoint)) ": " (row.elapsed) " ms" }
            }
            @if is_failed(row) { rect .unknown x=(Points(x)) y="63" width="6" height="5" {} }
        }
    };
    html! {
        figure {
            figcaption {
                "The last " (rows.len()) " requests: height is the time to answer; a failed one \
                 stands on a dashed foot"
            }
            svg viewBox="0 0 640 70" role="img" aria-label="Times of the last requests" {
                line .axis x1="0" y1="61" x2="640" y2="61" {}
                @for one in (0_i64..).zip(rows).map(column) { (one) }
            }
        }
    }
}

/// Says that something changed, until the run ends.
async fn events(
    State(console): State<Console>,
    visit: Visit,
    Path((id, run)): Path<(String, String)>,
) -> Result<Response, Fault> {
    let connection = visit.connection(&console, &id).await?;
    let store = console.api.connections.store.clone();
    table::get(&store, &connection.id, &run).await?;
    let (guard, visitor) = (console.guard.clone(), visit.visitor.clone());
    let place = console.streams.clone().try_acquire_owned().map_err(|_| {
        Problem::new(503, "busy", "too many pages look at runs").hint("Close some, and reload.")
    })?;
    let heard = console.api.connections.live.listen(&run);
    let shutdown = console.api.shutdown.clone();
    let figures = |run: &Run| (run.state.clone(), run.counts.pages, run.requests, run.resumes_at);
    let begin = (heard, shutdown, None, false, place);
    let changes = stream::unfold(begin, move |(mut heard, mut shutdown, mut seen, over, place)| {
        let (store, connection, run) = (store.clone(), connection.id.clone(), run.clone());
        let (guard, visitor) = (Arc::clone(&guard), visitor.clone());
        async move {
            if over {
                return None;
            }
            loop {
                // What was heard decides; only then is the database asked.
                let heard_one = tokio::select! {
                    told = heard.recv() => {
                        let is_closed = matches!(told, Err(RecvError::Closed));
                        if is_closed {
                            tokio::time::sleep(PERIOD).await;
                        }
                        !is_closed
                    }
                    () = tokio::time::sleep(PERIOD) => false,
                    () = async { let _ = shutdown.wait_for(|stop| *stop).await; } => return None,
                };
                // A stream is no longer than the session that asked for it.
                if !guard.goes_on(&store, &visitor).await.ok()? {
                    return None;
                }
                let now = table::get(&store, &connection, &run).await.ok()?;
                let over = !matches!(now.state.as_str(), "open" | "waiting");
                if !heard_one && !over && seen.as_ref() == Some(&figures(&now)) {
                    continue;
                }
                seen = Some(figures(&now));
                // Browsers drop an event without data.
                let event =
                    Event::default().event("changed").data(if over { "over" } else { "more" });
                return Some((Ok::<_, Infallible>(event), (heard, shutdown, seen, over, place)));
            }
        }
    });
    let alive = KeepAlive::new().interval(Duration::from_secs(15));
    Ok(Sse::new(changes).keep_alive(alive).into_response())
}
