//! Tests of the report that findings make.

use super::*;

#[test]
fn what_was_not_looked_at_is_skipped() {
    let report = malformed(Failure::new(FailureKind::InvalidSettings, "m", "h"));
    assert!(matches!(report.checks[0].outcome, Outcome::Failed(_)));
    assert!(report.checks[1..].iter().all(|check| matches!(check.outcome, Outcome::Skipped(_))));
    let ids: Vec<&str> = report.checks.iter().map(|check| check.id.as_str()).collect();
    assert_eq!(ids, ["settings", "organization", "domains", "members"]);
}

#[test]
fn no_members_is_told_apart_by_the_domains() {
    let rows = [
        (
            vec![],
            "because no domain is verified.",
            "verify a domain by a DNS TXT record or by HTTPS",
        ),
        (
            vec![domain("a.test", DomainState::Waiting)],
            "Waiting for verification: a.test.",
            "can take days",
        ),
        (
            vec![domain("b.test", DomainState::MissingToken)],
            "Verification token missing: b.test.",
            "DNS TXT record or the file",
        ),
        (
            vec![domain("a.test", DomainState::Waiting), domain("c.test", DomainState::Verified)],
            "c.test is verified, but no account was claimed.",
            "claim the accounts of the verified domain: at least one",
        ),
    ];
    for (domains, message, hint) in rows {
        let failure = no_managed_account(Some(&Ok(domains)));
        assert_eq!(failure.kind, FailureKind::NoMembers);
        assert!(failure.message.contains(message), "{}", failure.message);
        assert!(failure.hint.contains(hint), "{}", failure.hint);
        assert!(
            failure.hint.contains("Directory, then Domains")
                && failure.hint.contains("Settings, then Domains")
        );
    }
}

#[test]
fn no_members_says_what_could_not_be_looked_up() {
    let refused =
        Failure::new(FailureKind::Permission, "It lacks a scope.", "Make a new key.").at(API_KEY);
    let failure = no_managed_account(Some(&Err(refused)));
    assert_eq!((failure.kind, failure.setting.as_deref()), (FailureKind::NoMembers, Some(API_KEY)));
    assert!(
        failure.message.ends_with("the domains could not be looked up. It lacks a scope."),
        "{}",
        failure.message
    );
    assert!(failure.hint.ends_with("Make a new key."), "{}", failure.hint);
}

#[test]
fn the_state_of_the_domains_is_a_pass_or_a_warning() {
    let verified = domain("a.test", DomainState::Verified);
    let waiting = domain("b.test", DomainState::Waiting);
    let missing = domain("c.test", DomainState::MissingToken);
    let rows = [
        (vec![verified.clone()], "passed Verified: a.test."),
        (
            vec![verified.clone(), waiting.clone()],
            "passed Verified: a.test. Waiting for verification: b.test.",
        ),
        (vec![verified, missing], "warning Verified: a.test. Verification token missing: c.test."),
        (vec![waiting], "warning Waiting for verification: b.test."),
        (vec![], "warning The organization has no domain."),
    ];
    for (domains, expected) in rows {
        assert_eq!(shown(domains_outcome(Ok(domains), None)), expected);
    }
    let verified = domain("a.test", DomainState::Verified);
    let waiting = domain("b.test", DomainState::Waiting);
    for (domains, expected) in [
        (vec![verified, waiting.clone()], "Verified: a.test. Waiting for verification: b.test. "),
        (vec![waiting], "Waiting for verification: b.test. "),
        (vec![], ""),
    ] {
        let refused = Failure::new(FailureKind::Permission, "It is refused.", "h");
        let expected =
            format!("warning {expected}Further domains could not be looked up. It is refused.");
        assert_eq!(shown(domains_outcome(Ok(domains), Some(refused))), expected);
    }
}

#[test]
fn a_token_that_is_missing_beside_a_verified_domain_calls_for_no_claim() {
    let domains =
        vec![domain("a.test", DomainState::Verified), domain("b.test", DomainState::MissingToken)];
    let Outcome::Warning(advice) = domains_outcome(Ok(domains), None) else { panic!("no warning") };
    assert!(
        advice.hint.contains("DNS TXT record") && !advice.hint.contains("claim"),
        "{}",
        advice.hint
    );
}

#[test]
fn members_are_counted_as_far_as_they_are_known() {
    let rows = [
        (1, false, Some(1), "There is 1 managed account"),
        (50, true, Some(1_234), "There are 1,234 managed accounts"),
        (50, true, None, "There are more than 50 managed accounts"),
        (50, false, Some(3), "There are 50 managed accounts"),
        (1, false, None, "There is 1 managed account"),
    ];
    for (seen, has_more, total, text) in rows {
        assert_eq!(counted(People::Managed, seen, has_more, total), text);
    }
}

#[test]
fn members_without_a_person_are_a_warning() {
    for (has_more, among) in [(false, "them"), (true, "the first of them")] {
        let found = MembersFound { seen: 2, has_person: false, has_more, total: Some(9) };
        let outcome = members_outcome(People::Managed, found, None).unwrap();
        let expected = format!(
            "warning There are 9 managed accounts and no person is among {among}, only apps, \
             service accounts and customers."
        );
        assert_eq!(shown(outcome), expected);
    }
}

#[test]
fn everyone_is_counted_without_a_word_on_managing() {
    for (seen, has_more, total, text) in [
        (1, false, Some(1), "There is 1 account"),
        (100, true, None, "There are more than 100 accounts"),
        (1, true, None, "There are more than 1 accounts"),
    ] {
        assert_eq!(counted(People::Everyone, seen, has_more, total), text);
    }
}

fn domain(name: &str, state: DomainState) -> Domain {
    Domain { name: name.to_owned(), state }
}

fn shown(outcome: Outcome) -> String {
    match outcome {
        Outcome::Passed(text) => format!("passed {text}"),
        Outcome::Warning(advice) => format!("warning {}", advice.message),
        other => panic!("{other:?}"),
    }
}
