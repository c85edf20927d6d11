//! `GET /admin/v1/orgs/{organization-id}`: the organization.
//!
//! [Documentation](https://developer.atlassian.com/cloud/admin/organization/rest/api-group-orgs/#api-v1-orgs-orgid-get)

use smp_connector_kit::call::Route;
use smp_connector_kit::json::{Text, Unreadable};
use smp_connector_kit::{Account, Host};

use super::list;
use crate::config::{Config, OrganizationId};
use crate::refusal::{Refusal, other_organization};

/// What the descriptor says of the call.
pub static ROUTE: Route = Route::get(
    "/admin/v1/orgs/{organization-id}",
    "Checks the connection and reads the name of the organization",
    Some("read:orgs:admin"),
);

/// Asks for the organization.
///
/// # Errors
///
/// When it cannot be read, or may be none of the key's.
pub fn get(host: &mut dyn Host, config: &Config) -> Result<Account, Refusal> {
    super::get(host, &ROUTE, config, None, |body| read(body, config.organization()))
}

/// Reads the organization; one without a name is called by its id.
///
/// # Errors
///
/// When the answer is not one of this call, or about another organization than the one that was asked
/// for.
pub fn read(body: &[u8], organization: &OrganizationId) -> Result<Account, Unreadable> {
    let org = list::read_one(body)?;
    let id = organization.as_str();
    if org.id.is_some_and(|told| told.as_str() != id) {
        return Err(other_organization());
    }
    let name = org.attributes.and_then(|attributes| attributes.0.name).and_then(Text::filled);
    Ok(Account::new(id, name.map_or_else(|| id.to_owned(), Text::into_string)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use smp_connector_kit::testing::{Script, answer};

    use crate::testing::{Below, ORGANIZATION, config};

    #[test]
    fn the_organization_is_asked_for_by_its_id() {
        let mut host = Script::new().at("/{org}", answer(200, r#"{"data":{}}"#));
        get(&mut host, &config()).unwrap();
    }

    #[test]
    fn the_organization_has_the_name_of_the_answer_or_its_id() {
        let rows = [
            (
                r#""attributes":{"name":"Acme"},"type":"orgs","relationships":{"domains":{}}"#,
                "Acme",
            ),
            (r#""attributes":{"name":""}"#, ORGANIZATION),
            (r#""attributes":{"name":null}"#, ORGANIZATION),
            (r#""attributes":null"#, ORGANIZATION),
        ];
        for (fields, name) in rows {
            let body = format!(r#"{{"data":{{"id":"{ORGANIZATION}",{fields}}}}}"#);
            let account = read(body.as_bytes(), config().organization()).unwrap();
            assert_eq!((account.id.as_str(), account.name.as_str()), (ORGANIZATION, name));
        }
    }

    #[test]
    fn an_answer_without_an_id_is_about_the_one_that_was_asked_for() {
        let account = read(br#"{"data":{"id":null}}"#, config().organization()).unwrap();
        assert_eq!(account.id, ORGANIZATION);
    }

    #[test]
    fn another_organization_is_refused() {
        for id in ["another".to_owned(), ORGANIZATION.to_uppercase(), String::new()] {
            let account =
                read(format!(r#"{{"data":{{"id":"{id}"}}}}"#).as_bytes(), config().organization());
            assert_eq!(account, Err(other_organization()), "{id}");
        }
    }

    #[test]
    fn an_answer_of_another_shape_is_none() {
        for body in [
            r#"{"data":{"id":7}}"#,
            r#"{"data":[]}"#,
            r#"{"data":null}"#,
            r#"{"code":401,"message":"Unauthorized"}"#,
        ] {
            let page = read(body.as_bytes(), config().organization());
            assert!(matches!(page, Err(Unreadable::Shape(_))), "{body}");
        }
    }
}
