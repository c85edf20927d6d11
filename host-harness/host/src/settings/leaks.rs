//! Finds a secret in a place where others can read it: in the name or the value of a setting that
//! is not secret.

use crate::contract::{Descriptor, SecretUse, SettingField};
use crate::failure::{Code, Failure};
use crate::remedy::Remedy;
use crate::secret::SHORTEST;

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
pub(super) fn has_beginning(secret: &SecretUse, text: &str) -> bool {
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
pub(super) fn has_secret(value: &str, secret: &str) -> bool {
    !secret.is_empty() && (value == secret || (secret.len() >= SHORTEST && value.contains(secret)))
}

/// The refusal of a secret that was given where others can read it.
pub(super) fn secret_in_the_open(field: &SettingField) -> Failure {
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
