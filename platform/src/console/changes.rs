//! What changed between two whole runs: who appeared, is gone or returned, who went idle or came
//! back, who gained or lost a product. A list that is not whole is refused: who is missing from it
//! may be there all the same.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use maud::html;
use serde_json::Value;

use super::connections::tabs;
use super::form::Query;
use super::page::{Page, name, number, part, time};
use super::{Console, Fault, Visit, members};
use crate::members::insights::{self, DIFFERENCES};
use crate::problem::Problem;
use crate::runs::table;

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
    let whole: Vec<_> = runs.iter().filter(|run| run.state == "complete").collect();
    let Some(to) = members::base(&console, &connection, query.get("to")).await? else {
        return Ok(members::nothing(frame, &connection, "/changes"));
    };
    let before = whole.iter().find(|run| run.seq < to.run.seq).map(|run| run.id.as_str());
    let path = frame.to(&format!("/c/{}/changes", connection.id));
    let choose = |own: &str, chosen: Option<&str>, text: &str| {
        html! { label { (text) select name=(own) {
            @for run in &runs {
                @if !matches!(run.state.as_str(), "open" | "waiting") {
                    option value=(run.id) selected[chosen == Some(run.id.as_str())] disabled[run.state != "complete"] {
                        "Run " (run.seq) @if run.state != "complete" { ", not whole" } }
                }
            }
        } } }
    };
    let Some(from) = query.get("from").or(before) else {
        let body = html! {
            (tabs(frame, &connection, "/changes"))
            h1 { "What changed" }
            p { "There is one whole run before this. After the next one there is something to compare: "
                a href=(frame.to(&format!("/c/{}/members", connection.id))) { (number(to.run.counts.members)) " members" } " so far." }
        };
        return Ok(frame.page("Changes", body));
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
    let found = earlier.differences(&later, began, ended, IDLE);
    let what = query.get("what").and_then(|what| DIFFERENCES.iter().position(|one| *one == what));
    let what = what.or_else(|| found.lists.iter().position(|list| !list.is_empty())).unwrap_or(0);
    let chosen = found.lists.get(what).map(Vec::as_slice).unwrap_or_default();
    let page =
        query.get("page").and_then(|page| page.parse().ok()).unwrap_or(1_usize).clamp(1, 100_000);
    let places: Vec<u32> = chosen.iter().skip((page - 1) * PAGE).take(PAGE).copied().collect();
    let is_gone = DIFFERENCES.get(what) == Some(&"gone");
    let shown = if is_gone { &earlier } else { &later };
    let ids = shown.ids(&places);
    let seq = |is_before: bool| if is_before { from.run.seq } else { to.run.seq };
    let records = insights::records(store, &connection.id, seq(is_gone), &ids).await?;
    let old = insights::records(store, &connection.id, from.run.seq, &ids).await?;
    let pages = chosen.len().div_ceil(PAGE).max(1);
    let turn = |page: usize| {
        let page = page.to_string();
        query.with(&path, &[("page", (page != "1").then_some(page.as_str()))])
    };
    let by_products = what >= 5;
    let body = html! {
        (tabs(frame, &connection, "/changes"))
        h1 { "What changed in " (name(&connection.name)) }
        form method="get" .bar data-live {
            (choose("from", Some(&from.run.id), "From"))
            (choose("to", Some(&to.run.id), "To"))
            button { "Compare" }
        }
        div data-region="changes" {
            p role="status" { "From " (number(earlier.present())) " members at " (time(from.run.started)) " to " (number(later.present())) " at " (time(to.run.started)) "." }
            nav .cards aria-label="What changed" {
                @for (place, (title, list)) in TITLES.iter().zip(&found.lists).enumerate() {
                    a .card href=(query.with(&path, &[("what", DIFFERENCES.get(place).copied()), ("page", None)])) aria-current=[(place == what).then_some("true")] data-swap="list" {
                        strong { (number(list.len())) } " " (title) }
                }
            }
            div #list .scroll tabindex="-1" role="region" aria-label="People" {
                table {
                    caption { (TITLES.get(what).copied().unwrap_or_default()) ": " (number(chosen.len())) }
                    thead { tr { th scope="col" { "Name" } th scope="col" { "E-mail" } @if by_products { th scope="col" { "Products" } } } }
                    tbody {
                        @for (id, (record, ..)) in ids.iter().zip(&records) {
                            @let record = insights::read(record);
                            @let text = |key: &str| record.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
                            tr {
                                th scope="row" { a href=(frame.to(&format!("/c/{}/person?id={}", connection.id, part(id)))) { (name(text("name").or_else(|| text("email")).unwrap_or("No name"))) } }
                                td { @match text("email") { Some(email) => (name(email)), None => span .sub { "not told" } } }
                                @if by_products {
                                    @let was = old.iter().map(|(old, ..)| insights::read(old)).find(|old| old.get("id").and_then(Value::as_str) == Some(id));
                                    td { @if let Some(was) = was {
                                        @for (place, product) in (if what == 5 { more(&record, &was) } else { more(&was, &record) }).iter().enumerate() { @if place > 0 { ", " } (name(product)) }
                                    } }
                                }
                            }
                        }
                        @if ids.is_empty() { tr { td colspan="3" { "Nobody." } } }
                    }
                }
            }
            @if pages > 1 {
                nav .paging aria-label="Pages of people" {
                    @if page > 1 { a href=(turn(page - 1)) rel="prev" data-swap="list" { "‹ Previous 100" } }
                    span { "Page " (number(page)) " of " (number(pages)) }
                    @if page < pages { a href=(turn(page + 1)) rel="next" data-swap="list" { "Next 100 ›" } }
                }
            }
            p .help { "Idle is who was not seen for " (IDLE) " days, counted at each run. Who is unknown is neither idle nor active." }
        }
    };
    Ok(frame.page(&format!("Changes of {}", connection.name), body))
}
