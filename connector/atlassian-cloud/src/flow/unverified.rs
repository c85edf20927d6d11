//! What is said of the domains of an organization: those that are not verified, and what to do.
//!
//! Pure: no request, no state.

use smp_connector_kit::Advice;

use crate::endpoint::domains::{Domain, DomainState};

/// Most domains that a message names: a line or two of a report.
const MOST_NAMED: usize = 5;

/// Where an administrator looks.
pub const DOMAINS_PAGE: &str = "At admin.atlassian.com, open the organization, then Directory, \
                                then Domains (with the improved user management experience: \
                                Settings, then Domains)";

/// The note on a list of managed accounts, if a domain is not verified: the list is right, and
/// somebody may be missing.
pub fn note(domains: &[Domain]) -> Option<Advice> {
    let state = unverified(domains);
    (!state.is_empty()).then(|| Advice {
        message: format!(
            "People with addresses of domains that are not verified are not in the list. {state}"
        ),
        hint: format!(
            "{}. Then claim the accounts of the domain, or choose everyone in the organization in \
             the settings.",
            mend(domains)
        ),
        setting: None,
    })
}

/// What to do about the domains that are not verified; the last sentence is open.
pub fn mend(domains: &[Domain]) -> String {
    let has = |state| domains.iter().any(|domain| domain.state == state);
    let mut hint = DOMAINS_PAGE.to_owned();
    if has(DomainState::MissingToken) {
        hint.push_str(
            ". Where the token is missing, put the DNS TXT record or the file of the HTTPS method \
             back in place: ask the person who runs the domain",
        );
    }
    if has(DomainState::Waiting) {
        hint.push_str(
            ". Verification can take days: look again until a green VERIFIED stands beside the \
             domain",
        );
    }
    hint
}

/// The domains that are not verified, with their state, as sentences.
pub fn unverified(domains: &[Domain]) -> String {
    let waiting = names(domains, DomainState::Waiting);
    let missing = names(domains, DomainState::MissingToken);
    let sentence = |state, names: &[&str]| {
        if names.is_empty() { String::new() } else { format!("{state}: {}.", listed(names)) }
    };
    let first = sentence("Waiting for verification", &waiting);
    let second = sentence("Verification token missing", &missing);
    let between = if first.is_empty() || second.is_empty() { "" } else { " " };
    first + between + &second
}

/// The names of the domains in that state.
pub fn names(domains: &[Domain], state: DomainState) -> Vec<&str> {
    domains
        .iter()
        .filter(|domain| domain.state == state)
        .map(|domain| if domain.name.is_empty() { "a domain without a name" } else { &domain.name })
        .collect()
}

/// The first names, and how many more there are.
pub fn listed(names: &[&str]) -> String {
    let shown: Vec<&str> = names.iter().take(MOST_NAMED).copied().collect();
    let mut list = shown.join(", ");
    if names.len() > MOST_NAMED {
        list.push_str(&format!(" and {} more", names.len() - MOST_NAMED));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_domains_are_named() {
        let many: Vec<Domain> = (0..12)
            .map(|number| domain(&format!("d{number}.test"), DomainState::Waiting))
            .collect();
        let text = unverified(&many);
        assert_eq!(
            text,
            "Waiting for verification: d0.test, d1.test, d2.test, d3.test, d4.test and 7 more."
        );
    }

    #[test]
    fn a_domain_that_is_not_verified_is_noted() {
        let verified = domain("a.test", DomainState::Verified);
        assert_eq!(note(&[]), None);
        assert_eq!(note(std::slice::from_ref(&verified)), None);
        let waiting = domain("b.test", DomainState::Waiting);
        let advice = note(&[verified, waiting]).unwrap();
        assert!(advice.message.ends_with("Waiting for verification: b.test."), "{advice:?}");
        assert!(advice.hint.contains("can take days"), "{advice:?}");
    }

    fn domain(name: &str, state: DomainState) -> Domain {
        Domain { name: name.to_owned(), state }
    }
}
