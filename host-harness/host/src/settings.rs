//! Settings, checked against the form that the descriptor declares, before anything else happens.
//!
//! Secrets are separated from the rest here: plain settings go to the component, the secret goes to
//! the transport. A key in the wrong field is refused and never repeated.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::contract::{
    self, Attachment, Descriptor, FailureKind, OtherHalf, SecretUse, Setting, SettingField,
};
use crate::failure::{Code, Failure};
use crate::http::base::{self, Purpose};
use crate::http::credential::Credential;
use crate::pasted;
use crate::remedy::Remedy;
use crate::secret::{SHORTEST, Secret};

/// Longest value that is not secret, in bytes: identifiers and names are much shorter.
const LONGEST_VALUE: usize = 1024;
/// Largest compiled pattern, in bytes: the pattern comes from a component.
const LARGEST_PATTERN: usize = 64 * 1024;

/// The settings that were entered.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Values of settings that are not secret, by key.
    pub values: BTreeMap<String, String>,
    /// Values of secret settings, by key, as they were entered.
    pub secrets: BTreeMap<String, SecretText>,
}

/// A secret as it was entered; it may be invalid.
#[derive(Clone, Default)]
pub struct SecretText(zeroize::Zeroizing<String>);

impl SecretText {
    /// Takes the text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(zeroize::Zeroizing::new(text))
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// Settings that fit the form.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// The settings for the component.
    pub public: Vec<Setting>,
    /// The credential for the transport. `None` if the run needs none, as in a replay.
    pub credential: Option<Credential>,
    /// Values that look unusual, and are not refused.
    pub warnings: Vec<Warning>,
    /// What the component cannot know, to explain its failures.
    pub known: Known,
}

/// What the host knows about a run's settings and the component does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// What the secret's prefix says about it, for the hint of a `credentials` failure.
    pub key_prefix: Option<KeyPrefix>,
    /// Keys of plain settings that were not given.
    pub missing: Vec<String>,
    /// Scopes that the descriptor's endpoints need.
    pub scopes: Vec<String>,
    /// Key and label of the setting that is the secret.
    pub secret: Option<(String, String)>,
    /// The origin of the requests, if the operator named another one than the connector asks for.
    pub named_origin: Option<String>,
}

/// A value that looks unusual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Key of the setting.
    pub setting: String,
    /// Its label.
    pub label: String,
    /// What looks unusual.
    pub message: String,
    /// What to check.
    pub hint: String,
}

/// What a secret's prefix says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPrefix {
    /// Key of the setting.
    pub setting: String,
    /// Its label.
    pub label: String,
    /// What a value with this prefix is.
    pub meaning: String,
    /// Whether it is what the setting needs.
    pub expected: bool,
    /// What to do if it is not accepted.
    pub hint: String,
}

impl Settings {
    /// Checks faults that no other value can fix: keys that the form does not have, and a secret
    /// that was given where others can read it.
    ///
    /// # Errors
    /// `invalid-settings`, with the setting.
    pub fn check_keys(&self, descriptor: &Descriptor) -> Result<(), Failure> {
        self.only_known_keys(descriptor)?;
        let open = descriptor
            .settings
            .iter()
            .find(|field| field.secret.is_some() && self.values.contains_key(&field.key));
        open.map_or(Ok(()), |field| Err(secret_in_the_open(field)))
    }

    /// Whether a text is one of the secrets that were entered, or contains it. Such a text is never
    /// repeated.
    #[must_use]
    pub fn has_secret(&self, text: &str) -> bool {
        self.secrets.values().any(|secret| has_secret(text, pasted::trimmed(&secret.0)))
    }

    /// Checks the settings against the form. `with_secrets` is false if nothing is sent, so that no
    /// secret is needed.
    ///
    /// # Errors
    /// `invalid-settings`, with the setting. No value is repeated.
    pub fn check(&self, descriptor: &Descriptor, with_secrets: bool) -> Result<Checked, Failure> {
        self.check_keys(descriptor)?;
        let mut checked = Checked::default();
        for field in &descriptor.settings {
            if field.secret.is_none() {
                self.check_value(field, descriptor, &mut checked)?;
            }
        }
        // A secret may be attached together with a setting.
        for field in descriptor.settings.iter().filter(|field| field.secret.is_some()) {
            checked.known.secret = Some((field.key.clone(), field.label.clone()));
            if with_secrets {
                self.check_secret(field, &mut checked)?;
            }
        }
        base::origin(&descriptor.api, &checked.public)?;
        checked.known.scopes = scopes(descriptor, &checked.public, Purpose::Members);
        Ok(checked)
    }

    fn only_known_keys(&self, descriptor: &Descriptor) -> Result<(), Failure> {
        let secret = |key: &str| {
            descriptor
                .settings
                .iter()
                .find(|field| field.key == key)
                .map(|field| field.secret.is_some())
        };
        for key in self.values.keys().chain(self.secrets.keys()) {
            if secret(key).is_none() {
                if looks_like_a_secret(key, descriptor) || self.has_secret(key) {
                    return Err(Failure::new(
                        Code::InvalidSettings,
                        "a text that looks like a key was given as the name of a setting",
                    )
                    .with_hint(
                        "A key that was typed into a command line or a settings file may have \
                         been seen by others: consider a new one.",
                    ));
                }
                let known: Vec<&str> =
                    descriptor.settings.iter().map(|field| field.key.as_str()).collect();
                return Err(Failure::new(
                    Code::InvalidSettings,
                    format!("`{key}` is not a setting of this connector"),
                )
                .with_hint(format!("The settings are: {}.", known.join(", ")))
                .with_setting(key));
            }
        }
        match self.secrets.keys().find(|key| secret(key) == Some(false)) {
            Some(key) => {
                Err(Failure::new(Code::InvalidSettings, format!("`{key}` is not a secret"))
                    .with_remedy(Remedy::GiveSetting { setting: key.clone(), secret: false })
                    .with_hint("Give it as a plain setting.")
                    .with_setting(key))
            }
            None => Ok(()),
        }
    }

    fn check_value(
        &self,
        field: &SettingField,
        descriptor: &Descriptor,
        checked: &mut Checked,
    ) -> Result<(), Failure> {
        let entered =
            self.values.get(&field.key).filter(|value| !pasted::trimmed(value).is_empty());
        let value = match (entered, &field.default) {
            (Some(value), _) | (None, Some(value)) => value,
            (None, None) => {
                checked.known.missing.push(field.key.clone());
                match self.values.get(&field.key) {
                    Some(value) => value,
                    None => return Ok(()),
                }
            }
        };
        let value = pasted::trimmed(value);
        let refuse =
            |message: String| Failure::new(Code::InvalidSettings, message).with_setting(&field.key);
        if value.len() > LONGEST_VALUE {
            return Err(refuse(format!(
                "{} is longer than {LONGEST_VALUE} characters",
                field.label
            ))
            .with_hint(&*field.help));
        }
        for secret in descriptor.settings.iter() {
            let Some(secret_use) = &secret.secret else { continue };
            let is_key = |text: &SecretText| has_secret(value, pasted::trimmed(&text.0));
            if self.secrets.get(&secret.key).is_some_and(is_key) || has_beginning(secret_use, value)
            {
                return Err(refuse(format!(
                    "the value in the field {} looks like a key, which belongs in the field {}",
                    field.label, secret.label
                ))
                .with_hint(format!(
                    "Put the key into the field {}. Where to find the {}: {}",
                    secret.label, field.label, field.help
                )));
            }
        }
        if !field.choices.is_empty() && !field.choices.iter().any(|choice| choice.value == value) {
            let choices: Vec<_> = field
                .choices
                .iter()
                .map(|choice| format!("`{}` ({})", choice.value, choice.label))
                .collect();
            return Err(refuse(format!(
                "the value in the field {} is not one of its choices",
                field.label
            ))
            .with_hint(format!("Choose one of {}.", choices.join(", "))));
        }
        if has_colon_for_basic(descriptor, field, value) {
            return Err(refuse(format!(
                "the value in the field {} has a colon, and is sent in a form that ends it there",
                field.label
            ))
            .with_hint(&*field.help));
        }
        if let Some(pattern) = field.pattern.as_deref().and_then(pattern)
            && let Some(pasted) = pasted::beside_a_value(value, |text| pattern.is_match(text))
        {
            return Err(refuse(format!("{} cannot be right: {pasted}", field.label))
                .with_hint(&*field.help));
        }
        if let Some(doubt) = doubt(field, value) {
            checked.warnings.push(doubt);
        }
        checked.public.push(Setting { key: field.key.clone(), value: value.to_owned() });
        Ok(())
    }

    fn check_secret(&self, field: &SettingField, checked: &mut Checked) -> Result<(), Failure> {
        let Some(secret_use) = &field.secret else { return Ok(()) };
        let refuse = |message: String| {
            Failure::new(Code::InvalidSettings, message)
                .with_hint(&*field.help)
                .with_setting(&field.key)
        };
        let Some(text) = self.secrets.get(&field.key) else {
            let give = Remedy::GiveSetting { setting: field.key.clone(), secret: true };
            return if field.required {
                Err(refuse(format!("{} is missing", field.label)).with_remedy(give))
            } else {
                Ok(())
            };
        };
        let secret = Secret::new(text.0.to_string())
            .map_err(|error| refuse(format!("{} cannot be right: {error}", field.label)))?;
        let known =
            secret_use.prefixes.iter().filter(|known| secret.expose().starts_with(&known.prefix));
        if let Some(known) = known.max_by_key(|known| known.prefix.len()) {
            checked.known.key_prefix = Some(KeyPrefix {
                setting: field.key.clone(),
                label: field.label.clone(),
                meaning: known.meaning.clone(),
                expected: known.expected,
                hint: known.hint.clone(),
            });
        }
        if let Some(doubt) = doubt(field, secret.expose()) {
            checked.warnings.push(doubt);
        }
        checked.credential = Some(Credential::new(&secret_use.attachment, &checked.public, secret));
        Ok(())
    }
}

impl Checked {
    /// The settings for a run: without the secret, which the transport has, and with the scopes
    /// that the run needs.
    #[must_use]
    pub fn of_run(&self, descriptor: &Descriptor, purpose: Purpose) -> Self {
        let scopes = scopes(descriptor, &self.public, purpose);
        Self {
            public: self.public.clone(),
            credential: None,
            warnings: self.warnings.clone(),
            known: Known { scopes, ..self.known.clone() },
        }
    }
}

/// The scopes that a key needs for a run, each once.
fn scopes(descriptor: &Descriptor, settings: &[Setting], purpose: Purpose) -> Vec<String> {
    let mut scopes: Vec<String> = Vec::new();
    for endpoint in base::needed(descriptor, settings, purpose) {
        if let Some(scope) = endpoint.scope.as_ref().filter(|scope| !scopes.contains(scope)) {
            scopes.push(scope.clone());
        }
    }
    scopes
}

impl Known {
    /// Adds what the key's prefix says if the key was not accepted. A connector never sees the key.
    pub(crate) fn explain(&self, failure: &mut contract::Failure) {
        let Some(key_prefix) =
            self.key_prefix.as_ref().filter(|_| failure.kind == FailureKind::Credentials)
        else {
            return;
        };
        if !key_prefix.expected {
            let message = failure.message.trim_end_matches('.');
            failure.message = format!(
                "{message}. By its prefix, the {} is {}",
                key_prefix.label, key_prefix.meaning
            );
        }
        failure.hint = format!("{} {}", key_prefix.hint, failure.hint).trim().to_owned();
        failure.setting.get_or_insert_with(|| key_prefix.setting.clone());
    }

    /// Adds a remedy with the missing setting, or the needed scopes.
    #[must_use]
    pub(crate) fn refined(&self, mut failure: Failure) -> Failure {
        match &mut *failure.remedy {
            Remedy::CorrectSetting { setting: Some(key) }
                if failure.code == Code::InvalidSettings && self.missing.contains(key) =>
            {
                *failure.remedy =
                    Remedy::GiveSetting { setting: std::mem::take(key), secret: false };
            }
            Remedy::MorePermissions { scopes } => scopes.clone_from(&self.scopes),
            _ => {}
        }
        failure
    }
}

/// Whether a value would end too early as the half of a basic credential.
fn has_colon_for_basic(descriptor: &Descriptor, field: &SettingField, value: &str) -> bool {
    let is_half = |secret: &contract::SecretUse| match &secret.attachment {
        Attachment::Basic(basic) => {
            matches!(&basic.other, OtherHalf::Setting(key) if *key == field.key)
        }
        Attachment::Bearer | Attachment::Header(_) => false,
    };
    value.contains(':')
        && descriptor.settings.iter().filter_map(|it| it.secret.as_ref()).any(is_half)
}

/// A hash that replaces the settings where they must not appear, because they name a customer.
#[must_use]
pub fn settings_hash(settings: &[Setting]) -> String {
    let mut sorted: Vec<_> =
        settings.iter().map(|setting| (&setting.key, &setting.value)).collect();
    sorted.sort();
    let hash = sorted.into_iter().fold(Sha256::new(), |hash, (key, value)| {
        hash.chain_update(key.len().to_le_bytes())
            .chain_update(key)
            .chain_update(value.len().to_le_bytes())
            .chain_update(value)
    });
    format!("{:x}", hash.finalize())
}

/// Whether a word of a text has the prefix of one of the connector's secrets. Such a text is never
/// repeated.
#[must_use]
pub fn looks_like_a_secret(text: &str, descriptor: &Descriptor) -> bool {
    descriptor
        .settings
        .iter()
        .filter_map(|field| field.secret.as_ref())
        .any(|secret| has_beginning(secret, text))
}

/// Whether a word has such a prefix: a key is also pasted after `Bearer`, after the name of its
/// variable, or in quotes.
fn has_beginning(secret: &SecretUse, text: &str) -> bool {
    let ends_a_word =
        |character: char| !character.is_alphanumeric() && !"-_./@".contains(character);
    let begins = |at: usize| {
        text.get(at..)
            .is_some_and(|rest| secret.prefixes.iter().any(|known| rest.starts_with(&known.prefix)))
    };
    begins(0)
        || text
            .char_indices()
            .any(|(at, character)| ends_a_word(character) && begins(at + character.len_utf8()))
}

/// Whether a value is the secret, or contains it and the secret is too long to occur by chance.
fn has_secret(value: &str, secret: &str) -> bool {
    !secret.is_empty() && (value == secret || (secret.len() >= SHORTEST && value.contains(secret)))
}

/// The refusal of a secret that was given where others can read it.
fn secret_in_the_open(field: &SettingField) -> Failure {
    Failure::new(
        Code::InvalidSettings,
        format!(
            "{} is a secret and must not be on the command line or in a settings file",
            field.label
        ),
    )
    .with_hint(
        "Give it as a secret. A key on a command line or in a settings file may have been seen by \
         others: consider a new one.",
    )
    .with_remedy(Remedy::GiveSetting { setting: field.key.clone(), secret: true })
    .with_setting(&field.key)
}

/// The pattern of a setting, which must match a whole value. `None` if it is not a regular
/// expression, or too large.
pub fn pattern(text: &str) -> Option<regex::Regex> {
    regex::RegexBuilder::new(&format!("^(?:{text})$")).size_limit(LARGEST_PATTERN).build().ok()
}

fn doubt(field: &SettingField, value: &str) -> Option<Warning> {
    let pattern = pattern(field.pattern.as_deref()?)?;
    (!value.is_empty() && !pattern.is_match(value)).then(|| Warning {
        setting: field.key.clone(),
        label: field.label.clone(),
        message: format!("{} does not look like a usual one", field.label),
        hint: field.help.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
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
            check(&[("organization-id", " acme-1\u{200b} ")], &[("api-key", "KEYabcde\n")])
                .unwrap();
        assert_eq!(
            checked.public,
            [Setting { key: "organization-id".into(), value: "acme-1".into() }]
        );
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
        let doubted: Vec<&str> =
            checked.warnings.iter().map(|doubt| doubt.setting.as_str()).collect();
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
        assert_eq!(
            refused(FailureKind::Credentials, "KEYabcde").message,
            "the key was not accepted"
        );
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
        let remedy = |code, setting: &str| {
            *known.refined(Failure::new(code, "x").with_setting(setting)).remedy
        };
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
        assert_eq!(
            settings_hash(&[one.clone(), other.clone()]),
            settings_hash(&[other, one.clone()])
        );
        assert_ne!(settings_hash(&[setting("a", "12")]), settings_hash(&[one]));
        assert_ne!(settings_hash(&[setting("ab", "c")]), settings_hash(&[setting("a", "bc")]));
    }
}
