//! The members of a connection as of a whole run: filters, facets, charts and the table, of one
//! pass; and exports of what the filter leaves. The address holds everything.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};
use serde_json::Value;
use tokio_stream::wrappers::ReceiverStream;

use super::charts::{self, Bar};
use super::connections::tabs;
use super::form::Query;
use super::page::{Frame, Page, ago, day, name, number, part, said, time};
use super::{Console, Fault, Visit, words};
use crate::clock::{HOUR, now};
use crate::members::export::{self, Format, Which};
use crate::members::insights::{self, Choice, Found, Order, Snapshot, UNKNOWN};
use crate::problem::Problem;
use crate::runs::table::{self, Run};
use crate::store::audit;
use crate::store::connections::Connection;

/// Members of a page.
const PAGE: usize = 100;
/// Bars and facets that are shown of many.
const SHOWN: usize = 12;
/// Longest text of a filter, in bytes.
const LONGEST: usize = 200;
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
        let run = table::get(store, &connection.id, id).await?;
        if run.state != "complete" {
            return Err(Problem::new(422, "not-whole", "the list of that run is not whole").hint(
                "Who is missing from it may be there all the same. Choose a run that is complete.",
            ));
        }
        let last = run.seq == connection.complete;
        return Ok(Some(Base { run, last }));
    }
    if connection.complete == 0 {
        return Ok(None);
    }
    let runs = table::list(store, &connection.id, connection.complete + 1, 1).await?;
    Ok(runs.into_iter().next().map(|run| Base { run, last: true }))
}

/// The choice in an address.
pub(super) fn choice(query: &Query, base: &Base) -> Result<Choice, Problem> {
    let text = |name: &str| match query.get(name) {
        Some(text) if text.len() > LONGEST => {
            Err(Problem::invalid(format!("`{name}` is too long")).hint("Give at most 200 bytes."))
        }
        text => Ok(text.map(ToOwned::to_owned)),
    };
    let wrong = |name: &str, hint: &str| {
        Problem::invalid(format!("`{name}` is not what a filter has")).hint(hint.to_owned())
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
        billable: text("billable")?,
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
    let body = html! {
        (tabs(frame, connection, own))
        h1 { "Members of " (name(&connection.name)) }
        p { "No run is whole yet, so there is no list that could be shown. "
            a href=(frame.to(&format!("/c/{}/runs/latest", connection.id))) { "Look at the run" } }
    };
    frame.page("Members", body)
}

pub(super) async fn snapshot(
    console: &Console,
    connection: &Connection,
    seq: i64,
) -> Result<Arc<Snapshot>, Problem> {
    let store = &console.api.connections.store;
    console.insights.of(store, &connection.id, seq).await?.ok_or_else(|| {
        Problem::new(422, "too-many", "there are too many members for this page")
            .hint("Use the API or the export, which have no such bound.")
    })
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
    let page = query.get("page").and_then(|page| page.parse().ok()).unwrap_or(1_usize);
    let page = page.clamp(1, 100_000);
    let found = snapshot.look(&choice, (page - 1) * PAGE, PAGE);
    let store = &console.api.connections.store;
    let ids = snapshot.ids(&found.page);
    let records = insights::records(store, &connection.id, base.run.seq, &ids).await?;
    let runs = table::list(store, &connection.id, i64::MAX, RUNS).await?;
    let look = Look { frame, connection: &connection, query: &query, choice: &choice };
    let body = html! {
        (tabs(frame, &connection, "/members"))
        h1 { "Members of " (name(&connection.name)) }
        (look.filters(&runs, &base, &snapshot))
        div data-region="members" {
            p role="status" { strong { (number(found.count)) } " of " (number(found.all)) " members"
                @if choice.gone { " who are gone" } ", as of " (time(base.run.started)) ". "
                @if query.pairs().any(|(key, _)| !matches!(key, "sort" | "page" | "at_run" | "days")) {
                    a href=(look.path()) data-swap="list" { "Show all" }
                } }
            (look.charts(&found, &runs))
            (look.facets(&found))
            (look.table(&found, &records, page))
        }
    };
    Ok(frame.page(&format!("Members of {}", connection.name), body))
}

/// What the parts of the page share.
struct Look<'a> {
    frame: &'a Frame,
    connection: &'a Connection,
    query: &'a Query,
    choice: &'a Choice,
}

/// A facet: its parameter, its title, its values with their counts, and the one that is chosen.
type Facet<'f> = (&'f str, &'f str, &'f [(String, usize)], &'f Option<String>);

/// What a status, a kind or the like is called.
fn label(word: &str) -> String {
    if word == UNKNOWN { "Unknown".to_owned() } else { words::word(word) }
}

impl Look<'_> {
    fn path(&self) -> String {
        self.frame.to(&format!("/c/{}/members", self.connection.id))
    }

    /// The address with these filters, on its first page.
    fn with(&self, set: &[(&str, Option<&str>)]) -> String {
        let all: Vec<_> = set.iter().copied().chain([("page", None)]).collect();
        self.query.with("members", &all)
    }

    fn filters(&self, runs: &[Run], base: &Base, snapshot: &Snapshot) -> Markup {
        let chosen = |own: Option<&String>, value: &str| own.is_some_and(|own| own == value);
        let mut names: Vec<&str> =
            snapshot.products().iter().map(|(_, name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let choice = self.choice;
        html! {
            form method="get" role="search" .bar data-live {
                label { "As of"
                    select name="at_run" {
                        @for run in runs.iter().filter(|run| run.state == "complete") {
                            option value=(if run.seq == self.connection.complete { "" } else { run.id.as_str() }) selected[run.seq == base.run.seq] {
                                "Run " (run.seq) @if run.seq == self.connection.complete { ", the last" } }
                        }
                    }
                }
                label { "Search" input type="search" name="q" value=(choice.q.as_deref().unwrap_or_default()) placeholder="Name or e-mail" maxlength="200"; }
                label { "Product"
                    select name="product" {
                        option value="" { "All" }
                        @for product in names.iter().take(300) { option value=(product) selected[chosen(choice.product.as_ref(), product)] { (smp_host::text::shortened(product, 60)) } }
                    }
                }
                label { "Last seen"
                    select name="seen" {
                        option value="" { "Any time" }
                        @for (place, text) in self.bars().iter().enumerate() {
                            option value=(if place == 4 { "unknown".to_owned() } else { place.to_string() }) selected[choice.seen == Some(place)] { (text) }
                        }
                    }
                }
                @for kept in ["with", "idle_days", "status", "kind", "affiliation", "domain", "billable", "days", "sort"] {
                    @if let Some(value) = self.query.get(kept) { input type="hidden" name=(kept) value=(value); }
                }
                label .check { span { "Who is gone" } input type="checkbox" name="gone" value="true" checked[choice.gone]; }
                button { "Show" }
            }
        }
    }

    /// The bars of the last activity.
    fn bars(&self) -> [String; 5] {
        let [a, b, c] = self.choice.days;
        [
            format!("Under {a} days"),
            format!("{a}–{} days", b - 1),
            format!("{b}–{} days", c - 1),
            format!("{c} days or more"),
            "Unknown".to_owned(),
        ]
    }

    fn charts(&self, found: &Found, runs: &[Run]) -> Markup {
        let own = |value: &Option<String>, label: &str| value.as_deref() == Some(label);
        let products: Vec<Bar> = found
            .products
            .iter()
            .take(SHOWN)
            .map(|(label, count, idle)| Bar {
                label: label.clone(),
                count: *count,
                idle: *idle,
                unknown: false,
                link: self.with(&[("product", Some(label))]),
                own: own(&self.choice.product, label),
            })
            .collect();
        let seen: Vec<Bar> = self
            .bars()
            .into_iter()
            .zip(found.seen)
            .enumerate()
            .map(|(place, (label, count))| {
                let value = if place == 4 { "unknown".to_owned() } else { place.to_string() };
                Bar {
                    label,
                    count,
                    idle: if place == 3 { count } else { 0 },
                    unknown: place == 4,
                    link: self.with(&[("seen", Some(&value)), ("idle_days", None)]),
                    own: self.choice.seen == Some(place),
                }
            })
            .collect();
        let idle = format!("not seen for {} days or more", self.choice.days[2]);
        let over: Vec<(String, Option<u64>)> = runs
            .iter()
            .rev()
            .filter(|run| !matches!(run.state.as_str(), "open" | "waiting"))
            .map(|run| {
                (
                    format!("Run {}", run.seq),
                    (run.state == "complete").then_some(run.counts.members),
                )
            })
            .collect();
        let together = (found.together.0.as_slice(), found.together.1.as_slice());
        html! {
            div .grid {
                (charts::bars("People by product", &products, Some(&idle)))
                (charts::bars("Last seen", &seen, None))
                @if over.len() > 1 { (charts::line("Members over runs", &over)) }
                @if found.together.0.len() > 1 {
                    (charts::matrix("Used together", together, |a, b| {
                        self.with(&[("product", Some(a)), ("with", (a != b).then_some(b))])
                    }))
                }
            }
        }
    }

    fn facets(&self, found: &Found) -> Markup {
        let choice = self.choice;
        let facets: [Facet<'_>; 5] = [
            ("status", "Status", found.statuses.as_slice(), &choice.status),
            ("kind", "Kind", found.kinds.as_slice(), &choice.kind),
            ("affiliation", "Affiliation", found.affiliations.as_slice(), &choice.affiliation),
            ("domain", "E-mail domain", found.domains.as_slice(), &choice.domain),
            ("billable", "Billed for", found.billable.as_slice(), &choice.billable),
        ];
        html! {
            div .facets {
                @for (key, title, values, own) in facets {
                    @if values.len() > 1 || own.is_some() {
                        h2 .sub { (title) }
                        ul .chips {
                            @for (value, count) in values.iter().take(SHOWN) {
                                @let is_own = own.as_ref() == Some(value);
                                li { a href=(self.with(&[(key, (!is_own).then_some(value.as_str()))])) aria-current=[is_own.then_some("true")] data-swap="list" {
                                    @if key == "domain" && value != UNKNOWN { (said(value)) } @else { (said(&label(value))) } " " (number(*count))
                                    @if is_own { " ✕" } } }
                            }
                        }
                    }
                }
            }
        }
    }

    fn table(&self, found: &Found, records: &[(String, i64, Option<i64>)], page: usize) -> Markup {
        let export = |format: &str| {
            let path = self.frame.to(&format!("/c/{}/export", self.connection.id));
            self.query.with(&path, &[("format", Some(format)), ("page", None)])
        };
        let sorted = |up: Order, down: Order| match self.choice.order {
            order if order == up => "ascending",
            order if order == down => "descending",
            _ => "none",
        };
        let by = |up: &str, down: &str, is_up: bool| {
            let value = if is_up { down } else { up };
            self.with(&[("sort", Some(value).filter(|value| *value != "name"))])
        };
        let order = self.choice.order;
        html! {
            p .actions {
                a .button href=(export("csv")) { "Export as CSV" }
                a .button href=(export("xlsx")) { "Export as XLSX" }
                button type="button" data-print data-script { "Print" }
            }
            div #list .scroll tabindex="-1" role="region" aria-label="Members" {
                table {
                    caption .hidden { "Members" }
                    thead { tr {
                        th scope="col" aria-sort=(sorted(Order::Name, Order::NameBack)) {
                            a href=(by("name", "-name", order == Order::Name)) data-swap="list" { "Name" } }
                        th scope="col" { "E-mail" }
                        th scope="col" { "Products" }
                        th scope="col" aria-sort=(sorted(Order::Oldest, Order::Latest)) {
                            a href=(by("seen", "-seen", order == Order::Latest)) data-swap="list" { "Last seen" } }
                        th scope="col" { "Status" }
                        th scope="col" { "Kind" }
                    } }
                    tbody {
                        @for (record, _, gone) in records { (self.row(&insights::read(record), *gone)) }
                        @if records.is_empty() { tr { td colspan="6" { "Nobody is like that." } } }
                    }
                }
            }
            (self.paging(found.count, page))
        }
    }

    fn row(&self, record: &Value, gone: Option<i64>) -> Markup {
        let text = |key: &str| record.get(key).and_then(Value::as_str);
        let products = record.get("products").and_then(Value::as_array);
        let mut names: Vec<&str> = products
            .into_iter()
            .flatten()
            .filter_map(|product| product.get("name")?.as_str())
            .collect();
        names.dedup();
        let seen = text("last_seen").and_then(|at| at.parse::<jiff::Timestamp>().ok());
        // Beside this page: a hundred whole addresses would be a tenth of it.
        let path = format!("person?id={}", part(text("id").unwrap_or_default()));
        let shown = text("name").filter(|name| !name.trim().is_empty()).or_else(|| text("email"));
        html! {
            tr {
                th scope="row" { a href=(path) { (name(shown.unwrap_or("No name"))) } }
                td { @match text("email") { Some(email) => (name(email)), None => span .sub { "not told" } } }
                td { @for (place, product) in names.iter().take(3).enumerate() { @if place > 0 { ", " } (name(product)) }
                    @if names.len() > 3 { " +" (names.len() - 3) } }
                td { @match seen {
                    Some(at) => { (day(at.as_millisecond())) span .sub { (ago(at.as_millisecond())) } }
                    None => span .sub { "unknown" },
                } }
                td { @if let Some(at) = gone { "Gone since " (day(at)) } @else { @match text("status") { Some(word) => (said(&label(word))), None => span .sub { "not told" } } } }
                td { @match text("kind") { Some(word) => (said(&label(word))), None => span .sub { "not told" } } }
            }
        }
    }

    fn paging(&self, count: usize, page: usize) -> Markup {
        let pages = count.div_ceil(PAGE).max(1);
        let to = |page: usize| {
            let page = page.to_string();
            self.query.with(&self.path(), &[("page", (page != "1").then_some(page.as_str()))])
        };
        html! {
            nav .paging aria-label="Pages of members" {
                @if page > 1 { a href=(to(page - 1)) rel="prev" data-swap="list" { "‹ Previous 100" } }
                span { "Page " (number(page)) " of " (number(pages)) }
                @if page < pages { a href=(to(page + 1)) rel="next" data-swap="list" { "Next 100 ›" } }
            }
        }
    }
}

/// Downloads what the filter leaves. It is recorded in the audit.
async fn download(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, Fault> {
    let connection = visit.connection(&console, &id).await?;
    let format = query.get("format").and_then(Format::named).ok_or_else(|| {
        Problem::invalid("`format` names no format").hint("Choose csv, ndjson or xlsx.")
    })?;
    let base = base(&console, &connection, query.get("at_run")).await?;
    let base = base.ok_or_else(|| Problem::not_found("whole run"))?;
    let choice = choice(&query, &base)?;
    let snapshot = snapshot(&console, &connection, base.run.seq).await?;
    let ids = snapshot.ids(&snapshot.look(&choice, 0, usize::MAX).page);
    let which = Which::Chosen(base.run.seq, ids);
    let place = console.api.place(&console.api.exports).await?;
    let store = &console.api.connections.store;
    let mut writing = store.write().await?;
    let action = audit::Action {
        tenant: Some(&connection.tenant),
        actor: &visit.visitor.holder.id,
        what: "members-exported",
        subject: &connection.id,
        detail: Some(format.ending()),
    };
    audit::record(&mut writing, action).await?;
    writing.commit().await?;
    let body = match format {
        Format::Xlsx => Body::from(export::workbook(store, &connection.id, which).await?),
        Format::Csv | Format::Ndjson => {
            let parts = export::stream(store, &connection.id, which, format, place).await?;
            Body::from_stream(ReceiverStream::new(parts))
        }
    };
    let disposition = format!("attachment; filename=\"members.{}\"", format.ending());
    let headers =
        [(CONTENT_TYPE, format.media_type().to_owned()), (CONTENT_DISPOSITION, disposition)];
    Ok((headers, body).into_response())
}
