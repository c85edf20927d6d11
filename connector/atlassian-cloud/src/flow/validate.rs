//! Tells whether a collection would work, and if not, why.
//!
//! ```text
//! settings ─▶ organization ─┬─▶ domains ⟲ page by page ─▶ members ⟲ while empty ─┬─▶ report
//!     │                     ├─ 403 ─▶ standing ─▶ report                         ├─ 403 ─▶ standing ─▶ report
//!     └─ malformed ─▶ report└─ failure ─▶ report                                 └─ failure ─▶ report
//! ```
//!
//! A platform retires the old credentials on its yes, so the yes is strict: the organization was
//! read, and a member was seen. The domains are read before the members only because the report
//! reads better so; whatever comes of them, the members are asked for.

use smp_connector_kit::call::endless;
use smp_connector_kit::cursor::Cursor;
use smp_connector_kit::{Failure, Host, MemberKind, MemberPage, Report, Setting};

use super::findings::{Findings, MembersFound, malformed};
use super::standing::settled;
use crate::config::{Config, OrganizationId};
use crate::endpoint::domains::{self, Domain, DomainsPage};
use crate::endpoint::{org, users};
use crate::refusal::Asked;

/// Most pages of domains that are read: the report names a few of them, and more say nothing new.
const MOST_DOMAIN_PAGES: u32 = 10;

/// Most pages of users without a member that are read: at the pace of the descriptor that is ten
/// seconds.
const MOST_EMPTY_PAGES: u32 = 50;

/// Checks the settings, the key and the organization.
pub fn validate(host: &mut dyn Host, settings: &[Setting]) -> Report {
    let config = match Config::read(settings) {
        Ok(config) => config,
        Err(failure) => return malformed(failure),
    };
    let id = config.organization();
    let organization = org::get(host, id).map_err(|refusal| settled(host, id, refusal));
    let mut findings = Findings { doubt: config.doubt(), ..Findings::default() };
    if organization.is_ok() {
        findings.domains = Some(domains(host, id));
        findings.members = Some(members(host, id));
    }
    findings.organization = Some(organization);
    findings.report()
}

/// The domains, as many as are read. What was read before a failure says enough.
fn domains(host: &mut dyn Host, organization: &OrganizationId) -> Result<Vec<Domain>, Failure> {
    let (mut found, mut cursor) = (Vec::new(), None);
    for _ in 0..MOST_DOMAIN_PAGES {
        match domains::get(host, organization, cursor.as_ref()) {
            Ok(DomainsPage { domains, next }) => {
                found.extend(domains);
                cursor = next;
            }
            Err(refusal) if found.is_empty() => return Err(refusal.into_failure()),
            Err(_) => break,
        }
        if cursor.is_none() {
            break;
        }
    }
    Ok(found)
}

/// What the first page with members says of them, or the last one without.
fn members(host: &mut dyn Host, organization: &OrganizationId) -> Result<MembersFound, Failure> {
    let mut cursor: Option<Cursor> = None;
    for _ in 0..MOST_EMPTY_PAGES {
        let page = users::get(host, organization, cursor.as_ref())
            .map_err(|refusal| settled(host, organization, refusal))?
            .page;
        match &page.next {
            Some(next) if page.members.is_empty() => cursor = Cursor::new(next.clone()),
            _ => return Ok(summary(&page)),
        }
    }
    Err(endless(&Asked::for_page(&users::ROUTE, cursor.as_ref()), MOST_EMPTY_PAGES))
}

fn summary(page: &MemberPage) -> MembersFound {
    let is_nobody =
        |kind: &Option<MemberKind>| matches!(kind, Some(MemberKind::App | MemberKind::Customer));
    MembersFound {
        seen: page.members.len(),
        has_person: page.members.iter().any(|member| !is_nobody(&member.kind)),
        has_more: page.next.is_some(),
        total: page.total,
    }
}

#[cfg(test)]
mod tests;
