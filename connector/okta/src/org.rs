//! `GET /api/v1/org`: the organization that the site belongs to.
//!
//! [Documentation](https://developer.okta.com/docs/api/openapi/okta-management/management/tag/OrgSettingGeneral/)

use serde::Deserialize;
use smp_connector_kit::call::{self, Route};
use smp_connector_kit::json::{self, Object, Place, Text, Unreadable};
use smp_connector_kit::{Account, Failure, Host};

use crate::refusal::Asked;

/// The entry in the descriptor.
pub static ROUTE: Route =
    Route::get("/api/v1/org", "Checks the API token and reads the name of the organization", None);

/// Requests the organization.
///
/// # Errors
///
/// If it cannot be read.
pub fn get(host: &mut dyn Host) -> Result<Account, Failure> {
    call::get(host, ROUTE.path.to_owned(), &Asked::for_page(&ROUTE, None), read)
}

/// Reads the organization; one without a name is called by its subdomain or its id.
///
/// # Errors
///
/// If the answer has another shape, or no id.
pub fn read(body: &[u8]) -> Result<Account, Unreadable> {
    let Object(Org { id, company_name, subdomain }) = json::read_page(body)?;
    let id = id.and_then(Text::filled).ok_or_else(|| Unreadable::Shape(Place::missing("id")))?;
    let id = id.into_string();
    let name = company_name.and_then(Text::filled).or_else(|| subdomain.and_then(Text::filled));
    let name = name.map_or_else(|| id.clone(), Text::into_string);
    Ok(Account::new(id, name))
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Org<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    company_name: Option<Text<'a>>,
    subdomain: Option<Text<'a>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_is_known_by_its_id_and_called_by_its_name() {
        let rows = [
            (r#"{"id":"00o1","companyName":"Acme","subdomain":"acme"}"#, "Acme"),
            (r#"{"id":"00o1","companyName":"","subdomain":"acme"}"#, "acme"),
            (r#"{"id":"00o1","companyName":null,"status":"ACTIVE"}"#, "00o1"),
        ];
        for (body, name) in rows {
            assert_eq!(read(body.as_bytes()), Ok(Account::new("00o1", name)), "{body}");
        }
    }

    #[test]
    fn an_answer_of_another_shape_is_refused() {
        for body in [
            "[]",
            "null",
            "{}",
            r#"{"id":""}"#,
            r#"{"id":7}"#,
            r#"{"id":"00o1","companyName":{}}"#,
            r#"[{"id":"00o1"}]"#,
        ] {
            assert!(matches!(read(body.as_bytes()), Err(Unreadable::Shape(_))), "{body}");
        }
    }
}
