//! What the connector tells about itself: the one source of the form, the permissions, the listing and the guide.
//!
//! Texts only. They ship in the component, so they are short; the facts are the SMP's own about this integration,
//! brought up to date from the vendor's documentation. Endpoints are listed from the files that call them.

mod faq;
mod form;
mod guide;

use crate::descriptor::{Api, DataSet, Descriptor};
use crate::endpoint::{domains, org, orgs, users};

/// The descriptor.
pub const DESCRIPTOR: Descriptor = Descriptor {
    id: "atlassian-cloud",
    name: "Atlassian Cloud",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "Atlassian",
    summary: "Software for teams that work together: Jira, Confluence, Bitbucket, Trello and others. One connection covers every \
        Atlassian product of the organization.",
    pricing: "Depends on the number of users and on the services used.",
    status: "General Availability",
    integration_type: "api",
    data_collected: &[DataSet {
        name: "members",
        fields: &[
            ("email", "E-mail address, unless its owner hides it"),
            ("name", "Name, as Atlassian shows it"),
            ("role", "Products used"),
            ("last seen", "Latest activity in any product; Atlassian tells it up to 24 hours late"),
        ],
    }],
    permissions_required: &["The person who creates the API key must be an organization admin in Atlassian; a site admin is not enough."],
    settings: form::FIELDS,
    api: Api {
        base: "https://api.atlassian.com",
        endpoints: &[org::ENDPOINT, users::ENDPOINT, domains::ENDPOINT, orgs::ENDPOINT],
        requests: 5,
        period_ms: 1_000,
    },
    setup_guide: guide::SECTIONS,
    faq: faq::QUESTIONS,
};

#[cfg(test)]
mod tests;
