//! `GET /admin/v1/orgs/{organization-id}`: the organization.
//!
//! [Documentation](https://developer.atlassian.com/cloud/admin/organization/rest/api-group-orgs/#api-v1-orgs-orgid-get)

use crate::config::OrganizationId;
use crate::descriptor::Endpoint;
use crate::host::Request;
use crate::json::{self, Text, Unreadable, object};
use crate::model::Account;

/// What the descriptor says of the call.
pub const ENDPOINT: Endpoint = Endpoint {
    path: "/admin/v1/orgs/{organization-id}",
    purpose: "Checks the connection and reads the name of the organization",
    scope: "read:orgs:admin",
};

/// The request.
pub fn request(organization: &OrganizationId) -> Request {
    super::request(&ENDPOINT, organization, None)
}

/// Reads the organization; one without a name is called by its id.
///
/// # Errors
///
/// When the answer is none of this call, or about another organization than the one that was asked for.
pub fn read(body: &[u8], organization: &OrganizationId) -> Result<Account, Unreadable> {
    let answer: Answer<'_> = json::read(body)?;
    let org = answer.data;
    if !org.is_there {
        return Err(Unreadable::Shape);
    }
    let id = organization.as_str();
    if org.id.is_some_and(|told| told.as_str() != id) {
        return Err(Unreadable::OtherOrganization);
    }
    let name = org.attributes.name.and_then(Text::filled).map_or_else(|| id.to_owned(), Text::into_string);
    Ok(Account { id: id.to_owned(), name })
}

object! {
    struct Answer<'a> {
        data: Org<'a> = b"data",
    }
}

object! {
    struct Org<'a> {
        id: Option<Text<'a>> = b"id",
        attributes: Attributes<'a> = b"attributes",
    }
}

object! {
    struct Attributes<'a> {
        name: Option<Text<'a>> = b"name",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ORGANIZATION, config};

    #[test]
    fn the_organization_is_asked_for_by_its_id() {
        let request = request(config().organization());
        assert_eq!(request.path_with_query, format!("/admin/v1/orgs/{ORGANIZATION}"));
    }

    #[test]
    fn the_organization_has_the_name_of_the_answer_or_its_id() {
        let rows = [
            (r#""attributes":{"name":"Acme"},"type":"orgs","relationships":{"domains":{}}"#, "Acme"),
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
            let account = read(format!(r#"{{"data":{{"id":"{id}"}}}}"#).as_bytes(), config().organization());
            assert_eq!(account, Err(Unreadable::OtherOrganization), "{id}");
        }
    }

    #[test]
    fn an_answer_of_another_shape_is_none() {
        for body in [r#"{"data":{"id":7}}"#, r#"{"data":[]}"#, r#"{"data":null}"#, r#"{"code":401,"message":"Unauthorized"}"#] {
            assert_eq!(read(body.as_bytes(), config().organization()), Err(Unreadable::Shape), "{body}");
        }
    }
}
