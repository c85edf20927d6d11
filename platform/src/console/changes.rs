//! What changed between two whole runs: who appeared, is gone or returned, who went idle or came
//! back, who gained or lost a product. A list that is not whole is refused: who is missing from it
//! may be there all the same.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use maud::{Markup, html};
use serde_json::Value;

use super::connection::tabs;
use super::form::Query;
use super::page::{Frame, Page, Pages, called, name, number, page_of, paging, part, time};
use super::{Console, Fault, Visit, members};
use crate::members::insights::{self, DIFFERENCES, Differences, Stored};
use crate::problem::Problem;
use crate::runs::table::{self, Run};
use crate::store::connections::Connection;

/// People of a page.
const PAGE: usize = 100;
/// Runs that can be chosen.
const RUNS: i64 = 200;
/// Days after which somebody is idle.
const IDLE: i64 = 90;
/// What each difference is called.
const TITLES: [&str; 7] = [
    "Appeared",
    "Gone",
    "Returned",
    "Went idle",
    "Active again",
    "Gained a product",
    "Lost a product",
];

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/c/{id}/changes", get(show))
}

/// Names of the products in one record and not in the other.
fn more(one: &Value, other: &Value) -> Vec<String> {
    let products = |record: &Value| -> Vec<String> {
        let all = record.get("products").and_then(Value::as_array).into_iter().flatten();
        all.filter_map(|product| {
            let name = product.get("name")?.as_str()?;
            let site = product.get("site").and_then(Value::as_str);
            Some(site.map_or_else(|| name.to_owned(), |site| format!("{name} ({site})")))
        })
        .collect()
    };
    let others = products(other);
    products(one).into_iter().filter(|product| !others.contains(product)).collect()
}

/// A choice of a run. One whose list is not whole cannot be chosen.
fn choose(runs: &[Run], own: &str, chosen: &Run, text: &str) -> Markup {
    let is_over = |run: &&Run| !matches!(run.state.as_str(), "open" | "waiting");
    let older = (!runs.iter().any(|run| run.id == chosen.id)).then_some(chosen);
    html! {
        label {
            (text)
            select name=(own) {
                @for run in runs.iter().filter(is_over).chain(older) {
                    @let is_whole = run.state == "complete";
                    option value=(run.id) selected[run.id == chosen.id] disabled[!is_whole] {
                        "Run " (run.seq) @if !is_whole { ", not whole" }
                    }
                }
            }
        }
    }
}

async fn show(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
    query: Query,
) -> Result<Page, Fault> {
    let connection = visit.connection(&console, &id).await?;
    let frame = &visit.frame;
    let store = &console.api.connections.store;
    let runs = table::list(store, &connection.id, i64::MAX, RUNS).await?;
    let Some(to) = members::base(&console, &connection, query.get("to")).await? else {
        return Ok(members::nothing(frame, &connection, "/changes"));
    };
    let mut before = runs.iter().filter(|run| run.state == "complete" && run.seq < to.run.seq);
    let before = before.next().map(|run| run.id.as_str());
    let Some(from) = query.get("from").or(before) else {
        return Ok(first(frame, &connection, &to.run));
    };
    let from = members::base(&console, &connection, Some(from)).await?;
    let from = from.ok_or_else(|| Problem::not_found("run"))?;
    if from.run.seq >= to.run.seq {
        return Err(Problem::invalid("the first run is not before the second")
            .hint("Choose an earlier run as the first.")
            .into());
    }
    let earlier = members::snapshot(&console, &connection, from.run.seq).await?;
    let later = members::snapshot(&console, &connection, to.run.seq).await?;
    let began = (from.run.started, to.run.started);
    let ended = from.run.ended.unwrap_or(from.run.started);
    let (one, other) = (earlier.clone(), later.clone());
    let found = members::counted(move || one.differences(&other, began, ended, IDLE)).await?;
    let what = query.get("what").and_then(|what| DIFFERENCES.iter().position(|one| *one == what));
    let what = what.or_else(|| found.lists.iter().position(|list| !list.is_empty())).unwrap_or(0);
    let chosen = found.lists.get(what).map(Vec::as_slice).unwrap_or_default();
    let page = page_of(&query);
    let places: Vec<u32> = chosen.iter().skip((page - 1) * PAGE).take(PAGE).copied().collect();
    // Who is gone is in the earlier list alone.
    let is_gone = DIFFERENCES.get(what) == Some(&"gone");
    let (shown, seq) = if is_gone { (&earlier, &from.run) } else { (&later, &to.run) };
    let ids = shown.ids(&places);
    let people = People {
        frame,
        connection: &connection,
        at: (to.run.seq != connection.complete || is_gone).then_some(seq),
        now: insights::records(store, &connection.id, seq.seq, &ids).await?,
        was: insights::records(store, &connection.id, from.run.seq, &ids).await?,
        what,
    };
    let path = frame.to(&format!("/c/{}/changes", connection.id));
    let pages = Pages::Last(chosen.len().div_ceil(PAGE).max(1));
    let turn = |page: Option<&str>| query.with(&path, &[("page", page)]);
    let body = html! {
        (tabs(frame, &connection, "/changes"))
        h1 { "What changed in " (name(&connection.name)) }
        form method="get" .bar data-live {
            (choose(&runs, "from", &from.run, "From"))
            (choose(&runs, "to", &to.run, "To"))
            button { "Compare" }
        }
        div data-region="changes" {
            p role="status" {
                "From " (number(earlier.present())) " members at " (time(from.run.started))
                " to " (number(later.present())) " at " (time(to.run.started)) "."
            }
            (cards(&query, &path, &found, what))
            (people.table(chosen.len()))
            (paging(("Pages of people", "list"), page, pages, turn))
            p .help {
                "Idle is who was not seen for " (IDLE) " days, counted at each run. Who is \
                 unknown is neither idle nor active."
            }
        }
    };
    Ok(frame.page(&format!("Changes of {}", connection.name), body))
}

/// There is one whole run, and nothing to compare it with.
fn first(frame: &Frame, connection: &Connection, run: &Run) -> Page {
    let members = frame.to(&format!("/c/{}/members", connection.id));
    let body = html! {
        (tabs(frame, connection, "/changes"))
        h1 { "What changed" }
        p {
            "There is no whole run before this one. After the next one there is something to \
             compare: " a href=(members) { (number(run.counts.members)) " members" } " so far."
        }
    };
    frame.page("Changes", body)
}

/// How many differ, by how; each a link to who.
fn cards(query: &Query, path: &str, found: &Differences, what: usize) -> Markup {
    html! {
        nav .cards aria-label="What changed" {
            @for (place, (title, list)) in TITLES.iter().zip(&found.lists).enumerate() {
                @let set = [("what", DIFFERENCES.get(place).copied()), ("page", None)];
                a .card href=(query.with(path, &set)) data-swap="list"
                    aria-current=[(place == what).then_some("true")] {
                    strong { (number(list.len())) } " " (title)
                }
            }
        }
    }
}

/// The people of one difference.
struct People<'a> {
    frame: &'a Frame,
    connection: &'a Connection,
    /// The run as of which a person is shown, unless it is the last.
    at: Option<&'a Run>,
    now: Vec<Stored>,
    was: Vec<Stored>,
    what: usize,
}

impl People<'_> {
    /// Whether what differs is products.
    fn by_products(&self) -> bool {
        self.what >= 5
    }

    fn table(&self, count: usize) -> Markup {
        let title = TITLES.get(self.what).copied().unwrap_or_default();
        html! {
            div #list .scroll tabindex="-1" role="region" aria-label="People" {
                table {
                    caption { (title) ": " (number(count)) }
                    thead {
                        tr {
                            th scope="col" { "Name" }
                            th scope="col" { "E-mail" }
                            @if self.by_products() { th scope="col" { "Products" } }
                        }
                    }
                    tbody {
                        @for stored in &self.now { (self.row(stored)) }
                        @if self.now.is_empty() { tr { td colspan="3" { "No one." } } }
                    }
                }
            }
        }
    }

    fn row(&self, stored: &Stored) -> Markup {
        let record = insights::read(&stored.record);
        let email = record.get("email").and_then(Value::as_str);
        let run = self.at.map(|run| format!("&at_run={}", run.id)).unwrap_or_default();
        let path = format!("/c/{}/person?id={}{run}", self.connection.id, part(&stored.id));
        html! {
            tr {
                th scope="row" { a href=(self.frame.to(&path)) { (name(called(&record))) } }
                td {
                    @match email.filter(|email| !email.trim().is_empty()) {
                        Some(email) => (name(email)),
                        None => span .sub { "not told" },
                    }
                }
                @if self.by_products() {
                    td {
                        @for (place, product) in self.products(stored, &record).iter().enumerate() {
                            @if place > 0 { ", " } (name(product))
                        }
                    }
                }
            }
        }
    }

    /// The products that a person gained, or lost.
    fn products(&self, stored: &Stored, record: &Value) -> Vec<String> {
        let Some(was) = self.was.iter().find(|was| was.id == stored.id) else { return Vec::new() };
        let was = insights::read(&was.record);
        if self.what == 5 { more(record, &was) } else { more(&was, record) }
    }
}
