//! Installed plugins: what each collects, what it may and may not do, who signed it, its guide.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use maud::html;
use smp_host::http::base::bases;
use smp_listing::{method, needed, pace};

use super::page::{Page, counted, name, part, said};
use super::{Console, Fault, Visit, guide};
use crate::problem::Problem;
use crate::store::connectors;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/plugins", get(list)).route("/plugins/{id}", get(show))
}

async fn list(State(console): State<Console>, visit: Visit) -> Result<Page, Fault> {
    let builds = connectors::list(&console.api.connections.store).await?;
    let frame = &visit.frame;
    let body = html! {
        h1 { "Plugins" }
        div .scroll tabindex="0" role="region" aria-label="Plugins" {
            table {
                caption .hidden { "Installed builds" }
                thead { tr { th scope="col" { "Plugin" } th scope="col" { "Version" } th scope="col" { "State" } th scope="col" { "Signed by" } } }
                tbody {
                    @for build in &builds {
                        tr {
                            th scope="row" { a href=(frame.to(&format!("/plugins/{}", part(&build.id)))) { (name(&build.name)) } }
                            td { (name(&build.version)) }
                            td { @match build.state.as_str() { "active" => "✔ In use", "waiting" => "⚠ Waits for the operator's approval", _ => "Retired" } }
                            td { @match &build.publisher { Some(publisher) => { "✔ " (name(publisher)) } None => "– nobody" } }
                        }
                    }
                    @if builds.is_empty() { tr { td colspan="4" { "None. The operator installs one: " code { "smp-platform connector install FILE" } } } }
                }
            }
        }
    };
    Ok(frame.page("Plugins", body))
}

async fn show(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Page, Fault> {
    let builds = connectors::list(&console.api.connections.store).await?;
    let build = builds.iter().find(|build| build.id == id && build.state == "active");
    let build = build.ok_or_else(|| Problem::not_found("plugin"))?;
    let plugin = console.api.connections.catalog.plugin(&build.digest).await?;
    let (descriptor, info) = (plugin.descriptor(), plugin.info());
    let frame = &visit.frame;
    let named =
        |endpoint: &smp_host::contract::Endpoint| format!("{} {}", method(endpoint), endpoint.path);
    let body = html! {
        p .crumb { a href=(frame.to("/plugins")) { "Plugins" } " › " (name(&descriptor.name)) }
        h1 { (name(&descriptor.name)) " " (name(&build.version)) }
        p { (said(&descriptor.summary)) }
        @if frame.is_admin() { p { a .button .main href=(frame.to(&format!("/connect/{}", part(&build.id)))) { "Connect" } } }
        dl .facts {
            div { dt { "Made by" } dd { (name(&descriptor.vendor)) } }
            div { dt { "Pricing" } dd { (said(&descriptor.pricing)) } }
            div { dt { "Status" } dd { (name(&descriptor.status)) } }
            div { dt { "Signed by" } dd { @match &build.publisher { Some(publisher) => { "✔ " (name(publisher)) } None => "– nobody: it was installed without a signature" } } }
            div { dt { "Size" } dd { (smp_host::text::size(info.size)) } }
            div { dt { "Digest" } dd { code { (build.digest) } } }
        }
        div .grid {
            section {
                h2 { "What it may do" }
                p { "Send the requests below to " @for (place, base) in bases(&descriptor.api).enumerate() { @if place > 0 { " or " } code { (name(base)) } }
                    ", at most " (pace(&descriptor.api.rate_limit)) ", and write log lines." }
            }
            section {
                h2 { "What it may not do" }
                p { "See the key: it is attached after the plugin has handed a request over. Open a file or a connection, read a clock or the environment, "
                    "reach another host, follow a redirect, or send a request that is not listed. The platform enforces this, whatever the plugin says." }
            }
        }
        h2 { "Requests" }
        div .scroll tabindex="0" role="region" aria-label="Requests" {
            table {
                caption .hidden { "Requests that the plugin declares" }
                thead { tr { th scope="col" { "Request" } th scope="col" { "What for" } th scope="col" { "Scope" } th scope="col" { "Approved" } } }
                tbody { @for endpoint in descriptor.api.endpoints.iter().take(200) { tr {
                    td { code { (name(&named(endpoint))) } }
                    td { (said(&endpoint.purpose)) @if !endpoint.read_only { strong { " May change data." } }
                        @if let Some(when) = needed(endpoint, |text| smp_listing::name(text).into_owned()) { span .sub { "Only " (when) } } }
                    td { @match &endpoint.scope { Some(scope) => code { (name(scope)) }, None => "–" } }
                    td { @if build.approved.endpoints.contains(&named(endpoint)) { "✔" span .hidden { "yes" } } @else { "– no" } }
                } } }
            }
        }
        h2 { "What is collected" }
        div .grid { @for set in descriptor.data_collected.iter().take(20) { section {
            h3 { (name(&set.name)) }
            ul { @for field in set.fields.iter().take(100) { li { strong { (name(&field.name)) } ": " (said(&field.description)) } } }
        } } }
        @if !descriptor.permissions_required.is_empty() {
            h2 { "What you need" }
            ul { @for permission in descriptor.permissions_required.iter().take(50) { li { (guide::line(permission)) } } }
        }
        @for section in descriptor.setup_guide.iter().take(50) {
            h2 { (name(&section.title)) }
            @if !section.introduction.is_empty() { p { (guide::line(&section.introduction)) } }
            ol { @for step in section.steps.iter().take(100) { li { (guide::line(step)) } } }
        }
        @if !descriptor.faq.is_empty() {
            h2 { (counted(descriptor.faq.len(), "question", "questions")) }
            @for question in descriptor.faq.iter().take(100) { details { summary { (said(&question.question)) } p { (guide::line(&question.answer)) } } }
        }
    };
    Ok(frame.page(&descriptor.name, body))
}
