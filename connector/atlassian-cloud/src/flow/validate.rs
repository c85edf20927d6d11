//! Tells whether a collection would work, and if not, why.
//!
//! ```text
//! settings ─▶ organization ─┬─▶ domains ⟲ page by page ─▶ members ⟲ while empty ─┬─▶ report
//!     │                     ├─ 403 ─▶ standing ─▶ report                         ├─ 403 ─▶ standing ─▶ report
//!     └─ malformed ─▶ report└─ failure ─▶ report                                 └─ failure ─▶ report
//! ```
//!
//! A platform retires the old credentials on its yes, so the yes is strict: the organization was read, and a member
//! was seen. The domains are read before the members only because the report reads better so; whatever comes of
//! them, the members are asked for.

use super::collect::page;
use super::connect::organization;
use super::findings::{Findings, MembersFound, malformed};
use super::standing::Standing;
use super::{Flow, Step, drive};
use crate::config::{Config, Setting};
use crate::cursor::Cursor;
use crate::endpoint::domains::{self, Domain, DomainsPage};
use crate::endpoint::{org, users};
use crate::failure::Failure;
use crate::host::{Host, HttpError, Response};
use crate::model::{MemberKind, MemberPage};
use crate::refusal::{self, Refusal};
use crate::report::Report;

/// Most pages of domains that are read: the report names a few of them, and more say nothing new.
const MOST_DOMAIN_PAGES: u32 = 10;

/// Most pages of users without a member that are read: at the pace of the descriptor that is ten seconds.
const MOST_EMPTY_PAGES: u32 = 50;

/// Checks the settings, the key and the organization.
pub fn validate(host: &mut impl Host, settings: &[Setting]) -> Report {
    match Config::read(settings) {
        Ok(config) => drive(host, Validate::begin(config)),
        Err(failure) => malformed(failure),
    }
}

#[derive(Debug)]
struct Validate {
    config: Config,
    findings: Findings,
    state: State,
}

/// What was asked for.
#[derive(Debug)]
enum State {
    Organization,
    OrganizationStanding(Standing),
    Domains { cursor: Option<Cursor>, so_far: Vec<Domain>, pages: u32 },
    Members { cursor: Option<Cursor>, pages: u32 },
    MembersStanding(Standing),
}

type Next = Step<Validate, Report>;

impl Flow for Validate {
    type Outcome = Report;

    fn answered(self, answer: Result<Response, HttpError>) -> Next {
        let Self { config, findings, state } = self;
        let known = Known { config, findings };
        match state {
            State::Organization => known.organization(answer),
            State::OrganizationStanding(standing) => known.organization_standing(standing.answered(answer)),
            State::Domains { cursor, so_far, pages } => known.domains(cursor, so_far, pages, answer),
            State::Members { cursor, pages } => known.members(cursor, pages, answer),
            State::MembersStanding(standing) => known.members_standing(standing.answered(answer)),
        }
    }
}

impl Validate {
    fn begin(config: Config) -> Next {
        let findings = Findings { doubt: config.doubt(), ..Findings::default() };
        let request = org::request(config.organization());
        Step::Ask(request, Self { config, findings, state: State::Organization })
    }
}

/// What is known between two requests.
struct Known {
    config: Config,
    findings: Findings,
}

impl Known {
    fn organization(mut self, answer: Result<Response, HttpError>) -> Next {
        match organization(&self.config, answer) {
            Ok(account) => {
                self.findings.organization = Some(Ok(account));
                self.ask_domains(None, Vec::new(), 0)
            }
            Err(Refusal::Final(failure)) => self.end_at_organization(failure),
            Err(Refusal::Forbidden(forbidden)) => {
                let standing = Standing::begin(self.config.organization().clone(), forbidden);
                self.organization_standing(standing)
            }
        }
    }

    fn organization_standing(self, step: Step<Standing, Failure>) -> Next {
        match step {
            Step::Ask(request, standing) => Step::Ask(request, self.at(State::OrganizationStanding(standing))),
            Step::Done(failure) => self.end_at_organization(failure),
        }
    }

    fn end_at_organization(mut self, failure: Failure) -> Next {
        self.findings.organization = Some(Err(failure));
        self.end()
    }

    fn ask_domains(self, cursor: Option<Cursor>, so_far: Vec<Domain>, pages: u32) -> Next {
        let request = domains::request(self.config.organization(), cursor.as_ref());
        Step::Ask(request, self.at(State::Domains { cursor, so_far, pages }))
    }

    fn domains(mut self, cursor: Option<Cursor>, mut so_far: Vec<Domain>, pages: u32, answer: Result<Response, HttpError>) -> Next {
        let pages = pages + 1;
        match domains_page(cursor.as_ref(), answer) {
            Ok(DomainsPage { domains, next }) => {
                so_far.extend(domains);
                if next.is_some() && pages < MOST_DOMAIN_PAGES {
                    return self.ask_domains(next, so_far, pages);
                }
                self.findings.domains = Some(Ok(so_far));
            }
            // What was read before says enough.
            Err(_) if !so_far.is_empty() => self.findings.domains = Some(Ok(so_far)),
            Err(failure) => self.findings.domains = Some(Err(failure)),
        }
        self.ask_members(None, 0)
    }

    fn ask_members(self, cursor: Option<Cursor>, pages: u32) -> Next {
        let request = users::request(self.config.organization(), cursor.as_ref());
        Step::Ask(request, self.at(State::Members { cursor, pages }))
    }

    fn members(self, cursor: Option<Cursor>, pages: u32, answer: Result<Response, HttpError>) -> Next {
        let pages = pages + 1;
        match page(cursor.as_ref(), answer) {
            Ok(found) if found.page.members.is_empty() && found.page.next.is_some() => {
                if pages < MOST_EMPTY_PAGES {
                    return self.ask_members(found.page.next, pages);
                }
                self.end_at_members(Err(refusal::endless(&users::ENDPOINT, pages)))
            }
            Ok(found) => self.end_at_members(Ok(summary(&found.page))),
            Err(Refusal::Final(failure)) => self.end_at_members(Err(failure)),
            Err(Refusal::Forbidden(forbidden)) => {
                let standing = Standing::begin(self.config.organization().clone(), forbidden);
                self.members_standing(standing)
            }
        }
    }

    fn members_standing(self, step: Step<Standing, Failure>) -> Next {
        match step {
            Step::Ask(request, standing) => Step::Ask(request, self.at(State::MembersStanding(standing))),
            Step::Done(failure) => self.end_at_members(Err(failure)),
        }
    }

    fn end_at_members(mut self, found: Result<MembersFound, Failure>) -> Next {
        self.findings.members = Some(found);
        self.end()
    }

    fn end(self) -> Next {
        Step::Done(self.findings.report())
    }

    fn at(self, state: State) -> Validate {
        Validate { config: self.config, findings: self.findings, state }
    }
}

fn domains_page(cursor: Option<&Cursor>, answer: Result<Response, HttpError>) -> Result<DomainsPage, Failure> {
    let body = refusal::success(&domains::ENDPOINT, cursor.is_some(), answer).map_err(Refusal::into_failure)?;
    domains::read(&body, cursor).map_err(|reason| refusal::unreadable(&domains::ENDPOINT, reason))
}

fn summary(page: &MemberPage) -> MembersFound {
    let is_nobody = |kind: &Option<MemberKind>| matches!(kind, Some(MemberKind::App | MemberKind::Customer));
    MembersFound {
        seen: page.members.len(),
        has_person: page.members.iter().any(|member| !is_nobody(&member.kind)),
        has_more: page.next.is_some(),
        total: page.total,
    }
}

#[cfg(test)]
mod tests;
