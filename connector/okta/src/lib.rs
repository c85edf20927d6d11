//! The Okta connector: the parts that are specific to Okta, on the kit that every connector uses.
//!
//! It takes settings and answers, and gives requests and records. It has no I/O, clock, environment
//! or randomness. Okta tells of people, their status and their last sign-in; it names no total, and
//! which apps a person uses takes a call for each person, so Okta itself is the only product.
//!
//! The modules are in reading order: each uses only those above it.

pub mod site;

pub mod refusal;

pub mod org;
pub mod users;

pub mod listing;

use smp_connector_kit::call::endless;
use smp_connector_kit::cursor::Cursor;
use smp_connector_kit::{
    Account, Check, Connector, Descriptor, Failure, FailureKind, Host, MemberPage, Outcome, Report,
    Setting, text,
};

use crate::refusal::Asked;
use crate::site::{SITE, Site};

/// Most pages without anybody that `validate` reads: Okta gives none, as the token's administrator
/// is a user too.
const MOST_EMPTY_PAGES: u32 = 10;

const VISIBLE: &str = "Make the API token as an administrator who can view every user, such as a \
                      read-only administrator.";

/// The connector.
#[derive(Debug)]
pub struct Okta;

impl Connector for Okta {
    fn describe() -> Descriptor {
        listing::descriptor()
    }

    /// Ready means that the organization was read, and somebody in it.
    fn validate(host: &mut dyn Host, settings: &[Setting]) -> Report {
        let site = Site::read(settings);
        let organization = site.as_ref().ok().map(|_| org::get(host));
        let people = match (&site, &organization) {
            (Ok(site), Some(Ok(_))) => Some(somebody(host, site)),
            _ => None,
        };
        let named = |account: Account| {
            format!("The organization is called {}.", text::label(&account.name))
        };
        let organization = organization.map(|found| found.map(named));
        let site = match site.map(|site| site.doubt()) {
            Ok(None) => Outcome::Passed("The Site can be part of an address.".to_owned()),
            Ok(Some(advice)) => Outcome::Warning(advice),
            Err(failure) => Outcome::Failed(failure),
        };
        Report::new(vec![
            Check::required("site", "The Site is well-formed", site).at(SITE),
            Check::required("organization", "Okta accepts the API token", outcome(organization)),
            Check::required("people", "The API token may read the people", outcome(people)),
        ])
    }

    fn connect(host: &mut dyn Host, settings: &[Setting]) -> Result<Account, Failure> {
        Site::read(settings)?;
        org::get(host)
    }

    fn collect(
        host: &mut dyn Host,
        settings: &[Setting],
        cursor: Option<String>,
    ) -> Result<MemberPage, Failure> {
        let site = Site::read(settings)?;
        let cursor = cursor.map(|text| Cursor::new(text).ok_or_else(refusal::foreign_cursor));
        users::get(host, &site, cursor.transpose()?.as_ref())
    }
}

smp_connector_kit::export!(Okta);

/// The first page with somebody on it.
fn somebody(host: &mut dyn Host, site: &Site) -> Result<String, Failure> {
    let mut cursor = None;
    for _ in 0..MOST_EMPTY_PAGES {
        let page = users::get(host, site, cursor.as_ref())?;
        cursor = page.next.and_then(Cursor::new);
        match (page.members.len(), &cursor) {
            (0, Some(_)) => {}
            (0, None) => {
                let message = "The API token can see no user in the organization.";
                return Err(Failure::new(FailureKind::NoMembers, message, VISIBLE));
            }
            (seen, Some(_)) => {
                return Ok(format!("People on the first page: {seen}, and more follow."));
            }
            (seen, None) => return Ok(format!("People: {seen}.")),
        }
    }
    Err(endless(&Asked::for_page(&users::ROUTE, cursor.as_ref()), MOST_EMPTY_PAGES))
}

/// The outcome of a check; one that was not reached is skipped.
fn outcome(found: Option<Result<String, Failure>>) -> Outcome {
    let skipped = || Outcome::Skipped("Skipped, because a check before it failed.".to_owned());
    found.map_or_else(skipped, Outcome::of)
}

#[cfg(test)]
mod tests;
