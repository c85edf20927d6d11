//! One person: each product and site with its own last activity, what is told of the account, and
//! what happened to it; as of now, or of the run that is looked at.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use maud::{Markup, html};
use serde_json::Value;

use super::connection::tabs;
use super::form::Query;
use super::page::{Page, ago, called, day, name, said, time};
use super::{Console, Fault, Visit, members, words};
use crate::members::insights::{self, Stored};
use crate::members::list;
use crate::problem::Problem;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/c/{id}/person", get(show))
}

async fn show(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
    query: Query,
) -> Result<Page, Fault> {
    let connection = visit.connection(&console, &id).await?;
    let store = &console.api.connections.store;
    let missing = || Problem::not_found("member");
    let member = query.get("id").filter(|id| !id.contains('\0')).ok_or_else(missing)?;
    let run = match query.get("at_run") {
        Some(run) => members::base(&console, &connection, Some(run)).await?.map(|base| base.run),
        None => None,
    };
    let stored = match &run {
        Some(run) => {
            let ids = [member.to_owned()];
            let found = insights::records(store, &connection.id, run.seq, &ids).await?;
            found.into_iter().next().ok_or_else(missing)?
        }
        None => {
            let listed = list::one(store, &connection.id, member).await?;
            let (id, record) = (listed.id, listed.record);
            Stored { id, record, first_seen: listed.first_seen, gone: listed.gone }
        }
    };
    let history = insights::history(store, &connection.id, member).await?;
    let record = insights::read(&stored.record);
    let attributes = record.get("attributes").and_then(Value::as_object);
    let title = called(&record);
    let frame = &visit.frame;
    let body = html! {
        (tabs(frame, &connection, "/members"))
        h1 { (name(title)) }
        @if let Some(run) = &run { p { "As of run " (run.seq) ", " (time(run.started)) "." } }
        @if let Some(gone) = stored.gone {
            p .note { "Gone since " (time(gone)) ". This is what was known then." }
        }
        (facts(&stored, &record))
        h2 { "Products" }
        (products(&record))
        @if let Some(attributes) = attributes.filter(|attributes| !attributes.is_empty()) {
            h2 { "More that the service tells" }
            dl .facts {
                @for (key, value) in attributes {
                    div { dt { (name(key)) } dd { (said(value.as_str().unwrap_or_default())) } }
                }
            }
        }
        @if !history.is_empty() {
            h2 { "What happened" }
            ul { @for (what, at) in &history { li { (words::word(what)) ", " (time(*at)) } } }
        }
    };
    Ok(frame.page(title, body))
}

fn instant(value: Option<&Value>) -> Option<i64> {
    let at = value?.as_str()?.parse::<jiff::Timestamp>().ok()?;
    Some(at.as_millisecond())
}

fn facts(stored: &Stored, record: &Value) -> Markup {
    let text = |key: &str| record.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
    let word = |key: &str| text(key).map(|text| words::word(&text));
    let billable = record.get("billable").and_then(Value::as_bool);
    let billable = billable.map(|is| if is { "Yes".to_owned() } else { "No".to_owned() });
    let facts = [
        ("E-mail", text("email")),
        ("Status", word("status")),
        ("Kind", word("kind")),
        ("Affiliation", word("affiliation")),
        ("Billed for", billable),
        ("Account id", Some(stored.id.clone())),
    ];
    html! {
        dl .facts {
            @for (label, value) in facts {
                div {
                    dt { (label) }
                    dd {
                        @match value {
                            Some(value) => (said(&value)),
                            None => span .sub { "not told" },
                        }
                    }
                }
            }
            div {
                dt { "Last seen" }
                dd {
                    @match instant(record.get("last_seen")) {
                        Some(at) => { (time(at)) ", " (ago(at)) }
                        None => span .sub { "unknown" },
                    }
                }
            }
            div { dt { "First listed" } dd { (time(stored.first_seen)) } }
        }
    }
}

fn products(record: &Value) -> Markup {
    let products = record.get("products").and_then(Value::as_array);
    html! {
        div .scroll tabindex="0" role="region" aria-label="Products" {
            table {
                caption .hidden { "Products of this person" }
                thead {
                    tr {
                        th scope="col" { "Product" }
                        th scope="col" { "Site" }
                        th scope="col" { "Last active there" }
                    }
                }
                tbody {
                    @for product in products.into_iter().flatten() { (product_of(product)) }
                    @if products.is_none_or(Vec::is_empty) {
                        tr { td colspan="3" { "None is told." } }
                    }
                }
            }
        }
    }
}

fn product_of(product: &Value) -> Markup {
    let own = |key: &str| product.get(key).and_then(Value::as_str);
    html! {
        tr {
            th scope="row" { (name(own("name").unwrap_or_default())) }
            td { @match own("site") { Some(site) => (name(site)), None => "–" } }
            td {
                @match instant(product.get("last_active")) {
                    Some(at) => { (day(at)) span .sub { (ago(at)) } }
                    None => span .sub { "unknown" },
                }
            }
        }
    }
}
