//! The members of a connection as of a whole run: filters, facets, charts and the table, of one
//! look; and exports of what the filter leaves. The address holds everything.

mod view;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::html;

use self::view::Look;
use super::connection::tabs;
use super::form::{LONGEST, Query};
use super::page::{Frame, Page, name, page_of};
use super::{Console, Fault, Visit};
use crate::api::export;
use crate::clock::{HOUR, now};
use crate::members::export::Which;
use crate::members::insights::{self, Choice, Order, Snapshot, UNKNOWN};
use crate::problem::Problem;
use crate::runs::table::{self, Run};
use crate::store::connections::Connection;

/// Members of a page.
const PAGE: usize = 100;
/// Runs of the drawing over time.
const RUNS: i64 = 40;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/c/{id}/members", get(show)).route("/c/{id}/export", get(download))
}

/// A whole run that is looked at.
pub(super) struct Base {
    pub(super) run: Run,
    /// Whether it is the last one: then days are counted from now.
    pub(super) last: bool,
}

/// The run of a query, or the last whole one. `None` before the first.
///
/// # Errors
/// If its list is not whole.
pub(super) async fn base(
    console: &Console,
    connection: &Connection,
    asked: Option<&str>,
) -> Result<Option<Base>, Problem> {
    let store = &console.api.connections.store;
    if let Some(id) = asked {
        let run = table::whole(store, &connection.id, id).await?;
        let last = run.seq == connection.complete;
        return Ok(Some(Base { run, last }));
    }
    if connection.complete == 0 {
        return Ok(None);
    }
    let runs = table::list(store, &connection.id, connection.complete + 1, 1).await?;
    Ok(runs.into_iter().next().map(|run| Base { run, last: true }))
}

/// Whether a value can be that of a filter.
fn is_filter(value: &str) -> bool {
    !value.is_empty() && value.chars().nth(LONGEST).is_none()
}

/// The choice in an address.
fn choice(query: &Query, base: &Base) -> Result<Choice, Problem> {
    let wrong = |name: &str, hint: &str| {
        Problem::invalid(format!("`{name}` is not what a filter has")).hint(hint.to_owned())
    };
    let text = |name: &str| match query.get(name) {
        Some(text) if !is_filter(text) => Err(wrong(name, "Give at most 200 characters.")),
        text => Ok(text.map(ToOwned::to_owned)),
    };
    let days = match query.get("days") {
        None => [30, 60, 90],
        Some(text) => {
            let days: Vec<i64> =
                text.split(',').filter_map(|day| day.trim().parse().ok()).collect();
            match <[i64; 3]>::try_from(days) {
                Ok(days) if days.is_sorted_by(|a, b| a < b) && days[0] > 0 && days[2] <= 36_500 => {
                    days
                }
                _ => return Err(wrong("days", "Give three rising numbers of days, as 30,60,90.")),
            }
        }
    };
    let seen = match query.get("seen") {
        None => None,
        Some("unknown") => Some(4),
        Some(text) => Some(
            text.parse()
                .ok()
                .filter(|bar| *bar < 4_usize)
                .ok_or_else(|| wrong("seen", "Choose one of the bars."))?,
        ),
    };
    let idle_days = match query.get("idle_days") {
        None => None,
        Some(text) => {
            let days = text.parse().ok().filter(|days| (0..=36_500).contains(days));
            Some(days.ok_or_else(|| wrong("idle_days", "Give a number of days from 0 to 36500."))?)
        }
    };
    let billable = text("billable")?;
    if billable.as_ref().is_some_and(|text| !["yes", "no", UNKNOWN].contains(&text.as_str())) {
        return Err(wrong("billable", "Give yes, no or (unknown)."));
    }
    Ok(Choice {
        q: text("q")?,
        product: text("product")?,
        with: text("with")?,
        seen,
        idle_days,
        status: text("status")?,
        kind: text("kind")?,
        affiliation: text("affiliation")?,
        domain: text("domain")?,
        billable,
        gone: query.get("gone") == Some("true"),
        days,
        // By the hour, as the API counts them.
        at: if base.last { now() / HOUR * HOUR } else { base.run.started },
        order: match query.get("sort") {
            Some("-name") => Order::NameBack,
            Some("seen") => Order::Latest,
            Some("-seen") => Order::Oldest,
            _ => Order::Name,
        },
    })
}

/// Nothing to see yet.
pub(super) fn nothing(frame: &Frame, connection: &Connection, own: &str) -> Page {
    let latest = format!("/c/{}/runs/latest", connection.id);
    let body = html! {
        (tabs(frame, connection, own))
        h1 { "Members of " (name(&connection.name)) }
        p {
            "No run is whole yet, so there is no list that could be shown. "
            a href=(frame.to(&latest)) { "Look at the run" }
        }
    };
    frame.page("Members", body)
}

pub(super) async fn snapshot(
    console: &Console,
    connection: &Connection,
    seq: i64,
) -> Result<Arc<Snapshot>, Problem> {
    let connections = &console.api.connections;
    let found = connections.insights.of(&connections.store, &connection.id, seq).await?;
    found.ok_or_else(|| {
        Problem::new(422, "too-many", "there are too many members for this page")
            .hint("Use the API or its export, which have no such bound.")
    })
}

/// Counts beside those who answer requests: a pass over many members takes a while.
pub(super) async fn counted<T: Send + 'static>(
    count: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let counted = tokio::task::spawn_blocking(count).await;
    counted.map_err(|_| Problem::broken("the members could not be counted"))
}

async fn show(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
    query: Query,
) -> Result<Page, Fault> {
    let connection = visit.connection(&console, &id).await?;
    let frame = &visit.frame;
    let Some(base) = base(&console, &connection, query.get("at_run")).await? else {
        return Ok(nothing(frame, &connection, "/members"));
    };
    let choice = choice(&query, &base)?;
    let snapshot = snapshot(&console, &connection, base.run.seq).await?;
    let page = page_of(&query);
    let (own, asked) = (Arc::clone(&snapshot), choice.clone());
    let found = counted(move || own.look(&asked, (page - 1) * PAGE, PAGE)).await?;
    let store = &console.api.connections.store;
    let ids = snapshot.ids(&found.page);
    let records = insights::records(store, &connection.id, base.run.seq, &ids).await?;
    let runs = table::list(store, &connection.id, i64::MAX, RUNS).await?;
    let look = Look {
        frame,
        connection: &connection,
        query: &query,
        choice: &choice,
        base: &base,
        runs: &runs,
    };
    let body = html! {
        (tabs(frame, &connection, "/members"))
        h1 { "Members of " (name(&connection.name)) }
        (look.filters(snapshot.labels()))
        div data-region="members" {
            (look.status(&found))
            (look.charts(&found))
            (look.facets(&found))
            (look.table(&found, &records, page))
        }
    };
    Ok(frame.page(&format!("Members of {}", connection.name), body))
}

/// Downloads what the filter leaves. It is recorded in the audit; a `HEAD` exports nothing.
async fn download(
    State(console): State<Console>,
    visit: Visit,
    method: Method,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, Fault> {
    let connection = visit.connection(&console, &id).await?;
    let format = export::format(query.get("format"))?;
    if method == Method::HEAD {
        return Ok(export::headers(format).into_response());
    }
    visit.place.give_up();
    let place = console.api.place(&console.api.exports).await?;
    let base = base(&console, &connection, query.get("at_run")).await?;
    let base = base.ok_or_else(|| Problem::not_found("whole run"))?;
    let choice = choice(&query, &base)?;
    let snapshot = snapshot(&console, &connection, base.run.seq).await?;
    let ids = counted(move || snapshot.ids(&snapshot.look(&choice, 0, usize::MAX).page)).await?;
    let which = Which::Chosen(base.run.seq, ids);
    let holder = &visit.visitor.holder;
    Ok(export::answer(&console.api, holder, &connection, which, format, place).await?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::console::form::Query;

    fn base() -> Base {
        let run = Run {
            id: "r".into(),
            seq: 1,
            state: "complete".into(),
            counts: smp_host::collect::guard::Counts::default(),
            notes: serde_json::json!([]),
            requests: 0,
            retries: 0,
            waited_ms: 0,
            resumes_at: None,
            error: None,
            started: 7,
            ended: None,
        };
        Base { run, last: false }
    }

    #[test]
    fn a_filter_is_bounded_in_characters_and_has_known_values_alone() {
        let long = "é".repeat(200);
        let found = choice(&Query::of(&[("domain", &long), ("billable", "no")]), &base()).unwrap();
        assert_eq!((found.domain, found.at), (Some(long.clone()), 7));
        for (name, value) in [
            ("domain", format!("{long}é").as_str()),
            ("q", &"x".repeat(201)),
            ("billable", "maybe"),
            ("days", "90,60,30"),
            ("seen", "5"),
            ("idle_days", "-1"),
        ] {
            let problem = choice(&Query::of(&[(name, value)]), &base()).unwrap_err();
            assert_eq!(problem.status, 422, "{name}");
            assert!(problem.detail.contains(name), "{}", problem.detail);
        }
    }
}
