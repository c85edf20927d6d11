//! The form of a connector: checked while it is filled in, without sending anything; then checked
//! at the service, in stages, with what to do next.
//!
//! A pasted key is taken once. It is held in memory until the form is done, its field is gone
//! meanwhile, and no page ever contains it.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde_json::Value;
use smp_host::component::plugin::Plugin;
use smp_host::contract::{Endpoint, SettingField};
use smp_host::http::base::bases;
use smp_host::settings::{SecretText, Settings};
use smp_listing::method;
use sqlx::{Row as _, query};

use super::form::Form;
use super::page::{self, Frame, Page, name, said, sentence, state};
use super::{Console, Fault, Visit};
use crate::connections::{New, Secrets};
use crate::problem::Problem;
use crate::store::Store;
use crate::store::connectors::{self, Build};

/// Tenants that are offered while the operator types.
const OFFERED: i64 = 200;

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/connect", get(choose))
        .route("/connect/{id}", get(empty).post(connect))
        .route("/connect/{id}/check", post(check))
        .route("/connect/{id}/forget", post(forget))
}

/// What was entered, without secrets.
#[derive(Default)]
struct Entered {
    tenant: String,
    name: String,
    settings: BTreeMap<String, String>,
    upstream: Option<String>,
    grants: Vec<String>,
    consent: bool,
    every_hours: String,
}

/// What the form is shown with.
struct Shown<'a> {
    console: &'a Console,
    visit: &'a Visit,
    build: &'a Build,
    plugin: &'a Plugin,
    entered: &'a Entered,
    held: Option<Secrets>,
    /// Whether what was entered is told apart: not in a form that is still empty.
    checked: bool,
    tenants: Vec<String>,
    result: Option<Markup>,
}

/// What is known of a field before anything is sent.
enum Finding {
    Good(String),
    Doubt(String, Option<String>),
    Bad(String, Option<String>),
}

impl Entered {
    fn of(form: &Form) -> Self {
        let settings = form.below("setting.").filter(|(_, value)| !value.trim().is_empty());
        Self {
            tenant: form.text("tenant").trim().to_owned(),
            name: form.text("name").trim().to_owned(),
            settings: settings.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            upstream: Some(form.text("upstream").to_owned()).filter(|text| !text.is_empty()),
            grants: form.all("grant").map(ToOwned::to_owned).collect(),
            consent: form.text("consent") == "yes",
            every_hours: form.text("every_hours").to_owned(),
        }
    }
}

/// The secrets of a form, or those that are held for it.
fn secrets(console: &Console, visit: &Visit, connector: &str, form: &Form) -> Option<Secrets> {
    let pasted: BTreeMap<String, String> = form
        .below("secret.")
        .filter(|(_, value)| !value.trim().is_empty())
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    if pasted.is_empty() {
        return console.guard.held(&visit.visitor, connector);
    }
    let secrets = Secrets::new(pasted);
    console.guard.hold(&visit.visitor, connector, secrets.clone());
    Some(secrets)
}

async fn tenants(store: &Store, visit: &Visit) -> Result<Vec<String>, Fault> {
    if visit.tenant().is_some() {
        return Ok(Vec::new());
    }
    let rows = query("SELECT id FROM tenants ORDER BY id LIMIT $1").bind(OFFERED);
    let rows = rows.fetch_all(store.read()).await?;
    Ok(rows.iter().map(|row| row.try_get("id")).collect::<Result<_, sqlx::Error>>()?)
}

async fn loaded(console: &Console, id: &str) -> Result<(Build, Plugin), Fault> {
    let build = connectors::active(&console.api.connections.store, id).await;
    let build = build.map_err(|problem| match problem.code.as_str() {
        "unknown-connector" => Problem::not_found("plugin"),
        _ => problem,
    })?;
    let plugin = console.api.connections.catalog.plugin(&build.digest).await?;
    Ok((build, plugin))
}

async fn choose(State(console): State<Console>, visit: Visit) -> Result<Page, Fault> {
    visit.admin()?;
    let builds = connectors::list(&console.api.connections.store).await?;
    let frame = &visit.frame;
    let body = html! {
        h1 { "Connect a service" }
        ul .choices {
            @for build in builds.iter().filter(|build| build.state == "active") {
                @let id = page::part(&build.id);
                li {
                    a .button href=(frame.to(&format!("/connect/{id}"))) { "Connect " (name(&build.name)) }
                    " " a href=(frame.to(&format!("/plugins/{id}"))) { "What it collects and may do" }
                }
            }
        }
        @if !builds.iter().any(|build| build.state == "active") {
            p { "No plugin is installed. The operator installs one: " code { "smp-platform connector install FILE" } }
        }
    };
    Ok(frame.page("Connect", body))
}

async fn empty(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Page, Fault> {
    visit.admin()?;
    let (build, plugin) = loaded(&console, &id).await?;
    let approved = build.approved.endpoints.iter();
    let entered = Entered {
        grants: approved.filter(|grant| grant.starts_with("GET ")).cloned().collect(),
        every_hours: "24".into(),
        ..Entered::default()
    };
    let shown = Shown {
        console: &console,
        visit: &visit,
        build: &build,
        plugin: &plugin,
        entered: &entered,
        held: console.guard.held(&visit.visitor, &id),
        checked: false,
        tenants: tenants(&console.api.connections.store, &visit).await?,
        result: None,
    };
    Ok(shown.page(200))
}

/// Checks what was entered, without sending anything. The script asks while it is typed.
async fn check(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
    form: Form,
) -> Result<Page, Fault> {
    visit.admin()?;
    let (build, plugin) = loaded(&console, &id).await?;
    let entered = Entered::of(&form);
    let shown = Shown {
        console: &console,
        visit: &visit,
        build: &build,
        plugin: &plugin,
        entered: &entered,
        held: secrets(&console, &visit, &id, &form),
        checked: true,
        tenants: tenants(&console.api.connections.store, &visit).await?,
        result: None,
    };
    Ok(shown.page(200))
}

/// Forgets the key that is held, and shows its field again.
async fn forget(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
    form: Form,
) -> Result<Page, Fault> {
    console.guard.forget(&visit.visitor);
    let (build, plugin) = loaded(&console, &id).await?;
    let entered = Entered::of(&form);
    let shown = Shown {
        console: &console,
        visit: &visit,
        build: &build,
        plugin: &plugin,
        entered: &entered,
        held: None,
        checked: true,
        tenants: tenants(&console.api.connections.store, &visit).await?,
        result: None,
    };
    Ok(shown.page(200))
}

/// Checks at the service, and keeps the connection if it is ready.
async fn connect(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Fault> {
    let holder = visit.admin()?.clone();
    let (build, plugin) = loaded(&console, &id).await?;
    let entered = Entered::of(&form);
    let held = secrets(&console, &visit, &id, &form);
    let mut shown = Shown {
        console: &console,
        visit: &visit,
        build: &build,
        plugin: &plugin,
        entered: &entered,
        held,
        checked: true,
        tenants: tenants(&console.api.connections.store, &visit).await?,
        result: None,
    };
    let faults = shown.faults();
    if !faults.is_empty() {
        shown.result = Some(summary(&faults));
        return Ok(shown.page(422).into_response());
    }
    let new = New {
        tenant: visit.tenant().unwrap_or(&entered.tenant).to_owned(),
        connector: build.id.clone(),
        name: if entered.name.is_empty() { build.name.clone() } else { entered.name.clone() },
        settings: entered.settings.clone(),
        secrets: shown.held.clone().unwrap_or_default(),
        grants: entered.grants.clone(),
        upstream: entered.upstream.clone(),
        every_hours: entered.every_hours.trim().parse().unwrap_or(24),
    };
    let made = {
        let _place = console.api.place(&console.api.validations).await?;
        console.api.connections.make(new, &holder).await
    };
    match made {
        Ok((connection, validation)) => {
            console.guard.forget(&visit.visitor);
            console.api.wake.now();
            let frame = &visit.frame;
            let body = html! {
                h1 { "Connected: " (name(&connection.account_name)) }
                (diagnosis(&validation.to_json()))
                p { "The first run begins by itself." }
                p { a .button .main href=(frame.to(&format!("/c/{}/runs/latest", connection.id))) { "Look at the first run" }
                    " " a href=(frame.to(&format!("/c/{}", connection.id))) { "To the connection" } }
            };
            Ok(frame.page("Connected", body).into_response())
        }
        Err(problem) => {
            shown.result =
                Some(refusal(&problem, "Nothing is kept, and the form is as you left it."));
            Ok(shown.page(problem.status).into_response())
        }
    }
}

/// A refusal with the diagnosis, if there is one.
pub(super) fn refusal(problem: &Problem, then: &str) -> Markup {
    html! {
        div .note .bad role="alert" tabindex="-1" autofocus {
            h2 { "Not ready" }
            @match &problem.validation {
                Some(validation) => { (checks(validation)) }
                None => {
                    p { (sentence(&problem.detail)) }
                    @if let Some(hint) = &problem.hint { p { (said(hint)) } }
                }
            }
            p { (then) }
        }
    }
}

/// A validation in stages.
pub(super) fn diagnosis(validation: &Value) -> Markup {
    let ready = validation.get("ready").and_then(Value::as_bool) == Some(true);
    html! {
        section .note .(if ready { "good" } else { "bad" }) aria-label="Diagnosis" {
            p .lead { (if ready { "✔ Ready" } else { "✘ Not ready" }) }
            (checks(validation))
        }
    }
}

fn checks(validation: &Value) -> Markup {
    let checks = validation.get("checks").and_then(Value::as_array);
    html! {
        ul .checks {
            @for check in checks.into_iter().flatten() {
                @let text = |key: &str| check.get(key).and_then(Value::as_str);
                li {
                    (state(text("outcome").unwrap_or("skipped"))) " "
                    strong { (said(text("title").unwrap_or_default())) }
                    @if let Some(message) = text("message") { div { (sentence(message)) } }
                    @if let Some(hint) = text("hint") { div .next { "→ " (said(hint)) } }
                }
            }
        }
    }
}

/// What is wrong with a form, each a link to its field.
fn summary(faults: &[(String, String)]) -> Markup {
    html! {
        div .note .bad role="alert" tabindex="-1" autofocus {
            h2 { @if faults.len() == 1 { "There is 1 problem" } @else { "There are " (faults.len()) " problems" } }
            ul { @for (field, text) in faults { li { a href=(format!("#{field}")) { (sentence(text)) } } } }
            p { "Nothing was sent." }
        }
    }
}

/// The field of a secret. It is never filled in by the page.
pub(super) fn secret_field(field: &SettingField, finding: Option<Markup>) -> Markup {
    let id = format!("secret.{}", field.key);
    let help = format!("{id}-help");
    html! {
        label for=(id) { (name(&field.label)) }
        p .help #(help) { (said(&field.help)) }
        input id=(id) name=(id) type="password" autocomplete="new-password" spellcheck="false"
            aria-describedby=(help) placeholder=(field.placeholder) data-once required[field.required];
        @if let Some(finding) = finding { (finding) }
    }
}

impl Shown<'_> {
    /// What keeps the form from being sent: the field's id and what is wrong.
    fn faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        if self.visit.tenant().is_none() && self.entered.tenant.is_empty() {
            faults.push(("tenant".to_owned(), "Tenant is missing".to_owned()));
        }
        for field in &self.plugin.descriptor().settings {
            let kind = if field.secret.is_some() { "secret" } else { "setting" };
            if let Some(Finding::Bad(message, _)) = self.finding(field) {
                faults.push((format!("{kind}.{}", field.key), message));
            }
        }
        let hours = self.entered.every_hours.trim();
        if !hours.is_empty() && hours.parse::<i64>().is_err() {
            faults.push(("every_hours".into(), "Hours between two runs is not a number".into()));
        }
        if !self.entered.consent {
            let text = "You have not agreed that the key may be sent".to_owned();
            faults.push(("consent".to_owned(), text));
        }
        faults
    }

    /// What the host knows of a field alone. Nothing is sent, and no value is repeated.
    fn finding(&self, field: &SettingField) -> Option<Finding> {
        let descriptor = self.plugin.descriptor();
        let held = self.held.as_ref();
        let (mut values, mut entered) = (BTreeMap::new(), BTreeMap::new());
        let is_secret = field.secret.is_some();
        let given = match held.and_then(|held| held.given(&field.key)) {
            Some(text) if is_secret => {
                entered.insert(field.key.clone(), SecretText::new(text.to_owned()));
                true
            }
            _ => match self.entered.settings.get(&field.key) {
                Some(value) if !is_secret => {
                    values.insert(field.key.clone(), value.clone());
                    for secret in descriptor.settings.iter().filter(|it| it.secret.is_some()) {
                        if let Some(text) = held.and_then(|held| held.given(&secret.key)) {
                            entered.insert(secret.key.clone(), SecretText::new(text.to_owned()));
                        }
                    }
                    true
                }
                _ => false,
            },
        };
        if !given {
            let missing = field.required && field.default.is_none();
            return missing.then(|| Finding::Bad(format!("{} is missing", field.label), None));
        }
        let settings = Settings { values, secrets: entered };
        match settings.check(descriptor, is_secret) {
            Err(failure) if failure.setting.as_ref() == Some(&field.key) => {
                Some(Finding::Bad(failure.message, failure.hint))
            }
            // Of another field, which has its own words.
            Err(_) => None,
            Ok(checked) => {
                let mut doubts = checked.warnings.into_iter();
                let prefix = checked.known.key_prefix.filter(|_| is_secret);
                match (doubts.find(|doubt| doubt.setting == field.key), prefix) {
                    (_, Some(known)) if !known.expected => Some(Finding::Doubt(
                        format!("By its beginning, this is {}", known.meaning),
                        Some(known.hint),
                    )),
                    (Some(doubt), _) => Some(Finding::Doubt(doubt.message, Some(doubt.hint))),
                    (None, Some(known)) => {
                        Some(Finding::Good(format!("By its beginning, this is {}", known.meaning)))
                    }
                    (None, None) if field.choices.is_empty() => {
                        Some(Finding::Good("Looks right".to_owned()))
                    }
                    (None, None) => None,
                }
            }
        }
    }

    fn page(&self, status: u16) -> Page {
        let frame = &self.visit.frame;
        let descriptor = self.plugin.descriptor();
        let path = format!("/connect/{}", page::part(&self.build.id));
        let is_operator = self.visit.tenant().is_none();
        let body = html! {
            p .crumb { a href=(frame.to("/connect")) { "Connect" } " › " (name(&descriptor.name)) }
            h1 { "Connect " (name(&descriptor.name)) }
            @if let Some(result) = &self.result { (result) }
            p { (said(&descriptor.summary)) " "
                a href=(frame.to(&format!("/plugins/{}", page::part(&self.build.id)))) { "What it collects, and a guide" } }
            form method="post" action=(frame.to(&path)) data-check=(frame.to(&format!("{path}/check"))) .stack novalidate {
                @if is_operator {
                    label for="tenant" { "Tenant" }
                    p .help #tenant-help { "Whose connection this is. A new name makes a new tenant." }
                    input #tenant name="tenant" value=(self.entered.tenant) list="tenants" maxlength="200"
                        required aria-describedby="tenant-help" dir="auto" autocomplete="off";
                    datalist #tenants { @for tenant in &self.tenants { option value=(tenant) {} } }
                }
                label for="name" { "Name of the connection" }
                input #name name="name" value=(self.entered.name) placeholder=(descriptor.name) maxlength="200"
                    dir="auto" autocomplete="off";
                @for field in &descriptor.settings {
                    @if field.secret.is_some() { (self.secret(frame, &path, field)) } @else { (self.field(field)) }
                }
                (self.upstreams())
                label for="every_hours" { "Hours between two runs" }
                input #every_hours name="every_hours" type="number" min="1" max="744" value=(self.entered.every_hours);
                (self.approval())
                button .main { "Check and connect" }
                div hidden data-busy role="status" {
                    p { "Checking at the service. This is asked:" }
                    ul { @for endpoint in self.asked() { li { (said(&endpoint.purpose)) } } }
                }
            }
        };
        frame.page(&format!("Connect {}", descriptor.name), body).with(status)
    }

    fn asked(&self) -> impl Iterator<Item = &Endpoint> {
        let approved = &self.build.approved.endpoints;
        let endpoints = self.plugin.descriptor().api.endpoints.iter().take(40);
        endpoints.filter(|endpoint| {
            approved.contains(&format!("{} {}", method(endpoint), endpoint.path))
        })
    }

    fn message(&self, field: &SettingField, id: &str) -> Markup {
        let finding = if self.checked { self.finding(field) } else { None };
        html! {
            div #(format!("{id}-says")) data-region=(format!("{id}-says")) .says aria-live="polite" {
                @match finding {
                    Some(Finding::Good(text)) => p .good { "✔ " (sentence(&text)) },
                    Some(Finding::Doubt(text, hint)) => {
                        p .warn { "⚠ " (sentence(&text)) }
                        @if let Some(hint) = hint.filter(|hint| *hint != field.help) { p { (said(&hint)) } }
                    }
                    Some(Finding::Bad(text, hint)) => {
                        p .bad { "✘ " (sentence(&text)) }
                        @if let Some(hint) = hint.filter(|hint| *hint != field.help) { p { (said(&hint)) } }
                    }
                    None => {}
                }
            }
        }
    }

    fn field(&self, field: &SettingField) -> Markup {
        let id = format!("setting.{}", field.key);
        let value = self.entered.settings.get(&field.key);
        let chosen = value.or(field.default.as_ref());
        let bad = self.checked && matches!(self.finding(field), Some(Finding::Bad(..)));
        html! {
            label for=(id) { (name(&field.label)) @if !field.required { " (optional)" } }
            p .help #(format!("{id}-help")) { (said(&field.help)) }
            @if field.choices.is_empty() {
                input id=(id) name=(id) value=[value] placeholder=(field.placeholder) maxlength="1024"
                    autocomplete="off" spellcheck="false" dir="auto" required[field.required]
                    aria-describedby=(format!("{id}-help {id}-says")) aria-invalid=[bad.then_some("true")];
            } @else {
                select id=(id) name=(id) aria-describedby=(format!("{id}-help {id}-says")) {
                    @for choice in &field.choices {
                        option value=(choice.value) selected[chosen == Some(&choice.value)] { (smp_listing::name(&choice.label)) }
                    }
                }
            }
            (self.message(field, &id))
        }
    }

    fn secret(&self, frame: &Frame, path: &str, field: &SettingField) -> Markup {
        let id = format!("secret.{}", field.key);
        let held = self.held.as_ref().is_some_and(|held| held.given(&field.key).is_some());
        html! {
            div data-region=(id) .stack {
                @if held {
                    p #(id) .held tabindex="-1" { strong { (name(&field.label)) } " is held in memory for this form. It is not shown, and forgotten when the form is done." }
                    (self.message(field, &id))
                    button formaction=(frame.to(&format!("{path}/forget"))) { "Forget it and enter another" }
                } @else {
                    (secret_field(field, Some(self.message(field, &id))))
                }
            }
        }
    }

    fn upstreams(&self) -> Markup {
        let upstreams = self.console.api.connections.upstreams();
        html! {
            @if !upstreams.is_empty() {
                label for="upstream" { "Where to ask" }
                select #upstream name="upstream" {
                    option value="" { "The live service" }
                    @for upstream in upstreams {
                        @let text = upstream.to_string();
                        option value=(text) selected[self.entered.upstream.as_ref() == Some(&text)] { (text) }
                    }
                }
            }
        }
    }

    /// Approval of where the key goes, and of each request that is more than reading an address.
    fn approval(&self) -> Markup {
        let descriptor = self.plugin.descriptor();
        let approved = &self.build.approved.endpoints;
        let named = |endpoint: &Endpoint| format!("{} {}", method(endpoint), endpoint.path);
        let (gets, posts): (Vec<_>, Vec<_>) = descriptor
            .api
            .endpoints
            .iter()
            .filter(|endpoint| approved.contains(&named(endpoint)))
            .partition(|endpoint| method(endpoint) == "GET");
        let origins: Vec<&str> = bases(&descriptor.api).collect();
        html! {
            fieldset {
                legend { "What you agree to" }
                label .check {
                    input #consent type="checkbox" name="consent" value="yes" checked[self.entered.consent] required;
                    span {
                    "The key may be sent to "
                    @for (place, origin) in origins.iter().enumerate() { @if place > 0 { " or " } code { (name(origin)) } }
                    @if !self.console.api.connections.upstreams().is_empty() { ", or where I chose to ask," }
                    " to read what is listed here, and nothing else."
                    }
                }
                details {
                    summary { (page::counted(gets.len(), "request", "requests")) " that read" }
                    ul { @for endpoint in &gets {
                        li { (said(&endpoint.purpose)) " " code { (name(&named(endpoint))) } }
                    } }
                }
                @for endpoint in &gets { input type="hidden" name="grant" value=(named(endpoint)); }
                @for endpoint in &posts {
                    @let text = named(endpoint);
                    label .check {
                        input type="checkbox" name="grant" value=(text) checked[self.entered.grants.contains(&text)];
                        span {
                            "Also this request: " (said(&endpoint.purpose)) " "
                            @if endpoint.read_only { "It only reads, though its kind could change data. " } @else { strong { "It may change data. " } }
                            code { (name(&text)) }
                        }
                    }
                }
            }
        }
    }
}
