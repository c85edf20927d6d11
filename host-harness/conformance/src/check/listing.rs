//! Checks that a descriptor has everything that the listing, the form and the setup guide show.
//! Pure.

use super::rules::{COMPLETE, Findings, HELPFUL, Outcomes, SCOPED};
use crate::check::verdict::Rule;
use smp_host::contract::{DataSet, Descriptor};
use smp_host::text::counted;

/// The data set that every connector collects, and its fields, in any spelling.
const MEMBERS: &str = "members";
const MEMBER_FIELDS: [&str; 4] = ["email", "name", "role", "last seen"];

/// Judges what the descriptor has and what it lacks.
pub(super) fn judge(descriptor: &Descriptor, outcomes: &mut Outcomes) {
    let mut missing = Findings::of(&COMPLETE);
    texts(descriptor, &mut missing);
    if semver::Version::parse(&descriptor.version).is_err() {
        missing.add(format!("`version` is not a semantic version: `{}`", descriptor.version));
    }
    collected(&descriptor.data_collected, &mut missing);
    lists(descriptor, &mut missing);
    outcomes.add(missing.judged(format!(
        "{}, {}, {}.",
        counted(descriptor.settings.len(), "setting"),
        counted(descriptor.api.endpoints.len(), "endpoint"),
        counted(descriptor.setup_guide.len(), "guide section")
    )));
    let mut unanswered = Findings::of(&HELPFUL);
    if descriptor.faq.is_empty() {
        unanswered.add("`faq` is empty");
    }
    outcomes.add(unanswered.judged(format!("{}.", counted(descriptor.faq.len(), "answer"))));
    outcomes.add(scoped(descriptor));
}

fn texts(descriptor: &Descriptor, missing: &mut Findings) {
    let empty = |text: &str| text.trim().is_empty();
    for (name, text) in [
        ("name", &descriptor.name),
        ("vendor", &descriptor.vendor),
        ("summary", &descriptor.summary),
        ("pricing", &descriptor.pricing),
        ("status", &descriptor.status),
        ("integration-type", &descriptor.integration_type),
        ("version", &descriptor.version),
    ] {
        if empty(text) {
            missing.add(format!("`{name}` is empty"));
        }
    }
    for field in &descriptor.settings {
        for (name, text) in
            [("label", &field.label), ("help", &field.help), ("placeholder", &field.placeholder)]
        {
            // What can be chosen needs no example.
            let is_shown = name != "placeholder" || field.choices.is_empty();
            if is_shown && empty(text) {
                missing.add(format!("the setting `{}` has no {name}", field.key));
            }
        }
    }
    for endpoint in descriptor.api.endpoints.iter().filter(|endpoint| empty(&endpoint.purpose)) {
        missing.add(format!("the endpoint `{}` does not say what it is called for", endpoint.path));
    }
    for section in &descriptor.setup_guide {
        if empty(&section.title) {
            missing.add("a section of the setup guide has no title");
        }
        if section.steps.iter().any(|step| empty(step)) {
            missing.add(format!("a step of the section `{}` is empty", section.title));
        }
    }
    for question in descriptor
        .faq
        .iter()
        .filter(|question| empty(&question.question) || empty(&question.answer))
    {
        missing.add(format!(
            "a question or its answer is empty: `{}{}`",
            question.question, question.answer
        ));
    }
    if descriptor.permissions_required.iter().any(|permission| empty(permission)) {
        missing.add("a permission is empty");
    }
}

fn collected(sets: &[DataSet], missing: &mut Findings) {
    let Some(members) = sets.iter().find(|set| spelled(&set.name) == MEMBERS) else {
        missing.add(format!("`data-collected` has no set `{MEMBERS}`"));
        return;
    };
    for wanted in MEMBER_FIELDS {
        match members.fields.iter().find(|field| spelled(&field.name) == spelled(wanted)) {
            None => missing.add(format!("the set `{MEMBERS}` has no field `{wanted}`")),
            Some(field) if field.description.trim().is_empty() => {
                missing.add(format!(
                    "the field `{wanted}` of the set `{MEMBERS}` does not say what it holds"
                ));
            }
            Some(_) => {}
        }
    }
}

fn lists(descriptor: &Descriptor, missing: &mut Findings) {
    if descriptor.permissions_required.is_empty() {
        missing.add("`permissions-required` is empty: users cannot tell whether they may connect");
    }
    if descriptor.settings.iter().all(|field| field.secret.is_none()) {
        missing.add("no setting is a secret: nothing is attached to requests");
    }
    match descriptor.setup_guide.as_slice() {
        [] => missing.add("`setup-guide` is empty"),
        sections if sections.iter().all(|section| section.steps.is_empty()) => {
            missing.add("the setup guide has no step")
        }
        _ => {}
    }
}

/// A descriptor in which no endpoint names a scope says that the vendor's keys have none.
fn scoped(descriptor: &Descriptor) -> Rule {
    let mut findings = Findings::of(&SCOPED);
    let endpoints = &descriptor.api.endpoints;
    let has_scopes = endpoints.iter().any(|endpoint| endpoint.scope.is_some());
    for endpoint in endpoints.iter().filter(|endpoint| has_scopes && endpoint.scope.is_none()) {
        findings.add(format!(
            "the endpoint `{}` names no scope that a key must have, and others do",
            endpoint.path
        ));
    }
    findings.judged(if has_scopes { "Each." } else { "None, as where keys have no scopes." })
}

/// A name in normalized spelling, for comparison: `E-mail` is `email`.
fn spelled(name: &str) -> String {
    name.chars().filter(|sign| sign.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::{complete, said};

    #[test]
    fn a_vendor_whose_keys_have_no_scopes_keeps_the_rules() {
        let mut outcomes = Outcomes::default();
        let mut descriptor = complete();
        descriptor.api.endpoints[0].scope = None;
        judge(&descriptor, &mut outcomes);
        let rules = outcomes.complete("not looked at", None);
        let scoped = rules.iter().find(|rule| rule.id == SCOPED.id).unwrap();
        assert_eq!(scoped.outcome, smp_host::validation::CheckOutcome::Passed);
        assert!(!scoped.is_note());
        assert_eq!(scoped.message, "None, as where keys have no scopes.");
    }

    fn all_of(change: impl FnOnce(&mut Descriptor)) -> Vec<String> {
        said(&complete(), change, judge)
    }

    #[test]
    fn a_descriptor_with_everything_keeps_the_rules() {
        assert_eq!(all_of(|_| {}), [""; 0]);
    }

    #[test]
    fn what_is_missing_is_named() {
        type Change = fn(&mut Descriptor);
        let rows: [(Change, &str); 16] = [
            (|d| d.vendor.clear(), "listing-complete: `vendor` is empty"),
            (|d| d.summary = " ".into(), "listing-complete: `summary` is empty"),
            (|d| d.pricing.clear(), "listing-complete: `pricing` is empty"),
            (|d| d.status.clear(), "listing-complete: `status` is empty"),
            (|d| d.integration_type.clear(), "listing-complete: `integration-type` is empty"),
            (
                |d| d.version = "1.2".into(),
                "listing-complete: `version` is not a semantic version: `1.2`",
            ),
            (
                |d| d.data_collected.clear(),
                "listing-complete: `data-collected` has no set `members`",
            ),
            (
                |d| d.data_collected[0].fields.truncate(3),
                "listing-complete: the set `members` has no field `last seen`",
            ),
            (
                |d| d.data_collected[0].fields[0].description.clear(),
                "listing-complete: the field `email` of the set `members` does not say what it \
                 holds",
            ),
            (
                |d| d.permissions_required.clear(),
                "listing-complete: `permissions-required` is empty: users cannot tell whether they \
                 may connect",
            ),
            (|d| d.setup_guide.clear(), "listing-complete: `setup-guide` is empty"),
            (|d| d.setup_guide[0].steps.clear(), "listing-complete: the setup guide has no step"),
            (
                |d| d.settings[0].help.clear(),
                "listing-complete: the setting `organization-id` has no help",
            ),
            (
                |d| d.settings[0].label.clear(),
                "listing-complete: the setting `organization-id` has no label",
            ),
            (|d| d.faq.clear(), "listing-helpful: `faq` is empty"),
            (
                |d| {
                    let mut other = d.api.endpoints[0].clone();
                    (other.path, other.scope) = ("/v1/orgs".into(), None);
                    d.api.endpoints.push(other);
                },
                "scopes-named: the endpoint `/v1/orgs` names no scope that a key must have, and \
                 others do",
            ),
        ];
        for (change, finding) in rows {
            assert_eq!(all_of(change), [finding]);
        }
    }
}
