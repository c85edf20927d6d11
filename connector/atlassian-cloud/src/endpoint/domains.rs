//! `GET /admin/v1/orgs/{organization-id}/domains`: the domains of the organization and how far their verification is.
//!
//! [Documentation](https://developer.atlassian.com/cloud/admin/organization/rest/api-group-domains/#api-v1-orgs-orgid-domains-get)

use super::{Links, next};
use crate::config::OrganizationId;
use crate::cursor::Cursor;
use crate::descriptor::Endpoint;
use crate::host::Request;
use crate::json::{self, List, Text, Unreadable, object};
use crate::text;

/// What the descriptor says of the call.
pub const ENDPOINT: Endpoint = Endpoint {
    path: "/admin/v1/orgs/{organization-id}/domains",
    purpose: "Tells why there are no members: which domains are verified, and which are waiting",
    scope: "read:domains:admin",
};

/// A page of domains.
#[derive(Debug, PartialEq, Eq)]
pub struct DomainsPage {
    /// The domains that count: those that were given up are left out.
    pub domains: Vec<Domain>,
    /// Where the list goes on.
    pub next: Option<Cursor>,
}

/// A domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// The name, fit for a message; may be empty.
    pub name: String,
    /// How far its verification is.
    pub state: DomainState,
}

/// How far the verification of a domain is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DomainState {
    /// It is verified: its accounts can be claimed.
    Verified,
    /// It waits for verification, or its state is not known.
    Waiting,
    /// The token by which it is verified cannot be found.
    MissingToken,
}

/// The request for a page.
pub fn request(organization: &OrganizationId, cursor: Option<&Cursor>) -> Request {
    super::request(&ENDPOINT, organization, cursor)
}

/// Reads a page that was asked for with `asked`.
///
/// # Errors
///
/// When the answer is none of this call.
pub fn read(body: &[u8], asked: Option<&Cursor>) -> Result<DomainsPage, Unreadable> {
    let answer: Answer<'_> = json::read(body)?;
    if !answer.data.is_there {
        return Err(Unreadable::Shape);
    }
    let told = answer.data.items.iter().map(|entry| &entry.attributes).filter(|attributes| attributes.is_there);
    let domains = told.filter_map(domain).collect();
    Ok(DomainsPage { domains, next: next(&answer.links, asked)? })
}

fn domain(attributes: &Attributes<'_>) -> Option<Domain> {
    let state = match attributes.claim.status.as_ref().map(Text::as_str) {
        Some("verified") => DomainState::Verified,
        Some("missing_token") => DomainState::MissingToken,
        Some("deleted" | "superseded") => return None,
        _ => DomainState::Waiting,
    };
    let name = attributes.name.as_ref().map_or("", Text::as_str);
    Some(Domain { name: text::domain(name), state })
}

object! {
    struct Answer<'a> {
        data: List<Entry<'a>> = b"data",
        links: Links<'a> = b"links",
    }
}

object! {
    struct Entry<'a> {
        attributes: Attributes<'a> = b"attributes",
    }
}

object! {
    struct Attributes<'a> {
        name: Option<Text<'a>> = b"name",
        claim: Claim<'a> = b"claim",
    }
}

object! {
    struct Claim<'a> {
        status: Option<Text<'a>> = b"status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ORGANIZATION, config};

    #[test]
    fn the_domains_are_asked_for_page_by_page() {
        let first = request(config().organization(), None);
        assert_eq!(first.path_with_query, format!("/admin/v1/orgs/{ORGANIZATION}/domains"));
        let second = request(config().organization(), Cursor::new("2".to_owned()).as_ref());
        assert_eq!(second.path_with_query, format!("/admin/v1/orgs/{ORGANIZATION}/domains?cursor=2"));
    }

    #[test]
    fn every_state_of_a_domain_is_known_or_waiting() {
        let rows = [
            (r#""verified""#, Some(DomainState::Verified)),
            (r#""unverified""#, Some(DomainState::Waiting)),
            (r#""missing_token""#, Some(DomainState::MissingToken)),
            (r#""deleted""#, None),
            (r#""superseded""#, None),
            (r#""pending_review""#, Some(DomainState::Waiting)),
            ("null", Some(DomainState::Waiting)),
        ];
        for (status, state) in rows {
            let body =
                format!(r#"{{"data":[{{"id":"1","attributes":{{"name":"acme.test","claim":{{"type":"dns","status":{status}}}}}}}]}}"#);
            let page = read(body.as_bytes(), None).unwrap();
            assert_eq!(page.domains.first().map(|domain| domain.state), state, "{status}");
        }
    }

    #[test]
    fn a_domain_without_claim_or_name_is_waiting() {
        let page = read(br#"{"data":[{"attributes":{}},{"attributes":null}]}"#, None).unwrap();
        let nameless = Domain { name: String::new(), state: DomainState::Waiting };
        assert_eq!(page.domains, [nameless]);
    }

    #[test]
    fn a_name_is_made_fit_for_a_message() {
        let body = br#"{"data":[{"attributes":{"name":"a\u001b[1mcme.test<b>"}}]}"#;
        assert_eq!(read(body, None).unwrap().domains[0].name, "a1mcme.testb");
    }

    #[test]
    fn the_same_page_again_is_refused() {
        let asked = Cursor::new("2".to_owned());
        let page = read(br#"{"data":[],"links":{"next":"2"}}"#, asked.as_ref());
        assert!(matches!(page, Err(Unreadable::Next(_))));
    }

    #[test]
    fn an_answer_without_a_list_is_none() {
        for body in ["{}", r#"{"data":null}"#, r#"{"data":"x"}"#, r#"{"data":[{"attributes":[]}]}"#] {
            assert_eq!(read(body.as_bytes(), None), Err(Unreadable::Shape), "{body}");
        }
    }
}
