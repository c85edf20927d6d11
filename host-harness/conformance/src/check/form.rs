//! Checks that the parts of the settings form agree. Pure.

use std::collections::BTreeSet;

use super::rules::{FORM, Findings, Outcomes};
use smp_host::contract::{Descriptor, SecretUse, SettingField};
use smp_host::http::base::{Base, bases, placeholder};
use smp_host::settings::pattern;

/// Characters after a prefix from which on a placeholder could be a working key.
const USABLE: usize = 8;

/// Judges the form.
pub(super) fn judge(descriptor: &Descriptor, outcomes: &mut Outcomes) {
    let mut findings = Findings::of(&FORM);
    let mut labels = BTreeSet::new();
    for field in &descriptor.settings {
        if !labels.insert(field.label.trim().to_lowercase()) {
            findings.add(format!("two settings have the label `{}`", field.label));
        }
        shape(field, &mut findings);
        if let Some(secret) = &field.secret {
            secrets(field, secret, &mut findings);
        }
    }
    paths(descriptor, &mut findings);
    origins(descriptor, &mut findings);
    outcomes.add(findings.judged("Patterns, placeholders, prefixes and paths agree."));
}

/// Checks the pattern and the placeholder. A secret's placeholder may be shortened with an
/// ellipsis, because a whole one would look like a key.
fn shape(field: &SettingField, findings: &mut Findings) {
    let Some(text) = field.pattern.as_deref() else { return };
    let Some(pattern) = pattern(text) else {
        findings.add(format!(
            "the pattern of `{}` is not a regular expression that the host accepts",
            field.key
        ));
        return;
    };
    let example = field.placeholder.trim();
    let is_cut = field.secret.is_some() && (example.ends_with('…') || example.ends_with("..."));
    if !example.is_empty() && !is_cut && !pattern.is_match(example) {
        findings.add(format!("the placeholder of `{}` does not match its own pattern", field.key));
    }
}

/// Checks the prefixes. The secrets of some vendors have none: then the pattern tells one.
fn secrets(field: &SettingField, secret: &SecretUse, findings: &mut Findings) {
    let key = &field.key;
    if secret.prefixes.is_empty() {
        if field.pattern.is_none() {
            findings.add(format!(
                "the secret `{key}` has neither a prefix nor a pattern: another key in its place \
                 is not noticed"
            ));
        }
    } else if !secret.prefixes.iter().any(|known| known.expected) {
        findings.add(format!(
            "the secret `{key}` has no prefix that is expected: a key in a wrong field is not \
             noticed"
        ));
    }
    let mut seen = BTreeSet::new();
    for known in &secret.prefixes {
        if !seen.insert(known.prefix.as_str()) {
            findings.add(format!("the secret `{key}` has the prefix `{}` twice", known.prefix));
        }
        if known.hint.trim().is_empty() || known.meaning.trim().is_empty() {
            findings
                .add(format!("the prefix `{}` of `{key}` has no meaning or no hint", known.prefix));
        }
    }
    let usable = |rest: &str| {
        rest.chars()
            .take_while(|sign| sign.is_ascii_alphanumeric() || "+/=_.-".contains(*sign))
            .count()
            >= USABLE
            && !is_blank(rest)
    };
    let looks_like_a_key = secret.prefixes.iter().filter(|known| known.expected).any(|known| {
        let rest = field.placeholder.trim().strip_prefix(known.prefix.as_str());
        rest.is_some_and(usable)
    });
    if looks_like_a_key {
        findings.add(format!("the placeholder of the secret `{key}` looks like a key that works"));
    }
}

/// Whether the text repeats a single character, as in `xxxx-xxxx`.
fn is_blank(text: &str) -> bool {
    let signs: BTreeSet<char> = text.chars().filter(char::is_ascii_alphanumeric).collect();
    signs.len() <= 1
}

fn paths(descriptor: &Descriptor, findings: &mut Findings) {
    for endpoint in &descriptor.api.endpoints {
        for key in endpoint.path.split('/').filter_map(placeholder) {
            let named = descriptor.settings.iter().find(|field| field.key == key);
            if named.is_none_or(|field| !field.required) {
                findings.add(format!(
                    "the path `{}` names the setting `{key}`, which is not required",
                    endpoint.path
                ));
            }
        }
    }
}

/// An origin can be bound only if its setting always has a value.
fn origins(descriptor: &Descriptor, findings: &mut Findings) {
    for base in bases(&descriptor.api) {
        let Ok(Base::Below { setting, .. }) = Base::parse(base) else { continue };
        let named = descriptor.settings.iter().find(|field| field.key == setting);
        if named.is_none_or(|field| !field.required && field.default.is_none()) {
            findings.add(format!(
                "the origin `{base}` names the setting `{setting}`, which is not required"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::{complete, said};

    #[test]
    fn what_does_not_fit_is_named() {
        fn secret(descriptor: &mut Descriptor) -> &mut SecretUse {
            descriptor.settings[1].secret.as_mut().unwrap()
        }
        type Change = fn(&mut Descriptor);
        let rows: [(Change, &[&str]); 16] = [
            (|_| {}, &[]),
            (
                |d| d.settings[0].pattern = Some("[".into()),
                &["the pattern of `organization-id` is not a regular expression that the host \
                   accepts"],
            ),
            (
                |d| d.settings[0].pattern = Some("[0-9]".into()),
                &["the placeholder of `organization-id` does not match its own pattern"],
            ),
            (
                |d| d.settings[1].label = d.settings[0].label.to_lowercase(),
                &["two settings have the label `organization-id`"],
            ),
            (
                |d| d.settings[0].required = false,
                &["the path `/v1/orgs/{organization-id}/users` names the setting \
                   `organization-id`, which is not required"],
            ),
            (
                |d| {
                    d.settings[0].required = false;
                    d.api.base = "https://{organization-id}.vendor.test".into();
                },
                &[
                    "the path `/v1/orgs/{organization-id}/users` names the setting \
                     `organization-id`, which is not required",
                    "the origin `https://{organization-id}.vendor.test` names the setting \
                     `organization-id`, which is not required",
                ],
            ),
            (|d| d.api.base = "https://{organization-id}.vendor.test".into(), &[]),
            (|d| secret(d).prefixes.clear(), &[]),
            (
                |d| {
                    secret(d).prefixes.clear();
                    d.settings[1].pattern = None;
                },
                &["the secret `api-key` has neither a prefix nor a pattern: another key in its \
                   place is not noticed"],
            ),
            (
                |d| secret(d).prefixes[0].expected = false,
                &["the secret `api-key` has no prefix that is expected: a key in a wrong field \
                   is not noticed"],
            ),
            (
                |d| secret(d).prefixes[1].prefix = "KEY".into(),
                &["the secret `api-key` has the prefix `KEY` twice"],
            ),
            (
                |d| secret(d).prefixes[1].hint.clear(),
                &["the prefix `TOK` of `api-key` has no meaning or no hint"],
            ),
            (
                |d| d.settings[1].placeholder = "KEYa81kd92ks".into(),
                &["the placeholder of the secret `api-key` looks like a key that works"],
            ),
            (|d| d.settings[1].placeholder = "KEYxxxxxxxxxxxx".into(), &[]),
            (|d| d.settings[1].placeholder = "KEY…".into(), &[]),
            (
                |d| d.settings[1].placeholder = "TOKabc".into(),
                &["the placeholder of `api-key` does not match its own pattern"],
            ),
        ];
        for (change, findings) in rows {
            let findings: Vec<_> =
                findings.iter().map(|finding| format!("form-consistent: {finding}")).collect();
            assert_eq!(said(&complete(), change, judge), findings);
        }
    }
}
