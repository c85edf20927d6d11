//! `POST /admin/v2/orgs/{organization-id}/workspaces`: the product sites, with their names;
//! [`usage`] has their seats.
//!
//! [Documentation](https://developer.atlassian.com/cloud/admin/organization/rest/api-group-workspaces/#api-v2-orgs-orgid-workspaces-post)

pub mod usage;

use smp_connector_kit::Host;
use smp_connector_kit::call::{Need, Route};
use smp_connector_kit::cursor::Cursor;
use smp_connector_kit::json::{self, Object, Text, Unreadable};

use super::list::{self, Attributes};
use crate::accounts::bare;
use crate::config::{Config, EVERYONE, PEOPLE};
use crate::product_names;
use crate::refusal::Refusal;
use crate::sites::{Site, Sites};

/// What the descriptor says of the call.
pub static ROUTE: Route = Route::post(
    "/admin/v2/orgs/{organization-id}/workspaces",
    "Reads the product sites: their names, addresses and seats",
    Some("read:workspaces:admin"),
)
.when(&[Need::Setting(PEOPLE, EVERYONE), Need::Usage]);

/// The first page is asked for with this: as many sites as Atlassian gives at a time.
const FIRST: &str = r#"{"limit":1000}"#;

/// Asks for a page, the first or the one at the cursor, and adds its sites to those that are known.
/// Gives where the list goes on.
///
/// # Errors
///
/// When there is no such page, it cannot be read, or the organization may be none of the key's.
pub fn get(
    host: &mut dyn Host,
    config: &Config,
    asked: Option<&Cursor>,
    sites: &mut Sites,
) -> Result<Option<Cursor>, Refusal> {
    super::post(host, &ROUTE, config, asked, body_of(asked), |body, _| read(body, asked, sites))
}

/// The body of a request for a page.
fn body_of(asked: Option<&Cursor>) -> String {
    // A body with a cursor may hold nothing else.
    asked.map_or_else(
        || FIRST.to_owned(),
        |cursor| format!(r#"{{"cursor":{}}}"#, json::quoted(cursor.as_str())),
    )
}

/// Reads a page that was asked for with `asked`.
///
/// # Errors
///
/// When the answer is not one of this call.
pub fn read(
    body: &[u8],
    asked: Option<&Cursor>,
    sites: &mut Sites,
) -> Result<Option<Cursor>, Unreadable> {
    let (entries, next) = list::read(body, asked)?;
    for entry in entries {
        if let Some(id) = entry.id.and_then(Text::filled) {
            let Object(attributes) = entry.attributes.unwrap_or_default();
            sites.add(id.as_str(), site(&attributes));
        }
    }
    Ok(next)
}

/// What a site is called: by the product that it is, whose name may be its key once more.
fn site(attributes: &Attributes<'_>) -> Site {
    let filled = |text: &&Text<'_>| !text.as_str().is_empty();
    let Attributes { type_key, product, host_url, .. } = attributes;
    let told = product.as_ref().filter(filled).or(type_key.as_ref()).map_or("", Text::as_str);
    let address = host_url.as_ref().map_or("", |url| bare(url.as_str()));
    Site {
        product: product_names::name_of(told).unwrap_or(told).to_owned(),
        address: address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smp_connector_kit::testing::{Script, answer};

    use crate::testing::{Below, everyone};

    #[test]
    fn the_sites_are_asked_for_page_by_page() {
        let answer = || answer(200, r#"{"data":[]}"#);
        let mut host =
            Script::new().listed(FIRST, answer()).listed(r#"{"cursor":"a\"b"}"#, answer());
        let cursor = Cursor::new("a\"b".to_owned());
        let mut sites = Sites::default();
        get(&mut host, &everyone(), None, &mut sites).unwrap();
        get(&mut host, &everyone(), cursor.as_ref(), &mut sites).unwrap();
    }

    #[test]
    fn a_site_has_the_name_of_its_product_and_its_address() {
        let rows = [
            (r#""typeKey":"jira-software","type":"Jira","name":"acme""#, "Jira", ""),
            (r#""typeKey":"confluence","type":"confluence","name":"acme""#, "Confluence", ""),
            (r#""typeKey":"confluence","name":"acme""#, "Confluence", ""),
            (r#""typeKey":"jira-software","type":"jira","name":"acme""#, "Jira", ""),
            (r#""typeKey":"confluence","type":"Team Wiki""#, "Team Wiki", ""),
            (r#""typeKey":"brand-new","type":"Brand New""#, "Brand New", ""),
            (r#""typeKey":"brand-new","type":"","name":"acme""#, "brand-new", ""),
            (r#""type":null,"name":"acme""#, "", ""),
            (r#""type":"Loom","hostUrl":"https://a.test/""#, "Loom", "a.test"),
            (r#""type":"Loom","hostUrl":null,"capacity":null,"usage":7"#, "Loom", ""),
        ];
        for (attributes, product, address) in rows {
            let body = format!(r#"{{"data":[{{"id":"i","attributes":{{{attributes}}}}}]}}"#);
            let mut sites = Sites::default();
            read(body.as_bytes(), None, &mut sites).unwrap();
            let (product, address) = (product.to_owned(), address.to_owned());
            assert_eq!(sites.0.get("i"), Some(&Site { product, address }), "{attributes}");
        }
    }

    #[test]
    fn an_entry_without_an_id_or_attributes_is_passed_over() {
        let body = br#"{"data":[null,{"id":""},{"attributes":{"type":"Jira"}},{"id":"i"}]}"#;
        let mut sites = Sites::default();
        read(body, None, &mut sites).unwrap();
        assert_eq!(sites.0.into_iter().collect::<Vec<_>>(), [("i".to_owned(), Site::default())]);
    }

    #[test]
    fn a_list_goes_on_by_a_link_or_by_a_bare_cursor() {
        for link in ["https://elsewhere.test/x?cursor=two", "two"] {
            let body = format!(r#"{{"data":[],"links":{{"next":"{link}"}}}}"#);
            let next = read(body.as_bytes(), None, &mut Sites::default()).unwrap();
            assert_eq!(next, Cursor::new("two".to_owned()));
            let again = read(body.as_bytes(), next.as_ref(), &mut Sites::default());
            assert!(matches!(again, Err(Unreadable::Next(_))));
        }
    }

    #[test]
    fn an_answer_without_a_list_is_none() {
        for body in ["{}", r#"{"data":null}"#, r#"{"data":{}}"#, r#"{"data":["x"]}"#] {
            let page = read(body.as_bytes(), None, &mut Sites::default());
            assert!(matches!(page, Err(Unreadable::Shape(_))), "{body}");
        }
    }
}
