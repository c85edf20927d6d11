//! The form of a connector as a page: its fields with what is known of each, and what the person
//! agrees to.

use maud::{Markup, html};
use smp_host::contract::{Endpoint, SettingField};
use smp_host::http::base::bases;
use smp_listing::method;

use super::super::page::{self, Frame, Page, bare, name, said, sentence};
use super::{Finding, Shown, named};

/// Requests that are shown while they are sent.
const ASKED: usize = 40;

/// The field of a secret. It is never filled in by the page.
pub(in crate::console) fn secret_field(field: &SettingField, finding: Option<Markup>) -> Markup {
    let id = format!("secret.{}", field.key);
    let help = format!("{id}-help");
    html! {
        label for=(id) { (name(&field.label)) }
        p .help #(help) { (said(&field.help)) }
        input id=(id) name=(id) type="password" autocomplete="new-password" spellcheck="false"
            aria-describedby=(help) placeholder=(bare(&field.placeholder)) data-once
            required[field.required];
        @if let Some(finding) = finding { (finding) }
    }
}

impl Shown<'_> {
    pub(super) fn page(&self, status: u16) -> Page {
        let frame = &self.visit.frame;
        let descriptor = self.loaded.plugin.descriptor();
        let connector = page::part(&self.loaded.build.id);
        let path = format!("/connect/{connector}");
        let body = html! {
            p .crumb { a href=(frame.to("/connect")) { "Connect" } " › " (name(&descriptor.name)) }
            h1 { "Connect " (name(&descriptor.name)) }
            @if let Some(result) = &self.result { (result) }
            p {
                (said(&descriptor.summary)) " "
                a href=(frame.to(&format!("/plugins/{connector}"))) {
                    "What it collects, and a guide"
                }
            }
            form method="post" action=(frame.to(&path)) .stack novalidate
                data-check=(frame.to(&format!("{path}/check"))) {
                input type="hidden" name="form" value=(self.form.id);
                @if self.visit.tenant().is_none() { (self.tenant()) }
                label for="name" { "Name of the connection" }
                input #name name="name" value=(self.entered.name) maxlength="200" dir="auto"
                    placeholder=(bare(&descriptor.name)) autocomplete="off";
                @for field in &descriptor.settings {
                    @if field.secret.is_some() { (self.secret(frame, &path, field)) }
                    @else { (self.field(field)) }
                }
                (self.upstreams())
                label for="every_hours" { "Hours between two runs" }
                input #every_hours name="every_hours" type="number" min="1" max="744"
                    value=(self.entered.every_hours);
                (self.approval())
                button .main { "Check and connect" }
                div hidden data-busy role="status" {
                    p { "Checking at the service. This is asked:" }
                    ul {
                        @for endpoint in self.approved().take(ASKED) {
                            li { (said(&endpoint.purpose)) }
                        }
                    }
                }
            }
        };
        frame.page(&format!("Connect {}", descriptor.name), body).with(status)
    }

    fn tenant(&self) -> Markup {
        html! {
            label for="tenant" { "Tenant" }
            p .help #tenant-help { "Whose connection this is. A new name makes a new tenant." }
            input #tenant name="tenant" value=(self.entered.tenant) list="tenants" maxlength="200"
                required aria-describedby="tenant-help" dir="auto" autocomplete="off";
            datalist #tenants {
                // What is chosen is sent: a name that would have to be written out is not offered.
                @for tenant in self.loaded.tenants.iter().filter(|it| bare(it) == **it) {
                    option value=(tenant) {}
                }
            }
        }
    }

    fn message(&self, field: &SettingField, id: &str) -> Markup {
        let finding = if self.checked { self.finding(field) } else { None };
        let (class, sign, text, hint) = match &finding {
            Some(Finding::Good(text)) => ("good", "✔ ", text.as_str(), None),
            Some(Finding::Doubt(text, hint)) => ("warn", "⚠ ", text.as_str(), hint.as_ref()),
            Some(Finding::Bad(text, hint)) => ("bad", "✘ ", text.as_str(), hint.as_ref()),
            None => ("", "", "", None),
        };
        html! {
            div #(format!("{id}-says")) data-region=(format!("{id}-says")) .says
                aria-live="polite" {
                @if finding.is_some() {
                    p .(class) { (sign) (sentence(text)) }
                    @if let Some(hint) = hint.filter(|hint| **hint != field.help) {
                        p { (said(hint)) }
                    }
                }
            }
        }
    }

    fn field(&self, field: &SettingField) -> Markup {
        let id = format!("setting.{}", field.key);
        let says = format!("{id}-help {id}-says");
        let value = self.entered.settings.get(&field.key);
        let chosen = value.or(field.default.as_ref());
        let bad = self.checked && matches!(self.finding(field), Some(Finding::Bad(..)));
        html! {
            label for=(id) { (name(&field.label)) @if !field.required { " (optional)" } }
            p .help #(format!("{id}-help")) { (said(&field.help)) }
            @if field.choices.is_empty() {
                input id=(id) name=(id) value=[value] maxlength="1024" autocomplete="off"
                    placeholder=(bare(&field.placeholder)) spellcheck="false" dir="auto"
                    required[field.required] aria-describedby=(says)
                    aria-invalid=[bad.then_some("true")];
            } @else {
                select id=(id) name=(id) aria-describedby=(says) {
                    @for choice in &field.choices {
                        option value=(choice.value) selected[chosen == Some(&choice.value)] {
                            (bare(&choice.label))
                        }
                    }
                }
            }
            (self.message(field, &id))
        }
    }

    fn secret(&self, frame: &Frame, path: &str, field: &SettingField) -> Markup {
        let id = format!("secret.{}", field.key);
        let held = self.held.given(&field.key).is_some();
        html! {
            div data-region=(id) .stack {
                @if held {
                    p #(id) .held tabindex="-1" {
                        strong { (name(&field.label)) } " is held in memory for this form. It is \
                         not shown, and forgotten when the form is done."
                    }
                    (self.message(field, &id))
                    button formaction=(frame.to(&format!("{path}/forget"))) {
                        "Forget it and enter another"
                    }
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
                        option value=(text)
                            selected[self.entered.upstream.as_ref() == Some(&text)] { (text) }
                    }
                }
            }
        }
    }

    /// Approval of where the key goes, and of each request that is more than reading an address.
    fn approval(&self) -> Markup {
        let descriptor = self.loaded.plugin.descriptor();
        let (gets, posts): (Vec<&Endpoint>, Vec<_>) =
            self.approved().partition(|endpoint| method(endpoint) == "GET");
        let origins: Vec<&str> = bases(&descriptor.api).collect();
        html! {
            fieldset #requests tabindex="-1" {
                legend { "What you agree to" }
                label .check {
                    input #consent type="checkbox" name="consent" value="yes" required
                        checked[self.entered.consent];
                    span {
                        "The key may be sent to "
                        @for (place, origin) in origins.iter().enumerate() {
                            @if place > 0 { " or " } code { (name(origin)) }
                        }
                        @if !self.console.api.connections.upstreams().is_empty() {
                            ", or where I chose to ask,"
                        }
                        " to read what is listed here, and nothing else."
                    }
                }
                details {
                    summary { (page::counted(gets.len(), "request", "requests")) " that read" }
                    ul {
                        @for endpoint in &gets {
                            li { (said(&endpoint.purpose)) " " code { (name(&named(endpoint))) } }
                        }
                    }
                }
                @for endpoint in &gets {
                    input type="hidden" name="grant" value=(named(endpoint));
                }
                @for endpoint in &posts { (self.post(endpoint)) }
            }
        }
    }

    fn post(&self, endpoint: &Endpoint) -> Markup {
        let text = named(endpoint);
        html! {
            label .check {
                input type="checkbox" name="grant" value=(text)
                    checked[self.entered.grants.contains(&text)];
                span {
                    "Also this request: " (said(&endpoint.purpose)) " "
                    @if endpoint.read_only {
                        "It only reads, though its kind could change data. "
                    } @else {
                        strong { "It may change data. " }
                    }
                    code { (name(&text)) }
                }
            }
        }
    }
}
