//! Compares the forms of two builds: whether settings entered for the old one fit the new one.
//! Pure.

use super::kinds::{
    ADDED, ATTACHED, BEGINNINGS, CHOICES_ADDED, CHOICES_REMOVED, DEFAULT, FORM_ORDER, Found,
    HANDED_OVER, NOW_CHOICE, NOW_OPTIONAL, NOW_REQUIRED, NOW_SECRET, OPTIONAL_REMOVED, OTHER_KEY,
    PATTERN, REMOVED, REQUIRED, SECRET_ADDED, became, named,
};
use smp_host::contract::{SecretUse, SettingField};
use smp_host::text::shortened;

/// Most characters of a label in a finding.
const SHOWN: usize = 100;

/// Compares two forms.
pub(super) fn compare(old: &[SettingField], new: &[SettingField], found: &mut Found) {
    for field in new {
        match old.iter().find(|known| known.key == field.key) {
            Some(known) => changed(known, field, found),
            None if field.required => found.add(&REQUIRED, told(field)),
            None if field.secret.is_some() => found.add(&SECRET_ADDED, told(field)),
            None => found.add(&ADDED, told(field)),
        }
    }
    for field in old.iter().filter(|field| !new.iter().any(|known| known.key == field.key)) {
        found.add(if field.required { &REMOVED } else { &OPTIONAL_REMOVED }, told(field));
    }
    let keys = |of: &[SettingField], others: &[SettingField]| {
        let known = of.iter().filter(|field| others.iter().any(|other| other.key == field.key));
        known.map(|field| field.key.clone()).collect::<Vec<_>>()
    };
    if keys(old, new) != keys(new, old) {
        found.add(
            &FORM_ORDER,
            new.iter().map(|field| named(&field.key)).collect::<Vec<_>>().join(", "),
        );
    }
}

fn changed(old: &SettingField, new: &SettingField, found: &mut Found) {
    match (old.required, new.required) {
        (false, true) => found.add(&NOW_REQUIRED, told(new)),
        (true, false) => found.add(&NOW_OPTIONAL, told(new)),
        _ => {}
    }
    match (&old.secret, &new.secret) {
        (None, Some(_)) => found.add(&NOW_SECRET, told(new)),
        (Some(_), None) => found.add(&HANDED_OVER, told(new)),
        (Some(before), Some(now)) => secret(before, now, new, found),
        (None, None) => {}
    }
    choices(old, new, found);
    let shown = |default: &Option<String>| default.as_deref().map_or("nothing".into(), named);
    if old.default != new.default {
        let change = format!("{} became {}", shown(&old.default), shown(&new.default));
        found.add(&DEFAULT, format!("{}: {change}", told(new)));
    }
    match (&old.pattern, &new.pattern) {
        (Some(before), Some(now)) if before != now => {
            found.add(&PATTERN, format!("{}: {}", told(new), became(before, now)))
        }
        (None, Some(now)) => {
            found.add(&PATTERN, format!("{}: any value became {}", told(new), named(now)))
        }
        // Without a pattern there is no warning.
        _ => {}
    }
}

fn choices(old: &SettingField, new: &SettingField, found: &mut Found) {
    let missing_in = |of: &SettingField, others: &SettingField| {
        let known = |value: &str| of.choices.iter().any(|choice| choice.value == value);
        let values = others.choices.iter().map(|choice| choice.value.clone());
        values.filter(|value| !known(value)).collect::<Vec<_>>()
    };
    match (old.choices.is_empty(), new.choices.is_empty()) {
        (true, false) => found.add(&NOW_CHOICE, told(new)),
        (false, true) => found.add(&CHOICES_ADDED, format!("{}: any text", told(new))),
        _ => {
            let detail = |value: &String| format!("{}: {}", told(new), named(value));
            found.extend(&CHOICES_REMOVED, missing_in(new, old).iter().map(detail));
            found.extend(&CHOICES_ADDED, missing_in(old, new).iter().map(detail));
        }
    }
}

fn secret(old: &SecretUse, new: &SecretUse, field: &SettingField, found: &mut Found) {
    if old.attachment != new.attachment {
        found.add(&ATTACHED, told(field));
    }
    for before in &old.prefixes {
        let began = format!(
            "{}: {}, {}",
            told(field),
            named(&before.prefix),
            shortened(&before.meaning, SHOWN)
        );
        match new.prefixes.iter().find(|now| now.prefix == before.prefix) {
            Some(now) if before.expected && !now.expected => {
                found.add(&OTHER_KEY, format!("{began}, is no longer the kind that it asks for"))
            }
            Some(now) if !before.expected && now.expected => {
                found.add(&BEGINNINGS, format!("{began}, is now a kind that it asks for"))
            }
            None => found.add(&BEGINNINGS, format!("{began}, is no longer known")),
            Some(_) => {}
        }
    }
    for now in new
        .prefixes
        .iter()
        .filter(|now| !old.prefixes.iter().any(|before| before.prefix == now.prefix))
    {
        found.add(
            &BEGINNINGS,
            format!(
                "{}: {}, {}, is new",
                told(field),
                named(&now.prefix),
                shortened(&now.meaning, SHOWN)
            ),
        );
    }
}

fn told(field: &SettingField) -> String {
    format!("{} ({})", shortened(&field.label, SHOWN), named(&field.key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::testing;
    use smp_host::contract::Descriptor;

    fn said(change: impl Fn(&mut Descriptor)) -> Vec<String> {
        testing::said(|old, new, found| compare(&old.settings, &new.settings, found), change)
    }

    /// The same, from a changed form back to the usual one.
    fn said_back(change: impl Fn(&mut Descriptor)) -> Vec<String> {
        testing::said(|old, new, found| compare(&new.settings, &old.settings, found), change)
    }

    fn another(required: bool, is_secret: bool) -> impl Fn(&mut Descriptor) {
        move |new: &mut Descriptor| {
            let like = usize::from(is_secret);
            new.settings.push(SettingField {
                key: "region".into(),
                label: "Region".into(),
                required,
                ..new.settings[like].clone()
            });
        }
    }

    #[test]
    fn settings_that_come_or_go_are_told_by_what_they_mean_for_stored_ones() {
        assert_eq!(said(|_| {}), [""; 0]);
        assert_eq!(said(another(true, false)), ["blocking setting-required: Region (`region`)"]);
        assert_eq!(said(another(true, true)), ["blocking setting-required: Region (`region`)"]);
        assert_eq!(said(another(false, false)), ["harmless setting-added: Region (`region`)"]);
        assert_eq!(said(another(false, true)), ["look secret-added: Region (`region`)"]);
        assert_eq!(
            said_back(another(true, false)),
            ["blocking setting-removed: Region (`region`)"]
        );
        assert_eq!(
            said_back(another(false, true)),
            ["blocking optional-setting-removed: Region (`region`)"]
        );
        assert_eq!(
            said(|new| new.settings[0].key = "org".into()),
            [
                "blocking setting-required: ORGANIZATION-ID (`org`)",
                "blocking setting-removed: ORGANIZATION-ID (`organization-id`)"
            ]
        );
    }

    #[test]
    fn a_setting_that_becomes_required_secret_or_open_is_blocking() {
        assert_eq!(
            said_back(|old| old.settings[0].required = false),
            ["blocking setting-now-required: ORGANIZATION-ID (`organization-id`)"]
        );
        assert_eq!(
            said(|new| new.settings[0].required = false),
            ["harmless setting-now-optional: ORGANIZATION-ID (`organization-id`)"]
        );
        let secret = |new: &mut Descriptor| new.settings[0].secret = new.settings[1].secret.clone();
        assert_eq!(
            said(secret),
            ["blocking setting-now-secret: ORGANIZATION-ID (`organization-id`)"]
        );
        assert_eq!(
            said(|new| new.settings[1].secret = None),
            ["blocking secret-handed-over: API-KEY (`api-key`)"]
        );
    }

    #[test]
    fn a_choice_that_is_gone_is_blocking_and_a_new_one_harmless() {
        use smp_host::contract::Choice;
        let choice = |value: &str| Choice { value: value.into(), label: value.to_uppercase() };
        let between = |before: &[&str], now: &[&str]| {
            let (mut old, mut new) =
                (crate::check::testing::complete(), crate::check::testing::complete());
            old.settings[0].choices = before.iter().map(|value| choice(value)).collect();
            new.settings[0].choices = now.iter().map(|value| choice(value)).collect();
            let mut found = Found::default();
            compare(&old.settings, &new.settings, &mut found);
            testing::lines(found)
        };
        let field = "ORGANIZATION-ID (`organization-id`)";
        assert_eq!(
            between(&["a", "b"], &["a", "c"]),
            [
                format!("blocking choices-removed: {field}: `b`"),
                format!("harmless choices-added: {field}: `c`")
            ]
        );
        assert_eq!(between(&[], &["a"]), [format!("blocking setting-now-a-choice: {field}")]);
        assert_eq!(between(&["a"], &[]), [format!("harmless choices-added: {field}: any text")]);
        assert_eq!(
            said(|new| new.settings[0].default = Some("x".into())),
            [format!("look setting-default: {field}: nothing became `x`")]
        );
    }

    #[test]
    fn another_pattern_only_warns() {
        assert_eq!(
            said(|new| new.settings[0].pattern = Some("[0-9]+".into())),
            ["look setting-pattern: ORGANIZATION-ID (`organization-id`): `[a-z]+-[0-9]` became \
              `[0-9]+`"]
        );
        assert_eq!(said(|new| new.settings[0].pattern = None), [""; 0]);
        assert_eq!(
            said_back(|old| old.settings[0].pattern = None),
            ["look setting-pattern: ORGANIZATION-ID (`organization-id`): any value became \
              `[a-z]+-[0-9]`"]
        );
    }

    #[test]
    fn another_kind_of_key_is_told_by_its_beginning() {
        let prefixes = |change: fn(&mut SecretUse)| {
            said(|new| new.settings[1].secret.as_mut().map(change).unwrap())
        };
        assert_eq!(
            prefixes(|secret| secret.prefixes[0].expected = false),
            ["blocking other-key: API-KEY (`api-key`): `KEY`, an organization key, is no longer \
              the kind that it asks for"]
        );
        assert_eq!(
            prefixes(|secret| secret.prefixes[1].expected = true),
            ["look key-beginnings: API-KEY (`api-key`): `TOK`, a user token, is now a kind that \
              it asks for"]
        );
        assert_eq!(
            prefixes(|secret| secret.prefixes[0].prefix = "NEW".into()),
            [
                "look key-beginnings: API-KEY (`api-key`): `KEY`, an organization key, is no \
                 longer known",
                "look key-beginnings: API-KEY (`api-key`): `NEW`, an organization key, is new"
            ]
        );
    }

    #[test]
    fn the_order_of_the_form_is_no_news_for_what_is_stored() {
        assert_eq!(
            said(|new| new.settings.reverse()),
            ["harmless form-order: `api-key`, `organization-id`"]
        );
        assert_eq!(
            said(|new| new.settings.insert(
                0,
                SettingField { key: "a".into(), required: false, ..new.settings[0].clone() }
            ))
            .len(),
            1
        );
    }
}
