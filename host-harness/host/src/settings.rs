//! Settings, checked against the form that the descriptor declares, before anything else happens.
//!
//! Secrets are separated from the rest here: plain settings go to the component, the secret goes to
//! the transport. A key in the wrong field is refused and never repeated.

mod known;
mod leaks;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::contract::{Attachment, Descriptor, OtherHalf, SecretUse, Setting, SettingField};
use crate::failure::{Code, Failure};
use crate::http::base::{self, Purpose};
use crate::http::credential::Credential;
use crate::pasted;
use crate::remedy::Remedy;
use crate::secret::Secret;

pub use known::{KeyPrefix, Known};
pub use leaks::looks_like_a_secret;
use leaks::{has_beginning, has_secret, secret_in_the_open};

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

/// Whether a value would end too early as the half of a basic credential.
fn has_colon_for_basic(descriptor: &Descriptor, field: &SettingField, value: &str) -> bool {
    let is_half = |secret: &SecretUse| match &secret.attachment {
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
mod tests;
