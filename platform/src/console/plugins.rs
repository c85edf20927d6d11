//! Installed plugins: what each collects, what it may and may not do, who signed it, its guide.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use maud::{Markup, html};
use smp_host::contract::Endpoint;
use smp_listing::html::parts::facts;
use smp_listing::html::plugin::{
    authority, collected, permissions, questions, requests_approved, setup,
};
use smp_listing::method;

use super::page::{Page, counted, name, part, said};
use super::{Console, Fault, Visit};
use crate::problem::Problem;
use crate::store::connectors::{self, Build};

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/plugins", get(list)).route("/plugins/{id}", get(show))
}

async fn list(State(console): State<Console>, visit: Visit) -> Result<Page, Fault> {
    let builds = connectors::list(&console.api.connections.store).await?;
    let frame = &visit.frame;
    let row = |build: &Build| {
        let path = format!("/plugins/{}", part(&build.id));
        html! {
            tr {
                th scope="row" { a href=(frame.to(&path)) { (name(&build.name)) } }
                td { (name(&build.version)) }
                td {
                    @match build.state.as_str() {
                        "active" => "✔ In use",
                        "waiting" => "⚠ Waits for the operator's approval",
                        _ => "Retired",
                    }
                }
                td { (signed(build)) }
            }
        }
    };
    let body = html! {
        h1 { "Plugins" }
        div .scroll tabindex="0" role="region" aria-label="Plugins" {
            table {
                caption .hidden { "Installed builds" }
                thead {
                    tr {
                        th scope="col" { "Plugin" }
                        th scope="col" { "Version" }
                        th scope="col" { "State" }
                        th scope="col" { "Signed by" }
                    }
                }
                tbody {
                    @for build in &builds { (row(build)) }
                    @if builds.is_empty() {
                        tr {
                            td colspan="4" {
                                "None. The operator installs one: "
                                code { "smp-platform connector install FILE" }
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(frame.page("Plugins", body))
}

/// Who signed a build.
fn signed(build: &Build) -> Markup {
    html! {
        @match &build.publisher {
            Some(publisher) => { "✔ " (name(publisher)) }
            None => "– none",
        }
    }
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
    let is_approved = |endpoint: &Endpoint| {
        let named = format!("{} {}", method(endpoint), endpoint.path);
        build.approved.endpoints.contains(&named)
    };
    let has_setup = !descriptor.setup_guide.is_empty() || !descriptor.settings.is_empty();
    let connect = format!("/connect/{}", part(&build.id));
    let known = [
        ("Made by", name(&descriptor.vendor)),
        ("Pricing", said(&descriptor.pricing)),
        ("Status", name(&descriptor.status)),
        ("Signed by", signed(build)),
        ("Size", html! { (smp_host::text::size(info.size)) }),
        ("Digest", html! { code { (build.digest) } }),
    ];
    let body = html! {
        p .crumb { a href=(frame.to("/plugins")) { "Plugins" } " › " (name(&descriptor.name)) }
        h1 { (name(&descriptor.name)) " " (name(&build.version)) }
        p { (said(&descriptor.summary)) }
        @if frame.is_admin() {
            p { a .button .main href=(frame.to(&connect)) { "Connect" } }
        }
        (facts(known))
        (authority(descriptor))
        h2 { "Requests" }
        (requests_approved(&descriptor.api, is_approved))
        @if !descriptor.data_collected.is_empty() {
            h2 { "What is collected" }
            (collected(&descriptor.data_collected))
        }
        @if !descriptor.permissions_required.is_empty() {
            h2 { "What you need" }
            (permissions(&descriptor.permissions_required))
        }
        @if has_setup { h2 { "How to set it up" } (setup(descriptor)) }
        @if !descriptor.faq.is_empty() {
            h2 { (counted(descriptor.faq.len(), "question", "questions")) }
            (questions(&descriptor.faq))
        }
    };
    Ok(frame.page(&descriptor.name, body))
}
