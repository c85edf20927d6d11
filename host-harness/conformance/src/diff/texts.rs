//! Compares the texts of two builds that only people read. It reports which texts differ, not their
//! content: `inspect` and `guide` show that. Pure.

use super::authority::shown;
use super::kinds::{ATTRIBUTES, CHANGED_TEXTS, Found, named};
use smp_host::contract::{Descriptor, GuideSection, Question, SettingField};
use smp_host::text::counted;

/// Compares the texts that only people read.
pub(super) fn compare(old: &Descriptor, new: &Descriptor, found: &mut Found) {
    let plain =
        [("the summary", old.summary != new.summary), ("the pricing", old.pricing != new.pricing)];
    found.extend(
        &CHANGED_TEXTS,
        plain.into_iter().filter(|(_, is_other)| *is_other).map(|(what, _)| what),
    );
    for set in &new.data_collected {
        let known = old
            .data_collected
            .iter()
            .find(|known| known.name == set.name)
            .map(|known| known.fields.as_slice())
            .unwrap_or_default();
        let others = set.fields.iter().filter(|field| {
            known
                .iter()
                .any(|known| known.name == field.name && known.description != field.description)
        });
        found.extend(
            &CHANGED_TEXTS,
            others.map(|field| format!("the description of {}", named(&field.name))),
        );
    }
    for endpoint in &new.api.endpoints {
        let known = old
            .api
            .endpoints
            .iter()
            .find(|known| known.method == endpoint.method && known.path == endpoint.path);
        if known.is_some_and(|known| known.purpose != endpoint.purpose) {
            found.add(&CHANGED_TEXTS, format!("the purpose of `{}`", shown(endpoint)));
        }
    }
    for field in &new.settings {
        if let Some(known) = old.settings.iter().find(|known| known.key == field.key) {
            of_setting(known, field, found);
        }
    }
    guide(&old.setup_guide, &new.setup_guide, found);
    questions(&old.faq, &new.faq, found);
    if old.attributes != new.attributes {
        found.add(&ATTRIBUTES, "of the connector");
    }
}

fn of_setting(old: &SettingField, new: &SettingField, found: &mut Found) {
    let hints = |field: &SettingField| {
        let prefixes = field.secret.iter().flat_map(|secret| &secret.prefixes);
        prefixes
            .map(|known| (known.prefix.clone(), known.meaning.clone(), known.hint.clone()))
            .collect::<Vec<_>>()
    };
    let shared = |of: &SettingField, other: &SettingField| {
        let known = hints(other);
        hints(of)
            .into_iter()
            .filter(|(prefix, ..)| known.iter().any(|(known, ..)| known == prefix))
            .collect::<Vec<_>>()
    };
    let texts = [
        ("label", old.label != new.label),
        ("help", old.help != new.help),
        ("placeholder", old.placeholder != new.placeholder),
        ("hints about keys", shared(old, new) != shared(new, old)),
    ];
    let others: Vec<_> =
        texts.into_iter().filter(|(_, is_other)| *is_other).map(|(what, _)| what).collect();
    if !others.is_empty() {
        found.add(
            &CHANGED_TEXTS,
            format!("{} of the setting {}", others.join(", "), named(&new.key)),
        );
    }
    if old.attributes != new.attributes {
        found.add(&ATTRIBUTES, format!("of the setting {}", named(&new.key)));
    }
}

fn guide(old: &[GuideSection], new: &[GuideSection], found: &mut Found) {
    let section = |title: &str| format!("the setup guide, {}", named(title));
    for now in new {
        let Some(before) = old.iter().find(|before| before.title == now.title) else {
            found.add(
                &CHANGED_TEXTS,
                format!("{}: new, with {}", section(&now.title), counted(now.steps.len(), "step")),
            );
            continue;
        };
        let missing_in = |steps: &[String], others: &[String]| {
            others.iter().filter(|step| !steps.contains(step)).count()
        };
        let (added, removed) =
            (missing_in(&before.steps, &now.steps), missing_in(&now.steps, &before.steps));
        let mut what = Vec::new();
        if before.introduction != now.introduction {
            what.push("another introduction".to_owned());
        }
        if added > 0 {
            what.push(format!("{} new or reworded", counted(added, "step")));
        }
        if removed > 0 {
            what.push(format!("{} of the old one removed", counted(removed, "step")));
        }
        if what.is_empty() && before.steps != now.steps {
            what.push("steps in another order".to_owned());
        }
        if !what.is_empty() {
            found.add(&CHANGED_TEXTS, format!("{}: {}", section(&now.title), what.join(", ")));
        }
    }
    let gone = old.iter().filter(|before| !new.iter().any(|now| now.title == before.title));
    found.extend(&CHANGED_TEXTS, gone.map(|before| format!("{}: gone", section(&before.title))));
}

fn questions(old: &[Question], new: &[Question], found: &mut Found) {
    let told = |question: &str, what: &str| format!("the question {}: {what}", named(question));
    for now in new {
        match old.iter().find(|before| before.question == now.question) {
            None => found.add(&CHANGED_TEXTS, told(&now.question, "new")),
            Some(before) if before.answer != now.answer => {
                found.add(&CHANGED_TEXTS, told(&now.question, "another answer"))
            }
            Some(_) => {}
        }
    }
    let gone = old.iter().filter(|before| !new.iter().any(|now| now.question == before.question));
    found.extend(&CHANGED_TEXTS, gone.map(|before| told(&before.question, "gone")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::testing;

    fn said(change: impl Fn(&mut Descriptor)) -> Vec<String> {
        let lines = testing::said(compare, change);
        lines
            .into_iter()
            .map(|line| {
                line.strip_prefix("harmless texts-changed: ").map(str::to_owned).unwrap_or(line)
            })
            .collect()
    }

    #[test]
    fn every_text_that_changed_is_named_and_none_is_repeated() {
        assert_eq!(said(|_| {}), [""; 0]);
        assert_eq!(said(|new| new.summary = "x".into()), ["the summary"]);
        assert_eq!(said(|new| new.pricing = "x".into()), ["the pricing"]);
        assert_eq!(
            said(|new| new.data_collected[0].fields[1].description = "x".into()),
            ["the description of `name`"]
        );
        assert_eq!(
            said(|new| new.api.endpoints[0].purpose = "x".into()),
            ["the purpose of `GET /v1/orgs/{organization-id}/users`"]
        );
        assert_eq!(
            said(|new| (new.settings[0].label, new.settings[0].help) = ("x".into(), "y".into())),
            ["label, help of the setting `organization-id`"]
        );
        assert_eq!(
            said(|new| new.settings[1].placeholder = "x".into()),
            ["placeholder of the setting `api-key`"]
        );
        assert_eq!(
            said(|new| new.settings[1].secret.as_mut().unwrap().prefixes[0].hint = "x".into()),
            ["hints about keys of the setting `api-key`"]
        );
        assert_eq!(
            said(|new| new.settings[1].secret.as_mut().unwrap().prefixes.truncate(1)),
            [""; 0],
            "that is told of the form"
        );
    }

    #[test]
    fn the_guide_is_told_by_section_and_questions_one_by_one() {
        assert_eq!(
            said(|new| new.setup_guide[0].steps.push("Close it.".into())),
            ["the setup guide, `Get a key`: 1 step new or reworded"]
        );
        assert_eq!(
            said(|new| (new.setup_guide[0].introduction, new.setup_guide[0].steps) =
                ("x".into(), vec![])),
            ["the setup guide, `Get a key`: another introduction, 1 step of the old one removed"]
        );
        assert_eq!(
            said(|new| new.setup_guide[0].title = "Make a key".into()),
            [
                "the setup guide, `Make a key`: new, with 1 step",
                "the setup guide, `Get a key`: gone"
            ]
        );
        assert_eq!(
            said(|new| new.faq[0].answer = "x".into()),
            ["the question `Why?`: another answer"]
        );
        assert_eq!(
            said(|new| new.faq[0].question = "How?".into()),
            ["the question `How?`: new", "the question `Why?`: gone"]
        );
    }

    #[test]
    fn attributes_mean_nothing_to_this_host() {
        assert_eq!(
            said(|new| new.attributes.push(("a".into(), "b".into()))),
            ["harmless attributes: of the connector"]
        );
        assert_eq!(
            said(|new| new.settings[0].attributes.push(("a".into(), "b".into()))),
            ["harmless attributes: of the setting `organization-id`"]
        );
    }
}
