//! Makes the report of what a validation found. Pure: no request, no state.
//!
//! The checks stand in the order of the form and the guide: settings, organization, domains,
//! members. Where everyone is listed, their number and the product sites come before the members,
//! and the domains are no matter. What was not looked at is skipped, with the reason. That there are no members is
//! one failure, told apart by the domains.

use smp_connector_kit::{Account, Advice, Check, Failure, FailureKind, Outcome, Report, text};

use super::lifetime::End;
use super::unverified::{DOMAINS_PAGE, listed, mend, names, unverified};
use crate::config::{API_KEY, KEY_NAME, People};
use crate::endpoint::domains::{Domain, DomainState};

const WHICH_KEY: &str = "It is not known which of the API keys this one is, or it has no date. Where \
                         it has a name of its own, enter that in the settings.";

const USERS_PAGE: &str = "At admin.atlassian.com, open the organization, then Directory, then \
                          Users";

const WHATEVER_DOMAIN: &str = "Not looked at: everyone is listed, whatever the domain.";

const NOTHING_BEFORE: &str = "Not looked at, because a check before it failed.";

/// What was found so far; `None` is not looked at.
#[derive(Debug, Default)]
pub struct Findings {
    /// What is odd about the settings.
    pub doubt: Option<Advice>,
    /// The organization, or why it cannot be read.
    pub organization: Option<Result<Account, Failure>>,
    /// The domains, or why they cannot be looked up.
    pub domains: Option<Result<Vec<Domain>, Failure>>,
    /// Why further domains cannot be looked up.
    pub more_domains: Option<Failure>,
    /// The members, or why they cannot be read.
    pub members: Option<Result<MembersFound, Failure>>,
    /// The number of people, where everyone is listed, or why it cannot be read.
    pub count: Option<Result<u64, Failure>>,
    /// The number of product sites, where everyone is listed, or why they cannot be read.
    pub sites: Option<Result<usize, Failure>>,
    /// What is known of the end of the key, or why it cannot be read.
    pub end: Option<Result<End, Failure>>,
}

/// What the first page with members says of them, or that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MembersFound {
    /// The number of members on the page.
    pub seen: usize,
    /// Whether one of them is a person, or of an unknown kind.
    pub has_person: bool,
    /// Whether there are more pages.
    pub has_more: bool,
    /// The number of members in the organization, where the vendor tells it.
    pub total: Option<u64>,
}

/// The report when the settings are malformed.
pub fn malformed(failure: Failure) -> Report {
    let mut report = Findings::default().report(People::Managed);
    if let Some(first) = report.checks.first_mut() {
        first.outcome = Outcome::Failed(failure);
    }
    report
}

impl Findings {
    /// Whether a collection would work, as far as it was looked at.
    pub fn is_good(&self) -> bool {
        matches!(self.organization, Some(Ok(_)))
            && matches!(self.members, Some(Ok(MembersFound { seen: 1.., .. })))
    }

    /// Makes the report of a validation for these people.
    pub fn report(self, people: People) -> Report {
        let Self { doubt, organization, domains, more_domains, members, count, sites, end } = self;
        let everyone = people == People::Everyone;
        let members = members
            .map(|found| found.and_then(|found| members_outcome(people, found, domains.as_ref())));
        let settings = doubt
            .map_or_else(|| passed("The Organization ID is of the usual shape."), Outcome::Warning);
        let is_read = matches!(organization, Some(Ok(_)));
        let organization = outcome(organization.map(organization_outcome));
        let domains = if everyone && is_read {
            Outcome::Skipped(WHATEVER_DOMAIN.to_owned())
        } else {
            outcome(domains.map(|found| Ok(domains_outcome(found, more_domains))))
        };
        let members = outcome(members);
        let mut checks = vec![
            Check::required("settings", "The settings are well-formed", settings),
            Check::required("organization", "The API key may read the organization", organization),
            Check::optional("domains", "A domain is verified", domains),
        ];
        if everyone {
            let count = outcome(count.map(|found| found.map(count_outcome)));
            checks.push(Check::required("count", "The directories can be read", count));
            let sites = outcome(sites.map(|found| found.map(sites_outcome)));
            checks.push(Check::required("sites", "The product sites can be read", sites));
        }
        let title = if everyone { "There is somebody" } else { "There are managed accounts" };
        checks.push(Check::required("members", title, members));
        let mut report = Report::new(checks);
        let told = |outcome, setting| {
            Check::optional("key-end", "When the API key ends", outcome).at(setting)
        };
        match end {
            None | Some(Ok(End::Hidden)) => {}
            // Said, so that an answer that cannot be read is not taken for this one.
            Some(Ok(End::Unclear)) => {
                report.checks.push(told(Outcome::Skipped(WHICH_KEY.to_owned()), KEY_NAME));
            }
            Some(Ok(End::At(instant))) => report.credential_expires = Some(instant),
            Some(Ok(End::Unnamed)) => report.checks.push(told(no_such_key(), KEY_NAME)),
            Some(Err(failure)) => {
                let why = format!("It is not known. {}", failure.message);
                report.checks.push(told(Outcome::Skipped(why), API_KEY));
            }
        }
        report
    }
}

fn no_such_key() -> Outcome {
    Outcome::Warning(Advice {
        message: "No API key of the organization that has not ended has the name in the settings."
            .to_owned(),
        hint: "At admin.atlassian.com, under Organization settings, then API keys, copy the name \
               of this key, or leave the field empty. The members are collected all the same."
            .to_owned(),
        setting: Some(KEY_NAME.to_owned()),
    })
}

fn outcome(found: Option<Result<Outcome, Failure>>) -> Outcome {
    match found {
        Some(Ok(outcome)) => outcome,
        Some(Err(failure)) => Outcome::Failed(failure),
        None => Outcome::Skipped(NOTHING_BEFORE.to_owned()),
    }
}

fn organization_outcome(found: Result<Account, Failure>) -> Result<Outcome, Failure> {
    found.map(|account| {
        passed(&format!("The organization is called {}.", text::label(&account.name)))
    })
}

/// What came of the domains. They are never a failure: members count, and their absence is the
/// members' failure.
fn domains_outcome(found: Result<Vec<Domain>, Failure>, more: Option<Failure>) -> Outcome {
    let unseen = |what: &str, failure: Failure| {
        Outcome::Warning(Advice {
            message: format!("{what} could not be looked up. {}", failure.message),
            hint: format!("As long as there are members, that does no harm. {}", failure.hint),
            setting: failure.setting,
        })
    };
    let domains = match found {
        Ok(domains) => domains,
        Err(failure) => return unseen("The domains", failure),
    };
    let verified = names(&domains, DomainState::Verified);
    let state = unverified(&domains);
    if let Some(failure) = more {
        let verified = if verified.is_empty() {
            String::new()
        } else {
            format!("Verified: {}. ", listed(&verified))
        };
        let between = if state.is_empty() { "" } else { " " };
        return unseen(&format!("{verified}{state}{between}Further domains"), failure);
    }
    if verified.is_empty() {
        let message =
            if state.is_empty() { "The organization has no domain.".to_owned() } else { state };
        return Outcome::Warning(Advice { message, hint: verify(&domains), setting: None });
    }
    let message = format!("Verified: {}. {state}", listed(&verified));
    if domains.iter().any(|domain| domain.state == DomainState::MissingToken) {
        return Outcome::Warning(Advice {
            message,
            hint: format!("{}.", mend(&domains)),
            setting: None,
        });
    }
    passed(message.trim_end())
}

fn count_outcome(number: u64) -> Outcome {
    passed(&format!("They count {} accounts.", text::grouped(number)))
}

fn sites_outcome(number: usize) -> Outcome {
    passed(&format!("Product sites with a name: {}.", text::grouped(number as u64)))
}

fn members_outcome(
    people: People,
    found: MembersFound,
    domains: Option<&Result<Vec<Domain>, Failure>>,
) -> Result<Outcome, Failure> {
    let MembersFound { seen, has_person, has_more, total } = found;
    if seen == 0 {
        return Err(match people {
            People::Managed => no_managed_account(domains),
            People::Everyone => match total {
                Some(1..) => none_of_those_counted(),
                _ => empty_directories(),
            },
        });
    }
    let counted = counted(people, seen, has_more, total);
    if !has_person {
        let (among, unless) = if has_more {
            ("the first of them", ", unless they come later in the list")
        } else {
            ("them", "")
        };
        return Ok(Outcome::Warning(Advice {
            message: format!(
                "{counted} and no person is among {among}, only apps, service accounts and \
                 customers."
            ),
            hint: match people {
                People::Managed => {
                    format!("{DOMAINS_PAGE}, and claim the accounts of your people{unless}.")
                }
                People::Everyone => format!("{USERS_PAGE}, and add your people{unless}."),
            },
            setting: None,
        }));
    }
    Ok(passed(&format!("{counted}.")))
}

/// Why there are no members where everyone is listed.
fn empty_directories() -> Failure {
    Failure::new(
        FailureKind::NoMembers,
        "No one is in a directory of the organization.",
        format!(
            "{USERS_PAGE}: it must have somebody in it. If it has, compare the Organization ID with \
             the one in the address of that page, between /o/ and the next slash."
        ),
    )
}

/// Why there are no members where the directories count people.
fn none_of_those_counted() -> Failure {
    Failure::new(
        FailureKind::UnexpectedResponse,
        "Atlassian counts accounts in the directories of the organization and lists none of them.",
        "Try again later. If it stays, send this message to the support of your SaaS management \
         platform: the list must not count as the whole one.",
    )
}

/// Why there are no members, as far as the domains tell it.
fn no_managed_account(domains: Option<&Result<Vec<Domain>, Failure>>) -> Failure {
    const NO_ACCOUNT: &str = "The organization has no managed account";
    let failure =
        |message: String, hint: String| Failure::new(FailureKind::NoMembers, message, hint);
    match domains {
        Some(Ok(domains)) => {
            let verified = names(domains, DomainState::Verified);
            let state = unverified(domains);
            if !verified.is_empty() {
                let message = format!(
                    "{NO_ACCOUNT}: {} verified, but no account was claimed.",
                    are(&verified)
                );
                let hint = format!(
                    "{DOMAINS_PAGE}, and claim the accounts of the verified domain: at least one. \
                     Then check again."
                );
                failure(message, hint)
            } else if state.is_empty() {
                failure(format!("{NO_ACCOUNT}, because no domain is verified."), verify(domains))
            } else {
                failure(
                    format!("{NO_ACCOUNT}, because no domain is verified yet. {state}"),
                    verify(domains),
                )
            }
        }
        Some(Err(refused)) => {
            let message = format!(
                "{NO_ACCOUNT}, and why could not be told: the domains could not be looked up. {}",
                refused.message
            );
            let hint = format!(
                "{DOMAINS_PAGE}: at least one domain must show a green VERIFIED, and at least one \
                 of its accounts must be claimed. To have the domains looked up: {}",
                refused.hint
            );
            let mut failure = failure(message, hint).with_code(refused.vendor_code.clone());
            failure.setting = refused.setting.clone().filter(|setting| setting == API_KEY);
            failure
        }
        None => failure(
            format!("{NO_ACCOUNT}."),
            format!("{DOMAINS_PAGE}, verify a domain, and claim at least one account."),
        ),
    }
}

/// What to do where no domain is verified.
fn verify(domains: &[Domain]) -> String {
    let mut hint = mend(domains);
    if domains.is_empty() {
        hint.push_str(", and verify a domain by a DNS TXT record or by HTTPS; it can take days");
    }
    hint.push_str(". Then claim at least one account, and check again.");
    hint
}

fn are(names: &[&str]) -> String {
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", listed(names))
}

fn counted(people: People, seen: usize, has_more: bool, total: Option<u64>) -> String {
    let (one, many) = match people {
        People::Managed => ("managed account", "managed accounts"),
        People::Everyone => ("account", "accounts"),
    };
    let seen = seen as u64;
    let (more, number) = match total.filter(|total| *total >= seen) {
        Some(total) => ("", total),
        None if has_more => ("more than ", seen),
        None => ("", seen),
    };
    match (more, number) {
        ("", 1) => format!("There is 1 {one}"),
        _ => format!("There are {more}{} {many}", text::grouped(number)),
    }
}

fn passed(text: &str) -> Outcome {
    Outcome::Passed(text.to_owned())
}

#[cfg(test)]
mod tests;
