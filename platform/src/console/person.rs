//! One person: each product and site with its own last activity, what is told of the account, and
//! what happened to it.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use maud::html;
use serde_json::Value;

use super::connections::tabs;
use super::form::Query;
use super::page::{Page, ago, day, name, said, time};
use super::{Console, Fault, Visit, words};
use crate::members::{insights, list};
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
    let member = query.get("id").filter(|id| !id.contains('\0'));
    let member = member.ok_or_else(|| Problem::not_found("member"))?;
    let listed = list::one(store, &connection.id, member).await?;
    let history = insights::history(store, &connection.id, member).await?;
    let record = insights::read(&listed.record);
    let text = |key: &str| record.get(key).and_then(Value::as_str);
    let instant = |value: Option<&Value>| {
        let at = value?.as_str()?.parse::<jiff::Timestamp>().ok()?;
        Some(at.as_millisecond())
    };
    let products = record.get("products").and_then(Value::as_array);
    let attributes = record.get("attributes").and_then(Value::as_object);
    let title = text("name").filter(|name| !name.trim().is_empty()).or_else(|| text("email"));
    let title = title.unwrap_or("No name").to_owned();
    let frame = &visit.frame;
    let fact = |label: &str, value: Option<String>| {
        html! { div { dt { (label) } dd { @match value { Some(value) => (said(&value)), None => span .sub { "not told" } } } } }
    };
    let word = |key: &str| text(key).map(words::word);
    let body = html! {
        (tabs(frame, &connection, "/members"))
        h1 { (name(&title)) }
        @if let Some(gone) = listed.gone { p .note { "Gone since " (time(gone)) ". This is what was known then." } }
        dl .facts {
            (fact("E-mail", text("email").map(ToOwned::to_owned)))
            (fact("Status", word("status")))
            (fact("Kind", word("kind")))
            (fact("Affiliation", word("affiliation")))
            (fact("Billed for", record.get("billable").and_then(Value::as_bool).map(|billable| if billable { "Yes".into() } else { "No".into() })))
            div { dt { "Last seen" } dd { @match instant(record.get("last_seen")) { Some(at) => { (time(at)) ", " (ago(at)) } None => span .sub { "unknown" } } } }
            div { dt { "First listed" } dd { (time(listed.first_seen)) } }
            (fact("Account id", Some(listed.id.clone())))
        }
        h2 { "Products" }
        div .scroll tabindex="0" role="region" aria-label="Products" {
            table {
                caption .hidden { "Products of this person" }
                thead { tr { th scope="col" { "Product" } th scope="col" { "Site" } th scope="col" { "Last active there" } } }
                tbody {
                    @for product in products.into_iter().flatten() {
                        @let own = |key: &str| product.get(key).and_then(Value::as_str);
                        tr {
                            th scope="row" { (name(own("name").unwrap_or_default())) }
                            td { @match own("site") { Some(site) => (name(site)), None => "–" } }
                            td { @match instant(product.get("last_active")) { Some(at) => { (day(at)) span .sub { (ago(at)) } } None => span .sub { "unknown" } } }
                        }
                    }
                    @if products.is_none_or(Vec::is_empty) { tr { td colspan="3" { "None is told." } } }
                }
            }
        }
        @if let Some(attributes) = attributes.filter(|attributes| !attributes.is_empty()) {
            h2 { "More that the service tells" }
            dl .facts { @for (key, value) in attributes { div { dt { (name(key)) } dd { (said(value.as_str().unwrap_or_default())) } } } }
        }
        @if !history.is_empty() {
            h2 { "What happened" }
            ul { @for (what, at) in &history { li { (words::word(what)) ", " (time(*at)) } } }
        }
    };
    Ok(frame.page(&title, body))
}
