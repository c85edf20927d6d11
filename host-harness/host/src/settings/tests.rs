//! Tests of settings against a form: what is refused, warned about and explained.

use super::*;
use crate::contract::{self, FailureKind};
use crate::testing;

fn check(values: &[(&str, &str)], secrets: &[(&str, &str)]) -> Result<Checked, Failure> {
    let mut descriptor = testing::descriptor(&[]);
    descriptor.settings[0].pattern = Some("[a-z]+-[0-9]+".into());
    descriptor.settings[1].pattern = Some("KEY.*".into());
    let settings = Settings {
        values: values.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
        secrets: secrets
            .iter()
            .map(|(key, value)| ((*key).into(), SecretText::new((*value).into())))
            .collect(),
    };
    settings.check(&descriptor, true)
}

#[test]
fn settings_part_from_secrets() {
    let checked =
        check(&[("organization-id", " acme-1\u{200b} ")], &[("api-key", "KEYabcde\n")]).unwrap();
    assert_eq!(checked.public, [Setting { key: "organization-id".into(), value: "acme-1".into() }]);
    assert!(checked.credential.is_some());
    assert_eq!(checked.warnings, []);
    assert!(!format!("{checked:?}").contains("KEYabcde"));
}

#[test]
fn what_cannot_be_right_is_refused_and_names_the_setting() {
    for (values, secrets, setting, message) in [
        (vec![("organization-id", "acme-1")], vec![], "api-key", "API-KEY is missing"),
        (
            vec![("organization-id", "acme-1")],
            vec![("api-key", " ")],
            "api-key",
            "API-KEY cannot be right: it is empty",
        ),
        (
            vec![("organization-id", "acme-1")],
            vec![("api-key", "KEYabcd")],
            "api-key",
            "API-KEY cannot be right: it has fewer than 8 characters, and so short a text \
             cannot be redacted from answers",
        ),
        (
            vec![("organization-id", "acme-1")],
            vec![("api-key", "\"KEYabcde\"")],
            "api-key",
            "API-KEY cannot be right: it is in quotes; leave them out",
        ),
        (
            vec![("organization-id", "'acme-1'")],
            vec![("api-key", "KEYabcde")],
            "organization-id",
            "ORGANIZATION-ID cannot be right: it is in quotes; leave them out",
        ),
        (
            vec![("organization-id", "acme\u{200b}-1")],
            vec![("api-key", "KEYabcde")],
            "organization-id",
            "ORGANIZATION-ID cannot be right: it has an invisible character in it, U+200B; \
             type it, or copy it from elsewhere",
        ),
        (
            vec![("organization-id", "KEYabcde")],
            vec![("api-key", "KEYabcde")],
            "organization-id",
            "the value in the field ORGANIZATION-ID looks like a key, which belongs in the \
             field API-KEY",
        ),
        (
            vec![("organization-id", "odd-key")],
            vec![("api-key", "odd-key")],
            "organization-id",
            "the value in the field ORGANIZATION-ID looks like a key, which belongs in the \
             field API-KEY",
        ),
        (
            vec![("organization-id", "api_key=\"KEYabcde\"")],
            vec![("api-key", "other-key")],
            "organization-id",
            "the value in the field ORGANIZATION-ID looks like a key, which belongs in the \
             field API-KEY",
        ),
        (
            vec![("organization-id", "acme/odd-key-1")],
            vec![("api-key", "odd-key-1")],
            "organization-id",
            "the value in the field ORGANIZATION-ID looks like a key, which belongs in the \
             field API-KEY",
        ),
        (
            vec![("org", "acme-1")],
            vec![("api-key", "KEYabcde")],
            "org",
            "`org` is not a setting of this connector",
        ),
        (
            vec![],
            vec![("organization-id", "x"), ("api-key", "KEYabcde")],
            "organization-id",
            "`organization-id` is not a secret",
        ),
        (
            vec![("organization-id", "acme-1"), ("api-key", "KEYabcde")],
            vec![],
            "api-key",
            "API-KEY is a secret and must not be on the command line or in a settings file",
        ),
    ] {
        let failure = check(&values, &secrets).unwrap_err();
        assert_eq!((failure.code, failure.message.as_str()), (Code::InvalidSettings, message));
        assert_eq!(failure.setting.as_deref(), Some(setting));
        assert!(!format!("{failure:?}").contains("KEYabcde"));
    }
}

#[test]
fn a_key_in_the_place_of_a_name_is_not_repeated_whatever_stands_before_it() {
    for name in ["KEYabcde", " KEYabcde", "Bearer KEYabcde", "api_key:KEYabcde"] {
        let failure = check(&[(name, "x")], &[]).unwrap_err();
        assert_eq!(
            failure.message,
            "a text that looks like a key was given as the name of a setting"
        );
        assert!(!format!("{failure:?}").contains("KEYabcde"));
    }
    let failure = check(&[("my-odd-key-1", "x")], &[("api-key", "odd-key-1")]).unwrap_err();
    assert!(!format!("{failure:?}").contains("odd-key-1"));
}

#[test]
fn the_beginning_of_a_key_inside_a_word_is_chance() {
    let checked = check(&[("organization-id", "monKEYs")], &[("api-key", "other-key")]);
    assert_eq!(checked.unwrap().public[0].value, "monKEYs");
}

#[test]
fn what_only_looks_odd_is_a_doubt() {
    let checked = check(&[("organization-id", "ACME")], &[("api-key", "abcdefgh")]).unwrap();
    let doubted: Vec<&str> = checked.warnings.iter().map(|doubt| doubt.setting.as_str()).collect();
    assert_eq!(doubted, ["organization-id", "api-key"]);
}

#[test]
fn the_beginning_of_a_refused_key_is_explained() {
    let refused = |kind, api_key| {
        let (message, hint) = ("the key was not accepted".into(), "Make a new one.".into());
        let mut failure = contract::Failure {
            kind,
            message,
            hint,
            setting: None,
            vendor_code: None,
            retry_after_seconds: None,
        };
        check(&[], &[("api-key", api_key)]).unwrap().known.explain(&mut failure);
        failure
    };
    let wrong_kind = refused(FailureKind::Credentials, "TOKabcde");
    assert_eq!(
        wrong_kind.message,
        "the key was not accepted. By its prefix, the API-KEY is a user token"
    );
    assert_eq!(wrong_kind.hint, "Hint for a user token. Make a new one.");
    assert_eq!(wrong_kind.setting.as_deref(), Some("api-key"));
    assert_eq!(refused(FailureKind::Credentials, "KEYabcde").message, "the key was not accepted");
    let other = refused(FailureKind::Upstream, "TOKabcde");
    assert_eq!(
        (other.message.as_str(), other.hint.as_str(), other.setting),
        ("the key was not accepted", "Make a new one.", None)
    );
}

#[test]
fn a_failure_tells_which_setting_is_missing_and_which_scopes_are_needed() {
    let known = check(&[("organization-id", " ")], &[("api-key", "KEYabcde")]).unwrap().known;
    assert_eq!(known.missing, ["organization-id"]);
    let known = Known { scopes: vec!["read:users".into()], ..known };
    let remedy =
        |code, setting: &str| *known.refined(Failure::new(code, "x").with_setting(setting)).remedy;
    let missing = Remedy::GiveSetting { setting: "organization-id".into(), secret: false };
    assert_eq!(remedy(Code::InvalidSettings, "organization-id"), missing);
    let wrong = Remedy::CorrectSetting { setting: Some("other".into()) };
    assert_eq!(remedy(Code::InvalidSettings, "other"), wrong);
    assert_eq!(
        remedy(Code::Permission, "api-key"),
        Remedy::MorePermissions { scopes: vec!["read:users".into()] }
    );
}

#[test]
fn what_was_given_in_the_wrong_place_or_not_at_all_is_to_be_given() {
    let give = |setting: &str, secret| Remedy::GiveSetting { setting: setting.into(), secret };
    for (values, secrets, remedy) in [
        (vec![], vec![], give("api-key", true)),
        (vec![("api-key", "KEYabcde")], vec![], give("api-key", true)),
        (vec![], vec![("organization-id", "x")], give("organization-id", false)),
        (
            vec![],
            vec![("api-key", " ")],
            Remedy::CorrectSetting { setting: Some("api-key".into()) },
        ),
    ] {
        assert_eq!(*check(&values, &secrets).unwrap_err().remedy, remedy);
    }
}

fn setting(key: &str, value: &str) -> Setting {
    Setting { key: key.into(), value: value.into() }
}

#[test]
fn settings_are_the_same_in_any_order_and_other_when_they_differ() {
    let (one, other) = (setting("a", "1"), setting("b", "2"));
    assert_eq!(settings_hash(&[one.clone(), other.clone()]), settings_hash(&[other, one.clone()]));
    assert_ne!(settings_hash(&[setting("a", "12")]), settings_hash(&[one]));
    assert_ne!(settings_hash(&[setting("ab", "c")]), settings_hash(&[setting("a", "bc")]));
}
