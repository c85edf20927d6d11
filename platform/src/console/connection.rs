//! One connection: its state with what to do, its runs, its key, its schedule, and its end.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use maud::{Markup, html};
use serde_json::Value;
use smp_host::component::plugin::Plugin;

use super::diagnosis::{diagnosis, refusal};
use super::form::Form;
use super::page::{
    self, Frame, Page, ago, counted, ends, name, number, said, sentence, state, time,
};
use super::words::{self, Act};
use super::{Console, Fault, Visit, connect, see};
use crate::clock::now;
use crate::connections::Change;
use crate::problem::Problem;
use crate::runs::table::{self, Run};
use crate::store::connections::Connection;
use crate::store::connectors::{self, Build};

/// Runs that the page shows.
const RUNS: i64 = 20;

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/c/{id}", get(show))
        .route("/c/{id}/check", post(check))
        .route("/c/{id}/key", post(renew))
        .route("/c/{id}/change", post(change))
        .route("/c/{id}/delete", post(delete))
}

/// The pages of a connection, as links.
pub(super) fn tabs(frame: &Frame, connection: &Connection, own: &str) -> Markup {
    let link = |page: &str, text: &str| {
        let path = format!("/c/{}{page}", connection.id);
        html! { a href=(frame.to(&path)) aria-current=[(page == own).then_some("page")] { (text) } }
    };
    html! {
        p .crumb {
            a href=(frame.to("/connections")) { "Connections" } " › "
            a href=(frame.to(&format!("/c/{}", connection.id))) { (name(&connection.name)) }
            @if frame.holder.tenant.is_none() { " · tenant " (name(&connection.tenant)) }
        }
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
    let word = if connection.paused { "paused" } else { connection.state.as_str() };
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
            (facts(frame, connection, build.as_ref()))
            @if frame.is_admin() { (actions(frame, connection)) }
        }
        h2 { "Runs" }
        (runs_of(frame, connection, &runs))
        @if frame.is_admin() {
            (settings(frame, connection, plugin.as_ref()))
        }
    })
}

fn facts(frame: &Frame, connection: &Connection, build: Option<&Build>) -> Markup {
    let plugin = format!("/plugins/{}", page::part(&connection.connector));
    html! {
        dl .facts {
            div { dt { "Account" } dd { (name(&connection.account_name)) } }
            div {
                dt { "Plugin" }
                dd {
                    a href=(frame.to(&plugin)) { (name(&connection.connector)) }
                    @if let Some(build) = build { " " (name(&build.version)) }
                }
            }
            div {
                dt { "Runs" }
                dd { "every " (counted(connection.every_hours, "hour", "hours")) }
            }
            div {
                dt { "Next run" }
                dd {
                    @match connection.next_due.filter(|_| !connection.paused) {
                        Some(at) if at > now() => { (time(at)) ", " (ago(at)) }
                        Some(_) => "now",
                        None if connection.paused => "none while it is paused",
                        None => "none until a person acts, or while one goes on",
                    }
                }
            }
            div { dt { "Key ends" } dd { (ends(connection.credential_expires)) } }
            @if let Some(upstream) = &connection.upstream {
                div { dt { "Asks" } dd { (name(upstream)) ", in place of the live service" } }
            }
        }
    }
}

fn actions(frame: &Frame, connection: &Connection) -> Markup {
    let to = |path: &str| frame.to(&format!("/c/{}{path}", connection.id));
    let paused = if connection.paused { "no" } else { "yes" };
    html! {
        div .actions {
            form method="post" action=(to("/runs")) { button .main { "Run now" } }
            form method="post" action=(to("/check")) { button { "Check now" } }
            form method="post" action=(to("/change")) {
                input type="hidden" name="paused" value=(paused);
                button {
                    (if connection.paused { "Go on with the schedule" } else { "Pause" })
                }
            }
        }
    }
}

/// A failure with what to do about it.
pub(super) fn failed(frame: &Frame, connection: &Connection, failure: &Value) -> Markup {
    let text = |key: &str| failure.get(key).and_then(Value::as_str);
    let remedy = failure.get("remedy").and_then(words::remedy);
    let path = format!("/c/{}", connection.id);
    let connect = format!("/connect/{}", page::part(&connection.connector));
    html! {
        div .note .bad {
            @if let Some(message) = text("message") { p { strong { (sentence(message)) } } }
            @if let Some(hint) = text("hint") { p { (said(hint)) } }
            @if let Some((what, act)) = remedy {
                p {
                    "What to do: " (what) " "
                    @if frame.is_admin() {
                        @match act {
                            Act::Key => a href=(frame.to(&format!("{path}#key"))) { "New key" },
                            Act::Connect => a href=(frame.to(&connect)) { "Connect" },
                            Act::Check | Act::Run => {
                                a href=(frame.to(&path)) { "To the connection" }
                            }
                            Act::Nothing => {}
                        }
                    }
                }
            }
            @if let Some(code) = text("code") {
                p .code {
                    (name(code))
                    @if let Some(vendor) = text("vendor_code") { " · " (name(vendor)) }
                }
            }
        }
    }
}

/// Why a connection goes on with its old version.
fn held_back(upgrade: &Value) -> Markup {
    let text = |path: &str| upgrade.pointer(path).and_then(Value::as_str);
    let version = text("/version").unwrap_or_default();
    html! {
        div .note {
            p {
                strong { "Version " (name(version)) " is not used here yet. " }
                "It was tried with these settings; until it passes, the old version goes on."
            }
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
                thead {
                    tr {
                        th scope="col" { "Run" }
                        th scope="col" { "State" }
                        th scope="col" { "Began" }
                        th scope="col" .num { "Members" }
                        th scope="col" .num { "Pages" }
                        th scope="col" .num { "Requests" }
                        th scope="col" .num { "Time" }
                    }
                }
                tbody {
                    @for run in runs { (row(frame, connection, run)) }
                    @if runs.is_empty() {
                        tr { td colspan="7" { "None yet. The first begins by itself." } }
                    }
                }
            }
        }
    }
}

fn row(frame: &Frame, connection: &Connection, run: &Run) -> Markup {
    let path = format!("/c/{}/runs/{}", connection.id, run.id);
    html! {
        tr {
            th scope="row" { a href=(frame.to(&path)) { "Run " (run.seq) } }
            td { (state(&run.state)) }
            td { (time(run.started)) }
            td .num { (number(run.counts.members)) }
            td .num { (number(run.counts.pages)) }
            td .num {
                (number(run.requests))
                @if run.retries > 0 { span .sub { (number(run.retries)) " repeated" } }
            }
            td .num {
                @if let Some(ended) = run.ended { (page::duration(ended - run.started)) }
                @else { "–" }
            }
        }
    }
}

/// Key, schedule and removal.
fn settings(frame: &Frame, connection: &Connection, plugin: Option<&Plugin>) -> Markup {
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
            details {
                summary {
                    "It may send " (counted(connection.grants.len(), "request", "requests"))
                }
                ul { @for grant in &connection.grants { li { code { (said(grant)) } } } }
            }
        }
        h2 #key { "New key" }
        p {
            "The new key is checked first. Until it has passed, and if it does not, the old one \
             is used. Neither is ever shown."
        }
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
            input #every name="every_hours" type="number" min="1" max="744" required
                value=(connection.every_hours);
            button { "Save" }
        }
        h2 { "Delete" }
        form method="post" action=(to("/delete")) .stack {
            label .check {
                input type="checkbox" name="sure" value="yes" required;
                span {
                    "Delete this connection with its members, history, runs and key. There is no \
                     way back."
                }
            }
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
    visit.place.give_up();
    let _place = console.api.place(&console.api.validations).await?;
    let validation = console.api.connections.validate(&connection).await?;
    console.api.wake.now();
    // A validation that passed mends what a person had to mend.
    let connection = visit.connection(&console, &id).await?;
    let found = diagnosis(&validation.to_json());
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
    visit.place.give_up();
    let _place = console.api.place(&console.api.validations).await?;
    let done = console.api.connections.renew(&connection, &form.secrets(), holder).await;
    let (found, status) = match done {
        Ok(validation) => {
            console.api.wake.now();
            let found = html! {
                p .note .good role="status" { "✔ The key is replaced." }
                (diagnosis(&validation.to_json()))
            };
            (found, 200)
        }
        Err(problem) => (refusal(&problem, "The old key stays."), problem.status),
    };
    let connection = visit.connection(&console, &id).await?;
    let body = body(&console, &visit.frame, &connection, Some(found)).await?;
    Ok(visit.frame.page(&connection.name, body).with(status))
}

/// What a form changes of a connection.
fn changed(form: &Form) -> Result<Change, Problem> {
    let text = |key: &str| Some(form.text(key).to_owned()).filter(|text| !text.is_empty());
    let hours = text("every_hours").map(|text| {
        text.trim().parse().map_err(|_| {
            Problem::invalid("the hours between two runs are not a number")
                .hint("Give a whole number from 1 to 744.")
        })
    });
    let paused = match form.text("paused") {
        "" => None,
        "yes" => Some(true),
        "no" => Some(false),
        _ => {
            return Err(Problem::invalid("`paused` is neither yes nor no")
                .hint("Use the button of the page of the connection."));
        }
    };
    Ok(Change { name: text("name"), paused, every_hours: hours.transpose()? })
}

async fn change(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Fault> {
    let holder = visit.admin()?;
    let connection = visit.connection(&console, &id).await?;
    console.api.connections.change(&connection, changed(&form)?, holder).await?;
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
    Ok(see(&visit.frame, "/connections"))
}
