//! Connects the guard to the host: the contract's records as the guard reads them, its bounds from
//! the limits, and its errors as failures of a run.

use smp_guard::records::{self, Product, ProductUse};
use smp_guard::{Bounds, Error};

use crate::contract::{
    Account, Advice, Affiliation, Check, Entry, Failure as Reported, Instant, Member, MemberKind,
    MemberPage, MemberStatus, Outcome, UsagePage,
};
use crate::failure::{Code, Failure};
use crate::limits::{Bound, Limits};

/// Bytes of a row beside its texts, about: the names of its fields, and instants.
const ROW: usize = 200;
/// Bytes of a use beside the texts of its product, about.
const USE: usize = 80;

/// About how long the rows of a page are. Each member has the texts of its products: a page that
/// was small when it was passed may be long.
pub(crate) fn length_of_members(page: &MemberPage) -> usize {
    let products: Vec<usize> = page.products.iter().map(length_of_product).collect();
    let used = |used: &crate::contract::ProductUse| {
        usize::try_from(used.product).ok().and_then(|place| products.get(place)).copied()
    };
    let member = |member: &Member| {
        let texts = [&member.id, &member.name, &member.role];
        let more = [&member.email, &member.nickname].into_iter().flatten();
        let pairs = member.attributes.iter().flat_map(|(name, value)| [name, value]);
        let texts = texts.into_iter().chain(more).chain(pairs).map(String::len);
        let uses = member.uses.iter().filter_map(used);
        texts.chain(uses).fold(ROW, usize::saturating_add)
    };
    let lengths = page.members.iter().map(member).chain(products.iter().copied());
    lengths.fold(0, usize::saturating_add)
}

/// About how long the rows of a page of usage are.
pub(crate) fn length_of_usage(page: &UsagePage) -> usize {
    let entry = |entry: &Entry| {
        let texts = length_of_product(&entry.product).saturating_add(entry.id.len());
        texts.saturating_add(entry.plan.as_ref().map_or(ROW, |plan| plan.len() + ROW))
    };
    page.entries.iter().map(entry).fold(0, usize::saturating_add)
}

fn length_of_product(product: &crate::contract::Product) -> usize {
    let site = product.site.as_ref().map_or(USE, |site| site.len() + USE);
    site.saturating_add(product.key.len()).saturating_add(product.name.len())
}

impl records::Page for MemberPage {
    type Record = Member;

    const RECORDS: &'static str = "members";

    fn products(&self) -> impl ExactSizeIterator<Item = Product<'_>> {
        self.products.iter().map(product)
    }

    fn records(&self) -> &[Member] {
        &self.members
    }

    fn records_mut(&mut self) -> &mut Vec<Member> {
        &mut self.members
    }

    fn next(&self) -> Option<&str> {
        self.next.as_deref()
    }

    fn total(&self) -> Option<u64> {
        self.total
    }

    fn notes(&self) -> impl ExactSizeIterator<Item = records::Advice<'_>> {
        self.notes.iter().map(advice)
    }
}

impl records::Page for UsagePage {
    type Record = Entry;

    const RECORDS: &'static str = "entries of usage";

    fn products(&self) -> impl ExactSizeIterator<Item = Product<'_>> {
        self.entries.iter().map(|entry| product(&entry.product))
    }

    fn records(&self) -> &[Entry] {
        &self.entries
    }

    fn records_mut(&mut self) -> &mut Vec<Entry> {
        &mut self.entries
    }

    fn next(&self) -> Option<&str> {
        self.next.as_deref()
    }

    fn total(&self) -> Option<u64> {
        self.total
    }

    fn notes(&self) -> impl ExactSizeIterator<Item = records::Advice<'_>> {
        self.notes.iter().map(advice)
    }
}

impl records::Record for Entry {
    fn id(&self) -> &str {
        &self.id
    }

    fn is_person(&self) -> bool {
        false
    }
}

impl records::Entry for Entry {
    fn plan(&self) -> Option<&str> {
        self.plan.as_deref()
    }
}

impl records::Record for Member {
    fn id(&self) -> &str {
        &self.id
    }

    fn is_person(&self) -> bool {
        smp_guard::guard::is_person(self)
    }
}

impl records::Member for Member {
    fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn nickname(&self) -> Option<&str> {
        self.nickname.as_deref()
    }

    fn role(&self) -> &str {
        &self.role
    }

    fn uses(&self) -> impl ExactSizeIterator<Item = ProductUse> {
        let one = |used: &crate::contract::ProductUse| ProductUse {
            product: used.product,
            last_active: used.last_active.map(instant),
        };
        self.uses.iter().map(one)
    }

    fn last_seen(&self) -> Option<records::Instant> {
        self.last_seen.map(instant)
    }

    fn status(&self) -> Option<records::MemberStatus<'_>> {
        self.status.as_ref().map(|status| match status {
            MemberStatus::Active => records::MemberStatus::Active,
            MemberStatus::Inactive => records::MemberStatus::Inactive,
            MemberStatus::Closed => records::MemberStatus::Closed,
            MemberStatus::Suspended => records::MemberStatus::Suspended,
            MemberStatus::Invited => records::MemberStatus::Invited,
            MemberStatus::Other(word) => records::MemberStatus::Other(word),
        })
    }

    fn kind(&self) -> Option<records::MemberKind<'_>> {
        self.kind.as_ref().map(|kind| match kind {
            MemberKind::Person => records::MemberKind::Person,
            MemberKind::App => records::MemberKind::App,
            MemberKind::Customer => records::MemberKind::Customer,
            MemberKind::ServiceAccount => records::MemberKind::ServiceAccount,
            MemberKind::Other(word) => records::MemberKind::Other(word),
        })
    }

    fn affiliation(&self) -> Option<records::Affiliation<'_>> {
        self.affiliation.as_ref().map(|affiliation| match affiliation {
            Affiliation::Managed => records::Affiliation::Managed,
            Affiliation::External => records::Affiliation::External,
            Affiliation::Other(word) => records::Affiliation::Other(word),
        })
    }

    fn attributes(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        pairs(&self.attributes)
    }
}

fn product(product: &crate::contract::Product) -> Product<'_> {
    Product { key: &product.key, name: &product.name, site: product.site.as_deref() }
}

/// A point in time.
pub(crate) fn instant(instant: Instant) -> records::Instant {
    records::Instant { seconds: instant.seconds, nanoseconds: instant.nanoseconds }
}

fn pairs(attributes: &[(String, String)]) -> impl ExactSizeIterator<Item = (&str, &str)> {
    attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

/// A failure that a component reports.
pub(crate) fn failure(failure: &Reported) -> records::Failure<'_> {
    records::Failure {
        message: &failure.message,
        hint: &failure.hint,
        setting: failure.setting.as_deref(),
        vendor_code: failure.vendor_code.as_deref(),
    }
}

/// A check of a report.
pub(crate) fn check(check: &Check) -> records::Check<'_> {
    let outcome = match &check.outcome {
        Outcome::Passed(text) => records::Outcome::Passed(text),
        Outcome::Skipped(text) => records::Outcome::Skipped(text),
        Outcome::Failed(failed) => records::Outcome::Failed(failure(failed)),
        Outcome::Warning(warned) => records::Outcome::Warning(advice(warned)),
    };
    records::Check {
        id: &check.id,
        title: &check.title,
        setting: check.setting.as_deref(),
        outcome,
    }
}

fn advice(advice: &Advice) -> records::Advice<'_> {
    records::Advice {
        message: &advice.message,
        hint: &advice.hint,
        setting: advice.setting.as_deref(),
    }
}

/// An account.
pub(crate) fn account(
    account: &Account,
) -> records::Account<'_, impl ExactSizeIterator<Item = (&str, &str)>> {
    records::Account {
        id: &account.id,
        name: &account.name,
        attributes: pairs(&account.attributes),
    }
}

impl Limits {
    /// The bounds for the guard.
    #[must_use]
    pub fn of_guard(&self) -> Bounds {
        Bounds {
            text: self.text,
            member_text: self.member_text,
            entries: self.entries,
            page_members: self.page_members,
            pages: self.pages,
            members: self.members,
            pages_without_news: self.pages_without_news,
        }
    }

    /// The failure of a run with this error of the guard.
    #[must_use]
    pub fn found(&self, error: Error) -> Failure {
        let message = error.to_string();
        match error {
            Error::Limit { bound, what, .. } => self.reached(bound.into(), what),
            Error::Contract(_) => Failure::new(Code::Contract, message).with_hint(
                "Report it to the publisher of the connector; nothing is wrong with your settings.",
            ),
            Error::Endless(_) => Failure::new(Code::UnexpectedResponse, message).with_hint(
                "This is a fault of the service or of the connector, not of your settings. \
                 Collect again later. If it persists, report it to the publisher of the \
                 connector.",
            ),
            Error::Incomplete { records, .. } => {
                Failure::new(Code::Incomplete, message).with_hint(format!(
                    "Collect again in a few minutes. If it persists, {records} are being changed \
                     while the list is read, or the service leaves some out: ask its support, and \
                     do not use this list as the whole one. A run can accept exactly this \
                     shortfall."
                ))
            }
        }
    }
}

impl From<smp_guard::Bound> for Bound {
    fn from(bound: smp_guard::Bound) -> Self {
        match bound {
            smp_guard::Bound::Text => Self::Text,
            smp_guard::Bound::MemberText => Self::MemberText,
            smp_guard::Bound::Entries => Self::Entries,
            smp_guard::Bound::PageMembers => Self::PageMembers,
            smp_guard::Bound::Pages => Self::Pages,
            smp_guard::Bound::Members => Self::Members,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remedy::Remedy;

    #[test]
    fn a_bound_of_the_guard_has_the_limits_name() {
        for bound in smp_guard::Bound::ALL {
            assert_eq!(Bound::from(bound).name(), bound.name());
        }
    }

    #[test]
    fn what_the_guard_finds_is_a_failure_that_says_what_mends_it() {
        let limits = Limits::default();
        let (endless, broken) =
            (Error::Endless("it goes on".into()), Error::Contract("a member has no id".into()));
        let reached = Error::Limit {
            bound: smp_guard::Bound::Text,
            most: 8192,
            what: "a text is too long".into(),
        };
        let raise = Remedy::RaiseLimit { limit: "text", to: None };
        for (error, said, remedy) in [
            (
                broken,
                "contract: the connector broke its contract: a member has no id",
                Remedy::ReportConnector,
            ),
            (reached, "limit: a text is too long: the limit `text` is 8 KiB", raise),
            (endless, "unexpected-response: it goes on", Remedy::ComeBackOrReport),
            (
                Error::Incomplete { there: 1, told: 2, records: "members" },
                "incomplete: the list ended after 1 of 2 members",
                Remedy::later(),
            ),
        ] {
            let failure = limits.found(error);
            assert_eq!((failure.to_string().as_str(), &*failure.remedy), (said, &remedy));
            assert!(failure.hint.is_some_and(|hint| hint.ends_with('.')), "{said}");
        }
    }
}
