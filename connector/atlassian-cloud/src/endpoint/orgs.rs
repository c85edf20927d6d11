//! `GET /admin/v1/orgs`: the organizations that the key may see.
//!
//! [Documentation](https://developer.atlassian.com/cloud/admin/organization/rest/api-group-orgs/#api-v1-orgs-get)

use smp_connector_kit::Host;
use smp_connector_kit::call::Route;
use smp_connector_kit::cursor::Cursor;
use smp_connector_kit::json::Unreadable;

use super::list;
use crate::config::{Config, OrganizationId};
use crate::refusal::Refusal;

/// What the descriptor says of the call.
pub static ROUTE: Route = Route::get(
    "/admin/v1/orgs",
    "Tells a wrong Organization ID from a key that may not read the organization",
    Some("read:orgs:admin"),
);

/// A page of organizations.
#[derive(Debug, PartialEq, Eq)]
pub struct OrgsPage {
    /// Whether the organization is on the page, its id compared letter by letter.
    pub has_it: bool,
    /// Where the list goes on.
    pub next: Option<Cursor>,
}

/// Asks for a page, the first or the one at the cursor, and looks for the organization in it.
///
/// # Errors
///
/// When there is no such page, or it cannot be read.
pub fn get(
    host: &mut dyn Host,
    config: &Config,
    asked: Option<&Cursor>,
) -> Result<OrgsPage, Refusal> {
    super::get(host, &ROUTE, config, asked, |body| read(body, config.organization(), asked))
}

/// Looks for the organization in a page that was asked for with `asked`.
///
/// # Errors
///
/// When the answer is not one of this call.
pub fn read(
    body: &[u8],
    organization: &OrganizationId,
    asked: Option<&Cursor>,
) -> Result<OrgsPage, Unreadable> {
    let (orgs, next) = list::read(body, asked)?;
    let mut ids = orgs.filter_map(|org| org.id);
    let has_it = ids.any(|id| id.as_str() == organization.as_str());
    Ok(OrgsPage { has_it, next })
}

#[cfg(test)]
mod tests {
    use super::*;
    use smp_connector_kit::testing::{Script, answer};

    use crate::testing::{Below, ORGANIZATION, config};

    #[test]
    fn the_list_is_asked_for_page_by_page() {
        let answer = || answer(200, r#"{"data":[]}"#);
        let cursor = Cursor::new("a=&b".to_owned());
        let mut host = Script::new().at("", answer()).at("?cursor=a%3D%26b", answer());
        get(&mut host, &config(), None).unwrap();
        get(&mut host, &config(), cursor.as_ref()).unwrap();
    }

    #[test]
    fn the_organization_is_found_by_its_id_letter_by_letter() {
        let rows = [
            (ORGANIZATION.to_owned(), true),
            (ORGANIZATION.to_uppercase(), false),
            ("another".to_owned(), false),
        ];
        for (id, has_it) in rows {
            let body =
                format!(r#"{{"data":[{{"id":null}},{{"id":"{id}","type":"orgs"}}],"links":{{}}}}"#);
            let page = read(body.as_bytes(), config().organization(), None).unwrap();
            assert_eq!(page, OrgsPage { has_it, next: None });
        }
    }

    #[test]
    fn a_list_may_go_on() {
        let body =
            br#"{"data":[],"links":{"next":"https://api.atlassian.com/admin/v1/orgs?cursor=two"}}"#;
        let page = read(body, config().organization(), None).unwrap();
        assert_eq!(page.next, Cursor::new("two".to_owned()));
    }

    #[test]
    fn an_answer_without_a_list_is_none() {
        for body in ["{}", r#"{"data":null}"#, r#"{"data":{}}"#, r#"{"data":["x"]}"#] {
            let page = read(body.as_bytes(), config().organization(), None);
            assert!(matches!(page, Err(Unreadable::Shape(_))), "{body}");
        }
    }
}
