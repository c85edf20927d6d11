//! The product sites of an organization by their ids, for answers that give an id only.

use std::collections::BTreeMap;

use crate::product_names;

/// How the id of a product site begins, usually.
const PREFIX: &str = "ari:cloud:";

/// The product sites that are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sites(pub BTreeMap<String, Site>);

/// A product site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// The name of the product; empty where none was told.
    pub product: String,
    /// The address, without scheme and slash at its end; empty where the site has none.
    pub address: String,
}

/// A product site as it is handed on.
#[derive(Debug, PartialEq, Eq)]
pub struct Named<'a> {
    /// The key of the product.
    pub key: &'a str,
    /// The name of the product.
    pub name: &'a str,
    /// The address of the site, or the id of the cloud that it is in.
    pub site: Option<&'a str>,
}

impl Sites {
    /// Adds a site, whose id is not empty. The first of several with an id counts.
    pub fn add(&mut self, id: &str, site: Site) {
        self.0.entry(short(id).to_owned()).or_insert(site);
    }

    /// The product site with this id, of a product with this key; either may be empty. One that is
    /// not known has its own key, and the id of its cloud in place of an address. None when nothing
    /// says which it is.
    pub fn named<'a>(&'a self, key: &'a str, id: &'a str) -> Option<Named<'a>> {
        named(self.0.get(short(id)), key, id)
    }
}

/// The same, of a product site of which this is known.
pub fn named<'a>(known: Option<&'a Site>, key: &'a str, id: &'a str) -> Option<Named<'a>> {
    let (product, cloud) = parts(id);
    let key = if key.is_empty() { product } else { key };
    let told = known.map(|site| site.product.as_str()).filter(|name| !name.is_empty());
    let name = told.or_else(|| product_names::name_of(key)).unwrap_or(key);
    let site = known.map_or(cloud, |site| &site.address);
    let site = (!site.is_empty()).then_some(site);
    (!name.is_empty() || site.is_some()).then_some(Named { key, name, site })
}

/// An id without its usual beginning.
fn short(id: &str) -> &str {
    id.strip_prefix(PREFIX).unwrap_or(id)
}

/// The product and the cloud in an id such as `ari:cloud:confluence::site/7f3c…`.
fn parts(id: &str) -> (&str, &str) {
    let rest = short(id);
    let product = rest.split_once(':').map_or("", |(product, _)| product);
    let cloud = rest.rsplit(['/', ':']).next().unwrap_or(rest);
    (product, cloud)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIKI: &str = "ari:cloud:confluence::site/7f3c";

    #[test]
    fn a_known_site_has_its_product_and_its_address() {
        let mut sites = Sites::default();
        sites.add(WIKI, site("Team Wiki", "acme.atlassian.net"));
        sites.add(WIKI, site("Another", "another.test"));
        sites.add("ari:cloud:trello::workspace/1", site("", ""));
        let rows = [
            ("confluence", WIKI, named("confluence", "Team Wiki", Some("acme.atlassian.net"))),
            ("", WIKI, named("confluence", "Team Wiki", Some("acme.atlassian.net"))),
            ("trello", "ari:cloud:trello::workspace/1", named("trello", "Trello", None)),
        ];
        for (key, id, expected) in rows {
            assert_eq!(sites.named(key, id), Some(expected), "{key} {id}");
        }
    }

    #[test]
    fn a_site_that_is_not_known_keeps_its_key_and_the_id_of_its_cloud() {
        let sites = Sites::default();
        let rows = [
            ("confluence", WIKI, Some(named("confluence", "Confluence", Some("7f3c")))),
            ("", WIKI, Some(named("confluence", "Confluence", Some("7f3c")))),
            ("new", WIKI, Some(named("new", "new", Some("7f3c")))),
            ("jira", "", Some(named("jira", "Jira", None))),
            ("", "7f3c", Some(named("", "", Some("7f3c")))),
            ("", "ari:cloud:loom", Some(named("", "", Some("loom")))),
            ("", "", None),
        ];
        for (key, id, expected) in rows {
            assert_eq!(sites.named(key, id), expected, "{key} {id}");
        }
    }

    fn site(product: &str, address: &str) -> Site {
        Site { product: product.to_owned(), address: address.to_owned() }
    }

    fn named<'a>(key: &'a str, name: &'a str, site: Option<&'a str>) -> Named<'a> {
        Named { key, name, site }
    }
}
