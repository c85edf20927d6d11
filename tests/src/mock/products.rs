//! The product sites of the made-up organization, with every oddity that was seen at the real one.
//!
//! The table is fixed; `organization` decides which member uses which site.

use super::Field;

/// A product on a site, as every member's list repeats it.
pub(super) struct ProductSite {
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    pub(super) url: Field<&'static str>,
    /// Whether the key is in the published list.
    pub(super) published: bool,
    /// How many members in 100 use it.
    pub(super) share: u32,
}

/// The sites.
pub(super) const SITES: &[ProductSite] = &[
    site("jira-software", "Jira", Field::Value("https://brightloom.atlassian.test"), 55),
    site("confluence", "Confluence", Field::Value("https://brightloom.atlassian.test/wiki"), 48),
    site(
        "jira-service-desk",
        "Jira Service Management",
        Field::Value("https://brightloom.atlassian.test"),
        18,
    ),
    // The same product on a second site, this one with a trailing slash.
    site("jira-software", "Jira", Field::Value("https://brightloom-labs.atlassian.test/"), 12),
    // Without a scheme.
    site("confluence", "Confluence", Field::Value("brightloom-labs.atlassian.test/wiki"), 9),
    // Without a URL, in both ways.
    site("bitbucket", "Bitbucket", Field::Absent, 14),
    site("trello", "Trello", Field::Null, 10),
    site("statuspage", "Statuspage", Field::Value("https://manage.statuspage.test"), 4),
    site("opsgenie", "Opsgenie", Field::Value("brightloom.app.opsgenie.test"), 5),
    // Keys that the published list lacks. The first shares its name with a listed one.
    unlisted("jira", "Jira", Field::Value("https://brightloom-eu.atlassian.test"), 6),
    unlisted(
        "jira-product-discovery",
        "Jira Product Discovery",
        Field::Value("https://brightloom.atlassian.test"),
        7,
    ),
    unlisted("loom", "Loom", Field::Absent, 8),
    unlisted("compass", "Compass", Field::Value("https://brightloom.atlassian.test/compass/"), 3),
    unlisted(
        "tomorrow-preview",
        "Tomorrow, \"early access\"",
        Field::Value("https://brightloom.atlassian.test/t"),
        2,
    ),
];

const fn site(
    key: &'static str,
    name: &'static str,
    url: Field<&'static str>,
    share: u32,
) -> ProductSite {
    ProductSite { key, name, url, published: true, share }
}

const fn unlisted(
    key: &'static str,
    name: &'static str,
    url: Field<&'static str>,
    share: u32,
) -> ProductSite {
    ProductSite { key, name, url, published: false, share }
}
