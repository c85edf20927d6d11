//! `GET /admin/v1/orgs/{organization-id}/domains`: the domains of the organization and how far
//! their verification is.
//!
//! [Documentation](https://developer.atlassian.com/cloud/admin/organization/rest/api-group-domains/#api-v1-orgs-orgid-domains-get)

use smp_connector_kit::call::{Need, Route};
use smp_connector_kit::cursor::Cursor;
use smp_connector_kit::json::{Text, Unreadable};
use smp_connector_kit::{Host, text};

use super::list::{self, Attributes};
use crate::config::{Config, MANAGED, PEOPLE};
use crate::refusal::Refusal;

/// What the descriptor says of the call.
pub static ROUTE: Route = Route::get(
    "/admin/v1/orgs/{organization-id}/domains",
    "Tells which domains are not verified: their accounts cannot be listed",
    Some("read:domains:admin"),
)
.when(&[Need::Setting(PEOPLE, MANAGED)]);

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

/// Asks for a page, the first or the one at the cursor.
///
/// # Errors
///
/// When there is no such page, or it cannot be read.
pub fn get(
    host: &mut dyn Host,
    config: &Config,
    asked: Option<&Cursor>,
) -> Result<DomainsPage, Refusal> {
    super::get(host, &ROUTE, config, asked, |body| read(body, asked))
}

/// Reads a page that was asked for with `asked`.
///
/// # Errors
///
/// When the answer is not one of this call.
pub fn read(body: &[u8], asked: Option<&Cursor>) -> Result<DomainsPage, Unreadable> {
    let (entries, next) = list::read(body, asked)?;
    let told = entries.filter_map(|entry| entry.attributes);
    let domains = told.filter_map(|attributes| domain(attributes.0)).collect();
    Ok(DomainsPage { domains, next })
}

fn domain(attributes: Attributes<'_>) -> Option<Domain> {
    let status = attributes.claim.and_then(|claim| claim.0.status);
    let state = match status.as_ref().map(Text::as_str) {
        Some("verified") => DomainState::Verified,
        Some("missing_token") => DomainState::MissingToken,
        Some("deleted" | "superseded") => return None,
        _ => DomainState::Waiting,
    };
    let name = attributes.name.as_ref().map_or("", Text::as_str);
    Some(Domain { name: text::domain(name), state })
}

#[cfg(test)]
mod tests {
    use super::*;
    use smp_connector_kit::testing::{Script, answer};

    use crate::testing::{Below, config};

    #[test]
    fn the_domains_are_asked_for_page_by_page() {
        let answer = || answer(200, r#"{"data":[]}"#);
        let cursor = Cursor::new("a=&b".to_owned());
        let mut host = Script::new()
            .at("/{org}/domains", answer())
            .at("/{org}/domains?cursor=a%3D%26b", answer());
        get(&mut host, &config(), None).unwrap();
        get(&mut host, &config(), cursor.as_ref()).unwrap();
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
            let body = format!(
                r#"{{"data":[{{"id":"1","attributes":{{"name":"acme.test","claim":{{"type":"dns","status":{status}}}}}}}]}}"#
            );
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
        for body in ["{}", r#"{"data":null}"#, r#"{"data":"x"}"#, r#"{"data":[{"attributes":[]}]}"#]
        {
            let page = read(body.as_bytes(), None);
            assert!(matches!(page, Err(Unreadable::Shape(_))), "{body}");
        }
    }
}
