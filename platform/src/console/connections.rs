//! All connections that the visitor may see, with what needs a person first; and one of them: its
//! state, its runs, its key, its schedule.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use maud::{Markup, html};
use serde_json::Value;
use smp_host::collect::guard::Counts;
use sqlx::any::AnyRow;
use sqlx::{Row as _, query};

use super::form::{Form, Query};
use super::page::{
    self, Frame, Page, ago, counted, day, name, number, said, sentence, state, time,
};
use super::words::{self, Act};
use super::{Console, Fault, Visit, connect, see};
use crate::clock::{DAY, now};
use crate::connections::{Change, Secrets};
use crate::problem::Problem;
use crate::runs::table::{self, Run};
use crate::store::connections::Connection;
use crate::store::{Store, connectors};

/// Connections of a page.
const PAGE: i64 = 100;
/// Runs that the page of a connection shows.
const RUNS: i64 = 20;
/// A key that ends within so many days is to be renewed.
const ENDING: i64 = 30 * DAY;
/// Longest text of the search, in characters.
const LONGEST: usize = 200;

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/connections", get(overview))
        .route("/c/{id}", get(show))
        .route("/c/{id}/check", post(check))
        .route("/c/{id}/key", post(renew))
        .route("/c/{id}/change", post(change))
        .route("/c/{id}/delete", post(delete))
}

/// What a connection is shown for. Each is a condition on the columns, without a value of anybody.
const SHOWN: [(&str, &str, &str); 7] = [
    ("all", "All", "1 = 1"),
    ("attention", "Waiting for a person", "c.paused = 0 AND c.state = 'attention'"),
    ("failing", "Failing", "c.paused = 0 AND c.state = 'failing'"),
    (
        "ending",
        "Key ends within 30 days",
        "c.credential_expires IS NOT NULL AND c.credential_expires < $3",
    ),
    ("due", "Due", "c.paused = 0 AND c.next_due <= $4"),
    (
        "running",
        "Running",
        "EXISTS (SELECT 1 FROM runs x WHERE x.connection = c.id AND x.state IN ('open', 'waiting'))",
    ),
    ("paused", "Paused", "c.paused = 1"),
];

/// Binds what each condition may name, so that every number has its value in both databases.
const SCOPE: &str = "($1 = '' OR c.tenant = $1) AND ($2 = '' OR lower(c.name) LIKE $2 ESCAPE '\\' \
                     OR lower(c.account_name) LIKE $2 ESCAPE '\\' OR lower(c.tenant) LIKE $2 ESCAPE '\\') \
                     AND $3 > 0 AND $4 > 0";

/// A connection in the list.
struct Listed {
    id: String,
    tenant: String,
    connector: String,
    name: String,
    account: String,
    state: String,
    failure: Option<Value>,
    credential_expires: Option<i64>,
    next_due: Option<i64>,
    counts: Option<Counts>,
    ended: Option<i64>,
    open: Option<(String, String)>,
}

fn listed(row: &AnyRow) -> Result<Listed, sqlx::Error> {
    let paused: i64 = row.try_get("paused")?;
    let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
    let counts: Option<String> = row.try_get("counts")?;
    let (open, open_state): (Option<String>, Option<String>) =
        (row.try_get("open")?, row.try_get("open_state")?);
    Ok(Listed {
        id: row.try_get("id")?,
        tenant: row.try_get("tenant")?,
        connector: row.try_get("connector")?,
        name: row.try_get("name")?,
        account: row.try_get("account_name")?,
        state: if paused == 0 { row.try_get("state")? } else { "paused".into() },
        failure: json(row.try_get("failure")?),
        credential_expires: row.try_get("credential_expires")?,
        next_due: row.try_get::<Option<i64>, _>("next_due")?.filter(|_| paused == 0),
        counts: counts.and_then(|text| serde_json::from_str(&text).ok()),
        ended: row.try_get("ended")?,
        open: open.zip(open_state),
    })
}

/// The pattern of a part of a text; nothing in it is a sign of its own.
fn pattern(text: &str) -> String {
    let mut pattern = String::new();
    for sign in text.chars().take(LONGEST).filter(|sign| *sign != '\0') {
        if matches!(sign, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.extend(sign.to_lowercase());
    }
    if pattern.is_empty() { pattern } else { format!("%{pattern}%") }
}

/// How many connections each condition has.
async fn counts(store: &Store, tenant: &str, like: &str) -> Result<Vec<i64>, sqlx::Error> {
    let columns: Vec<String> = (0..)
        .zip(SHOWN)
        .map(|(place, (_, _, sql)): (u8, _)| {
            format!("count(CASE WHEN {sql} THEN 1 END) AS n{place}")
        })
        .collect();
    let sql = format!("SELECT {} FROM connections c WHERE {SCOPE}", columns.join(", "));
    let row = query(sqlx::AssertSqlSafe(sql))
        .bind(tenant.to_owned())
        .bind(like.to_owned())
        .bind(now() + ENDING)
        .bind(now())
        .fetch_one(store.read())
        .await?;
    (0..SHOWN.len()).map(|place| row.try_get(format!("n{place}").as_str())).collect()
}

async fn list(
    store: &Store,
    (tenant, like): (&str, &str),
    condition: &str,
    offset: i64,
) -> Result<Vec<Listed>, sqlx::Error> {
    let sql = format!(
        "SELECT c.id, c.tenant, c.connector, c.name, c.account_name, c.state, c.paused, c.failure, \
         c.credential_expires, c.next_due, r.counts, r.ended, o.id AS open, o.state AS open_state \
         FROM connections c LEFT JOIN runs r ON r.connection = c.id AND r.seq = c.complete \
         LEFT JOIN runs o ON o.connection = c.id AND o.state IN ('open', 'waiting') \
         WHERE {SCOPE} AND {condition} ORDER BY CASE c.state WHEN 'attention' THEN 0 \
         WHEN 'failing' THEN 1 ELSE 2 END, lower(c.name), c.id LIMIT $5 OFFSET $6"
    );
    let rows = query(sqlx::AssertSqlSafe(sql))
        .bind(tenant.to_owned())
        .bind(like.to_owned())
        .bind(now() + ENDING)
        .bind(now())
        .bind(PAGE + 1)
        .bind(offset)
        .fetch_all(store.read())
        .await?;
    rows.iter().map(listed).collect()
}

/// The overview.
async fn overview(
    State(console): State<Console>,
    visit: Visit,
    query: Query,
) -> Result<Page, Fault> {
    let store = &console.api.connections.store;
    let tenant = visit.tenant().or_else(|| query.get("tenant")).unwrap_or_default();
    let like = pattern(query.get("q").unwrap_or_default());
    let shown = query.get("show").unwrap_or("all");
    let (key, _, condition) =
        SHOWN.iter().find(|(key, ..)| *key == shown).copied().unwrap_or(("all", "All", "1 = 1"));
    let page: i64 =
        query.get("page").and_then(|page| page.parse().ok()).unwrap_or(1).clamp(1, 10_000);
    let counts = counts(store, tenant, &like).await?;
    let mut rows = list(store, (tenant, &like), condition, (page - 1) * PAGE).await?;
    let more = rows.len() > usize::try_from(PAGE).unwrap_or(usize::MAX);
    rows.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
    let all = counts.first().copied().unwrap_or(0);
    let frame = &visit.frame;
    let is_operator = visit.tenant().is_none();
    let body = html! {
        h1 { "Connections" }
        @if all == 0 && like.is_empty() && tenant.is_empty() {
            p { "There is no connection yet." }
            @if frame.is_admin() {
                p { a .button href=(frame.to("/connect")) { "Connect a service" } }
            }
        } @else {
            form method="get" role="search" .bar data-live {
                label { "Search" input type="search" name="q" value=(query.get("q").unwrap_or_default())
                    placeholder=(if is_operator { "Name, account or tenant" } else { "Name or account" }); }
                @if let Some(tenant) = query.get("tenant") {
                    input type="hidden" name="tenant" value=(tenant);
                }
                @if key != "all" { input type="hidden" name="show" value=(key); }
                button { "Search" }
            }
            div data-region="overview" {
                nav .cards aria-label="What to look at" {
                    @for ((card, label, _), count) in SHOWN.iter().zip(&counts) {
                        @let set = (*card != "all").then_some(*card);
                        a href=(query.with(&frame.to("/connections"), &[("show", set), ("page", None)]))
                            aria-current=[(*card == key).then_some("true")] .card
                            .alarm[*count > 0 && matches!(*card, "attention" | "failing" | "ending")] {
                            strong { (number(*count)) } " " (label)
                        }
                    }
                }
                @if let Some(tenant) = query.get("tenant").filter(|_| is_operator) {
                    p { "Only tenant " (name(tenant)) ". "
                        a href=(query.with(&frame.to("/connections"), &[("tenant", None), ("page", None)])) { "All tenants" } }
                }
                (rows_of(frame, &query, &rows, is_operator))
                (paging(frame, &query, page, more))
            }
        }
    };
    Ok(frame.page("Connections", body))
}

fn rows_of(frame: &Frame, query: &Query, rows: &[Listed], is_operator: bool) -> Markup {
    html! {
        div .scroll tabindex="0" role="region" aria-label="Connections" {
            table {
                caption .hidden { "Connections, those that need a person first" }
                thead { tr {
                    th scope="col" { "Connection" }
                    @if is_operator { th scope="col" { "Tenant" } }
                    th scope="col" { "State" }
                    th scope="col" .num { "Members" }
                    th scope="col" { "Last whole run" }
                    th scope="col" { "Next run" }
                    th scope="col" { "Key ends" }
                } }
                tbody {
                    @for row in rows {
                        @let path = format!("/c/{}", row.id);
                        tr {
                            th scope="row" {
                                a href=(frame.to(&path)) { (name(&row.name)) }
                                span .sub { (name(&row.connector)) " · " (name(&row.account)) }
                            }
                            @if is_operator {
                                td { a href=(query.with(&frame.to("/connections"), &[("tenant", Some(row.tenant.as_str())), ("page", None)])) { (name(&row.tenant)) } }
                            }
                            td {
                                @if let Some((run, word)) = &row.open {
                                    a href=(frame.to(&format!("{path}/runs/{run}"))) { (state(word)) }
                                } @else {
                                    (state(&row.state))
                                }
                                @if let Some(text) = row.failure.as_ref().and_then(|failure| failure.get("message")?.as_str()) {
                                    span .sub { (sentence(text)) }
                                }
                            }
                            td .num {
                                @match &row.counts {
                                    Some(counts) => a href=(frame.to(&format!("{path}/members"))) { (number(counts.members)) },
                                    None => "–",
                                }
                            }
                            td { @match row.ended { Some(at) => { (day(at)) span .sub { (ago(at)) } }, None => "none yet" } }
                            td { @match row.next_due { Some(at) if at > now() => (ago(at)), Some(_) => "now", None => "–" } }
                            td { (ends(row.credential_expires)) }
                        }
                    }
                    @if rows.is_empty() {
                        tr { td colspan="7" { "No connection is like that." } }
                    }
                }
            }
        }
    }
}

/// When a key ends, with a sign if that is soon.
fn ends(at: Option<i64>) -> Markup {
    html! {
        @match at {
            None => "not told",
            Some(at) if at < now() => { (state("failed")) span .sub { "ended " (day(at)) } }
            Some(at) if at < now() + ENDING => { (state("ending")) span .sub { (day(at)) ", " (ago(at)) } }
            Some(at) => (day(at)),
        }
    }
}

/// Links to the pages before and after.
fn paging(frame: &Frame, query: &Query, page: i64, more: bool) -> Markup {
    let to = |page: i64| {
        let page = page.to_string();
        query.with(&frame.to("/connections"), &[("page", (page != "1").then_some(page.as_str()))])
    };
    html! {
        @if page > 1 || more {
            nav .paging aria-label="Pages" {
                @if page > 1 { a href=(to(page - 1)) rel="prev" { "‹ Previous 100" } }
                span { "Page " (page) }
                @if more { a href=(to(page + 1)) rel="next" { "Next 100 ›" } }
            }
        }
    }
}

/// The pages of a connection, as links.
pub(super) fn tabs(frame: &Frame, connection: &Connection, own: &str) -> Markup {
    let link = |page: &str, text: &str| {
        let path = format!("/c/{}{page}", connection.id);
        html! { a href=(frame.to(&path)) aria-current=[(page == own).then_some("page")] { (text) } }
    };
    html! {
        p .crumb { a href=(frame.to("/connections")) { "Connections" } " › "
            a href=(frame.to(&format!("/c/{}", connection.id))) { (name(&connection.name)) }
            @if frame.holder.tenant.is_none() { " · tenant " (name(&connection.tenant)) } }
        nav .tabs aria-label="This connection" {
            (link("", "State and runs"))
            (link("/members", "Members"))
            (link("/changes", "Changes"))
            (link("/licences", "Licences"))
        }
    }
}

async fn show(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Page, Fault> {
    let connection = visit.connection(&console, &id).await?;
    let body = body(&console, &visit.frame, &connection, None).await?;
    Ok(visit.frame.page(&connection.name, body))
}

/// The page of a connection, with what was just found.
async fn body(
    console: &Console,
    frame: &Frame,
    connection: &Connection,
    found: Option<Markup>,
) -> Result<Markup, Fault> {
    let store = &console.api.connections.store;
    let runs = table::list(store, &connection.id, i64::MAX, RUNS).await?;
    // The one that it uses, which may be older than the active one.
    let build = connectors::by_digest(store, &connection.digest).await?;
    let plugin = match &build {
        Some(build) => console.api.connections.catalog.plugin(&build.digest).await.ok(),
        None => None,
    };
    let to = |path: &str| frame.to(&format!("/c/{}{path}", connection.id));
    let word = if connection.paused { "paused" } else { connection.state.as_str() };
    let is_admin = frame.is_admin();
    let json = |text: Option<&String>| text.and_then(|text| serde_json::from_str(text).ok());
    let failure: Option<Value> = json(connection.failure.as_ref());
    let upgrade: Option<Value> = json(connection.upgrade.as_ref());
    Ok(html! {
        (tabs(frame, connection, ""))
        h1 { (name(&connection.name)) }
        @if let Some(found) = &found { (found) }
        section aria-label="State" data-region="state" {
            p .lead { (state(word)) }
            @if let Some(failure) = &failure { (failed(frame, connection, failure)) }
            @if let Some(upgrade) = &upgrade { (held_back(upgrade)) }
            dl .facts {
                div { dt { "Account" } dd { (name(&connection.account_name)) } }
                div { dt { "Plugin" } dd {
                    a href=(frame.to(&format!("/plugins/{}", page::part(&connection.connector)))) { (name(&connection.connector)) }
                    @if let Some(build) = &build { " " (name(&build.version)) }
                } }
                div { dt { "Runs" } dd { "every " (counted(connection.every_hours, "hour", "hours")) } }
                div { dt { "Next run" } dd {
                    @match connection.next_due.filter(|_| !connection.paused) {
                        Some(at) if at > now() => { (time(at)) ", " (ago(at)) }
                        Some(_) => "now",
                        None if connection.paused => "none while it is paused",
                        None => "none until a person acts, or while one goes on",
                    }
                } }
                div { dt { "Key ends" } dd { (ends(connection.credential_expires)) } }
                @if let Some(upstream) = &connection.upstream {
                    div { dt { "Asks" } dd { (name(upstream)) ", in place of the live service" } }
                }
            }
            @if is_admin {
                div .actions {
                    form method="post" action=(to("/runs")) { button .main { "Run now" } }
                    form method="post" action=(to("/check")) { button { "Check now" } }
                    form method="post" action=(to("/change")) {
                        input type="hidden" name="paused" value=(if connection.paused { "no" } else { "yes" });
                        button { (if connection.paused { "Go on with the schedule" } else { "Pause" }) }
                    }
                }
            }
        }
        h2 { "Runs" }
        (runs_of(frame, connection, &runs))
        @if is_admin {
            (settings(frame, connection, plugin.as_ref()))
        }
    })
}

/// A failure with what to do about it.
pub(super) fn failed(frame: &Frame, connection: &Connection, failure: &Value) -> Markup {
    let text = |key: &str| failure.get(key).and_then(Value::as_str);
    let remedy = failure.get("remedy").and_then(words::remedy);
    let path = format!("/c/{}", connection.id);
    html! {
        div .note .bad {
            @if let Some(message) = text("message") { p { strong { (sentence(message)) } } }
            @if let Some(hint) = text("hint") { p { (said(hint)) } }
            @if let Some((what, act)) = remedy {
                p { "What to do: " (what) " "
                    @if frame.is_admin() {
                        @match act {
                            Act::Key => a href=(frame.to(&format!("{path}#key"))) { "New key" },
                            Act::Connect => a href=(frame.to(&format!("/connect/{}", page::part(&connection.connector)))) { "Connect" },
                            Act::Check | Act::Run => a href=(frame.to(&path)) { "To the connection" },
                            Act::Nothing => {}
                        }
                    }
                }
            }
            @if let Some(code) = text("code") {
                p .code { (name(code)) @if let Some(vendor) = text("vendor_code") { " · " (name(vendor)) } }
            }
        }
    }
}

/// Why a connection goes on with its old version.
fn held_back(upgrade: &Value) -> Markup {
    let text = |path: &str| upgrade.pointer(path).and_then(Value::as_str);
    html! {
        div .note {
            p { strong { "Version " (name(text("/version").unwrap_or_default())) " is not used here yet. " }
                "It was tried with these settings; until it passes, the old version goes on." }
            @if let Some(detail) = text("/error/detail") { p { (sentence(detail)) } }
            @if let Some(hint) = text("/error/hint") { p { (said(hint)) } }
        }
    }
}

fn runs_of(frame: &Frame, connection: &Connection, runs: &[Run]) -> Markup {
    html! {
        div .scroll tabindex="0" role="region" aria-label="Runs" data-region="runs" {
            table {
                caption .hidden { "Runs, the latest first" }
                thead { tr {
                    th scope="col" { "Run" } th scope="col" { "State" } th scope="col" { "Began" }
                    th scope="col" .num { "Members" } th scope="col" .num { "Pages" }
                    th scope="col" .num { "Requests" } th scope="col" .num { "Time" }
                } }
                tbody {
                    @for run in runs {
                        tr {
                            th scope="row" { a href=(frame.to(&format!("/c/{}/runs/{}", connection.id, run.id))) { "Run " (run.seq) } }
                            td { (state(&run.state)) }
                            td { (time(run.started)) }
                            td .num { (number(run.counts.members)) }
                            td .num { (number(run.counts.pages)) }
                            td .num { (number(run.requests)) @if run.retries > 0 { span .sub { (number(run.retries)) " repeated" } } }
                            td .num { @if let Some(ended) = run.ended { (page::duration(ended - run.started)) } @else { "–" } }
                        }
                    }
                    @if runs.is_empty() { tr { td colspan="7" { "None yet. The first begins by itself." } } }
                }
            }
        }
    }
}

/// Key, schedule and removal.
fn settings(
    frame: &Frame,
    connection: &Connection,
    plugin: Option<&smp_host::component::plugin::Plugin>,
) -> Markup {
    let to = |path: &str| frame.to(&format!("/c/{}{path}", connection.id));
    let fields = plugin.map(|plugin| plugin.descriptor().settings.as_slice()).unwrap_or_default();
    let label = |key: &str| {
        let field = fields.iter().find(|field| field.key == key);
        field.map_or_else(|| key.to_owned(), |field| field.label.clone())
    };
    html! {
        h2 { "Settings" }
        dl .facts {
            @for (key, value) in &connection.settings {
                div { dt { (name(&label(key))) } dd { (name(value)) } }
            }
        }
        @if connection.grants.is_empty() {
            p { "It may send every request that the operator approved for the plugin." }
        } @else {
            details { summary { "It may send " (counted(connection.grants.len(), "request", "requests")) }
                ul { @for grant in &connection.grants { li { code { (said(grant)) } } } } }
        }
        h2 #key { "New key" }
        p { "The new key is checked first. Until it has passed, and if it does not, the old one is used. Neither is ever shown." }
        form method="post" action=(to("/key")) .stack {
            @for field in fields.iter().filter(|field| field.secret.is_some()) {
                (connect::secret_field(field, None))
            }
            button { "Check and replace" }
        }
        h2 { "Name and schedule" }
        form method="post" action=(to("/change")) .stack {
            label for="name" { "Name" }
            input #name name="name" value=(connection.name) maxlength="200" required dir="auto";
            label for="every" { "Hours between two runs" }
            input #every name="every_hours" type="number" min="1" max="744" value=(connection.every_hours) required;
            button { "Save" }
        }
        h2 { "Delete" }
        form method="post" action=(to("/delete")) .stack {
            label .check { input type="checkbox" name="sure" value="yes" required;
                span { "Delete this connection with its members, history, runs and key. There is no way back." } }
            button .danger { "Delete" }
        }
    }
}

async fn check(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Page, Fault> {
    visit.admin()?;
    let connection = visit.connection(&console, &id).await?;
    let _place = console.api.place(&console.api.validations).await?;
    let validation = console.api.connections.validate(&connection).await?;
    console.api.wake.now();
    // A validation that passed mends what a person had to mend.
    let connection = visit.connection(&console, &id).await?;
    let found = connect::diagnosis(&validation.to_json());
    let body = body(&console, &visit.frame, &connection, Some(found)).await?;
    Ok(visit.frame.page(&connection.name, body))
}

async fn renew(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
    form: Form,
) -> Result<Page, Fault> {
    let holder = visit.admin()?;
    let connection = visit.connection(&console, &id).await?;
    let secrets = form.below("secret.").filter(|(_, value)| !value.trim().is_empty());
    let secrets = secrets.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let _place = console.api.place(&console.api.validations).await?;
    let done = console.api.connections.renew(&connection, &Secrets::new(secrets), holder).await;
    let (found, status) = match done {
        Ok(validation) => {
            console.api.wake.now();
            let found = html! {
                p .note .good role="status" { "✔ The key is replaced." }
                (connect::diagnosis(&validation.to_json()))
            };
            (found, 200)
        }
        Err(problem) => (connect::refusal(&problem, "The old key stays."), problem.status),
    };
    let connection = visit.connection(&console, &id).await?;
    let body = body(&console, &visit.frame, &connection, Some(found)).await?;
    Ok(visit.frame.page(&connection.name, body).with(status))
}

async fn change(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Fault> {
    let holder = visit.admin()?;
    let connection = visit.connection(&console, &id).await?;
    let text = |key: &str| Some(form.text(key).to_owned()).filter(|text| !text.is_empty());
    let hours = text("every_hours").map(|text| {
        text.trim().parse().map_err(|_| {
            Problem::invalid("the hours between two runs are not a number")
                .hint("Give a whole number from 1 to 744.")
        })
    });
    let change = Change {
        name: text("name"),
        paused: text("paused").map(|text| text == "yes"),
        every_hours: hours.transpose()?,
    };
    console.api.connections.change(&connection, change, holder).await?;
    console.api.wake.now();
    Ok(see(&visit.frame, &format!("/c/{}", connection.id)))
}

async fn delete(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Fault> {
    let holder = visit.admin()?;
    let connection = visit.connection(&console, &id).await?;
    if form.text("sure") != "yes" {
        return Err(Problem::invalid("the box beside the button is not ticked")
            .hint("Go back, and tick it if the connection is to be deleted.")
            .into());
    }
    console.api.connections.delete(&connection, holder).await?;
    console.insights.forget(&connection.id);
    Ok(see(&visit.frame, "/connections"))
}
