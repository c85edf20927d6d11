//! A descriptor that keeps every rule, for tests that break one.

use super::rules::Outcomes;
use smp_host::contract::{DataField, DataSet, Descriptor, GuideSection, HttpMethod, Question};
use smp_host::testing;

/// A descriptor that keeps every rule.
pub(crate) fn complete() -> Descriptor {
    let mut descriptor =
        testing::descriptor(&[(HttpMethod::Get, "/v1/orgs/{organization-id}/users", true)]);
    (descriptor.summary, descriptor.pricing) =
        ("Notes for teams.".into(), "Depends on the number of people.".into());
    let field = |name: &str| DataField { name: name.into(), description: format!("The {name}.") };
    descriptor.data_collected = vec![DataSet {
        name: "Members".into(),
        fields: ["E-mail", "name", "role", "last seen"].map(field).into(),
    }];
    descriptor.permissions_required = vec!["Be an **admin**.".into()];
    for (setting, placeholder, pattern) in [(0, "acme-1", "[a-z]+-[0-9]"), (1, "KEY…", "KEY.+")] {
        let setting = &mut descriptor.settings[setting];
        (setting.help, setting.placeholder, setting.pattern) =
            ("On the page.".into(), placeholder.into(), Some(pattern.into()));
    }
    descriptor.api.endpoints[0].scope = Some("read:users".into());
    descriptor.setup_guide = vec![GuideSection {
        title: "Get a key".into(),
        introduction: String::new(),
        steps: vec!["Open https://example.test.".into()],
    }];
    descriptor.faq = vec![Question {
        question: "Why?".into(),
        answer: "Because of [this](https://example.test/why).".into(),
    }];
    descriptor
}

/// The findings about a descriptor with this change, each after the id of its rule.
pub(crate) fn said(
    descriptor: &Descriptor,
    change: impl FnOnce(&mut Descriptor),
    judge: impl FnOnce(&Descriptor, &mut Outcomes),
) -> Vec<String> {
    let mut changed = descriptor.clone();
    change(&mut changed);
    let mut outcomes = Outcomes::default();
    judge(&changed, &mut outcomes);
    let rules = outcomes.complete("not looked at", None).into_iter();
    rules
        .flat_map(|rule| {
            rule.findings.into_iter().map(move |finding| format!("{}: {finding}", rule.id))
        })
        .collect()
}
