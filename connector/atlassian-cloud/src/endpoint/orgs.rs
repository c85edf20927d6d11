//! `GET /admin/v1/orgs`: the organizations that the key may see.
//!
//! [Documentation](https://developer.atlassian.com/cloud/admin/organization/rest/api-group-orgs/#api-v1-orgs-get)

use super::{Links, next};
use crate::config::OrganizationId;
use crate::cursor::{self, Cursor};
use crate::descriptor::Endpoint;
use crate::host::Request;
use crate::json::{self, List, Text, Unreadable, object};

/// What the descriptor says of the call.
pub const ENDPOINT: Endpoint = Endpoint {
    path: "/admin/v1/orgs",
    purpose: "Tells a wrong Organization ID from a key that may not read the organization",
    scope: "read:orgs:admin",
};

/// A page of organizations.
#[derive(Debug, PartialEq, Eq)]
pub struct OrgsPage {
    /// Whether the organization is on the page, its id compared letter by letter.
    pub has_it: bool,
    /// Where the list goes on.
    pub next: Option<Cursor>,
}

/// The request for a page.
pub fn request(cursor: Option<&Cursor>) -> Request {
    Request { path_with_query: cursor::append_to(ENDPOINT.path.to_owned(), cursor) }
}

/// Looks for the organization in a page that was asked for with `asked`.
///
/// # Errors
///
/// When the answer is none of this call.
pub fn read(body: &[u8], organization: &OrganizationId, asked: Option<&Cursor>) -> Result<OrgsPage, Unreadable> {
    let answer: Answer<'_> = json::read(body)?;
    if !answer.data.is_there {
        return Err(Unreadable::Shape);
    }
    let mut ids = answer.data.items.iter().filter_map(|org| org.id.as_ref());
    let has_it = ids.any(|id| id.as_str() == organization.as_str());
    Ok(OrgsPage { has_it, next: next(&answer.links, asked)? })
}

object! {
    struct Answer<'a> {
        data: List<Org<'a>> = b"data",
        links: Links<'a> = b"links",
    }
}

object! {
    struct Org<'a> {
        id: Option<Text<'a>> = b"id",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ORGANIZATION, config};

    #[test]
    fn the_list_is_asked_for_page_by_page() {
        assert_eq!(request(None).path_with_query, "/admin/v1/orgs");
        let cursor = Cursor::new("a/b".to_owned());
        assert_eq!(request(cursor.as_ref()).path_with_query, "/admin/v1/orgs?cursor=a%2Fb");
    }

    #[test]
    fn the_organization_is_found_by_its_id_letter_by_letter() {
        let rows = [(ORGANIZATION.to_owned(), true), (ORGANIZATION.to_uppercase(), false), ("another".to_owned(), false)];
        for (id, has_it) in rows {
            let body = format!(r#"{{"data":[{{"id":null}},{{"id":"{id}","type":"orgs"}}],"links":{{}}}}"#);
            let page = read(body.as_bytes(), config().organization(), None).unwrap();
            assert_eq!(page, OrgsPage { has_it, next: None });
        }
    }

    #[test]
    fn a_list_may_go_on() {
        let body = br#"{"data":[],"links":{"next":"https://api.atlassian.com/admin/v1/orgs?cursor=two"}}"#;
        let page = read(body, config().organization(), None).unwrap();
        assert_eq!(page.next, Cursor::new("two".to_owned()));
    }

    #[test]
    fn an_answer_without_a_list_is_none() {
        for body in ["{}", r#"{"data":null}"#, r#"{"data":{}}"#, r#"{"data":["x"]}"#] {
            let page = read(body.as_bytes(), config().organization(), None);
            assert_eq!(page, Err(Unreadable::Shape), "{body}");
        }
    }
}
