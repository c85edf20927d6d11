//! The form of a connector: checked while it is filled in, without sending anything; then checked
//! at the service, in stages, with what to do next.
//!
//! A pasted key is taken once. It is held in memory until the form is done, its field is gone
//! meanwhile, and no page ever contains it. It is held for the form that was handed out, so that no
//! other form, of another tenant or connector, gets it.

mod fields;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use smp_host::component::plugin::Plugin;
use smp_host::contract::{Endpoint, SettingField};
use smp_host::settings::{SecretText, Settings};
use smp_listing::method;
use sqlx::{Row as _, query};

pub(super) use fields::secret_field;

use super::diagnosis::{diagnosis, refusal, summary};
use super::form::Form;
use super::guard::FormId;
use super::page::{self, Page, name};
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
    loaded: &'a Loaded,
    form: &'a FormId,
    entered: &'a Entered,
    held: Secrets,
    /// Whether what was entered is told apart: not in a form that is still empty.
    checked: bool,
    result: Option<Markup>,
}

/// A connector whose form is shown.
struct Loaded {
    build: Build,
    plugin: Plugin,
    tenants: Vec<String>,
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

/// Which form this is; a new one if it does not tell.
fn form_id(connector: &str, form: &Form) -> FormId {
    let id = form.text("form");
    let connector = connector.to_owned();
    if id.len() == 32 && id.bytes().all(|sign| sign.is_ascii_hexdigit()) {
        return FormId { id: id.to_owned(), connector };
    }
    FormId::new(&connector)
}

/// Holds the secrets that were typed, beside those that are held for the form already.
fn hold(console: &Console, visit: &Visit, id: &FormId, form: &Form) {
    let typed = form.secrets();
    if !typed.is_empty() {
        console.guard.sessions.hold(&visit.visitor, id, typed);
    }
}

async fn tenants(store: &Store, visit: &Visit) -> Result<Vec<String>, Fault> {
    if visit.tenant().is_some() {
        return Ok(Vec::new());
    }
    let rows = query("SELECT id FROM tenants ORDER BY id LIMIT $1").bind(OFFERED);
    let rows = rows.fetch_all(store.read()).await?;
    Ok(rows.iter().map(|row| row.try_get("id")).collect::<Result<_, sqlx::Error>>()?)
}

async fn loaded(console: &Console, visit: &Visit, id: &str) -> Result<Loaded, Fault> {
    let store = &console.api.connections.store;
    let build = connectors::active(store, id).await;
    let build = build.map_err(|problem| match problem.code.as_str() {
        "unknown-connector" => Problem::not_found("plugin"),
        _ => problem,
    })?;
    let plugin = console.api.connections.catalog.plugin(&build.digest).await?;
    Ok(Loaded { build, plugin, tenants: tenants(store, visit).await? })
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
                    a .button href=(frame.to(&format!("/connect/{id}"))) {
                        "Connect " (name(&build.name))
                    }
                    " "
                    a href=(frame.to(&format!("/plugins/{id}"))) {
                        "What it collects and may do"
                    }
                }
            }
        }
        @if !builds.iter().any(|build| build.state == "active") {
            p {
                "No plugin is installed. The operator installs one: "
                code { "smp-platform connector install FILE" }
            }
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
    let loaded = loaded(&console, &visit, &id).await?;
    let approved = loaded.build.approved.endpoints.iter();
    let entered = Entered {
        grants: approved.filter(|grant| grant.starts_with("GET ")).cloned().collect(),
        every_hours: "24".into(),
        ..Entered::default()
    };
    let shown = Shown {
        console: &console,
        visit: &visit,
        loaded: &loaded,
        form: &FormId::new(&id),
        entered: &entered,
        held: Secrets::default(),
        checked: false,
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
    let form_id = form_id(&id, &form);
    hold(&console, &visit, &form_id, &form);
    again(&console, &visit, &form_id, &form).await
}

/// Forgets the keys that are held, and shows their fields again.
async fn forget(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
    form: Form,
) -> Result<Page, Fault> {
    visit.admin()?;
    let form_id = form_id(&id, &form);
    console.guard.sessions.forget(&visit.visitor, &form_id);
    again(&console, &visit, &form_id, &form).await
}

/// The form as it was filled in, checked.
async fn again(
    console: &Console,
    visit: &Visit,
    form_id: &FormId,
    form: &Form,
) -> Result<Page, Fault> {
    let shown = Shown {
        console,
        visit,
        loaded: &loaded(console, visit, &form_id.connector).await?,
        form: form_id,
        entered: &Entered::of(form),
        held: console.guard.sessions.held(&visit.visitor, form_id),
        checked: true,
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
    let loaded = loaded(&console, &visit, &id).await?;
    let (form_id, entered) = (form_id(&id, &form), Entered::of(&form));
    let tenant = visit.tenant().unwrap_or(&entered.tenant).to_owned();
    let sessions = &console.guard.sessions;
    // What was sent for another tenant goes, and what was typed now is this one's.
    sessions.bind(&visit.visitor, &form_id, &tenant);
    hold(&console, &visit, &form_id, &form);
    sessions.bind(&visit.visitor, &form_id, &tenant);
    let mut shown = Shown {
        console: &console,
        visit: &visit,
        loaded: &loaded,
        form: &form_id,
        entered: &entered,
        held: sessions.held(&visit.visitor, &form_id),
        checked: true,
        result: None,
    };
    let faults = shown.faults();
    if !faults.is_empty() {
        shown.result = Some(summary(&faults));
        return Ok(shown.page(422).into_response());
    }
    let build = &loaded.build;
    let new = New {
        tenant,
        connector: build.id.clone(),
        name: if entered.name.is_empty() { build.name.clone() } else { entered.name.clone() },
        settings: entered.settings.clone(),
        secrets: shown.held.clone(),
        grants: entered.grants.clone(),
        upstream: entered.upstream.clone(),
        every_hours: entered.every_hours.trim().parse().unwrap_or(24),
    };
    visit.place.give_up();
    let made = {
        let _place = console.api.place(&console.api.validations).await?;
        console.api.connections.make(new, &holder).await
    };
    match made {
        Ok((connection, validation)) => {
            sessions.forget(&visit.visitor, &form_id);
            console.api.wake.now();
            let frame = &visit.frame;
            let path = format!("/c/{}", connection.id);
            let body = html! {
                h1 { "Connected: " (name(&connection.account_name)) }
                (diagnosis(&validation.to_json()))
                p { "The first run begins by itself." }
                p {
                    a .button .main href=(frame.to(&format!("{path}/runs/latest"))) {
                        "Look at the first run"
                    }
                    " " a href=(frame.to(&path)) { "To the connection" }
                }
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

impl Shown<'_> {
    /// What keeps the form from being sent: the field's id and what is wrong.
    fn faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        if self.visit.tenant().is_none() && self.entered.tenant.is_empty() {
            faults.push(("tenant".to_owned(), "Tenant is missing".to_owned()));
        }
        for field in &self.loaded.plugin.descriptor().settings {
            let kind = if field.secret.is_some() { "secret" } else { "setting" };
            if let Some(Finding::Bad(message, _)) = self.finding(field) {
                faults.push((format!("{kind}.{}", field.key), message));
            }
        }
        let hours = self.entered.every_hours.trim();
        if !hours.is_empty() && hours.parse::<i64>().is_err() {
            faults.push(("every_hours".into(), "Hours between two runs is not a number".into()));
        }
        // To a connection, no request would be all that the operator approved.
        if self.entered.grants.is_empty() {
            let text = "You have agreed to no request, so nothing could be collected".to_owned();
            faults.push(("requests".to_owned(), text));
        }
        if !self.entered.consent {
            let text = "You have not agreed that the key may be sent".to_owned();
            faults.push(("consent".to_owned(), text));
        }
        faults
    }

    /// What the host knows of a field alone. Nothing is sent, and no value is repeated.
    fn finding(&self, field: &SettingField) -> Option<Finding> {
        let descriptor = self.loaded.plugin.descriptor();
        let (mut values, mut entered) = (BTreeMap::new(), BTreeMap::new());
        let is_secret = field.secret.is_some();
        let given = match self.held.given(&field.key) {
            Some(text) if is_secret => {
                entered.insert(field.key.clone(), SecretText::new(text.to_owned()));
                true
            }
            _ => match self.entered.settings.get(&field.key) {
                Some(value) if !is_secret => {
                    values.insert(field.key.clone(), value.clone());
                    for secret in descriptor.settings.iter().filter(|it| it.secret.is_some()) {
                        if let Some(text) = self.held.given(&secret.key) {
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

    /// The requests that the operator approved for the plugin.
    fn approved(&self) -> impl Iterator<Item = &Endpoint> {
        let approved = &self.loaded.build.approved.endpoints;
        let endpoints = self.loaded.plugin.descriptor().api.endpoints.iter();
        endpoints.filter(|endpoint| approved.contains(&named(endpoint)))
    }
}

/// The name of a request, as it is approved.
fn named(endpoint: &Endpoint) -> String {
    format!("{} {}", method(endpoint), endpoint.path)
}
