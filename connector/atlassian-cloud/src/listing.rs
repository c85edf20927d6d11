//! What the connector tells about itself: the one source of the form, the permissions, the listing
//! and the guide.
//!
//! Texts only. They ship in the component, so they are short; the facts are the SMP's own about
//! this integration, brought up to date from the vendor's documentation. Endpoints are listed from
//! the files that call them.

mod faq;
mod form;
mod guide;

use smp_connector_kit::call::Route;
use smp_connector_kit::listing::{data_set, texts};
use smp_connector_kit::{Api, Descriptor, Origins, RateLimit};

use crate::config::{CLOUD, GOVERNMENT};
use crate::endpoint::{count, domains, keys, org, orgs, search, users, workspaces};

/// The descriptor.
pub fn descriptor() -> Descriptor {
    Descriptor {
        id: "atlassian-cloud".to_owned(),
        name: "Atlassian Cloud".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        vendor: "Atlassian".to_owned(),
        summary: "Software for teams that work together: Jira, Confluence, Bitbucket, Trello and \
                  others. One connection covers every Atlassian product of the organization."
            .to_owned(),
        pricing: "Depends on the number of users and on the services used.".to_owned(),
        status: "General Availability".to_owned(),
        integration_type: "api".to_owned(),
        data_collected: vec![
            data_set(
                "members",
                &[
                    ("email", "E-mail address, unless its owner hides it"),
                    ("name", "Name, as Atlassian shows it"),
                    ("role", "Products used"),
                    (
                        "last seen",
                        "Latest activity in any product; Atlassian tells it up to 24 hours late",
                    ),
                    (
                        "affiliation",
                        "Whether your organization manages the account, or it belongs to somebody \
                         else",
                    ),
                    (
                        "billable",
                        "A unique billable user of Atlassian Guard, never a seat of Jira, \
                         Confluence or another product",
                    ),
                ],
            ),
            data_set(
                "usage",
                &[
                    ("product", "Product, on each of its sites"),
                    ("site", "Address of the site, if the product has one"),
                    ("plan", "Plan of the product"),
                    ("purchased", "Number of seats, where Atlassian counts them; never a price"),
                    ("used", "Number of seats that are taken, where Atlassian counts them"),
                    ("sandbox", "Whether it is a sandbox, which holds no seats of its own"),
                ],
            ),
        ],
        permissions_required: texts(&[
            "The person who creates the API key must be an organization admin in Atlassian; a site \
             admin is not enough.",
            "To read seats, a key with scopes also needs read:workspaces:admin.",
        ]),
        settings: form::fields(),
        api: Api {
            base: "https://api.atlassian.com".to_owned(),
            origins: Some(Origins {
                setting: CLOUD.to_owned(),
                choices: vec![(
                    GOVERNMENT.to_owned(),
                    "https://api.atlassian-us-gov-mod.com".to_owned(),
                )],
            }),
            endpoints: [
                &org::ROUTE,
                &users::ROUTE,
                &domains::ROUTE,
                &orgs::ROUTE,
                &count::ROUTE,
                &workspaces::ROUTE,
                &search::ROUTE,
                &keys::ROUTE,
            ]
            .map(Route::declared)
            .to_vec(),
            rate_limit: RateLimit { requests: 5, period_ms: 1_000 },
        },
        setup_guide: guide::sections(),
        faq: faq::questions(),
        attributes: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
