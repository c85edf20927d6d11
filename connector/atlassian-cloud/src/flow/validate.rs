//! Tells whether a collection would work, and if not, why.
//!
//! ```text
//! settings ─▶ organization ─┬─ managed ──▶ domains ⟲ ─▶ users ⟲ while empty ────────┬─▶ key ⟲ ─▶ report
//!     │                     ├─ everyone ─▶ count ─▶ sites ⟲ ─▶ search ⟲ while empty ┤
//!     └─ malformed ─▶ report└─ failure ─▶ report                                    └─ failure ─▶ report
//! ```
//!
//! A platform retires the old credentials on its yes, so the yes is strict: the organization was
//! read, and a member was seen. The domains are read before the members only because the report
//! reads better so; whatever comes of them, the members are asked for. Where everyone is listed, all
//! that a collection reads is read. When the key ends is looked up last, for settings that are good.

use smp_connector_kit::call::endless;
use smp_connector_kit::cursor::Cursor;
use smp_connector_kit::{Failure, Host, Member, MemberKind, Report, Setting};

use super::findings::{Findings, MembersFound, malformed};
use super::standing::settled;
use super::{everyone, lifetime};
use crate::config::{Config, People};
use crate::endpoint::domains::{self, Domain, DomainsPage};
use crate::endpoint::{org, search, users};
use crate::refusal::Asked;
use crate::sites::Sites;

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
    let people = config.people();
    let organization = org::get(host, &config).map_err(|refusal| settled(host, &config, refusal));
    let mut findings = Findings { doubt: config.doubt(), ..Findings::default() };
    if organization.is_ok() {
        match people {
            People::Managed => {
                (findings.domains, findings.more_domains) = domains(host, &config);
                findings.members = Some(members(host, &config));
            }
            People::Everyone => everyone(host, &config, &mut findings),
        }
    }
    findings.organization = Some(organization);
    if findings.is_good() {
        findings.end = Some(lifetime::end(host, &config));
    }
    findings.report(people)
}

/// The domains, as many as are read, and why the rest is not. What was read before a failure says
/// enough of an organization without members.
fn domains(
    host: &mut dyn Host,
    config: &Config,
) -> (Option<Result<Vec<Domain>, Failure>>, Option<Failure>) {
    let (mut found, mut cursor) = (Vec::new(), None);
    for _ in 0..MOST_DOMAIN_PAGES {
        match domains::get(host, config, cursor.as_ref()) {
            Ok(DomainsPage { domains, next }) => {
                found.extend(domains);
                cursor = next;
            }
            Err(refusal) if found.is_empty() => {
                return (Some(Err(refusal.into_failure())), None);
            }
            Err(refusal) => return (Some(Ok(found)), Some(refusal.into_failure())),
        }
        if cursor.is_none() {
            break;
        }
    }
    (Some(Ok(found)), None)
}

/// What the first page with members says of them, or the last one without.
fn members(host: &mut dyn Host, config: &Config) -> Result<MembersFound, Failure> {
    let mut cursor: Option<Cursor> = None;
    for _ in 0..MOST_EMPTY_PAGES {
        let page = users::get(host, config, cursor.as_ref())
            .map_err(|refusal| settled(host, config, refusal))?
            .page;
        match &page.next {
            Some(next) if page.members.is_empty() => cursor = Cursor::new(next.clone()),
            next => return Ok(summary(&page.members, next.is_some(), page.total)),
        }
    }
    Err(endless(
        &Asked::for_page(&users::ROUTE, People::Managed, cursor.as_ref()),
        MOST_EMPTY_PAGES,
    ))
}

/// What a collection of everyone reads, as far as it can be read.
fn everyone(host: &mut dyn Host, config: &Config, findings: &mut Findings) {
    let count = everyone::count(host, config);
    let total = count.as_ref().ok().copied();
    findings.count = Some(count);
    let Some(total) = total else { return };
    match everyone::sites(host, config) {
        Ok(sites) => {
            findings.sites = Some(Ok(sites.0.len()));
            findings.members = Some(found(host, config, &sites, total));
        }
        Err(failure) => findings.sites = Some(Err(failure)),
    }
}

/// What the first page with somebody says, or the last one without.
fn found(
    host: &mut dyn Host,
    config: &Config,
    sites: &Sites,
    total: u64,
) -> Result<MembersFound, Failure> {
    let mut cursor: Option<Cursor> = None;
    for _ in 0..MOST_EMPTY_PAGES {
        let page = everyone::search(host, config, cursor.as_ref(), sites)?;
        match page.next {
            Some(next) if page.members.is_empty() => cursor = Some(next),
            next => return Ok(summary(&page.members, next.is_some(), Some(total))),
        }
    }
    Err(endless(
        &Asked::for_page(&search::ROUTE, People::Everyone, cursor.as_ref()),
        MOST_EMPTY_PAGES,
    ))
}

fn summary(members: &[Member], has_more: bool, total: Option<u64>) -> MembersFound {
    use MemberKind::{App, Customer, ServiceAccount};
    let is_no_person =
        |kind: &Option<MemberKind>| matches!(kind, Some(App | Customer | ServiceAccount));
    MembersFound {
        seen: members.len(),
        has_person: members.iter().any(|member| !is_no_person(&member.kind)),
        has_more,
        total,
    }
}

#[cfg(test)]
mod tests;
