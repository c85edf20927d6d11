//! All connections that the visitor may see, with what needs a person first.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use maud::{Markup, html};
use serde_json::Value;
use smp_host::collect::guard::Counts;
use sqlx::any::AnyRow;
use sqlx::{Row as _, query};

use super::form::{LONGEST, Query};
use super::page::{
    self, Frame, Page, Pages, ago, day, ends, name, number, page_of, paging, sentence, state,
};
use super::{Console, Fault, Visit};
use crate::clock::now;
use crate::store::Store;

/// Connections of a page.
const PAGE: usize = 100;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/connections", get(overview))
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

/// A number for the database.
fn number_of(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
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
        .bind(now() + page::ENDING)
        .bind(now())
        .fetch_one(store.read())
        .await?;
    (0..SHOWN.len()).map(|place| row.try_get(format!("n{place}").as_str())).collect()
}

async fn list(
    store: &Store,
    (tenant, like): (&str, &str),
    condition: &str,
    page: usize,
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
        .bind(now() + page::ENDING)
        .bind(now())
        .bind(number_of(PAGE + 1))
        .bind(number_of((page - 1) * PAGE))
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
    let page = page_of(&query);
    let counts = counts(store, tenant, &like).await?;
    let mut rows = list(store, (tenant, &like), condition, page).await?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let all = counts.first().copied().unwrap_or(0);
    let frame = &visit.frame;
    let is_operator = visit.tenant().is_none();
    let to = |set: &[(&str, Option<&str>)]| query.with(&frame.to("/connections"), set);
    let turn = |page: Option<&str>| to(&[("page", page)]);
    let body = html! {
        h1 { "Connections" }
        @if let Some(warning) = console.api.engine.as_ref().and_then(|engine| engine.warning()) {
            p #engine .note role="status" { "▲ " (warning) }
        }
        @if all == 0 && like.is_empty() && tenant.is_empty() {
            p { "There is no connection yet." }
            @if frame.is_admin() {
                p { a .button href=(frame.to("/connect")) { "Connect a service" } }
            }
        } @else {
            (search(&query, key, is_operator))
            div #overview data-region="overview" tabindex="-1" {
                nav .cards aria-label="What to look at" {
                    @for ((card, label, _), count) in SHOWN.iter().zip(&counts) {
                        @let set = (*card != "all").then_some(*card);
                        @let is_alarm = matches!(*card, "attention" | "failing" | "ending");
                        a href=(to(&[("show", set), ("page", None)])) .card
                            aria-current=[(*card == key).then_some("true")]
                            .alarm[*count > 0 && is_alarm] {
                            strong { (number(*count)) } " " (label)
                        }
                    }
                }
                @if let Some(tenant) = query.get("tenant").filter(|_| is_operator) {
                    p {
                        "Only tenant " (name(tenant)) ". "
                        a href=(to(&[("tenant", None), ("page", None)])) { "All tenants" }
                    }
                }
                (rows_of(frame, &query, &rows, is_operator))
                (paging(("Pages", "overview"), page, Pages::More(more), turn))
            }
        }
    };
    Ok(frame.page("Connections", body))
}

fn search(query: &Query, shown: &str, is_operator: bool) -> Markup {
    let hint = if is_operator { "Name, account or tenant" } else { "Name or account" };
    html! {
        form method="get" role="search" .bar data-live {
            label {
                "Search"
                input type="search" name="q" placeholder=(hint) maxlength=(LONGEST)
                    value=(query.get("q").unwrap_or_default());
            }
            @if let Some(tenant) = query.get("tenant") {
                input type="hidden" name="tenant" value=(tenant);
            }
            @if shown != "all" { input type="hidden" name="show" value=(shown); }
            button { "Search" }
        }
    }
}

fn rows_of(frame: &Frame, query: &Query, rows: &[Listed], is_operator: bool) -> Markup {
    html! {
        div .scroll tabindex="0" role="region" aria-label="Connections" {
            table {
                caption .hidden { "Connections, those that need a person first" }
                thead {
                    tr {
                        th scope="col" { "Connection" }
                        @if is_operator { th scope="col" { "Tenant" } }
                        th scope="col" { "State" }
                        th scope="col" .num { "Members" }
                        th scope="col" { "Last whole run" }
                        th scope="col" { "Next run" }
                        th scope="col" { "Key ends" }
                    }
                }
                tbody {
                    @for row in rows { (row_of(frame, query, row, is_operator)) }
                    @if rows.is_empty() {
                        tr { td colspan="7" { "No connection is like that." } }
                    }
                }
            }
        }
    }
}

fn row_of(frame: &Frame, query: &Query, row: &Listed, is_operator: bool) -> Markup {
    let path = format!("/c/{}", row.id);
    let own = [("tenant", Some(row.tenant.as_str())), ("page", None)];
    let failure = row.failure.as_ref().and_then(|failure| failure.get("message")?.as_str());
    html! {
        tr {
            th scope="row" {
                a href=(frame.to(&path)) { (name(&row.name)) }
                span .sub { (name(&row.connector)) " · " (name(&row.account)) }
            }
            @if is_operator {
                td { a href=(query.with(&frame.to("/connections"), &own)) { (name(&row.tenant)) } }
            }
            td {
                @match &row.open {
                    Some((run, word)) => {
                        a href=(frame.to(&format!("{path}/runs/{run}"))) { (state(word)) }
                    }
                    None => (state(&row.state)),
                }
                @if let Some(text) = failure { span .sub { (sentence(text)) } }
            }
            td .num {
                @match &row.counts {
                    Some(counts) => {
                        a href=(frame.to(&format!("{path}/members"))) { (number(counts.members)) }
                    }
                    None => "–",
                }
            }
            td {
                @match row.ended {
                    Some(at) => { (day(at)) span .sub { (ago(at)) } }
                    None => "none yet",
                }
            }
            td {
                @match row.next_due {
                    Some(at) if at > now() => (ago(at)),
                    Some(_) => "now",
                    None => "–",
                }
            }
            td { (ends(row.credential_expires)) }
        }
    }
}
